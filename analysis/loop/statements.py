"""What is claimed, the number it rests on, and the word."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.intervals import Claim, Interval, Word

UNTOLD = "not run at the stored budget"


@dataclass(frozen=True)
class Statement:
    """One line of the page.

    Attributes
    ----------
    id, part, says : short name, section, the claim
    word : of the claim; empty for a number that is only reported
    estimate, low, high, unit : None where nothing was run
    seeds : blocks the interval was drawn from
    note : what the reader must know beside it
    """

    id: str
    part: str
    says: str
    word: Word | str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = "1"
    seeds: int = 0
    note: str = ""

    @property
    def number(self) -> str:
        """Estimate and interval as read."""
        if self.estimate is None:
            return "-"
        interval = "" if self.low is None else f" ({self.low:.3g} to {self.high:.3g})"
        return f"{self.estimate:.3g}{interval}{'' if self.unit == '1' else f' {self.unit}'}"


def untold(name: str, part: str, says: str, why: str = UNTOLD) -> Statement:
    """A claim about which nothing is stored, or too little."""
    return Statement(name, part, says, "cannot tell", note=why)


def told(
    name: str,
    part: str,
    says: str,
    interval: Interval,
    claim: Claim | None,
    unit: str = "1",
    note: str = "",
    word: Word | None = None,
) -> Statement:
    """A number with its interval, and the word of a claim about it; without a claim it is reported."""
    found = word or ("" if claim is None else claim.word(interval))
    middle, low, high = (float(np.squeeze(value)) for value in (interval.estimate, interval.low, interval.high))
    return Statement(name, part, says, found, middle, low, high, unit, interval.seeds, note)


def frame(statements: list[Statement]) -> pd.DataFrame:
    """One row a statement."""
    rows: list[dict[str, Any]] = [vars(one) for one in statements]
    return pd.DataFrame(rows)
