"""Shape of one monthly series: how it is spread, how long it lasts, at which period it swings most."""

from typing import Final

import numpy as np
from scipy import signal, stats

from analysis.metrics.named import Lag, Name, Region, series
from analysis.metrics.pooled import Pooled
from analysis.metrics.runs import NoValue, Run
from sim.units import MONTHS

CHANCE: Final = 0.05  # that a peak is seen where there is none
SHORTEST_RUN: Final = 120  # months in which periods are looked for


def changes(run: Run, column: Name, months: int, region: str) -> np.ndarray:
    """Changes over ``months``, (n,); 0: the levels themselves."""
    values = series(run, column, region)
    found = (values.diff(months) if months else values).dropna().to_numpy()
    if len(found) < MONTHS or found.std() < 1e-12:
        raise NoValue(f"{column} is known in {len(found)} months, or does not move")
    return found


def deviation(run: Run, column: Name, months: Lag = 0, region: Region = "us") -> float:
    """Standard deviation."""
    return float(changes(run, column, months, region).std(ddof=1))


def skewness(run: Run, column: Name, months: Lag = 0, region: Region = "us") -> float:
    """Third standardised moment."""
    return float(stats.skew(changes(run, column, months, region)))


def percentile(run: Run, column: Name, at: float, months: Lag = 0, region: Region = "us") -> float:
    """Value below which a share ``at`` of all months lies."""
    return float(np.quantile(changes(run, column, months, region), at))


def mean_level(run: Run, column: Name, months: Lag = 0, region: Region = "us") -> float:
    """Mean over the whole run."""
    return float(changes(run, column, months, region).mean())


def a_decade(run: Run, column: Name, region: Region = "us") -> float:
    """Sum of a count, 1/decade."""
    values = series(run, column, region)
    return float(values.sum() / len(values) * 10.0 * MONTHS)


def persistence(run: Run, column: Name, region: Region = "us") -> float:
    """Correlation of a month with the month before."""
    changes(run, column, 0, region)
    return float(series(run, column, region).autocorr(1))


def cycle(run: Run, column: Name, shortest: int, longest: int, unit: str = "", region: Region = "us") -> Pooled:
    """Period at which the log of a series swings most beyond red noise, month, or in units of a whole number of the configuration.

    The periodogram of the log, a line taken out, over the spectrum of a first-order autoregression of the same persistence; of the
    mean over seeds the largest value counts only if red noise exceeds it at one of the periods asked with a chance of 5 %.
    """
    values = series(run, f"log {column}", region).dropna().to_numpy()
    if len(values) < SHORTEST_RUN:
        raise NoValue(f"{len(values)} months, fewer than {SHORTEST_RUN}")
    flat = signal.detrend(values)
    pace, power = signal.periodogram(flat, detrend=False)
    memory = float(np.corrcoef(flat[1:], flat[:-1])[0, 1])
    red = 1.0 / (1.0 - 2.0 * memory * np.cos(2.0 * np.pi * pace) + memory**2)
    inside = (pace >= 1.0 / longest) & (pace <= 1.0 / shortest)
    over = (power / red / np.mean(power[1:] / red[1:]))[inside]
    divisor = float(configured(run, unit)) if unit else 1.0
    return Pooled(over, lambda mean, seeds: peak(mean, seeds, 1.0 / pace[inside]) / divisor, "no period stands out of red noise")


def peak(mean: np.ndarray, seeds: int, periods: np.ndarray) -> float:
    """The period with the largest mean power over red noise, if red noise hardly reaches it."""
    bound = stats.gamma.isf(CHANCE / len(mean), seeds, scale=1.0 / seeds)
    return float(periods[np.argmax(mean)]) if mean.max() > bound else np.nan


def configured(run: Run, key: str) -> float:
    """A number of the run's configuration, by its key."""
    found = run.params
    for part in key.split("."):
        if part not in found:
            raise NoValue(f"the configuration has no {key}")
        found = found[part]
    return float(found)  # type: ignore[arg-type]
