"""What every figure is made of: panels, tables, words about regimes, and lines over time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from analysis.pages import charts, facts
from analysis.pages.charts import SIDES, Line
from analysis.pages.gather import Gathered
from analysis.pages.words import listing, months, percent, place, region


@dataclass(frozen=True)
class Panel:
    """One drawing, what it is of, and the same in words for those who cannot see it."""

    head: str
    svg: str


@dataclass(frozen=True)
class Table:
    """What stands in the file for everybody to check: columns with units, rows of numbers and words."""

    id: str
    caption: str
    columns: list[str]
    rows: list[list[Any]]
    open: bool = False  # shown from the start, and on paper


@dataclass(frozen=True)
class Drawn:
    """A figure of the page."""

    id: str
    title: str
    note: str
    panels: list[Panel] = field(default_factory=list)
    table: Table | None = None
    points: list[str] = field(default_factory=list)


class Drawer:
    """Numbers drawings, so that the same page has the same bytes."""

    def __init__(self) -> None:
        self.numbers = count(1)

    def panel(self, head: str, figure: Any, alt: str) -> Panel:
        """A drawing under its heading."""
        return Panel(head, charts.svg(figure, alt, self.numbers))


def within(at: str, side: Gathered, sides: Sequence[Gathered]) -> str:
    """Region, and among several regimes the regime, as part of a sentence."""
    return f"in {place(at)} under {side.label}" if len(sides) > 1 else f"in {place(at)}"


def spoken(at: str, side: Gathered, sides: Sequence[Gathered]) -> bool:
    """Whether a title speaks of it: of several regimes the first and the last, in the first region they share."""
    if len(sides) == 1:
        return True
    shared = [where for where in sides[0].regions if where in sides[-1].regions]
    return side.label in (sides[0].label, sides[-1].label) and (not shared or at == shared[0])


def shares(found: Mapping[tuple[str, str], float], sides: Sequence[Gathered]) -> str:
    """Shares by regime and region in words; of several regimes the first and the last, where they differ most."""
    first, last = sides[0].label, sides[-1].label
    both = [at for label, at in found if label == first and (last, at) in found]
    if len(sides) > 1 and both:
        at = max(both, key=lambda at: abs(found[last, at] - found[first, at]))
        return f"{percent(found[last, at])} under {last}, {percent(found[first, at])} under {first}, in {place(at)}"
    under = {label: f" under {label}" * (len(sides) > 1) for label, _ in found}
    return listing([f"{percent(value)} in {place(at)}{under[label]}" for (label, at), value in found.items()])


def heads(sides: Sequence[Gathered]) -> Iterator[tuple[Gathered, str, str]]:
    """Every regime in every of its regions, and the heading of its panel."""
    for place_ in ("us", "china"):
        for side in sides:
            if place_ in side.regions:
                yield side, place_, f"{region(place_)}, {side.label}" if len(sides) > 1 else region(place_)


def frame(side: Gathered, figure: str, place_: str, names: Sequence[str]) -> pd.DataFrame:
    """A figure's numbers in one region: a row a time, a column a series, in a fixed order."""
    rows = side.of(figure)
    rows = rows[rows["region"] == place_]
    table = rows.pivot_table(index="at", columns="series", values="value", aggfunc="first")
    return table[[name for name in names if name in table]]


def table_of(sides: Sequence[Gathered], figure: str, caption: str, unit: str, at: str = "year", extra: str = "") -> Table:
    """The table behind a figure; ranges where there are many runs."""
    many = any(len(side.runs) > 1 and side.of(figure)["low"].notna().any() for side in sides)
    timed = any(side.of(figure)["at"].notna().any() for side in sides)
    columns = [*(["scenario"] if len(sides) > 1 else []), "region", extra or "series", *([at] if timed else []), unit]
    columns += ["10th percentile", "90th percentile"] * many
    rows = []
    for side in sides:
        for row in side.of(figure).itertuples():
            head = [side.label] * (len(sides) > 1) + [region(row.region), row.series.replace("|", ", ")]
            when = [months(row.at) if at == "month" else f"{row.at:g}"] * timed
            rows.append([*head, *when, row.value, *([row.low, row.high] if many else [])])
    return Table(f"t-{figure}", caption, columns, rows)


def ranges(sides: Sequence[Gathered]) -> str:
    """What bars and lines are where there are many runs."""
    return f" Means of {max(len(side.runs) for side in sides)} runs." if any(len(side.runs) > 1 for side in sides) else ""


def over(figure: str, name: str, unit: str, title: Callable[..., str], note: str) -> Callable[..., Drawn | None]:
    """A figure of one number over time, regimes over each other."""

    def draw(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
        panels = []
        for at in ("us", "china"):
            found = [line(side, figure, at, name, colour, len(sides)) for side, colour in zip(sides, SIDES, strict=False)]
            shown = [each for each in found if each is not None]
            if not shown:
                continue
            drawing, axis = charts.axes(unit)
            charts.lines(axis, shown)
            facts.mark(axis, figure, at)
            panels.append(drawer.panel(region(at), drawing, f"{name} over time, {region(at)}"))
        if not panels:
            return None
        spread = " Bands hold four of five runs." if any(len(side.runs) > 1 for side in sides) else ""
        table = table_of(sides, figure, f"{name[0].upper()}{name[1:]} by quarter", unit, at="month")
        return Drawn(figure, titled(title, sides), note + ranges(sides) + spread, panels, table, facts.said(figure, sides[0]))

    return draw


def titled(title: Callable[..., str], sides: Sequence[Gathered]) -> str:
    """What a figure found; regimes without a common region are not held against each other."""
    if len(sides) > 1 and not set(sides[0].regions) & set(sides[-1].regions):
        return "; ".join(f"{title([side])} under {side.label}" for side in sides)
    return title(sides)


def line(side: Gathered, figure: str, at: str, name: str, colour: str, sides: int) -> Line | None:
    """One regime's line."""
    rows = side.of(figure)
    rows = rows[(rows["region"] == at) & (rows["series"] == name)].sort_values("at")
    if rows.empty:
        return None
    many = len(side.runs) > 1
    low, high = (rows["low"].to_numpy(), rows["high"].to_numpy()) if many else (None, None)
    return Line(side.label if sides > 1 else name, colour, rows["at"].to_numpy(), rows["value"].to_numpy(), low, high)


def mean_of(side: Gathered, figure: str, at: str, name: str) -> pd.Series:
    """A figure's numbers over time."""
    rows = side.of(figure)
    return rows[(rows["region"] == at) & (rows["series"] == name)].set_index("at")["value"]


def widest(sides: Sequence[Gathered], figure: str, name: str) -> str:
    """The region in which two regimes differ most; of one regime, the first."""
    common = [at for at in ("us", "china") if all(at in side.regions for side in sides)] or sides[0].regions
    if len(sides) < 2 or len(common) < 2:
        return common[0]
    gaps = {at: abs(np.subtract(*(mean_of(side, figure, at, name).mean() for side in (sides[0], sides[-1])))) for at in common}
    return max(gaps, key=lambda at: gaps[at])


def one_run(side: Gathered, sides: int) -> str:
    """Which run an example is."""
    seed = side.runs[0].rsplit("-seed", 1)[-1].split("-")[0] if "-seed" in side.runs[0] else side.runs[0]
    return f"{side.label}, seed {seed}" if sides > 1 or len(side.runs) > 1 else f"seed {seed}"
