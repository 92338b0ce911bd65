"""Bonds of clouds, issue by issue: coupons, repayment at the end, holders; what a cloud issues and at what spread."""

import numpy as np
from pytest import approx, fixture, mark, raises

from sim.books import audit
from sim.books.bonds import Bonds
from sim.books.ledger import WORLD, Ledger
from sim.compose import resolve
from sim.mistakes import Mistakes
from sim.phases import funding
from sim.phases.closing import cloud_parties
from sim.phases.pricing import _clear, requested
from tests.phases.economies import economy_of

TERMS = ("spread=0.007", "slope=0.001", "share=0.125", "from=0", "weight=0.2", "holders=investors")


def bullets(tenor: int):
    """A small economy whose clouds issue bonds of so many months to investors."""
    return economy_of(*(f"agents.clouds.bond_{term}" for term in (*TERMS, f"tenor={tenor}")))


@fixture
def issued():
    """100 USD at 6 %, a quarter of it held by the first of two funds, issued in month 3 and due in month 5."""
    ledger = Ledger()
    cloud, *funds = (ledger.enroll(kind, "us", name) for kind, name in (("cloud", "00"), ("investor", "00"), ("investor", "01")))
    ledger.pay("income", WORLD, np.array(funds), 200.0)
    bonds = Bonds(ledger, funds)
    bonds.issue(cloud, 0, (3, 5), 100.0, 0.06, np.array([0.25, 0.75]))
    return ledger, bonds, cloud, funds


def test_a_bond_pays_coupons_and_all_principal_at_its_end(issued):
    """0.125 and 0.375 a month, then 25 and 75; 101 paid in all of 100 raised and 1 earned."""
    ledger, bonds, cloud, funds = issued
    ledger.pay("income", WORLD, cloud, 1.0)
    for month, left in ((4, [25.0, 75.0]), (5, [0.0, 0.0])):
        coupons, principal = bonds.owed(cloud, month)
        bonds.service(cloud, month, coupons, principal)
        assert coupons == approx([0.125, 0.375]) and bonds.held() == approx(left)
    assert ledger.cash(np.array([cloud, *funds])) == approx([0.0, 200.25, 200.75])
    assert not ledger.balance(np.array([cloud, *funds]), "bonds").any() and not np.any(bonds.owed(cloud, 6))


def test_a_bond_pays_nothing_in_the_month_of_its_issue(issued):
    """Else a cloud that borrows to pay a coupon would owe more than it borrowed."""
    _, bonds, cloud, _ = issued
    assert not np.any(bonds.owed(cloud, 3)) and bonds.owed(cloud, 4)[0] == approx([0.125, 0.375])


@fixture
def economy():
    return bullets(120)


def test_leverage_widens_the_spread(economy):
    """70 bp, and 10 bp for each year of earnings that is owed: 90 bp at two; nothing is added where nothing is earned."""
    cloud = economy.all("cloud", "us")[0]
    assert [cloud.spread(owed, 50.0) for owed in (0.0, 100.0)] == approx([0.007, 0.009]) and cloud.spread(9.0, 0.0) == 0.007


def test_a_share_of_spending_is_borrowed_though_there_is_cash(economy):
    """An eighth of 800 million, from the investors who hold seniors, at the spread of a cloud that owes that much."""
    cloud, deals = economy.all("cloud", "us")[0], economy.deals
    economy.ledger.endow_cash(cloud.party, 1e9)
    funding.borrow_for(economy, "us", cloud, 8e8)
    held = economy.ledger.balance(deals.investors[economy.slots("us")], "bonds")
    assert held == approx(1e8 * economy.allotment["us"][0]) and economy.ledger.cash(cloud.party) == approx(1.1e9)
    assert economy.facts["us"]["issuance_bonds"] == approx(1e8)
    assert economy.bonds["coupon"][0] == approx(0.042 + cloud.spread(1e8, funding.other_business(economy, "us", cloud)))
    assert funding.weight_of_bonds(economy, "us") == approx(0.2 * 1e8)


def test_what_cash_lacks_is_borrowed_too(economy):
    """No cash and 800 million to pay: an eighth as always, then the rest."""
    cloud = economy.all("cloud", "us")[0]
    cash = float(economy.ledger.cash(cloud.party))
    funding.borrow_for(economy, "us", cloud, cash + 8e8)
    assert economy.facts["us"]["issuance_bonds"] == approx(8e8) and economy.ledger.cash(cloud.party) == approx(cash + 8e8)


@mark.parametrize("repaid", [0.0, 0.5])
def test_the_audit_holds_accounts_against_issues(economy, repaid):
    """Half of an issue struck from the book and not from the accounts is a breach."""
    funding.issue_bonds(economy, "us", economy.all("cloud", "us")[0], 1e9)
    economy.bonds["balance"][0] *= 1.0 - repaid
    gaps = audit.gaps(economy.ledger, economy.deals, economy.fleet, cloud_parties(economy), economy.bonds)
    worst = next(gap for gap in gaps if gap.identity.startswith("bonds owed"))
    assert worst.amount == approx(1e9 * repaid, abs=1e-3)


