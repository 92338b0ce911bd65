"""The default run beside a fixed piece of numpy, by turns, so that a slow machine slows both."""

import subprocess
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from analysis.benchmarks.racing import Ratio, compare, race

RUNS = 5
GOAL = 10.0  # seconds, of the median
SIZE, TURNS = 1_000_000, 10  # of the yardstick: about a second on a core of 2023


class Failed(Exception):
    """A run that did not finish: its seconds mean nothing."""


class Timed(NamedTuple):
    """What was measured."""

    seconds: np.ndarray  # (run,) wall time of ``python -m sim``, start of Python and picture included
    yardstick: np.ndarray  # (run,)
    ratio: Ratio  # run over yardstick


def yardstick() -> float:
    """Draw, sort, exponentiate and add up the same million numbers a few times, on one thread."""
    found = 0.0
    for turn in range(TURNS):
        drawn = np.random.default_rng(turn).standard_normal(SIZE)
        found += float(np.exp(np.cumsum(np.sort(drawn)) / SIZE).sum())
    return found


def run(*settings: str) -> None:
    """One run in a process and folder of its own.

    Raises
    ------
    Failed
        if it ends otherwise than well.
    """
    with TemporaryDirectory() as root:
        line = [sys.executable, "-m", "sim", *settings, f"outputs.root={root}"]
        done = subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(line[1:-1])} ended with {done.returncode}; nothing was timed. It said:\n{done.stderr.strip()}")


def measure(once: Callable[[], None] = run, rounds: int = RUNS) -> Timed:
    """Seconds of run and yardstick; a first run, not timed, compiles what is not in the cache."""
    once()
    taken = race([once, yardstick], rounds)
    return Timed(taken[:, 0], taken[:, 1], compare(taken[:, 0], taken[:, 1]))


def figures(timed: Timed) -> dict[str, float]:
    """Figures by key."""
    return {
        "run_seconds": round(float(np.median(timed.seconds)), 2),
        "run_fastest": round(float(timed.seconds.min()), 2),
        "yardstick_seconds": round(float(np.median(timed.yardstick)), 3),
        "run_vs_yardstick": round(timed.ratio.median, 2),
    }


def page(timed: Timed) -> list[str]:
    """The lines a reader sees."""
    found, best = figures(timed), f"median of {len(timed.seconds)}, {timed.seconds.min():.1f} s at best"
    verdict = "under" if np.median(timed.seconds) < GOAL else "NOT under"
    noisy = "   noisy" if timed.ratio.noisy else ""
    return [
        f"python -m sim: {found['run_seconds']:.1f} s ({best}), {verdict} {GOAL:g} s",
        f"numpy yardstick: {found['yardstick_seconds']:.2f} s; a run takes {found['run_vs_yardstick']:.1f} yardsticks{noisy}",
    ]
