"""Settings as typed, ``KEY=VALUE``: later ones replace earlier ones of the same key, and none of them is a seed."""

import hashlib
from collections.abc import Sequence

from sim.mistakes import Mistake, wrong


def key(line: str) -> str:
    """What a line sets; ``+key`` is the same."""
    return line.partition("=")[0].lstrip("+")


def over(lines: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Lines, those of the same key replaced by the others."""
    keys = set(map(key, others))
    return (*(line for line in lines if key(line) not in keys), *others)


def seeds_among(lines: Sequence[str]) -> list[Mistake]:
    """What is wrong with lines of a command that chooses seeds itself."""
    return [wrong("--set", line, "seeds are chosen by --seeds.") for line in lines if key(line) == "seed"]


def mark(lines: Sequence[str], usual: Sequence[str]) -> str:
    """Ends the name of a folder of results: nothing for usual settings, a few letters that stand for others."""
    own = sorted(line for line in lines if key(line) != "outputs.root")
    return "" if own == sorted(usual) else f"-{hashlib.sha256(' '.join(own).encode()).hexdigest()[:6]}"
