"""The loop's arrows: gain and reference; the only place where a cut is made.

An arrow transmits ``ref * (live / ref) ** gain`` (positive signals) or ``ref + gain * (live - ref)`` (others): gain 1 returns
``live`` itself, gain 0 is the cut.
"""

from typing import Any, Literal

import numpy as np

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
ARROW_OF = {signal: arrow for arrow, signals in ARROWS.items() for signal in signals}


class Gain(Frozen):
    """One arrow's setting."""

    gain: float = quantity("1", 0.0, 4.0, "1 transmits the live signal, 0 cuts to the reference")


class Params(Frozen):
    """How much of each arrow is live, and what a cut transmits instead."""

    capital_scaling: Gain
    scaling_obsolescence: Gain
    obsolescence_valuation: Gain
    valuation_credit: Gain
    cobweb: Gain
    ref: Literal["constant", "ensemble", "path"]
    path_seed: int = quantity("1", 0, 2**63 - 1, "seed of the recorded run that ref=path replays")

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
    """

    def __init__(self, params: Params, reference: dict[tuple[str, str], np.ndarray], recording: bool = False) -> None:
        self.params = params
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
        gain = self.params.gain(ARROW_OF[signal])
        if gain == 1.0:
            return live
        reference = self.reference[signal, region]
        ref = reference[month] if len(reference) > 1 else reference[0]
        ref = ref if np.ndim(live) else float(ref)
        if signal in ADDITIVE:
            return ref + gain * (live - ref)
        return ref * (live / ref) ** gain
