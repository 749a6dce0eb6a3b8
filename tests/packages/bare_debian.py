"""A bare Debian 12 with systemd as its first process, in namespaces of its own: a machine for packages to be installed
on. Needs root, debootstrap and util-linux; the packages come from where apt has them."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

# In namespaces of its own; what is mounted here goes with them. systemd wants its hierarchy of control groups, and
# nothing else of the host's.
BOOT = r"""set -eu
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
if [ -d /sys/fs/cgroup/systemd ]; then
  mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
else
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
fi
hostname bare
# Its file system is the root of these namespaces (who has merely changed its root may make no namespaces of users), and
# what is mounted in one of its own is seen by the others: services get their credentials so.
cd "$root"
pivot_root . mnt
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . sh -c '
  umount -l /mnt && mount --make-rshared / && exec /lib/systemd/systemd'
"""


def what_is_missing():
    """A word on why there can be no such machine here; empty: there can."""
    if os.geteuid() != 0:
        return "only root may make namespaces"
    for program in ("debootstrap", "unshare", "nsenter"):
        if not shutil.which(program):
            return f"no {program}"
    return ""


def wait_for(what, found, seconds=600):
    """Until it is true, and returns it."""
    until = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.5)
    return value


class BareDebian:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="troupe-bare-debian-"))
        self.root.chmod(0o755)  # it becomes "/" of users who are not root
        self.boot_process = self.init = None
        self.cgroups = []

    def make(self):
        command = ["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", "bookworm", self.root]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=1800)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        # debootstrap leaves what an installer writes.
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        (self.root / "etc/hostname").write_text("bare\n")

    def before_boot(self, *words, timeout=1800):
        """Runs a command in it as a person would who sets the machine up."""
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                   'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', self.root, *words]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def boot(self):
        self._make_cgroups()
        enter = ('for group in $2; do echo $$ > "$group/cgroup.procs"; done; exec unshare --mount --pid --fork --uts '
                 '--ipc --net --cgroup --kill-child sh -c "$0" boot "$1"')
        command = ["sh", "-c", enter, BOOT, self.root, " ".join(self.cgroups)]
        self.boot_process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL)
        self.init = wait_for("the first process", self._find_init)
        wait_for("systemd to be up", lambda: self.run("systemctl", "is-system-running", check=False).strip() in
                 ("running", "degraded"))
        self.run("systemctl", "start", "dbus")

    def _make_cgroups(self):
        """One of its own in every hierarchy, below where this process is: systemd takes what it finds for its own."""
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            places = ([f"/sys/fs/cgroup/{controllers.removeprefix('name=')}"] if controllers else
                      ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"])
            group = pathlib.Path(f"{next(filter(os.path.isdir, places))}{path}") / f"troupe-bare-{os.getpid()}"
            if controllers == "cpuset" or not (group.parent / "cgroup.procs").exists():
                continue  # a new one there has no processors yet; or no hierarchy at all
            group.mkdir()
            self.cgroups.append(str(group))

    def _remove_cgroups(self):
        for group in map(pathlib.Path, self.cgroups):
            for folder in sorted(group.glob("**/"), key=lambda path: -len(path.parts)):
                try:
                    folder.rmdir()
                except OSError:
                    return False
        return True

    def _find_init(self):
        assert self.boot_process.poll() is None, "it did not boot"
        try:
            children = pathlib.Path(f"/proc/{self.boot_process.pid}/task/{self.boot_process.pid}/children").read_text()
            child = children.split()[0]
            return child if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n" else None
        except (OSError, IndexError):
            return None

    def inside(self, *words):
        """The command line that runs a command in the machine that is up."""
        return ["nsenter", f"--target={self.init}", "--all", f"--root=/proc/{self.init}/root", "--wd=/", "env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", *map(str, words)]

    def in_its_network(self, *words):
        """The command line that runs a command of this machine's files in the other's network."""
        return ["nsenter", f"--target={self.init}", "--net", *map(str, words)]

    def run(self, *words, check=True, timeout=300):
        done = subprocess.run(self.inside(*words), capture_output=True, text=True, timeout=timeout)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def end(self):
        if self.boot_process is not None:
            if self.init is not None:
                os.kill(int(self.init), signal.SIGKILL)  # the first process: all others of it end as well
            self.boot_process.kill()
            self.boot_process.wait(timeout=60)
        shutil.rmtree(self.root, ignore_errors=True)
        # Its processes leave their groups a moment after they have ended.
        wait_for("its control groups to be empty", self._remove_cgroups, seconds=120)
