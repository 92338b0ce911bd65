"""What a region makes of demand that disappoints: nothing before it does, then less at the same rent."""

from pytest import approx, fixture

from sim.markets import tokens
from sim.phases.renting import rent
from tests.phases.economies import economy_of

SAVING = ("saving=0.4", "saving_month=2", "saving_length=1", "memory=6")


def economy(*values: str):
    """Whose users can pay whatever they want to, so that what is promised does not depend on what was met."""
    return economy_of("sim.markets.tokens.ceiling.us=0", *(f"sim.markets.disappointment.{value}" for value in values))


@fixture(scope="module")
def both():
    """A calm economy and one that software makes frugal in month 3, both as month 3 begins, and their tapes until then."""
    pair = economy(), economy(*SAVING)
    tapes: list[list] = [[], []]
    for one, seen in zip(pair, tapes, strict=True):
        for _ in range(3):
            one.step()
            seen.append(one.tape)
    return pair, tapes


def test_nobody_knows_before(both):
    """To the bit: every public fact of three months, expectations among them."""
    assert both[1][0] == both[1][1]


def test_at_the_same_rent_frugal_software_needs_less_compute_and_the_rent_that_clears_falls(both):
    """40 % less at once. Where labs do not train, the clearing rent moves by 0.6^(1 / elasticity)."""
    scale, posted = [], []
    for one in (other.fork() for other in both[0]):
        one.facts = {"us": {}}
        for lab in one.all("lab", "us"):
            lab.training = 0.0
        rent(one)
        market = one.tape["us"]
        scale.append(market.inference * market.rent ** (one.params.sim.markets.tokens.elasticity - 1.0))
        posted.append(market.rent)
    p = one.params.sim.markets
    assert scale[1] / scale[0] == approx(0.6)
    assert posted[1] / posted[0] == approx(0.6 ** (p.compute.rent_speed / p.tokens.elasticity))


def test_what_was_met_goes_on_record_and_moves_expectations_a_month_later(both):
    """Month 3 shows 0.6 of the promise; its growth, 12 log 0.6 below what was due, is seen with a weight of a sixth."""
    frugal = both[0][1].fork()
    due = frugal.tape["us"].demand_growth
    frugal.step()
    row = frugal.recorder.table("monthly").to_pandas().iloc[-1]
    p = frugal.params.sim.markets.tokens
    seen = tokens.growth(p, (2 - p.growth_month) / 12, frugal.tape.demand_half_life) + 12 * -0.5108256
    assert row["demand_met"] == approx(0.6)
    assert row["demand_growth"] == frugal.tape["us"].demand_growth == approx(due + (seen - due) / 6)


def test_what_is_extrapolated_changes_nothing_of_what_was_promised(both):
    """Two months on, growth is believed to be lower, and the promised path is where it would have been, to the bit."""
    calm, frugal = (one.fork() for one in both[0])
    for _ in range(3):
        calm.step(), frugal.step()
    assert frugal.tape["us"].demand_growth < calm.tape["us"].demand_growth
    assert frugal.tape["us"].demand == calm.tape["us"].demand and frugal.tape["us"].path_growth == calm.tape["us"].path_growth
