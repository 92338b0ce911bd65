"""Paired timing: calls in rotating order in one process, so that a slow moment of the machine meets all contenders alike."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

NOISY = 0.15  # disagreement of paired median and best beyond which a ratio is called noisy

Call = Callable[[], object]


class Ratio(NamedTuple):
    """How many times longer one contender takes than another."""

    median: float  # of the pairs
    best: float  # best over best

    @property
    def noisy(self) -> bool:
        """Whether the two disagree."""
        return abs(self.median / self.best - 1.0) > NOISY


def seconds(call: Call) -> float:
    """One timed call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def race(calls: Sequence[Call], rounds: int) -> np.ndarray:
    """Seconds (round, contender), the order rotating from round to round."""
    taken = np.empty((rounds, len(calls)))
    for r in range(rounds):
        for i in range(len(calls)):
            j = (i + r) % len(calls)
            taken[r, j] = seconds(calls[j])
    return taken


def compare(slow: np.ndarray, fast: np.ndarray) -> Ratio:
    """Ratio of the seconds (round,) of two contenders of one race."""
    return Ratio(float(np.median(slow / fast)), float(slow.min() / fast.min()))
