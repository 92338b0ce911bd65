"""Sums whose bits do not depend on the order of what is added."""

from collections.abc import Iterable
from math import fsum

import numpy as np


def total(amounts: Iterable[float]) -> float:
    """Exactly rounded sum (Shewchuk 1997, through ``math.fsum``): reordering or adding zeros changes no bit."""
    return fsum(amounts.tolist() if isinstance(amounts, np.ndarray) else amounts)


def mean(amounts: Iterable[float]) -> float:
    """Exactly rounded sum over the count."""
    values = list(amounts)
    return fsum(values) / len(values)


def by_row(amounts: np.ndarray) -> np.ndarray:
    """Sums (n,) of the rows of (n, agents), one agent after another: a zero among them changes no bit."""
    return np.ascontiguousarray(amounts.T).sum(axis=0)
