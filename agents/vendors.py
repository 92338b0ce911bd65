"""The chip vendor: it earns the hardware part of all capital spending and backs labs with some of it."""

from agents.party import Party
from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """The vendor's accounts."""

    goods_share: float = quantity("share", 0.0, 1.0, "of revenue that goes to its own suppliers")
    cash_target: float = quantity("year", 0.0, 5.0, "of revenue held in cash; the rest is paid out")


class Vendor(Party):
    """One vendor serves the world."""

    kind = "vendor"

    def spare(self, cash: float, revenue: float) -> float:
        """Cash to return to savers, USD; ``revenue`` is USD this month."""
        return max(cash - self.params.cash_target * revenue * MONTHS, 0.0)
