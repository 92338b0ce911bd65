"""From the values of seeds to verdicts: a check passes when its median over seeds lies in the band."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.metrics import METRICS
from analysis.metrics.runs import NoValue, Run
from analysis.targets import Check, Target

ENOUGH = 0.5  # share of seeds that must have a value for there to be a median


@dataclass(frozen=True)
class Score:
    """A check over seeds; ``value`` is None when it is not measurable, and ``reason`` says why some or all seeds have none."""

    check: Check
    value: float | None
    seeds: int  # with a value
    share: float  # of all seeds, those whose own value lies in the band
    reason: str = ""

    @property
    def passed(self) -> bool:
        """What cannot be measured does not pass; an event must be seen in more than the stated share of seeds."""
        if self.value is None or not self.check.low <= self.value <= self.check.high:
            return False
        return self.check.over == "median" or self.value > self.check.low


@dataclass(frozen=True)
class Verdict:
    """A target and the scores of its checks."""

    target: Target
    scores: tuple[Score, ...]

    @property
    def passed(self) -> bool:
        return all(score.passed for score in self.scores)

    @property
    def measured(self) -> bool:
        return all(score.value is not None for score in self.scores)

    @property
    def decisive(self) -> Score:
        """The score that stands for the target: the first that fails, a measured one before others; else the first."""
        failing = sorted((s for s in self.scores if not s.passed), key=lambda s: s.value is None)
        return (failing or list(self.scores))[0]


def measure(run: Run, check: Check) -> float | str:
    """A check's number in one run, or why there is none."""
    try:
        value = float(METRICS[check.metric](run, **check.args))
    except NoValue as reason:
        return str(reason)
    return value if np.isfinite(value) else "not a finite number"


def score(check: Check, found: Sequence[float | str]) -> Score:
    """Sum up what was found in each seed."""
    if check.missing:
        return Score(check, None, 0, 0.0, check.missing)
    values = np.array([value for value in found if isinstance(value, float)])
    reasons = [value for value in found if isinstance(value, str)]
    reason = f"{max(reasons, key=reasons.count)} ({len(reasons)} of {len(found)} seeds)" if reasons else ""
    inside = float(np.sum((values >= check.low) & (values <= check.high))) / max(len(found), 1)
    if not len(values) or len(values) < ENOUGH * len(found):
        return Score(check, None, len(values), inside, reason)
    if check.over == "mean":
        inside = float(np.sum(values)) / len(found)  # seeds in which the event was seen
    return Score(check, float(np.median(values) if check.over == "median" else np.mean(values)), len(values), inside, reason)


def judge(targets: Sequence[Target], found: Sequence[Sequence[float | str]]) -> list[Verdict]:
    """Verdicts from what ``survey`` found in each seed."""
    columns = iter(zip(*found, strict=True))
    return [Verdict(target, tuple(score(check, next(columns)) for check in target.checks)) for target in targets]


def survey(targets: Sequence[Target], run: Run) -> list[float | str]:
    """Every check of every target in one run, in order."""
    return [measure(run, check) if check.metric else check.missing for target in targets for check in target.checks]
