"""Judgements as lines for readers and as plain values for machines."""

import math
from collections.abc import Sequence

from analysis.statements.judging import Finding, Judgement
from analysis.statements.spec import TITLES

LINE = "{:<5}{:<16}{:<34}{:>9}  {:<18}{:<16}{:<15}{:>7}  {}"
HEAD = LINE.format("", "", "", "value", "95 % interval", "band", "unit", "inside", "").rstrip()


def page(judgements: Sequence[Judgement]) -> list[str]:
    """Block by block."""
    lines: list[str] = []
    for block, title in TITLES.items():
        mine = [one for one in judgements if one.statement.block == block]
        if mine:
            lines += ["", f"{title}: {tally(mine)}", HEAD]
            lines += [line for one in mine for line in rows(one)]
    return lines


def tally(judgements: Sequence[Judgement]) -> str:
    """How many statements of each word, and how many of the block's numbers a seed meets by itself, on average."""
    words = [one.word for one in judgements]
    parts = [f"{words.count('pass')} of {len(words)} pass"]
    parts += [f"{words.count(word)} {says}" for word, says in WORDS.items() if word in words]
    shares = [finding.share for one in judgements for finding in one.findings if finding.share is not None]
    rate = f" A seed meets {sum(shares) / len(shares):.0%} of the {len(shares)} numbers." if shares else ""
    return f"{', '.join(parts)}.{rate}"


WORDS = {"fail": "fail", "cannot tell": "cannot be told", "not measurable": "not measurable"}


def rows(judgement: Judgement) -> list[str]:
    """The statement, a line for each of its numbers, and its source."""
    statement = judgement.statement
    shown = judgement.word.upper() if judgement.word == "fail" else judgement.word
    years = f", {statement.horizon:g} years" if statement.horizon else ""
    head = f"{statement.id:<5}{shown}  {statement.says}  [{statement.source}{years}]"
    return [head, *(number(finding) for finding in judgement.findings)]


def number(finding: Finding) -> str:
    """One number, its interval and its band; the share of seeds inside; why there is none."""
    check = finding.check
    value = "-" if finding.value is None else shown(finding.value)
    interval = "-" if finding.low is None or finding.high is None else f"{shown(finding.low)} to {shown(finding.high)}"
    inside = "-" if finding.share is None else f"{finding.share:.0%}"
    held = band(check.low, check.high), check.unit
    return LINE.format("", finding.word, check.says, value, interval, *held, inside, finding.reason).rstrip()


def shown(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}" if abs(value) < 1000.0 else f"{value:.0f}"


def band(low: float, high: float) -> str:
    """From and to; what a one-sided band says."""
    if math.isinf(low):
        return f"below {high:g}"
    return f"above {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


def machine(judgements: Sequence[Judgement]) -> list[dict[str, object]]:
    """For machines: the number that decides, and all of them; what has no bound or no value is null."""
    return [
        {"id": one.statement.id, "block": one.statement.block, "word": one.word, "pass": one.word == "pass"}
        | plain(one.decisive)
        | {"checks": [{"says": finding.check.says, "word": finding.word} | plain(finding) for finding in one.findings]}
        for one in judgements
    ]


def plain(finding: Finding) -> dict[str, object]:
    """Value, interval, band and seeds."""
    check = finding.check
    return {
        "value": finding.value,
        "interval": None if finding.low is None else [finding.low, finding.high],
        "low": check.low if math.isfinite(check.low) else None,
        "high": check.high if math.isfinite(check.high) else None,
        "unit": check.unit,
        "seeds": finding.seeds,
        "share": finding.share,
        "reason": finding.reason,
    }
