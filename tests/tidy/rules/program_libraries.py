"""actor_worker and learner link no LibTorch, oneDNN or OpenMP: one is small, the other starts at once."""

import re
import shutil
import subprocess

from tree import Finding, Skipped

_PROGRAMS = ("actor_worker", "learner")
_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")
_FORBIDDEN = re.compile(r"lib(torch|c10|dnnl|mkldnn|gomp|omp|iomp|cud|nccl)")


def check(tree):
    if shutil.which("readelf") is None:
        raise Skipped("readelf is not installed")
    built = [tree.programs / name for name in _PROGRAMS if (tree.programs / name).exists()]
    if not built:
        raise Skipped(f"{' and '.join(_PROGRAMS)} are not built in {tree.programs}")
    for program in built:
        told = subprocess.run(["readelf", "-dW", program], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
        libraries = _NEEDED.findall(told.stdout)
        if not libraries:
            yield Finding(program, 1, "readelf names no library at all: not a dynamic program?")
        for library in filter(_FORBIDDEN.match, libraries):
            yield Finding(program, 1, f"links {library}")
