"""Impulse responses: what a shock did, from branches of the same history with and without it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.statistics.intervals import LEVEL, Interval, by_seed, differences, effect
from analysis.statistics.presence import chance


@dataclass(frozen=True)
class Impulse:
    """Response by month, (months,), month 0 that of the shock; in the outcome's unit, or logs.

    ``height`` is the response in the month of the largest mean response, ``lag``; chosen after the fact, its interval is of
    that month and too narrow for "some month differs": ask ``anywhere``.
    """

    response: Interval
    height: Interval
    lag: int
    anywhere: bool

    def table(self) -> pd.DataFrame:
        """month, estimate, low, high."""
        return self.response.frame(month=np.arange(len(self.response.estimate)))


def impulse(
    shocked: np.ndarray,
    base: np.ndarray,
    seeds: np.ndarray | None = None,
    logs: bool = False,
    level: float = LEVEL,
) -> Impulse:
    """Mean difference between paired branches, month by month, with bounds of each month.

    The generalised impulse response (Koop, Pesaran and Potter 1996), both branches on the same draws.

    ``anywhere`` is true where all months together differ from none (``presence.chance``).

    Parameters
    ----------
    shocked, base : (rows, months) from the month of the shock on, the same history in the same row
    seeds : (rows,) of rows that branch from one seed at several dates; each row a seed of its own if not given
    logs : take logs first, so that the response is relative

    Raises
    ------
    ValueError
        for shapes that differ, or values not positive with ``logs``; and as ``by_seed`` and ``bootstrap``
    """
    paths = [np.asarray(path, dtype=np.float64) for path in (shocked, base)]
    if logs:
        least = min(path.min() for path in paths)
        if not least > 0.0:
            raise ValueError(f"logs need positive values; the least is {least:g}.")
        paths = [np.log(path) for path in paths]
    if seeds is not None:
        paths = [by_seed(path, seeds) for path in paths]
    response = effect(paths[0], paths[1], level)
    lag = int(np.argmax(np.abs(response.estimate)))
    return Impulse(response, response.at(lag), lag, chance(differences(paths[0], paths[1])) <= 1.0 - level)
