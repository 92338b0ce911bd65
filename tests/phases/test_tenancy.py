"""A dominant tenant: users, contracts and anchors in its hands, its credit in every deal that it rents."""

import numpy as np
from pytest import approx, fixture

from sim.books.deals import BUILDING, OPERATING
from sim.books.ledger import FLOW
from sim.build import build
from sim.compose import resolve
from sim.phases import disclosing, failing, tenancy, using
from sim.phases.contracting import tenants_of
from sim.phases.rating import tenants
from tests.phases.economies import SMALL, economy_of

ALONE = "sim.markets.tenants.top=0.75"


@fixture
def dominated():
    return build(resolve([*SMALL, "scenario=dominant_tenant", ALONE]))


def test_the_largest_lab_has_its_share_of_users_cash_and_training(dominated):
    """0.75 of everything at the start, and three of four operators for their anchor."""
    labs = dominated.all("lab", "us")
    top = max(labs, key=lambda lab: lab.weight)
    assert top.weight == approx(0.75) and top.size == approx(0.75 * 3)
    assert top.training / sum(lab.training for lab in labs) == approx(0.75)
    cash = dominated.ledger.cash(dominated.parties("lab", "us"))
    assert cash[top.number] / cash.sum() == approx(0.75)
    assert [o.tenant for o in dominated.all("operator", "us")].count(top.party) == 3


def test_a_large_lab_is_no_better_for_training_as_much_as_it_is_large(dominated):
    """A month in which all train alike for their size: without noise, quality decays the same from the same level."""
    dominated.draw = lambda stream, keys, index=0: np.zeros(len(keys))
    for lab in dominated.all("lab", "us"):
        lab.quality = 0.3
    dominated.step()
    quality = [lab.quality for lab in dominated.all("lab", "us")]
    assert quality == approx([quality[0]] * 3) and quality[0] < 0.3


def test_contracts_that_the_anchor_leaves_go_to_others_by_size(dominated):
    """Anchor 0.75; of the rest, others of 0.2 and 0.05: chances up to 0.95 are the first's."""
    operator = dominated.all("operator", "us")[0]
    operator.tenant = 5
    chances = (0.74, 0.76, 0.949, 0.951, 0.999)
    assert [operator.let_to(chance, [7, 8], [0.2, 0.05]) for chance in chances] == [5, 7, 7, 8, 8]


def test_many_contracts_are_let_by_size_beside_the_anchors_part(dominated):
    """Anchored on one of 0.25 / 2, an operator of anchor_share 0.75 lets the rest to 0.75 and the third lab in proportion."""
    labs, operator = dominated.all("lab", "us"), dominated.all("operator", "us")[0]
    small, other, top = sorted(labs, key=lambda lab: lab.weight)
    operator.tenant = small.party
    count = 4_000
    found = tenants_of(dominated, "us", np.full(count, operator.party), np.arange(count), np.zeros(count, np.int64))
    expected = 0.25 * np.array([other.weight, top.weight]) / (other.weight + top.weight)
    shares = [found.count(lab.party) / count for lab in (small, other, top)]
    assert shares == approx([0.75, *expected], abs=0.02) and expected[1] > 0.2


def test_a_failure_without_a_script_is_traced_too_where_tenants_differ(dominated):
    """A lab robbed of its cash: its deals go on record; where labs are alike and no script is written, nothing does."""
    alike = economy_of()
    for economy, traces in ((dominated, True), (alike, False)):
        economy.facts = {"us": {}}
        using._default(economy, "us", np.array([True, False, False]))
        let = failing.rented(economy, "us", economy.parties("lab", "us")[:1])
        assert economy.facts["us"].get("deals_hit", 0.0) == (len(let) if traces else 0.0) and len(let) > 0


