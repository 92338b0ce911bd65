"""Leases of units: what lessors ask, who leases, who swaps, and who bears what units lose."""

import math

import numpy as np
from pytest import approx, fixture, mark, raises

from sim.books.fleet import BEFORE
from sim.compose import resolve
from sim.kernels.rents import rental
from sim.markets import upgrades
from sim.mistakes import Mistakes
from sim.phases import renting, upgrading
from tests.phases.economies import economy_of

ON = "sim.markets.upgrades.share=0.7"


@fixture(scope="module")
def terms() -> upgrades.Params:
    found: upgrades.Params = resolve([ON]).sim.markets.upgrades
    return found


@fixture
def let():
    """A small economy whose first lessor has just let 100 units to the first operator, for 0.3 of their cost a year."""
    economy = economy_of(ON)
    economy.clock = economy.burn_in
    lessor, operator = economy.all("lessor", "us")[0], economy.all("operator", "us")[0]
    upgrading._order(economy, "us", (lessor.party, operator.party), 100.0, 0.3, 0)
    price = float(economy.fleet.equipment["price"][0])
    for name in ("cost", "book"):
        economy.fleet.equipment[name][0] = price
    upgrading._buy(economy, "us", np.array([lessor.party]), np.array([price]))
    return economy, lessor, operator


# -- rents ---------------------------------------------------------------------------------------------------------------


@mark.parametrize(("rate", "decline", "years"), [(0.1, 0.36, 2.0), (0.1, 0.36, 4.0), (0.0, 0.5, 3.0)])
def test_a_rental_and_what_a_unit_is_sold_for_are_worth_its_cost(rate, decline, years):
    """Summed over ten thousand steps."""
    rent = rental(rate, decline, years, extra=0.05, kept=0.75)
    step = (np.arange(10_000) + 0.5) * years / 10_000
    paid = rent * np.exp(-rate * step).mean() * years
    last = (0.75 * math.exp(-decline * years) + 0.05) * math.exp(-rate * years)
    assert paid + last == approx(1.0, rel=1e-6)


@mark.parametrize(("rate", "decline", "hazard"), [(0.1, 0.36, 0.2), (0.0, 0.5, 0.05), (-0.1, 0.36, 0.1)])
def test_a_rental_pays_for_units_that_come_back_before_their_time(rate, decline, hazard):
    """Summed over ten thousand steps: rent while it is paid, a sale when it no longer is."""
    rent, years = rental(rate, decline, 4.0, extra=0.05, kept=0.75, hazard=hazard), 4.0
    step = (np.arange(10_000) + 0.5) * years / 10_000
    lives, sold = np.exp(-(rate + hazard) * step), 0.75 * np.exp(-decline * step)
    last = (0.75 * math.exp(-decline * years) + 0.05) * math.exp(-(rate + hazard) * years)
    assert (lives * (rent + hazard * sold)).mean() * years + last == approx(1.0, rel=1e-6)
    assert rent > rental(rate, decline, 4.0, extra=0.05, kept=0.75)


def test_lessors_ask_for_units_that_come_back_what_they_believe_unless_told_not_to(terms):
    rate, decline = 0.1, 0.36
    deaf = terms.model_copy(update={"returns_priced": 0.0})
    assert upgrades.asked(terms, rate, decline, 0.0, 0.75, 0.1) == approx(rental(rate, decline, 4.0, kept=0.75, hazard=0.1))
    assert upgrades.asked(deaf, rate, decline, 0.0, 0.75, 0.1) == upgrades.asked(terms, rate, decline, 0.0, 0.75)


@mark.parametrize(("growth", "years"), [(0.15, 2.0), (0.1, 3.0), (0.0, 4.0), (0.01, 4.0), (1.0, 2.0)])
def test_a_lessee_is_expected_to_swap_when_it_first_may_or_never(terms, growth, years):
    """Not before 24 months, nor before a gain of 0.3; the term is 48."""
    assert upgrades.years_held(terms, growth) == approx(years)


