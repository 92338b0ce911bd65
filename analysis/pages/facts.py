"""Facts beside results: single numbers drawn in figures, and the statements that runs are held against, with distances."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, TypeAdapter

from analysis import scoring
from analysis.pages import charts
from analysis.pages.charts import BAND, GREEN, INK, RED, SIDES
from analysis.pages.gather import Gathered
from analysis.pages.words import digits, percent, region
from analysis.scoring import Score, Verdict
from analysis.targets import BLOCKS, Strict, load

FARTHEST: Final = 4.0  # half-widths of the band beyond which a mark is drawn at the edge
NEAREST: Final = 0.3  # years within which a number stands for a fact's date


class Fact(Strict):
    """One number about the world, and where in which figure it belongs."""

    figure: str
    region: str
    series: str
    at: float | None = None
    low: float
    value: float
    high: float
    unit: str
    says: str
    source: str = Field(min_length=1)


@cache
def facts() -> tuple[Fact, ...]:
    """All of them."""
    return TypeAdapter(tuple[Fact, ...]).validate_python(
        yaml.safe_load((files("analysis.pages") / "facts.yaml").read_text("utf-8"))
    )


def mark(axis: Any, figure: str, place: str) -> None:
    """Numbered diamonds with their ranges at their dates; the axis makes room for them."""
    first, last = axis.get_xlim()
    found = [(n, fact) for n, fact in numbered(figure) if fact.region == place and first <= (fact.at or 0.0) <= last]
    for n, fact in found:
        diamond(axis, fact.at, fact.value, n, [fact.at, fact.at], [fact.low, fact.high])
    if found:
        axis.set_ylim(0.0, max(axis.get_ylim()[1], 1.08 * max(fact.high for _, fact in found)))


def diamond(axis: Any, x: Any, y: Any, n: int, xs: Sequence[Any], ys: Sequence[Any]) -> None:
    """One fact, its range, and its number."""
    axis.plot(xs, ys, color=INK, linewidth=1.0)
    axis.plot([x], [y], marker="D", markersize=4.5, color=INK, markerfacecolor=charts.PAPER)
    axis.annotate(str(n), (x, y), (5, 3), textcoords="offset points", fontsize=7.5, color=INK)


def numbered(figure: str) -> list[tuple[int, Fact]]:
    """A figure's facts, by the numbers at their diamonds."""
    return list(enumerate((fact for fact in facts() if fact.figure == figure), 1))


def shown(table: pd.DataFrame, fact: Fact) -> float:
    """What a regime has where the fact is; NaN where it has nothing."""
    rows = table[(table["figure"] == fact.figure) & (table["region"] == fact.region)]
    if fact.at is None:
        parts = rows[rows["series"].isin([f"{fact.series}|senior", f"{fact.series}|mezzanine"])]
        return float(parts["value"].sum()) if len(parts) else np.nan
    rows = rows[rows["series"] == fact.series]
    gap = (rows["at"] - fact.at).abs()
    return float(rows.loc[gap.idxmin(), "value"]) if len(rows) and gap.min() <= NEAREST else np.nan


def distance(value: float, low: float, high: float) -> str:
    """How far a number lies from a range, in words."""
    if not np.isfinite(value):
        return "not measurable"
    if low <= value <= high:
        return "inside"
    edge, word = (high, "above") if value > high else (low, "below")
    gap = abs(value - edge)
    return f"{digits(gap)} {word}" + (f" ({percent(gap / abs(edge))})" if edge else "")


def said(figure: str, side: Gathered) -> list[str]:
    """The facts of a figure with their distances from a regime, one a line, by the numbers at their diamonds."""
    found = [(n, fact, shown(side.table, fact)) for n, fact in numbered(figure)]
    return [
        f"◇ {n}  {fact.says[0].upper()}{fact.says[1:]}, {region(fact.region)}: {digits(fact.value)} {fact.unit}. "
        f"{side.label}: {digits(value)}, {distance(value, fact.low, fact.high)}. Source: {fact.source}."
        for n, fact, value in found
        if np.isfinite(value)
    ]


def verdicts(side: Gathered) -> list[Verdict]:
    """Every statement about the world and what a regime's runs say of it."""
    return scoring.judge(load(), side.facts) if side.facts else []


