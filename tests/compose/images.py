"""Images for the cluster's test, under names of their own; every one made is in `made`, to be removed.

The final images are the ones of deploy/docker/Dockerfile. With binaries at hand the stages that would compile them are
left out and an image filled by deploy/docker/collect.sh stands in for them (build argument COMPILED), which is honest
only where the binaries were built on the base image's own Debian release.
"""
import os
import re
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCKERFILE = os.path.join(ROOT, "deploy/docker/Dockerfile")
TARGETS = ("certificates", "gateway", "actor_worker", "learner")


class Skip(Exception):
    """What the test needs is not on this machine."""


def run(command, timeout_seconds=120, **options):
    """Runs a command quietly; its output is in the error when it fails."""
    options.setdefault("stdout", subprocess.PIPE)
    done = subprocess.run(command, stderr=subprocess.STDOUT, timeout=timeout_seconds, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} → {done.returncode}\n{(done.stdout or '')[-4000:]}")
    return done.stdout


def there(image):
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0


def can_pull(image):
    try:
        pull = ["docker", "pull", "-q", image]
        return there(image) or subprocess.run(pull, capture_output=True, timeout=180).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def release_of_this_machine():
    with open("/etc/os-release", encoding="utf-8") as file:
        fields = dict(line.strip().split("=", 1) for line in file if "=" in line)
    if fields.get("ID") != "debian":
        raise Skip(f"binaries of this machine ({fields.get('PRETTY_NAME')}) would not run on Debian; try --from_source")
    return fields["VERSION_CODENAME"]


def apt_mirror():
    """The archive that apt is set to use here, as debootstrap's argument; none where apt names none: it has its own."""
    policy = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
    for uri in policy.split():
        if re.search(r"/debian/?$", uri):
            return [uri]
    return []


class Images:
    def __init__(self, prefix):
        self.prefix = prefix
        self.made = []
        self.base = None
        # A proxy's authority and mirrors come from the environment, as for docker-compose.yml.
        self.arguments = [name for name in ("DEBIAN_MIRROR", "PIP_INDEX_URL", "CA_CERTIFICATE") if os.environ.get(name)]

    def name(self, what):
        return f"{self.prefix}_{what}:test"

    def build(self, what, command, **options):
        run(["docker", "build", "-q", "-t", self.name(what)] + command, timeout_seconds=7200, **options)
        self.made.append(self.name(what))

    def find_base(self, release):
        """$BASE_IMAGE, else debian:RELEASE-slim, or the same made with debootstrap."""
        wanted = os.environ.get("BASE_IMAGE")
        self.base = wanted or f"debian:{release}-slim"
        if can_pull(self.base):
            return
        if wanted:
            raise Skip(f"no {wanted}, which BASE_IMAGE asks for")
        if shutil.which("debootstrap") is None or os.geteuid() != 0:
            raise Skip(f"no {self.base}, and no debootstrap (as root) to make one")
        with tempfile.TemporaryDirectory() as folder:
            run(["debootstrap", "--variant=minbase", release, folder + "/root"] + apt_mirror(), timeout_seconds=1200)
            tar = subprocess.Popen(["tar", "-C", folder + "/root", "-c", "."], stdout=subprocess.PIPE)
            self.base = self.name("base")
            run(["docker", "import", "-", self.base], timeout_seconds=600, stdin=tar.stdout)
            if tar.wait() != 0:
                raise RuntimeError("tar of the base image failed")
        self.made.append(self.base)

    def make_cluster(self, binaries, sumo):
        """The images of the cluster; from source when `binaries` is None."""
        arguments = ["--build-arg", f"BASE_IMAGE={self.base}"] + (["--build-arg", "SUMO=yes"] if sumo else [])
        for name in self.arguments:
            arguments += ["--build-arg", name]
        if binaries is None:
            for target in TARGETS:
                self.build(target, arguments + ["--target", target, "-f", DOCKERFILE, ROOT])
            return
        self.import_compiled(binaries, sumo)
        arguments += ["--build-arg", f"COMPILED={self.name('compiled')}"]
        with open(DOCKERFILE, encoding="utf-8") as file, tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as used:
            used.write(file.read() if buildkit() else without_compiling(file.read()))
            used.flush()
            for target in TARGETS:
                self.build(target, arguments + ["--target", target, "-f", used.name, ROOT])

    def import_compiled(self, binaries, sumo):
        if sumo and not os.path.exists(os.path.join(ROOT, ".deps/sumo/site/sumo/bin/sumo")):
            raise Skip("no SUMO in .deps: deploy/setup.sh --sumo")
        with tempfile.TemporaryDirectory() as folder:
            worker = ("worker", "actor_worker", ["sumo"] if sumo else [])
            for image, program, more in (worker, ("learner", "learner", [])):
                collect = [os.path.join(ROOT, "deploy/docker/collect.sh"), f"{folder}/image/{image}"]
                run(collect + [os.path.join(binaries, program)] + more, timeout_seconds=600, cwd=ROOT)
            tar = subprocess.Popen(["tar", "-C", folder, "-c", "image"], stdout=subprocess.PIPE)
            run(["docker", "import", "-", self.name("compiled")], timeout_seconds=600, stdin=tar.stdout)
            if tar.wait() != 0:
                raise RuntimeError("tar of the compiled programs failed")
        self.made.append(self.name("compiled"))

    def find_prometheus(self):
        """The image compose would use, or Debian's Prometheus on the base image."""
        wanted = os.environ.get("TROUPE_PROMETHEUS_IMAGE", "prom/prometheus:v2.55.1")
        if can_pull(wanted):
            return wanted
        with open(os.path.join(ROOT, "tests/compose/prometheus.Dockerfile"), encoding="utf-8") as file:
            self.build("prometheus", ["--build-arg", f"BASE_IMAGE={self.base}", "-"], stdin=file)
        return self.name("prometheus")

    def remove(self):
        if self.made:
            subprocess.run(["docker", "rmi", "-f"] + self.made[::-1], capture_output=True)


def buildkit():
    """Whether the environment asks for BuildKit; Docker may use it unasked, too."""
    return os.environ.get("DOCKER_BUILDKIT") == "1"


def without_compiling(text):
    """The Dockerfile without the stages that COMPILED stands in for. BuildKit skips them by itself."""
    kept, keep = [], True
    for line in text.splitlines(keepends=True):
        if line.startswith("FROM "):
            keep = re.search(r" AS (packages|compile_)", line) is None
        if keep:
            kept.append(line)
    return "".join(kept)
