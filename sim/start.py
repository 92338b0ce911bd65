"""The start: every stock on the balanced path, deals of every age, initial capital and beliefs drawn per seed.

On the balanced path dollars grow at ``growth``, units at that plus the frontier's pace, so cohorts thin out exponentially with age.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.books.channels import USUAL
from sim.books.fleet import BEFORE
from sim.markets import compute
from sim.phases.contracting import tenants_of
from sim.phases.placing import opening
from sim.phases.renewing import open_parts
from sim.phases.seasoning import season
from sim.streams import entity
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


PRIVATE = USUAL.index("private")  # the channel of all deals closed before the start


@dataclass(frozen=True)
class Start:
    """One region's balanced path at the first simulated month. USD, GPU, 1/year."""

    growth: float  # of dollars spent
    units_growth: float
    unit_cost: float
    running_cost: float
    rent: float
    capacity: float  # effective GPU
    orders: float  # USD/year
    half_life: float  # of demand growth, years
    capital: float  # factors drawn for this seed
    equity: float
    loss_belief: float
    volatility: float
    depreciation: float

    @classmethod
    def of(cls, economy: Economy, region: str) -> Start:
        """The path of a region, with this seed's dispersion."""
        p, markets = economy.params.sim.build, economy.params.sim.markets
        key = np.array([entity(region)], dtype=np.uint64)

        def factor(name: str, dispersion: float) -> float:
            return math.exp(dispersion * float(economy.streams.draw(f"start {name}", 0, key)[0]))

        frontier, tokens = markets.hardware.performance_growth, markets.tokens
        growth = tokens.growth_before + (tokens.elasticity - 1.0) * frontier
        units = growth + frontier
        build = economy.params.agents.operators.build / MONTHS
        cost = markets.hardware.cost(region)
        orders = getattr(p, region).orders * math.exp(-growth * (p.burn_in / MONTHS + build / 2.0))
        decay = markets.compute.wear + markets.compute.capacity_loss * markets.compute.vintage_discount * frontier
        alive = max(units + decay, 1.0 / (markets.compute.service_life / MONTHS))
        world = np.array([entity("world")], dtype=np.uint64)
        return cls(
            growth=growth,
            units_growth=units,
            unit_cost=cost,
            running_cost=markets.hardware.running(region) * cost,
            rent=markets.compute.rent_start * cost,
            capacity=orders / cost / alive * math.exp(-units * build),
            orders=orders,
            half_life=tokens.growth_half_life
            * math.exp(p.demand_dispersion * float(economy.streams.draw("start demand", 0, world)[0])),
            capital=factor("capital", p.capital_dispersion),
            equity=factor("equity", p.equity_dispersion),
            loss_belief=factor("loss belief", p.belief_dispersion),
            volatility=factor("volatility", p.belief_dispersion),
            depreciation=factor("depreciation", 0.5 * p.belief_dispersion),
        )

    def levered(self, economy: Economy, region: str) -> float:
        """Effective GPU that deals own."""
        return self.capacity * (1.0 - getattr(economy.params.agents.clouds, region).capacity_share)

    def belief(self, economy: Economy) -> float:
        """Depreciation of a vintage's rent on the path, 1/year."""
        markets = economy.params.sim.markets
        return markets.hardware.performance_growth * (1.0 + markets.compute.vintage_discount)

    def inference(self, economy: Economy) -> float:
        """USD/year of compute that serves users; labs train with the rest."""
        labs = economy.params.agents.labs
        return self.capacity * self.rent / (1.0 + labs.calm_training)


def record_vintages(economy: Economy, start: Start, region: str) -> None:
    """Frontier and running cost of every vintage ordered before the start."""
    p, fleet = economy.params.sim.markets.hardware, economy.fleet
    years = (np.arange(BEFORE + 1) - BEFORE) / MONTHS
    fleet.frontier[: BEFORE + 1] = p.performance_growth * years
    decline = p.running_cost_decline * p.performance_growth
    fleet.running_cost[economy.regions.index(region), : BEFORE + 1] = start.running_cost * np.exp(-decline * years)


