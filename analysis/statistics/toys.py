"""Linear rings of arrows with known gain, sign and delay, on which to try the instrument before trusting it.

>>> ring = Ring((Arrow(0.8, 3), Arrow(0.5, 4)))
>>> ring.gain(60), ring.delay
(0.4, 7)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq


@dataclass(frozen=True)
class Arrow:
    """Sends ``strength`` times its source, ``delay`` months late; the first arrow's source is activity."""

    strength: float
    delay: int = 1  # month, at least 1


@dataclass(frozen=True)
class Ring:
    """Activity x, driven from outside, kept by memory, moved by its own cobweb and by the last of the arrows it feeds.

    x(t) = memory x(t - 1) - cobweb x(t - cobweb_delay) + drive(t) + what the last arrow delivers. All signals are deviations
    from a reference of zero, so that a cut arrow delivers zero.
    """

    arrows: tuple[Arrow, ...]
    memory: float = 0.0
    cobweb: float = 0.0
    cobweb_delay: int = 1  # month, at least 1

    @property
    def strength(self) -> float:
        """Once around, memory left out."""
        return float(np.prod([arrow.strength for arrow in self.arrows]))

    @property
    def delay(self) -> int:
        """Once around, month."""
        return sum(arrow.delay for arrow in self.arrows)

    def gain(self, month: int) -> float:
        """G(h) without a cobweb: strength times the months of memory since the first return."""
        return float(self.strength * sum(self.memory**k for k in range(month - self.delay + 1)))

    def run(
        self,
        drive: np.ndarray,
        cut: Collection[int] = (),
        injected: Mapping[int, np.ndarray | float] | None = None,
        cobweb: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Activity and what arrows would deliver if live: (seeds, months) drive to the same and (arrows, seeds, months).

        Parameters
        ----------
        drive : (seeds, months), the same for paired runs
        cut : arrows that deliver only what is injected
        injected : by arrow, (months,) or one number, added to what it delivers; nothing enters before month 0
        """
        seeds, months = drive.shape
        extra = np.zeros((len(self.arrows), months))
        for wire, path in (injected or {}).items():
            extra[wire] = path
        activity, sent = np.zeros((seeds, months)), np.zeros((len(self.arrows), seeds, months))
        delivered = np.zeros_like(sent)
        for t in range(months):
            for i, arrow in enumerate(self.arrows):
                source = activity if i == 0 else delivered[i - 1]
                if t >= arrow.delay:
                    sent[i, :, t] = arrow.strength * source[:, t - arrow.delay]
                delivered[i, :, t] = (0.0 if i in cut else sent[i, :, t]) + extra[i, t]
            activity[:, t] = drive[:, t] + delivered[-1, :, t]
            if t >= 1:
                activity[:, t] += self.memory * activity[:, t - 1]
            if cobweb and t >= self.cobweb_delay:
                activity[:, t] -= self.cobweb * activity[:, t - self.cobweb_delay]
        return activity, sent


def balancing_at_hopf(delay: int, decay: float) -> tuple[Ring, float]:
    """A ring of one balancing arrow that neither dies nor grows, and its period in months.

    exp(iwd) - (1 - decay) exp(iw(d - 1)) = strength for a delay of d months. Without decay the period is four times d - 1/2:
    the delay, less half the month over which activity is stepped (Krawiec and Szydlowski 1999 in continuous time).
    """
    memory = 1.0 - decay
    angle = brentq(lambda w: np.sin(w * delay) - memory * np.sin(w * (delay - 1)), np.pi / (2 * delay), np.pi / delay)
    strength = float(np.cos(angle * delay) - memory * np.cos(angle * (delay - 1)))
    return Ring((Arrow(strength, delay),), memory=memory), 2.0 * np.pi / angle


def drives(seeds: int, months: int, persistence: float = 0.0, seed: int = 0) -> np.ndarray:
    """Draws from outside: (seeds, months), an AR(1) of unit shocks that starts from its long-run spread."""
    shocks = np.random.default_rng(seed).standard_normal((seeds, months))
    shocks[:, 0] /= np.sqrt(1.0 - persistence**2)
    for t in range(1, months):
        shocks[:, t] += persistence * shocks[:, t - 1]
    return shocks