def test_lessors_ask_more_for_a_right_to_swap_and_nothing_when_it_is_free(terms):
    rate, decline = 0.1, 0.36
    whole = rental(rate, decline, 4.0, kept=0.75)
    swapped = rental(rate, decline, 2.0, extra=0.2, kept=0.75)
    free = terms.model_copy(update={"priced": 0.0})
    half = terms.model_copy(update={"priced": 0.5})
    assert swapped > whole
    assert upgrades.asked(terms, rate, decline, 0.26, 0.75) == approx(swapped)
    assert upgrades.asked(free, rate, decline, 0.26, 0.75) == approx(whole)
    assert upgrades.asked(half, rate, decline, 0.26, 0.75) == approx(0.5 * (whole + swapped))
    assert upgrades.asked(terms, rate, decline, 0.0, 0.75) == approx(whole)  # nobody swaps where nothing moves


def test_a_unit_may_be_swapped_after_its_notice_and_a_generation(terms):
    may = upgrades.swappable(terms, np.array([24, 23, 24]), np.array([0.3, 0.3, 0.29]))
    assert may.tolist() == [True, False, False]


# -- who leases, who swaps -----------------------------------------------------------------------------------------------


@mark.parametrize(("rent", "owning", "earning", "leased"), [(0.3, 0.35, 0.4, 70.0), (0.3, 0.25, 0.4, 20.0), (0.3, 0.35, 0.29, 0.0)])
def test_operators_lease_what_is_cheaper_than_their_own_or_what_they_lack_equity_for_if_it_earns_its_rent(
    let, rent, owning, earning, leased
):
    assert let[2].leases(70.0, rent, owning, earning, lacks=20.0) == leased


def test_owning_and_earning_are_told_in_level_rents(let):
    """A unit that earns what it costs is worth it: at a rent of its own rental it earns that, without running costs."""
    economy, _, operator = let
    market = economy.tape["us"]
    assert operator.owning(0.13, 2.0) == approx(rental(0.13, operator.depreciation, 2.0))
    economy.publish("us", running_cost=0.0)
    earns = operator.earning(economy.tape["us"], 0.5 * market.unit_cost, 0.13, 2.0)
    pace, fall = 0.13, operator.depreciation
    falling = 0.5 * -math.expm1(-(fall + pace) * 2.0) / (fall + pace)
    assert earns == approx(falling * pace / -math.expm1(-pace * 2.0))


def test_operators_swap_what_pays_its_fee_as_far_as_their_cash_goes(let):
    """Gains of 10 a year for two years pay a fee of 15, not of 25; of two fees of 15, cash of 20 pays one."""
    gain, years = np.array([10.0, 10.0, 10.0]), np.full(3, 2.0)
    assert let[2].swaps(gain, years, np.array([15.0, 25.0, 15.0]), 20.0).tolist() == [True, False, False]
    assert let[2].swaps(gain, years, np.array([15.0, 25.0, 15.0]), 30.0).tolist() == [True, False, True]


def test_a_swap_is_weighed_by_what_units_earn(let):
    """Nine tenths of them let: what a lessee's units bring and cost in a month is a twelfth of what a swap counts for them."""
    economy, _, _ = let
    economy.publish("us", utilisation=0.9)
    brings, costs = upgrading.earned(economy, "us")
    book, fleet = economy.fleet.equipment, economy.fleet
    rent, running = upgrading._spot(economy, "us", book["vintage"]), fleet.running_cost[0, book["vintage"]]
    counted = book["gpus"] * upgrading._net(economy, "us", rent, running)
    assert (brings - costs).sum() == approx(counted.sum() / 12.0) and counted.sum() > 0.0


def test_lessors_learn_how_many_units_come_back(let):
    """Three of a hundred in a month are 0.36 a year, of which it believes a twentieth of the gap."""
    _, lessor, _ = let
    before = lessor.returned
    lessor.count(3.0, 100.0)
    assert lessor.returned == approx(before + lessor.params.learning * (0.36 - before))
    lessor.count(0.0, 0.0)
    assert lessor.returned == approx(before + lessor.params.learning * (0.36 - before))


def test_lessors_sign_less_after_poor_returns(let):
    """A fifth of a year's return short of what they ask, and none are signed: 1 - 5 * 0.2."""
    _, lessor, _ = let
    lessor.trailing = lessor.params.required - 0.1
    assert lessor.offers() == approx(0.5)
    lessor.trailing -= 0.1
    assert lessor.offers() == approx(0.0, abs=1e-12)