# -- deals -------------------------------------------------------------------------------------------------------------


def place_deals(economy: Economy, start: Start, region: str) -> None:
    """Deals of every age on the path: sponsors closed one every so many months for as long as units serve."""
    p, operators = economy.params, economy.all("operator", region)
    age, sponsor = _ages(economy, operators)
    markets, build = p.sim.markets, p.agents.operators.build
    years = age / MONTHS
    gpus = np.exp(-(start.units_growth + markets.compute.wear) * years)
    lag = markets.hardware.performance_growth * years
    delivered = age > build
    effective = compute.effective(markets.compute, gpus, lag) * delivered
    weight = np.array([o.weight for o in operators])[sponsor]
    gpus = gpus * weight * start.levered(economy, region) / total(effective * weight)
    cost = gpus * start.unit_cost * np.exp((markets.hardware.performance_growth + markets.compute.wear) * years)
    rows = _open(economy, start, region, age, sponsor, gpus, cost)
    _amortise(economy, rows, age - build, cost)
    _let(economy, start, region, rows, age - build, sponsor)


def _ages(economy: Economy, operators: list) -> tuple[np.ndarray, np.ndarray]:
    """Months since closing (n,) of every deal on the path, and its sponsor (n,), oldest first."""
    service, pairs = economy.params.sim.markets.compute.service_life, []
    for i, operator in enumerate(operators):
        if operator.weight == 0.0:
            continue
        last = next(back for back in range(1, operator.params.closing + 1) if operator.closes(-back))
        pairs += [(age, i) for age in range(last, service, operator.params.closing)]
    pairs.sort(key=lambda pair: (-pair[0], pair[1]))
    return np.array([a for a, _ in pairs]), np.array([i for _, i in pairs])


def _open(
    economy: Economy,
    start: Start,
    region: str,
    age: np.ndarray,
    sponsor: np.ndarray,
    gpus: np.ndarray,
    cost: np.ndarray,
) -> np.ndarray:
    """Rows of the deals, their units and the sponsors' shares in them, as if closed long ago."""
    p, deals, index = economy.params, economy.deals, economy.regions.index(region)
    build = p.agents.operators.build
    debt, senior = p.sim.build.debt_share, p.sim.build.senior_share
    kind = np.full(len(age), deals.kind(index, PRIVATE))
    live = (age - build < deals.library.due[kind]).astype(float)
    notes = (cost * live)[:, None] * deals.library.sizes(kind, senior * debt, debt)
    middle = p.sim.build.coupon_spread + economy.tape[region].base_rate
    coupon = np.maximum(middle + deals.margins(p.sim.books.deals, kind), 0.0)
    parties = economy.parties("operator", region)[sponsor]
    shares = np.zeros((len(age), 2, len(economy.deals.investors)))
    shares[:, :, economy.slots(region)] = first_holders(economy, region)
    rows = deals.close(
        region,
        kind,
        coupon,
        cost,
        sponsor=parties,
        region=index,
        channel=PRIVATE,
        predecessor=-1,
        issued=-age,
        delivery=build - age,
        commitment=notes,
        budget=cost,
        shares=shares,
    )
    economy.fleet.deals.add(len(rows), gpus=gpus, vintage=BEFORE - age)
    economy.fleet.bought += float(gpus.sum())
    return rows


