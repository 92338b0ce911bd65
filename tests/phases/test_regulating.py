"""One region copies another's playbook: after proof and a delay, sponsor by sponsor."""

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, fixture, raises

from sim.build import build
from sim.compose import resolve
from sim.markets import primary
from sim.mistakes import Mistakes
from sim.phases.regulating import regulate

SMALL = ("size=class", "horizon_years=1", "sim.build.burn_in=0")
PLAYBOOK = resolve([]).sim.markets.primary.playbook


def economy_of(*overrides: str):
    """A small economy at its start."""
    return build(resolve([*SMALL, *overrides]))


def months_on(economy, count: int) -> None:
    """Months in which rules alone move."""
    for _ in range(count):
        economy.facts = {region: {} for region in economy.regions}
        regulate(economy)
        economy.clock += 1


@fixture
def copying():
    """Ten American sponsors who may copy China's; proof takes 6 months, the delay 3, a tenth to nine tenths a year."""
    playbook = "sim.markets.primary.playbook"
    terms = (f"{playbook}.proof_months=6", f"{playbook}.delay=3", f"{playbook}.adoption=12", "agents.operators.count=10")
    return economy_of("scenario=west_copies_china", *terms)


def shares(economy) -> list[float]:
    """What each American sponsor would place as securities, of a plan made now."""
    market = economy.tape["us"]
    return [operator.want(market, 1.0, 0.3).share_securitised for operator in economy.all("operator", "us")]


def test_proof_is_a_row_of_months_in_which_the_channel_is_used_and_loses_little():
    tape = economy_of().tape
    used = {"abs_share": PLAYBOOK.proof_share, "loss_rate": 0.5 * PLAYBOOK.proof_loss}
    for facts, months in ((used, 5), (used | {"loss_rate": PLAYBOOK.proof_loss}, 0), (used | {"abs_share": 0.0}, 0)):
        assert primary.months_of_proof(PLAYBOOK, 4, tape.publish("china", **facts)["china"]) == months


@given(st.integers(1, 200), st.integers(1, 120))
def test_copying_is_logistic_from_a_tenth_to_nine_tenths_of_sponsors(sponsors, adoption):
    """1/10 when it begins, a half midway, 9/10 after ``adoption`` months; nobody before, all in the end, nobody turns back."""
    p = PLAYBOOK.model_copy(update={"adoption": float(2 * adoption)})
    counts = [primary.copiers(p, months, sponsors) for months in range(-1, 10 * adoption)]
    assert counts[0] == 0 and counts[-1] == sponsors and counts == sorted(counts)
    for months, share in ((0, 0.1), (adoption, 0.5), (2 * adoption, 0.9)):
        assert counts[months + 1] == approx(share * sponsors, abs=0.5 + 1e-9)


def test_nobody_copies_before_the_proof_and_the_delay(copying):
    """Proof is complete in month 5; a tenth of ten sponsors, one, copies in month 5 + 3."""
    months_on(copying, 8)
    assert copying.tape.proven == 5 and shares(copying) == [0.0] * 10
    months_on(copying, 1)
    assert sorted(shares(copying)) == [0.0] * 9 + [0.8]
    assert copying.tape["us"].abs_share == approx(0.08)


def test_losses_of_the_leader_put_the_proof_off(copying):
    months_on(copying, 4)
    calm = copying.tape["china"].loss_rate
    copying.publish("china", loss_rate=0.05)
    months_on(copying, 1)
    copying.publish("china", loss_rate=calm)
    months_on(copying, 5)
    assert copying.tape.proven == -1
    months_on(copying, 1)
    assert copying.tape.proven == 10


def test_the_smallest_sponsors_copy_first_and_in_the_end_all_have(copying):
    """The first number owns most; at the logistic's midpoint five of ten have copied."""
    fleet, sponsor = copying.fleet.deals["gpus"], copying.deals["sponsor"]
    for rank, operator in enumerate(copying.all("operator", "us")):
        own = sponsor == operator.party
        fleet[own] = (100.0 - rank) / own.sum()
    months_on(copying, 5 + 3 + 6 + 1)
    assert shares(copying) == [0.0] * 5 + [0.8] * 5
    months_on(copying, 24)
    assert shares(copying) == [0.8] * 10 and copying.tape["us"].abs_share == approx(0.8)


def test_without_a_copier_nothing_is_watched_or_copied():
    economy = economy_of("scenario=china_first")
    months_on(economy, 60)
    assert economy.tape.proof == 0 and economy.tape.proven == -1 and shares(economy) == [0.0] * 4


def test_a_copier_needs_somebody_to_copy():
    with raises(Mistakes, match=r"playbook\.copier is us, and regions has no other to copy\. Add one"):
        resolve(["scenario=west_copies_china", "regions=[us]"])
