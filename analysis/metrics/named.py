"""Monthly series by name: a recorded column, or one of those that are derived here; ``log NAME`` is its logarithm.

A derived series has a value in every month of the run in which it is known, else it is not a number.
"""

from collections.abc import Callable
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field

from analysis.metrics.runs import NoValue, Run, dated
from sim.columns import MONTHLY
from sim.kernels.rents import rent_value
from sim.markets.compute import vintage_factor
from sim.mistakes import suggestion
from sim.ratings import LETTERS
from sim.units import MONTHS, YEAR_HOURS

LOW: Final = LETTERS.index("Baa3")  # the last letter of investment grade
CLASSES: Final = ("senior", "mezzanine")
LOG: Final = "log "


def series(run: Run, name: str, region: str = "us") -> pd.Series:
    """One series by month.

    Raises
    ------
    NoValue
        for a region the run has not, a logarithm of what is not positive in half of the months
    """
    if name.startswith(LOG):
        values = series(run, name.removeprefix(LOG), region)
        if (values > 0.0).mean() < 0.5:
            raise NoValue(f"{name.removeprefix(LOG)} is not positive in half of the months")
        return np.log(values.where(values > 0.0))
    return DERIVED[name](run, region) if name in DERIVED else run.series(name, region).astype(np.float64)


def row(run: Run, region: str) -> pd.DataFrame:
    """The monthly table of a region, by month."""
    months = run.months[run.months["region"] == region].set_index("at")
    if months.empty:
        raise NoValue(f"the run has no region {region}")
    return months


def first_letters(run: Run, region: str) -> pd.DataFrame:
    """Classes of deals closed while the run was recorded: deal, tranche, notional, first letter's notch, month of closing."""
    rated = run.tables["tranches"]
    rated = rated[rated["rating"] != ""].drop_duplicates(["deal", "tranche"])
    deals = run.deals[(run.deals["region"] == region) & (run.deals["issued"] >= 0)]
    found = [deals[["deal", "at"]].assign(tranche=name, notional=deals[f"notional_{name}"]) for name in CLASSES]
    classes = pd.concat(found).merge(rated[["deal", "tranche", "rating"]], on=["deal", "tranche"])
    return classes.assign(notch=classes["rating"].map(LETTERS.index))


def low_grade_share(run: Run, region: str) -> pd.Series:
    """Part of a year's rated issuance that was first rated below Baa3."""
    classes, months = first_letters(run, region), row(run, region).index
    low = classes["notional"].where(classes["notch"] > LOW, 0.0)
    by_month = pd.DataFrame({"low": low, "all": classes["notional"]}).groupby(classes["at"]).sum()
    year = by_month.reindex(months, fill_value=0.0).rolling(MONTHS).sum()
    return (year["low"] / year["all"]).where(year["all"] > 0.0)


def low_grade_return(run: Run, region: str) -> pd.Series:
    """Log return of junior classes over the base rate, of notes outstanding a month before; interest counts as paid."""
    return class_return(run, region, "mezzanine")


def class_return(run: Run, region: str, tranche: str) -> pd.Series:
    """Interest, principal and change of market value, less the base rate: what is not owed any more was repaid or lost."""
    months = row(run, region)
    notes = run.balances[(run.balances["region"] == region) & (run.balances["tranche"] == tranche)].set_index(["deal", "at"])
    notes = notes[["balance", "price", "coupon"]].sort_index()
    before = notes.assign(value=notes["balance"] * notes["price"])
    at = before.index.get_level_values("at") + 1
    now = before.reindex([before.index.get_level_values("deal"), at], fill_value=0.0).set_axis(before.index)
    gain = before["coupon"] / MONTHS * before["balance"] + before["balance"] - now["balance"] + now["value"] - before["value"]
    table = pd.DataFrame({"gain": gain, "value": before["value"]}).groupby(at).sum().reindex(months.index)
    made = (table["gain"] - months[f"loss_{tranche}"]) / table["value"].where(table["value"] > 0.0)
    return np.log1p((made - months["base_rate"] / MONTHS).clip(lower=-0.99))


def unit_value(run: Run, region: str) -> pd.Series:
    """What a new unit's rents are worth at the market's rate and beliefs, over its cost."""
    m = row(run, region)
    worth = rent_value(m["rent"] * YEAR_HOURS, m["running_cost"], m["depreciation_belief"], m["cost_of_capital"], life(run))
    return pd.Series(worth, m.index) / m["unit_cost"]


