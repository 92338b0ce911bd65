"""What the page needs of one run, as one small table: figure, region, series, at, value.

``at`` is a decimal year, or null where there is no time. Sums and shares of a year stand at that year, stocks at its end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from analysis import scoring
from analysis.decisions import quantities
from analysis.decisions.measures import building, closing
from analysis.metrics.runs import Run, open_run
from analysis.pages.words import AGES, CHANNELS, HOLDERS
from analysis.targets import Target
from analysis.targets import load as load_targets
from sim.columns import COLUMNS as SIMULATED
from sim.ratings import LETTERS
from sim.summary import episodes
from sim.units import MONTHS

BN: Final = 1e9
GRADES: Final = {
    "Aaa to A": LETTERS[: LETTERS.index("A3") + 1],
    "Baa": LETTERS[LETTERS.index("Baa1") : LETTERS.index("Baa3") + 1],
    "Ba and below": LETTERS[LETTERS.index("Ba1") :],
    "not rated yet": ("",),
}
NOTED: Final = ("rule", "failure")  # kinds of events that are told one by one
COLUMNS: Final = ["figure", "region", "series", "at", "value"]
ADDED: Final = ("issuance", "vintage", "ratings", "holders", "templates")  # figures in which what is not there counts as nothing
EXAMPLE: Final = ("race", "network", "timeline", "events", "episodes")  # figures of one run, which no mean of runs has


class OldRun(ValueError):
    """A run without columns that pages need."""


@dataclass(frozen=True)
class Digest:
    """One run: figures' numbers, quantities by id and region, and what the facts' checks found."""

    table: pd.DataFrame
    values: dict[tuple[str, str], float]
    facts: list[float | str]


def digest(folder: Path) -> Digest:
    """Read a run's folder and keep what pages need of it."""
    check(folder)
    run = open_run(folder)
    regions = [region for region in ("us", "china") if region in set(run.tables["monthly"]["region"])]
    return Digest(
        table=pd.concat([pd.DataFrame(rows(run, folder), columns=COLUMNS), times(run)], ignore_index=True),
        values=quantities.survey(run, [*regions, "world"]),
        facts=scoring.survey(targets(), run),
    )


@cache
def targets() -> list[Target]:
    """Statements about the world, read once."""
    return load_targets()


def check(folder: Path) -> None:
    """Refuse a run that an older version recorded.

    Raises
    ------
    OldRun
    """
    for table, columns in SIMULATED.items():
        there = set(pq.read_schema(folder / f"{table}.parquet").names)
        if missing := [name for name in columns if name not in there]:
            raise OldRun(f"{folder}: {table} has no column {missing[0]}: an older version made it. Run it again, then report it.")


def rows(run: Run, folder: Path) -> Iterator[tuple[str, str, str, float, float]]:
    """Rows of every figure."""
    for figure in FIGURES:
        yield from figure(run)
    yield from ratings(run, folder)


def monthly(run: Run) -> pd.DataFrame:
    """Recorded months, with the calendar year."""
    months = run.months[run.months["month"] >= 0]
    return months.assign(year=pd.PeriodIndex(months["at"]).year.astype(float))


def issuance(run: Run) -> Iterator[tuple[Any, ...]]:
    """USD bn raised in a year, by channel; refinancing and take-outs pay for nothing new and are left out."""
    deals = building(run, "world").assign(
        year=lambda d: pd.PeriodIndex(d["at"]).year.astype(float), group=lambda d: d["channel"].map(CHANNELS)
    )
    for (region, group, year), usd in deals.groupby(["region", "group", "year"])["notional"].sum().items():
        yield "issuance", region, group, year, usd / BN
    for column, name in {"issuance_bonds": "bonds of clouds", "private_equity": "private equity"}.items():
        for (region, year), usd in monthly(run).groupby(["region", "year"])[column].sum().items():
            yield "issuance", region, name, year, usd / BN


def times(run: Run) -> pd.DataFrame:
    """Spreads and cost of capital by quarter: the last month of each."""
    months = monthly(run)
    months = months[months["month"] % 3 == 2].assign(at=lambda m: decimal(pd.PeriodIndex(m["at"])))
    found = []
    for figure, series, column, scale in (
        ("spread", "spread", "spread", 1e4),
        ("cost", "cost of capital", "cost_of_capital", 100.0),
        ("cost", "base rate", "base_rate", 100.0),
        ("rent", "rent", "rent", 1.0),
    ):
        values = months[["region", "at"]].assign(figure=figure, series=series, value=scale * months[column])
        found.append(values.dropna(subset=["value"]))
    return pd.concat(found)[COLUMNS]


def decimal(at: pd.PeriodIndex) -> np.ndarray:
    """Months as decimal years, at their start."""
    return np.asarray(at.year + (at.month - 1) / MONTHS, dtype=float)


def stack(run: Run) -> Iterator[tuple[Any, ...]]:
    """Parts of the cost that classes and the sponsor pay, of all deals that build and by channel, weighted by cost."""
    deals = building(run, "world").assign(group=lambda d: d["channel"].map(CHANNELS))
    for region, mine in deals.groupby("region"):
        for group, own in [("all deals", mine), *mine.groupby("group")]:
            cost = own["budget"].sum()
            if cost <= 0.0:
                continue
            parts = {name: own[f"notional_{name}"].fillna(0.0).sum() / cost for name in ("senior", "mezzanine")}
            parts["equity"] = 1.0 - sum(parts.values())
            for name, share in parts.items():
                yield "stack", region, f"{group}|{name}", np.nan, 100.0 * share


