"""Figures of capital: through which channels it comes, what it costs, how it is rated and layered."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.pages import charts, facts
from analysis.pages.charts import AMBER, BLUE, GREEN, GREY, INK, PAPER, PINK, RED, SKY
from analysis.pages.figures import Drawer, Drawn, Panel, frame, heads, mean_of, over, ranges, shares, table_of, widest
from analysis.pages.gather import Gathered
from analysis.pages.words import digits, month, percent, place

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


def cost_title(sides: Sequence[Gathered]) -> str:
    """What capital costs."""
    at = widest(sides, "cost", "cost of capital")
    if len(sides) > 1:
        one, other = (mean_of(side, "cost", at, "cost of capital").mean() for side in (sides[0], sides[-1]))
        rates = f"{digits(other)} % a year under {sides[-1].label}, {digits(one)} % under {sides[0].label}"
        return f"In {place(at)}, capital costs {rates}"
    found = mean_of(sides[0], "cost", at, "cost of capital")
    return f"Capital costs between {digits(found.min())} and {digits(found.max())} % a year in {place(at)}"


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
                axis.text(left + width / 2.0, y, f"{width:.0f}", ha="center", va="center", fontsize=8, color=PAPER)
        base += value
    for n, fact in facts.numbered("stack"):
        if fact.region == place_ and fact.series in table.index:
            row = float(at[list(table.index).index(fact.series)])
            facts.diamond(axis, fact.value, row, n, [fact.low, fact.high], [row, row])
    axis.set_yticks(at, list(table.index))
    axis.set_xlim(0.0, 100.0)
    axis.grid(False)
    for x, (says, colour) in zip((0.25, 0.47, 0.67), CLASSES.values(), strict=True):
        figure.text(x, 1.0 - 0.03 / height, "■", color=colour, va="top", fontsize=8.5)
        figure.text(x + 0.035, 1.0 - 0.03 / height, says, color=INK, va="top", fontsize=8)
    return figure


TERMS: Final = (
    over("spread", "spread", "basis points over the base rate", spread_title, "What new deals pay, at the end of each quarter."),
    over("cost", "cost of capital", "% a year", cost_title, "The rate at which labs and operators decide."),
)
