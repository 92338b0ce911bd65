"""What quantities may measure: each takes a run and a region (us, china, world) and returns one number over recorded months.

Burn-in never counts. Flows of the world are added up; rates of the world are weighted.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from pydantic import ValidationError

from analysis.metrics.runs import NoValue, Run, number
from sim.books import channels
from sim.markets import tokens
from sim.params import Params, validate
from sim.summary import WINDOW, episodes
from sim.units import MONTHS

WORLD: Final = "world"


def kept[T](run: Run, what: str, make: Callable[[], T]) -> T:
    """What many measures ask of a run, made once and kept with it."""
    found: dict[str, Any] = run.__dict__.setdefault("kept", {})
    if what not in found:
        found[what] = make()
    return cast(T, found[what])


def within(rows: pd.DataFrame, region: str) -> pd.DataFrame:
    """Those of a region, or all."""
    return rows if region == WORLD else rows[rows["region"] == region]


def recorded(run: Run, region: str) -> pd.DataFrame:
    """Recorded months of a region, or of all, one row a month and region; kept with the run, for every measure asks."""
    months = kept(run, f"recorded {region}", lambda: within(run.months[run.months["month"] >= 0], region))
    if months.empty:
        raise NoValue(f"the run has no region {region}")
    return months


def last_year(months: pd.DataFrame) -> pd.DataFrame:
    """The last twelve of some months."""
    return months[months["month"] > months["month"].max() - MONTHS]


def added(months: pd.DataFrame, columns: Sequence[str]) -> float:
    """Sum of some columns."""
    return float(months[list(columns)].sum().sum())


def yearly(run: Run, region: str, columns: list[str], less: Sequence[str] = ()) -> float:
    """Sum of flows over the run, less others that are part of them, by year, USD/year."""
    months = recorded(run, region)
    return (added(months, columns) - added(months, less)) * MONTHS / months["month"].nunique()


def whole(run: Run, region: str, columns: list[str]) -> float:
    """Sum of flows over the run."""
    return added(recorded(run, region), columns)


def at_end(run: Run, region: str, columns: list[str]) -> float:
    """Mean of stocks over the last year, regions added up."""
    months = last_year(recorded(run, region))
    return added(months, columns) / months["month"].nunique()


def weighted(run: Run, region: str, column: str, weight: str, end: bool = False) -> float:
    """Mean of a rate over the run, or over its last year, weighted by another column."""
    months = recorded(run, region)
    months = (last_year(months) if end else months).dropna(subset=[column, weight])
    total = months[weight].sum()
    return number(float((months[column] * months[weight]).sum() / total) if total else np.nan, f"{weight} is zero throughout")


def highest(run: Run, region: str, column: str) -> float:
    """Highest month of a rate."""
    return number(float(recorded(run, region)[column].max()), f"{column} is null throughout")


def ratio(run: Run, region: str, above: list[str], below: list[str], end: bool = False) -> float:
    """Sum of some columns over that of others, over the run or its last year."""
    months = recorded(run, region)
    months = last_year(months) if end else months
    part, of = added(months, above), added(months, below)
    return number(part / of if of else np.nan, f"{' + '.join(below)} is zero")


def years_of(run: Run, region: str, stock: str, flow: str) -> float:
    """A stock over a year's flow, in the last year."""
    months = last_year(recorded(run, region))
    of = MONTHS * months[flow].sum()
    return number(float(months[stock].sum() / of) if of else np.nan, f"{flow} is zero in the last year")


def operators_leverage(run: Run, region: str, debts: list[str]) -> float:
    """Operators' debts over a year's earnings, both means of the last year's accounts."""
    agents = run.tables["agents"]
    filed = agents[(agents["kind"] == "operator") & (agents["month"] > agents["month"].max() - MONTHS)]
    filed = filed if region == WORLD else filed[filed["region"] == region]
    earned = filed["earnings"].sum()
    return number(float(filed[debts].to_numpy().sum() / earned) if earned > 0.0 else np.nan, "operators earn nothing")


def loss_rate(run: Run, region: str, column: str) -> float:
    """Losses a year over mean debt, 1/year."""
    months = recorded(run, region)
    debt = months["debt"].sum()
    return number(MONTHS * float(months[column].sum() / debt) if debt else np.nan, "there is no debt")


def share_of_world(run: Run, region: str, columns: list[str]) -> float:
    """A region's part of the world's sum over the last year."""
    if region == WORLD or run.months["region"].nunique() < 2:
        raise NoValue("a share of the world needs two regions")
    return at_end(run, region, columns) / at_end(run, WORLD, columns)


