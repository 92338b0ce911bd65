"""Parts of units: each its own life, replaced when it pays or missed, and each able to back deals without the others."""

import numpy as np
from pytest import approx, fixture, mark, raises

from sim.books.deals import BUILDING, OPERATING
from sim.books.fleet import BEFORE, Fleet
from sim.books.ledger import ACCOUNT
from sim.compose import resolve
from sim.markets import parts
from sim.markets.parts import CHIPS, SITE, WHOLE
from sim.mistakes import Mistakes
from sim.phases import pledging, renewing, servicing
from sim.phases.collateral import package
from sim.valuing import market_values, site_values, unpledged_values, used_value
from tests.phases.economies import economy_of

ON = "sim.markets.parts.units=parts"
P = resolve([]).sim.markets.parts


@fixture
def parted():
    """A small economy by parts at its start, and one of its operating deals, delivered 40 months ago."""
    economy = economy_of(ON)
    rows = economy.rows("us", OPERATING)
    row = rows[economy.fleet.deals["vintage"][rows] == economy.fleet.deals["vintage"][rows].max()][:1]
    economy.deals["housed"][row] = 1e6
    economy.fleet.deals["vintage"][row] = BEFORE - 49
    return economy, row


def back(economy, row: np.ndarray, backing: int) -> None:
    economy.deals["backing"][row] = backing


def test_parts_add_up_to_the_unit_and_the_vendors_to_its_share():
    """0.39 + 0.13 + 0.08 = 0.60 of chips, network and storage; 0.33 + 0.07 of cooling and shell."""
    assert P.shares == approx([0.39, 0.13, 0.08, 0.33, 0.07])
    with raises(Mistakes, match=r"gpu, network and storage add up to 0\.6 and sim\.markets\.hardware\.hardware_share is 0\.5"):
        resolve([ON, "sim.markets.hardware.hardware_share=0.5"])
    with raises(Mistakes, match=r"add up to 1\.01"):
        resolve(["sim.markets.parts.gpu.share=0.4"])
    with raises(Mistakes, match=r"us\.abs is backed by site, but units are whole"):
        resolve(["sim.markets.parts.us.abs=site"])


def test_depreciation_is_the_sum_over_parts_and_a_part_is_missing_when_written_off():
    """1,000: 390/72 + 130/72 + 80/60 + 330/240 + 70/468 = 10.08 a month; storage is gone after 60; chips are not replaced."""
    fleet = Fleet(1, 1, 12)
    row = fleet.deals.add(1, gpus=1.0, cost=1e3, book=1e3)
    fleet.install_parts(row, 1e3 * P.shares[None])
    replaceable = np.array([False, True, True, True, True])
    written = [float(fleet.depreciate_parts(P.lives, np.array([True]), replaceable)[0]) for _ in range(75)]
    monthly = 1e3 * P.shares / P.lives
    assert written[0] == approx(10.08, abs=0.01) and written[0] == approx(monthly.sum())
    assert written[60] == approx(monthly.sum() - 80 / 60) and written[74] == approx(330 / 240 + 70 / 468)
    assert fleet.deals["missing"][0].tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]
    assert fleet.deals["book"][0] == approx(fleet.deals["part_book"][0].sum()) == approx(1e3 - sum(written))


def test_where_landlords_pay_for_the_site_budgets_hold_less_of_it():
    """Of 100 of which 75 are the vendor's: chips 0.39/0.6 x 75 = 48.75, cooling 0.33/0.4 x 25 = 20.625; each way all is there."""
    split = 100.0 * parts.divided(P, np.array([0.75, 0.6]))
    assert split[0, [0, 3]] == approx([48.75, 20.625]) and split[1] == approx(100.0 * P.shares)
    assert split.sum(axis=1) == approx([100.0, 100.0])