def test_returns_are_what_is_left_of_capital_less_what_owners_paid_in(let):
    """100 and 20 paid in have become 126: 5 % in a month, 60 % a year, of which a twelfth is remembered."""
    _, lessor, _ = let
    lessor.worth, lessor.paid_in = 100.0, 20.0
    before = lessor.trailing
    lessor.earn(126.0, 6.0)
    assert lessor.trailing == approx(before + (0.6 - before) / 12.0)
    assert (lessor.worth, lessor.paid_in) == (120.0, 0.0)


# -- books ---------------------------------------------------------------------------------------------------------------


def test_a_leased_unit_is_its_lessors_and_banks_pay_their_part(let):
    economy, lessor, operator = let
    price = float(economy.fleet.equipment["price"][0])
    ledger = economy.ledger
    assert price == approx(100.0 * economy.tape["us"].unit_cost)
    assert float(ledger.balance(lessor.party, "fleet")) == approx(price) and float(ledger.balance(operator.party, "fleet")) == 0.0
    assert -float(ledger.balance(lessor.party, "loans")) == approx(0.7 * price) and lessor.paid_in == approx(0.3 * price)
    assert economy.facts["us"]["capex_lessors"] == economy.facts["us"]["capex"] == approx(price)
    assert economy.fleet.equipment.owned(np.array([lessor.party])) == approx([price])


def test_leased_units_are_capacity_and_what_lessors_have_ordered_is_in_the_pipeline(let):
    """100 of the newest units that run, and 40 on order."""
    economy, lessor, operator = let
    book = economy.fleet.equipment
    capacity, pipeline = renting.capacity(economy, "us")[0], renting._pipeline(economy, "us")
    upgrading._order(economy, "us", (lessor.party, operator.party), 40.0, 0.3, 9)
    assert renting._pipeline(economy, "us") - pipeline == approx(40.0, rel=1e-6)
    book["gpus"][0] = 0.0
    assert capacity - renting.capacity(economy, "us")[0] == approx(100.0, rel=1e-6)


def test_capital_spending_becomes_an_operating_cost(let):
    """Units earn spot rent; of it what runs and manages them, and the rent, a twelfth of 0.3 of cost, are spent."""
    economy, lessor, operator = let
    earned, costs = upgrading.earned(economy, "us")
    market, p = economy.tape["us"], economy.params.sim.markets.compute
    rent, running = 100.0 * market.rent / 12.0, 100.0 * market.running_cost / 12.0
    assert earned[0] == approx(rent, rel=1e-6) and not earned[1:].any()
    assert costs[0] == approx(running + p.overhead * (rent - running), rel=1e-6)
    has = [float(economy.ledger.cash(party)) for party in (operator.party, lessor.party)]
    upgrading.run(economy, "us", costs)
    upgrading.pay_rents(economy, "us", earned, costs)
    due = 0.3 * float(economy.fleet.equipment["price"][0]) / 12.0
    assert economy.facts["us"]["equipment_rents"] == approx(due)
    assert economy.facts["us"]["ebitda"] == approx(12.0 * (earned[0] - costs[0] - due))
    now = [float(economy.ledger.cash(party)) for party in (operator.party, lessor.party)]
    assert now[0] - has[0] == approx(-costs[0] - due, abs=1e-3) and now[1] - has[1] == approx(due, abs=1e-3)


def test_a_lessee_without_cash_gives_units_back_and_the_lessor_bears_the_loss(let):
    """Cash for a quarter of the rent: three quarters of the units are sold, and what they do not fetch is the lessor's loss."""
    economy, lessor, operator = let
    book, ledger = economy.fleet.equipment, economy.ledger
    due = float(book["rent"][0]) / 12.0
    ledger.pay("payout", operator.party, economy.outside["savers", "us"], float(ledger.cash(operator.party)) - due / 4.0)
    value, worth, clouds = float(book["book"][0]), float(ledger.net_worth(lessor.party)), economy.fleet.gpus.sum()
    none = np.zeros(len(economy.all("operator", "us")))
    upgrading.pay_rents(economy, "us", none, none)
    lost = economy.facts["us"]["lessor_losses"]
    assert book["gpus"][0] == approx(25.0) and economy.fleet.gpus.sum() - clouds == approx(75.0)
    assert 0.0 < lost < 0.75 * value and book["book"][0] == approx(value / 4.0)
    assert float(ledger.net_worth(lessor.party)) - worth == approx(due / 4.0 - lost, abs=1e-2)
    assert book["rent"][0] / 12.0 == approx(due / 4.0)
    assert book.released[0] == approx(75.0)


