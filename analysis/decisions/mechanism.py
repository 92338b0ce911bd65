"""By which feature a difference comes: each is switched on alone in the first regime, and off alone in the second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis.decisions.asking import Regime, regimes
from analysis.decisions.differing import Difference, interval
from analysis.decisions.features import Feature, between, features, mixed
from analysis.statistics.intervals import LEVEL, fewest_seeds

Values = Mapping[tuple[str, str], np.ndarray]  # (quantity, region) -> (seeds,)


@dataclass(frozen=True)
class Plan:
    """What is switched, with which runs; ``why`` says what was left out and why."""

    features: tuple[Feature, ...]
    on: tuple[Regime, ...] = ()  # the first regime with a feature of the second
    off: tuple[Regime, ...] = ()  # the second with a feature of the first; none where the budget is short
    seeds: int = 0
    why: str = ""


@dataclass(frozen=True)
class Part:
    """What a feature adds to a difference; ``together`` stands for what no feature does alone."""

    feature: str
    quantity: str
    region: str
    share: float
    low: float
    high: float
    alone: float
    last: float


def plan(one: Regime, other: Regime, home: Path, settings: Sequence[str], budget: int) -> Plan:
    """Which runs would tell features apart, within a budget of runs.

    Parameters
    ----------
    budget : most runs beside those of the two regimes; 0 skips them
    """
    raw = features(one.params[0], other.params[0])
    if budget == 0 and len(raw) > 1:
        return Plan(tuple(raw), why="Features were not switched one at a time (--budget 0).")
    found = tuple(between(one, other, raw, home, settings)) if len(raw) > 1 else tuple(raw)
    count, seeds = len(found), len(one.params)
    if count < 2:
        only = "They differ in nothing." if not count else "They differ in one feature only, so all of the difference comes by it."
        return Plan(found, why=only)
    needed = fewest_seeds(LEVEL)
    both = budget // (2 * count) >= min(seeds, needed) and count > 2
    points = 2 * count if both else count
    paired = min(seeds, budget // points)
    if paired < min(seeds, needed):
        return Plan(found, why=f"Switching {count} features one at a time takes {points * seeds} runs, the budget is {budget}.")
    on = [str(mixed(one, other, each, home)) for each in found]
    off = [str(mixed(other, one, each, home)) for each in found] if both else []
    made = regimes([*on, *off], paired, settings)
    why = "" if paired == seeds else f"Of {seeds} seeds, {paired} were used, so as to keep within {budget} runs."
    return Plan(found, tuple(made[:count]), mirrored(count, both, made), paired, why)


def mirrored(count: int, both: bool, made: Sequence[Regime]) -> tuple[Regime, ...]:
    """The second regime without each feature; of two features, that is the first regime with the other one."""
    if both:
        return tuple(made[count:])
    return tuple(reversed(made)) if count == 2 else ()


def parts(plan: Plan, gap: Difference, first: Values, second: Values, on: Sequence[Values], off: Sequence[Values]) -> list[Part]:
    """Each feature's part in a difference, and what only all of them do; parts add up to the paired difference."""
    key = (gap.quantity, gap.region)
    a, b = first[key][: plan.seeds], second[key][: plan.seeds]
    alone = np.array([values[key] - a for values in on])
    last = np.array([b - values[key] for values in off]) if off else alone
    whole = (alone + last) / 2.0
    rest = (b - a) - whole.sum(axis=0)
    named = [(each.name, *rows) for each, *rows in zip(plan.features, whole, alone, last, strict=True)]
    found = [part(name, gap, *rows) for name, *rows in named]
    return [*found, replace(part("all together", gap, rest, rest, rest), alone=np.nan, last=np.nan)]


def part(name: str, gap: Difference, whole: np.ndarray, alone: np.ndarray, last: np.ndarray) -> Part:
    """Mean over seeds with its interval; seeds without a value are left out."""
    known = whole[np.isfinite(whole)]
    bounds = interval(known) if len(known) else None
    low, high = (float(bounds.low), float(bounds.high)) if bounds else (np.nan, np.nan)
    means = [float(np.mean(row[np.isfinite(row)])) if np.isfinite(row).any() else np.nan for row in (whole, alone, last)]
    return Part(name, gap.quantity, gap.region, means[0], low, high, means[1], means[2])
