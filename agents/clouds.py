"""Cloud giants: capacity from own cash flow, buyers of last resort for used hardware."""

import math
from typing import Literal, Self

from pydantic import model_validator

from agents.sponsors import Sponsor
from sim.kernels.rents import rent_value
from sim.orders import CapexOrder
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity


class Scale(Frozen):
    """What differs by region."""

    capacity_share: float = quantity("share", 0.01, 0.999, "of capacity at the start that clouds own")
    core_earnings: float = quantity("USD/year", 0.0, 1e14, "cash flow of their other business, January 2023")


class Params(Frozen):
    """Clouds' rules."""

    count: int = quantity("1", 1, 50, "clouds in a region")
    entry: float = quantity("1/month", 0.0, 2.0, "orders over capacity per log of value over cost")
    sentiment_noise: float = quantity("1", 0.0, 1.0, "monthly standard deviation of log sentiment")
    sentiment_persistence: float = quantity("1/month", 0.0, 0.999, "of sentiment")
    hurdle: float = quantity("1/year", 0.0, 1.0, "return over the base rate that they ask")
    order_floor: float = quantity("1/month", 0.0, 0.1, "least orders over capacity")
    order_cap: float = quantity("1/month", 0.01, 2.0, "most orders over capacity")
    most_debt: float = quantity(
        "year", 0.0, 100.0, "of the other business's earnings, bonds and unpaid orders at which it orders nothing; 0: no limit"
    )
    core_growth: float = quantity("1/year", -0.2, 0.5, "of the other business's cash flow")
    cash_target: float = quantity("year", 0.0, 5.0, "of capital spending held in cash; the rest is paid out")
    bond_spread: float = quantity("1/year", 0.0, 0.2, "over the base rate on clouds' bonds, of a cloud without any")
    bond_slope: float = quantity("1/year", 0.0, 0.2, "added per unit of bonds over a year's earnings of the other business")
    bond_repayment: float = quantity("1/month", 0.0, 1.0, "of bonds repaid when cash allows; those without a tenor")
    bond_share: float = quantity(
        "share", 0.0, 1.0, "of capital spending beyond what other business finances: bonds, though there is cash"
    )
    bond_from: float = quantity("share", 0.0, 10.0, "of other business's earnings: capital spending that needs no bonds")
    bond_tenor: int = quantity("month", 0, 360, "to repayment in one sum; 0: repaid when cash allows")
    bond_weight: float = quantity("share", 0.0, 1.0, "of a bond that counts against what investors can carry")
    bond_holders: Literal["savers", "investors"]
    us: Scale
    china: Scale

    @model_validator(mode="after")
    def _held_to_the_end(self) -> Self:
        if self.bond_holders == "investors" and self.bond_tenor == 0:
            raise ValueError("investors buy bonds with a tenor: give bond_tenor above 0, or bond_holders savers")
        return self


class Cloud(Sponsor):
    """One cloud: trend demand, a weak response to value, its own sentiment; no credit limit."""

    kind = "cloud"

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.slot = -1  # row in the fleet
        self.sentiment = 0.0

    def value(self, market: Market, rent: float, decline: float, life: float) -> float:
        """Value over cost of the newest unit at its own hurdle."""
        rate = market.base_rate + self.params.hurdle
        return float(rent_value(rent, market.running_cost, decline, rate, life)) / market.unit_cost

    def order(self, market: Market, capacity: float, value: float, growth: float, noise: float) -> CapexOrder:
        """Order capacity for growth, USD; ``capacity`` effective GPU, its own share of the region's clouds."""
        p = self.params
        self.sentiment = p.sentiment_persistence * self.sentiment + p.sentiment_noise * noise
        pace = (growth / MONTHS + p.entry * math.log(max(value, 0.05))) * math.exp(self.sentiment)
        base = capacity * market.unit_cost * self.weight
        return CapexOrder(self.party, base * min(max(pace, p.order_floor), p.order_cap))

    def dares(self, owed: float, earnings: float) -> float:
        """Part of an order that its debts leave: all below half of the most, none at the most; ``owed`` USD, orders counted."""
        most = self.params.most_debt * earnings
        return min(max(2.0 * (1.0 - owed / most), 0.0), 1.0) if most > 0.0 else 1.0

    def spread(self, owed: float, earnings: float) -> float:
        """Of new bonds over the base rate, 1/year, when it will have ``owed`` USD and earns ``earnings`` USD/year elsewhere."""
        p = self.params
        return p.bond_spread + p.bond_slope * owed / earnings if earnings > 0.0 else p.bond_spread

    def spare(self, cash: float, spending: float) -> float:
        """Cash to return to savers, USD; ``spending`` is USD/year of capital spending."""
        return max(cash - self.params.cash_target * spending, 0.0)
