"""What hostile peers do, a function each: attack(target, what they know of the run), once; it is called again and again
from several threads."""

import os
import socket
import threading
import time

from wire import (CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, RESET, SETTINGS, Connection, field,
                  frame, header, integer)

MIB = 1 << 20
PROTOCOL_VERSION = 3  # common/wire/protocol_version.h


class Known:
    """Of the run: `spec`, the bytes of an honest worker's EnvironmentSpec."""

    def __init__(self, spec=b""):
        self.spec = spec


def run_id_of(connection):
    answer = connection.ask("DescribeRun", field(1, PROTOCOL_VERSION))
    size = answer[1] if len(answer) > 1 else 0
    return answer[2 : 2 + size].decode(errors="replace")


def registration(connection, spec, host="hostile", shards=4):
    return b"".join([field(1, PROTOCOL_VERSION), field(2, run_id_of(connection)), field(3, "x"), field(4, host),
                     field(5, shards), field(6, spec)])


def made_up(sizes=17, agents=9, statistics=1):
    """An EnvironmentSpec: of these sizes, agents and statistics."""
    names = b"".join(field(2, f"j{i}") for i in range(agents))
    group = field(1, "junction") + names + field(3, sizes) + field(4, 1) + field(5, 4)
    more = b"".join(field(5, f"made_up_{i}") for i in range(statistics))
    return field(1, "traffic_grid") + field(2, group) + more