def rows(sides: Sequence[Gathered]) -> list[list[Any]]:
    """One row a fact: statement, band or range, what each regime has, and its distance."""
    found = []
    judged = [verdicts(side) for side in sides]
    for at, verdict in enumerate(judged[0]):
        for j, score in enumerate(verdict.scores):
            mine = [each[at].scores[j].value for each in judged]
            check = score.check
            name = f"{verdict.target.says} {f'({check.says})' if check.says else ''}".strip()
            found.append(entry(name, check.low, check.high, check.unit, mine, verdict.target.source, score.reason))
    for fact in facts():
        mine = [shown(side.table, fact) for side in sides]
        name = f"{fact.says[0].upper()}{fact.says[1:]}, {region(fact.region)}"
        found.append(entry(name, fact.low, fact.high, fact.unit, mine, fact.source, "no such number in these runs"))
    return found


def entry(name: str, low: float, high: float, unit: str, mine: Sequence[Any], source: str, reason: str) -> list[Any]:
    """A row of the table of facts."""
    numbers = [np.nan if value is None else float(value) for value in mine]
    words = [distance(value, low, high) if np.isfinite(value) else f"not measurable: {reason}" for value in numbers]
    pairs = [cell for pair in zip(numbers, words, strict=True) for cell in pair]
    return [name, low, high, unit, *pairs, source]


def measurable(sides: Sequence[Gathered]) -> list[tuple[str, str, Score, list[float]]]:
    """Block, short name, score of the first regime and values of all, of every check that the first regime can be held against."""
    found: list[tuple[str, str, Score, list[float]]] = []
    judged = [verdicts(side) for side in sides]
    for at, verdict in enumerate(judged[0]):
        for j, score in enumerate(verdict.scores):
            if score.value is not None:
                values = [each[at].scores[j].value for each in judged]
                name = short(verdict.target.says, score.check.says)
                found.append((verdict.target.block, name, score, [np.nan if v is None else v for v in values]))
    return found


def chart(entries: Sequence[tuple[str, str, Score, list[float]]]) -> Any:
    """Every check's number against its band, which is drawn as wide as every other."""
    height = 0.62 + 0.215 * len(entries)
    figure, axis = charts.axes("shaded: the band of the fact", height=height, labels=0.05, left=0.5)
    axis.axvspan(-1.0, 1.0, color=BAND, linewidth=0, zorder=0)
    for y, (_, _, score, values) in zip(range(len(entries))[::-1], entries, strict=True):
        half = (score.check.high - score.check.low) / 2.0 or abs(score.check.high) / 20.0 or 1.0
        middle = (score.check.high + score.check.low) / 2.0
        for value, colour in zip(values, SIDES, strict=False):
            place = (value - middle) / half
            inside = abs(place) <= 1.0
            marker = "o" if abs(place) <= FARTHEST else ">" if place > 0 else "<"
            fill = colour if len(values) > 1 else GREEN if inside else RED
            axis.plot([float(np.clip(place, -FARTHEST, FARTHEST))], [y], marker=marker, markersize=5.5, color=fill, linestyle="")
    axis.set_yticks(range(len(entries))[::-1], [name for _, name, _, _ in entries])
    axis.set_ylim(-0.6, len(entries) - 0.4)
    axis.set_xlim(-FARTHEST - 0.4, FARTHEST + 0.4)
    axis.set_xticks([-FARTHEST, -1.0, 1.0, FARTHEST], ["far below", "low", "high", "far above"])
    axis.tick_params(axis="y", labelsize=7.5)
    axis.grid(False)
    return figure


def blocks(sides: Sequence[Gathered]) -> list[tuple[str, list[Any]]]:
    """Checks that can be drawn, by block."""
    found = measurable(sides)
    return [(title, mine) for block, title in BLOCKS.items() if (mine := [one for one in found if one[0] == block])]


def short(statement: str, part: str, most: int = 36) -> str:
    """A statement in few characters, what tells this check from its others in full."""
    room = most - len(part) - 2 * bool(part)
    text = statement.rstrip(".")
    text = text if len(text) <= room else f"{text[: max(room - 1, 8)].rstrip()}…"
    return f"{text}: {part}" if part else text
