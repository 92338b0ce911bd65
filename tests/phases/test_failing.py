"""Tenants and guarantors that fail: what they owed falls, what they guaranteed is void, every deal of theirs shows it."""

import numpy as np
import pandas as pd
from pytest import approx, fixture, mark, raises

from sim.books.deals import BUILDING, OPERATING
from sim.books.fleet import BEFORE
from sim.books.ledger import ACCOUNT, WORLD
from sim.build import build
from sim.compose import resolve
from sim.markets.guarantees import room
from sim.mistakes import Mistakes
from sim.phases import building, failing
from sim.phases.collateral import package
from sim.phases.funding import affords, borrow_for, credit, issue_bonds, other_business
from sim.valuing import used_prices
from tests.phases.economies import SMALL, economy_of

TERMS = ("scenario=guaranteed_campuses", "sim.markets.guarantees.limit=1000", "sim.markets.failures.bond_recovery=0.4")


@fixture
def campuses():
    """Two years of guaranteed campuses, the cloud's bonds of 10 bn among them."""
    economy = build(resolve([*SMALL, *TERMS]))
    for _ in range(24):
        economy.step()
    economy.facts = {"us": {}}
    cloud = economy.all("cloud", "us")[0]
    issue_bonds(economy, "us", cloud, 1e10)
    return economy, cloud


def balanced(economy) -> bool:
    books = economy.ledger.balances
    return bool(np.abs(books.sum(axis=1)).max() < 1e-9 * np.maximum(books, 0.0).sum())


def events(economy) -> pd.DataFrame:
    table = economy.recorder.table("events").to_pandas()
    return table[(table["kind"] == "failure") & (table["party"] == "cloud 00")]


def test_a_failed_guarantor_pays_nothing_and_every_deal_that_counted_on_it_shows_it(campuses):
    """Its rents fall to spot where they were above; strikes are void for payment and for rating; each of its deals is on record."""
    economy, cloud = campuses
    deals, rows = economy.deals, failing.rented(economy, "us", np.array([cloud.party]))
    strike = deals["terms"]["guarantee_strike"][rows].copy()
    economy.contracts["rent"][rows] = 1e9
    failing.fail_cloud(economy, "us", cloud, "")
    assert strike.all() and not deals["terms"]["guarantee_strike"][rows].any()
    assert (package(economy, "us", rows).guarantor == -1).all() and (economy.contracts["rent"][rows] < 1e6).all()
    assert economy.facts["us"]["guarantees_void"] == approx(strike.sum())
    told = events(economy)
    void = told[told["text"] == "its guarantee is void"]
    assert void["deal"].tolist() == rows.tolist() and void["amount"].tolist() == approx(strike)
    assert told[told["text"] == "its tenant has failed"]["deal"].tolist() == rows.tolist()
    assert (deals["streak"][rows] == economy.params.sim.ratings.reviews - 1).all() and balanced(economy)


def test_a_sale_after_the_guarantors_failure_brings_what_the_units_fetch_alone(campuses):
    """A campus past its legal final is sold: nothing is added, and holders lose what is missing."""
    economy, cloud = campuses
    rows = failing.rented(economy, "us", np.array([cloud.party]))
    row = int(rows[economy.deals["stage"][rows] == OPERATING][0])
    failing.fail_cloud(economy, "us", cloud, "")
    sell(economy, row)
    deals = economy.deals
    assert deals["payment"]["guarantee_proceeds"][row] == 0.0 < deals["payment"]["sale_proceeds"][row]
    assert deals["lost"][row].sum() > 0.0 and not cloud.called


def test_a_sale_that_calls_a_guarantee_puts_all_its_guarantor_stands_behind_on_its_balance_sheet(campuses):
    economy, cloud = campuses
    rows = failing.rented(economy, "us", np.array([cloud.party]))
    assert not cloud.called and cloud.shown < cloud.beside
    sell(economy, int(rows[economy.deals["stage"][rows] == OPERATING][0]))
    assert cloud.called and cloud.shown == cloud.beside > 0.0


def sell(economy, row: int) -> None:
    """A deal runs past its legal final and is sold."""
    deals = economy.deals
    deals["terms"]["legal_final"][row], deals["terms"]["liquidation_lag"][row] = deals["state"]["age"][row] + 1, 1
    while not deals["state"]["sold"][row]:
        economy.step()


def strip(economy, cloud, cash: float) -> None:
    """Leave a cloud ``cash`` USD and units that are booked at nothing."""
    fleet, ledger = economy.fleet, economy.ledger
    for account in ("fleet", "stakes"):
        ledger.post(cloud.party, "profit", account, float(ledger.balance(cloud.party, account)))
    fleet.book[cloud.slot] = fleet.paid[cloud.slot] = fleet.gpus[cloud.slot] = 0.0
    ledger.pay("core_earnings", WORLD, cloud.party, cash)
    ledger.pay("payout", cloud.party, economy.outside["savers", "us"], float(ledger.cash(cloud.party)) - cash)


