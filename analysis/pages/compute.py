"""Figures of compute and of those who use and fund it: its age and rent, the race of labs, losses by holder."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from analysis.pages import charts
from analysis.pages.charts import AMBER, BLUE, GREEN, GREY, PINK, RED, SKY, VIOLET, Line
from analysis.pages.figures import (
    Drawer,
    Drawn,
    Panel,
    frame,
    heads,
    mean_of,
    one_run,
    over,
    ranges,
    shares,
    spoken,
    table_of,
    widest,
    within,
)
from analysis.pages.gather import Gathered
from analysis.pages.words import AGES, digits, listing, percent, place, region, times

LABS: Final = (BLUE, RED, GREEN, AMBER, SKY, PINK, VIOLET, GREY)


def rent_title(sides: Sequence[Gathered]) -> str:
    """How compute gets cheaper."""
    at = widest(sides, "rent", "rent")
    fall = []
    for side in (sides[0], sides[-1]):
        found = mean_of(side, "rent", at, "rent")
        years = found.index[-1] - found.index[0]
        fall.append(percent(1.0 - (found.iloc[-1] / found.iloc[0]) ** (1.0 / years) if years > 0 else np.nan))
    if len(sides) > 1:
        if fall[0] == fall[1]:
            return f"In {place(at)}, rent falls by {fall[0]} a year under {sides[0].label} and {sides[-1].label} alike"
        return f"In {place(at)}, rent falls by {fall[1]} a year under {sides[-1].label}, {fall[0]} under {sides[0].label}"
    return f"The rent of compute falls by {fall[0]} a year in {place(at)}"


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
    nobody = all(text.startswith("nobody ") for text in said)
    title = "Nobody loses principal " if nobody else "The largest part of losses falls on "
    title += listing([text.removeprefix("nobody ") for text in said] if nobody else said)
    note = "Principal written off, by who held it when it was." + ranges(sides)
    note += " Black lines hold four of five runs." if any(len(side.runs) > 1 for side in sides) else ""
    return Drawn("holders", title, note, panels, table_of(sides, "holders", "Losses by holder", "USD mn", extra="holder"))


rent: Final = over("rent", "rent", "USD/GPU-hour", rent_title, "Posted rent of the newest chip, per H100-equivalent.")
