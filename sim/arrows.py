"""The loop's arrows: gain and reference; the only place where a cut is made.

An arrow transmits ``ref * (live / ref) ** gain`` (positive signals) or ``ref + gain * (live - ref)`` (others): gain 1 returns
``live`` itself, gain 0 is the cut. A scripted pulse is added to what arrives, whatever the gain: an experiment, none by default.
"""

import math
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from sim.units import Frozen, quantity

ARROWS: dict[str, tuple[str, ...]] = {
    "capital>scaling": ("funded_share", "raise_multiple", "cost_of_capital", "leverage_senior", "leverage_mezzanine"),
    "scaling>obsolescence": ("frontier_growth", "half_life"),
    "obsolescence>valuation": (
        *("depreciation_belief", "recovery_belief", "dispersion"),
        *("model_worth", "loss_belief", "loss_volatility"),
    ),
    "valuation>credit": ("spread", "advance_senior", "advance_mezzanine", "ration", "refinancing"),
    "cobweb": ("expected_rent",),
}
# signals that may be zero or negative are transmitted additively
ADDITIVE = {"funded_share", "ration", "refinancing", "loss_belief", "raise_multiple"}
SHARES = {"funded_share", "ration", "refinancing", "recovery_belief"}  # a pulse leaves them between 0 and 1
ARROW_OF = {signal: arrow for arrow, signals in ARROWS.items() for signal in signals}


class Gain(Frozen):
    """One arrow's setting."""

    gain: float = quantity("1", 0.0, 4.0, "1 transmits the live signal, 0 cuts to the reference")


class Pulse(Frozen):
    """A push of one signal where it arrives, for some months: in logs of positive signals, in the unit of others."""

    signal: str
    size: float = quantity("1", -2.0, 2.0, "log of a positive signal, or in the unit of one that may be zero; 0: none")
    month: int = quantity("month", 0, 2400, "in which it begins, after recording begins")
    months: int = quantity("month", 1, 2400, "for which it lasts")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.signal and self.signal not in ARROW_OF:
            raise ValueError(f"signal {self.signal!r} is none of {', '.join(ARROW_OF)}")
        if self.size and not self.signal:
            raise ValueError(f"size {self.size:g} needs a signal: one of {', '.join(ARROW_OF)}")
        return self


class Params(Frozen):
    """How much of each arrow is live, and what a cut transmits instead."""

    capital_scaling: Gain
    scaling_obsolescence: Gain
    obsolescence_valuation: Gain
    valuation_credit: Gain
    cobweb: Gain
    ref: Literal["constant", "ensemble", "path"]
    path_seed: int = quantity("1", 0, 2**63 - 1, "seed of the recorded run that ref=path replays")
    pulse: Pulse

    def gain(self, arrow: str) -> float:
        """Gain of an arrow by its name in the loop."""
        found: Gain = getattr(self, arrow.replace(">", "_"))
        return found.gain

    @property
    def live(self) -> bool:
        """No arrow needs a reference."""
        return all(self.gain(a) == 1.0 for a in ARROWS)


class Arrows:
    """Transmits signals and, when asked, records them.

    Parameters
    ----------
    params : gains and the kind of reference
    reference : (signal, region) -> (1,) constant, (t,) by month, or (t, n) by month and agent; empty when all are live
    recording : keep every live signal, for references
    burn_in : months simulated before recording begins, from which a pulse's month is counted
    """

    def __init__(
        self, params: Params, reference: dict[tuple[str, str], np.ndarray], recording: bool = False, burn_in: int = 0
    ) -> None:
        self.params = params
        self.burn_in = burn_in
        self.reference = reference
        self.recording = recording
        self.recorded: dict[tuple[str, str], list[np.ndarray]] = {}

    def transmit(self, signal: str, region: str, month: int, live: Any) -> Any:
        """What arrives at the other end of the signal's arrow.

        Parameters
        ----------
        signal, region : a name in ARROWS; "" for the world
        month : counted from the first month simulated, burn-in included
        live : float or (n,)
        """
        if self.recording:
            self.recorded.setdefault((signal, region), []).append(np.array(live, dtype=np.float64))
        arrives = self.passed(signal, region, month, live)
        pulse = self.params.pulse
        if signal != pulse.signal or not 0 <= month - self.burn_in - pulse.month < pulse.months:
            return arrives
        return pushed(signal, arrives, pulse.size)

    def passed(self, signal: str, region: str, month: int, live: Any) -> Any:
        """The live signal, the reference, or what lies between; without a pulse."""
        gain = self.params.gain(ARROW_OF[signal])
        if gain == 1.0:
            return live
        reference = self.reference[signal, region]
        ref = reference[month] if len(reference) > 1 else reference[0]
        ref = ref if np.ndim(live) else float(ref)
        if signal in ADDITIVE:
            return ref + gain * (live - ref)
        if gain == 0.0:  # of itself; a reference of 0, as in a world without growth, has no ratio
            return ref if np.ndim(live) == 0 else np.array(np.broadcast_to(ref, np.shape(live)))
        return ref * (live / ref) ** gain


def pushed(signal: str, value: Any, size: float) -> Any:
    """A signal some way off: by a factor ``exp(size)`` where it is positive, by ``size`` where it may be zero."""
    moved = value + size if signal in ADDITIVE else value * math.exp(size)
    if signal in SHARES:
        moved = np.clip(moved, 0.0, 1.0)
    return moved if np.ndim(value) else float(moved)