@mark.parametrize("covered, kept", [(2.0, 1.0), (0.7, 0.7), (0.1, 0.4)])
def test_holders_of_a_failed_clouds_bonds_lose_what_it_does_not_cover_and_keep_two_fifths(campuses, covered, kept):
    """What they lose is gone from its debts, from their books and from what they earned."""
    economy, cloud = campuses
    owed, earned = -float(economy.ledger.balance(cloud.party, "bonds")), economy.earned.copy()
    strip(economy, cloud, covered * owed)
    worth = float(economy.ledger.net_worth(cloud.party))
    failing.fail_cloud(economy, "us", cloud, "")
    assert float(economy.ledger.net_worth(cloud.party)) <= max(worth, 0.0) + 1.0  # nobody is richer for having failed
    assert cloud.party not in economy.owners.held and events(economy)["amount"].iloc[0] == 0.0
    assert owed >= 1e10 and -economy.ledger.balance(cloud.party, "bonds") == approx(kept * owed)
    assert economy.facts["us"]["bond_losses"] == approx((1.0 - kept) * owed) == approx((earned - economy.earned).sum())
    books = economy.ledger.balances[economy.bonds.holders, ACCOUNT["bonds"]]
    assert books.sum() == approx(kept * owed) and economy.bonds.held() == approx(books) and balanced(economy)


def test_bonds_are_covered_by_cash_shares_of_labs_works_and_units_at_todays_prices(campuses):
    """A tenth, two tenths, a twentieth and three twentieths of what it owes; all of it where it owes nothing."""
    economy, cloud = campuses
    fleet, ledger, owed = economy.fleet, economy.ledger, -float(economy.ledger.balance(cloud.party, "bonds"))
    strip(economy, cloud, 0.1 * owed)
    ledger.post(cloud.party, "stakes", "profit", 0.2 * owed)
    fleet.paid[cloud.slot, 0] = 0.05 * owed
    newest = BEFORE + economy.clock - 1
    price = float(used_prices(economy, "us", np.array([newest]))[0])
    fleet.gpus[cloud.slot, newest], fleet.book[cloud.slot, newest] = 0.15 * owed / price, owed
    assert failing.recovered(economy, "us", cloud) == approx(0.5)
    economy.bonds.write_down(cloud.party, 1.0)
    assert failing.recovered(economy, "us", cloud) == 1.0


def test_a_failed_cloud_books_its_units_at_what_they_would_fetch_and_is_no_richer(campuses):
    """It covers its bonds, so holders lose nothing, and its owners what its units were booked at beyond a sale."""
    economy, cloud = campuses
    fleet, ledger = economy.fleet, economy.ledger
    ledger.pay("core_earnings", WORLD, cloud.party, 1e12)
    worth, works = float(ledger.net_worth(cloud.party)), float(fleet.paid[cloud.slot].sum())
    price = used_prices(economy, "us", np.arange(len(fleet.frontier)))
    expected = np.minimum(fleet.book[cloud.slot], fleet.gpus[cloud.slot] * price)
    some = fleet.book[cloud.slot] > 0.0
    cost = fleet.cost[cloud.slot][some] * (expected / np.where(some, fleet.book[cloud.slot], 1.0))[some]
    failing.fail_cloud(economy, "us", cloud, "")
    assert fleet.book[cloud.slot] == approx(expected) and ledger.balance(cloud.party, "fleet") == approx(expected.sum() + works)
    assert fleet.cost[cloud.slot][some] == approx(cost)  # what is left is written off over what is left of its life
    assert economy.facts["us"]["bond_losses"] == 0.0 and balanced(economy)
    assert events(economy)["amount"].iloc[0] == approx(worth - float(ledger.net_worth(cloud.party))) and expected.sum() > 0.0


def test_bonds_that_savers_hold_are_cut_too():
    economy = economy_of("scenario=two_channels", "sim.markets.failures.bond_recovery=0.4")
    cloud = economy.all("cloud", "us")[0]
    issue_bonds(economy, "us", cloud, 100.0)
    strip(economy, cloud, 0.0)
    failing.fail_cloud(economy, "us", cloud, "")
    assert economy.ledger.balance(cloud.party, "bonds") == approx(-40.0)
    assert economy.ledger.balance(economy.outside["savers", "us"], "bonds") == approx(40.0) and balanced(economy)


def test_a_cloud_at_its_limit_orders_what_its_other_business_brings_and_borrows_for_nothing_new(campuses):
    """It is seen to owe all that it may but 5: it orders no more than 5 beside a month's earnings, and less what orders cost."""
    economy, cloud = campuses
    earns, fleet = other_business(economy, "us", cloud), economy.fleet
    cloud.called, cloud.shown = True, 1_000.0 * earns + float(economy.ledger.balance(cloud.party, "bonds")) - 5.0
    assert credit(economy, "us", cloud) == approx(5.0, abs=1e-2)
    fleet.order_value[cloud.slot] = fleet.paid[cloud.slot]
    assert affords(economy, "us", cloud) == approx(5.0 + earns / 12.0, rel=1e-12)
    fleet.order_value[cloud.slot, 0] += 3.0
    assert affords(economy, "us", cloud) == approx(2.0 + earns / 12.0, rel=1e-12)
    fleet.order_value[cloud.slot, 0] -= 3.0
    before = float(economy.ledger.balance(cloud.party, "bonds"))
    economy.ledger.pay("core_earnings", WORLD, cloud.party, 1e12)
    borrow_for(economy, "us", cloud, 1e12)
    assert before - float(economy.ledger.balance(cloud.party, "bonds")) <= 5.01


