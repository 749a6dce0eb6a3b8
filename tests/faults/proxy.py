"""A TCP proxy on loopback between one worker and the learner, which does what networks do."""

import select
import socket
import struct
import threading

TO_LEARNER, TO_WORKER = 0, 1


def _is_given_up(end):
    """By its peer, who has closed it."""
    return bool(select.select([end], [], [], 0)[0]) and not end.recv(1, socket.MSG_PEEK)


class Proxy:
    """Forwards to 127.0.0.1:`target`, which may be changed. Use as a context. `watch`, if any, is told every piece as
    it came: watch(connection, direction, bytes), connections counted from 0."""

    def __init__(self, watch=None):
        self.target = None
        self.delay_seconds = 0.0  # of every piece
        self.bytes_per_second = None  # None: as fast as it goes
        self._watch = watch
        self._open = (threading.Event(), threading.Event())  # set: pieces of that direction pass
        self._flips = [0, 0]
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._connections = {}  # number: (worker's socket, learner's socket)
        self._count = 0
        self._threads = []

    def __enter__(self):
        self.release()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._start(self._accept)
        return self

    def __exit__(self, *failure):
        self._ending.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(timeout=10)

    def hold(self, direction):
        """Nothing passes in that direction until release."""
        self._open[direction].clear()

    def release(self):
        for gate in self._open:
            gate.set()

    def flip(self, direction, bits=1):
        """A bit each of the next pieces of that direction is turned over."""
        self._flips[direction] = bits

    def cut(self, reset=False):
        """Breaks every connection, with what is held: both sides see its end, or a reset."""
        with self._lock:
            pairs = list(self._connections.values())
        for pair in pairs:
            for end in pair:
                try:
                    if reset:
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.release()

    def connections(self):
        with self._lock:
            return len(self._connections)

    def _start(self, work, *arguments):
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self):
        while not self._ending.is_set():
            try:
                worker, _ = self._listener.accept()
            except OSError:
                return
            try:
                learner = socket.create_connection(("127.0.0.1", self.target))
            except (OSError, TypeError):
                worker.close()  # nobody listens there
                continue
            for end in (worker, learner):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                number, self._count = self._count, self._count + 1
                self._connections[number] = (worker, learner)
            self._start(self._connection, number, worker, learner)

    def _connection(self, number, worker, learner):
        back = threading.Thread(target=self._forward, args=(number, learner, worker, TO_WORKER), daemon=True)
        back.start()
        self._forward(number, worker, learner, TO_LEARNER)
        back.join()
        with self._lock:
            del self._connections[number]
        worker.close()
        learner.close()

    def _forward(self, number, source, sink, direction):
        try:
            while piece := source.recv(1 << 16):
                if self._watch is not None:
                    self._watch(number, direction, piece)
                while not self._open[direction].wait(timeout=0.1):
                    if self._ending.is_set() or _is_given_up(sink):
                        return
                if self.delay_seconds:
                    self._ending.wait(self.delay_seconds)
                if self._flips[direction] and len(piece) > 32:
                    self._flips[direction] -= 1
                    middle = len(piece) // 2
                    piece = piece[:middle] + bytes([piece[middle] ^ 0x10]) + piece[middle + 1 :]
                self._send(sink, piece)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _send(self, sink, piece):
        while piece:
            part = piece if self.bytes_per_second is None else piece[: max(1, self.bytes_per_second // 20)]
            sink.sendall(part)
            piece = piece[len(part) :]
            if self.bytes_per_second is not None:
                self._ending.wait(len(part) / self.bytes_per_second)
