"""Paired differences of quantities between two regimes, with intervals and a word of how sure they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.decisions.quantities import Quantity
from analysis.statistics.intervals import LEVEL, Claim, Interval, TooFewSeeds, bootstrap, fewest_seeds, mean
from analysis.statistics.power import seeds_needed, spread

SURE: Final = "sure"
VERY_SURE: Final = "very sure"
SMALL: Final = "too small to matter"
ZERO: Final = "no difference"
UNSURE: Final = "cannot tell"
FEW: Final = "too few seeds"
NONE: Final = "not measured"
WORDS: Final = {
    VERY_SURE: "the interval misses zero even at the level at which all intervals of the page would hold at once",
    SURE: "the interval of 95 % misses zero; of twenty such intervals, one misses zero by chance alone",
    SMALL: "the whole interval is closer to zero than what would matter to a decision",
    ZERO: "every pair of seeds agrees to the last bit",
    UNSURE: "the interval holds zero and more than what would matter",
    FEW: f"an interval of 95 % needs {fewest_seeds(LEVEL)} pairs of seeds",
    NONE: "no seed has the number in both scenarios",
}
MOST_SEEDS: Final = 1000  # beyond which no number of seeds is named


@dataclass(frozen=True)
class Difference:
    """One quantity in one region: means of both regimes, their paired difference, bounds, and how sure it is."""

    quantity: str
    region: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    pairs: int
    word: str
    needed: int | None = None

    @property
    def certain(self) -> bool:
        """Whether there is a difference to speak of."""
        return self.word in (SURE, VERY_SURE)

    @property
    def relative(self) -> float:
        """Of the first regime's mean; NaN where that is zero."""
        return self.difference / abs(self.first) if self.first else np.nan


def difference(quantity: Quantity, region: str, first: np.ndarray, second: np.ndarray, family: int) -> Difference:
    """Compare (seeds,) values of two regimes; pairs of which one has no value are left out.

    Parameters
    ----------
    family : how many intervals the page has
    """
    known = np.isfinite(first) & np.isfinite(second)
    one, other = first[known], second[known]
    if not len(one):
        return Difference(quantity.id, region, np.nan, np.nan, np.nan, np.nan, np.nan, 0, NONE)
    gaps = other - one
    level, enough = float(one.mean()), quantity.enough(float(one.mean()))
    base = (quantity.id, region, level, float(other.mean()), float(gaps.mean()))
    if not gaps.any():
        return Difference(*base, 0.0, 0.0, len(gaps), ZERO)
    found = interval(gaps)
    if found is None:
        return Difference(*base, np.nan, np.nan, len(gaps), FEW)
    word = judge(found, gaps, enough, family)
    needed = to_tell(gaps, enough) if word == UNSURE else None
    return Difference(*base, float(found.low), float(found.high), len(gaps), word, needed)


def interval(gaps: np.ndarray, family: int = 1) -> Interval | None:
    """Of the mean of (seeds,) differences; None where seeds are too few for the level."""
    try:
        return bootstrap(mean, gaps[:, None], family=family).at(0)
    except TooFewSeeds:
        return None


def judge(found: Interval, gaps: np.ndarray, enough: float, family: int) -> str:
    """The word for an interval."""
    if enough > 0.0 and Claim("within", enough).word(found) == "holds":
        return SMALL
    if not misses_zero(found):
        return UNSURE
    wide = interval(gaps, family)
    return VERY_SURE if wide is not None and misses_zero(wide) else SURE


def misses_zero(found: Interval) -> bool:
    """Whether an interval lies on one side of zero."""
    return bool(found.low > 0.0 or found.high < 0.0)


def to_tell(gaps: np.ndarray, enough: float) -> int | None:
    """Seeds that would show what matters, in four of five experiments."""
    if enough <= 0.0:
        return None
    needed = seeds_needed(enough, spread(gaps))
    return needed if len(gaps) < needed <= MOST_SEEDS else None


def differences(
    quantities: Sequence[Quantity],
    regions: Sequence[str],
    first: Mapping[tuple[str, str], np.ndarray],
    second: Mapping[tuple[str, str], np.ndarray],
) -> list[Difference]:
    """Every quantity in every region where it can be, in order."""
    places = [(q, r) for q in quantities if not q.missing for r in regions if r in q.regions]
    return [difference(q, r, first[q.id, r], second[q.id, r], len(places)) for q, r in places]
