"""Figures that a strategist expects. Each takes the regimes shown, draws, says what it found, and keeps the table it drew."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.pages import charts, facts
from analysis.pages.charts import AMBER, BLUE, GREEN, GREY, INK, PINK, RED, SIDES, SKY, VIOLET, Line
from analysis.pages.gather import Gathered
from analysis.pages.words import AGES, digits, listing, month, months, percent, place, region, times

CHANNELS: Final = {
    "private credit": BLUE,
    "banks": SKY,
    "campus companies": GREEN,
    "leases of chips": PINK,
    "securities": RED,
    "bonds of clouds": AMBER,
    "private equity": GREY,
}
GRADES: Final = {"Aaa to A": BLUE, "Baa": SKY, "Ba and below": RED, "not rated yet": GREY}
CLASSES: Final = {"senior": ("senior class", BLUE), "mezzanine": ("junior class", AMBER), "equity": ("sponsor", GREEN)}
LABS: Final = (BLUE, RED, GREEN, AMBER, SKY, PINK, VIOLET, GREY)


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


def issuance(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """New capital by channel and year."""
    frames = {(side.label, at): frame(side, "issuance", at, list(CHANNELS)) for side, at, _ in heads(sides)}
    panels = []
    for side, at, head in heads(sides):
        table = frames[side.label, at]
        if table.empty:
            continue
        top = max(float(other.sum(axis=1).max()) for (_, where), other in frames.items() if where == at)
        figure, axis = charts.axes("USD bn raised in the year")
        charts.stacked(axis, table, CHANNELS, top)
        panels.append(drawer.panel(head, figure, f"Capital raised by channel and year, {head}"))
    if not panels:
        return None
    note = "Deals that pay for new units, clouds' bonds and private equity in operators; refinancing and take-outs are left out."
    table = table_of(sides, "issuance", "Capital raised by channel", "USD bn", extra="channel")
    return Drawn("issuance", issuance_title(sides, frames), note + ranges(sides), panels, table)


def issuance_title(sides: Sequence[Gathered], frames: dict[tuple[str, str], pd.DataFrame]) -> str:
    """The channel that leads; between regimes, the channel whose share differs most."""
    shares = {key: table.sum() / table.to_numpy().sum() for key, table in frames.items() if table.to_numpy().sum() > 0.0}
    first, last = sides[0].label, sides[-1].label
    best: tuple[float, str, str] = (0.0, "", "")
    for _, at in [key for key in shares if key[0] == first and (last, key[1]) in shares]:
        gaps = shares[last, at].reindex(list(CHANNELS), fill_value=0.0) - shares[first, at].reindex(list(CHANNELS), fill_value=0.0)
        best = max(best, (float(gaps.abs().max()), at, str(gaps.abs().idxmax())))
    if len(sides) > 1 and best[0] > 0.0:
        _, at, name = best
        one, other = (percent(shares[label, at].get(name, 0.0)) for label in (first, last))
        return f"In {place(at)}, {name} bring {other} of new capital under {last}, {one} under {first}".replace(
            "private credit bring", "private credit brings"
        ).replace("private equity bring", "private equity brings")
    (label, at), share = next(iter(shares.items()))
    tops = share.sort_values(ascending=False)
    parts = [f"{name} {percent(part)}" for name, part in tops.head(2).items()]
    return f"In {place(at)}, new capital comes as {' and '.join(parts)}" + (f" under {label}" if len(sides) > 1 else "")


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


def spread_title(sides: Sequence[Gathered]) -> str:
    """How wide spreads get."""
    at = widest(sides, "spread", "spread")
    if len(sides) > 1:
        one, other = (mean_of(side, "spread", at, "spread").mean() for side in (sides[0], sides[-1]))
        return (
            f"In {place(at)}, spreads average {digits(other)} bp under {sides[-1].label}, {digits(one)} bp under {sides[0].label}"
        )
    found = mean_of(sides[0], "spread", at, "spread")
    return (
        f"In {place(at)}, spreads run between {digits(found.min())} and {digits(found.max())} bp, widest in {month(found.idxmax())}"
    )


def widest(sides: Sequence[Gathered], figure: str, name: str) -> str:
    """The region in which two regimes differ most; of one regime, the first."""
    common = [at for at in ("us", "china") if all(at in side.regions for side in sides)] or sides[0].regions
    if len(sides) < 2 or len(common) < 2:
        return common[0]
    gaps = {at: abs(np.subtract(*(mean_of(side, figure, at, name).mean() for side in (sides[0], sides[-1])))) for at in common}
    return max(gaps, key=lambda at: gaps[at])


def cost_title(sides: Sequence[Gathered]) -> str:
    """What capital costs."""
    at = widest(sides, "cost", "cost of capital")
    if len(sides) > 1:
        one, other = (mean_of(side, "cost", at, "cost of capital").mean() for side in (sides[0], sides[-1]))
        rates = f"{digits(other)} % a year under {sides[-1].label}, {digits(one)} % under {sides[0].label}"
        return f"In {place(at)}, capital costs {rates}"
    found = mean_of(sides[0], "cost", at, "cost of capital")
    return f"Capital costs between {digits(found.min())} and {digits(found.max())} % a year in {place(at)}"


def rent_title(sides: Sequence[Gathered]) -> str:
    """How compute gets cheaper."""
    at = widest(sides, "rent", "rent")
    fall = []
    for side in (sides[0], sides[-1]):
        found = mean_of(side, "rent", at, "rent")
        years = found.index[-1] - found.index[0]
        fall.append(percent(1.0 - (found.iloc[-1] / found.iloc[0]) ** (1.0 / years) if years > 0 else np.nan))
    if len(sides) > 1:
        return f"In {place(at)}, rent falls by {fall[1]} a year under {sides[-1].label}, {fall[0]} under {sides[0].label}"
    return f"The rent of compute falls by {fall[0]} a year in {place(at)}"


def ratings(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """Letters of the debt outstanding."""
    panels: list[Panel] = []
    ends: dict[tuple[str, str], float] = {}
    for side, at, head in heads(sides):
        table = frame(side, "ratings", at, list(GRADES))
        if table.empty:
            continue
        figure, axis = charts.axes("% of debt outstanding at the year's end")
        charts.stacked(axis, table, GRADES, charts.WHOLE)
        panels.append(drawer.panel(head, figure, f"Debt by letter and year, {head}"))
        good = table.iloc[-1].reindex(["Aaa to A", "Baa"]).fillna(0.0).sum() / 100.0
        ends[side.label, at], year = good, table.index[-1]
    if not panels:
        return None
    title = f"At the end of {year:.0f}, debt rated Baa or better is {shares(ends, sides)}"
    table = table_of(sides, "ratings", "Debt by letter", "% of debt", extra="letters")
    return Drawn("ratings", title, "Letters of the agencies that sponsors mandate." + ranges(sides), panels, table)


def stack(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """Who pays for the average deal."""
    panels: list[Panel] = []
    said: dict[tuple[str, str], float] = {}
    for side, at, head in heads(sides):
        rows = side.of("stack")
        rows = rows[rows["region"] == at]
        parts = rows.assign(group=rows["series"].str.split("|").str[0], part=rows["series"].str.split("|").str[1])
        table = parts.pivot_table(index="group", columns="part", values="value", aggfunc="first")
        if table.empty:
            continue
        groups = ["all deals", *[name for name in CHANNELS if name in table.index]]
        table = table.reindex(index=groups, columns=list(CLASSES)).fillna(0.0)
        panels.append(drawer.panel(head, stack_chart(table, at), f"Parts of cost by class and channel, {head}"))
        said[side.label, at] = table.loc["all deals", "senior"] / 100.0
    if not panels:
        return None
    title = f"The senior class of the average deal pays for {shares(said, sides)}"
    note = "Parts of what the units cost, of deals that build, weighted by cost; the rest of the cost is the sponsor's equity."
    table_ = table_of(sides, "stack", "Capital stack by channel", "% of cost", extra="channel and class")
    return Drawn("stack", title, note + ranges(sides), panels, table_, facts.said("stack", sides[0]))


def stack_chart(table: pd.DataFrame, place_: str) -> Any:
    """Lying bars of parts that add up to the cost."""
    height = 0.62 + 0.29 * len(table)
    figure, axis = charts.axes("% of cost", height=height, labels=0.03, left=0.32)
    at, base = np.arange(len(table))[::-1], np.zeros(len(table))
    for name, (_, colour) in CLASSES.items():
        value = table[name].to_numpy()
        axis.barh(at, value, left=base, color=colour, height=0.66, linewidth=0)
        for y, left, width in zip(at, base, value, strict=True):
            if width > 7.0:
                axis.text(left + width / 2.0, y, f"{width:.0f}", ha="center", va="center", fontsize=8, color="white")
        base += value
    for n, fact in facts.numbered("stack"):
        if fact.region == place_ and fact.series in table.index:
            row = float(at[list(table.index).index(fact.series)])
            facts.diamond(axis, fact.value, row, n, [fact.low, fact.high], [row, row])
    axis.set_yticks(at, list(table.index))
    axis.set_xlim(0.0, 100.0)
    axis.grid(False)
    for left, (says, colour) in zip((0.25, 0.47, 0.67), CLASSES.values(), strict=True):
        figure.text(left, 1.0 - 0.03 / height, "■", color=colour, va="top", fontsize=8.5)
        figure.text(left + 0.035, 1.0 - 0.03 / height, says, color=INK, va="top", fontsize=8)
    return figure


def vintage(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """What is installed, by age."""
    colours = dict(zip(AGES.values(), charts.AGES, strict=True))
    panels: list[Panel] = []
    ends: dict[tuple[str, str], float] = {}
    for side, at, head in heads(sides):
        table = frame(side, "vintage", at, list(AGES.values()))
        if table.empty:
            continue
        figure, axis = charts.axes("GPU mn installed at the year's end")
        charts.stacked(axis, table[list(reversed(table.columns))], colours)
        panels.append(drawer.panel(head, figure, f"Installed units by age and year, {head}"))
        last = table.iloc[-1]
        ends[side.label, at] = float(last.iloc[3:].sum() / last.sum()) if last.sum() else np.nan
    if not panels:
        return None
    title = f"At the end, units ordered three years ago or more are {shares(ends, sides)}"
    note = "H100-equivalents that deals and clouds have installed, by years since they were ordered."
    table_ = table_of(sides, "vintage", "Installed units by age", "GPU mn", extra="age")
    return Drawn("vintage", title, note + ranges(sides), panels, table_)


def race(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """Labs' shares of what users pay, in one run of each regime."""
    panels, said = [], []
    for side in sides:
        rows = side.of("race")
        if rows.empty:
            continue
        table = rows.assign(
            name=[f"{'US' if at == 'us' else region(at)} {name}" for at, name in zip(rows["region"], rows["series"], strict=True)]
        )
        table = table.pivot_table(index="at", columns="name", values="value", aggfunc="first").fillna(0.0)
        tops = table.mean().sort_values(ascending=False).index[: len(LABS)]
        figure, axis = charts.axes("% of all users' payments")
        charts.lines(axis, [Line(n, c, table.index.to_numpy(), table[n].to_numpy()) for n, c in zip(tops, LABS, strict=False)])
        panels.append(drawer.panel(one_run(side, len(sides)), figure, f"Shares of users' payments by lab, {side.label}"))
        leader = table.idxmax(axis=1)
        changes = int((leader != leader.shift()).sum()) - 1
        under = f" under {side.label}" if len(sides) > 1 else ""
        if side.label not in (sides[0].label, sides[-1].label):
            continue
        said.append(f"{times(changes)}{under}, {leader.iloc[-1]} last with {digits(table.iloc[-1].max())} %")
    if not panels:
        return None
    title = f"The lead among labs changes {'; '.join(said)}"
    table_ = table_of(sides, "race", "Shares of users' payments", "% of payments", at="month", extra="lab")
    return Drawn("race", title, "One run stands for all, for labs have no names that carry over from seed to seed.", panels, table_)


