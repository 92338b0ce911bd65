"""Deals, used hardware and classes: volumes, stocks, spreads at issue, resale values."""

import numpy as np
import pandas as pd

from analysis.metrics.runs import NoValue, Run, number, within
from sim.markets.compute import vintage_factor
from sim.markets.primary import Regime, base_rate
from sim.units import YEAR_HOURS

BP = 1e4
BILLION = 1e9


def chosen(run: Run, region: str, first: str, last: str, **wanted: str) -> pd.DataFrame:
    """Deals of a region that closed from ``first`` to ``last``; ``wanted``: what a column holds, where anything is asked."""
    deals = run.deals[(run.deals["region"] == region) & within(pd.PeriodIndex(run.deals["at"]), first, last)]
    for column, value in wanted.items():
        deals = deals[deals[column] == value] if value else deals
    return deals


def issue_spread(
    run: Run,
    first: str,
    last: str,
    region: str = "us",
    channel: str = "",
    sold_as: str = "",
    template: str = "",
    tranche: str = "senior",
) -> float:
    """Coupon of a class at closing over the region's base rate, weighted by notional, basis points."""
    deals = chosen(run, region, first, last, channel=channel, sold_as=sold_as, template=template)
    weight = deals[f"notional_{tranche}"]
    if not weight.sum() > 0.0:
        raise NoValue(f"no {template or channel or sold_as or tranche} deal closed in {region} from {first} to {last}")
    regime = Regime.model_construct(**run.params["sim"]["markets"]["primary"][region])
    base = np.array([base_rate(regime, month - 1) for month in deals["issued"]])  # as the month before left it
    return BP * float(((deals[f"coupon_{tranche}"] - base) * weight).sum() / weight.sum())


def deal_volume(run: Run, first: str, last: str, region: str = "us", sold_as: str = "securities") -> float:
    """Notional of deals closed, burn-in included, USD bn."""
    return float(chosen(run, region, first, last, sold_as=sold_as)["notional"].sum()) / BILLION


def volume_multiple(run: Run, year: int, region: str = "us", sold_as: str = "securities") -> float:
    """Notional of deals closed in a year over that of the year before."""
    before = deal_volume(run, str(year - 1), str(year - 1), region, sold_as)
    now = deal_volume(run, str(year), str(year), region, sold_as)
    return number(now / before if before else np.nan, f"nothing was sold as {sold_as} in {year - 1}")


def stock_ratio(run: Run, at: str, above: str = "china", below: str = "us", sold_as: str = "securities") -> float:
    """Balance outstanding in one region over that in another."""
    tranches = run.balances[within(pd.PeriodIndex(run.balances["at"]), at, at)]
    held = tranches[tranches["sold_as"] == sold_as].groupby("region")["balance"].sum()
    if not held.get(below, 0.0) > 0.0:
        raise NoValue(f"no {sold_as} outstanding in {below} at {at}")
    return float(held.get(above, 0.0) / held[below])


def resale_value(run: Run, year: int, age: int, region: str = "us") -> float:
    """What a unit fetches ``age`` months on in an orderly sale, over its cost new; mean over vintages of a year.

    The trustee's formula (``sim.markets.secondary.capped_value``), without the discount of a forced sale.
    """
    from sim.markets.secondary import Params, capped_value

    market = Params(**run.params["sim"]["markets"]["secondary"])
    months = run.months[run.months["region"] == region].reset_index(drop=True)
    new = np.flatnonzero(pd.PeriodIndex(months["at"]).year == year)
    if not len(new) or new[-1] + age >= len(months):
        raise NoValue(f"the run ends before units of {year} are {age} months old")
    then, now = months.iloc[new].reset_index(drop=True), months.iloc[new + age].reset_index(drop=True)
    factor = vintage_factor(now["vintage_discount"], now["frontier"] - then["frontier"])
    rent, years = now["rent"] * YEAR_HOURS * factor, market.sale_years
    fetched = capped_value(
        *(market, rent, then["running_cost"], now["depreciation_seen"], market.sale_rate, years, now["unit_cost"], factor)
    )
    return float(np.mean(fetched / then["unit_cost"]))
