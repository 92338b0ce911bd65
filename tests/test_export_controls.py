"""Export controls: chips that deliver less and draw more, beside what they cost."""

from dataclasses import replace

from pytest import approx, raises

from sim.build import build
from sim.compose import resolve
from sim.markets import tokens
from sim.mistakes import Mistakes
from sim.phases.seasoning import rents

SMALL = ("size=class", "horizon_years=1", "sim.build.burn_in=0")
CHINA = "sim.markets.hardware.china"


def start(*overrides: str):
    """A small economy at its start."""
    return build(resolve([*SMALL, *overrides]))


def test_worse_tokens_lose_demand_as_dearer_ones_do_and_the_other_region_gains_it():
    """Equal rents and capacities, quality 0.6 here: 0.6^(0.4 / 2) of demand here, 0.6^(-0.4 / 2) there; rents 1 : 0.6 cancel it."""
    p = resolve([]).sim.markets.tokens.model_copy(update={"cross_elasticity": 0.4})
    page = replace(start().tape["us"], rent=5e3, capacity=1e6)
    worse = replace(page, quality=0.6)
    alone = tokens.demand(p, page, None, 0)
    assert tokens.demand(p, worse, page, 0) / alone == approx(0.6**0.2)
    assert tokens.demand(p, page, worse, 0) / alone == approx(0.6**-0.2)
    assert tokens.demand(p, replace(worse, rent=3e3), page, 0) == approx(alone)


def test_power_raises_running_costs_of_all_vintages_and_lowers_what_seasoned_deals_earned():
    """Twice the running cost in China, none of it in the United States."""
    plain, wedge = start(), start(f"{CHINA}.power=2")
    for region, times in (("us", 1.0), ("china", 2.0)):
        i = plain.regions.index(region)
        assert wedge.tape[region].running_cost == approx(times * plain.tape[region].running_cost)
        assert wedge.fleet.running_cost[i] == approx(times * plain.fleet.running_cost[i])
    p = plain.params.sim.markets
    lost = rents(plain, "china", 1) - rents(wedge, "china", 1)
    assert lost == approx(p.hardware.running_cost * (1.0 - p.compute.overhead) / 12.0)
    assert (rents(plain, "us", 1) == rents(wedge, "us", 1)).all()


def test_quality_is_on_the_tape_of_its_region_alone():
    tape = start(f"{CHINA}.quality=0.6").tape
    assert (tape["us"].quality, tape["china"].quality) == (1.0, 0.6)


def test_chips_that_cost_more_to_run_than_they_earn_are_refused():
    with raises(Mistakes, match=r"running_cost times china\.power is 0\.7 and must lie below"):
        resolve([f"{CHINA}.power=10", "sim.markets.hardware.running_cost=0.07"])
