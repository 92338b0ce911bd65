"""Levered data-centre operators: they want capacity, seek deals for it, and support or drop the deals they have."""

import math
from collections.abc import Iterable
from typing import Any, Self

from pydantic import model_validator

from agents.party import Party
from sim.kernels.rents import rent_value
from sim.orders import CapexOrder, FinancingRequest
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity

CHANNELS = ("abs", "private")
HORIZON = 12  # months a plan may wait for its closing


class Params(Frozen):
    """Operators' rules."""

    count: int = quantity("1", 1, 200, "operators in a region")
    equity_cost: float = quantity("1/year", 0.0, 1.0, "return that sponsors ask")
    entry: float = quantity("1/month", 0.0, 2.0, "orders over capacity per log of value over cost")
    extrapolation: float = quantity("1", 0.0, 10.0, "orders for growth over the growth expected: part is never funded")
    order_floor: float = quantity("1/month", 0.0, 0.1, "least orders over capacity")
    order_cap: float = quantity("1/month", 0.01, 2.0, "most orders over capacity")
    life: float = quantity("year", 1.0, 20.0, "of rent that sponsors count")
    build: int = quantity("month", 1, 60, "from order to delivery")
    anchor: float = quantity("share", 0.0, 1.0, "weight of the trend in sponsors' view of depreciation")
    vintage_view: float = quantity("share", 0.0, 1.0, "of the vintage discount that the trend view holds")
    confidence_noise: float = quantity("1", 0.0, 1.0, "monthly standard deviation of log confidence")
    confidence_persistence: float = quantity("1/month", 0.0, 0.999, "of confidence")
    equity_spend: float = quantity("share", 0.0, 1.0, "of cash that one quarter's closings may take")
    returning: float = quantity("share", 0.0, 1.0, "of unfunded orders that are tried again")
    support: float = quantity("share", 0.0, 1.0, "of cash that a month's cures may take")
    payoff: float = quantity("share", 0.0, 1.0, "of cash that may go into refinancing gaps")
    payout: float = quantity("share", 0.0, 1.0, "of residuals paid to shareholders")
    buffer: float = quantity("year", 0.0, 10.0, "of equity needs held in cash before more is paid out")
    idle_payout: float = quantity("1/month", 0.0, 1.0, "of cash above the buffer paid out")
    outside_equity: float = quantity("1", 0.0, 20.0, "share of its plans' equity raised by new shares, per value over cost less 1")
    outside_cap: float = quantity("share", 0.0, 2.0, "most of those needs that are met this way")
    failure: float = quantity("share", 0.0, 1.0, "of its debt in default above which it fails")
    restart: float = quantity("share", 0.0, 0.5, "of its capacity's cost: cash that new owners bring")
    start_equity: float = quantity("share", 0.0, 5.0, "cash at the start, of capacity's cost")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.order_floor > self.order_cap:
            raise ValueError(f"order_floor {self.order_floor} must not exceed order_cap {self.order_cap}")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """Units must serve for a while after they are built."""
        life = params.sim.markets.compute.service_life
        if self.build + 12 > life:
            yield f"build {self.build} leaves less than a year of sim.markets.compute.service_life {life} (months)"


