"""Age: the frontier moves, the race shortens models' lives, units wear, retire and are written down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import OPERATING
from sim.markets import disappointment, hardware, tokens
from sim.phases.governing import age_states
from sim.phases.leasing import age_leases
from sim.phases.renewing import by_part, run_down
from sim.phases.upgrading import upgrade
from sim.streams import entity
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy

WORLD = np.array([entity("world")], dtype=np.uint64)


def age(economy: Economy) -> None:
    """Cadence and race set the pace of obsolescence; a month of wear, depreciation and retirement."""
    _race(economy)
    _launch(economy)
    for region in economy.regions:
        _observe(economy, region)
        _demand(economy, region)
    _wear(economy)
    upgrade(economy)
    age_leases(economy)


def _race(economy: Economy) -> None:
    """Labs' training against its trend, smoothed: fast up, slowly down."""
    p, tape = economy.params.sim.markets.tokens, economy.tape
    training = math.log(max(total(economy.tape[r].training for r in economy.regions), 1.0))
    gap = training - tape.training_trend
    lag = p.race_lag * (1.0 if gap > tape.race else p.race_slowdown)
    nominal = tokens.nominal_growth(p, tape[economy.regions[0]].demand_growth, tape.frontier_trend)
    economy.publish(
        race=tape.race + (gap - tape.race) / lag,
        training_trend=hardware.follow(tape.training_trend, training, nominal, p.race_memory),
    )


def _launch(economy: Economy) -> None:
    """The vendor's cadence and the models' half-life, through the arrow from scaling to obsolescence."""
    markets, tape = economy.params.sim.markets, economy.tape
    nominal = tokens.nominal_growth(markets.tokens, tape[economy.regions[0]].demand_growth, tape.frontier_trend)
    paced = hardware.cadence(markets.hardware, tape, economy.vendor_revenue)
    trend = hardware.follow(tape.revenue_trend, paced.revenue, nominal, markets.hardware.trend_memory)
    live = tokens.half_life(markets.tokens, paced.frontier_growth, markets.hardware.performance_growth, paced.race)
    growth = economy.transmit("frontier_growth", "", paced.frontier_growth)
    life = economy.transmit("half_life", "", live)
    noise = float(economy.draw("launch", WORLD)[0])
    moved = hardware.launch(markets.hardware, paced, growth, noise, economy.month)
    economy.tape = moved.publish(revenue_trend=trend, half_life=life)


def _observe(economy: Economy, region: str) -> None:
    """Depreciation that the market sees: a six-month mean of the fall of a vintage's rent, rent and technology weighted.

    Scarcity reprices the vintages in use: what it adds to or takes from the discount counts over their mean lag.
    """
    p, market = economy.params, economy.tape[region]
    step = economy.tape.frontier_step * MONTHS
    fall = -math.log(market.rent / market.rent_month_ago) * MONTHS
    weight = p.agents.agencies.technology_weight
    seen = (1.0 - weight) * fall + (weight + market.vintage_discount) * step
    repriced = (market.vintage_discount - market.vintage_discount_month_ago) * MONTHS
    seen += repriced * mean_lag(economy, region) if repriced else 0.0
    seen = min(max(seen, -1.0), 1.5)
    economy.publish(region, depreciation_seen=market.depreciation_seen + (seen - market.depreciation_seen) / 6.0)


def mean_lag(economy: Economy, region: str) -> float:
    """How far, in logs, the frontier is ahead of the units that deals let, on average; 0 when they let none."""
    rows, fleet = economy.rows(region, OPERATING), economy.fleet
    gpus = fleet.deals["gpus"][rows]
    ahead = gpus * fleet.lag(economy.tape.frontier, fleet.deals["vintage"][rows])
    return total(ahead) / total(gpus) if total(gpus) > 0.0 else 0.0


def _demand(economy: Economy, region: str) -> None:
    """Demand grows on its path and is shocked; who plans extrapolates what grew."""
    markets, market, life = economy.params.sim.markets, economy.tape[region], economy.tape.demand_half_life
    p = markets.tokens
    key = np.array([entity(region)], dtype=np.uint64)
    years = (economy.month + 1 - p.growth_month) / MONTHS
    shock = p.shock_persistence * market.demand_shock + p.shock * float(economy.draw("demand", key)[0])
    most = p.ceiling.at(region, economy.month / MONTHS)
    path = tokens.growth(p, years, life)
    promised = tokens.braked(p, path, economy.tape.frontier_trend, market.inference, most)
    economy.publish(
        region,
        demand=market.demand * math.exp(market.path_growth / MONTHS),
        path_growth=promised,
        demand_growth=disappointment.extrapolated(
            *(markets.disappointment, p, economy.month, life, market.demand_growth, promised, path - promised)
        ),
        demand_shock=shock,
    )


def _wear(economy: Economy) -> None:
    deals, fleet, p = economy.deals, economy.fleet, economy.params.sim
    running = deals["stage"] == OPERATING
    fleet.wear(p.markets.compute.wear, running)
    written, clouds = fleet.depreciate(p.books.deals.accounting_life, running & (not by_part(economy)))
    written = written + run_down(economy, running)
    rows = np.flatnonzero(written)
    economy.ledger.post(deals["party"][rows], "profit", "fleet", written[rows])
    clouds = clouds + fleet.retire_clouds(economy.clock, p.markets.compute.service_life)
    for i, region in enumerate(economy.regions):
        economy.note(region, operator_depreciation=total(written[rows][deals["region"][rows] == i]))
        for cloud in economy.all("cloud", region):
            economy.ledger.post(cloud.party, "profit", "fleet", float(clouds[cloud.slot]))
    age_states(economy, clouds)
