"""Labs' bills, cleared: who runs dry pays what it has, and what is missing reaches those who let at spot in the same month."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx, fixture, mark

from sim.phases import clearing
from sim.phases.failing import largest_tenant
from tests.phases.economies import economy_of

SCRIPT = ("sim.markets.failures.region=us", "sim.markets.failures.month=3")


def bills(contract: list[float], exchange: list[float], has: list[float]) -> clearing.Bills:
    """Bills without staff, loans and pledges."""
    none = np.zeros(len(has))
    return clearing.Bills(np.array(contract), np.array(exchange), none, none, np.array(has))


def test_who_has_half_of_its_bills_pays_half_of_each_and_the_exchange_passes_the_loss_on():
    """0 has 4 for 3 + 5; the exchange gets 2.5 of 5, so 1, which sublets for 2, gets 1: with 4.5 it pays 5.5 of 6."""
    parts = clearing.clear(bills([3.0, 6.0], [5.0, -2.0], [4.0, 4.5]))
    assert parts.labs == approx([0.5, 5.5 / 6.0]) and parts.exchange == approx(0.5)
    assert clearing.falls_short(parts).all()


def test_nobody_falls_short_while_everybody_has_what_it_owes():
    parts = clearing.clear(bills([3.0, 6.0], [5.0, -2.0], [8.0, 4.0]))
    assert parts.labs == approx([1.0, 1.0]) and parts.exchange == 1.0 and not clearing.falls_short(parts).any()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0.0, 9.0), st.floats(-9.0, 9.0), st.floats(0.0, 9.0)), min_size=1, max_size=6))
def test_what_labs_and_the_exchange_pay_is_what_others_get(labs):
    """The exchange keeps nothing as long as it takes in as much as it owes, and no lab pays more than it has and gets."""
    contract, exchange, has = np.array(labs).T
    exchange[0] += max(-exchange.sum(), 0.0)
    due = bills(contract, exchange, has)
    parts = clearing.clear(due)
    takes, gives = np.maximum(exchange, 0.0), np.maximum(-exchange, 0.0)
    got = parts.exchange * gives
    assert (parts.labs * due.owed <= has + got + 1e-9).all()
    assert float(parts.labs @ takes) == approx(parts.exchange * takes.sum(), abs=1e-9)


@fixture(scope="module")
def twins():
    """Two small economies whose largest tenant, without any cash, fails in month 3: made good, and cleared."""
    lives = [economy_of(*SCRIPT, f"sim.markets.exposures.rents={way}") for way in ("made_good", "cleared")]
    for economy in lives:
        for _ in range(3):
            economy.step()
        lab = largest_tenant(economy, "us", ("lab",))
        economy.ledger.pay("payout", lab, economy.outside["savers", "us"], float(economy.ledger.cash(lab)))
        economy.lab = lab
        economy.step()
    return lives


def paid(economy, flow: str, payer: str) -> float:
    """USD of a flow in the month of the failure, from one kind of payer."""
    flows = economy.recorder.table("flows").to_pandas()
    return float(flows[(flows["month"] == 3) & (flows["flow"] == flow) & (flows["payer"] == payer)]["usd"].sum())


def test_what_a_failed_lab_leaves_unpaid_is_what_deals_the_exchange_and_staff_miss(twins):
    good, cleared = twins
    unpaid = cleared.recorder.table("monthly").to_pandas()["bills_unpaid"].iloc[-1]
    missing = sum(paid(good, flow, "lab") - paid(cleared, flow, "lab") for flow in ("contract_rent", "spot_rent", "salaries"))
    assert unpaid > 0.0 and missing == approx(unpaid, rel=1e-9)
    assert good.facts["us"].get("bills_unpaid", 0.0) == 0.0


def test_its_new_owners_bring_that_much_less(twins):
    unpaid = twins[1].recorder.table("monthly").to_pandas()["bills_unpaid"].iloc[-1]
    fresh = [float(economy.owners.held[economy.lab][economy.outside["savers", "us"]]) for economy in twins]
    assert fresh[0] - fresh[1] == approx(unpaid, rel=1e-9)


def test_deals_of_the_failed_lab_and_others_who_let_at_spot_collect_less(twins):
    good, cleared = twins
    lost = good.deals["collected"] - cleared.deals["collected"]
    own = cleared.contracts["tenant"] == cleared.lab
    live = good.deals["collected"] > 0.0
    assert (lost[own & live] > 0.0).all() and (lost[~own & live] >= 0.0).all() and (cleared.deals["collected"] >= 0.0).all()
    assert lost[own].sum() > lost[~own].sum() > 0.0


@mark.parametrize("place", [0, 1])
def test_the_exchange_keeps_nothing_and_the_books_close(twins, place):
    economy = twins[place]
    exchange = float(economy.ledger.cash(economy.outside["exchange", "us"]))
    assert abs(exchange) <= 0.01 and economy.residual < 1e-9
    economy.step()
    assert economy.residual < 1e-9


def test_months_in_which_nobody_fails_are_the_same_to_the_bit():
    lives = [economy_of(f"sim.markets.exposures.rents={way}") for way in ("made_good", "cleared")]
    for economy in lives:
        for _ in range(3):
            economy.step()
    assert np.array_equal(lives[0].ledger.balances, lives[1].ledger.balances)


def test_a_failed_lab_pays_its_bills_out_of_what_its_bank_has_left_it():
    """Venture debt is claimed first; what is paid after that is no more than what is there, or the month would not close."""
    lines = ("agents.labs.venture_share=0.5", "agents.labs.venture_cap=5", "sim.markets.exposures.rents=cleared")
    economy = economy_of(*SCRIPT, *lines)
    for _ in range(3):
        economy.step()
    lab = largest_tenant(economy, "us", ("lab",))
    owed, cash = -float(economy.ledger.balance(lab, "loans")), float(economy.ledger.cash(lab))
    economy.ledger.pay("payout", lab, economy.outside["savers", "us"], max(cash - owed, 0.0))
    economy.step()
    month = economy.recorder.table("monthly").to_pandas().iloc[-1]
    assert month["lab_failures"] == 1.0 and month["bills_unpaid"] > 0.0 and economy.residual < 1e-9
