"""How much a series swings at the periods of a cycle, and how much more when an arrow is live."""

from typing import Final, cast

import numpy as np
from statsmodels.tsa.filters.cf_filter import cffilter

from analysis.statistics.intervals import LEVEL, Interval, ratio

SHORTEST: Final = 36  # months
LONGEST: Final = 120  # months


def cycle(series: np.ndarray, shortest: int = SHORTEST, longest: int = LONGEST) -> np.ndarray:
    """What of each series has periods in the band: (rows, months) to the same, in its unit.

    Christiano and Fitzgerald (2003, International Economic Review 44; ``statsmodels``), all months, a line through both ends taken
    out; best for a random walk, near best for what economies do. A tenth of shorter swings comes through at the ends.

    Raises
    ------
    ValueError
        for series shorter than the longest period
    """
    series = np.atleast_2d(np.asarray(series, dtype=np.float64))
    months = series.shape[-1]
    if months < longest:
        raise ValueError(f"{months} months cannot hold a cycle of {longest}. Run for longer, or narrow the band.")
    found, _ = cffilter(series.T, low=shortest, high=longest, drift=True)
    return cast(np.ndarray, np.asarray(found).reshape(months, -1).T)


def swing(series: np.ndarray, shortest: int = SHORTEST, longest: int = LONGEST) -> np.ndarray:
    """Standard deviation of each series in the band: (rows, months) to (rows,), in its unit."""
    return cast(np.ndarray, cycle(series, shortest, longest).std(axis=-1))


def amplification(
    live: np.ndarray, cut: np.ndarray, shortest: int = SHORTEST, longest: int = LONGEST, level: float = LEVEL, family: int = 1
) -> Interval:
    """A: swing of the logs of a positive series, live over cut; the geometric mean over paired seeds.

    A above 1 says that what was cut made the series swing more. It does not say that there is a loop: an arrow that only
    passes swings on, without a way back, has A above 1 too. Only the gain tells the two apart.

    Parameters
    ----------
    live, cut : (seeds, months), positive, the same seed in the same row

    Raises
    ------
    ValueError
        for a value that is not positive, a series too short, or one without any swing; and as ``bootstrap``
    """
    least = min(np.min(live), np.min(cut))
    if not least > 0.0:
        raise ValueError(f"logs need positive values; the least is {least:g}.")
    return ratio(swing(np.log(live), shortest, longest), swing(np.log(cut), shortest, longest), level, family)
