"""Sovereigns: budgets that follow late and hardly fall, units at home, users who go there, purchases in busts."""

import math

import numpy as np
from pytest import approx, fixture, mark, raises

from sim.books.deals import OPERATING
from sim.books.fleet import ABROAD, BEFORE
from sim.books.ledger import ACCOUNT
from sim.build import build
from sim.compose import resolve
from sim.mistakes import Mistakes
from sim.phases import governing, renting
from tests.phases.economies import SMALL, economy_of

STATES = ("agents.sovereigns.count=2",)


def state_of(*lines: str):
    """The first of two sovereigns: half of an eighth of spending a year ago; 0.6 at home, 0.2 abroad."""
    economy = economy_of(*STATES, *lines)
    return economy, economy.all("sovereign", "us")[0]


def balanced(economy) -> bool:
    books = economy.ledger.balances
    return bool(np.abs(books.sum(axis=1)).max() < 1e-9 * np.maximum(books, 0.0).sum())


def test_a_budget_is_a_share_of_what_others_spent_in_a_year_that_ended_months_ago():
    """12 months of 1, then of 2: after 24 months the first year is known: 0.125 / 2 x 12; a month later one of its months is 2."""
    _, state = state_of()
    budgets = [state.plan(spending) for spending in [1.0] * 12 + [2.0] * 12 + [2.0] * 1]
    assert not any(budgets[:23])
    assert budgets[23:] == approx([0.0625 * 12.0, 0.0625 * 13.0])


def test_a_budget_hardly_falls():
    """Others stop: a month later it is e^(-0.1/12) of what it was, and no less."""
    _, state = state_of("agents.sovereigns.lag=0")
    for _ in range(12):
        full = state.plan(100.0)
    for _ in range(12):
        state.plan(0.0)
    assert full == approx(0.0625 * 1_200.0) and state.budget == approx(full * math.exp(-0.1))


def test_what_is_neither_spent_at_home_nor_abroad_is_kept_up_to_two_budgets():
    """0.2 of 75 a year: 1.25 a month; never more than 150."""
    _, state = state_of("agents.sovereigns.lag=0", "agents.sovereigns.fall=0")
    for _ in range(12):
        state.plan(100.0)
    assert state.kept == approx(75.0 * 0.2 / 12.0)
    for _ in range(2_000):
        state.plan(100.0)
    assert state.kept == approx(150.0)


def test_orders_follow_the_budget_whatever_chips_cost_and_operators_get_their_part():
    """A budget of 1,200 a year: 60 of orders and 20 of shares a month; twice the price is half the units for the same money."""
    economy, state = state_of()
    ledger, fleet = economy.ledger, economy.fleet
    for cost in (1.0, 2.0):
        economy.publish("us", unit_cost=cost, spent=0.0)
        state.budget, state.kept = 1_200.0 * math.exp(0.1 / 12.0), 0.0
        before, owned = fleet.on_order[state.slot].sum(), ledger.balance(state.party, "stakes")
        governing.plan(economy, "us")
        assert fleet.on_order[state.slot].sum() - before == approx(60.0 / cost)
        assert ledger.balance(state.party, "stakes") - owned == approx(20.0)
    assert fleet.order_value[state.slot].sum() == approx(120.0) and balanced(economy)
    assert economy.owners.held[economy.all("operator", "us")[0].party][state.party] == approx(2.0 * 20.0 / 4.0)


def test_rules_on_vendors_decide_whose_chips_are_bought():
    """Chinese chips at a price of 3 and four fifths of the quality: a unit as good as an American one costs 3.75."""
    economy = build(resolve([line for line in SMALL if "regions" not in line] + [*STATES, "agents.sovereigns.us.vendor=china"]))
    economy.publish("china", unit_cost=3.0, quality=0.8)
    economy.publish("us", unit_cost=5.0, quality=1.0)
    assert governing._price(economy, "us", economy.all("sovereign", "us")[0]) == approx(3.75)
    assert governing._price(economy, "china", economy.all("sovereign", "china")[0]) == approx(3.0)


@mark.parametrize(("gpus", "moved"), [(0.0, 0.0), (0.04, 0.04), (0.5, 0.1)])
def test_users_go_home_as_far_as_there_is_capacity_and_rules_ask(gpus, moved):
    """Capacity at home of 0.04 of the region's takes 0.04 of its demand; at most a tenth must stay at home."""
    economy, state = state_of()
    economy.fleet.gpus[state.slot, BEFORE] = gpus * economy.tape["us"].capacity
    assert governing.at_home(economy, "us") == approx(moved)


