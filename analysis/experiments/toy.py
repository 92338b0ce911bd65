"""A toy with the economy's face: activity and four arrows in a ring, of known gain and delay. What the instrument is tried on.

In logs about a reference: credit moves raises, raises move activity, activity moves the half-life of models a delay later, the
half-life moves beliefs, beliefs move credit. All links have strength one but the last, which has the gain that was planted. Every
signal passes through ``sim.arrows``, so that arrows are cut, replayed and pushed as in the economy.
"""

from copy import copy
from typing import Any, Final

import numpy as np
import pandas as pd

from sim.arrows import Arrows
from sim.params import Params
from sim.streams import Streams, entity

DELAY: Final = 3  # month, once around
PERSISTENCE: Final = 0.9  # of what moves activity from outside
SHOCK: Final = 0.02  # monthly standard deviation of it
LEVEL: Final = {  # of signals at rest
    "raise_multiple": 2.0,
    "half_life": 1.5,
    "frontier_growth": 0.25,
    "depreciation_belief": 0.3,
    "model_worth": 1.0,
    "spread": 0.1,
    "advance_mezzanine": 0.6,
    "expected_rent": 1.0,
}
START: Final = 1e9  # USD a month


class Toy:
    """One run; ``step`` lives a month, ``fork`` branches, ``recorder`` gives ``monthly``."""

    def __init__(self, params: Params, gain: float, swings: float, reference: dict[tuple[str, str], Any], recording: bool) -> None:
        self.params, self.gain, self.swings = params, gain, swings
        self.arrows = Arrows(params.sim.arrows, reference, recording, params.sim.build.burn_in)
        self.burn_in: int = params.sim.build.burn_in
        self.months_total: int = self.burn_in + params.months
        self.regions: tuple[str, ...] = (params.regions[0],)
        self.streams = Streams(params.seed)
        self.clock, self.drive, self.outside, self.returning = 0, 0.0, 0.0, 0.0
        self.active = [0.0] * DELAY  # of the last months, oldest first
        self.recorder = Notebook()

    @property
    def month(self) -> int:
        """Months since recording began."""
        return self.clock - self.burn_in

    def fork(self, params: Params | None = None) -> "Toy":
        """An independent copy that goes on; its record starts empty."""
        other = copy(self)  # all else is replaced, never edited
        other.params = params or self.params
        other.arrows = Arrows(other.params.sim.arrows, self.arrows.reference, burn_in=self.burn_in)
        other.recorder = Notebook()
        return other

    def step(self) -> None:
        """Once around the ring."""
        region, rest = self.regions[0], LEVEL["raise_multiple"]
        key = np.array([entity(region)], np.uint64)
        self.drive = PERSISTENCE * self.drive + SHOCK * float(self.streams.draw("drive", self.clock, key)[0])
        self.outside = PERSISTENCE * self.outside + self.swings * float(self.streams.draw("credit", self.clock, key)[0])
        life = self._arrives("half_life", "", -self.active[0])
        belief = self._arrives("depreciation_belief", region, self._arrives("frontier_growth", "", 0.0) - life)
        self._arrives("model_worth", region, life)
        spread = self._arrives("spread", region, self.outside - self.gain * belief)
        self._arrives("advance_mezzanine", region, -belief)
        self._arrives("expected_rent", region, 0.0)
        activity = self.drive + self.arrows.transmit("raise_multiple", region, self.clock, rest - spread) - rest
        self.active = [*self.active[1:], activity]
        if self.month >= 0:
            self._write(activity, spread)
        self.clock += 1

    def _arrives(self, signal: str, region: str, log: float) -> float:
        """A positive signal through its arrow, as a log about its level."""
        level = LEVEL[signal]
        return float(np.log(self.arrows.transmit(signal, region, self.clock, level * np.exp(log)) / level))

    def _write(self, activity: float, spread: float) -> None:
        capex = START * float(np.exp(activity))
        lost = 1e-3 * float(np.exp(-activity))
        row = {"month": self.month, "region": self.regions[0], "capex": capex, "orders": capex, "issuance": 0.5 * capex}
        row |= {"debt": 10.0 * START, "loss": 10.0 * START * lost, "spread": LEVEL["spread"] * float(np.exp(spread))}
        self.recorder.rows.append(row | {"debt_to_ebitda": float(np.exp(activity)), "capacity": START})


class Notebook:
    """A record that gives a table as the economy's recorder does."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def table(self, name: str) -> "Notebook":
        """The only one there is."""
        return self

    def to_pandas(self) -> pd.DataFrame:
        """One row a month."""
        return pd.DataFrame(self.rows)
