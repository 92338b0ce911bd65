"""What a number of seeds can show, before they are run."""

import math

import numpy as np
from statsmodels.stats.power import TTestPower

from analysis.statistics.intervals import LEVEL

POWER = 0.8  # chance of an interval without zero, when there is an effect


def spread(differences: np.ndarray) -> float:
    """Standard deviation over seeds of paired differences (seeds,), in their unit: from stored seeds, for those to come."""
    return float(np.std(differences, ddof=1))


def smallest_effect(spread: float, seeds: int, level: float = LEVEL, power: float = POWER) -> float:
    """Least mean difference whose interval misses zero with chance ``power``, in the unit of ``spread``.

    By the noncentral t of a paired, two-sided test (Cohen 1988; ``statsmodels.stats.power``). For a ratio, give
    the spread of logs and take ``exp``.

    Parameters
    ----------
    spread : standard deviation over seeds of paired differences
    seeds : 2 or more
    level : of the interval; with a family of m, 1 - (1 - level) / m

    Raises
    ------
    ValueError
        below two seeds
    """
    if seeds < 2:
        raise ValueError(f"{seeds} seeds have no spread. Give two or more.")
    if spread == 0.0:
        return 0.0
    return spread * float(TTestPower().solve_power(nobs=seeds, alpha=1.0 - level, power=power))


def seeds_needed(effect: float, spread: float, level: float = LEVEL, power: float = POWER) -> int:
    """Least number of seeds that shows ``effect`` with chance ``power``; both in one unit.

    Raises
    ------
    ValueError
        for an effect of zero, which no number shows
    """
    if effect == 0.0:
        raise ValueError("no number of seeds shows an effect of zero. Give the smallest effect that matters.")
    found = 2
    if smallest_effect(spread, found, level, power) > abs(effect):
        found = math.ceil(TTestPower().solve_power(effect_size=abs(effect) / spread, alpha=1.0 - level, power=power))
    return found
