"""How one monthly series goes with another, by least squares (statsmodels); series by name as in ``analysis/metrics/named.py``.

Months overlap, so that no single run tells much: intervals come from whole seeds.
"""

from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import statsmodels.api as sm

from analysis.metrics.cycles import default_rates
from analysis.metrics.named import Months, Name, Region, series
from analysis.metrics.pooled import Pooled, share
from analysis.metrics.runs import NoValue, Run
from sim.units import MONTHS

FEWEST: Final = 60  # months of overlap below which nothing is fitted
Fit = Any  # what statsmodels gives, which has no types
How = Literal["sum", "change"]
LAGS: Final = 3  # months of the past that a response is held against


def ahead(values: pd.Series, months: int, how: How) -> pd.Series:
    """What is to come: the ``sum`` of the next months, or the ``change`` until then."""
    later = values.rolling(months).sum() if how == "sum" else values - values.shift(months)
    return later.shift(-months)


def fitted(y: pd.Series, *x: pd.Series, lags: int = 0) -> Fit:
    """Least squares with a constant on the months in which all are known; with ``lags`` errors are Newey and West's."""
    table = pd.concat([y.rename("y"), *(one.rename(f"x{n}") for n, one in enumerate(x))], axis=1)
    table = table.replace([np.inf, -np.inf], np.nan).dropna()
    if len(table) < FEWEST:
        raise NoValue(f"{len(table)} months are known together, fewer than {FEWEST}")
    if any(table[name].std() < 1e-12 for name in table.columns[1:]):
        raise NoValue("what should predict does not move")
    model = sm.OLS(table["y"], sm.add_constant(table.drop(columns="y")))
    return model.fit(cov_type="HAC", cov_kwds={"maxlags": lags}) if lags else model.fit()


def predicted(run: Run, of: Name, by: Name, months: Months, how: How, region: str) -> Fit:
    """What comes within ``months`` on what is known now."""
    return fitted(ahead(series(run, of, region), months, how), series(run, by, region), lags=months)


def slope_ahead(run: Run, of: Name, by: Name, months: Months, how: How = "sum", region: Region = "us") -> float:
    """Slope of what comes within ``months`` on what is known now."""
    return float(predicted(run, of, by, months, how, region).params["x0"])


def r2_ahead(run: Run, of: Name, by: Name, months: Months, how: How = "sum", region: Region = "us") -> float:
    """Part of the variance of what comes that is known now."""
    return float(predicted(run, of, by, months, how, region).rsquared)


def t_ahead(run: Run, of: Name, by: Name, months: Months, how: How = "sum", region: Region = "us") -> float:
    """That slope over its standard error of Newey and West, with as many lags as months overlap."""
    return float(predicted(run, of, by, months, how, region).tvalues["x0"])


def below_zero_ahead(run: Run, of: Name, by: Name, months: Months, how: How = "sum", region: Region = "us") -> float:
    """Share of months in which less than nothing is to be expected."""
    return float((predicted(run, of, by, months, how, region).fittedvalues < 0.0).mean())


def moves_with(run: Run, of: Name, by: Name, months: Months = 3, region: Region = "us") -> float:
    """Slope of a log change over ``months`` on that of another series in the same months."""
    changes = [series(run, f"log {name}", region).diff(months) for name in (of, by)]
    return float(fitted(*changes, lags=months).params["x0"])


def sentiment_slope(run: Run, later: int = 0, region: Region = "us") -> float:
    """Slope of a year's growth of capital spending on the change of spreads that sentiment two years before foretold.

    In two steps (Lopez-Salido, Stein and Zakrajsek 2017): a year's change of the spread on log low-grade share and spread of
    24 months before its end; then growth that ends ``later`` months after it on what the first step fits.
    """
    spread, back = series(run, "spread", region), 2 * MONTHS
    mood = series(run, "log low_grade_share", region).shift(back)
    foretold = fitted(spread.diff(MONTHS), mood, spread.shift(back)).fittedvalues
    growth = series(run, "log capex", region).diff(MONTHS).shift(-later)
    return float(fitted(growth, foretold.reindex(growth.index), lags=MONTHS).params["x0"])


def impulse(run: Run, of: Name, to: Name, months: Months, region: str) -> np.ndarray:
    """Log change of a series from the month before to h = 0 to ``months`` after one standard deviation more of another.

    Local projections (Jorda 2005, American Economic Review 95) given the last months of both.
    """
    goes, moved = series(run, f"log {of}", region), series(run, to, region)
    past = [moved.shift(n) for n in range(1, LAGS + 1)] + [goes.diff().shift(n) for n in range(1, LAGS + 1)]
    fitted(goes.shift(-months) - goes.shift(1), moved, *past)  # refuses what cannot be told
    given = sm.add_constant(np.column_stack([moved, *past]))
    path = []
    for h in range(months + 1):
        gone = (goes.shift(-h) - goes.shift(1)).to_numpy()
        ok = np.isfinite(gone) & np.isfinite(given).all(axis=1)
        path.append(sm.OLS(gone[ok], given[ok]).fit().params[1])
    return np.array(path) * float(moved.std())


def response(run: Run, of: Name, to: Name, first: int, last: int, region: Region = "us") -> float:
    """Mean log change of a series ``first`` to ``last`` months after one standard deviation more of another."""
    return float(impulse(run, of, to, last, region)[first:].mean())


def trough_month(run: Run, of: Name, to: Name, months: Months, region: Region = "us") -> Pooled:
    """Months after which the response is lowest, of the mean response over seeds."""
    return Pooled(impulse(run, of, to, months, region), lambda mean, seeds: float(np.argmin(mean)))


def default_recovery_correlation(run: Run, region: Region = "us") -> float:
    """Correlation over years of the default rate and of what is recovered on collateral sold."""
    both = pd.concat([default_rates(run, region), yearly_recovery(run, region)], axis=1).dropna()
    if len(both) < 8 or (both.std() < 1e-12).any():
        raise NoValue("fewer than eight years with collateral sold, or all alike")
    return float(both.corr().iloc[0, 1])


def yearly_recovery(run: Run, region: str) -> pd.Series:
    """Proceeds over proceeds and losses of the deals whose collateral was sold in a year."""
    sold = run.events("liquidation", region)
    deals = sold.groupby("deal").agg(at=("at", "min"), amount=("amount", "sum"))
    deals["lost"] = run.deals.set_index("deal")["loss"].reindex(deals.index)
    years = deals.groupby(pd.PeriodIndex(deals["at"], freq="M").year)[["amount", "lost"]].sum()
    return years["amount"] / years.sum(axis=1).where(years.sum(axis=1) > 0.0)


def mean_recovery(run: Run, region: Region = "us") -> Pooled:
    """Proceeds over proceeds and losses of all collateral sold."""
    sold = run.events("liquidation", region)
    proceeds = float(sold["amount"].sum())
    lost = float(run.deals.set_index("deal")["loss"].reindex(sold["deal"].unique()).sum())
    return share(proceeds, proceeds + lost, why="nothing was liquidated")
