"""A cluster under a project name of its own: Compose, its containers, and the Prometheus in it."""
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from images import ROOT, run

SERVICES = ["certificates", "learner", "gateway", "actor_worker", "prometheus"]


def compose_command(v1=False):
    """Compose v2, else v1, else None; v1 or None when it is asked for."""
    if not v1 and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    def __init__(self, command, project, images, prometheus_image, variables):
        self.command = command
        self.project = project
        self.port = free_port()
        self.environment = dict(
            os.environ, COMPOSE_PROJECT_NAME=project, TROUPE_PROMETHEUS_PORT=str(self.port),
            TROUPE_CERTIFICATES_IMAGE=images.name("certificates"), TROUPE_LEARNER_IMAGE=images.name("learner"),
            TROUPE_WORKER_IMAGE=images.name("actor_worker"), TROUPE_GATEWAY_IMAGE=images.name("gateway"),
            TROUPE_PROMETHEUS_IMAGE=prometheus_image, **variables)
        self.environment.pop("COMPOSE_FILE", None)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *words, timeout_seconds=300):
        return run(self.command + list(words), timeout_seconds, env=self.environment, cwd=ROOT)

    def up(self, workers):
        self.compose("up", "-d", "--no-build", "--scale", f"actor_worker={workers}", *SERVICES)

    def down(self):
        subprocess.run(self.command + ["down", "-v", "-t", "2"], env=self.environment, cwd=ROOT, capture_output=True,
                       timeout=300)

    def containers(self, service, *options):
        """Ids of the service's running containers; with -a, of all."""
        return run(["docker", "ps", "-q", *options, "--filter", f"label=com.docker.compose.project={self.project}",
                    "--filter", f"label=com.docker.compose.service={service}"]).split()

    def kill_program(self, container, program):
        """SIGKILL to the program itself: `docker kill` would tell the engine not to restart it."""
        subprocess.run(["docker", "exec", container, "sh", "-c", f"kill -KILL $(pidof {program})"], capture_output=True)

    def restarts(self, container):
        return int(run(["docker", "inspect", "-f", "{{.RestartCount}}", container]))

    def memory_limit(self, container):
        """In bytes; 0 without one."""
        return int(run(["docker", "inspect", "-f", "{{.HostConfig.Memory}}", container]))

    def disconnect(self, container):
        run(["docker", "network", "disconnect", f"{self.project}_training", container])

    def connect(self, container, service):
        run(["docker", "network", "connect", "--alias", service, f"{self.project}_training", container])

    def logs(self, service, tail=1000):
        return self.compose("logs", "--no-color", f"--tail={tail}", service)

    def query(self, expression, label="instance"):
        """The values of an instant query, by one of their labels."""
        rows = self.ask("query", query=expression)
        return {row["metric"].get(label, ""): float(row["value"][1]) for row in rows}

    def value(self, expression, default=0.0):
        """The one value of an instant query; `default` when there is none."""
        try:
            return next(iter(self.query(expression).values()), default)
        except OSError:
            return default

    def series(self, expression, start, end, step_seconds):
        rows = self.ask("query_range", query=expression, start=start, end=end, step=step_seconds)
        return [(float(at), float(value)) for row in rows for at, value in row["values"]]

    def ask(self, what, **arguments):
        url = f"{self.url}/api/v1/{what}?" + urllib.parse.urlencode(arguments)
        with urllib.request.urlopen(url, timeout=20) as reply:
            return json.load(reply)["data"]["result"]


def wait_for(what, condition, timeout_seconds=120):
    """Asks `condition` until it gives something true, which is returned."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s: {what}")
        time.sleep(1)
