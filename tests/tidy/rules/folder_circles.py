"""No folder of common/, actor_worker/ or learner/ reaches itself by way of #include lines."""

import collections

from tree import Finding, folder_of

_ROOTS = ("common/", "actor_worker/", "learner/")


def _way(arrows, start, end):
    """The shortest list of folders from start to end, both included; None without one."""
    came_from, queue = {start: None}, collections.deque([start])
    while queue:
        folder = queue.popleft()
        if folder == end:
            way = []
            while folder is not None:
                way.append(folder)
                folder = came_from[folder]
            return way[::-1]
        for after in sorted(arrows[folder]):
            if after not in came_from:
                came_from[after] = folder
                queue.append(after)
    return None


def check(tree):
    arrows, lines = collections.defaultdict(set), []
    for path in tree.with_suffix(".h", ".cc", under=_ROOTS):
        for include in tree.own_includes(path):
            here, there = folder_of(path), folder_of(include.target)
            if here != there and include.target.startswith(_ROOTS):
                arrows[here].add(there)
                lines.append((path, include, here, there))
    for path, include, here, there in lines:
        back = _way(arrows, there, here)
        if back:
            yield Finding(path, include.line, f'"{include.target}" closes a circle: {" → ".join([here] + back)}')