class Operator(Party):
    """One levered operator with an anchor tenant."""

    kind = "operator"

    def __init__(self, *args, depreciation: float = 0.0, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = -1  # party of its anchor customer
        self.abs_share = math.nan  # of its plans placed as securities, once it has its own way; else the market's
        self.confidence = 0.0
        self.depreciation = depreciation  # view, 1/year
        self.plans = {channel: [0.0] * HORIZON for channel in CHANNELS}  # USD by months to closing
        self.ready = dict.fromkeys(CHANNELS, 0.0)  # USD that could close now

    def observe(self, market: Market, trend: float, noise: float) -> None:
        """Update the view of depreciation and confidence; ``trend`` is the optimist's depreciation, 1/year."""
        p = self.params
        anchored = p.anchor * trend + (1.0 - p.anchor) * market.depreciation_seen
        self.depreciation += (anchored - self.depreciation) / MONTHS
        self.confidence = p.confidence_persistence * self.confidence + p.confidence_noise * noise

    def value(self, market: Market, rent: float, rate: float) -> float:
        """Value over cost of the newest unit, at the ``rent`` expected at delivery, USD/GPU/year, and a cost of capital."""
        running = market.running_cost + market.site_rent * market.unit_cost
        earned = rent_value(rent, running, self.depreciation, rate, self.params.life)
        return float(earned) / (market.own_share * market.unit_cost)

    def cost_of_capital(self, market: Market, debt: float) -> float:
        """Mean of the costs of ``debt``, a share of all it pays, and of equity, 1/year."""
        return debt * (market.base_rate + market.spread) + (1.0 - debt) * self.params.equity_cost

    def cures(self, shortfall: float, cash: float) -> float:
        """Share of its deals' shortfall (USD) that it makes good this month."""
        return min(1.0, self.params.support * max(cash, 0.0) / shortfall) if shortfall > 0.0 else 0.0

    def want(self, market: Market, value: float, growth: float) -> CapexOrder:
        """Plan capacity: growth of demand, more when a unit is worth more than it costs. Moves no cash."""
        p = self.params
        pace = (p.extrapolation * growth / MONTHS + p.entry * math.log(max(value, 0.05))) * math.exp(self.confidence)
        base = market.levered_capacity * market.unit_cost * self.weight
        share = market.abs_share if math.isnan(self.abs_share) else self.abs_share
        return CapexOrder(self.party, base * min(max(pace, p.order_floor), p.order_cap), share)

    def queue(self, order: CapexOrder, waits: dict[str, int]) -> None:
        """Put a plan in line for its channel's closing; plans of ``waits[channel]`` months ago become ready."""
        parts = {"abs": order.share_securitised, "private": 1.0 - order.share_securitised}
        for channel, plans in self.plans.items():
            plans[waits[channel] - 1] += order.amount * parts[channel]
            self.ready[channel] += plans.pop(0)
            plans.append(0.0)

    def closes(self, month: int) -> bool:
        """Deals close once a quarter, each sponsor in its own month."""
        return (month + self.number) % 3 == 0

    def request(self, cash: float) -> list[FinancingRequest]:
        """Seek deals for what is ready, with as much own money as prudence allows."""
        wanted = sum(self.ready[c] for c in CHANNELS)
        if wanted <= 0.0:
            return []
        own = self.params.equity_spend * max(cash, 0.0)
        return [
            FinancingRequest(self.party, c, self.ready[c], own * self.ready[c] / wanted) for c in CHANNELS if self.ready[c] > 0.0
        ]

    def expects(self, month: int, cash: float, debt: float, own: float) -> float:
        """Notes, USD, that its deals will ask for in ``month`` at an advance rate of ``debt``; it pays ``own`` of their cost."""
        if not self.closes(month):
            return 0.0
        wanted = own * sum(self.ready[c] + self.plans[c][0] for c in CHANNELS)
        return debt * min(wanted, self.params.equity_spend * max(cash, 0.0) / (1.0 - debt))

    def funded(self, channel: str, amount: float) -> None:
        """Part of what was ready has closed; some of the rest is tried again."""
        self.ready[channel] = self.params.returning * (self.ready[channel] - amount)

    def outside(self, value: float, needs: float) -> float:
        """New shares to sell this month, USD, when a unit is worth more than it costs; ``needs`` is its plans' equity, USD."""
        p = self.params
        return min(p.outside_equity * max(value - 1.0, 0.0), p.outside_cap) * needs

    def fails(self, owed: float, defaulted: float) -> bool:
        """Too much of its debt (USD) is in default."""
        return defaulted > self.params.failure * owed

    def idle(self, cash: float, needs: float) -> float:
        """Cash to pay out, USD, above a buffer of ``needs`` (USD of equity a year)."""
        p = self.params
        return p.idle_payout * max(cash - p.buffer * needs, 0.0)
