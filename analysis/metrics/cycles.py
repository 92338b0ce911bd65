"""Booms and busts. A bust is the deepest fall of a region's capital spending (sim/summary.py); without one there is no value.

Its months run from the peak to a year after the trough; the boom is the three years to the peak.
"""

import numpy as np
import pandas as pd

from analysis.metrics.levels import fixed_vintage_rent, vintage_rent_decline
from analysis.metrics.named import Months
from analysis.metrics.runs import Bust, NoValue, Run, number, yearly
from sim.units import MONTHS

BOOM = 36  # months
AFTER = 12  # months
BP = 1e4
CALLS = ("a rule is called for",)
BINDS = ("LTV cap tightened", "rule takes effect", "market closed")
AT_CAP = 0.995  # of the cap; a spread nears it without quite reaching it


def spread_trough(run: Run, region: str = "us") -> float:
    """Lowest spread of the run, basis points."""
    return BP * float(run.series("spread", region).min())


def spread_peak(run: Run, region: str = "us") -> float:
    """Highest spread of the bust, basis points; no value where it is the cap's number."""
    bust, spread = run.bust(region), run.series("spread", region)
    peak = float(spread[in_bust(spread.index, bust)].max())
    cap = run.params["sim"]["markets"]["primary"]["spread_cap"]
    if peak >= AT_CAP * cap:
        raise NoValue(f"the spread stands at its cap of {BP * cap:.0f} bp, so its peak is unknown")
    return BP * peak


def spread_range(run: Run, region: str = "us") -> float:
    """Peak over trough."""
    return spread_peak(run, region) / spread_trough(run, region)


def default_rates(run: Run, region: str) -> pd.Series:
    """Deals that first defaulted in a year over deals outstanding at its start, by year; the first year has none."""
    balances = run.balances[run.balances["region"] == region]
    at = pd.PeriodIndex(balances["at"])
    held = balances[at.month == MONTHS].groupby(at[at.month == MONTHS].year)["deal"].nunique()
    defaults = run.events("default", region).drop_duplicates("deal")
    failed = defaults.groupby(pd.PeriodIndex(defaults["at"]).year)["deal"].count()
    held.index = held.index + 1
    full = run.series("capex", region).groupby(lambda m: m.year).count()
    return (failed.reindex(held.index, fill_value=0) / held)[full.reindex(held.index, fill_value=0) == MONTHS]


def default_peak(run: Run, region: str = "us") -> float:
    """Highest yearly default rate of the bust's years, 1/year."""
    bust = run.bust(region)
    rates = default_rates(run, region)
    return number(rates[in_years(rates.index, bust)].max(), "no deals outstanding in the bust")


def default_normal(run: Run, region: str = "us") -> float:
    """Median yearly default rate of years outside all busts, 1/year."""
    rates = default_rates(run, region)
    calm = rates[~np.logical_or.reduce([np.zeros(len(rates), bool), *(in_years(rates.index, b) for b in run.busts(region))])]
    return number(calm.median(), "no year outside busts")


def recovery(run: Run, region: str, during: bool) -> float:
    """Proceeds over proceeds and losses of deals liquidated during the bust, or outside all busts."""
    sold = run.events("liquidation", region)
    busts = [run.bust(region)] if during else run.busts(region)
    hit = np.logical_or.reduce([np.zeros(len(sold), bool), *(in_bust(pd.PeriodIndex(sold["at"]), bust) for bust in busts)])
    sold = sold[hit == during]
    lost = run.deals.set_index("deal")["loss"].reindex(sold["deal"].unique()).sum()
    proceeds = sold["amount"].sum()
    whole = proceeds + lost
    return number(proceeds / whole if whole > 0.0 else np.nan, f"nothing was liquidated {'in' if during else 'outside'} the bust")


def recovery_in_bust(run: Run, region: str = "us") -> float:
    """Recovery on collateral sold during the bust."""
    return recovery(run, region, during=True)


def recovery_shortfall(run: Run, region: str = "us") -> float:
    """By how much recovery outside busts exceeds that of the bust."""
    return recovery(run, region, during=False) - recovery(run, region, during=True)


def boom_loss(run: Run, region: str = "us") -> float:
    """Principal lost, to the end of the run, on debt issued in the boom, as a share of it."""
    deals = boom_deals(run, region)
    return number(deals["loss"].sum() / deals["notional"].sum(), "no debt was issued in the boom")


def boom_deals(run: Run, region: str) -> pd.DataFrame:
    """Deals that closed in the three years to the peak."""
    peak = run.bust(region).peak
    deals = run.deals[run.deals["region"] == region]
    at = pd.PeriodIndex(deals["at"])
    return deals[(at > peak - BOOM) & (at <= peak)]


def glut_decline(run: Run, region: str = "us", months: Months = 24) -> float:
    """Steepest fall of a fixed vintage's rent over ``months`` months that end in the bust, 1/year."""
    rent, bust = np.log(fixed_vintage_rent(run, region)), run.bust(region)
    falls = rent.diff(months)[in_bust(rent.index, bust)]
    return yearly(number(falls.min(), "the bust comes too early in the run"), months)


