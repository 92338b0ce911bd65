"""Sellers of protection: they stand for others' losses with little capital, and fail when these come together."""

from agents.party import Party
from sim.units import Frozen, quantity


class Params(Frozen):
    """Sellers' rules."""

    count: int = quantity("1", 1, 50, "sellers in a region, where there is protection")
    capital: float = quantity("share", 0.0001, 1.0, "of the region's notes that they keep as capital, together")
    price: float = quantity("1/year", 1e-4, 10.0, "charge per unit of risk that they ask when risk equals capital")
    most: float = quantity("1", 0.01, 100.0, "risk that they stand for at most, per unit of capital")
    pace: float = quantity("1/month", 0.0, 1.0, "share of capital that is missing or not needed that owners pay in or take out")


class Seller(Party):
    """One seller; its capital is handed in."""

    kind = "seller"

    def wants(self, notes: float) -> float:
        """Capital that it keeps for a region's ``notes``, USD."""
        return self.params.capital * self.weight * notes

    def call(self, capital: float, cash: float, notes: float) -> float:
        """Money that owners pay in (or take out, below zero) this month, USD; no more than its ``cash``."""
        return max(self.params.pace * (self.wants(notes) - capital), -max(cash, 0.0))

    def fails(self, capital: float, unpaid: float) -> bool:
        """It owes more than it has, by today's quotes, or cannot pay what is due."""
        return capital < 0.0 or unpaid > 0.0