def unpack_bombs(target, known):
    """Messages that come whole and would grow manifold when unpacked: empty groups, episodes, shapes, names."""
    mib = 16
    bombs = [field(2, b"\x2a\0" * (mib << 19)), field(2, b"\x5a\0" * (mib << 19)),
             field(2, field(6, field(2, b"\1" * (mib << 20)))), field(3, b"\x1a\0" * (mib << 19))]
    for bomb in bombs:
        with Connection(target) as peer:
            peer.say(peer.open("StreamTrajectories"), bomb)
    for names in (b"\x12\0", b"\x2a\0"):
        with Connection(target) as peer:
            peer.ask("Register", field(6, names * (MIB // 2 - 8)))


def half_messages(method):
    def attack(target, known):
        """200 MiB are announced, 25 MiB come, and then nothing more: memory held for what never gets whole."""
        with Connection(target) as peer:
            stream = peer.open(method)
            peer.give(stream, b"\0" + (200 * MIB).to_bytes(4, "big"))
            for _ in range(25 * 16):
                if not peer.give(stream, b"\x12" + b"\0" * (MIB // 16 - 1)):
                    return
            until = time.monotonic() + 5
            while not peer.ended and stream not in peer.over and time.monotonic() < until:
                peer.listen(0.5)
    return attack


def headers_without_end(target, known):
    """CONTINUATION frames for ever, of names never used before."""
    with Connection(target) as peer:
        peer.send(frame(HEADERS, 0, 1, peer.headers("GetStatus")))
        for i in range(1 << 20):
            peer.send(frame(CONTINUATION, 0, 1, b"".join(header(f"k{100 * i + j}", "v" * 150) for j in range(90))))


def one_header_without_end(target, known):
    """A value that says it is 2 GiB long."""
    with Connection(target) as peer:
        peer.send(frame(HEADERS, 0, 1, b"\x10\x01k" + integer(2 << 30, 7)))
        for _ in range(1 << 20):
            peer.send(frame(CONTINUATION, 0, 1, b"v" * 16384))


def continuation_flood(target, known):
    """CONTINUATION frames without a byte in them, for ever."""
    with Connection(target) as peer:
        peer.send(frame(HEADERS, 0, 1, peer.headers("GetStatus")))
        many = frame(CONTINUATION, 0, 1) * 1024
        for _ in range(1 << 20):
            peer.send(many)


def rapid_resets(target, known):
    """Calls that are taken back as soon as they are made."""
    with Connection(target) as peer:
        stream = 1
        for _ in range(1 << 20):
            data = b""
            for _ in range(256):
                data += frame(HEADERS, END_HEADERS | END_STREAM, stream, peer.headers("GetStatus"))
                data += frame(RESET, 0, stream, (8).to_bytes(4, "big"))
                stream += 2
            peer.send(data)
            peer.listen(0.001)
            if peer.ended or stream > (1 << 30):
                return


def frames_to_answer(target, known):
    """PING and SETTINGS frames, each of which wants an answer, and no answer is read."""
    with Connection(target) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        many = (frame(PING, 0, 0, b"12345678") + frame(SETTINGS, 0, 0)) * 512
        for _ in range(1 << 20):
            peer.send(many)


def connections(target, known):
    """As many as there may be, which say nothing and stay."""
    held = []
    try:
        for _ in range(200):
            try:
                held.append(target.socket())
            except OSError:
                break
        time.sleep(5)
    finally:
        for each in held:
            each.close()


def slow_readers(target, known):
    """Calls whose answers may not come: their windows stay shut, and the socket is not read."""
    with Connection(target, window=0) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(16):
            stream = peer.open("GetStatus")
            peer.say(stream, b"", end=True)
        worker = join(target, peer, known)
        if worker:
            peer.say(peer.open("SubscribeWeights"), field(1, worker), end=True)
        time.sleep(5)


def join(target, peer, known):
    """Registers as the honest worker did; the worker's id."""
    if not known.spec:
        return b""
    with Connection(target) as other:
        answer = other.ask("Register", registration(other, known.spec))
    return answer[2 : 2 + answer[1]] if len(answer) > 1 else b""


def register_flood(target, known):
    """Registrations without end, every other one with a spec that is not this run's; none opens a stream."""
    with Connection(target) as peer:
        run = run_id_of(peer)
        for i in range(100):
            spec = known.spec if i % 2 and known.spec else made_up(statistics=i)
            host = f"host-{os.urandom(4).hex()}"
            peer.ask("Register", b"".join([field(1, PROTOCOL_VERSION), field(2, run), field(4, host), field(5, 4),
                                           field(6, spec)]))
            if peer.ended:
                return


def sizes(target, known):
    """Environments of enormous sizes."""
    for spec in (made_up(sizes=10**6), made_up(sizes=2**31 - 1), made_up(agents=60000), made_up(statistics=60000)):
        with Connection(target) as peer:
            peer.ask("Register", registration(peer, spec))


def malformed_chunks(target, known):
    """By who has registered: chunks whose shapes, sizes and numbers are none."""
    bad = [b"\x08\xff\xff\xff\xff\x0f", field(5, field(1, field(2, b"\xff" * 9))),
           field(6, field(2, b"\x80\x80\x80\x80\x10")), os.urandom(4096)]
    for chunk in bad:
        with Connection(target) as peer:
            worker = join(target, peer, known)
            stream = peer.open("StreamTrajectories")
            peer.say(stream, field(1, field(1, worker)))
            peer.say(stream, field(2, chunk))
            peer.listen(0.5)


def noise(target, known):
    """Bytes that are no HTTP/2, other protocols, and endings in the middle of a frame."""
    greetings = [os.urandom(512), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-x\r\n", b"\0" * 4096,
                 b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + os.urandom(64), PREFACE + os.urandom(256)]
    for greeting in greetings:
        connection = target.secured()
        try:
            connection.sendall(greeting)
            connection.settimeout(0.05)
            connection.recv(4096)
        except OSError:
            pass
        finally:
            connection.close()


def silence(target, known):
    with Connection(target) as peer:
        until = time.monotonic() + 10
        while not peer.ended and time.monotonic() < until:
            peer.listen(1)


# name: (attack, peers at a time)
ATTACKS = {
    "unpack bombs": (unpack_bombs, 4),
    "half a trajectory": (half_messages("StreamTrajectories"), 12),
    "half a registration": (half_messages("Register"), 12),
    "headers without end": (headers_without_end, 4),
    "one header without end": (one_header_without_end, 4),
    "continuation flood": (continuation_flood, 4),
    "rapid resets": (rapid_resets, 4),
    "frames to answer": (frames_to_answer, 4),
    "connections": (connections, 12),
    "slow readers": (slow_readers, 20),
    "register flood": (register_flood, 4),
    "sizes": (sizes, 4),
    "malformed chunks": (malformed_chunks, 4),
    "noise": (noise, 4),
    "silence": (silence, 40),
}


class Attackers:
    """In a process of their own that gives way to others; whoever is refused comes again, soon."""

    def __init__(self, name, target, known):
        attack, peers = ATTACKS[name]
        self.pid = os.fork()
        if self.pid == 0:
            os.nice(10)
            for _ in range(peers):
                threading.Thread(target=self.again_and_again, args=(attack, target, known), daemon=True).start()
            threading.Event().wait()

    @staticmethod
    def again_and_again(attack, target, known):
        pause = threading.Event()
        while True:
            try:
                attack(target, known)
            except (OSError, KeyError, IndexError, ValueError):
                pass
            pause.wait(0.02)

    def stop(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.stop()
