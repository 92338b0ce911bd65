"""A run in a page of numbers: capital spending by year, its episodes, losses, spreads."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

FALL = 0.25  # log; a fall by 22 % from a peak makes an episode, a rise by 28 % from the trough ends it
WINDOW = 6  # months of capital spending in the mean
QUIET = 0.01  # of debt lost in a year


def summarise(monthly: pd.DataFrame) -> dict[str, Any]:
    """Headline numbers of the recorded months, burn-in left out.

    Parameters
    ----------
    monthly : one row a month and region, columns as in sim/columns.py

    Returns
    -------
    plain dict for JSON: USD, 1/year, shares; a number that cannot be known is None
    """
    recorded = monthly[monthly["month"] >= 0]
    if recorded.empty:
        return {}
    capex = recorded.pivot_table("capex", "date", "region", aggfunc="sum", observed=True)
    capex.insert(0, "world", capex.sum(axis=1))
    years = pd.to_datetime(capex.index).year
    by_year = capex.groupby(years).sum()
    return plain(
        {
            "capex_by_year": {name: {str(y): v for y, v in by_year[name].items()} for name in by_year},
            "episodes": {name: list(episodes(capex[name])) for name in capex},
            "losses": losses(recorded),
            "peak_spread": recorded.groupby("region", observed=True)["spread"].max().to_dict(),
            "largest_audit_gap": recorded["audit_gap"].abs().max(),
        }
    )


def episodes(capex: pd.Series) -> Iterator[dict[str, Any]]:
    """Falls of the six-month mean by FALL from its peak; the next begins after a rise by FALL from the trough.

    Yields
    ------
    dates of peak and trough, depth as a share of the peak, and whether the rise has ended it
    """
    level = np.log(capex.rolling(WINDOW).mean().clip(lower=1.0)).dropna()
    peak = trough = None  # dates; a trough only within an episode
    for day, value in level.items():
        if trough is None:
            if peak is None or value > level[peak]:
                peak = day
            elif value < level[peak] - FALL:
                trough = day
        elif value < level[trough]:
            trough = day
        elif value > level[trough] + FALL:
            yield episode(level, peak, trough, over=True)
            peak, trough = day, None
    if trough is not None:
        yield episode(level, peak, trough, over=False)


def episode(level: pd.Series, peak: Any, trough: Any, over: bool) -> dict[str, Any]:
    """One fall and its depth."""
    depth = 1.0 - np.exp(level[trough] - level[peak])
    return {"peak": str(peak)[:10], "trough": str(trough)[:10], "depth": depth, "over": over}


def losses(recorded: pd.DataFrame) -> dict[str, Any]:
    """Yearly loss rates, and how they are spread over the years."""
    world = recorded.groupby("date")[["loss", "debt"]].sum()
    yearly = world.groupby(pd.to_datetime(world.index).year).agg({"loss": "sum", "debt": "mean"})
    rates = (yearly["loss"] / yearly["debt"]).where(yearly["debt"] > 0)
    total = yearly["loss"].sum()
    return {
        "rate_by_year": {str(year): rate for year, rate in rates.items()},
        "quiet_years": (rates < QUIET).sum() / max(rates.notna().sum(), 1),
        "three_worst_years": yearly["loss"].nlargest(3).sum() / total if total > 0 else None,
        "worst_rate": rates.max(),
    }


def plain(value: Any) -> Any:
    """Python numbers, to ten digits; None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(below) for key, below in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(below) for below in value]
    if isinstance(value, (bool, str, np.bool_)) or value is None:
        return bool(value) if isinstance(value, np.bool_) else value
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(f"{value:.10g}") if np.isfinite(value) else None