def _amortise(economy: Economy, rows: np.ndarray, age: np.ndarray, cost: np.ndarray) -> None:
    """Balances, accounts and book values at each deal's age since delivery (below zero: under construction)."""
    deals, p = economy.deals, economy.params
    build, life, kind = p.agents.operators.build, p.sim.books.deals.accounting_life, deals["kind"][rows]
    operating = age >= 0
    drawn = np.clip((age + build) / build, 0.0, 1.0)
    commitment, coupon = deals["commitment"][rows], deals["terms"]["coupon"][rows]
    deals["state"]["balance"][rows] = commitment * drawn[:, None]
    deals["undrawn"][rows] = commitment - deals["state"]["balance"][rows]
    months, done = np.where(operating, age, 0), rows[operating]
    reserve = deals.library.reserve(kind, commitment, coupon)
    deals["escrow"][rows] = reserve + np.where(operating, 0.0, (cost - commitment.sum(axis=1)) * (1.0 - drawn))
    deals.start(done)
    first = int(np.argmax(commitment[:, 0]))  # all follow one template: what one owes per USD of cost, all owe
    region = economy.regions[int(deals["region"][rows[0]])]
    paid = season(economy, region, int(kind[first]), commitment[first] / cost[first], coupon[first])
    paid = paid[np.minimum(months, len(paid) - 1)]
    owes = operating & (months < deals["due"][rows])
    for name in ("balance", "arrears", "reserve", "trap"):
        amounts = (paid[name].T * np.where(owes, cost, 0.0)).T
        deals["state"][name][done] = amounts[operating]
    for name in ("trapped", "good_periods", "rapid", "dscr", "dscr_count"):
        deals["state"][name][done] = paid[name][operating]
    deals["state"]["age"][rows] = months
    book = open_parts(economy, rows, cost * drawn, months, cost * drawn * np.clip(1.0 - months / life, 0.0, 1.0))
    economy.fleet.deals["cost"][rows], economy.fleet.deals["book"][rows] = cost * drawn, book
    _open_accounts(economy, rows, book)


def _open_accounts(economy: Economy, rows: np.ndarray, book: np.ndarray) -> None:
    """Opening balances of deals: notes to holders, cash, hardware, sponsors' equity as what is left."""
    deals, ledger = economy.deals, economy.ledger
    party, sponsor, balance = deals["party"][rows], deals["sponsor"][rows], deals["state"]["balance"][rows]
    cash = deals["escrow"][rows] + deals["state"]["reserve"][rows] + deals["state"]["trap"][rows]
    issuers, holders, amounts = deals.spread(rows, balance)
    ledger.accrue("notes", issuers, holders, amounts)
    ledger.endow_cash(party, cash)
    ledger.post(party, "fleet", "profit", book)
    equity = cash + book - balance.sum(axis=1)
    ledger.post(party, "profit", "equity", equity)
    ledger.post(sponsor, "stakes", "profit", equity)


def _let(economy: Economy, start: Start, region: str, rows: np.ndarray, age: np.ndarray, sponsor: np.ndarray) -> None:
    """Contracts at each deal's age: first terms at the rent of their closing, rolled ones at their last renewal's spot rent."""
    p, markets = economy.params.sim.markets.compute, economy.params.sim.markets
    back = (age + economy.params.agents.operators.build) / MONTHS
    first = p.first_rent(start.rent * np.exp(markets.hardware.performance_growth * back))
    months = p.contract_term - np.maximum(age, 0)
    rolled = months <= 0
    left = np.where(rolled, 1 + (np.maximum(age, 0) * 7 + sponsor * 5) % p.renewal_term, months)
    since = (p.renewal_term - left) / MONTHS
    g = markets.hardware.performance_growth
    later = start.rent * np.exp(g * since - p.vintage_discount * g * (back - since))
    parties = economy.parties("operator", region)[sponsor]
    signed = -age - economy.params.agents.operators.build
    tenant = tenants_of(economy, region, parties, signed, np.full(len(age), PRIVATE))
    economy.contracts.add(len(rows), tenant=tenant, rent=np.where(rolled, later, first), months=left)


def first_holders(economy: Economy, region: str) -> np.ndarray:
    """Shares (k, i) of notes at the start: by capital, the junior class tilted to those with an appetite for it."""
    investors = economy.all("investor", region)
    size = np.array([a.weight for a in investors])
    taste = size * np.array([a.style.mezzanine for a in investors])
    return np.stack([size / total(size), taste / total(taste) if total(taste) > 0.0 else size / total(size)])


# -- everyone else -----------------------------------------------------------------------------------------------------