def asset_return(run: Run, region: str) -> pd.Series:
    """Log return of a month on a unit that was new at its start: its rent, and what its later rents are then worth."""
    months = row(run, region)
    now, then = months.iloc[1:], months.shift(1).iloc[1:]
    bought = (unit_value(run, region) * months["unit_cost"]).shift(1).iloc[1:]
    rent = now["rent"] * YEAR_HOURS * vintage_factor(now["vintage_discount"], now["frontier"] - then["frontier"])
    left = rent_value(rent, then["running_cost"], now["depreciation_belief"], now["cost_of_capital"], life(run) - 1.0 / MONTHS)
    earned = (0.5 * (then["rent"] * YEAR_HOURS + rent) - then["running_cost"]) / MONTHS
    return np.log(((earned + left) / bought).clip(lower=0.01)).where(bought > 0.0).reindex(months.index)


def life(run: Run) -> float:
    """Of a unit, year."""
    return float(run.params["agents"]["operators"]["life"])


def investment_rate(run: Run, region: str) -> pd.Series:
    """A year's capital spending over what installed capacity would cost new."""
    m = row(run, region)
    return m["capex"].rolling(MONTHS).sum() / (m["capacity"] * m["unit_cost"])


def retirement_rate(run: Run, region: str) -> pd.Series:
    """Part of all units that left within a year: of those ordered two years before, what is not there a year later."""
    m = row(run, region)
    aged = m[["gpus_4y", "gpus_5y", "gpus_older"]].sum(axis=1)
    before = (aged + m["gpus_3y"]).shift(MONTHS)
    units = (aged + m[["gpus_1y", "gpus_2y", "gpus_3y"]].sum(axis=1)).shift(MONTHS)
    return ((before - aged) / units).where(units > 0.0)


def excess_premium(run: Run, region: str) -> pd.Series:
    """Spread less believed loss, 1/year."""
    return run.series("spread", region) - run.series("loss_belief", region)


def lender_assets(run: Run, region: str) -> pd.Series:
    """Investors' net worth and debts, USD; not a number where net worth is below 2 % of them."""
    worth, owed = run.series("investor_capital", region), run.series("investor_loans", region)
    return (worth + owed).where(worth > 0.02 * (worth + owed))


def lender_leverage(run: Run, region: str) -> pd.Series:
    """Those assets over net worth."""
    return lender_assets(run, region) / run.series("investor_capital", region)


def of_kind(run: Run, region: str, kind: str) -> pd.DataFrame:
    """Agents' balance sheets added up, by month."""
    agents = run.tables["agents"]
    found = dated(agents[(agents["kind"] == kind) & (agents["region"] == region)])
    return found.groupby("at")[["net_worth", "loans", "bonds"]].sum()


def cloud_assets(run: Run, region: str) -> pd.Series:
    """Clouds' net worth and debts, USD: who borrows little."""
    sheet = of_kind(run, region, "cloud")
    return sheet.sum(axis=1).where(sheet["net_worth"] > 0.0)


def cloud_leverage(run: Run, region: str) -> pd.Series:
    """Those assets over net worth."""
    return cloud_assets(run, region) / of_kind(run, region, "cloud")["net_worth"]


DERIVED: Final[dict[str, Callable[[Run, str], pd.Series]]] = {
    found.__name__: found
    for found in (
        *(low_grade_share, low_grade_return, unit_value, asset_return, investment_rate, retirement_rate, excess_premium),
        *(lender_assets, lender_leverage, cloud_assets, cloud_leverage),
    )
}


def known(name: str) -> str:
    """The name, if there is such a series."""
    plain, names = name.removeprefix(LOG), [*DERIVED, *MONTHLY]
    if plain not in names:
        derived = f"derived ones are {', '.join(DERIVED)}"
        raise ValueError(f"no such series. {suggestion(plain, names)} Give a column of monthly (sim/columns.py); {derived}")
    return name


Name = Annotated[str, AfterValidator(known)]
Region = Literal["us", "china", "world"]
Months = Annotated[int, Field(ge=1, le=600)]
Lag = Annotated[int, Field(ge=0, le=600)]  # months; 0: none
