"""Customers' prepayments: paid at signing, used up by rents, claimed when tenant or landlord fails."""

import numpy as np
from pytest import approx, fixture

from sim.books import audit
from sim.books.deals import BUILDING, OPERATING
from sim.books.ledger import ACCOUNT
from sim.markets import contracts
from sim.phases import contracting, using
from sim.phases.closing import cloud_parties
from sim.phases.collateral import package, package_new
from tests.phases.economies import economy_of

HALF = contracts.Params(renegotiation=0.0, concession=0.5, prepayment=0.2, prepayment_equity=0.5, prepayment_cash=0.1)


@fixture
def prepaid():
    """An economy, one of its operating deals and its tenant, which has prepaid 1,000,000 USD."""
    economy = economy_of()
    row = economy.rows("us", OPERATING)[:1]
    tenant = int(economy.contracts["tenant"][row[0]])
    economy.ledger.pay("prepayment", tenant, int(economy.deals["party"][row[0]]), 1e6)
    return economy, row, tenant


def check_claims(economy) -> None:
    """What each tenant has prepaid is what its landlords owe, and every account has its other side."""
    rows, labs = economy.deals.live(), economy.parties("lab", "us")
    tenant, owed = economy.contracts["tenant"][rows], contracting.owed(economy, rows)
    claims = economy.ledger.balance(labs, "prepaid")
    assert [owed[tenant == lab].sum() for lab in labs] == approx(claims.tolist(), abs=1e-3)
    assert (claims >= -1e-3).all() and (owed >= -1e-3).all()
    books = economy.ledger.balances
    assert np.abs(books.sum(axis=1)).max() < 1e-9 * books.max() and abs(books[:, ACCOUNT["prepaid"]].sum()) < 1e-3


def test_a_prepayment_stays_within_the_deals_equity_and_the_tenants_cash():
    """0.2 x 100 = 20 is within half of 50, 0.2 x 200 = 40 above half of 60; tenant 0 can pay 5 of its 20, tenant 1 all."""
    paid = contracts.prepaid(HALF, np.array([100.0, 200.0]), np.array([50.0, 60.0]), np.array([0, 1]), np.array([50.0, 1e3]))
    assert paid == approx([5.0, 30.0])


def test_tenants_of_two_deals_divide_their_cash_in_proportion():
    """Both ask for 20; a tenth of 100 is 10."""
    paid = contracts.prepaid(HALF, np.array([100.0, 100.0]), np.array([50.0, 50.0]), np.array([0, 0]), np.array([100.0]))
    assert paid == approx([5.0, 5.0])


def test_equal_parts_use_a_prepayment_up_by_the_end_of_the_contract():
    """120 over 12 months of a rent of 15: 10 a month, nothing left."""
    left = 120.0
    for months in range(12, 0, -1):
        used = float(contracts.drawn_down(np.array([left]), np.array([months]), np.array([15.0]), np.array([15.0]))[0])
        assert used == approx(10.0)
        left -= used
    assert left == approx(0.0)


def test_a_prepayment_never_takes_cash_that_running_costs_need():
    """A rent of 15 with 4 free: 4, though 10 is due; nothing when costs eat all."""
    owed, months, rent = np.full(2, 120.0), np.full(2, 12), np.full(2, 15.0)
    assert contracts.drawn_down(owed, months, rent, np.array([4.0, -1.0])) == approx([4.0, 0.0])


def test_what_rents_use_up_is_the_landlords_income_and_the_tenants_cost(prepaid):
    economy, row, tenant = prepaid
    deal = int(economy.deals["party"][row[0]])
    worth = economy.ledger.net_worth(np.array([deal, tenant]))
    contracting.use_up(economy, row, np.array([4e5]))
    assert economy.ledger.net_worth(np.array([deal, tenant])) - worth == approx([4e5, -4e5])
    assert contracting.owed(economy, row) == approx([6e5])
    check_claims(economy)


def test_a_failed_tenant_forfeits_what_it_prepaid(prepaid):
    economy, row, tenant = prepaid
    worth = float(economy.ledger.net_worth(tenant))
    contracting.forfeit(economy, "us", np.array([tenant]))
    assert contracting.owed(economy, row)[0] == 0.0 and economy.facts["us"]["prepayments_lost"] == approx(1e6)
    assert float(economy.ledger.net_worth(tenant)) == approx(worth - 1e6)
    check_claims(economy)


