"""Many runs of one regime as one: figures' means and ranges, quantities run by run. One run is in memory at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.pages.digest import ADDED, COLUMNS, EXAMPLE, Digest, digest

LOW, HIGH = 10.0, 90.0  # percentiles of runs between which ranges lie
KEYS: Final = COLUMNS[:-1]
SHAPE: Final = [*COLUMNS, "low", "high", "runs"]
Key = tuple[str, str, str, float]


@dataclass
class Gathered:
    """What runs of one regime have in common; the first of them stands as example where a mean means nothing.

    Attributes
    ----------
    table : one row a figure, region, series and time: mean over runs, 10th and 90th percentile, how many runs
    values : by quantity and region, one number a run
    facts : what the facts' checks found, run by run
    """

    label: str
    runs: list[str] = field(default_factory=list)
    table: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SHAPE))
    values: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    facts: list[list[float | str]] = field(default_factory=list)

    def of(self, figure: str) -> pd.DataFrame:
        """Rows of one figure."""
        return self.table[self.table["figure"] == figure]

    @property
    def regions(self) -> list[str]:
        """Regions, without the world."""
        return [region for region in ("us", "china") if (self.table["region"] == region).any()]


class Pile:
    """Numbers by key, a list of runs' values each."""

    def __init__(self) -> None:
        self.numbers: dict[Key, list[float]] = {}
        self.example: pd.DataFrame | None = None
        self.runs = 0

    def add(self, found: Digest) -> None:
        """One more run."""
        example = found.table["figure"].isin(EXAMPLE)
        if self.example is None:
            self.example = found.table[example]
        for *key, value in found.table[~example].itertuples(index=False):
            figure, region, series, at = key
            self.numbers.setdefault((figure, region, series, -1.0 if np.isnan(at) else at), []).append(value)
        self.runs += 1

    def table(self) -> pd.DataFrame:
        """Means and ranges; where a figure adds up, a run without a number counts as nought."""
        rows: list[list[Any]] = []
        for (figure, region, series, at), numbers in self.numbers.items():
            values = np.array(numbers + [0.0] * (self.runs - len(numbers)) * (figure in ADDED))
            low, high = np.percentile(values, (LOW, HIGH))
            rows.append([figure, region, series, np.nan if at < 0.0 else at, values.mean(), low, high, len(values)])
        means = pd.DataFrame(rows, columns=SHAPE)
        if self.example is None or self.example.empty:
            return means
        alone = self.example.assign(low=np.nan, high=np.nan, runs=1)
        return pd.concat([means, alone[SHAPE]], ignore_index=True)


def gather(label: str, folders: Iterable[Path], said: Any = None) -> Gathered:
    """Digest runs one after another.

    Parameters
    ----------
    said : called with the number of runs digested, after each
    """
    found, pile, values = Gathered(label), Pile(), []
    for folder in folders:
        one = digest(folder)
        pile.add(one)
        found.runs.append(folder.name)
        values.append(one.values)
        found.facts.append(one.facts)
        if said is not None:
            said(len(found.runs))
    keys = dict.fromkeys(key for each in values for key in each)
    found.values = {key: np.array([each.get(key, np.nan) for each in values]) for key in keys}
    found.table = pile.table()
    return found
