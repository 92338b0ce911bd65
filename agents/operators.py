"""Levered data-centre operators: they want capacity, seek deals for it, and support or drop the deals they have."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from pydantic import model_validator

from agents.sponsors import Sponsor
from sim.kernels.rents import rent_value, rental
from sim.orders import CapexOrder, FinancingRequest, Offer
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity

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
    anchor: float = quantity("share", 0.0, 1.0, "weight of straight-line depreciation in sponsors' view")
    confidence_noise: float = quantity("1", 0.0, 1.0, "monthly standard deviation of log confidence")
    confidence_persistence: float = quantity("1/month", 0.0, 0.999, "of confidence")
    least: float = quantity("USD", 0.0, 1e12, "order or loan below which it seeks no deal")
    closing: int = quantity("month", 1, 24, "between a sponsor's closings")
    equity_spend: float = quantity("share", 0.0, 1.0, "of cash that the closings of one month may take")
    returning: float = quantity("share", 0.0, 1.0, "of unfunded orders that are tried again")
    support: float = quantity("share", 0.0, 1.0, "of cash that a month's cures may take")
    payoff: float = quantity("share", 0.0, 1.0, "of cash that may go into refinancing gaps")
    payout: float = quantity("share", 0.0, 1.0, "of residuals paid to shareholders")
    buffer: float = quantity("year", 0.0, 10.0, "of equity needs held in cash before more is paid out")
    idle_payout: float = quantity("1/month", 0.0, 1.0, "of cash above the buffer paid out")
    anchor_share: float = quantity("share", 0.0, 1.0, "of its new contracts signed with its anchor tenant, the rest with others")
    outside_from: float = quantity("1", 0.0, 2.0, "value over cost at which shareholders begin to buy new shares")
    outside_equity: float = quantity(
        "1", 0.0, 20.0, "share of the equity that its plans lack sold that way, per value over cost above it"
    )
    outside_cap: float = quantity("share", 0.0, 2.0, "most of that lack that is met this way")
    courting: int = quantity("month", 0, 24, "before its closings in which a sponsor sells shares")
    failure: float = quantity("share", 0.0, 1.0, "of its debt in default above which it fails")
    restart: float = quantity("share", 0.0, 0.5, "of its capacity's cost: cash that new owners bring")
    start_equity: float = quantity("share", 0.0, 5.0, "cash at the start, of capacity's cost")
    haste: float = quantity("1/month", 0.0, 1.0, "of plans that an announced rule would reach, brought forward to close before it")
    rush: float = quantity("share", 0.0, 5.0, "by which it raises orders that the rule concerns until then, and cuts them later")
    rush_from: int = quantity("month", 0, 60, "before the date from which it does either")

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


class Operator(Sponsor):
    """One levered operator with an anchor tenant."""

    kind = "operator"

    def __init__(self, *args, depreciation: float = 0.0, channels: Sequence[str] = ("abs", "private"), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = -1  # party of its anchor customer
        self.abs_share = math.nan  # of its plans placed as securities, once it has its own way; else the market's
        self.confidence = 0.0
        self.depreciation = depreciation  # view, 1/year
        self.plans = {channel: [0.0] * HORIZON for channel in channels}  # USD by months to closing
        self.ready = dict.fromkeys(channels, 0.0)  # USD that could close now
        self.early = 0.0  # USD of orders brought forward and not yet made up for

    def observe(self, market: Market, trend: float, noise: float) -> None:
        """Update the view of depreciation and confidence; ``trend`` is straight-line depreciation, 1/year."""
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

    def owning(self, rate: float, years: float) -> float:
        """Level rent per USD of cost, 1/year, at which a unit held for ``years`` costs as much as its own at ``rate``, 1/year."""
        return rental(rate, self.depreciation, years)

    def earning(self, market: Market, rent: float, rate: float, years: float) -> float:
        """Level earnings a year per USD of cost, worth at ``rate`` (1/year) what a new unit earns in ``years``."""
        earned = float(rent_value(rent, market.running_cost, self.depreciation, rate, years))
        return earned / market.unit_cost * rental(rate, math.inf, years)

    def leases(self, most: float, rent: float, owning: float, earning: float, lacks: float) -> float:
        """Of a plan, USD that it leases at ``rent``, up to ``most``: all where that costs less than owning, else what it lacks.

        ``rent``, ``owning`` and ``earning`` are a year's, per USD of cost; it leases nothing that does not earn its rent.
        ``lacks`` are USD of cost of its plans for which it has no equity.
        """
        if earning < rent:
            return 0.0
        return most if rent <= owning else min(most, lacks)

    def swaps(self, gain: np.ndarray, years: np.ndarray, fee: np.ndarray, cash: float) -> np.ndarray:
        """Which leased units (n,) it swaps: where what new ones earn beyond their rent pays the fee in ``years`` that are left.

        Parameters
        ----------
        gain : USD/year
        fee : USD, of which it pays as many as it has ``cash`` for
        """
        pays = gain * years > fee
        return np.asarray(pays & (np.cumsum(np.where(pays, fee, 0.0)) <= max(cash, 0.0)))

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

    def all_in(self, offer: Offer) -> float:
        """Cost of capital through a channel, 1/year: debt, equity, and equity promised while it waits, over the years of rent."""
        own = (1.0 - offer.debt) * self.params.equity_cost
        waiting = self.params.equity_cost * offer.months / MONTHS / self.params.life
        return offer.debt * offer.rate + own + waiting

    def place(self, amount: float, offers: Sequence[Offer]) -> dict[str, float]:
        """Parts of a plan, USD by channel: the cheapest first, as far as its share of the room; the rest is in none."""
        parts, left = dict.fromkeys(self.plans, 0.0), amount
        for offer in self.ranked(offers):
            parts[offer.channel] = min(left, offer.room * self.weight)
            left -= parts[offer.channel]
        return parts

    def ranked(self, offers: Sequence[Offer]) -> list[Offer]:
        """The cheapest first."""
        return sorted(offers, key=lambda offer: (self.all_in(offer), offer.channel))

    def queue(self, parts: dict[str, float], waits: dict[str, int]) -> None:
        """Put a plan, USD by channel, in line for its closing; plans of ``waits[channel]`` months ago become ready."""
        for channel, plans in self.plans.items():
            plans[waits[channel] - 1] += parts[channel]
            self.ready[channel] += plans.pop(0)
            plans.append(0.0)

    def hurry(self, channels: Sequence[str], month: int, ahead: int) -> float:
        """Make plans ready that would close too late, where they can still close in time; USD.

        Parameters
        ----------
        channels : that the rule concerns
        month : now, before this month's plans are queued
        ahead : months from now until nothing closes under the old rule
        """
        if self._closing(month + 1) >= month + ahead:
            return 0.0
        moved = 0.0
        for channel in channels:
            for wait, plan in enumerate(self.plans.get(channel, ())):
                if self._closing(month + 1 + wait) >= month + ahead:
                    part = self.params.haste * plan
                    self.plans[channel][wait] -= part
                    self.ready[channel] += part
                    moved += part
        return moved

    def _closing(self, ready: int) -> int:
        """The month in which it closes what is ready from month ``ready`` on."""
        return next(month for month in range(ready, ready + self.params.closing) if self.closes(month))

    def rushed(self, parts: dict[str, float], channels: Sequence[str]) -> dict[str, float]:
        """A plan, USD by channel, with orders brought forward while a rule comes for ``channels``, and made up for later."""
        if channels:
            extra = {name: self.params.rush * usd for name, usd in parts.items() if name in channels}
            self.early += sum(extra.values())
            return {name: usd + extra.get(name, 0.0) for name, usd in parts.items()}
        whole = sum(parts.values())
        if not self.early or not whole:
            return parts
        back = min(self.early, min(self.params.rush, 1.0) * whole)
        self.early -= back
        return {name: usd * (1.0 - back / whole) for name, usd in parts.items()}

    def let_to(self, chance: float, others: Sequence[int], sizes: Sequence[float] = ()) -> int:
        """Tenant of a new contract: the anchor, or one of ``others`` (parties), as a ``chance`` in (0, 1) has it.

        ``sizes`` of the others are their shares in what the anchor leaves; without them all have the same.
        """
        share = self.params.anchor_share
        if chance < share or not others:
            return self.tenant
        left = (chance - share) / (1.0 - share)
        if not sizes:
            return others[int(left * len(others))]
        reached = np.cumsum(sizes)
        return others[int(np.searchsorted(reached[:-1], left * reached[-1], side="right"))]

    def closes(self, month: int) -> bool:
        """Deals close every so many months, each sponsor in its own."""
        return self._since(month) == 0

    def courts(self, month: int) -> bool:
        """Shares are sold in the months before deals close."""
        return self._since(month) >= self.params.closing - self.params.courting

    def _since(self, month: int) -> int:
        """Months since the last closing."""
        return (month + self.number) % self.params.closing

    def request(self, cash: float, tied: float = 0.0) -> list[FinancingRequest]:
        """Seek deals for what is ready, with as much own money as prudence allows and all that is ``tied`` to orders, USD."""
        large = {c: ready for c, ready in self.ready.items() if self.worth_a_deal(ready)}
        wanted, own = sum(large.values()), self.params.equity_spend * max(cash - tied, 0.0) + tied
        return [FinancingRequest(self.party, c, ready, own * ready / wanted) for c, ready in large.items()]

    def worth_a_deal(self, amount: float) -> bool:
        """What lawyers and agencies ask is too much for less."""
        return amount > 0.0 and amount >= self.params.least

    def expects(self, month: int, cash: float, debt: float, banks: Sequence[str] = (), own: float = 1.0) -> float:
        """Notes, USD, that its deals will ask of investors in ``month`` at an advance rate of ``debt``; not those of ``banks``.

        ``own`` is the share of their cost that it pays; landlords pay the rest.
        """
        if not self.closes(month):
            return 0.0
        sums = [self.ready[c] + plans[0] for c, plans in self.plans.items() if c not in banks]
        wanted = own * sum(amount for amount in sums if self.worth_a_deal(amount))
        return debt * min(wanted, self.params.equity_spend * max(cash, 0.0) / (1.0 - debt))

    def funded(self, channel: str, amount: float) -> None:
        """Part of what was ready has closed; some of the rest is tried again."""
        self.ready[channel] = self.params.returning * (self.ready[channel] - amount)

    def lacking(self, own: float, cash: float) -> float:
        """Equity that its plans in line need beyond its ``cash``, USD; ``own`` is what a deal needs, of cost."""
        return max(own * sum(sum(self.plans[c]) + self.ready[c] for c in self.plans) - max(cash, 0.0), 0.0)

    def outside(self, value: float, own: float, cash: float) -> float:
        """New shares to sell this month, USD: of what its plans in line lack, more when a unit is worth more.

        ``own`` is the equity that a deal needs, of cost.
        """
        p, short = self.params, self.lacking(own, cash)
        return min(p.outside_equity * max(value - p.outside_from, 0.0), p.outside_cap) * short

    def worth_to_outsiders(self, market: Market, rent: float, debt: float, required: float) -> float:
        """Value over cost of the newest unit for equity that asks ``required``, 1/year, beside ``debt``, a share of all it pays."""
        return self.value(market, rent, debt * (market.base_rate + market.spread) + (1.0 - debt) * required)

    def short_of_equity(self, needs: dict[str, float], cash: float) -> float:
        """USD of own money that it lacks for what is ready; ``needs`` are USD of equity per USD of cost, by channel."""
        needed = sum(ready * needs[channel] for channel, ready in self.ready.items())
        return max(needed - self.params.equity_spend * max(cash, 0.0), 0.0)

    def takes_out(self, pays: np.ndarray, asks: np.ndarray, gap: np.ndarray, cash: float) -> np.ndarray:
        """Which of its loans (n,) it replaces: where new interest and its own return on the gap come to less than the old interest.

        Parameters
        ----------
        pays, asks : USD/year of interest
        gap : USD that the new loan leaves to pay; what it brings beyond the old one, below zero
        """
        cheaper = asks + self.params.equity_cost * gap <= pays
        needed = np.cumsum(np.where(cheaper, np.maximum(gap, 0.0), 0.0))
        return np.asarray(cheaper & (needed <= self.params.payoff * max(cash, 0.0)))

    def fails(self, owed: float, defaulted: float) -> bool:
        """Too much of its debt (USD) is in default."""
        return defaulted > self.params.failure * owed

    def idle(self, cash: float, needs: float) -> float:
        """Cash to pay out, USD, above a buffer of ``needs`` (USD of equity a year)."""
        p = self.params
        return p.idle_payout * max(cash - p.buffer * needs, 0.0)
