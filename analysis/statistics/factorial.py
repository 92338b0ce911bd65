"""All 2^k cuts of k arrows: what each contributes, and what only all of them do together."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial as product
from typing import Final

import numpy as np
import pandas as pd

from analysis.statistics.intervals import LEVEL, Interval, bootstrap, mean

MOST: Final = 5  # arrows


@dataclass(frozen=True)
class Factorial:
    """Contributions of arrows to an outcome, in its unit, and shares of all live less all cut.

    Attributes
    ----------
    names : k arrows
    total : () all live less all cut
    values, shares : (k,) Shapley values, which add up to the total, and shares, which add up to 1
    excess : () the total less the sum of what each arrow does alone; above zero, arrows are super-additive
    joint : () what only all arrows together do (Harsanyi's dividend of all of them)
    """

    names: tuple[str, ...]
    total: Interval
    values: Interval
    shares: Interval
    excess: Interval
    joint: Interval

    def table(self) -> pd.DataFrame:
        """arrow, estimate, low, high, and share with its bounds."""
        shares = self.shares.frame().add_prefix("share_")
        return pd.concat([self.values.frame(arrow=self.names), shares], axis=1)


def cuts(arrows: int) -> np.ndarray:
    """Which arrows are live in each of the runs needed: (2^k, k) bool, in the order ``contributions`` expects.

    Arrow i is live in row r where bit i of r is set: row 0 has all cut, the last all live.

    Raises
    ------
    ValueError
        for no arrow, or more than five, of which all cuts are too many
    """
    if not 1 <= arrows <= MOST:
        raise ValueError(f"{arrows} arrows; a factorial takes 1 to {MOST}.")
    return (np.arange(2**arrows)[:, None] >> np.arange(arrows) & 1).astype(bool)


def shapley(arrows: int) -> np.ndarray:
    """Weights of the 2^k outcomes in each arrow's value: (k, 2^k).

    The mean, over all orders in which arrows may come alive, of what each adds when it does (Shapley 1953).
    """
    live = cuts(arrows)
    alive = live.sum(axis=1)
    before = np.array([product(n) * product(arrows - n - 1) / product(arrows) for n in range(arrows)])
    gains = before[np.maximum(alive - 1, 0)]  # joins alive - 1 others
    losses = before[np.minimum(alive, arrows - 1)]  # had not joined yet
    return np.where(live, gains[:, None], -losses[:, None]).T


def dividends(arrows: int) -> np.ndarray:
    """Weights of the 2^k outcomes in what each set of arrows does beyond its subsets: (2^k, 2^k).

    Dividends of Harsanyi (1963, International Economic Review 4), the Moebius inverse; row 0 is the outcome with all cut.
    """
    live = cuts(arrows)
    missing = live[:, None, :] & ~live[None, :, :]
    subset = ~(live[None, :, :] & ~live[:, None, :]).any(axis=2)
    return np.where(subset, (-1.0) ** missing.sum(axis=2), 0.0)


def contributions(names: Sequence[str], outcomes: np.ndarray, level: float = LEVEL) -> Factorial:
    """Shapley values, shares and super-additivity with intervals over seeds.

    Shares are of means over seeds, and mean little where the total's interval includes zero.

    Parameters
    ----------
    names : k arrows
    outcomes : (seeds, 2^k), cuts in the order of ``cuts``, common random numbers along a row

    Raises
    ------
    ValueError
        if there are not 2^k outcomes a seed; and as ``cuts`` and ``bootstrap``
    """
    arrows, outcomes = len(names), np.asarray(outcomes, dtype=np.float64)
    live = cuts(arrows)
    if outcomes.shape[1:] != (len(live),):
        raise ValueError(f"{arrows} arrows have {len(live)} cuts; outcomes are {outcomes.shape}. Give one column a cut.")
    beyond = dividends(arrows)
    whole = np.zeros(len(live))
    whole[[0, -1]] = -1.0, 1.0
    excess = beyond[live.sum(axis=1) > 1].sum(axis=0)
    weights = np.vstack([whole, shapley(arrows), excess, beyond[-1]])

    def shares(sample: np.ndarray) -> np.ndarray:
        means = mean(sample)
        with np.errstate(all="ignore"):
            return (means[..., 1 : arrows + 1]) / means[..., :1]

    found = outcomes @ weights.T  # (seeds, 1 + k + 2)
    numbers = bootstrap(mean, found, level)
    return Factorial(
        names=tuple(names),
        total=numbers.at(0),
        values=part(numbers, 1, arrows),
        shares=bootstrap(shares, found, level),
        excess=numbers.at(arrows + 1),
        joint=numbers.at(arrows + 2),
    )


def part(interval: Interval, first: int, count: int) -> Interval:
    """A run of an interval's numbers."""
    here = slice(first, first + count)
    return Interval(interval.estimate[here], interval.low[here], interval.high[here], interval.level, interval.seeds)