def test_missing_parts_are_bought_in_turn_as_far_as_cash_goes():
    """13 and 8 are missing; 15 pay for all of the first and 2 of the second; nobody pays out of less than nothing."""
    price = np.array([[0.0, 13.0, 8.0, 0.0, 0.0]] * 2)
    assert parts.replaced(price, np.array([15.0, -1.0])).tolist() == [[0.0, 13.0, 2.0, 0.0, 0.0], [0.0] * 5]


def test_units_fail_in_proportion_to_what_is_missing_most():
    """Half a year's rate of 0.5 by month: a quarter of storage missing 0.25 x 0.5 / 12."""
    missing = np.array([[0.0, 0.1, 0.25, 0.0, 0.0], [0.0] * 5])
    assert parts.failing(P, missing) == approx([0.25 * 0.5 / 12, 0.0])


def test_a_part_that_pays_is_replaced_ahead_of_the_notes(parted):
    """Storage, 0.08 of unit cost: half is paid by half the cash; the vendor has it, the books hold it, the notes wait for less."""
    economy, row = parted
    deals, units = economy.deals, economy.fleet.deals
    economy.publish("us", rent=2.0 * economy.tape["us"].unit_cost)
    units["missing"][:] = 0.0
    units["missing"][row, 2] = 1.0
    price = 0.08 * economy.tape["us"].unit_cost * float(units["gpus"][row[0]])
    party, vendor = int(deals["party"][row[0]]), economy.outside["vendor", ""]
    economy.ledger.pay("income", 0, party, 0.5 * price)
    deals["collected"][row] = 0.5 * price
    before = units["book"][row].copy(), units["part_book"][row].copy(), float(economy.ledger.cash(vendor))
    renewing.renew(economy)
    assert units["missing"][row, 2] == approx(0.5) and deals["collected"][row] == approx(0.0, abs=1e-6)
    assert units["book"][row] - before[0] == approx(0.5 * price)
    assert (units["part_book"][row] - before[1])[0] == approx([0.0, 0.0, 0.5 * price, 0.0, 0.0])
    assert float(economy.ledger.cash(vendor)) - before[2] == approx(0.5 * price)
    assert economy.facts["us"]["renewals"] == economy.facts["us"]["capex"] == approx(0.5 * price)


@mark.parametrize(("rent", "bought"), [(2.0, True), (0.05, False)])
def test_a_part_is_replaced_only_where_failing_units_would_cost_more(parted, rent, bought):
    """At a rent of twice the unit's cost it pays, at one of a twentieth, below running cost, it does not."""
    economy, row = parted
    economy.publish("us", rent=rent * economy.tape["us"].unit_cost)
    economy.fleet.deals["missing"][row, 2] = 1.0
    assert renewing._pays(economy, "us", row).tolist() == [bought]


def test_units_run_down_while_a_part_is_missing(parted):
    economy, row = parted
    units = economy.fleet.deals
    units["missing"][:] = 0.0
    units["missing"][row, 1] = 0.5
    before, count = units["gpus"].copy(), economy.fleet.failed + economy.fleet.count()
    renewing.run_down(economy, economy.deals["stage"] == OPERATING)
    assert (units["gpus"] / before)[row] == approx(1.0 - 0.5 * 0.5 / 12) and (units["gpus"] < before).sum() == 1
    assert economy.fleet.failed + economy.fleet.count() == approx(count, rel=1e-12)


def test_a_pledge_is_the_parts_share_of_what_operators_pay():
    """Chips 0.6 of all; where landlords pay 0.2 of all, 0.6/0.8 of the rest, and the own site 0.2/0.8."""
    assert parts.pledged(np.array([WHOLE, CHIPS, SITE]), 0.6, 1.0) == approx([1.0, 0.6, 0.4])
    assert parts.pledged(np.array([WHOLE, CHIPS, SITE]), 0.6, 0.8) == approx([1.0, 0.75, 0.25])


