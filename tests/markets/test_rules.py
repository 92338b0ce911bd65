"""Rules: who may not sell, what may not run, and what becomes of it."""

import numpy as np
from pytest import fixture, mark, raises

from sim.books.contracts import Contracts
from sim.build import build
from sim.compose import resolve
from sim.markets import rules
from sim.mistakes import Mistakes
from sim.phases.renting import spot
from sim.units import MONTHS

RULES = resolve([]).sim.markets.rules
US = {"month": 12, "labs_region": "us", "barred_labs": 1}
CHINA = {"chips_region": "china", "chips_first": 0, "chips_last": 5}
BARS = RULES.model_copy(update=US | CHINA)


def test_a_rule_bars_the_first_labs_of_its_region_from_its_month_on():
    assert rules.barred_models(BARS, "us", 12, 3).tolist() == [True, False, False]
    assert not rules.barred_models(BARS, "us", 11, 3).any() and not rules.barred_models(BARS, "china", 12, 3).any()


def test_a_rule_bars_the_chips_ordered_between_its_two_months():
    ordered = np.array([-1, 0, 5, 6])
    assert rules.barred_chips(BARS, "china", 12, ordered).tolist() == [False, True, True, False]
    assert not rules.barred_chips(BARS, "china", 11, ordered).any() and not rules.barred_chips(BARS, "us", 12, ordered).any()


def test_without_a_region_nothing_is_barred():
    assert not rules.barred_models(RULES, "us", 100, 3).any()
    assert not rules.barred_chips(RULES, "us", 100, np.arange(100)).any()


def test_contracts_of_a_tenant_who_is_gone_pass_to_the_others_in_turn():
    """Tenants 7, 8, 7, 7 in rows 0 to 3: rows 0 and 2 go to the first heir, row 3 to the second."""
    contracts = Contracts()
    contracts.add(4, tenant=[7, 8, 7, 7], rent=1.0, months=1)
    contracts.relet(np.array([7]), np.array([1, 2]))
    assert contracts["tenant"].tolist() == [1, 8, 1, 2]


@mark.parametrize(
    ("setting", "words"),
    [
        (["sim.markets.rules.labs_region=us", "sim.markets.rules.barred_labs=3"], "users have no lab"),
        (["sim.markets.rules.chips_region=china", "regions=[us]"], "not among regions"),
        (["sim.markets.rules.chips_first=2", "sim.markets.rules.chips_last=1"], "must not exceed chips_last"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(setting, words):
    with raises(Mistakes, match=words):
        resolve(["size=class", *setting])


@fixture(scope="module")
def barred():
    """The small economy two years after a rule like that of ``rule_shock``."""
    rule = ["month=12", "chips_first=-12", "chips_last=11"]
    settings = ["scenario=rule_shock", "size=class", "horizon_years=3", "sim.build.burn_in=6"]
    economy = build(resolve([*settings, *(f"sim.markets.rules.{value}" for value in rule)]))
    for _ in range(6 + 2 * MONTHS):
        economy.step()
    return economy


def test_a_barred_lab_has_no_users_no_training_and_no_tenancies(barred):
    lab = barred.all("lab", "us")[0]
    assert lab.bill == 0.0 and lab.training == 0.0
    assert lab.party not in barred.contracts["tenant"][barred.rows("us")]
    assert all(operator.tenant != lab.party for operator in barred.all("operator", "us"))


def test_barred_chips_earn_nothing(barred):
    vintage = barred.fleet.deals["vintage"]
    rows = barred.rows("china", 1)
    dead = rows[spot(barred, "china", vintage[rows]) == 0.0]
    assert len(dead) and not barred.contracts["rent"][dead].any() and not barred.deals["collected"][dead].any()
