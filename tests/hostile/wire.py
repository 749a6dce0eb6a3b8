"""HTTP/2 and gRPC by hand, as a peer needs them that keeps to no rule: frames, calls, messages in pieces."""

import pathlib
import socket
import ssl
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from hostile_frames import CONTINUATION, HEADERS, RESET, SETTINGS, frame, header, integer  # noqa: E402,F401

DATA, PING, GOAWAY, WINDOW = 0, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
SERVICE = "/troupe.wire.TrainingService/"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Attackers come from an address of their own, as peers of another machine would: what a gateway or a learner holds
# against an address hits no honest worker.
SOURCE = "127.0.0.2"
PIECE = 16384


def varint(number):
    out = b""
    while True:
        out, number = out + bytes([number & 127 | (128 if number > 127 else 0)]), number >> 7
        if not number:
            return out


def field(number, payload):
    """Length-delimited, or a varint for a number."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload


class Target:
    """Where attackers go, and what they have to show: `authority` of a TLS port, `identity` a worker's certificate and
    key, `token`; None: that is missing."""

    def __init__(self, port, authority=None, identity=None, token=None):
        self.port, self.authority, self.identity, self.token = port, authority, identity, token

    def socket(self):
        """Connected, and nothing more."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=(SOURCE, 0))

    def secured(self):
        connection = self.socket()
        if not self.authority:
            return connection
        try:
            context = ssl.create_default_context(cafile=self.authority)
            context.set_alpn_protocols(["h2"])
            if self.identity:
                context.load_cert_chain(*self.identity)
            return context.wrap_socket(connection, server_hostname="localhost")
        except BaseException:
            connection.close()
            raise


class Connection:
    """One that has said HTTP/2's preface. `window`: bytes that it lets each answer have."""

    def __init__(self, target, window=65535):
        self.token = target.token
        self.socket = target.secured()
        self.stream, self.ended = -1, False
        self.windows, self.first_window = {0: 65535}, 65535
        self.buffer, self.bodies, self.over = b"", {}, set()
        self.send(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window)))

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def headers(self, method):
        lines = [(":method", "POST"), (":scheme", "https"), (":path", SERVICE + method), (":authority", "learner"),
                 ("te", "trailers"), ("content-type", "application/grpc")]
        if self.token:
            lines.append(("authorization", f"Bearer {self.token}"))
        return b"".join(header(name, value) for name, value in lines)

    def open(self, method, end=False):
        """A new call; its stream."""
        self.stream += 2
        self.windows[self.stream] = self.first_window
        self.bodies[self.stream] = b""
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), self.stream, self.headers(method)))
        return self.stream

    def give(self, stream, data, end=False):
        """As much of it as the other side lets come; waits for it. False: it has ended the call."""
        at = 0
        while at < len(data):
            if self.ended or stream in self.over:
                return False
            size = min(self.windows[stream], self.windows[0], PIECE, len(data) - at)
            if size <= 0:
                self.listen(1)
                continue
            last = end and at + size == len(data)
            self.send(frame(DATA, END_STREAM if last else 0, stream, data[at : at + size]))
            at += size
            self.windows[stream] -= size
            self.windows[0] -= size
        return True

    def say(self, stream, message, end=False):
        return self.give(stream, b"\0" + len(message).to_bytes(4, "big") + message, end)

    def ask(self, method, message, seconds=10):
        """The answer's message, b"" where there is none."""
        stream = self.open(method)
        self.say(stream, message, end=True)
        for _ in range(int(seconds * 10)):
            if self.ended or stream in self.over:
                break
            self.listen(0.1)
        return self.bodies.pop(stream, b"")[5:]

    def listen(self, seconds):
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(1 << 16)
            self.ended = self.ended or not data
            self.buffer += data
        except (TimeoutError, ssl.SSLWantReadError):
            pass
        finally:
            self.socket.settimeout(10)
        while len(self.buffer) >= 9 and len(self.buffer) >= 9 + (size := int.from_bytes(self.buffer[:3], "big")):
            kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big")
            payload, self.buffer = self.buffer[9 : 9 + size], self.buffer[9 + size :]
            self.take(kind, flags, stream, payload)

    def take(self, kind, flags, stream, payload):
        if kind == WINDOW:
            self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
        elif kind == DATA:
            if stream in self.bodies:
                self.bodies[stream] += payload
            if payload:
                self.send(frame(WINDOW, 0, 0, len(payload).to_bytes(4, "big")))
        elif kind == SETTINGS and not flags & ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == 4:
                    for each in self.windows:
                        self.windows[each] += (value - self.first_window) if each else 0
                    self.first_window = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.ended = True
        if kind == RESET or (kind in (DATA, HEADERS) and flags & END_STREAM):
            self.over.add(stream)
