"""Site leases: due whether or not the room is full, ahead of debt, capped when the tenant fails; every dollar has two sides."""

import numpy as np
from pytest import approx, fixture

from sim.books.deals import BUILDING, OPERATING
from sim.books.ledger import ACCOUNT
from sim.compose import resolve
from sim.markets import leases
from sim.phases import leasing
from sim.phases.collateral import package, package_new
from sim.valuing import market_values
from tests.phases.economies import economy_of

P = resolve([]).sim.markets.leases
TERMS = [f"sim.markets.leases.{term}" for term in ("share=0.5", "rent=0.12", "indexation=0.03", "grace=2", "term=180")]


@fixture
def renting():
    """A small economy whose first operator rents room for 1,000,000 USD of spending for 100 more months, and uses 600,000 of it."""
    economy = economy_of(*TERMS)
    operator = economy.all("operator", "us")[0]
    row = economy.rows("us", OPERATING)[economy.deals["sponsor"][economy.rows("us", OPERATING)] == operator.party][-1:]
    economy.leases.add(1, operator=operator.party, deal=-1, region=0, room=1e6, rent=48e3, end=100)
    economy.deals["leased"][row], economy.deals["housed"][row] = 6e5, 1.2e6
    return economy, operator, row


def balance(economy, party: int, account: str) -> float:
    return float(economy.ledger.balances[party, ACCOUNT[account]])


def cash_of(economy, operator, usd: float) -> None:
    """Leave an operator with so much cash."""
    has = float(economy.ledger.cash(operator.party))
    economy.ledger.pay("payout", operator.party, economy.outside["savers", "us"], has - usd)


def test_a_claim_is_a_year_of_rent_or_fifteen_percent_of_the_term_up_to_three_years():
    """100 a year; 15 years left: 2.25 years; 30 years: 3, not 4.5; 5 years: 1, not 0.75; half a year: what is left of it."""
    months = np.array([180, 360, 60, 6, -3])
    assert leases.claim(P, np.full(5, 100.0), months) == approx([225.0, 300.0, 100.0, 50.0, 0.0])


def test_operators_pay_for_the_whole_of_a_unit_but_the_site_of_the_rented_part():
    """The vendor's part is 0.6; half of all sites, 0.4, is rented: operators pay 0.8."""
    assert leases.own_share(P.model_copy(update={"share": 0.5}), 0.6) == approx(0.8)
    assert leases.own_share(P, 0.6) == 1.0


def test_a_deal_pays_for_the_room_it_uses_as_far_as_it_earns_and_its_sponsor_the_rest(renting):
    """48,000 a year on 1,000,000: 4,000 a month; the deal uses 600,000: 2,400 of which it earned 1,000; the sponsor pays 3,000."""
    economy, operator, row = renting
    landlord, cash = economy.outside["landlords", "us"], float(economy.ledger.cash(operator.party))
    economy.ledger.provide("income", int(economy.deals["party"][row[0]]), 1e6)
    assert leasing.pay_sites(economy, "us", row, np.array([1e9])) == approx([2_400.0])
    paid = leasing.pay_sites(economy, "us", row, np.array([1_000.0]))
    assert paid == approx([1_000.0])
    leasing.settle_leases(economy, "us", economy.deals["sponsor"][row], paid)
    assert cash - float(economy.ledger.cash(operator.party)) == approx(3_000.0, abs=1e-3)
    assert float(economy.ledger.cash(landlord)) == approx(6_400.0)
    assert economy.facts["us"]["site_rents"] == approx(4_000.0) and economy.facts["us"]["site_rents_empty"] == approx(3_000.0)


