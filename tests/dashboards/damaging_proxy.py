"""A TCP proxy on loopback between a worker and its learner that can overwrite bytes of what the worker sends."""

import socket
import threading

LARGE = 8000  # bytes; less than that at once is no tensor
SPAN = 64


class DamagingProxy:
    """Use as a context. `damage(byte)` overwrites a few bytes in the middle of the next large piece with it."""

    def __init__(self, port):
        self._port = port
        self._byte = None
        self._connections = []
        self._threads = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *failure):
        for connection in [self._listener, *self._connections]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def damage(self, byte):
        self._byte = byte

    def _start(self, work, *arguments):
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self):
        while True:
            try:
                worker, _ = self._listener.accept()
                learner = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            self._connections += [worker, learner]
            self._start(self._forward, worker, learner, True)
            self._start(self._forward, learner, worker, False)

    def _forward(self, source, target, to_learner):
        try:
            while piece := source.recv(1 << 16):
                if to_learner and self._byte is not None and len(piece) >= LARGE:
                    middle = len(piece) // 2
                    piece = piece[:middle] + bytes([self._byte]) * SPAN + piece[middle + SPAN :]
                    self._byte = None
                target.sendall(piece)
        except OSError:
            pass
        for connection in (source, target):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
