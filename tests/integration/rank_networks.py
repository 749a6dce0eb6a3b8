"""Network namespaces joined by a bridge, a machine each, made and removed by the test; WireGuard between them."""
import os
import shutil
import socket
import struct
import subprocess
import threading

BRIDGE_PORT_LENGTH = 15  # of an interface's name


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, check=False)


class Network:
    """Machines 0 … count − 1 at 10.78.0.1 and on, on a bridge in a namespace of its own."""

    def __init__(self, count):
        self.count = count
        self.names = [f"troupe_r{os.getpid()}_{index}" for index in range(count)]
        self.hub = f"troupe_b{os.getpid()}"

    @staticmethod
    def address(index):
        return f"10.78.0.{index + 1}"

    def make(self):
        """Whether it is there."""
        lines = [["netns", "add", self.hub], ["-n", self.hub, "link", "set", "lo", "up"],
                 ["-n", self.hub, "link", "add", "bridge", "type", "bridge"],
                 ["-n", self.hub, "link", "set", "bridge", "up"]]
        for index, name in enumerate(self.names):
            lines += [["netns", "add", name], ["-n", name, "link", "set", "lo", "up"],
                      ["-n", name, "link", "add", "eth", "type", "veth", "peer", "name", f"port{index}",
                       "netns", self.hub],
                      ["-n", name, "addr", "add", f"{self.address(index)}/24", "dev", "eth"],
                      ["-n", name, "link", "set", "eth", "up"],
                      ["-n", self.hub, "link", "set", f"port{index}", "master", "bridge", "up"]]
        try:
            return all(run("ip", *line).returncode == 0 for line in lines)
        except FileNotFoundError:
            return False

    def remove(self):
        for name in [*self.names, self.hub]:
            run("ip", "netns", "del", name)

    def inside(self, index):
        return ["ip", "netns", "exec", self.names[index]]

    def cut(self, index, down=True):
        """Takes the machine's cable out, or puts it back."""
        run("ip", "-n", self.hub, "link", "set", f"port{index}", "down" if down else "up")


class Tunnel:
    """WireGuard between a network's machines, as deploy/rank_tunnel.sh writes it: 10.79.0.1 and on."""

    def __init__(self, network, script, folder):
        self.network, self.script, self.folder = network, script, folder
        self.configurations = []

    @staticmethod
    def possible():
        """By the kernel's WireGuard, or by a process that has a tunnel device."""
        if shutil.which("wg-quick") is None:
            return False
        if run("unshare", "-n", "ip", "link", "add", "wg", "type", "wireguard").returncode == 0:
            return True
        try:
            os.close(os.open("/dev/net/tun", os.O_RDWR))
        except OSError:
            return False
        return shutil.which("wireguard-go") is not None

    @staticmethod
    def address(index):
        return f"10.79.0.{index + 1}"

    def up(self):
        hosts = [self.network.address(index) for index in range(self.network.count)]
        made = run(self.script, self.folder, *hosts)
        assert made.returncode == 0, made.stderr
        for index in range(self.network.count):
            # The name is the interface's, and that of a socket which all namespaces share.
            path = self.folder / f"wg{os.getpid()}r{index}.conf"
            assert len(path.stem) <= BRIDGE_PORT_LENGTH
            shutil.copy(self.folder / f"rank-{index}.conf", path)
            self.configurations.append(path)
            begun = run(*self.network.inside(index), "wg-quick", "up", path)
            assert begun.returncode == 0, begun.stderr

    def down(self):
        for index, path in enumerate(self.configurations):
            run(*self.network.inside(index), "wg-quick", "down", path)


class Watcher:
    """Counts what one machine sends and receives, by protocol and port."""

    LIBC_CLONE_NEWNET = 0x40000000

    def __init__(self, network, index):
        self.seen = {}  # (protocol, lower port) -> packets
        self._stop = threading.Event()
        self._socket = self._open(network.names[index])
        self._thread = threading.Thread(target=self._watch, name="watcher")
        self._thread.start()

    @staticmethod
    def _open(namespace):
        """A packet socket made in the namespace: a thread of its own enters it, and ends there."""
        made = {}

        def enter():
            import ctypes
            with open(f"/run/netns/{namespace}", "rb") as file:
                assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), Watcher.LIBC_CLONE_NEWNET) == 0
            made["socket"] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            made["socket"].bind(("eth", 3))

        thread = threading.Thread(target=enter, name="enter")
        thread.start()
        thread.join()
        return made["socket"]

    def _watch(self):
        self._socket.settimeout(0.2)
        while not self._stop.is_set():
            try:
                frame = self._socket.recv(65536)
            except TimeoutError:
                continue
            if len(frame) < 38 or frame[12:14] != b"\x08\x00":
                continue
            begin = 14 + 4 * (frame[14] & 15)
            protocol = {6: "tcp", 17: "udp"}.get(frame[23], str(frame[23]))
            ports = struct.unpack("!HH", frame[begin:begin + 4]) if protocol in ("tcp", "udp") else (0, 0)
            key = (protocol, min(ports))
            self.seen[key] = self.seen.get(key, 0) + 1

    def close(self):
        self._stop.set()
        self._thread.join()
        self._socket.close()
        return self.seen
