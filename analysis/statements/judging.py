"""From what was found in each seed to words: the number over seeds, its interval from whole seeds drawn again, and the band."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from analysis.metrics import METRICS
from analysis.metrics.pooled import Pooled
from analysis.metrics.runs import NoValue, Run
from analysis.statements.spec import Check, Statement
from analysis.statistics.intervals import LEVEL, Interval, Statistic, bootstrap, fewest_seeds

ENOUGH: Final = 0.5  # share of seeds that must have a value
UNRUN: Final = "not run at the stored budget"
Word = Literal["pass", "fail", "cannot tell", "not measurable"]
Part = Pooled | str  # what one seed gives, or why it gives nothing


@dataclass(frozen=True)
class Finding:
    """A check over seeds; ``value`` is None where there is none, ``low`` and ``high`` where there is no interval."""

    check: Check
    word: Word
    value: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0  # with a value
    share: float | None = None  # of them, those whose own value lies in the band
    reason: str = ""


@dataclass(frozen=True)
class Judgement:
    """A statement and the findings of its checks."""

    statement: Statement
    findings: tuple[Finding, ...]

    @property
    def word(self) -> Word:
        """One check that fails is enough; what is not known of one is not known of all."""
        words = [finding.word for finding in self.findings]
        order: tuple[Word, ...] = ("fail", "not measurable", "cannot tell")
        return next((word for word in order if word in words), "pass")

    @property
    def decisive(self) -> Finding:
        """The finding that stands for the statement: the first that gave it its word."""
        return next(finding for finding in self.findings if finding.word == self.word)


def measure(check: Check, run: Run | None) -> Part:
    """What one run gives for a check."""
    try:
        found = METRICS[check.metric](run, **check.args)
        if check.over == "pool" and isinstance(found, Pooled):
            return found if np.isfinite(found.part).all() else found.why
        value = float(found)
    except NoValue as reason:
        return str(reason)
    if math.isfinite(value):
        return alone(value)
    return found.why if isinstance(found, Pooled) else "not a finite number"


def alone(value: float) -> Pooled:
    """One number of one seed."""
    return Pooled(np.array([value]), lambda mean, seeds: float(mean[0]))


def compared(check: Check, one: Part, other: Part) -> Part:
    """A number of a seed and that of other runs of the seed: difference or ratio, after pooling if they are pooled."""
    if isinstance(one, str) or isinstance(other, str):
        return one if isinstance(one, str) else str(other)
    first, second, split = one, other, len(one.part)

    def read(mean: np.ndarray, seeds: int) -> float:
        a, b = first.read(mean[:split], seeds), second.read(mean[split:], seeds)
        return a - b if check.compare == "difference" else a / b if b else math.nan

    both = Pooled(np.concatenate([first.part, second.part]), read, first.why)
    if check.over == "pool":
        return both
    value = float(both)
    return alone(value) if math.isfinite(value) else "there is nothing to divide by"


def judge(check: Check, parts: Sequence[Part | None]) -> Finding:
    """Sum up what each seed gave; None stands for a seed that was not run."""
    if check.missing:
        return Finding(check, "not measurable", reason=check.missing)
    ran = same_length([part for part in parts if part is not None])
    found = [part for part in ran if isinstance(part, Pooled)]
    reasons = [part for part in ran if isinstance(part, str)]
    reason = f"{max(reasons, key=reasons.count)} ({len(reasons)} of {len(ran)} seeds)" if reasons else ""
    if ran and len(ran) < len(parts):
        reason = "; ".join(filter(None, (reason, f"{len(parts) - len(ran)} of {len(parts)} seeds not run")))
    if not ran or not found or len(found) < ENOUGH * len(ran):
        return Finding(check, "cannot tell", seeds=len(found), reason=reason or UNRUN)
    own = [float(part) for part in found]
    share = sum(check.holds(value) for value in own) / len(found)
    statistic, values = summed(check, found), np.array([part.part for part in found])
    value = float(statistic(values)[..., 0])
    if not math.isfinite(value):
        return Finding(check, "cannot tell", seeds=len(found), share=share, reason=found[0].why)
    if len(found) < fewest_seeds(LEVEL):
        few = f"{len(found)} seeds; an interval needs {fewest_seeds(LEVEL)}"
        return Finding(check, "cannot tell", value, seeds=len(found), share=share, reason="; ".join(filter(None, (reason, few))))
    within = bootstrap(statistic, values, method="BCa" if check.over == "mean" else "percentile").at(0)
    if bounds(within)[0] is None:
        reason = "; ".join(filter(None, (reason, f"no interval, for in some draws of seeds {found[0].why}")))
    return Finding(check, word(check, within), value, *bounds(within), len(found), share, reason)


def same_length(parts: Sequence[Part]) -> list[Part]:
    """Parts that can be averaged; a run in which fewer months are known has another shape and gives nothing."""
    most = max((len(part.part) for part in parts if isinstance(part, Pooled)), default=0)
    return ["fewer months are known" if isinstance(part, Pooled) and len(part.part) < most else part for part in parts]


def summed(check: Check, found: Sequence[Pooled]) -> Statistic:
    """(..., seeds, c) -> (..., 1): what is read off the mean of parts, or their median or mean."""
    if check.over == "pool":
        read = found[0].read
        return lambda sample: np.apply_along_axis(lambda mean: read(mean, sample.shape[-2]), -1, sample.mean(axis=-2))[..., None]
    return lambda sample: (np.median if check.over == "median" else np.mean)(sample, axis=-2)


def bounds(interval: Interval) -> tuple[float | None, float | None]:
    """Of an interval, None where it has none."""
    low, high = float(interval.low), float(interval.high)
    return (low, high) if math.isfinite(low + high) else (None, None)


def word(check: Check, interval: Interval) -> Word:
    """Pass where the whole interval lies in the band, fail where it lies outside, else nobody can tell."""
    low, high = bounds(interval)
    if low is None or high is None:
        return "cannot tell"
    if check.holds(low) and check.holds(high):
        return "pass"
    apart = (high <= check.low or low >= check.high) if check.one_sided else (high < check.low or low > check.high)
    return "fail" if apart else "cannot tell"


def exact(check: Check) -> Finding:
    """A check that needs no run."""
    part = measure(check, None)
    if isinstance(part, str):
        return Finding(check, "fail", reason=part)
    value = float(part)
    return Finding(check, "pass" if check.holds(value) else "fail", value)


def verdict(statement: Statement, parts: Mapping[int, Sequence[Part | None]]) -> Judgement:
    """A statement from what each of its checks found, by number of the check."""
    checks = enumerate(statement.checks)
    return Judgement(
        statement, tuple(exact(c) if not statement.horizon and not c.missing else judge(c, parts.get(n, ())) for n, c in checks)
    )


def untold(statement: Statement, why: str) -> Judgement:
    """A statement of which nothing is run."""
    words: list[Word] = ["not measurable" if check.missing else "cannot tell" for check in statement.checks]
    findings = [Finding(check, word, reason=check.missing or why) for check, word in zip(statement.checks, words, strict=True)]
    return Judgement(statement, tuple(findings))
