"""Labs: what they raise and earn beyond staff trains; those who run dry fail, and may take others along."""

from pytest import approx, raises

from sim.compose import resolve
from sim.mistakes import Mistakes
from sim.phases import using
from sim.phases.using import use
from sim.units import MONTHS
from tests.phases.economies import economy_of


def test_training_is_what_margin_and_raises_leave_beyond_staff():
    """A bill of 100: 100 x (0.4 x 1.1 + 1.5 - 1.2) = 74; a fifth of the way from 24 is 34. Staff comes first."""
    economy = economy_of("agents.labs.self_financing=0.4", "agents.labs.staff=1.2", "agents.labs.training_lag=5")
    lab = economy.all("lab", "us")[0]
    lab.training = 24.0
    assert lab.plan(100.0, 1.1, 1.5) == approx(34.0)
    lab.training = 24.0
    assert lab.plan(100.0, 1.1, 0.1) == approx(19.2)


def test_staff_that_leaves_nothing_to_train_with_is_refused():
    with raises(Mistakes, match=r"staff 3\.0 must not exceed self_financing"):
        resolve(["agents.labs.staff=3"])


def test_labs_pay_staff_every_month():
    """A twelfth of ``staff`` times the yearly bill of each, to suppliers."""
    economy = economy_of()
    economy.step()
    flows = economy.recorder.table("flows").to_pandas()
    paid = flows[flows["flow"] == "salaries"]
    bills = sum(lab.params.staff * lab.bill for lab in economy.all("lab", "us"))
    assert set(zip(paid["payer"], paid["payee"], strict=True)) == {("lab", "suppliers")}
    assert paid["usd"].sum() == approx(bills / MONTHS)


def test_a_lab_that_another_takes_along_fails_in_the_same_month(monkeypatch):
    """The first lab is robbed; once it has failed the second one's contracts cost ten thousand times as much: both are replaced."""
    economy, fallen = economy_of(), []
    economy.step()
    labs, savers = economy.all("lab", "us"), economy.outside["savers", "us"]
    labs[0].params = labs[0].params.model_copy(update={"raise_multiple": 0.01})  # which all are offered
    economy.ledger.pay("payout", labs[0].party, savers, float(economy.ledger.cash(labs[0].party)))
    default, rents = using._default, using._rents

    def domino(economy, region, dry) -> None:
        default(economy, region, dry)
        fallen.append(dry.tolist())

    def dearer(economy, region):
        found = rents(economy, region)
        found.contracted[found.tenant == 1] *= 1e4 if fallen else 1.0
        return found

    monkeypatch.setattr(using, "_default", domino)
    monkeypatch.setattr(using, "_rents", dearer)
    economy.facts = {"us": {}}
    use(economy)
    assert fallen == [[True, False, False], [False, True, False]] and economy.facts["us"]["lab_failures"] == 2.0