def test_demand_that_has_gone_home_is_missed_in_the_region():
    economies = [state_of()[0] for _ in range(2)]
    economies[1].fleet.gpus[economies[1].all("sovereign", "us")[0].slot, BEFORE] = economies[1].tape["us"].capacity
    for economy in economies:
        economy.fleet.frontier[BEFORE] = economy.tape.frontier
        renting.rent(economy)
    full, less = (economy.tape["us"] for economy in economies)
    assert less.inference * less.rent**0.3 < full.inference * full.rent**0.3 and less.rent < full.rent
    assert less.capacity == approx(full.capacity)  # what stands at home serves nobody in the region


@fixture(scope="module")
def year():
    """A year of a small economy with sovereigns that buy no notes at its spreads."""
    economy = build(resolve([*SMALL, *STATES, "agents.sovereigns.lag=0", "agents.sovereigns.bust_spread=0.4"]))
    for _ in range(12):
        economy.step()
    return economy


@fixture
def lived(year):
    """The same, the month's figures open, 1 bn put aside by each."""
    economy = year.fork()
    economy.facts = {"us": {}}
    for state in economy.all("sovereign", "us"):
        state.kept = 1e9
    return economy


@mark.parametrize(("price", "discount", "shares"), [(1e9, 0.3, [0.25, 0.25]), (1e10, 0.3, [0.1, 0.1]), (1e9, 0.2, [0.0, 0.0])])
def test_used_units_are_taken_when_they_are_cheap_as_far_as_the_chest_goes(lived, price, discount, shares):
    """Half of what is sold, a quarter each; 1 bn buys a tenth of 10 bn; nothing at a discount below 0.25."""
    lived.publish("us", fire_sale=discount)
    assert governing.bids(lived, "us", price) == approx(shares)


def test_units_bought_go_home_and_are_paid_for(lived):
    """A quarter of 8 GPU for 400: 2 GPU and 100, which leave the chest, to the deal."""
    state, fleet, deal = lived.all("sovereign", "us")[0], lived.fleet, int(lived.deals["party"][0])
    gpus, booked = fleet.gpus[state.slot].sum(), lived.ledger.balance(state.party, "fleet")
    cash = float(lived.ledger.cash(deal))
    governing.buy_units(lived, "us", [0.25, 0.0], (np.array([8.0]), np.array([BEFORE]), np.array([400.0])), np.array([deal]))
    assert fleet.gpus[state.slot].sum() - gpus == approx(2.0) and 1e9 - state.kept == approx(100.0)
    assert lived.ledger.balance(state.party, "fleet") - booked == approx(100.0, abs=1e-3)
    assert float(lived.ledger.cash(deal)) - cash == approx(100.0, abs=1e-3) and lived.facts["us"]["sovereign_units"] == 100.0
    assert fleet.cloud_region[state.slot] == ABROAD


def test_half_of_what_deals_sell_goes_home_and_never_reaches_the_market(year):
    """A running deal past its legal final is sold: two states take a quarter of its units each, clouds the rest."""
    liquidated = []
    for chest in (1e15, 0.0):
        economy = year.fork()
        deals, fleet = economy.deals, economy.fleet
        row = int(economy.rows("us", OPERATING)[-1])
        deals["terms"]["legal_final"][row], deals["terms"]["liquidation_lag"][row] = deals["state"]["age"][row] + 1, 1
        while not deals["state"]["sold"][row]:
            for state in economy.all("sovereign", "us"):
                state.kept = chest
            economy.publish("us", fire_sale=0.25)
            units, held = (
                float(fleet.deals["gpus"][row]),
                [fleet.gpus[state.slot].sum() for state in economy.all("sovereign", "us")],
            )
            economy.step()
        gained = [fleet.gpus[state.slot].sum() for state in economy.all("sovereign", "us")] - np.array(held)
        assert gained == approx(0.25 * units * (chest > 0.0) * (1.0 - 0.06 / 12.0), rel=1e-3) and units > 0.0
        liquidated.append(economy.tape["us"].liquidated)
        fetched = float(deals["payment"]["sale_proceeds"][row])
        monthly = economy.recorder.table("monthly").to_pandas()
        assert monthly["sovereign_units"].iloc[-1] == approx(0.5 * fetched * (chest > 0.0)) and monthly["audit_gap"].max() < 1e-9
    assert liquidated[0] == approx(0.5 * liquidated[1]) and liquidated[1] > 0.0