def test_agencies_see_each_labs_burn_beyond_its_raises(dominated):
    """The first burns 24 a year and raises 1 a month: 12 beyond, on cash of 12: 0.01 (1 + 4); the second raises all it burns."""
    for lab, (burn, offered) in zip(dominated.all("lab", "us"), [(24.0, 1.0), (24.0, 2.0), (0.0, 0.0)], strict=True):
        lab.burn, lab.offered = burn, offered
        cash = float(dominated.ledger.cash(lab.party))
        dominated.ledger.pay("payout", lab.party, dominated.outside["savers", "us"], cash - 12.0)
    assert tenancy.default_probabilities(dominated, "us") == approx([0.05, 0.01, 0.01])
    assert 1.0 - np.exp(-12.0 * tenants(dominated, "us").hazard[:3]) == approx([0.05, 0.01, 0.01])
    deals, rows = dominated.deals, dominated.rows("us", OPERATING)[:2]
    dominated.contracts["tenant"][rows] = dominated.parties("lab", "us")[:2]
    before = deals["terms"]["coupon"][rows].copy()
    disclosing.charge(dominated, "us", rows)
    assert deals["terms"]["coupon"][rows] - before == approx(np.array([[0.056, 0.056], [0.0, 0.0]]))
    assert deals["surcharge"][rows] == approx([0.056, 0.0])


def test_a_cloud_that_rents_a_deal_adds_nothing_to_its_coupons(dominated):
    rows = dominated.rows("us", OPERATING)[:1]
    dominated.contracts["tenant"][rows] = dominated.all("cloud", "us")[0].party
    assert tenancy.premium(dominated, "us", rows).tolist() == [0.0]


def test_new_deals_are_sized_on_the_largest_tenant(dominated):
    top = max(dominated.all("lab", "us"), key=lambda lab: lab.weight)
    rows = dominated.rows("us", BUILDING, OPERATING)
    dominated.contracts["tenant"][rows] = top.party
    assert tenancy.usual_tenant(dominated, "us") == top.number
    assert tenancy.usual_tenant(economy_of(), "us") == 0


def test_a_dominant_tenants_failure_reaches_all_its_deals_and_stops_its_training():
    """Month 2: each of its deals is on record, and no other; its training is gone until new owners rebuild it."""
    economy = build(resolve([*SMALL, "scenario=largest_tenant_fails", "sim.markets.failures.month=2"]))
    for _ in range(2):
        economy.step()
    lab = max(economy.all("lab", "us"), key=lambda lab: lab.weight)
    before = lab.training
    economy.step()
    rows = economy.rows("us", BUILDING, OPERATING)
    let = rows[economy.contracts["tenant"][rows] == lab.party]
    events = economy.recorder.table("events").to_pandas()
    hit = events[events["text"] == "its tenant has failed"]
    assert set(let) == set(hit["deal"]) and set(hit["party"]) == {f"lab {lab.name}"} and set(hit["month"]) == {2}
    assert lab.training == 0.0 < before
    monthly = economy.recorder.table("monthly").to_pandas()
    hold = monthly["largest_tenant"].iloc[-1]
    assert hold == approx(share_of(economy, lab.party)) and hold > 0.4 and monthly["audit_gap"].max() < 1e-9
    economy.step()
    assert 0.0 < lab.training < before


def share_of(economy, tenant: int) -> float:
    """Of the contract rents of running deals."""
    rows = economy.rows("us", OPERATING)
    rent = economy.fleet.deals["gpus"][rows] * economy.contracts["rent"][rows]
    return float(rent[economy.contracts["tenant"][rows] == tenant].sum() / rent.sum())


def failed(economy) -> list[str]:
    """Who failed in the month."""
    return [event["party"] for event in economy.recorder.table("events").to_pylist() if event["kind"] == "failure"]


def test_a_lab_pays_wages_out_of_what_it_lets_on():
    """A small lab without cash has rented all deals for nothing: the exchange pays it for what others use, and it its staff."""
    economy = economy_of("agents.clouds.us.capacity_share=0.3", "agents.labs.staff=1.8")
    economy.step()
    economy.facts = {"us": {}}
    lab, savers = economy.all("lab", "us")[0], economy.outside["savers", "us"]
    rows = economy.rows("us", BUILDING, OPERATING)
    economy.contracts["tenant"][rows], economy.contracts["rent"][rows] = lab.party, 0.0
    economy.ledger.pay("payout", lab.party, savers, float(economy.ledger.cash(lab.party)))
    lab.quality = -3.0
    for one in economy.all("lab", "us"):
        one.raise_equity = lambda *_: 0.0
    using.use(economy)
    staff = 1.8 * lab.bill / 12
    assert economy.ledger.flows[FLOW["salaries"]].sum() > staff > lab.revenue > 0.0
    assert lab.burn < 0.0 and f"lab {lab.name}" not in failed(economy)