def test_a_swap_leaves_the_old_units_loss_with_the_lessor_and_the_fee_with_the_lessee(let):
    """As many new units at today's price; the fee is a fifth of the old ones' cost."""
    economy, lessor, operator = let
    book, ledger = economy.fleet.equipment, economy.ledger
    price = float(book["price"][0])
    economy.clock += 24
    economy.fleet.frontier[BEFORE : BEFORE + economy.clock] = economy.tape.frontier - 0.5
    economy.publish("us", unit_cost=0.5 * economy.tape["us"].unit_cost)
    economy.save(operator.party, "us", price)
    cash = float(ledger.cash(operator.party))
    upgrading._swap(economy, "us")
    assert book["gpus"].tolist() == approx([0.0, 100.0]) and economy.facts["us"]["swaps"] == approx(price / 2.0)
    assert cash - float(ledger.cash(operator.party)) == approx(0.2 * price)
    assert economy.facts["us"]["lessor_losses"] > 0.3 * price
    assert float(ledger.balance(lessor.party, "fleet")) == approx(price / 2.0, abs=1e-2)
    assert book["delivery"][1] == economy.clock and book["lessee"][1] == operator.party


def test_units_that_nobody_may_swap_stay_until_their_term(let):
    economy, _, _ = let
    for months, left in ((23, 100.0), (47, 100.0), (48, 0.0)):
        economy.clock = economy.burn_in + months
        if months < 24:
            upgrading._swap(economy, "us")
        upgrading._end(economy, "us")
        assert economy.fleet.equipment["gpus"][0] == approx(left)


def test_a_lessor_that_owes_more_than_it_has_fails_and_its_bank_loses_the_rest(let):
    """Units worth half of their loan: owners lose all, the bank what is not covered, and new ones bring a tenth of the book.

    The lessor has no cash for the month's interest, at 4.2 % and 3 %, which is lent to it and lost.
    """
    economy, lessor, _ = let
    book, ledger = economy.fleet.equipment, economy.ledger
    price = float(book["price"][0])
    book["book"][0] = 0.35 * price
    ledger.post(lessor.party, "profit", "fleet", 0.65 * price)
    upgrading._settle(economy, "us", lessor)
    assert economy.facts["us"]["bank_losses_lessors"] == approx((0.35 + 0.7 * 0.072 / 12.0) * price, rel=1e-6)
    assert -float(ledger.balance(lessor.party, "loans")) == approx(0.35 * price, rel=1e-6)
    assert economy.facts["us"]["lessor_equity"] == approx(0.035 * price, rel=1e-3)


def test_a_failed_lessors_bank_loses_what_its_units_would_not_fetch_today(let):
    """Booked at the loan, worth less in a market in which nothing is paid for compute: all but the rest of it is lost at once."""
    economy, lessor, _ = let
    book, ledger = economy.fleet.equipment, economy.ledger
    price = float(book["price"][0])
    ledger.post(lessor.party, "profit", "fleet", 0.31 * price)
    book["book"][0] = 0.69 * price
    economy.publish("us", rent=1.0)
    upgrading._settle(economy, "us", lessor)
    assert float(book["book"][0]) == float(book["cost"][0]) == 0.0
    assert economy.facts["us"]["lessor_losses"] == approx(0.69 * price, rel=1e-6)
    assert ledger.balance(lessor.party, "loans") == approx(0.0, abs=1e-2)
    assert economy.facts["us"]["bank_losses_lessors"] == approx((0.7 + 0.7 * 0.072 / 12.0) * price, rel=1e-6)


def test_interest_that_is_lent_is_part_of_the_cost_of_works_too(let):
    """Half of the book is not delivered, and there is no cash: half of what is due is added to it."""
    economy, lessor, operator = let
    book, ledger = economy.fleet.equipment, economy.ledger
    upgrading._order(economy, "us", (lessor.party, operator.party), 100.0, 0.3, 9)
    book["book"][1] = book["cost"][1] = book["book"][0]
    ledger.post(lessor.party, "fleet", "profit", float(book["book"][1]))
    owed, works = -float(ledger.balance(lessor.party, "loans")), float(book["book"][1])
    assert float(ledger.cash(lessor.party)) == approx(0.0, abs=1e-2)
    upgrading._settle(economy, "us", lessor)
    assert float(book["book"][1]) - works == approx(owed * 0.072 / 12.0 / 2.0, rel=1e-3)
    assert -float(ledger.balance(lessor.party, "loans")) == approx(owed * (1.0 + 0.072 / 12.0), rel=1e-6)


