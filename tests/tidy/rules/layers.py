"""common serves actor_worker and learner, which know nothing of each other; none of them knows the tests."""

from tree import SOURCE_FOLDERS, Finding

_MAY_INCLUDE = {
    "proto": ("proto",),
    "common": ("common", "proto"),
    "actor_worker": ("actor_worker", "common", "proto"),
    "learner": ("learner", "common", "proto"),
    "tests": SOURCE_FOLDERS,
}


def check(tree):
    for path in tree.sources():
        part = path.split("/")[0]
        for include in tree.own_includes(path):
            if include.target.split("/")[0] not in _MAY_INCLUDE[part]:
                allowed = ", ".join(_MAY_INCLUDE[part])
                yield Finding(path, include.line, f'{part} includes "{include.target}"; it may include {allowed}')