def endow_clouds(economy: Economy, start: Start, region: str) -> None:
    """Clouds' cohorts and orders on the path."""
    p, fleet, clouds = economy.params, economy.fleet, economy.all("cloud", region)
    markets, build = p.sim.markets, p.agents.operators.build
    age = np.arange(build + 1, markets.compute.service_life)
    gpus = np.exp(-(start.units_growth + markets.compute.wear) * age / MONTHS)
    lag = markets.hardware.performance_growth * age / MONTHS
    share = getattr(p.agents.clouds, region).capacity_share
    scale = share * start.capacity / total(compute.effective(markets.compute, gpus, lag))
    price = start.unit_cost * np.exp((markets.hardware.performance_growth + markets.compute.wear) * age / MONTHS)
    life = p.sim.books.deals.accounting_life
    for cloud in clouds:
        held = scale * cloud.weight * gpus
        vintage = BEFORE - age
        fleet.gpus[cloud.slot, vintage] = held
        fleet.cost[cloud.slot, vintage] = held * price
        fleet.book[cloud.slot, vintage] = held * price * np.clip(1.0 - (age - build) / life, 0.0, 1.0)
        ordered = np.arange(1, build + 1)
        value = start.orders * share * cloud.weight / MONTHS * np.exp(-start.growth * ordered / MONTHS)
        cost = start.unit_cost * np.exp(markets.hardware.performance_growth * ordered / MONTHS)
        fleet.on_order[cloud.slot, BEFORE - ordered] = value / cost
        fleet.order_value[cloud.slot, BEFORE - ordered] = value
        fleet.paid[cloud.slot, BEFORE - ordered] = value * ordered / build
        worth = float(fleet.book[cloud.slot].sum() + fleet.paid[cloud.slot].sum())
        economy.ledger.post(cloud.party, "fleet", "profit", worth)
        economy.owners.endow(cloud.party, economy.outside["savers", region], worth)
        fleet.bought += float(held.sum() + (value / cost).sum())


def endow_operators(economy: Economy, start: Start, region: str) -> None:
    """Operators' cash and the plans they have in line."""
    p, operators = economy.params.agents.operators, economy.all("operator", region)
    cost = start.levered(economy, region) * start.unit_cost
    market = economy.tape[region]
    for operator in operators:
        cash = p.start_equity * start.equity * cost * operator.weight
        economy.ledger.endow_cash(operator.party, cash)
        economy.owners.endow(operator.party, economy.outside["savers", region], cash)
        share = 1.0 - getattr(economy.params.agents.clouds, region).capacity_share
        monthly = start.orders * share / MONTHS * operator.weight
        parts = opening(economy, region, market.abs_share)
        for channel, plans in operator.plans.items():
            operator.plans[channel] = [monthly * parts[channel]] * len(plans)
            operator.ready[channel] = 1.5 * monthly * parts[channel]


def endow_labs(economy: Economy, start: Start, region: str) -> None:
    """Labs' cash."""
    labs = economy.all("lab", region)
    for lab in labs:
        cash = lab.params.start_cash * start.inference(economy) * lab.weight
        economy.ledger.endow_cash(lab.party, cash)
        economy.owners.endow(lab.party, economy.outside["savers", region], cash)


def endow_investors(economy: Economy, start: Start, region: str) -> None:
    """Investors' loans: holdings beyond their capital are borrowed from banks, which fund themselves in the world."""
    ledger, p = economy.ledger, economy.params.agents.investors
    people, bank = economy.parties("investor", region), economy.outside["banks", region]
    held = ledger.balance(people, "notes")
    weight = np.array([a.weight for a in economy.all("investor", region)])
    own = p.start_capital * start.capital * total(held) * weight
    loans = np.maximum(held - own, 0.0)
    ledger.accrue("loans", people, bank, loans)
    ledger.accrue("funding", bank, 0, total(loans))
    ledger.endow_cash(people, np.maximum(own - held, 0.0))
    for agent, amount in zip(economy.all("investor", region), own, strict=True):
        economy.owners.endow(agent.party, economy.outside["savers", region], float(amount))