def falls(run: Run, region: str) -> float:
    """Falls of capital spending by 22 % or more (sim/summary.py)."""
    return float(len(list(episodes(spending(run, region)))))


def deepest_fall(run: Run, region: str) -> float:
    """Largest fall of the six-month mean of capital spending from any earlier peak, share of the peak."""
    level = spending(run, region).rolling(WINDOW).mean().dropna()
    if level.empty:
        raise NoValue(f"the run is shorter than {WINDOW} months")
    peak = level.cummax()
    return float((1.0 - level / peak.where(peak > 0.0)).max())


def log_peak(run: Run, region: str, years: float = np.inf) -> float:
    """Log of the highest month of capital spending, of the first ``years`` or of all, so that differences are log ratios."""
    months = recorded(run, region)
    peak = months[months["month"] < years * MONTHS].groupby("month")["capex"].sum().max()
    return number(float(np.log(peak)) if peak > 0.0 else np.nan, "nothing was spent")


def worst_loss(run: Run, region: str, months: int) -> float:
    """Largest sum of losses in so many months in a row, over the mean debt of the same months."""
    by_month = recorded(run, region).groupby("month")[["loss", "debt"]].sum()
    lost, owed = by_month["loss"].rolling(months).sum(), by_month["debt"].rolling(months).mean()
    return number(float((lost / owed.where(owed > 0.0)).max()), f"no {months} months with debt")


def spending(run: Run, region: str) -> pd.Series:
    """Capital spending by date."""
    months = recorded(run, region)
    return months.groupby(pd.to_datetime(months["date"]))["capex"].sum()


def inference_price(run: Run, region: str) -> float:
    """What users paid for compute in the last year, labs' margin included, USD/GPU-hour; weighted by what they paid."""
    p = tokens.Params(**run.params["sim"]["markets"]["tokens"])
    months = last_year(recorded(run, region))
    price = np.array([tokens.price(p, rent, life) for rent, life in zip(months["rent"], months["model_half_life"], strict=True)])
    paid = months["inference_revenue"].to_numpy()
    return number(float((price * paid).sum() / paid.sum()) if paid.sum() else np.nan, "users paid nothing")


def months_to_money(run: Run, region: str, sold_as: str = "") -> float:
    """Months from plan to money of deals that build, weighted by notional; of securities or private credit alone where named."""
    deals = building(run, region)
    deals = deals[deals["sold_as"] == sold_as] if sold_as else deals
    wait = closing(run)
    months = np.array([wait[place] for place in zip(deals["region"], deals["channel"], strict=True)], dtype=float)
    weight = deals["notional"].to_numpy()
    what = sold_as or "deal"
    return number(
        float((months * weight).sum() / weight.sum()) if weight.sum() else np.nan, f"no {what} was built with in {region}"
    )


def closing(run: Run) -> dict[tuple[str, str], int]:
    """Months from plan or mandate to money, by region and channel; kept with the run, for reading its parameters takes long."""

    def read() -> dict[tuple[str, str], int]:
        params = resolved(run)
        menus = {region: channels.menu(params, region) for region in params.regions}
        return {(region, channel.name): channel.closing for region, menu in menus.items() for channel in menu}

    return kept(run, "closing", read)


def resolved(run: Run) -> Params:
    """A run's parameters as the model reads them."""
    try:
        return validate({**run.params, "outputs": {"root": "."}})
    except ValidationError as error:
        raise NoValue(f"the run's configuration is not of this version: {error.error_count()} faults") from None


def building(run: Run, region: str) -> pd.DataFrame:
    """Deals that closed in recorded months to pay for new units, in a region or all; kept with the run as months are."""
    deals = run.deals
    return kept(run, f"building {region}", lambda: within(deals[(deals["issued"] >= 0) & (deals["purpose"] == "build")], region))


def coupon(run: Run, region: str) -> float:
    """Coupon at closing of deals that build, all classes, weighted by notional, 1/year."""
    deals = building(run, region)
    interest = sum((deals[f"coupon_{k}"] * deals[f"notional_{k}"]).fillna(0.0).sum() for k in ("senior", "mezzanine"))
    notional = deals["notional"].sum()
    return number(float(interest / notional) if notional else np.nan, f"no deal was built with in {region}")


MEASURES: Final[dict[str, Callable[..., Any]]] = {
    measure.__name__: measure
    for measure in (
        *(yearly, whole, at_end, weighted, highest, ratio, years_of, operators_leverage, loss_rate, share_of_world),
        *(falls, deepest_fall, log_peak, worst_loss, inference_price, months_to_money, coupon),
    )
}
