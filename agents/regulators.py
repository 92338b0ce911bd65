"""Regulators: they act on old losses, and roll back slowly."""

from agents.party import Party
from sim.units import Frozen, quantity


class Params(Frozen):
    """Limits on leverage, and how they tighten."""

    ltv_cap: float = quantity("share", 0.1, 1.0, "most debt over value")
    senior_gap: float = quantity("share", 0.0, 0.9, "by which the senior class stays below the cap")
    tolerance: float = quantity("1/year", 0.0, 1.0, "loss rate that calls for a rule")
    lag: int = quantity("month", 1, 240, "from losses to the rule")
    strictness: float = quantity("share", 0.0, 0.9, "cut of the cap when the rule binds in full")
    tightening: float = quantity("month", 1.0, 120.0, "in which a rule is brought in")
    rollback: float = quantity("month", 1.0, 600.0, "in which it is rolled back")


class Regulator(Party):
    """One regulator with a memory of losses."""

    kind = "regulator"

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.losses = [0.0] * self.params.lag  # 1/year, oldest first
        self.addon = 0.0  # share of value taken off the cap

    def rule(self, loss_rate: float) -> float:
        """Cut of the LTV cap after this month."""
        p = self.params
        self.losses.append(loss_rate)
        if self.losses.pop(0) > p.tolerance:
            self.addon += (p.strictness - self.addon) / p.tightening
        else:
            self.addon -= self.addon / p.rollback
        return self.addon
