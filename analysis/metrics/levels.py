"""Levels and paths of recorded columns: growth, ratios, shares, spreads at given dates.

``first``, ``last`` and ``at`` are years or months, as "2025" or "2025-06". ``region`` is us, china or world.
"""

import numpy as np
import pandas as pd

from analysis.metrics.named import Months
from analysis.metrics.runs import NoValue, Run, between, number, within, yearly
from sim.markets.compute import vintage_factor
from sim.units import MONTHS


def growth(run: Run, column: str, year: int, region: str = "us") -> float:
    """Growth of a yearly sum over the year before, 1/year."""
    now = run.sums(column, region, str(year), str(year))
    before = run.sums(column, region, str(year - 1), str(year - 1))
    return number(now / before - 1.0 if before else np.nan, f"{column} was zero in {year - 1}")


def level(run: Run, column: str, first: str, last: str, region: str = "us") -> float:
    """Mean of a column over some months, in its own unit."""
    return number(run.over(column, region, first, last).mean(), f"{column} is null from {first} to {last}")


def change(run: Run, column: str, before: str, after: str, region: str = "us") -> float:
    """Difference of a column between two dates, in its own unit."""
    return level(run, column, after, after, region) - level(run, column, before, before, region)


def ratio(run: Run, above: str, below: str, first: str, last: str, less: str = "", region: str = "us") -> float:
    """Sum of ``above``, less that of ``less``, over that of ``below``."""
    part = run.sums(above, region, first, last) - (run.sums(less, region, first, last) if less else 0.0)
    whole = run.sums(below, region, first, last)
    return number(part / whole if whole else np.nan, f"{below} is zero from {first} to {last}")


def years_covered(run: Run, stock: str, flow: str, at: str, region: str = "us") -> float:
    """A stock at a month over the flow of the twelve months to it, year."""
    end = pd.Period(at, freq="M")
    return level(run, stock, at, at, region) / run.sums(flow, region, str(end - (MONTHS - 1)), at)


def largest_fall(run: Run, column: str, months: Months, first: str, last: str, region: str = "us") -> float:
    """Lowest change over ``months`` months within a window, in the column's own unit."""
    return number(run.over(column, region, first, last).diff(months).min(), f"{column} is null from {first} to {last}")


def lead(run: Run, leader: str, follower: str, first: str, last: str, most: int = 8, region: str = "us") -> float:
    """Quarters by which changes of one column lead those of another: where their correlation is highest, up to ``most``."""
    one, other = (run.over(c, region, first, last).groupby(lambda m: m.asfreq("Q")).mean().diff() for c in (leader, follower))
    if not (one.std() > 0.0 and other.std() > 0.0):
        raise NoValue(f"{leader} or {follower} does not move")
    alike = {lag: one.corr(other.shift(-lag)) for lag in range(-most, most + 1)}
    return number(max(alike, key=lambda lag: -2.0 if np.isnan(alike[lag]) else alike[lag]), "too few quarters")


def leader_changes(run: Run, column: str, first: str, last: str, region: str = "us") -> float:
    """1 if the one in front changes between half-years (the most frequent of each), else 0."""
    months = run.over(column, region, first, last)
    half = [f"{m.year}{'ab'[m.month > 6]}" for m in months.index]
    front = months.groupby(half).agg(lambda part: part.mode().iloc[0])
    return float((front != front.iloc[0]).any())


def jump(run: Run, column: str, months: Months, least: float, most: float, first: str, last: str, region: str = "us") -> float:
    """1 if the largest rise within ``months`` months of a window multiplies a column by ``least`` to ``most``, else 0."""
    values = run.over(column, region, first, last)
    risen = values / values.rolling(months + 1, min_periods=1).min()
    return float(least <= risen.max() <= most)


def external_share(run: Run, first: str, last: str) -> float:
    """New debt, clouds' new bonds and operators' outside equity over capital spending, all regions."""
    lent = sum(run.flow("drawdown", lender, "deal", first, last) for lender in ("investor", "banks"))
    debt = lent - run.flow("takeout", "deal", "deal", first, last)
    equity = run.flow("equity", "savers", "operator", first, last)
    return (debt + run.sums("issuance_bonds", "world", first, last) + equity) / run.sums("capex", "world", first, last)


def channels(run: Run, first: str, last: str) -> pd.Series:
    """New external funds by channel, shares of their sum, all regions: private, securities (take-outs too), equity, bonds."""
    fresh = run.deals[run.deals["purpose"] != "refinancing"].set_index("at").sort_index()
    fresh = fresh[within(fresh.index, first, last)]
    funds = {name: fresh.loc[fresh["sold_as"] == name, "notional"].sum() for name in ("private", "securities")}
    funds["bonds"] = run.sums("issuance_bonds", "world", first, last)
    funds["equity"] = run.flow("equity", "savers", "operator", first, last)
    total = sum(funds.values())
    if total <= 0.0:
        raise NoValue(f"no external funds from {first} to {last}")
    return pd.Series(funds) / total


def channel_share(run: Run, channel: str, first: str, last: str) -> float:
    """Share of one channel in new external funds."""
    return float(channels(run, first, last)[channel])


def channel_order(run: Run, first: str, last: str) -> float:
    """1 if private credit is the largest channel and securities the smallest, else 0; bonds count once any are issued."""
    found = channels(run, first, last)
    found = found if found["bonds"] > 0.0 else found.drop("bonds")
    return float(found.idxmax() == "private" and found.idxmin() == "securities")


def fixed_vintage_rent(run: Run, region: str) -> pd.Series:
    """Spot rent by month of a unit that was the newest in the first month, USD/GPU-hour."""
    months = run.months[run.months["region"] == region].set_index("at")
    if months.empty:
        raise NoValue(f"the run has no region {region}")
    return months["rent"] * vintage_factor(months["vintage_discount"], months["frontier"] - months["frontier"].iloc[0])


def vintage_rent_decline(run: Run, first: str, last: str, region: str = "us") -> float:
    """Least-squares log slope of a fixed vintage's spot rent, as growth, 1/year."""
    rent = np.log(between(fixed_vintage_rent(run, region), first, last))
    return yearly(float(np.polyfit(np.arange(len(rent)), rent, 1)[0]), 1.0)