@mark.parametrize(("backing", "kept"), [(WHOLE, 0.0), (CHIPS, 4_000.0), (SITE, 6_000.0)])
def test_the_site_is_paid_first_and_sponsors_keep_what_backs_no_notes(parted, backing, kept):
    """A site of 400,000 asks 0.12 a year, 4,000 a month, of 10,000 earned; of 3,000 earned it takes all."""
    economy, row = parted
    back(economy, row, backing)
    economy.ledger.pay("income", 0, int(economy.deals["party"][row[0]]), 2e4)
    assert pledging.set_aside(economy, row, np.array([1e4])) == approx([kept])
    assert pledging.set_aside(economy, row, np.array([3e3])) == approx([{WHOLE: 0.0, CHIPS: 3e3, SITE: 0.0}[backing]])


def test_a_site_is_worth_its_cost_less_depreciation_and_chips_what_they_earn_beyond_its_rent(parted):
    """400,000 after 40 months: 330,000 x (1 - 40/240) + 70,000 x (1 - 40/468) = 339,017; a sale costs the fire-sale discount."""
    economy, row = parted
    discount, gpus = 1.0 - economy.tape["us"].fire_sale, economy.fleet.deals["gpus"][row]
    assert site_values(economy, row) == approx(330e3 * (1 - 40 / 240) + 70e3 * (1 - 40 / 468))
    assert site_values(economy, row, np.array([0, 200]))[0, 1] == approx(70e3 * (1 - 240 / 468))
    whole = market_values(economy, "us", row)
    assert unpledged_values(economy, "us", row) == approx(0.0)
    back(economy, row, SITE)
    site, chips = market_values(economy, "us", row), unpledged_values(economy, "us", row)
    assert site == approx(site_values(economy, row) * discount)
    assert gpus * used_value(economy, "us", row, 0.0, 5.0) == approx(site_values(economy, row))
    back(economy, row, CHIPS)
    assert market_values(economy, "us", row) == approx(chips) and chips < whole
    assert unpledged_values(economy, "us", row) == approx(site)


def test_agencies_see_a_site_that_earns_rent_ages_little_and_stands_empty_between_tenants(parted):
    economy, row = parted
    plain = package(economy, "us", row)
    back(economy, row, SITE)
    site = package(economy, "us", row)
    assert site.contract == approx(4_000.0) == approx(site.market) and not site.cost.any()
    assert site.value[0, :3] == approx(site_values(economy, row, np.arange(1, 4))[0]) and (site.appraisal == site.value).all()
    assert (site.ageing, site.vacancy) == (0.1, 9) and (plain.ageing, plain.vacancy) == (1.0, 0)
    back(economy, row, CHIPS)
    chips = package(economy, "us", row)
    assert chips.cost - plain.cost == approx(4_000.0) and (chips.contract == plain.contract).all()


def test_a_deal_on_a_site_is_rolled_over_with_interest_alone():
    economy = economy_of("scenario=separate_parts")
    library, deals = economy.deals.library, economy.deals
    site, chips = deals.kind(0, np.array([0, 1]), refinancing=True)
    assert library.names[site] == "us_data_centre_abs" and library.due[site] == library.due[chips] == 24
    assert library.target[site, 23].tolist() == [1.0, 1.0] and not library.target[site, 24].any()
    assert library.target[chips, 12, 0] < 1.0