def test_coupons_are_income_of_the_investors_who_hold_the_bonds(economy):
    """A twelfth of the coupon on 1 bn, in the month after the issue, by holding."""
    cloud, slots = economy.all("cloud", "us")[0], economy.slots("us")
    funding.issue_bonds(economy, "us", cloud, 1e9)
    economy.clock += 1
    before = economy.earned.copy()
    funding.earn(economy, "us", cloud)
    coupon = float(economy.bonds["coupon"][0])
    assert (economy.earned - before)[slots] == approx(1e9 * coupon / 12.0 * economy.allotment["us"][0])


def test_bonds_that_investors_hold_crowd_out_other_debt(economy):
    """The same bids clear at a higher spread once a trillion of bonds weighs a fifth of itself on what investors carry."""
    for _ in range(3):
        economy.step()
    spreads = []
    for amount in (0.0, 1e12):
        economy.facts["us"] = {}
        if amount:
            funding.issue_bonds(economy, "us", economy.all("cloud", "us")[0], amount)
        _clear(economy, "us", economy.deals.exposure(0), requested(economy, "us"))
        spreads.append(economy.facts["us"]["clearing_spread"])
    assert spreads[1] > spreads[0] + 0.01


def test_bonds_are_repaid_by_their_tenor_and_recorded():
    """Bonds of a year, in two years: what was issued is repaid or outstanding, coupons reach investors and savers hold none."""
    economy = bullets(12)
    for _ in range(24):
        economy.step()
    months, flows = (economy.recorder.table(name).to_pandas() for name in ("monthly", "flows"))
    paid = flows.groupby(["flow", "payer", "payee"])["usd"].sum()
    assert paid["bond_repaid", "cloud", "investor"] > 0.0 and ("bond_issue", "savers", "cloud") not in paid
    left = paid["bond_issue", "investor", "cloud"] - paid["bond_repaid", "cloud", "investor"]
    assert months["issuance_bonds"].sum() == approx(paid["bond_issue", "investor", "cloud"])
    assert left == approx(months["bonds"].iloc[-1]) and paid["coupon", "cloud", "investor"] > 0.0
    assert months["bond_spread"].between(0.007, 0.05).all()


def test_bonds_that_investors_hold_need_a_tenor():
    with raises(Mistakes, match="investors buy bonds with a tenor"):
        resolve(["agents.clouds.bond_tenor=0"])


def test_spending_that_other_business_pays_for_needs_no_bonds():
    """Half of a month's earnings is free; an eighth of a billion beyond it is borrowed."""
    economy = economy_of(*(f"agents.clouds.bond_{term}" for term in (*TERMS[:3], "from=0.5", *TERMS[4:], "tenor=12")))
    cloud = economy.all("cloud", "us")[0]
    free = 0.5 * funding.other_business(economy, "us", cloud) / 12.0
    economy.ledger.provide("income", cloud.party, 1e12)
    funding.borrow_for(economy, "us", cloud, free)
    assert not economy.facts["us"].get("issuance_bonds")
    funding.borrow_for(economy, "us", cloud, free + 1e9)
    assert economy.facts["us"]["issuance_bonds"] == approx(1.25e8)


@mark.parametrize(("owed", "part"), [(0.0, 1.0), (30.0, 1.0), (45.0, 0.5), (60.0, 0.0), (90.0, 0.0)])
def test_a_cloud_orders_less_from_half_of_the_most_it_may_owe_and_nothing_at_it(owed, part):
    """Six years of 10 USD; without a limit it orders all."""
    cloud = economy_of("agents.clouds.most_debt=6").all("cloud", "us")[0]
    assert cloud.dares(owed, 10.0) == approx(part)
    assert economy_of("agents.clouds.most_debt=0").all("cloud", "us")[0].dares(owed, 10.0) == 1.0


def test_what_a_cloud_owes_holds_what_its_orders_will_cost():
    economy = bullets(60)
    cloud = economy.all("cloud", "us")[0]
    before = funding.owed_with_orders(economy, cloud)
    economy.fleet.order(cloud.slot, economy.clock, 1.0, 500.0)
    funding.issue_bonds(economy, "us", cloud, 1000.0)
    assert funding.owed_with_orders(economy, cloud) - before == approx(1500.0, rel=1e-6)


def test_clouds_at_their_limit_order_nothing():
    economy = economy_of("agents.clouds.most_debt=1e-6")
    economy.step()
    assert economy.facts["us"].get("orders_clouds", 0.0) == 0.0 < economy.facts["us"]["orders"]
