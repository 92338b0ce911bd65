"""Sovereigns: states that want compute of their own. Price does not move them; what others spent does, a year late."""

import math
from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import model_validator

from agents.party import Party
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity

YEAR = 12  # months of spending that a budget follows


class Rules(Frozen):
    """What differs by the region whose market they would rent in."""

    vendor: Literal["us", "china"]  # whose chips their rules let them buy
    residency: float = quantity("share", 0.0, 0.9, "of the region's demand whose data must stay at home once there is capacity")


class Params(Frozen):
    """Budgets and what they go to; what neither ``home`` nor ``abroad`` takes is kept for busts."""

    count: int = quantity("1", 0, 50, "sovereigns of a region; 0: none")
    share: float = quantity("share", 0.0, 1.0, "of a year's spending of others: budget, all of a region together")
    lag: int = quantity("month", 0, 60, "from the end of that year to the budget")
    fall: float = quantity("1/year", 0.0, 5.0, "most, in logs, by which a budget falls")
    home: float = quantity("share", 0.0, 1.0, "of a budget that builds at home")
    abroad: float = quantity("share", 0.0, 1.0, "of it that buys new shares of the region's operators")
    chest: float = quantity("year", 0.0, 20.0, "of budgets, most that is kept for busts")
    bust_discount: float = quantity("share", 0.0, 1.0, "on used units from which they buy them")
    bust_units: float = quantity("share", 0.0, 1.0, "of what is then sold that they take home, as far as the chest goes")
    bust_spread: float = quantity("1/year", 0.0, 1.0, "on notes, novelty apart, from which they buy them")
    bust_notes: float = quantity("1/month", 0.0, 1.0, "of the chest that then goes into notes")
    us: Rules
    china: Rules

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.home + self.abroad > 1.0 + 1e-12:
            raise ValueError(f"home {self.home:g} and abroad {self.abroad:g} add up to more than 1: the rest is kept for busts")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """Chips can only be bought of a region that is simulated."""
        for region in params.regions if self.count > 0 else ():
            vendor = getattr(self, region).vendor
            if vendor not in params.regions:
                yield f"{region}.vendor is {vendor}, which is not among regions. Add it, or give one that is."


class Sovereign(Party):
    """One state's budget, and what it has put aside."""

    kind = "sovereign"

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.slot = -1  # row in the fleet
        self.budget = 0.0  # USD/year
        self.kept = 0.0  # USD put aside for busts
        self.spent: list[float] = []  # USD that others spent in the last months, oldest first

    def plan(self, spending: float) -> float:
        """Budget, USD/year, after a month in which others spent ``spending`` USD: it follows late, and hardly falls."""
        p = self.params
        self.spent = [*self.spent, spending][-YEAR - p.lag :]
        seen = sum(self.spent[:YEAR]) if len(self.spent) == YEAR + p.lag else 0.0
        self.budget = max(p.share * self.weight * seen, self.budget * math.exp(-p.fall / MONTHS))
        left = (1.0 - p.home - p.abroad) * self.budget / MONTHS
        self.kept = min(self.kept + left, max(p.chest * self.budget, self.kept))
        return self.budget

    def takes(self, market: Market) -> float:
        """Share of used units on sale that it wants: none unless they are cheap."""
        return self.params.bust_units * self.weight if market.fire_sale >= self.params.bust_discount else 0.0

    def buys_notes(self, market: Market) -> float:
        """USD that it puts into notes this month: none unless their spread is wide."""
        wide = market.spread - market.novelty >= self.params.bust_spread
        return self.params.bust_notes * self.kept if wide else 0.0
