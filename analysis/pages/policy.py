"""The table of policies, and what it says: cost against benefit, with intervals."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from analysis.decisions.differing import ZERO, Difference
from analysis.decisions.policies import Effect, Policies, effects
from analysis.pages import charts
from analysis.pages.charts import BLUE, GREEN, GREY, INK, RED
from analysis.pages.figures import Drawer, Drawn, Table
from analysis.pages.gather import Gathered
from analysis.pages.page import Section
from analysis.pages.sentences import Sentence
from analysis.pages.words import counted, digits, listing, percent, place, region, usd

TABLE: Final = "t-policies"


def section(found: Policies, sides: Sequence[Gathered], drawer: Drawer) -> Section:
    """All policies, drawn and in a table; those that cannot be tried are named."""
    rows = effects(found, sides)
    panels = []
    for where in order(sides):
        shown = [row for row in rows if row.region == where]
        for key, name, unit in (
            ("not_built", "Cost", "% of compute at the end not built"),
            ("avoided", "Benefit", "% of losses avoided"),
        ):
            panels.append(drawer.panel(f"{name}, {region(where)}", chart(shown, key, unit), f"{name} of policies, {region(where)}"))
    note = "Bars are means over paired seeds, black lines intervals of 95 %; grey where the interval holds zero."
    drawn = Drawn("policies-drawn", title(rows, order(sides)[0]), note, panels, table(rows))
    absent = [f"Not tried: {one.says}; {one.why}." for one in found.missing]
    return Section("policies", "Policies by cost and benefit", figures=[drawn], points=absent)


def order(sides: Sequence[Gathered]) -> list[str]:
    """Regions, the widest first."""
    return [*(["world"] if len(sides[0].regions) > 1 else []), *sides[0].regions]


def title(rows: Sequence[Effect], where: str) -> str:
    """How many policies avoid losses, and how many cost compute."""
    mine = [row for row in rows if row.region == where]
    avoid = sum(row.avoided.certain and row.avoided.difference > 0.0 for row in mine)
    cost = sum(row.not_built.certain and row.not_built.difference > 0.0 for row in mine)
    parts = f"{avoid or 'none'} surely avoiding losses, {cost or 'none'} surely costing compute"
    return f"Of {counted(len(mine), 'policy', 'policies')}, in {place(where)}: {parts}"


def share(saved: Difference, key: str) -> float:
    """A saving, or a bound of it, in per cent of the base."""
    return 100.0 * getattr(saved, key) / saved.second if saved.second else np.nan


def chart(rows: Sequence[Effect], key: str, unit: str) -> Any:
    """Savings of one kind by policy, relative to the base; what is negative is more, not less."""
    saved = [getattr(row, key) for row in rows]
    value, low, high = (np.clip([share(one, bound) for one in saved], -200.0, 200.0) for bound in ("difference", "low", "high"))
    good = {"not_built": (RED, BLUE), "avoided": (GREEN, RED)}[key]
    colours = [(good[0] if one.difference > 0.0 else good[1]) if one.certain else GREY for one in saved]
    figure, axis = charts.axes(unit, 0.62 + 0.3 * len(rows), labels=0.14, left=0.45)
    names = [row.policy.says if len(row.policy.says) < 30 else f"{row.policy.says[:28]}…" for row in rows]
    charts.bars(axis, names, value, colours, low, high, [percent(v / 100.0, True) for v in value])
    axis.axvline(0.0, color=INK, linewidth=0.7)
    return figure


def table(rows: Sequence[Effect]) -> Table:
    """Every policy in every region."""
    columns = ["policy", "scenario", "region"]
    for name in (
        "compute not built, GPU mn",
        "spending forgone, USD bn a year",
        "losses avoided, USD bn",
        "falls shallower, % of peak",
    ):
        columns += [name, "interval, how sure"]
    columns += ["losses avoided per 1,000 USD of spending forgone, USD", "interval"]
    found = []
    for row in rows:
        cells: list[Any] = [row.policy.says, row.policy.scenario, region(row.region)]
        for saved in (row.not_built, row.forgone, row.avoided, row.shallower):
            cells += [saved.difference, f"{digits(saved.low)} to {digits(saved.high)}, {saved.word}"]
        found.append([*cells, row.ratio, f"{digits(row.low)} to {digits(row.high)}" if np.isfinite(row.ratio) else ""])
    return Table(TABLE, "Policies by cost and benefit; a number below zero is more, not less", columns, found, open=True)


def sentences(found: Policies, sides: Sequence[Gathered]) -> list[Sentence]:
    """The answer in five sentences."""
    rows = effects(found, sides)
    first = title(rows, order(sides)[0])
    idlers = idle([row for row in rows if row.region == order(sides)[0]])
    said = [
        f"Over {counted(len(sides[0].runs), 'paired seed')}, {first[0].lower()}{first[1:]}{idlers}.",
        best(rows),
        dear(rows),
        harm(rows),
        untried(found),
    ]
    return [Sentence(text, TABLE if n < 4 else "policies") for n, text in enumerate(said)]


def untried(found: Policies) -> str:
    """Policies without a mechanism."""
    if not found.missing:
        return f"All {len(found.policies)} policies of the list have a mechanism and were tried."
    return f"The model has no mechanism yet for {listing([one.says for one in found.missing])}, so these are not tried."


def idle(rows: Sequence[Effect]) -> str:
    """Policies that change nothing, to the last bit: in these runs they never act."""
    names = [
        row.policy.says
        for row in rows
        if all(saved.word == ZERO for saved in (row.not_built, row.forgone, row.avoided, row.shallower))
    ]
    return f"; {listing(names)} never act{'s' * (len(names) == 1)} in these runs" if names else ""


def best(rows: Sequence[Effect]) -> str:
    """What avoids most."""
    mine = [row for row in rows if row.avoided.certain and row.avoided.difference > 0.0]
    if not mine:
        return "No policy surely avoids losses of principal; the intervals hold zero, or what is avoided is too small to matter."
    top = max(mine, key=lambda row: row.avoided.difference)
    size = f"{usd(top.avoided.difference)} in {place(top.region)}, {percent(top.avoided.difference / top.avoided.second)}"
    return f"Most losses are avoided by {top.policy.says}: {size} of those without it."


def dear(rows: Sequence[Effect]) -> str:
    """What costs most compute."""
    mine = [row for row in rows if row.not_built.certain and row.not_built.difference > 0.0]
    if not mine:
        return "No policy surely costs compute."
    top = max(mine, key=lambda row: row.not_built.difference / row.not_built.second)
    size = (
        f"{digits(top.not_built.difference)} million H100-equivalents ({percent(top.not_built.difference / top.not_built.second)})"
    )
    return f"The dearest is {top.policy.says}: {size} less at the end in {place(top.region)}."


def harm(rows: Sequence[Effect]) -> str:
    """What makes losses larger, or falls deeper or milder, and where."""
    sorts = {
        "losses are surely larger": [row for row in rows if row.avoided.certain and row.avoided.difference < 0.0],
        "falls surely deeper": [row for row in rows if row.shallower.certain and row.shallower.difference < 0.0],
        "falls surely milder": [row for row in rows if row.shallower.certain and row.shallower.difference > 0.0],
    }
    parts = [f"{what} with {listing(where(mine))}" for what, mine in sorts.items() if mine]
    text = "; ".join(parts) or "no policy surely makes losses larger, or falls deeper or milder"
    return f"{text[0].upper()}{text[1:]}."


def where(rows: Sequence[Effect]) -> list[str]:
    """Each policy once, with the regions in which it does something."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.policy.says, []).append(place(row.region))
    return [f"{says} ({listing(places)})" for says, places in found.items()]