@mark.parametrize("owed", [1e5, 5e5])
def test_a_deal_that_its_units_have_left_is_repaid_by_the_sale_of_the_site(parted, owed):
    """Builders pay 0.8 of the book; the sponsor keeps what is over or makes up what lacks; the rest is written off later."""
    economy, row = parted
    back(economy, row, SITE)
    economy.fleet.deals["vintage"][row] = BEFORE - 84
    units, deals, ledger = economy.fleet.deals, economy.deals, economy.ledger
    units["part_book"][row], units["part_cost"][row] = [0.0, 0.0, 0.0, 2e5, 1e5], [0.0, 0.0, 0.0, 3e5, 1e5]
    ledger.post(deals["party"][row], "fleet", "profit", 3e5 - units["book"][row])
    units["book"][row] = 3e5
    sponsor, party = int(deals["sponsor"][row[0]]), int(deals["party"][row[0]])
    ledger.provide("income", sponsor, 1e9)
    cash, own = float(ledger.cash(sponsor)), float(ledger.cash(party))
    assert renewing.outlived(economy, row).tolist() == [True]
    renewing.redeem(economy, "us", row, np.array([owed]))
    assert deals["period"]["principal_cash"][row] == owed and deals["period"]["last"][row].all()
    assert float(ledger.cash(party)) - own == approx(owed)
    assert float(ledger.cash(sponsor)) - cash == approx(2.4e5 - owed)
    assert units["book"][row] == approx(6e4) == approx(ledger.balances[party, ACCOUNT["fleet"]])
    assert not units["part_book"][row].any()


def test_a_liquidation_pays_notes_from_what_backs_them_and_sponsors_from_the_rest(parted):
    """The site fetches 100; clouds pay that and what chips fetch, of which the sponsor gets all."""
    economy, row = parted
    back(economy, row, SITE)
    deals, ledger = economy.deals, economy.ledger
    chips, sponsor = float(unpledged_values(economy, "us", row)[0]), int(deals["sponsor"][row[0]])
    deals["state"]["sold"][row], deals["payment"]["sale_proceeds"][row] = True, 100.0
    cash, own = float(ledger.cash(int(deals["party"][row[0]]))), float(ledger.cash(sponsor))
    receipts = servicing.Receipts(row, *[np.zeros((1, 2))] * 3, *[np.zeros(1)] * 3, np.zeros(1, bool), np.zeros(1, bool))
    servicing._sell(economy, receipts)
    assert float(ledger.cash(int(deals["party"][row[0]]))) - cash == approx(100.0, abs=1e-3)
    assert chips > 0.0 and float(ledger.cash(sponsor)) - own == approx(chips)


def test_a_run_by_parts_keeps_its_books_and_lends_on_what_backs_each_deal():
    """Three years: notes stay within their pledge, sponsors get what is not pledged, depreciation is by part, sites are sold on."""
    economy = economy_of("scenario=separate_parts")
    for _ in range(36):
        economy.step()
    monthly = economy.recorder.table("monthly").to_pandas()
    flows = economy.recorder.table("flows").to_pandas().groupby("flow")["usd"].sum()
    deals, units = economy.deals, economy.fleet.deals
    new = np.flatnonzero((deals["issued"] >= 0) & (deals["predecessor"] < 0))
    pledge = np.choose(deals["backing"][new], [1.0, 0.6, 0.4]) * deals["budget"][new]
    assert (deals["backing"][new] == np.choose(np.minimum(deals["channel"][new], 2), [SITE, CHIPS, WHOLE])).all()
    assert set(deals["backing"][new]) == {WHOLE, CHIPS, SITE}
    assert (deals["commitment"][new].sum(axis=1) <= 0.9 * pledge).all() and (deals["commitment"][new].sum(axis=1) > 0.0).all()
    assert flows["unpledged"] > 0.0 and monthly["sites_sold"].sum() == approx(flows["used_site"]) and flows["used_site"] > 0.0
    live = economy.rows("us", BUILDING, OPERATING)
    assert units["book"][live] == approx(units["part_book"][live].sum(axis=1), rel=1e-6)
    assert monthly["audit_gap"].max() < 1e-9


def test_whole_units_have_no_parts():
    economy = economy_of()
    for _ in range(6):
        economy.step()
    monthly = economy.recorder.table("monthly").to_pandas()
    assert not economy.fleet.deals["part_cost"].any() and not economy.fleet.deals["missing"].any()
    assert not monthly[["renewals", "sites_sold"]].any(axis=None) and not economy.deals["backing"].any()
    assert (monthly["operator_depreciation"] > 0.0).all()
