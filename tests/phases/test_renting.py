"""Rents of old chips: they fall with the frontier, and come back when compute is scarce."""

import math

import numpy as np
from pytest import approx

from sim.books.deals import OPERATING
from sim.build import build
from sim.compose import resolve
from sim.phases.ageing import age, mean_lag
from sim.phases.renting import rent, spot

SMALL = ("size=class", "horizon_years=1", "regions=[us]", "sim.build.burn_in=0")


def scarce(elasticity: float, jump: float = 2.0):
    """An economy before and after a month in which demand multiplies; the oldest operating deal; its spot rents."""
    economy = build(resolve([*SMALL, f"sim.markets.compute.scarcity={elasticity}"]))
    row = economy.rows("us", OPERATING)[:1]
    vintage = economy.fleet.deals["vintage"][row]
    before = float(spot(economy, "us", vintage)[0])
    economy.publish("us", demand=jump * economy.tape["us"].demand)
    economy.contracts["months"][row] = 1  # it ends now
    rent(economy)
    return economy, row, before, float(spot(economy, "us", vintage)[0])


def test_a_shortage_lifts_an_old_chips_contract_rent_by_more_than_the_newests():
    """Rent rises by the newest's log rise plus what the discount gives back over the vintage's lag; renewal takes it at once."""
    economy, row, before, after = scarce(1.0)
    market = economy.tape["us"]
    lag = float(economy.fleet.lag(economy.tape.frontier, economy.fleet.deals["vintage"][row])[0])
    given_back = (market.vintage_discount_month_ago - market.vintage_discount) * lag
    assert given_back > 0.0
    assert math.log(after / before) == approx(math.log(market.rent / market.rent_month_ago) + given_back)
    assert economy.contracts["rent"][row[0]] == approx(after) and after > before


def test_without_the_elasticity_old_rents_move_with_the_newest_alone():
    economy, _, before, after = scarce(0.0)
    assert after / before == approx(economy.tape["us"].rent / economy.tape["us"].rent_month_ago, rel=1e-15)


def test_the_market_sees_the_repricing_over_the_mean_lag_of_the_units_it_lets():
    """Six-month mean: a sixth of twelve times the change of the discount, over the mean lag; the rest is as without it."""
    rigid, elastic = scarce(0.0, 1.3)[0], scarce(1.0, 1.3)[0]
    market = elastic.tape["us"]
    for economy in (rigid, elastic):
        economy.facts = {"us": {}}
        age(economy)
    step = 12.0 * elastic.tape.frontier_step
    change = market.vintage_discount - market.vintage_discount_month_ago
    wanted = (12.0 * change * mean_lag(elastic, "us") + (market.vintage_discount - rigid.tape["us"].vintage_discount) * step) / 6.0
    found = elastic.tape["us"].depreciation_seen - rigid.tape["us"].depreciation_seen
    assert found == approx(wanted) and np.sign(found) == -1.0
