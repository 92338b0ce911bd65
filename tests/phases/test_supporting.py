"""Vendor support: equity that must become orders, and hours taken back until the vendor's own limit."""

import numpy as np
from pytest import approx, fixture, mark

from sim.books.deals import OPERATING
from sim.phases import supporting
from sim.phases.collateral import package_new
from tests.phases.economies import economy_of

TERMS = {"invested": 0.3, "labs": 0.5, "buy_back": 0.7, "limit": 0.04, "floor": 0.1, "until": 50}
SUPPORT = tuple(f"agents.vendors.support.{name}={value}" for name, value in TERMS.items())


@fixture
def supported():
    """A small economy at its start, whose vendor sold for 100 last month and has 1,000 in cash."""
    economy = economy_of(*SUPPORT, "agents.operators.least=0")
    vendor = economy.all("vendor", "")[0]
    vendor.revenue = {"us": 100.0}
    economy.ledger.endow_cash(np.array([vendor.party]), np.array([1_000.0]))
    return economy, vendor


@mark.parametrize(("cash", "offer"), [(1_000.0, 22.5), (130.0, 10.0), (120.0, 0.0), (50.0, 0.0)])
def test_the_vendor_offers_part_of_last_months_margin_of_the_cash_above_its_floor(supported, cash, offer):
    """0.3 of 100 - 25; a tenth of a year's 1,200, 120, stays."""
    assert supported[1].offers("us", cash) == approx(offer)
    assert supported[1].offers("china", cash) == 0.0


@mark.parametrize(("unsold", "cash", "before", "paid"), [(10, 1e3, 0, 7), (100, 1e3, 0, 48), (100, 1e3, 40, 8), (100, 130, 0, 10)])
def test_it_takes_unsold_hours_back_until_a_years_limit_or_its_cash_is_used_up(supported, unsold, cash, before, paid):
    """0.7 of them; at most 0.04 of 1,200, 48, in twelve months; never below the floor of 120."""
    _, vendor = supported
    vendor.hours["us"] = [float(before)]
    assert vendor.takes_back("us", unsold, cash) == approx(paid)


def test_a_year_later_what_it_has_paid_no_longer_counts(supported):
    _, vendor = supported
    vendor.remember("us", 48.0)
    for _ in range(10):
        vendor.remember("us", 0.0)
    assert vendor.takes_back("us", 10.0, 1e3) == 0.0
    vendor.remember("us", 0.0)
    assert vendor.takes_back("us", 10.0, 1e3) == approx(7.0)


@mark.parametrize(("month", "stands"), [(-1, False), (0, True), (49, True), (50, False), (400, False)])
def test_support_begins_with_the_record_and_ends_with_its_last_month(supported, month, stands):
    assert supported[1].stands_by(month) is stands


def lacking(economy):
    """An operator that is ready for 100 and has nothing, and what its deals need of equity."""
    operator = economy.all("operator", "us")[0]
    economy.ledger.pay("payout", operator.party, economy.outside["savers", "us"], float(economy.ledger.cash(operator.party)))
    operator.ready = dict.fromkeys(operator.ready, 0.0) | {"private": 100.0}
    return operator, dict.fromkeys(operator.ready, 0.4)


def test_the_vendors_equity_is_what_an_operator_lacks_and_is_the_vendors_stake(supported):
    """Half a year's part of a quarter of 11.25, 16.9, of the 40 that it lacks: six months, one of four operators, half to labs."""
    economy, vendor = supported
    operator, needs = lacking(economy)
    before = float(economy.ledger.balance(vendor.party, "stakes"))
    assert supporting.equip(economy, "us", operator, needs) == approx(6 * 0.25 * 0.5 * 22.5)
    assert float(economy.ledger.balance(vendor.party, "stakes")) - before == approx(16.875)
    assert float(economy.ledger.cash(operator.party)) == approx(16.875)
    assert economy.owners.held[operator.party][vendor.party] == approx(16.875)


def test_an_operator_that_lacks_little_takes_no_more_than_that(supported):
    economy, _ = supported
    operator, needs = lacking(economy)
    operator.ready["private"] = 5.0
    assert supporting.equip(economy, "us", operator, needs) == approx(2.0)


def test_money_tied_to_orders_is_put_up_in_full_and_other_money_with_prudence(supported):
    """0.9 of 10, and all of the 8."""
    operator, _ = lacking(supported[0])
    (request,) = operator.request(18.0, 8.0)
    assert request.equity == approx(0.9 * 10.0 + 8.0)
    (request,) = operator.request(18.0)
    assert request.equity == approx(0.9 * 18.0)


def test_orders_are_circular_as_far_as_the_vendors_equity_carries_them(supported):
    """Half of the first sponsor's 12 + 8, none of the second's."""
    economy, _ = supported
    supporting.circular(economy, "us", np.array([5.0, 0.0]), np.array([10.0, 3.0]), np.array([[12.0, 8.0], [6.0, 0.0]]))
    assert economy.facts["us"]["circular_orders"] == approx(10.0)