def test_without_credit_a_cloud_orders_what_its_other_business_brings_in_a_month():
    economy = economy_of(*TERMS, "agents.clouds.us.core_earnings=1e9", "agents.clouds.most_debt=0")
    cloud = economy.all("cloud", "us")[0]
    orders = []
    for shown in (0.0, 1e18):
        economy.facts, cloud.called, cloud.shown = {"us": {}}, True, shown
        building._plan_clouds(economy, "us")
        orders.append(economy.facts["us"]["orders_clouds"])
    assert orders[1] == approx(other_business(economy, "us", cloud) / 12.0) and orders[1] < orders[0]


@fixture
def called(campuses):
    """A campus that is sold at the next pay date for 30 less than its strike."""
    economy, cloud = campuses
    rows = failing.rented(economy, "us", np.array([cloud.party]))
    row, deals = int(rows[0]), economy.deals
    deals["state"]["in_default"][row], deals["state"]["periods_to_sale"][row] = True, 1
    deals["period"]["market_value"][row] = deals["terms"]["guarantee_strike"][row] - 30.0
    return economy, cloud, rows


def test_what_sales_call_is_what_they_lack_of_the_strike(called):
    economy, _, rows = called
    assert failing.calls(economy, rows) == approx(30.0, abs=1e-3)
    economy.deals["state"]["periods_to_sale"][rows[0]] = 2
    assert failing.calls(economy, rows) == 0.0


def test_a_guarantor_fails_when_cash_and_credit_are_less_than_what_is_called(called):
    """Credit to a thousand years of earnings: it owes all of that but 10, and has cash of 21 or of 19 against calls of 30."""
    economy, cloud, _ = called
    bonds = -float(economy.ledger.balance(cloud.party, "bonds"))
    cloud.shown = 1_000.0 * other_business(economy, "us", cloud) - bonds - 10.0
    for cash, fails in ((21.0, False), (19.0, True)):
        has = float(economy.ledger.cash(cloud.party))
        economy.ledger.pay("payout", cloud.party, economy.outside["savers", "us"], has - cash)
        failing.check_guarantors(economy, "us")
        assert ("cloud_failures" in economy.facts["us"]) == fails


def test_credit_ends_at_the_limit_and_has_no_end_without_one():
    """Three years of 50 less 140 owed leave 10; nothing below zero."""
    p = resolve([]).sim.markets.guarantees
    assert [room(p.model_copy(update={"limit": 3.0}), owed, 50.0) for owed in (140.0, 160.0)] == approx([10.0, 0.0])
    assert room(p.model_copy(update={"limit": 0.0}), 1e18, 50.0) == np.inf


def test_the_largest_tenant_fails_in_its_month_and_its_deals_can_be_traced():
    """In month 3 the lab with most contract rent fails, whatever its cash; each of its deals is on record with its loss."""
    script = [f"sim.markets.failures.{line}" for line in ("region=us", "month=3", "tenant=largest_lab")]
    economy = economy_of(*script)
    for _ in range(3):
        economy.step()
    largest = failing.largest_tenant(economy, "us", ("lab",))
    lab = economy.all("lab", "us")[economy.parties("lab", "us").tolist().index(largest)]
    economy.contracts["rent"][failing.rented(economy, "us", np.array([largest]))] *= 1.5
    economy.step()
    table = economy.recorder.table("events").to_pandas()
    failures = table[table["kind"] == "failure"]
    hit = failures[failures["text"] == "its tenant has failed"]
    assert set(failures["month"]) == {3} and set(failures["party"]) == {f"lab {lab.name}"}
    assert hit["deal"].tolist() == failing.rented(economy, "us", np.array([largest])).tolist() and (hit["amount"] > 0.0).any()
    monthly = economy.recorder.table("monthly").to_pandas()
    assert monthly["lab_failures"].tolist() == [0, 0, 0, 1] and monthly["deals_hit"].iloc[-1] == len(hit)
    assert monthly["rent_lost"].iloc[-1] == approx(hit["amount"].sum())


def test_a_largest_cloud_fails_by_script_too():
    script = [f"sim.markets.failures.{line}" for line in ("region=us", "month=0", "tenant=largest_cloud")]
    economy = economy_of(*script, "scenario=free_choice")
    rows = economy.rows("us", BUILDING, OPERATING)[:2]
    economy.contracts["tenant"][rows] = economy.all("cloud", "us")[0].party
    failing.fail_by_script(economy, "us")
    assert economy.facts["us"]["cloud_failures"] == 1.0 and economy.facts["us"]["deals_hit"] == 2.0


def test_a_script_for_a_region_that_is_not_simulated_is_refused():
    with raises(Mistakes, match="failures: region is china, which is not among regions"):
        resolve(["regions=[us]", "sim.markets.failures.region=china"])
