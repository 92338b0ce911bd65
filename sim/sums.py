"""Sums whose bits do not depend on the order of what is added."""

from collections.abc import Iterable
from math import fsum

import numpy as np

from sim.kernels.sums import ROOM, exact

MANY = 64  # from more on, compiled code is faster than a list of Python's numbers


def total(amounts: Iterable[float]) -> float:
    """Exactly rounded sum (Shewchuk 1997, through ``math.fsum``): reordering or adding zeros changes no bit."""
    if not isinstance(amounts, np.ndarray):
        return fsum(amounts)
    if amounts.size > MANY:
        found: float = exact(np.empty(ROOM), np.ascontiguousarray(amounts, np.float64))
        if found == found:  # else it is for Python to say what is wrong
            return found
    return fsum(amounts.tolist())


def mean(amounts: Iterable[float]) -> float:
    """Exactly rounded sum over the count."""
    values = list(amounts)
    return fsum(values) / len(values)


def by_row(amounts: np.ndarray) -> np.ndarray:
    """Sums (n,) of the rows of (n, agents), one agent after another: a zero among them changes no bit."""
    return np.ascontiguousarray(amounts.T).sum(axis=0)
