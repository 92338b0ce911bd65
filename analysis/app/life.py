"""An economy and what the page remembers of it: months lived, signals of the arrows, deals that are followed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.app import feed, pours
from analysis.app.feed import Feed
from sim.arrows import ADDITIVE, ARROWS

if TYPE_CHECKING:
    from sim.economy import Economy

Signals = dict[tuple[str, str], np.ndarray]
MEMORY: Final = 36  # months in the mean that a cut arrow transmits, about one cycle of the baseline
SIGNS: Final[dict[str, int]] = {  # +1: more of it means more spending
    **dict.fromkeys(("funded_share", "raise_multiple", "leverage_senior", "leverage_mezzanine"), 1),
    **dict.fromkeys(("half_life", "recovery_belief", "model_worth", "expected_rent"), 1),
    **dict.fromkeys(("advance_senior", "advance_mezzanine", "ration", "refinancing"), 1),
    **dict.fromkeys(("cost_of_capital", "frontier_growth", "depreciation_belief", "dispersion"), -1),
    **dict.fromkeys(("loss_belief", "loss_volatility", "spread"), -1),
}
FIRST: Final[dict[str, str]] = {  # the signal of each arrow that is written beside it
    "capital>scaling": "raise_multiple",
    "scaling>obsolescence": "half_life",
    "obsolescence>valuation": "depreciation_belief",
    "valuation>credit": "spread",
    "cobweb": "expected_rent",
}


class Life:
    """One economy that is being lived.

    Parameters
    ----------
    economy : with arrows that record
    memory : signals of the last months
    followed : deals whose pay dates are shown
    """

    def __init__(self, economy: Economy, memory: deque[Signals] | None = None, followed: pours.Followed | None = None) -> None:
        self.economy = economy
        self.feed = Feed(economy.params.start)
        economy.recorder = self.feed
        self.memory = memory if memory is not None else deque(maxlen=MEMORY)
        self.followed = followed or pours.Followed()

    @property
    def month(self) -> int:
        """The month that is lived next."""
        return self.economy.month

    def step(self) -> dict[str, Any] | None:
        """Live a month; its row, or nothing during burn-in."""
        self.feed.turn()
        self.economy.step()
        recorded = self.economy.arrows.recorded
        self.memory.append({key: values[-1] for key, values in recorded.items()})
        recorded.clear()
        self.followed.look(self.economy)
        return self.row() if self.month > 0 else None

    def row(self) -> dict[str, Any]:
        """What is drawn of the month just lived; ``values`` in the order of ``feed.fields``."""
        horizon = self.economy.params.months
        values: list[float | None] = []
        for region in self.economy.regions:
            values += feed.region_values(self.economy, self.feed, region, horizon)
            for arrow in ARROWS:
                values += [self.push(arrow, region), self.signal(arrow, region)]
        deals = self.followed.pay_dates(self.economy)
        return {"month": self.month - 1, "values": values, "events": self.feed.events, "deals": deals}

    def fork(self, params: Any = None) -> Life:
        """An independent copy, under other parameters if given."""
        return Life(self.economy.fork(params), self.memory.copy(), self.followed.copy())

    # -- arrows --------------------------------------------------------------------------------------------------------

    def usual(self) -> Signals:
        """Mean of every signal over the months remembered: what an arrow transmits once it is cut; (1,) or (1, n)."""
        return {key: np.array([_mean([month[key] for month in self.memory])]) for key in self.memory[-1]}

    def push(self, arrow: str, region: str) -> float | None:
        """How far an arrow's signals stand from what a cut would transmit, in the direction of more spending; mean of logs."""
        found = [self._deviation(signal, region) for signal in ARROWS[arrow]]
        known = [value for value in found if value is not None and np.isfinite(value)]
        return feed.short(sum(known) / len(known)) if known else None

    def _deviation(self, signal: str, region: str) -> float | None:
        key = self._key(signal, region)
        if key is None:
            return None
        live, usual = _level(self.memory[-1][key]), _level(_mean([month[key] for month in self.memory]))
        away = live - usual if signal in ADDITIVE else float(np.log(live / usual))
        return SIGNS[signal] * away

    def signal(self, arrow: str, region: str) -> float | None:
        """The arrow's first signal, mean over agents."""
        key = self._key(FIRST[arrow], region)
        return None if key is None else feed.short(_level(self.memory[-1][key]))

    def _key(self, signal: str, region: str) -> tuple[str, str] | None:
        return next((key for key in ((signal, region), (signal, "")) if key in self.memory[-1]), None)


def _level(values: np.ndarray) -> float:
    """Mean over agents."""
    known = np.atleast_1d(values)[np.isfinite(np.atleast_1d(values))]
    return float(known.mean()) if known.size else float("nan")


def _mean(months: list[np.ndarray]) -> np.ndarray:
    """Mean over months, agent by agent; months without a value are left out."""
    stacked = np.stack(months)
    known = np.isfinite(stacked)
    count = known.sum(axis=0)
    return np.divide(np.where(known, stacked, 0.0).sum(axis=0), count, out=np.zeros(stacked.shape[1:]), where=count > 0)
