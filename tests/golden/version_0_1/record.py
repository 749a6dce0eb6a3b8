#!/usr/bin/env python3
"""record.py BIN_FOLDER: what version 0.1 writes and sends, for the versions after it: a run's id, its checkpoint after
16 updates and its actors, and messages as they were on the wire (*.bin, protobuf). Recorded once, on 2026-12-01, and
not again: another version gets a folder of its own."""

import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))

from arena import Program, until  # noqa: E402
from proxy import TO_LEARNER, Proxy  # noqa: E402
from witness import Messages, fields  # noqa: E402


class Recorder:
    """The first message of every kind."""

    def __init__(self):
        self.readers, self.asked, self.found = {}, {}, {}

    def __call__(self, connection, direction, piece):
        reader = self.readers.setdefault((connection, direction), Messages())
        for stream, message in reader.read(piece, direction == TO_LEARNER):
            if direction == TO_LEARNER:
                self._asked(connection, stream, message)
            else:
                name = self.asked.get((connection, stream))
                if name is not None:
                    self.found.setdefault(name, message)

    def _asked(self, connection, stream, message):
        said = fields(message)
        if (connection, stream) in self.asked:
            if self.asked[connection, stream] == "learner_message" and 2 in said:
                self.found.setdefault("worker_message", message)  # with a chunk
            return
        kind = None
        if 6 in said:
            self.found.setdefault("register_request", message)
            kind = "register_response"
        elif isinstance(said.get(1), int):
            kind = "describe_run_response"
        elif isinstance(said.get(1), bytes):
            kind = "learner_message" if said[1][:1] == b"\n" else "weights"
        self.asked[connection, stream] = kind


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name, Proxy(watch := Recorder()) as proxy:
        folder = pathlib.Path(name)
        learner = Program([binaries / "learner", "train", f"--experiment={HERE / 'experiment.textproto'}",
                           f"--run_dir={folder / 'run'}", "--no_final_evaluation"], folder / "learner", {})
        until(lambda: "they connect to " in learner.printed(), learner.printed())
        proxy.target = int(learner.printed().split("they connect to ")[1].split()[0].split(":")[1])
        worker = Program([binaries / "actor_worker", f"--learner={proxy.address}"], folder / "worker", {})
        assert learner.wait("the run's end") == 0 and worker.wait("the worker's end") == 0
        for kept, name in (("run_id", "run_id"), ("checkpoints/000000000016.safetensors", "checkpoint.safetensors"),
                           ("actors/last.safetensors", "actors.safetensors")):
            shutil.copy(folder / "run" / kept, HERE / name)
        for kind, message in watch.found.items():
            (HERE / f"{kind}.bin").write_bytes(message)
        print({kind: len(message) for kind, message in watch.found.items()})


if __name__ == "__main__":
    main()