def test_what_sovereigns_own_is_written_down_in_their_books(lived):
    """7 of depreciation on the first one's units: its fleet and its profit are 7 less."""
    state = lived.all("sovereign", "us")[0]
    written, before = np.zeros(len(lived.fleet.gpus)), lived.ledger.balance(state.party, "fleet")
    written[state.slot] = 7.0
    governing.age_states(lived, written)
    assert before - lived.ledger.balance(state.party, "fleet") == approx(7.0, abs=1e-4)


def test_notes_are_bought_at_the_marks_when_spreads_are_wide_in_equal_slices_of_all(lived):
    """A tenth of 1 bn each; holders lose the same share of every note and get the price; the state carries them at par."""
    deals, ledger, slots = lived.deals, lived.ledger, lived.slots("us")
    lived.publish("us", spread=0.5)
    rows = lived.rows("us", OPERATING)
    deals["price"][rows] = 0.8
    before, cash = deals["shares"][rows].copy(), ledger.cash(deals.investors[slots]).sum()
    face = (deals["state"]["balance"][rows][:, :, None] * before[:, :, slots]).sum()
    governing.buy_notes(lived, "us")
    spent = lived.facts["us"]["sovereign_notes"]
    assert spent == approx(2e8) and [state.kept for state in lived.all("sovereign", "us")] == approx([9e8, 9e8])
    assert ledger.cash(deals.investors[slots]).sum() - cash == approx(2e8)
    owned = sum(float(ledger.balance(state.party, "notes")) for state in lived.all("sovereign", "us"))
    assert owned == approx(2e8 / 0.8)
    assert deals["shares"][rows][:, :, slots] == approx(before[:, :, slots] * (1.0 - owned / face))
    assert deals["shares"][rows].sum(axis=2) == approx(before.sum(axis=2)) and balanced(lived)
    held = deals.by_holder(rows, deals["state"]["balance"][rows])
    assert ledger.balances[deals.investors, ACCOUNT["notes"]][-2:] == approx(held[-2:])


def test_a_run_with_sovereigns_balances_and_their_money_comes_from_taxes():
    """Sixteen months, spreads wide enough: notes and units are theirs, taxes pay for all, others' spending leaves theirs out."""
    lived = build(resolve([*SMALL, *STATES, "agents.sovereigns.lag=0", "agents.sovereigns.bust_spread=0"]))
    for _ in range(16):
        lived.step()
    monthly = lived.recorder.table("monthly").to_pandas()
    flows = lived.recorder.table("flows").to_pandas().groupby(["flow", "payer", "payee"])["usd"].sum()
    assert flows["income", "world", "sovereign"] > 0.0 and flows["equity", "sovereign", "operator"] > 0.0
    assert flows["hardware", "sovereign", "vendor"] + flows["shell", "sovereign", "suppliers"] == approx(
        monthly["capex_sovereigns"].sum()
    )
    assert (
        flows["note_sale", "sovereign", "investor"] == approx(monthly["sovereign_notes"].sum())
        and flows["interest", "deal", "sovereign"] > 0.0
    )
    parts = monthly[["capex_clouds", "capex_operators", "capex_sovereigns"]].sum(axis=1)
    assert monthly["capex"].to_numpy() == approx(parts.to_numpy()) and monthly["audit_gap"].max() < 1e-9
    assert lived.tape["us"].spent == approx((monthly["capex"] - monthly["capex_sovereigns"]).iloc[-1])
    for state in lived.all("sovereign", "us"):
        worth = lived.fleet.book[state.slot].sum() + lived.fleet.paid[state.slot].sum()
        assert lived.ledger.balance(state.party, "fleet") == approx(worth)
    assert lived.recorder.table("tranches").to_pandas()["held_by_sovereigns"].max() > 0.0


def test_budgets_and_rules_that_cannot_be_are_refused():
    for lines, words in (
        (["agents.sovereigns.home=0.9", "agents.sovereigns.abroad=0.2"], "home 0.9 and abroad 0.2 add up to more than 1"),
        (["regions=[us]", *STATES, "agents.sovereigns.us.vendor=china"], "us.vendor is china, which is not among regions"),
    ):
        with raises(Mistakes, match=words):
            resolve(lines)