def test_an_operator_that_cannot_pay_owes_then_fails_and_the_landlords_claim_is_capped(renting):
    """Rent 4,000 a month, no cash: overdue 4,000, 8,000, then 12,000 > 2 months: it fails. 40 % of the room is empty: 19,200 a year

    for 100 months; 15 % of them are 1.25 years: 24,000, and 12,000 overdue. Of 36,000 the cash that is left, 0, pays nothing.
    """
    economy, operator, _ = renting
    landlord = economy.outside["landlords", "us"]
    cash_of(economy, operator, 0.0)
    for _ in range(2):
        leasing.settle_leases(economy, "us", np.zeros(0, np.int64), np.zeros(0))
    assert balance(economy, operator.party, "claims") == approx(-8_000.0)
    assert balance(economy, landlord, "claims") == approx(8_000.0)
    assert "lease_failures" not in economy.facts["us"]
    leasing.settle_leases(economy, "us", np.zeros(0, np.int64), np.zeros(0))
    facts = economy.facts["us"]
    assert facts["lease_failures"] == facts["operator_failures"] == 1.0
    assert facts["lease_claims"] == approx(36_000.0) and facts["lease_claims_paid"] == 0.0
    assert facts["rents_rejected"] == approx(19_200.0 * 100 / 12)
    assert balance(economy, operator.party, "claims") == approx(0.0) == balance(economy, landlord, "claims")
    assert balance(economy, landlord, "profit") == approx(0.0)  # 12,000 earned and lost; damages never earned
    assert economy.leases["room"].sum() == approx(6e5) and economy.leases.vacant[0] == approx(4e5)
    assert float(economy.ledger.cash(operator.party)) > 0.0  # new owners' money
    assert np.abs(economy.ledger.balances.sum(axis=1)).max() < 1e-9 * economy.ledger.balances.max()


def test_a_landlord_shares_in_the_cash_that_is_left(renting):
    """24,000 of damages for the empty 40 %, 10,000 in cash: 10,000 are paid, 14,000 lost; what is occupied is rented on."""
    economy, operator, _ = renting
    cash_of(economy, operator, 10_000.0)
    leasing.reject(economy, "us", operator)
    assert economy.facts["us"]["lease_claims"] == approx(24_000.0)
    assert economy.facts["us"]["lease_claims_paid"] == approx(10_000.0, abs=1e-3)
    assert float(economy.ledger.cash(economy.outside["landlords", "us"])) == approx(10_000.0, abs=1e-3)
    assert economy.leases["rent"].sum() == approx(28_800.0)


def test_new_deals_use_empty_room_first_then_what_landlords_have_and_only_then_is_built(renting):
    """A deal of 2,000,000 needs room for half of it: 400,000 is empty, landlords have 100,000, 500,000 is built over 9 months."""
    economy, operator, _ = renting
    deals = economy.deals
    fresh = economy.rows("us", BUILDING)[:1]
    deals["sponsor"][fresh], deals["housed"][fresh], deals["delivery"][fresh] = operator.party, 2e6, 9
    economy.leases.vacant[0] = 1e5
    leasing.sign(economy, "us", fresh)
    lease = economy.leases
    assert deals["leased"][fresh] == approx(1e6)
    assert lease["room"][-1] == approx(6e5) and lease["end"][-1] == 9 + 180 and lease["deal"][-1] == fresh[0]
    assert lease["rent"][-1] == approx(0.12 * 0.4 * 6e5) and lease["works"][-1] == approx(0.4 * 5e5 / 9)
    assert lease.vacant[0] == 0.0 and len(lease.begun(operator.party)) == 1
    lease.begin(9, deals["delivery"], 180)
    assert len(lease.begun(operator.party)) == 2


def test_rents_rise_once_a_year_and_room_in_use_is_rented_anew_at_the_end(renting):
    """48,000 begun at -80: a rise of 3 % at 100 - 180 + 12 k only. At the end 600,000 in use are let again at 0.12 x 0.4 of it."""
    economy, operator, _ = renting
    economy.leases.index(3, 180, 0.03)
    assert economy.leases["rent"][0] == approx(48e3)
    economy.leases.index(4, 180, 0.03)
    assert economy.leases["rent"][0] == approx(48e3 * 1.03)
    economy.clock = 100
    leasing._renew(economy, "us")
    rows = economy.leases.of(operator.party)
    assert economy.leases["room"][rows] == approx([6e5]) and economy.leases.vacant[0] == approx(4e5)
    assert economy.leases["rent"][rows] == approx([0.12 * 0.4 * 6e5]) and economy.leases["end"][rows] == 280


def test_lenders_count_the_rent_of_the_site_and_not_the_site(renting):
    """28,800 a year less cash, 2,400 a month however many units are left; the cap on value is of what is the deal's own, 0.8."""
    economy, _, row = renting
    dear = package(economy, "us", row)
    worth = market_values(economy, "us", row)
    economy.deals["leased"][row] = 0.0
    plain = package(economy, "us", row)
    assert dear.cost - plain.cost == approx(2_400.0)
    assert (worth < market_values(economy, "us", row)).all() and (dear.value <= plain.value).all()
    assert (dear.contract == plain.contract).all()


