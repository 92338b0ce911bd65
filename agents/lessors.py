"""Lessors: they own what operators rent, and bear what obsolescence takes from it."""

from typing import Self

from pydantic import model_validator

from agents.party import Party
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """Lessors' rules."""

    count: int = quantity("1", 1, 50, "lessors in a region, where units are leased")
    advance: float = quantity("share", 0.0, 0.95, "of the book value of their units that banks lend")
    spread: float = quantity("1/year", 0.0, 0.5, "over the base rate on these loans")
    required: float = quantity("1/year", 0.0, 1.0, "return on equity that they ask, and owners expect")
    learning: float = quantity("1/month", 0.0, 1.0, "of depreciation and of units handed back, by which they price")
    returned: float = quantity("1/year", 0.0, 2.0, "units that come back unpaid for, as they expect at the start")
    caution: float = quantity("year", 0.0, 100.0, "share of new leases refused per unit of return short of what is asked")
    memory: float = quantity("month", 1.0, 240.0, "of returns")
    restart: float = quantity("share", 0.001, 0.9, "of the book value of its units, capital of a failed lessor's new owners")

    @model_validator(mode="after")
    def _funded(self) -> Self:
        if self.advance + self.restart > 1.0:
            raise ValueError(f"advance {self.advance} and restart {self.restart} must not exceed 1 together")
        return self


class Lessor(Party):
    """One lessor's view of depreciation and the returns it remembers."""

    kind = "lessor"

    def __init__(self, *args, depreciation: float = 0.0, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.depreciation = depreciation  # belief, 1/year
        self.returned = self.params.returned  # units expected back unpaid for, 1/year
        self.trailing = self.params.required  # return on equity, 1/year
        self.worth = 0.0  # USD of net worth at the end of last month
        self.paid_in = 0.0  # USD that owners have paid in since

    def rate(self, market: Market) -> float:
        """Return that its units must earn, 1/year."""
        p = self.params
        return p.advance * (market.base_rate + p.spread) + (1.0 - p.advance) * p.required

    def learn(self, market: Market) -> None:
        """Move towards the depreciation that the market sees."""
        self.depreciation += self.params.learning * (market.depreciation_seen - self.depreciation)

    def count(self, back: float, running: float) -> None:
        """Move towards the rate at which units came back unpaid for, ``back`` GPU of those ``running``, this month."""
        if running > 0.0:
            self.returned += self.params.learning * (MONTHS * back / running - self.returned)

    def earn(self, capital: float, paid_out: float) -> None:
        """Remember what a month has left of ``capital``, USD, before ``paid_out`` goes to owners."""
        before = self.worth + self.paid_in
        if before > 0.0:
            month = min(max(MONTHS * (capital - before) / before, -2.0), 2.0)
            self.trailing += (month - self.trailing) / self.params.memory
        self.worth, self.paid_in = capital - paid_out, 0.0

    def offers(self) -> float:
        """Part of the leases sought that it signs: less after poor returns."""
        return min(max(1.0 - self.params.caution * (self.params.required - self.trailing), 0.0), 1.0)

    def borrows(self, book: float, owed: float) -> float:
        """USD that banks lend it now, or ask back (below zero), on units booked at ``book``."""
        return self.params.advance * book - owed

    def fails(self, capital: float) -> bool:
        """It owes more than it has."""
        return capital < 0.0
