"""Reads along what a learner acknowledges, from the bytes on the wire: HTTP/2 frames, gRPC's length-prefixed messages
and the few protobuf fields that are of interest, by their published formats and with nothing of Troupe's own code."""

import threading

from proxy import TO_LEARNER, TO_WORKER

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, PADDED = 0, 8
LEASE_GRANT, ACKNOWLEDGEMENT = 1, 3  # of LearnerMessage
ADMITTED = 1


def fields(message):
    """{number: last value} of a message with varints and length-delimited fields."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            found[number] = varint()
        elif kind == 2:
            size = varint()
            found[number] = message[at : at + size]
            at += size
        else:
            at += 8 if kind == 1 else 4
    return found


class Messages:
    """Of one direction of a connection, told what passes piece by piece."""

    def __init__(self):
        self.bytes, self.begun, self.streams = bytearray(), False, {}

    def read(self, piece, has_preface):
        """(stream, message) of every gRPC message that is complete by now."""
        self.bytes += piece
        if has_preface and not self.begun:
            if len(self.bytes) < len(PREFACE):
                return
            assert self.bytes.startswith(PREFACE), "no HTTP/2"
            del self.bytes[: len(PREFACE)]
        self.begun = True
        while len(self.bytes) >= 9:
            size = int.from_bytes(self.bytes[:3], "big")
            if len(self.bytes) < 9 + size:
                return
            kind, flags, stream = self.bytes[3], self.bytes[4], int.from_bytes(self.bytes[5:9], "big")
            data = bytes(self.bytes[9 : 9 + size])
            del self.bytes[: 9 + size]
            if kind != DATA:
                continue
            if flags & PADDED:
                data = data[1 : len(data) - data[0]]
            yield from self._split(stream, data)

    def _split(self, stream, data):
        waiting = self.streams.setdefault(stream, bytearray())
        waiting += data
        while len(waiting) >= 5:
            size = int.from_bytes(waiting[1:5], "big")
            if len(waiting) < 5 + size:
                return
            yield stream, bytes(waiting[5 : 5 + size])
            del waiting[: 5 + size]


class Witness:
    """Told all pieces of one proxy. What it has seen, of the learner that `learner` numbers at the time."""

    def __init__(self):
        self.learner = 0
        self.granted = {}  # (learner, shard, epoch): first update
        self.admitted = set()  # (learner, shard, epoch, sequence)
        self._directions = {}
        self._trajectories = set()  # (connection, stream) that carry trajectories
        self._lock = threading.Lock()

    def __call__(self, connection, direction, piece):
        with self._lock:
            reader = self._directions.setdefault((connection, direction), Messages())
            for stream, message in reader.read(piece, direction == TO_LEARNER):
                if direction == TO_LEARNER:
                    hello = fields(message).get(1) if len(message) < 600 else None
                    # Hello is a message in field 1, whose field 1 is the worker's id; other calls have a text there.
                    if isinstance(hello, bytes) and hello[:1] == b"\n":
                        self._trajectories.add((connection, stream))
                elif (connection, stream) in self._trajectories:
                    self._note(fields(message))

    def _note(self, message):
        if LEASE_GRANT in message:
            lease = fields(message[LEASE_GRANT])
            self.granted[self.learner, lease.get(1, 0), lease.get(2, 0)] = lease.get(3, 0)
        if ACKNOWLEDGEMENT in message:
            said = fields(message[ACKNOWLEDGEMENT])
            if said.get(4) == ADMITTED:
                self.admitted.add((self.learner, said.get(1, 0), said.get(2, 0), said.get(3, 0)))


def check_nothing_lost(witnesses, learner, batches):
    """Whether all that learner number `learner` was seen to acknowledge is in its batches, as far as these go. Returns
    how many acknowledgements that were."""
    trained = {batch.update: set(batch.streams) for batch in batches}
    checked = 0
    for witness in witnesses:
        for number, shard, epoch, sequence in witness.admitted:
            if number != learner:
                continue
            update = witness.granted[number, shard, epoch] + sequence + 1
            if update not in trained:
                continue  # its batch was not complete when the learner ended
            checked += 1
            assert (shard, 0, epoch, sequence) in trained[update], (
                f"shard {shard}, epoch {epoch}, sequence {sequence} was acknowledged and is not in update {update}"
            )
    return checked