def one_run(side: Gathered, sides: int) -> str:
    """Which run an example is."""
    seed = side.runs[0].rsplit("-seed", 1)[-1].split("-")[0] if "-seed" in side.runs[0] else side.runs[0]
    return f"{side.label}, seed {seed}" if sides > 1 or len(side.runs) > 1 else f"seed {seed}"


def holders(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """Who lost principal."""
    panels, said = [], []
    for side, at, head in heads(sides):
        rows = side.of("holders")
        rows = rows[(rows["region"] == at) & (rows["value"] > 0.0)].sort_values("value", ascending=False)
        if rows.empty:
            said += [f"nobody {within(at, side, sides)}"] * spoken(at, side, sides)
            continue
        scale, unit = (1e3, "USD bn") if rows["value"].max() >= 1e3 else (1.0, "USD mn")
        figure, axis = charts.axes(f"{unit} of principal lost over the run", 0.7 + 0.24 * len(rows), labels=0.17, left=0.42)
        many = rows["runs"].max() > 1
        low, high = ((rows[name].to_numpy() / scale) for name in ("low", "high")) if many else (None, None)
        value = rows["value"].to_numpy() / scale
        charts.bars(axis, rows["series"].tolist(), value, [BLUE] * len(rows), low, high, [digits(v) for v in value])
        panels.append(drawer.panel(head, figure, f"Losses by holder, {head}"))
        total = rows["value"].sum()
        told = f"{rows.iloc[0]['series']} ({percent(rows.iloc[0]['value'] / total)}) {within(at, side, sides)}"
        said += [told] * spoken(at, side, sides)
    if not panels:
        return Drawn("holders", "No holder lost any principal", "Losses are principal written off after a sale of the collateral.")
    title = f"The largest part of losses falls on {listing(said)}"
    note = "Principal written off, by who held it when it was." + ranges(sides)
    note += " Black lines hold four of five runs." if any(len(side.runs) > 1 for side in sides) else ""
    return Drawn("holders", title, note, panels, table_of(sides, "holders", "Losses by holder", "USD mn", extra="holder"))


TERMS: Final = (
    over("spread", "spread", "basis points over the base rate", spread_title, "What new deals pay, at the end of each quarter."),
    over("cost", "cost of capital", "% a year", cost_title, "The rate at which labs and operators decide."),
)
rent: Final = over("rent", "rent", "USD/GPU-hour", rent_title, "Posted rent of the newest chip, per H100-equivalent.")
