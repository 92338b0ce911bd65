"""Applications in the economy: who begins and ends, what the funded ones add to demand, and what goes on record."""

import numpy as np
from pytest import approx, fixture

from sim.build import build
from sim.compose import resolve
from sim.phases import applying
from sim.phases.renting import rent
from tests.phases.economies import SMALL, economy_of

ON = "sim.markets.applications.share=0.3"
PLACELESS = [line for line in SMALL if not line.startswith("regions")]
FIELDS = ("size", "contractible", "social", "unit_value")


def table(economy, name: str):
    return economy.recorder.table(name).to_pandas()


@fixture(scope="module")
def year():
    """A year of a small economy whose users need lenders."""
    economy = economy_of(ON)
    for _ in range(12):
        economy.step()
    return economy


def test_nobody_applies_where_all_have_money():
    economy = economy_of()
    assert applying.pull(economy, "us") == 1.0 and not len(economy.applications["us"].keys) and not economy.facts["us"]
    economy.step()
    assert table(economy, "monthly")[["distortion", "applications_funded", "demand_funded"]].isna().all(axis=None)
    assert not len(table(economy, "applications"))


def test_demand_moves_with_the_funded_part():
    """The same month with applications and without: demand at any rent differs by what they pull, here below 1."""
    scale = []
    for one in (economy_of(), economy_of(ON)):
        one.publish("us", spread=0.2)
        rent(one)
        market = one.tape["us"]
        scale.append(market.inference * market.rent ** (one.params.sim.markets.tokens.elasticity - 1.0))
    assert scale[1] / scale[0] == approx(one.facts["us"]["demand_funded"])
    assert one.facts["us"]["demand_funded"] < 0.95


def test_calm_terms_leave_demand_as_it_is():
    """To the bit: the spread over novelty is the calm one, lenders are not short."""
    economy = economy_of(ON)
    economy.publish("us", spread=0.06 + economy.tape["us"].novelty, ration=1.0)
    assert economy.tape["us"].spread - economy.tape["us"].novelty == 0.06
    assert applying.pull(economy, "us") == 1.0


def test_what_is_good_for_all_moves_nothing():
    """To the bit: lenders do not look at it, so every public fact is the same at any correlation; distortion is not."""
    lines = [f"sim.markets.applications.correlation={rho}" for rho in (-1, 1)]
    bad, good = (economy_of(ON, line) for line in lines)
    for _ in range(2):
        bad.step(), good.step()
        assert bad.tape == good.tape
    assert good.facts["us"]["distortion"] == 0.0 < bad.facts["us"]["distortion"]


def test_applications_are_the_same_whoever_else_there_is():
    """Keyed by region and place: another region, or more places, change none."""
    alone = economy_of(ON).applications["us"]
    for lines in (["regions=[china,us]"], ["regions=[us]", "sim.markets.applications.count=2500"]):
        other = build(resolve([*PLACELESS, ON, *lines])).applications["us"]
        assert all((getattr(alone, name) == getattr(other, name)[:2000]).all() for name in FIELDS)
    assert not (build(resolve([*PLACELESS, ON, "regions=[china,us]"])).applications["china"].size == alone.size).any()


def test_who_ends_makes_room_for_another_and_all_others_stay():
    """A fifth a year: 33 of 2,000 a month, within four standard errors; the new ones are new, in the first month too, and pay."""
    economy = economy_of(ON)
    book = economy.applications["us"]
    before = {name: getattr(book, name).copy() for name in FIELDS}
    applying.pull(economy, "us")
    fresh = book.size != before["size"]
    assert abs(fresh.sum() - 2000 / 60) < 4 * np.sqrt(2000 / 60)
    assert all((getattr(book, name)[~fresh] == old[~fresh]).all() for name, old in before.items())
    assert not (book.social[fresh] == before["social"][fresh]).any()
    assert (book.unit_value[fresh] >= applying._price(economy, "us")).all()


def test_who_is_worth_less_than_inference_costs_does_not_apply():
    """Dearer by 50 %: a Pareto share of 1.5^-elasticity is left, within four standard errors. Just these can pledge."""
    economy = economy_of(ON, "sim.markets.applications.turnover=0")
    book, market = economy.applications["us"], economy.tape["us"]
    economy.publish("us", rent=1.5 * market.rent)
    able = book.unit_value >= applying._price(economy, "us")
    left = 1.5**-economy.params.sim.markets.tokens.elasticity
    assert able.mean() == approx(left, abs=4 * np.sqrt(left * (1 - left) / 2000))
    book.contractible[:] = able
    applying.pull(economy, "us")
    assert economy.facts["us"]["funded_compute"] == economy.facts["us"]["funded_number"] == 1.0


def test_a_year_goes_on_record_by_fifths_of_social_value(year):
    """They hold all compute and all social value, in order; what lenders fund of each adds up to what they fund of all."""
    fifths, last = table(year, "applications"), table(year, "monthly").iloc[-1]
    assert fifths["month"].tolist() == [11] * 5 and fifths["fifth"].tolist() == [1, 2, 3, 4, 5]
    assert fifths[["compute", "social"]].sum().tolist() == approx([1.0, 1.0])
    per_unit = fifths["social"] / fifths["compute"]
    assert per_unit.is_monotonic_increasing and fifths["planned"].is_monotonic_increasing
    for name in ("funded", "planned"):
        assert (fifths["compute"] * fifths[name]).sum() == approx(last["funded_compute"])


def test_a_month_on_record_is_what_lenders_and_planner_did(year):
    row = table(year, "monthly").iloc[-1]
    assert row["distortion"] == approx(1.0 - row["funded_social"] / row["planned_social"]) and 0.0 < row["distortion"] < 1.0
    assert 0.0 < row["applications_funded"] < row["applications"] and row["contractible_social"] < -0.3


def test_a_fork_draws_the_same_applications():
    one = economy_of(ON)
    one.step()
    other = one.fork()
    one.step(), other.step()
    assert all((getattr(one.applications["us"], n) == getattr(other.applications["us"], n)).all() for n in FIELDS)
    assert one.applications["us"] is not other.applications["us"] and one.tape == other.tape
