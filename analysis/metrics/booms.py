"""What follows booms: how often a bust, and how deep one goes. A bust is a fall of capital spending (sim/summary.py)."""

from typing import Final, Literal

import numpy as np
import pandas as pd

from analysis.metrics.cycles import AFTER
from analysis.metrics.levels import fixed_vintage_rent
from analysis.metrics.named import Months, Region, series
from analysis.metrics.pooled import Pooled, share
from analysis.metrics.runs import NoValue, Run
from sim.units import MONTHS

Failures = Literal["operator_failures", "defaults"]
YEARS: Final = 36  # months over which growth is judged, and within which a bust must begin
HOT_CREDIT: Final = 0.8  # quantile of three years' growth of debt: the top fifth
HOT_PRICES: Final = 2.0 / 3.0  # quantile of three years' growth of what units are worth: the top third


def red_zone(run: Run, region: str) -> pd.Series:
    """Whether credit and asset prices both grew much over three years, by this run's own quantiles; growth must be known."""
    grown = [series(run, f"log {name}", region).diff(YEARS) for name in ("debt", "unit_value")]
    known = grown[0].notna() & grown[1].notna()
    if known.sum() < 2 * YEARS:
        raise NoValue("three years' growth is known in too few months")
    hot = [g >= g[known].quantile(at) for g, at in zip(grown, (HOT_CREDIT, HOT_PRICES), strict=True)]
    return (hot[0] & hot[1])[known]


def bust_follows(run: Run, region: str, months: pd.PeriodIndex) -> np.ndarray:
    """Whether a bust begins within three years after each of some months."""
    peaks = np.array([bust.peak.ordinal for bust in run.busts(region)])
    wait = peaks[None, :] - np.array([at.ordinal for at in months])[:, None]
    return ((wait > 0) & (wait <= YEARS)).any(axis=1)


def judged(run: Run, region: str) -> tuple[np.ndarray, np.ndarray]:
    """Of months after which three years are recorded: whether in the red zone, whether a bust follows."""
    hot = red_zone(run, region)
    hot = hot[hot.index + YEARS <= run.series("capex", region).index[-1]]
    return hot.to_numpy(), bust_follows(run, region, pd.PeriodIndex(hot.index))


def bust_chance(run: Run, red: bool = True, region: Region = "us") -> Pooled:
    """Share of months in the red zone, or outside it, after which a bust begins within three years."""
    hot, bust = judged(run, region)
    chosen = hot if red else ~hot
    return share(float((chosen & bust).sum()), float(chosen.sum()), why="no month is in the red zone")


def bust_odds(run: Run, region: Region = "us") -> Pooled:
    """That share in the red zone over the share outside."""
    hot, bust = judged(run, region)
    (hits, red), (others, calm) = ((float((zone & bust).sum()), float(zone.sum())) for zone in (hot, ~hot))
    return share(hits, red, others, calm, why="no month is in the red zone, or no bust begins outside it")


def booms(run: Run, above: float, region: str) -> list[pd.Period]:
    """Months in which booms are first seen: three years' growth of spending exceeds the run's mean by ``above``, in logs.

    The next can only be seen when growth has been below the mean again.
    """
    capex = series(run, "capex", region).rolling(6).mean()
    grown = np.log(capex.clip(lower=1.0)).diff(YEARS).dropna()
    found, inside = [], False
    for at, extra in (grown - grown.mean()).items():
        if extra > above and not inside:
            found.append(at)
        inside = extra > above or (inside and extra > 0.0)
    return found


def boom_busts(run: Run, above: float = 0.4, region: Region = "us") -> Pooled:
    """Share of booms after which a bust begins within three years; those near the end of the run are left out."""
    last = run.series("capex", region).index[-1]
    seen = pd.PeriodIndex([at for at in booms(run, above, region) if at + YEARS <= last], freq="M")
    hits = float(bust_follows(run, region, seen).sum()) if len(seen) else 0.0
    return share(hits, float(len(seen)), why="no boom")


def price_fall(run: Run, months: Months = 24, region: Region = "us") -> float:
    """Largest change of a fixed vintage's rent over ``months`` months that end in the deepest bust, share."""
    rent, bust = np.log(fixed_vintage_rent(run, region)), run.bust(region)
    falls = rent.diff(months)[bust.peak : bust.trough + AFTER].dropna()
    if falls.empty:
        raise NoValue("the bust comes too early in the run")
    return float(np.expm1(falls.min()))


def failure_multiple(run: Run, kind: Failures = "operator_failures", region: Region = "us") -> Pooled:
    """Failures a month from the peak of the deepest bust to a year after its trough, over those of the three years before it."""
    bust, failed = run.bust(region), series(run, kind, region)
    during = failed[bust.peak : bust.trough + AFTER]
    before = failed[bust.peak - 3 * MONTHS : bust.peak - 1]
    counts = float(during.sum()), float(len(during)), float(before.sum()), float(len(before))
    return share(*counts, why="nobody failed in the years before the bust")