def test_a_sold_deal_refunds_its_tenant_before_its_sponsor_and_the_rest_is_lost(prepaid):
    """300,000 USD are left after the notes; 1,000,000 was prepaid: all goes to the tenant. A deal that goes on refunds nothing."""
    economy, row, tenant = prepaid
    economy.deals["state"]["sold"][row] = False
    assert contracting.refund(economy, row, np.array([3e5])) == approx([0.0])
    economy.deals["state"]["sold"][row] = True
    cash = float(economy.ledger.cash(tenant))
    assert contracting.refund(economy, row, np.array([3e5])) == approx([3e5])
    assert float(economy.ledger.cash(tenant)) == approx(cash + 3e5)
    contracting.lapse(economy, row)
    assert economy.facts["us"]["prepayments_lost"] == approx(7e5)
    check_claims(economy)


def test_a_refinancing_takes_the_prepayment_over_with_the_contract(prepaid):
    economy, row, tenant = prepaid
    heir = economy.rows("us", OPERATING)[1:2]
    economy.contracts["tenant"][heir] = tenant
    before = contracting.owed(economy, heir)
    contracting.pass_on(economy, row, heir)
    assert contracting.owed(economy, row)[0] == 0.0 and contracting.owed(economy, heir) == approx(before + 1e6)
    check_claims(economy)


def test_lenders_count_on_rents_less_what_was_prepaid():
    """Without wear, cash from the contract is smaller by equal parts of 1,000,000 USD in each of its months; spot rents stay."""
    economy = economy_of("sim.markets.compute.wear=0")
    row = economy.rows("us", OPERATING)[-1:]
    before = package(economy, "us", row)
    economy.ledger.pay("prepayment", int(economy.contracts["tenant"][row[0]]), int(economy.deals["party"][row[0]]), 1e6)
    after = package(economy, "us", row)
    less = economy.params.sim.markets.compute.cover * (before.contract - after.contract)
    assert less == approx(1e6 / int(economy.contracts["months"][row[0]]))
    assert (after.market == before.market).all()


def test_agencies_expect_new_deals_to_be_prepaid_as_the_last_ones_were():
    """A tenth of all contracts under construction: a tenth of rent less, before management takes its part."""
    economy = economy_of()
    before, rows = package_new(economy, "us", 0), economy.rows("us", BUILDING)
    for row, value in zip(rows, contracting.worth(economy, rows), strict=True):
        tenant, deal = int(economy.contracts["tenant"][row]), int(economy.deals["party"][row])
        economy.ledger.provide("income", tenant, float(economy.ledger.cash(tenant)) + 0.1 * float(value))
        economy.ledger.pay("prepayment", tenant, deal, 0.1 * float(value))
    overhead = economy.params.sim.markets.compute.overhead
    assert package_new(economy, "us", 0).contract == approx(before.contract * (1.0 - 0.1 / (1.0 - overhead)))


def test_prepayments_replace_sponsors_money_and_every_claim_is_accounted_for(monkeypatch):
    """Three years with a failing lab: what was prepaid is owed, earned, refunded or lost; sponsors put in less; books balance."""
    economy, plain = economy_of("scenario=customers_prepay"), economy_of()
    paid = lost = refunded = now = 0.0
    earned: list[float] = []

    def spy(economy, rows, amounts):
        earned.append(float(amounts.sum()))
        contracting.use_up(economy, rows, amounts)

    monkeypatch.setattr(using, "use_up", spy)
    for month in range(30):
        if month == 20:
            lab = economy.all("lab", "us")[0]
            lab.params = lab.params.model_copy(update={"raise_multiple": 0.01})  # which all labs are offered
            economy.ledger.pay("payout", lab.party, economy.outside["savers", "us"], float(economy.ledger.cash(lab.party)))
        economy.step()
        now = -float(economy.ledger.balances[:, ACCOUNT["prepaid"]].clip(max=0.0).sum())
        facts = economy.recorder.table("monthly").to_pandas().iloc[-1]
        flows = economy.recorder.table("flows").to_pandas()
        flows = flows[flows["month"] == month].groupby("flow")["usd"].sum()
        back = float(flows.get("prepayment_refund", 0.0))
        paid, lost, refunded = paid + facts["prepayments"], lost + facts["prepayments_lost"], refunded + back
        assert facts["prepaid"] == approx(now, abs=0.01) and flows.get("prepayment", 0.0) == approx(facts["prepayments"])
        check_claims(economy)
        if month == 0:
            plain.step()
    assert paid > 0.0 and sum(earned) > 0.0 and lost > 0.0
    assert paid == approx(sum(earned) + lost + refunded + now)
    gaps = audit.gaps(economy.ledger, economy.deals, economy.fleet, cloud_parties(economy))
    assert max(gap.amount / gap.scale for gap in gaps) < audit.TOLERANCE
    own = [e.recorder.table("flows").to_pandas().query("flow == 'escrow' and month == 0")["usd"].sum() for e in (economy, plain)]
    assert own[0] < own[1]
