"""What reads runs: ``analysis.load(SWEEP)`` for tables over many of them, ``python -m analysis COMMAND`` for the rest."""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.dataset import Sweep


def load(folder: str | PathLike[str]) -> "Sweep":
    """Tables over all complete runs of a sweep, or of a folder of runs; nothing is read before it is asked for.

    Raises
    ------
    NoRuns
    """
    from analysis.dataset import Sweep  # pulls in what a command that needs no tables need not wait for

    return Sweep.of(folder)