def test_a_lab_takes_no_more_of_the_vendor_than_of_the_others_and_spends_it(supported):
    """12 a year per unit of a bill of 24 is 24 a month: of 30 it takes 24, and raises twice as much."""
    lab = supported[0].all("lab", "us")[0]
    lab.bill = 24.0
    assert lab.accept(30.0, 12.0) == approx(24.0) and lab.tied == approx(24.0)
    assert lab.accept(6.0, 12.0) == approx(15.0) and lab.tied == approx(6.0)
    assert lab.accept(0.0, 12.0) == 12.0 and lab.tied == 0.0


@mark.parametrize(("limit", "part"), [(5.0, 1.0), (0.04, 48.0 / 70.0)])
def test_deals_are_paid_for_hours_that_stand_beside_those_they_sold(supported, limit, part):
    """At a use of 0.8, 400 sold leave 100 unsold: 70 are due, 48 within the limit, shared in proportion."""
    economy, vendor = supported
    rows = economy.rows("us", OPERATING)[:2]
    vendor.params = vendor.params.model_copy(update={"support": vendor.params.support.model_copy(update={"limit": limit})})
    economy.publish("us", utilisation=0.8)
    economy.clock = economy.burn_in
    before = economy.ledger.cash(economy.deals["party"][rows])
    paid = supporting.buy_back(economy, "us", rows, np.array([300.0, 100.0]))
    assert paid == approx(part * np.array([52.5, 17.5]))
    assert economy.ledger.cash(economy.deals["party"][rows]) - before == approx(paid, abs=1e-6)
    assert economy.facts["us"]["unsold"] == approx(100.0) and economy.facts["us"]["bought_back"] == approx(70.0 * part)
    assert supporting.let(economy, "us") == approx(0.94 if part == 1.0 else 0.8)  # 0.8 + 0.7 * 0.2, while all claims are honoured


def test_lenders_count_hours_that_the_vendor_takes_back_as_let(supported):
    """At a use of 0.8 market rents count with 0.94 instead of 0.8 of full use."""
    economy, vendor = supported
    economy.publish("us", utilisation=0.8)
    economy.clock = economy.burn_in
    alone = package_new(economy, "us", tenant=0).market
    vendor.honours["us"] = 1.0
    assert package_new(economy, "us", tenant=0).market == approx(alone * 0.94 / 0.8)


def test_all_support_ends_in_its_month_and_lenders_know(supported):
    economy, vendor = supported
    economy.publish("us", utilisation=0.8)
    vendor.honours["us"] = 1.0
    economy.clock = economy.burn_in + 49
    assert supporting.let(economy, "us") == approx(0.94)
    economy.clock += 1
    operator, needs = lacking(economy)
    rows = economy.rows("us", OPERATING)[:1]
    assert supporting.let(economy, "us") == 0.8
    assert supporting.equip(economy, "us", operator, needs) == 0.0
    assert supporting.back(economy, "us", economy.all("lab", "us")[0], 3.0) == 3.0
    assert not supporting.buy_back(economy, "us", rows, np.array([100.0])).any()
    events = economy.recorder.table("events").to_pandas()
    assert events[events["kind"] == "withdrawal"]["text"].tolist() == ["all support ends"]


def test_the_vendors_support_carries_orders_until_its_month_with_balanced_books():
    """Two years of operators who own little and may sell no shares to others: shares are what was paid; then nothing flows."""
    own = ("agents.operators.outside_equity=0", "agents.operators.start_equity=0.05")
    economy = economy_of(*SUPPORT[:-1], "agents.vendors.support.until=12", *own)
    for _ in range(24):
        economy.step()
    record = economy.recorder.table("monthly").to_pandas()
    flows = economy.recorder.table("flows").to_pandas()
    paid = flows[(flows["flow"] == "equity") & (flows["payer"] == "vendor") & (flows["month"] > 2)]  # at first it has no cash
    given, later = paid.groupby("payee")["usd"].sum(), record[record["month"] > 2]
    before, after = record[record["month"] < 12], record[record["month"] >= 12]
    orders = record["circular_orders"]
    assert given["operator"] == approx(later["vendor_equity"].sum())
    assert given["lab"] == approx((0.9 * later["vendor_equity_labs"] + 0.1 * later["lab_raise"]).sum())  # a tenth of the rest
    assert (before["vendor_equity_labs"] > 0.0).sum() >= 11 and (orders > 0.0).sum() >= 3
    assert (orders >= record["vendor_equity"] * (1.0 - 1e-9))[orders > 0.0].all()  # equity carries debt
    assert (after[["vendor_equity", "vendor_equity_labs", "circular_orders", "bought_back"]] == 0.0).all(axis=None)
    assert flows[flows["flow"] == "buy_back"]["usd"].sum() == approx(record["bought_back"].sum())
    assert record["circular_share"].between(0.0, 1.0).all() and record["circular_share"].max() > 0.01
