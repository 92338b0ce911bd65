"""Build: delayed draws pay vendor and builders, units are delivered, operators and clouds plan more."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.books.fleet import BEFORE
from sim.phases import placing
from sim.phases.dealing import draw
from sim.phases.funding import affords, borrow_for, distribute, earn, other_business, owed_with_orders, rescue
from sim.phases.governing import pay_states, plan
from sim.phases.leasing import begin_leases, reject
from sim.phases.paying import bills, cloud_bills, pay_bills, vendor_share
from sim.phases.renewing import book_parts
from sim.phases.siting import deliver_clouds, deliver_deals, site, staged
from sim.phases.upgrading import lease, pay_works
from sim.sums import by_row
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def build(economy: Economy) -> None:
    """Deliver, draw and pay for what is under construction; plan what comes next."""
    if staged(economy):
        site(economy)
        deliver_clouds(economy)
    else:
        economy.fleet.deliver(economy.clock, economy.params.agents.operators.build)
    for region in economy.regions:
        _construct(economy, region)
        pay_works(economy, region)
        _plan_clouds(economy, region)
        plan(economy, region)
    begin_leases(economy)
    _pay_for_clouds(economy)
    for region in economy.regions:
        _plan_operators(economy, region)
    _settle_vendor(economy)


def _construct(economy: Economy, region: str) -> None:
    """Deals under construction: deliveries, capitalised interest, draws and progress payments in equal parts."""
    deals = economy.deals
    rows = economy.rows(region, BUILDING)
    done = rows[deals["delivery"][rows] == economy.clock]
    deliver_deals(economy, region, done)
    deals.start(done)
    rows = rows[deals["delivery"][rows] > economy.clock]
    if not len(rows):
        return
    interest = deals.accrue(rows)
    economy.earned += deals.by_holder(rows, interest)
    bill, draws = bills(economy, rows)
    draws = np.minimum(draws, deals["undrawn"][rows])
    draw(economy, region, rows, draws)
    cost = bill.cost
    deals["escrow"][rows] -= cost - draws.sum(axis=1)
    pay_bills(economy, region, deals["party"][rows], bill)
    for name in ("cost", "book"):
        economy.fleet.deals[name][rows] += cost + interest.sum(axis=1)
    book_parts(economy, rows, cost + interest.sum(axis=1), vendor_share(economy, rows))
    economy.note(region, capex_operators=float(cost.sum()), drawn=float(draws.sum()))


def entry_rent(economy: Economy, region: str) -> float:
    """Rent at delivery as buyers extrapolate it, USD/GPU/year, through the cobweb's arrow."""
    market = economy.tape[region]
    return market.unit_cost * economy.transmit("expected_rent", region, market.expected_rent / market.unit_cost)


def growth_wanted(economy: Economy, region: str) -> float:
    """Growth of spending on capacity, 1/year, that keeps up with demand until delivery."""
    p, market = economy.params.sim.markets, economy.tape[region]
    lost = p.compute.capacity_loss * p.compute.vintage_discount + p.tokens.elasticity
    pace = p.compute.wear + market.demand_growth + lost * economy.tape.frontier_trend
    return pace * math.exp(min(pace * economy.params.agents.operators.build / MONTHS, 0.7))


def _plan_clouds(economy: Economy, region: str) -> None:
    market, growth = economy.tape[region], growth_wanted(economy, region)
    rent = economy.entry_rent[region] = entry_rent(economy, region)
    kept = 1.0 - economy.params.sim.markets.compute.overhead
    operators = economy.all("operator", region)
    life, decline = operators[0].params.life, market.depreciation_view
    capacity = market.capacity - market.levered_capacity
    clouds = economy.all("cloud", region)
    for cloud, noise in zip(clouds, economy.draw("sentiment", economy.keys("cloud", region)), strict=True):
        order = cloud.order(market, capacity, kept * cloud.value(market, rent, decline, life), growth, float(noise))
        amount = order.amount * cloud.dares(owed_with_orders(economy, cloud), other_business(economy, region, cloud))
        amount = min(amount, affords(economy, region, cloud))
        economy.fleet.order(cloud.slot, economy.clock, amount / market.unit_cost, amount)
        economy.sites.waits[cloud.slot, BEFORE + economy.clock] = staged(economy)
        economy.note(region, orders=amount, orders_clouds=amount)


