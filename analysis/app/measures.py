"""What a lesson measures on a run: one number of a column between two months. The page has the same in static/measures.js."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

SMOOTH: Final = 6  # months in the mean whose falls are measured, as in sim/summary.py
ALIKE: Final = 0.1  # relative difference up to which two numbers are called about the same

Series = Sequence[float]
Run = Callable[[str, str], Series]  # (region, column) -> by month from 0 on


def fall(values: Series, first: int, end: int) -> float:
    """Deepest fall of the six-month mean from a peak, both between the months, as a share of the peak."""
    peak, deepest = -math.inf, 0.0
    for month in range(first, end):
        window = values[max(month - SMOOTH + 1, 0) : month + 1]
        level = sum(window) / len(window)
        peak = max(peak, level)
        deepest = max(deepest, 1.0 - level / peak) if peak > 0.0 else deepest
    return deepest


MEASURES: Final[dict[str, Callable[[Series, int, int], float]]] = {
    "fall": fall,
    "sum": lambda values, first, end: sum(values[first:end]),
    "highest": lambda values, first, end: max(values[first:end]),
    "lowest": lambda values, first, end: min(values[first:end]),
    "gained": lambda values, first, end: values[end - 1] - values[first - 1],
}


def measure(run: Run, asked: Mapping[str, Any], region: str, first: int, end: int) -> float:
    """One number of a run, over another column where ``per`` names one."""
    place = asked.get("region", region)
    values = list(run(place, asked["column"]))
    if "per" in asked:
        values = [a / b if b else 0.0 for a, b in zip(values, run(place, asked["per"]), strict=True)]
    return MEASURES[asked["measure"]](values, first, end) * float(asked.get("times", 1.0))


def side(runs: Mapping[str, Run], asked: Mapping[str, Any], region: str, first: int, end: int) -> float:
    """One side of a verdict: of a future, or what the change ``spared`` against the history."""
    found = {name: measure(run, asked, region, first, end) for name, run in runs.items()}
    return found["history"] - found["what_if"] if asked["future"] == "spared" else found[asked["future"]]


def verdict(runs: Mapping[str, Run], lesson: Mapping[str, Any], first: int, end: int) -> str:
    """``less``, ``same`` or ``more``: the left side against the right."""
    left, right = (side(runs, lesson["verdict"][name], lesson["region"], first, end) for name in ("left", "right"))
    if abs(left - right) <= ALIKE * max(abs(left), abs(right)):
        return "same"
    return "less" if left < right else "more"