def templates(run: Run) -> Iterator[tuple[Any, ...]]:
    """USD bn of notional by the template whose terms deals that build have."""
    for template, usd in building(run, "world").groupby("template")["notional"].sum().items():
        yield "templates", "world", template, np.nan, usd / BN


def waits(run: Run) -> Iterator[tuple[Any, ...]]:
    """Months from plan to money, by channel with which anything was built."""
    months, used = closing(run), building(run, "world").groupby(["region", "channel"]).size()
    for region, channel in used.index:
        yield "waits", region, channel, np.nan, float(months[region, channel])


def vintage(run: Run) -> Iterator[tuple[Any, ...]]:
    """GPU mn installed at the end of a year, by age."""
    months = monthly(run)
    ends = months[pd.PeriodIndex(months["at"]).month == MONTHS]
    for column, age in AGES.items():
        for region, year, units in zip(ends["region"], ends["year"], ends[column], strict=True):
            yield "vintage", region, age, year, units / 1e6


def race(run: Run) -> Iterator[tuple[Any, ...]]:
    """Each lab's share of all users' payments, by quarter."""
    agents = run.tables["agents"]
    labs = agents[(agents["kind"] == "lab") & (agents["month"] >= 0) & (agents["month"] % 3 == 2)]
    total = labs.groupby("month")["revenue"].sum()
    at = decimal(pd.PeriodIndex(pd.to_datetime(labs["date"]), freq="M"))
    for region, name, month, when, paid in zip(labs["region"], labs["agent"], labs["month"], at, labs["revenue"], strict=True):
        if total[month] > 0.0:
            yield "race", region, f"lab {name}", when, 100.0 * paid / total[month]


def holders(run: Run) -> Iterator[tuple[Any, ...]]:
    """USD mn of principal lost, by who held it."""
    months = monthly(run)
    for kind, name in HOLDERS.items():
        for region, usd in months.groupby("region")[f"lost_by_{kind}"].sum().items():
            if usd >= 1.0:
                yield "holders", region, name, np.nan, usd / 1e6


def network(run: Run) -> Iterator[tuple[Any, ...]]:
    """USD bn of notional that sponsors have built with for each tenant."""
    deals = building(run, "world").dropna(subset=["tenant"])
    for (region, sponsor, tenant), usd in deals.groupby(["region", "sponsor", "tenant"])["notional"].sum().items():
        yield "network", region, f"{sponsor}|{tenant}", np.nan, usd / BN


def timeline(run: Run) -> Iterator[tuple[Any, ...]]:
    """Capital spending, its falls, defaults by quarter, and rules and failures one by one."""
    months = monthly(run)
    for region, own in months.groupby("region"):
        own = own.sort_values("month")
        at = decimal(pd.PeriodIndex(own["at"]))
        level = own["capex"].rolling(6, min_periods=1).mean() * MONTHS / BN
        for when, usd in zip(at, level, strict=True):
            yield "timeline", region, "capital spending", when, usd
        for quarter, number in own.groupby(own["month"] // 3)["defaults"].sum().items():
            yield "timeline", region, "defaults", at[0] + quarter / 4.0, float(number)
        yield from falls(region, pd.Series(own["capex"].to_numpy(), pd.to_datetime(own["date"])))
    yield from noted(run)


def falls(region: str, capex: pd.Series) -> Iterator[tuple[Any, ...]]:
    """Peak, trough and depth of every fall."""
    for fall in episodes(capex):
        peak, trough = (float(decimal(pd.PeriodIndex([fall[name]], freq="M"))[0]) for name in ("peak", "trough"))
        yield "episodes", region, f"{fall['peak'][:7]} to {fall['trough'][:7]}|{trough}", peak, 100.0 * fall["depth"]


def noted(run: Run) -> Iterator[tuple[Any, ...]]:
    """Rules and failures."""
    events = run.tables["events"]
    events = events[events["kind"].isin(NOTED) & (events["month"] >= 0)]
    at = decimal(pd.PeriodIndex(pd.to_datetime(events["date"]), freq="M"))
    for kind, region, party, text, when, usd in zip(
        *(events[name] for name in ("kind", "region", "party", "text")), at, events["amount"], strict=True
    ):
        yield "events", region, f"{kind}|{party}|{text}", when, float(usd)


def ratings(run: Run, folder: Path) -> Iterator[tuple[Any, ...]]:
    """Share of debt by letter, at the end of every year."""
    months = run.months
    ends = months.loc[(months["month"] >= 0) & (pd.PeriodIndex(months["at"]).month == MONTHS), "month"].unique().tolist()
    columns = ["month", "date", "deal", "balance", "rating"]
    owed = pd.read_parquet(folder / "tranches.parquet", columns=columns, filters=[("month", "in", ends)]) if ends else None
    if owed is None or owed.empty:
        return
    owed = owed.merge(run.tables["deals"][["deal", "region"]], on="deal")
    owed["year"] = pd.to_datetime(owed["date"]).dt.year.astype(float)
    whole = owed.groupby(["region", "year"])["balance"].sum()
    for grade, letters in GRADES.items():
        part = owed[owed["rating"].isin(letters)].groupby(["region", "year"])["balance"].sum()
        for (region, year), share in (100.0 * part / whole).dropna().items():
            yield "ratings", region, grade, year, share


FIGURES: Final[tuple[Callable[[Run], Iterator[tuple[Any, ...]]], ...]] = (
    *(issuance, stack, templates, waits, vintage, race, holders, network, timeline),
)
