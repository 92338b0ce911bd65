"""Rent: capacity of all vintages meets users' and labs' demand; contracts roll at the vintage's rent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.markets import compute, disappointment, tokens
from sim.phases import applying, upgrading
from sim.phases.governing import at_home
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import barred, rent_factor

if TYPE_CHECKING:
    from sim.economy import Economy


def rent(economy: Economy) -> None:
    """Posted rents move towards the one that fills capacity; contracts that end are renewed at spot."""
    stocks = {region: capacity(economy, region) for region in economy.regions}
    for region, (levered, clouds) in stocks.items():
        economy.publish(region, capacity=levered + clouds, levered_capacity=levered)
    quoted = economy.tape  # both regions see the same posted rents
    for region in economy.regions:
        _clear(economy, region, quoted)
        _roll(economy, region)


def spot(economy: Economy, region: str, vintage: np.ndarray) -> np.ndarray:
    """Spot rent of vintages, USD/GPU/year."""
    return economy.tape[region].rent * rent_factor(economy, region, vintage)


def capacity(economy: Economy, region: str) -> tuple[float, float]:
    """Effective GPU that run: deals' and clouds'. A unit whose rent is below its running cost stands idle."""
    p, fleet, i = economy.params.sim.markets.compute, economy.fleet, economy.regions.index(region)
    rows = economy.rows(region, OPERATING)
    vintage = fleet.deals["vintage"][rows]
    lag = fleet.lag(economy.tape.frontier, vintage)
    runs = spot(economy, region, vintage) > fleet.running_cost[i, vintage]
    levered = total(compute.effective(p, fleet.deals["gpus"][rows], lag) * runs) + upgrading.capacity(economy, region)[0]
    vintages = np.arange(len(fleet.frontier))
    runs = spot(economy, region, vintages) > fleet.running_cost[i]
    held = np.add.reduce(fleet.gpus[fleet.cloud_region == i], axis=0) * runs
    used = np.flatnonzero(held)
    return levered, total(compute.effective(p, held[used], fleet.lag(economy.tape.frontier, used)))


def _clear(economy: Economy, region: str, quoted) -> None:
    p, market = economy.params.sim.markets, quoted[region]
    foreign = next((quoted[r] for r in economy.regions if r != region), None)
    home = at_home(economy, region)
    scale = (1.0 - home) * tokens.demand(p.tokens, market, foreign, economy.month)
    scale *= disappointment.delivered(p.disappointment, p.tokens, economy.month, economy.tape.demand_half_life)
    scale *= applying.pull(economy, region)
    if home > 0.0:
        economy.note(region, at_home=home)
    training = total(lab.training for lab in economy.all("lab", region))
    clearing = compute.clearing_rent(scale, p.tokens.elasticity, training, market.capacity, market.rent)
    posted = compute.approach(p.compute, market.rent, clearing)
    demanded = scale * posted**-p.tokens.elasticity + training / posted
    tight = compute.tightness(p.compute, scale, p.tokens.elasticity, training, market.capacity, market.unit_cost)
    pipeline = _pipeline(economy, region)
    years = economy.params.agents.operators.build / MONTHS
    growth = market.demand_growth + p.compute.wear
    growth += p.compute.capacity_loss * p.compute.vintage_discount * economy.tape.frontier_trend
    economy.publish(
        region,
        rent=posted,
        rent_month_ago=market.rent,
        expected_rent=compute.expected_rent(posted, pipeline, market.capacity, p.tokens.elasticity, growth, years),
        utilisation=min(demanded / market.capacity, 1.0),
        tightness=tight,
        vintage_discount=compute.discount(p.compute, tight),
        vintage_discount_month_ago=market.vintage_discount,
        inference=scale * posted ** (1.0 - p.tokens.elasticity),
        training=training,
    )


def _pipeline(economy: Economy, region: str) -> float:
    """GPU on order in a region."""
    fleet = economy.fleet
    deals = total(fleet.deals["gpus"][economy.rows(region, BUILDING)])
    deals += upgrading.capacity(economy, region)[1]
    return deals + total(fleet.on_order[fleet.cloud_region == economy.regions.index(region)].sum(axis=0))


def _roll(economy: Economy, region: str) -> None:
    deals, p = economy.deals, economy.params.sim.markets.compute
    rows = economy.rows(region, OPERATING)
    running = np.zeros(len(deals), dtype=bool)
    running[rows] = True
    rents = np.zeros(len(deals))
    rents[rows] = spot(economy, region, economy.fleet.deals["vintage"][rows])
    economy.contracts.roll(running, rents, p.renewal_term)
    economy.contracts.void(rows[barred(economy, region, economy.fleet.deals["vintage"][rows])])
