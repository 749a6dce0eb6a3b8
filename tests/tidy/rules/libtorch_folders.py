"""LibTorch is included and named in these folders only, and each of them still needs it."""

import re

from tree import Finding, folder_of

ALLOWED = (
    "learner/arithmetic/autograd",
    "learner/arithmetic/cpu",
    "learner/arithmetic/gpu",
    "learner/arithmetic/networks",
    "learner/arithmetic/objectives",
    "learner/arithmetic/select",
    "learner/cuda",
    "learner/ranks",
    "learner/torch",
    "learner/torchscript",
    "tests/algorithms",
    "tests/benchmarks",
    "tests/gpu",
    "tests/parity",
    "tests/support",
)

_HEADERS = ("torch/", "ATen/", "c10/", "learner/torch/")
# Precompiled headers bring LibTorch's names to files that include nothing of it.
_NAMES = re.compile(r"(?<![\w:])(?:torch|at|c10)::")
_COMMENT = re.compile(r"//.*")


def check(tree, allowed=ALLOWED):
    needed = set()
    for path in tree.sources():
        folder = folder_of(path)
        found = [
            Finding(path, include.line, f"includes LibTorch ({include.target}) outside the folders of {_HERE}")
            for include in tree.includes(path)
            if include.target.startswith(_HEADERS)
        ]
        for number, line in enumerate(tree.lines(path), 1):
            named = _NAMES.search(_COMMENT.sub("", line))
            if named:
                found.append(Finding(path, number, f"names LibTorch ({named[0]}) outside the folders of {_HERE}"))
        if found and folder in allowed:
            needed.add(folder)
        elif found:
            yield from found
    for folder in sorted(set(allowed) - needed):
        number = tree.lines(_HERE).index(f'    "{folder}",') + 1 if _HERE in tree.files else 1
        yield Finding(_HERE, number, f"{folder} does without LibTorch: take it off the list")


_HERE = "tests/tidy/rules/libtorch_folders.py"
