"""Every series there is, with its labels: those that docs/metrics.md tells of, and what the rules record."""

import pathlib
import re

import yaml
from promql import SCRAPED, Query

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RULES = SOURCE / "deploy" / "prometheus" / "rules"

_ROW = re.compile(r"\| (?P<names>`(?:troupe|process)_[^|]*) \|(?P<labels>[^|]*)\|(?P<meaning>.*)\|")


def exposed():
    """Series → labels, from the tables of docs/metrics.md; histograms' parts included."""
    found = {"up": SCRAPED}
    for row in _ROW.finditer((SOURCE / "docs" / "metrics.md").read_text(encoding="utf-8")):
        labels = SCRAPED | set(re.findall(r"`(\w+)`", row["labels"]))
        names = re.findall(r"`(\w+)`", row["names"])
        for prefix in re.findall(r"`(\w+_)\*`", row["names"]):
            names += [prefix + name for name in re.findall(r"\w+", row["meaning"].partition(":")[2])]
        for name in names:
            found[name] = labels
            if "histogram" in row["meaning"]:
                found |= {name + "_bucket": labels | {"le"}, name + "_sum": labels, name + "_count": labels}
    return found


def rules():
    """(kind "record" or "alert", name, expression, labels the rule sets) of every rule."""
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                kind = "record" if "record" in rule else "alert"
                yield kind, rule[kind], rule["expr"], set(rule.get("labels", {}))


def known_series():
    """exposed(), the recorded series and ALERTS. Rules may read one another, and themselves."""
    base = exposed()
    found = {**base, **{name: frozenset() for kind, name, _, _ in rules() if kind == "record"}}
    while True:
        after = {name: set() for name in found if name not in base} | {"ALERTS": {"alertname", "alertstate"}}
        for kind, name, expression, labels in rules():
            after["ALERTS" if kind == "alert" else name] |= Query(expression, found).labels | labels
        after = {**base, **{name: frozenset(labels) for name, labels in after.items()}}
        if after == found:
            return found
        found = after
