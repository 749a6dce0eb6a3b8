#!/usr/bin/env python3
"""Writes deploy/grafana/dashboards/*.json.

  pip install -r deploy/grafana/requirements.txt
  deploy/grafana/generate_dashboards.py [--check]

--check: writes nothing; exit status 1 when a file is not what would be written.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: E402

from generator import environment, learner, overview, workers  # noqa: E402


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    different = []
    for name, module in (
        ("overview", overview),
        ("learner", learner),
        ("workers", workers),
        ("environment", environment),
    ):
        made = json.loads(json.dumps(module.make().build(), cls=JSONEncoder))
        for number, panel in enumerate(made["panels"], start=1):
            panel["id"] = number
        text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        path = HERE / "dashboards" / f"{name}.json"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        different.append(path.name)
        if not check:
            path.write_text(text, encoding="utf-8")
    print(f"dashboards that {'differ' if check else 'were written'}: {', '.join(different) or 'none'}")
    return 1 if check and different else 0


if __name__ == "__main__":
    sys.exit(main())