def glut_acceleration(run: Run, first: str, last: str, region: str = "us") -> float:
    """By how much that fall exceeds the fall of rents from ``first`` to ``last``, 1/year; below zero if it is faster."""
    return glut_decline(run, region) - vintage_rent_decline(run, first, last, region)


def capex_fall(run: Run, region: str = "us") -> float:
    """Change of six-month capital spending from peak to trough."""
    return -run.bust(region).depth


def capex_undone(run: Run, region: str = "us") -> float:
    """Capital spending of the calendar year after the highest, over that of the year before the highest, less one."""
    capex, peak = run.series("capex", region), run.bust(region).peak
    years = capex.groupby(lambda m: m.year).sum()[capex.groupby(lambda m: m.year).count() == MONTHS]
    top = years[(years.index >= peak.year - 1) & (years.index <= peak.year + 1)].idxmax()
    if top - 1 not in years.index or top + 1 not in years.index:
        raise NoValue("the run does not cover the years around the peak")
    return float(years[top + 1] / years[top - 1] - 1.0)


def class_loss(run: Run, letters: list[str], region: str = "us") -> float:
    """Principal lost on classes of boom deals whose first letter is among ``letters``, as a share of notional.

    A deal's loss falls on what its classes last owed, the junior first, as its waterfall writes off.
    """
    deals = boom_deals(run, region).set_index("deal")
    tranches = run.tables["tranches"]
    tranches = tranches[tranches["deal"].isin(deals.index)].sort_values("month", kind="stable")
    rated = tranches[tranches["rating"] != ""].groupby(["deal", "tranche"])["rating"].first().unstack("tranche")
    owed = tranches.groupby(["deal", "tranche"])["balance"].last().unstack("tranche").reindex(columns=["senior", "mezzanine"])
    loss = deals["loss"].reindex(owed.index)
    junior = np.minimum(loss, owed["mezzanine"].fillna(0.0))
    losses = {"senior": loss - junior, "mezzanine": junior}
    lost = issued = 0.0
    for tranche in rated:
        hit = rated.index[rated[tranche].isin(letters)]
        lost += losses[tranche][hit].sum()
        issued += deals.loc[hit, f"notional_{tranche}"].sum()
    return number(lost / issued if issued else np.nan, f"no class of the boom was first rated {' or '.join(letters)}")


def rule_lag(run: Run, region: str = "us") -> float:
    """Time from the first month that calls for a rule to the first rule that binds, year.

    A regulator who deliberates says when; for others it is the first month in which losses exceed the tolerance.
    """
    called = pd.PeriodIndex(said(run.events("stage", region), CALLS)["at"])
    if not len(called):
        losses = run.series("loss_rate", region)
        called = losses.index[losses > run.params["agents"]["regulators"]["tolerance"]]
    if not len(called):
        raise NoValue("losses never exceeded the regulator's tolerance")
    rules = pd.PeriodIndex(said(run.events("rule", region), BINDS)["at"])
    rules = rules[rules >= called.min()]
    if not len(rules):
        raise NoValue("no rule followed the first breach before the run ended")
    return (rules.min() - called.min()).n / MONTHS


def closure(run: Run, region: str = "us") -> float:
    """How long the first market stayed closed that reopened before the run ended, year."""
    shut = run.series("market_closed", region).astype(bool)
    spell = (shut != shut.shift()).cumsum()[shut]
    lengths = spell.groupby(spell).size()
    if len(lengths) and shut.iloc[-1]:
        lengths = lengths.iloc[:-1]
    if not len(lengths):
        raise NoValue("no market was closed and reopened")
    return float(lengths.iloc[0]) / MONTHS


def warning_lag(run: Run, region: str = "us") -> float:
    """Time from the start of the boom to the first month of it in which a warning stands, year."""
    peak, warned = run.bust(region).peak, run.series("warning", region).astype(bool)
    start = peak - BOOM
    if start < warned.index[0]:
        raise NoValue("the boom began before the run")
    standing = warned.index[warned & (warned.index >= start) & (warned.index <= peak)]
    if not len(standing):
        raise NoValue("nobody warned in the boom")
    return (standing.min() - start).n / MONTHS


def said(events: pd.DataFrame, words: tuple[str, ...]) -> pd.DataFrame:
    """Those of some events that say one of these."""
    return events[events["text"].isin(words)]


def in_bust(at: pd.PeriodIndex, bust: Bust) -> np.ndarray:
    """Which months lie from the peak to a year after the trough."""
    return np.asarray((at >= bust.peak) & (at <= bust.trough + AFTER))


def in_years(years: pd.Index, bust: Bust) -> np.ndarray:
    """Which years those months touch."""
    return np.asarray((years >= bust.peak.year) & (years <= (bust.trough + AFTER).year))