def test_interest_on_works_becomes_part_of_their_cost(let):
    """Half of the book is not delivered: half of the interest is added to it."""
    economy, lessor, operator = let
    book = economy.fleet.equipment
    upgrading._order(economy, "us", (lessor.party, operator.party), 100.0, 0.3, 9)
    book["book"][1] = book["cost"][1] = book["book"][0]
    assert book.capitalise(lessor.party, economy.clock, 10.0) == approx(5.0)
    assert book["book"][1] - book["book"][0] == approx(5.0, abs=1e-4) and book["cost"][1] == book["book"][1]
    assert book.capitalise(lessor.party, economy.clock + 9, 10.0) == 0.0


def test_works_are_paid_in_equal_parts_until_delivery(let):
    economy, lessor, operator = let
    book = economy.fleet.equipment
    upgrading._order(economy, "us", (lessor.party, operator.party), 90.0, 0.3, 9)
    paid = [float(book.works(np.array([1]), economy.clock + month)[0]) for month in range(10)]
    assert paid[:9] == approx([book["price"][1] / 9.0] * 9) and paid[9] == 0.0 and book["cost"][1] == approx(book["price"][1])


def test_units_are_run_before_a_landlord_takes_all_that_their_lessee_has():
    """A site rent beyond all cash: the units' costs are paid, and their lessor gets them back."""
    economy = economy_of(ON, "sim.markets.leases.share=0.7")
    operator, lessor = (economy.all(kind, "us")[0].party for kind in ("operator", "lessor"))
    upgrading._order(economy, "us", (lessor, operator), 100.0, 0.3, 0)
    price = float(economy.fleet.equipment["price"][0])
    for name in ("cost", "book"):
        economy.fleet.equipment[name][0] = price
    upgrading._buy(economy, "us", np.array([lessor]), np.array([price]))
    economy.leases.add(1, operator=operator, deal=-1, end=1_000, room=1.0, rent=1e13)
    economy.step()
    record = economy.recorder.table("monthly").to_pandas()
    assert record["site_rents"].iloc[0] > 0.0 and record["equipment_rents"].iloc[0] == approx(0.0, abs=0.1)
    assert economy.fleet.equipment["gpus"][0] == approx(0.0, abs=1e-3)


@mark.parametrize("free", [False, True])
def test_leases_run_through_booms_swaps_and_busts_with_balanced_books(free):
    """Three years with short terms, the swap right priced or free; lessors' spending and income are on record and in the flows."""
    swap = (
        ("notice=6", "gain=0.1", "fee=0", "priced=0", "returns_priced=0")
        if free
        else ("notice=12", "gain=0.2", "fee=0.4", "priced=1")
    )
    quick = ("term=24", *swap)
    short = ("agents.operators.start_equity=0.05", "agents.operators.outside_equity=0")
    economy = economy_of(ON, "seed=3", *(f"sim.markets.upgrades.{term}" for term in quick), *short)
    for _ in range(36):
        economy.step()
    record, flows = (economy.recorder.table(name).to_pandas() for name in ("monthly", "flows"))
    assert record["leased"].sum() > 0.0 and record["capex_lessors"].max() > 0.0
    assert record["equipment_rents"].sum() == approx(flows[flows["flow"] == "equipment_rent"]["usd"].sum())
    bought = flows[flows["flow"].isin(["hardware", "shell"]) & (flows["payer"] == "lessor")]["usd"].sum()
    assert record["capex_lessors"].sum() == approx(bought)
    parts = record[["capex_clouds", "capex_operators", "capex_landlords", "capex_lessors"]].sum(axis=1)
    assert parts.to_numpy() == approx(record["capex"].to_numpy())
    if free:
        assert record["swaps"].sum() > 0.0 and record["lessor_losses"].sum() > 0.0


def test_where_nothing_is_leased_there_are_no_lessors():
    economy = economy_of()
    economy.step()
    assert not economy.all("lessor", "us") and not len(economy.fleet.equipment)


def test_a_lessor_whose_banks_and_new_owners_pay_more_than_all_is_refused():
    with raises(Mistakes, match="must not exceed 1 together"):
        resolve(["agents.lessors.advance=0.95"])