def _pay_for_clouds(economy: Economy) -> None:
    due = cloud_bills(economy)
    for region in economy.regions:
        for cloud in economy.all("cloud", region):
            earn(economy, region, cloud)
            bill = due[cloud.slot]
            borrow_for(economy, region, cloud, float(bill.cost))
            pay_bills(economy, region, cloud.party, bill)
            distribute(economy, region, cloud, float(bill.cost) * MONTHS)
            economy.note(region, capex_clouds=float(bill.cost))
        pay_states(economy, region, due)


def _plan_operators(economy: Economy, region: str) -> None:
    """Operators update their views, queue new plans, sell shares, pay out idle cash, or fail."""
    market, ledger, growth = economy.tape[region], economy.ledger, growth_wanted(economy, region)
    p = economy.params.sim.markets
    operators = economy.all("operator", region)
    savers = economy.outside["savers", region]
    trend = MONTHS / economy.params.sim.books.deals.accounting_life
    waits, offers = placing.waits(economy, region), placing.offers(economy, region)
    debt = placing.usual_debt(economy, region)
    live = placing.cost_of_capital(economy, region, offers)
    cost = economy.transmit("cost_of_capital", region, live)
    noise = economy.draw("confidence", economy.keys("operator", region))
    owed, in_default = _distress(economy, region)
    for operator, z, owes, broken in zip(operators, noise, owed, in_default, strict=True):
        operator.observe(market, trend, float(z))
        value = (1.0 - p.compute.overhead) * operator.value(market, economy.entry_rent[region], cost)
        order = operator.want(market, value, growth)
        own = market.own_share * (1.0 - debt)
        owned = replace(order, amount=lease(economy, region, operator, order.amount, cost, own))
        parts = placing.parts(economy, region, operator, owned, offers)
        operator.queue(_in_time(economy, region, operator, parts), waits)
        cash = float(ledger.cash(operator.party))
        sold = operator.outside(value, own, cash) if operator.courts(economy.clock) else 0.0
        economy.save(operator.party, region, sold)
        ledger.pay("payout", operator.party, savers, operator.idle(cash + sold, own * owned.amount * MONTHS))
        if operator.fails(owes, broken):
            size = market.levered_capacity * market.unit_cost * operator.weight
            reject(economy, region, operator)
            rescue(economy, region, operator, operator.params.restart * size, "new owners")
        economy.note(region, orders=order.amount)
    weights = [o.weight for o in operators]
    mean_view = math.fsum(o.depreciation * w for o, w in zip(operators, weights, strict=True)) / math.fsum(weights)
    economy.publish(region, depreciation_view=mean_view)
    economy.note(region, cost_of_capital=cost)


def _in_time(economy: Economy, region: str, operator: Any, parts: dict[str, float]) -> dict[str, float]:
    """A plan, USD by channel, as a sponsor places it who knows the date of a rule; what is in line may close before."""
    rules = economy.tape[region].rules
    coming = rules.coming if rules.ahead <= operator.params.rush_from else ()
    moved = operator.hurry(coming, economy.clock, rules.ahead)
    rushed: dict[str, float] = operator.rushed(parts, coming)
    extra = math.fsum(rushed.values()) - math.fsum(parts.values()) if rushed is not parts else 0.0
    economy.note(region, brought_forward=moved + extra, orders=extra)
    return rushed


def _distress(economy: Economy, region: str) -> tuple[list[float], list[float]]:
    """USD that each operator's deals owe, and of it what is in default."""
    deals, rows = economy.deals, economy.rows(region, OPERATING)
    owed, broken = by_row(deals["state"]["balance"][rows]), deals["state"]["in_default"][rows]
    own = [deals["sponsor"][rows] == party for party in economy.parties("operator", region)]
    return [float(owed[mine].sum()) for mine in own], [float(owed[mine & broken].sum()) for mine in own]


def _settle_vendor(economy: Economy) -> None:
    """The vendor pays its own suppliers, and its shareholders what it does not need."""
    ledger, region = economy.ledger, "us" if "us" in economy.regions else economy.regions[0]
    for vendor in economy.all("vendor", ""):
        revenue = math.fsum(economy.facts[r]["vendor_revenue"] for r in economy.regions)
        suppliers, savers = economy.outside["suppliers", region], economy.outside["savers", region]
        ledger.pay("goods", vendor.party, suppliers, vendor.params.goods_share * revenue)
        spare = vendor.spare(float(ledger.cash(vendor.party)), revenue)
        ledger.pay("payout", vendor.party, savers, spare)
        vendor.revenue = {r: economy.facts[r]["vendor_revenue"] for r in economy.regions}
        economy.vendor_revenue = revenue * MONTHS
