"""A finished run as a metric sees it: its tables, read when first asked for, and its parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import expm1
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from analysis.panels import LOADER
from sim.columns import COLUMNS
from sim.summary import episodes
from sim.units import MONTHS


class NoValue(Exception):
    """A run in which what a metric measures did not happen, or was not recorded; the text says which."""


class Tables(Mapping[str, pd.DataFrame]):
    """Tables of a run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            self._read[name] = pd.read_parquet(self.folder / f"{name}.parquet")
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


@dataclass(frozen=True)
class Bust:
    """A fall of capital spending: months of its peak and of its trough, and its depth as a share of the peak."""

    peak: pd.Period
    trough: pd.Period
    depth: float


@dataclass(frozen=True)
class Run:
    """Tables as in sim/columns.py, and the resolved configuration as plain values."""

    tables: Mapping[str, pd.DataFrame]
    params: Mapping[str, Any]

    @cached_property
    def months(self) -> pd.DataFrame:
        """``monthly``, with the calendar month as a period."""
        return dated(self.tables["monthly"])

    def series(self, column: str, region: str) -> pd.Series:
        """One recorded column by month; ``world`` adds the regions up."""
        months = self.months if region == "world" else self.months[self.months["region"] == region]
        if months.empty:
            raise NoValue(f"the run has no region {region}")
        return months.groupby("at")[column].sum(min_count=1)

    def over(self, column: str, region: str, first: str, last: str) -> pd.Series:
        """The same from ``first`` to ``last``, each a year or a month; the run must cover all of it."""
        return between(self.series(column, region), first, last)

    def sums(self, column: str, region: str, first: str, last: str) -> float:
        """The same, added up."""
        return float(self.over(column, region, first, last).sum())

    @cached_property
    def deals(self) -> pd.DataFrame:
        """``deals``, with the month of closing as a period and the notional of all classes."""
        deals = self.tables["deals"]
        start = pd.Period(str(self.params["start"])[:10], freq="M")
        return deals.assign(
            at=pd.PeriodIndex.from_ordinals(deals["issued"].astype(int) + start.ordinal, freq="M"),
            notional=deals["notional_senior"] + deals["notional_mezzanine"],
        )

    def flow(self, flow: str, payer: str, payee: str, first: str, last: str) -> float:
        """USD paid for a purpose, in all regions."""
        flows = self.tables["flows"]
        rows = dated(flows[(flows["flow"] == flow) & (flows["payer"] == payer) & (flows["payee"] == payee)])
        return float(rows["usd"][within(pd.PeriodIndex(rows["at"]), first, last)].sum())

    def events(self, kind: str, region: str) -> pd.DataFrame:
        """Events of a kind, with the month as a period."""
        events = self.tables["events"]
        return dated(events[(events["kind"] == kind) & (events["region"] == region)])

    @cached_property
    def balances(self) -> pd.DataFrame:
        """``tranches``, with the month as a period, and region of the deal and what it was sold as."""
        return dated(self.tables["tranches"].merge(self.tables["deals"][["deal", "region", "sold_as"]], on="deal"))

    def busts(self, region: str) -> list[Bust]:
        """Falls of capital spending by 22 % or more, in order."""
        capex = self.series("capex", region)
        capex.index = capex.index.to_timestamp()
        return [Bust(pd.Period(e["peak"], "M"), pd.Period(e["trough"], "M"), e["depth"]) for e in episodes(capex)]

    def bust(self, region: str) -> Bust:
        """The deepest of them."""
        found = self.busts(region)
        if not found:
            raise NoValue("no bust: capital spending never fell by 22 %")
        return max(found, key=lambda bust: bust.depth)


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """A table with the calendar month of its rows as a period."""
    return table.assign(at=pd.PeriodIndex(pd.to_datetime(table["date"]), freq="M"))


def within(at: pd.PeriodIndex, first: str, last: str) -> Any:
    """Which of some months lie from ``first`` to ``last``, each a year or a month."""
    return (at >= pd.Period(first).asfreq("M", "start")) & (at <= pd.Period(last).asfreq("M", "end"))


def between(series: pd.Series, first: str, last: str) -> pd.Series:
    """A monthly series from ``first`` to ``last``; all of these months must be there."""
    begin, end = pd.Period(first).asfreq("M", "start"), pd.Period(last).asfreq("M", "end")
    if series.empty or series.index[0] > begin or series.index[-1] < end:
        raise NoValue(f"the run does not cover {begin} to {end}")
    return series[within(series.index, first, last)]


def open_run(folder: Path) -> Run:
    """The run that left ``folder``."""
    return Run(Tables(folder), yaml.load((folder / "config.yaml").read_text(encoding="utf-8"), LOADER))


def number(value: float, reason: str) -> float:
    """A finite number, or no value for a reason."""
    if not abs(value) < float("inf"):
        raise NoValue(reason)
    return float(value)


def yearly(log_change: float, months: float) -> float:
    """A log change over some months as growth, 1/year."""
    return expm1(log_change * MONTHS / months)