def test_used_units_without_their_site_fetch_no_more_than_new_ones_without_it(renting):
    """At a rent of ten times the unit's cost the cap binds: of 1,200,000 housed 600,000 is on a leased site: 1 - 0.4 / 2 = 0.8."""
    economy, _, row = renting
    economy.publish("us", rent=10.0 * economy.tape["us"].unit_cost)
    leased = market_values(economy, "us", row)
    economy.deals["leased"][row] = 0.0
    assert leased / market_values(economy, "us", row) == approx(0.8)


def test_room_goes_with_the_units_to_the_deal_that_refinances_them():
    """Half a year in which every deal uses room for 1,000 USD: those that refinanced others use it, the others no more."""
    economy = economy_of(*TERMS)
    for operator in economy.all("operator", "us"):
        economy.leases.add(1, operator=operator.party, deal=-1, region=0, room=1e6, rent=1e3, end=200)
    economy.deals["leased"][economy.rows("us", OPERATING)] = 1e3
    for _ in range(6):
        economy.step()
    heirs = economy.rows("us", OPERATING)
    heirs = heirs[economy.deals["predecessor"][heirs] >= 0]
    assert len(heirs) > 0 and economy.deals["leased"][heirs] == approx(1e3)
    assert not economy.deals["leased"][economy.deals["predecessor"][heirs]].any()


def test_agencies_size_new_deals_on_what_operators_pay_and_owe():
    """Of 1 USD that operators pay, 0.8 of a unit: 1 / 0.8 as many units; rent of 0.12 x 0.2 / 0.8 = 0.03 beside running costs."""
    rented, owned = (package_new(economy_of(*terms), "us", 0) for terms in (TERMS, ()))
    assert rented.contract == approx(owned.contract / 0.8)
    assert rented.cost == approx(owned.cost / 0.8 + 0.03 / 12.0)


def test_a_run_on_leased_sites_pays_landlords_who_build_with_savers_money():
    """Two years: works are landlords' capital spending, rents paid come from deals and operators, sites are in landlords' books."""
    economy = economy_of(*TERMS)
    for _ in range(24):
        economy.step()
    monthly = economy.recorder.table("monthly").to_pandas()
    flows = economy.recorder.table("flows").to_pandas().groupby(["flow", "payer"])["usd"].sum()
    landlord = economy.outside["landlords", "us"]
    assert monthly["capex_landlords"].sum() == approx(flows["shell", "landlords"]) and monthly["capex_landlords"].sum() > 0.0
    assert monthly["capex"].sum() == approx(monthly[["capex_clouds", "capex_operators", "capex_landlords"]].sum().sum())
    assert monthly["site_rents"].sum() == approx(flows["site_rent"].sum()) and flows["site_rent", "deal"] > 0.0
    assert balance(economy, landlord, "fleet") == approx(economy.leases.book[0])
    assert economy.leases.book[0] < economy.leases.cost[0] == approx(monthly["capex_landlords"].sum())
    leased = economy.deals["leased"][economy.rows("us", BUILDING, OPERATING)].sum()
    assert economy.leases["room"].sum() == approx(leased)
    obligations = (economy.leases["rent"] * np.clip(economy.leases["end"] - 23, 0, 180)).sum() / 12.0
    assert monthly["lease_obligations"].iloc[-1] == approx(obligations)
    hardware = flows["hardware", "deal"] / (flows["hardware", "deal"] + flows["shell", "deal"])
    assert 0.6 < hardware <= 0.75 and monthly["audit_gap"].max() < 1e-9


def test_without_leases_nobody_rents():
    economy = economy_of()
    for _ in range(6):
        economy.step()
    monthly = economy.recorder.table("monthly").to_pandas()
    rented = ["leases_signed", "site_rents", "lease_obligations", "capex_landlords", "lease_claims"]
    assert not monthly[rented].any(axis=None) and len(economy.leases) == 0
    assert (economy.tape["us"].own_share, economy.tape["us"].site_rent) == (1.0, 0.0)
