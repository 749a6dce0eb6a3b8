"""A header's guard is its path: TROUPE_COMMON_BASE_HALF_H_ of common/base/half.h."""

import re

from tree import Finding


def guard_of(path):
    return "TROUPE_" + re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"


def check(tree):
    for path in tree.with_suffix(".h"):
        guard = guard_of(path)
        lines = tree.lines(path)
        code = [number for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("//")]
        if not code:
            yield Finding(path, 1, f"no header guard; it is called {guard}")
            continue
        last = max(number for number, line in enumerate(lines, 1) if line.strip())
        wanted = [(code[0], f"#ifndef {guard}"), (code[0] + 1, f"#define {guard}"), (last, f"#endif  // {guard}")]
        for number, line in wanted:
            if number > len(lines) or lines[number - 1] != line:
                yield Finding(path, number, f"`{line}` belongs here")
                break
