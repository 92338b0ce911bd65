"""Numbers that mean something only when those of all seeds are taken together first: shares of rare events, spectra, paths."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Read = Callable[[np.ndarray, int], float]  # (mean over seeds, how many seeds) -> one number, not finite where there is none


@dataclass(frozen=True)
class Pooled:
    """One run's part, (c,), and what is read off the mean of all parts; ``why`` says what is missing where nothing is."""

    part: np.ndarray
    read: Read
    why: str = "not a finite number"

    def __float__(self) -> float:
        """Of this run alone."""
        return float(self.read(self.part, 1))


def share(hits: float, of: float, other_hits: float | None = None, other_of: float = 0.0, why: str = "") -> Pooled:
    """Hits over tries, both added over seeds; over the share of others if these are given."""
    if other_hits is None:
        return Pooled(np.array([hits, of], dtype=np.float64), _share, why)
    return Pooled(np.array([hits, of, other_hits, other_of], dtype=np.float64), _odds, why)


def _share(mean: np.ndarray, seeds: int) -> float:
    return float(mean[0] / mean[1]) if mean[1] > 0.0 else np.nan


def _odds(mean: np.ndarray, seeds: int) -> float:
    other = _share(mean[2:], seeds)
    return _share(mean[:2], seeds) / other if other > 0.0 else np.nan
