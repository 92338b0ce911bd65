"""The gain of a loop with one wire open: what comes back a number of months after a unit was injected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import pandas as pd
from scipy import signal

from analysis.statistics.intervals import LEVEL, RESAMPLES, Claim, Interval, Word, bootstrap, by_seed, differences, mean
from analysis.statistics.presence import chance

HORIZONS: Final = (6, 12, 24, 36, 60)  # months after injection
LEG: Final = (1, 12)  # months of the reinforcing leg, both included
REVERSAL: Final = (24, 60)  # months of the reversal
WIDTH: Final = 6  # months of a pulse


@dataclass(frozen=True)
class Gain:
    """Gain of an open loop, in units returned per unit injected.

    Attributes
    ----------
    horizons : (m,) month
    steps : (m,) G(h), the response h months into a step
    leg, reversal : () mean of G over months 1 to 12, and 24 to 60
    lag : () month of the largest response to a pulse; where there is no response it means nothing
    chance : of so large a response at some horizon without a loop (``presence.chance``)
    """

    horizons: tuple[int, ...]
    steps: Interval
    leg: Interval
    reversal: Interval
    lag: Interval
    chance: float

    @property
    def exists(self) -> bool:
        """Whether anything comes back at all, at the level of the intervals."""
        return self.chance <= 1.0 - self.steps.level

    def sign(self, horizon: int) -> int:
        """Of G at one of the horizons: 1 or -1, or 0 where the interval does not tell; 0 at all where no gain exists."""
        at = self.steps.at(self.horizons.index(horizon))
        return 0 if not self.exists else int(at.low > 0.0) - int(at.high < 0.0)

    def reinforces(self) -> Word:
        """The claim of the first leg: G is above zero within a year."""
        return Claim("above").word(self.leg)

    def reverses(self) -> Word:
        """The claim of the reversal: G is below zero from two to five years on."""
        return Claim("below").word(self.reversal)

    def table(self) -> pd.DataFrame:
        """month, estimate, low, high, sign."""
        return self.steps.frame(month=self.horizons).assign(sign=[self.sign(h) for h in self.horizons])


def per_unit(pushed: np.ndarray, other: np.ndarray, apart: float) -> np.ndarray:
    """Response of a signal to an injection, per unit injected; any shape.

    Parameters
    ----------
    pushed, other : the returning signal of paired branches, with +eps and with nothing, or with +eps and -eps; logs of a
        positive signal if what was injected is relative
    apart : how far apart the injections are: eps, or 2 eps

    Raises
    ------
    ValueError
        if shapes differ, or nothing was injected
    """
    pushed, other = np.asarray(pushed, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if pushed.shape != other.shape or apart == 0.0:
        raise ValueError(f"{pushed.shape} and {other.shape} paths, {apart:g} apart, are no pair. Branch both from one history.")
    return differences(pushed, other) / apart


def step_of(pulse: np.ndarray, width: int = WIDTH) -> np.ndarray:
    """Response to a step from that to a pulse of ``width`` months, which a linear system adds up: (..., months) to the same."""
    return cast(np.ndarray, signal.lfilter([1.0], [1.0, *[0.0] * (width - 1), -1.0], pulse, axis=-1))


def pulse_of(step: np.ndarray, width: int = WIDTH) -> np.ndarray:
    """Response to a pulse of ``width`` months from that to a step; undoes ``step_of``."""
    return cast(np.ndarray, signal.lfilter([1.0, *[0.0] * (width - 1), -1.0], [1.0], step, axis=-1))


def gain(
    step: np.ndarray,
    seeds: np.ndarray | None = None,
    horizons: Sequence[int] = HORIZONS,
    width: int = WIDTH,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Gain:
    """G(h), its legs and its lag, with intervals over seeds.

    Parameters
    ----------
    step : (rows, months) response per unit of a step, month 0 that of the injection; of a pulse, ``step_of`` it
    seeds : (rows,) of rows that branch from one seed at several dates; each row a seed of its own if not given
    width : months over which a response is gathered before its largest is sought; 1 for paths without noise

    Raises
    ------
    ValueError
        for paths shorter than the last horizon or the reversal; and as ``by_seed`` and ``bootstrap``
    """
    step = np.asarray(step, dtype=np.float64)
    last = max(*horizons, REVERSAL[1])
    if step.shape[-1] <= last:
        raise ValueError(f"paths of {step.shape[-1]} months end before month {last}. Branch for {last + 1} months.")
    if seeds is not None:
        step = by_seed(step, seeds)
    legs = np.stack([step[:, first : end + 1].mean(axis=1) for first, end in (LEG, REVERSAL)], axis=1)
    found = bootstrap(mean, legs, level, resamples=resamples)
    return Gain(
        horizons=tuple(horizons),
        steps=bootstrap(mean, step[:, horizons], level, resamples=resamples),
        leg=found.at(0),
        reversal=found.at(1),
        lag=bootstrap(lambda sample: lag(mean(sample), width), pulse_of(step, width), level, 1, "percentile", resamples).at(0),
        chance=chance(step[:, horizons]),
    )


def lag(pulse: np.ndarray, width: int) -> np.ndarray:
    """Month of the largest response to a pulse, counted from the pulse's middle: (..., months) to (..., 1).

    Months that are equally large count by their middle: a pure delay answers a pulse of six months with six equal ones.
    """
    size = np.abs(pulse)
    top = size >= size.max(axis=-1, keepdims=True) * (1.0 - 1e-9)
    middle = (top * np.arange(pulse.shape[-1])).sum(axis=-1, keepdims=True) / top.sum(axis=-1, keepdims=True)
    return cast(np.ndarray, middle - (width - 1) / 2.0)


def closed_loop(gain: float) -> float:
    """Effect of a lasting unit with the loop closed, of one with it open: 1 / (1 - G), for linear loops only.

    Raises
    ------
    ValueError
        from a gain of 1 on, where a linear loop has no end
    """
    if gain >= 1.0:
        raise ValueError(f"a linear loop of gain {gain:g} runs away; 1 / (1 - gain) is the answer below 1 only.")
    return 1.0 / (1.0 - gain)


def closed_path(step: np.ndarray) -> np.ndarray:
    """The wire's own path after a lasting unit with the loop closed: (..., months) of G to (..., months); linear loops only.

    What the wire carries is the unit and what comes back: c(t) = 1 + sum over j of g(j) c(t - j), g the increments of G.

    Raises
    ------
    ValueError
        where a unit returns whole within its own month
    """
    step = np.asarray(step, dtype=np.float64)
    increments = np.diff(step, prepend=0.0, axis=-1)
    if np.any(increments[..., 0] == 1.0):
        raise ValueError("the wire feeds itself within the month; such a loop has no path.")
    rows = increments.reshape(-1, increments.shape[-1])
    paths = [signal.lfilter([1.0], np.r_[1.0 - row[0], -row[1:]], np.ones(len(row))) for row in rows]
    return np.reshape(paths, step.shape)


def closed_amplification(step: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """How much more a linear loop swings closed than open, at periods in months: (months,) of G and (p,) to (p,).

    |1 / (1 - g(w))|, g the transfer function of the increments of G (the sensitivity of control theory); where it is largest,
    the loop has its own period. The path must be long enough to have settled.
    """
    increments = np.diff(np.asarray(step, dtype=np.float64), prepend=0.0)
    _, transfer = signal.freqz(increments, worN=2.0 * np.pi / np.asarray(periods, dtype=np.float64))
    return cast(np.ndarray, 1.0 / np.abs(1.0 - transfer))
