"""Records as a data frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


def frame(records: Iterable[dict[str, Any]]) -> pandas.DataFrame:
    """A row for each record, a column for each number of it: "env_steps", "statistics.entropy",
    "episodes.episode_return". ImportError without pandas (pip install 'troupe[report]')."""
    import pandas

    return pandas.json_normalize(list(records))
