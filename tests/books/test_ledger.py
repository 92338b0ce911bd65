"""Double entry: what is refused leaves no trace, what is posted has two sides, and the audit finds what has not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, fixture, mark, raises

from sim.books import audit, lending
from sim.books.deals import CLOSED
from sim.books.ledger import ACCOUNT, CLAIMS, FLOW, FLOWS, KIND, WORLD, Ledger, Overdraft
from sim.books.owners import Owners
from sim.build import build
from sim.compose import resolve
from sim.phases.closing import cloud_parties

CASH = 100.0


@fixture
def ledger() -> Ledger:
    """World 0; lab 1 and cloud 2 with 100 USD each; savers 3 with nothing."""
    books = Ledger()
    lab, cloud = books.enroll("lab", "us", "00"), books.enroll("cloud", "us", "00")
    books.enroll("savers", "us", "")
    books.endow_cash([lab, cloud], CASH)
    return books


LAB, CLOUD, SAVERS = 1, 2, 3


def assert_balanced(books: Ledger) -> None:
    """Every party's row sums to zero, and so does every group of claims over parties."""
    assert books.balances.sum(axis=1) == approx(0.0, abs=1e-6)
    for claim in CLAIMS:
        assert sum(books.balances[:, ACCOUNT[a]].sum() for a in claim) == approx(0.0, abs=1e-6)


def test_a_payment_moves_cash_and_income(ledger):
    """The lab pays 30 of rent: 70 left and 30 spent; the cloud has 130 and earned 30 more."""
    ledger.pay("spot_rent", LAB, CLOUD, 30.0)
    assert ledger.cash([LAB, CLOUD]).tolist() == [70.0, 130.0]
    assert ledger.net_worth(np.array([LAB, CLOUD])).tolist() == [70.0, 130.0]
    assert_balanced(ledger)


def test_an_overdraft_is_refused_and_nothing_is_posted(ledger):
    """60 twice from 100 USD: the whole batch is refused, the cloud's payment with it; party, cash and way out are named."""
    before, flows = ledger.balances.copy(), ledger.flows.copy()
    with raises(Overdraft, match=r"(?s)^spot_rent: us lab 00 has 100.00 USD and is asked for 120.00.*Ration it"):
        ledger.pay("spot_rent", [LAB, CLOUD, LAB], [CLOUD, SAVERS, SAVERS], [60.0, 10.0, 60.0])
    assert np.array_equal(ledger.balances, before) and np.array_equal(ledger.flows, flows)


def test_what_comes_in_the_same_batch_may_be_paid_out(ledger):
    """The lab has 100, receives 50 and pays 150."""
    ledger.pay("spot_rent", [CLOUD, LAB], [LAB, SAVERS], [50.0, 150.0])
    assert ledger.cash([LAB, CLOUD, SAVERS]).tolist() == [0.0, 50.0, 150.0]


def test_the_world_alone_may_owe(ledger):
    ledger.pay("income", WORLD, SAVERS, 1e6)
    assert ledger.cash(WORLD) == -2 * CASH - 1e6 and ledger.cash(SAVERS) == 1e6


@mark.parametrize("amount", [-1.0, np.nan, np.inf, -np.inf])
def test_an_amount_that_is_negative_or_no_number_is_refused(ledger, amount):
    before = ledger.balances.copy()
    with raises(ValueError, match="no payment was made"):
        ledger.pay("spot_rent", [LAB, LAB], [CLOUD, CLOUD], [1.0, amount])
    assert np.array_equal(ledger.balances, before) and not ledger.flows.any()


def test_cash_moves_only_in_payments(ledger):
    with raises(ValueError, match="Cash moves only through pay"):
        ledger.post(LAB, "cash", "profit", 1.0)
    with raises(ValueError, match="not finite; nothing was posted"):
        ledger.post(LAB, "fleet", "profit", np.nan)
    assert ledger.cash(LAB) == CASH and ledger.balance(LAB, "fleet") == 0.0


PAYMENT = st.tuples(st.sampled_from(sorted(FLOWS)), *(st.integers(0, 3),) * 2, st.floats(0.0, 150.0))


@given(st.lists(PAYMENT, max_size=30))
def test_books_balance_whatever_is_paid_or_refused(payments):
    """And this month's flows add up to all that was paid."""
    ledger, paid = Ledger(), 0.0
    for kind in ("lab", "cloud", "savers"):
        ledger.endow_cash(ledger.enroll(kind, "us", ""), CASH)
    for flow, payer, payee, amount in payments:
        try:
            ledger.pay(flow, payer, payee, amount)
            paid += amount
        except Overdraft:
            assert amount > ledger.cash(payer)
    assert ledger.balances.sum(axis=1) == approx(0.0, abs=1e-9)
    assert ledger.balances[:, 0].sum() == approx(0.0, abs=1e-9) and ledger.balances[1:, 0].min() >= -0.02
    assert ledger.flows.sum() == approx(paid)


def test_flows_are_kept_by_payer_and_payee_until_the_month_turns(ledger):
    """Two rents of 10 and 20 from labs to clouds, a dividend of 5 to savers."""
    ledger.pay("spot_rent", LAB, [CLOUD, CLOUD], [10.0, 20.0])
    ledger.pay("payout", CLOUD, SAVERS, 5.0)
    assert ledger.flows[FLOW["spot_rent"], KIND["lab"], KIND["cloud"]] == 30.0
    assert ledger.flows[FLOW["payout"], KIND["cloud"], KIND["savers"]] == 5.0
    assert ledger.flows.sum() == 35.0
    ledger.turn()
    assert not ledger.flows.any()


def test_the_world_fills_up_what_is_missing_and_no_more(ledger):
    ledger.provide("income", SAVERS, 40.0)
    ledger.provide("income", SAVERS, 30.0)
    assert ledger.cash(SAVERS) == 40.0


def test_shares_are_bought_sold_and_lost(ledger):
    """The cloud buys shares for 80, sells for 100 (20 beyond cost is its gain), buys for 50; the lab fails: 50 are lost."""
    owners = Owners(ledger)
    owners.invest(LAB, CLOUD, 80.0)
    assert ledger.balance(CLOUD, "stakes") == -ledger.balance(LAB, "equity") == 80.0
    owners.redeem(LAB, CLOUD, 100.0)
    assert ledger.balance(CLOUD, "stakes") == ledger.balance(LAB, "equity") == 0.0
    assert ledger.net_worth(CLOUD) == ledger.cash(CLOUD) == 120.0
    owners.invest(LAB, CLOUD, 50.0)
    assert owners.wipe_out(LAB) == 50.0 and owners.wipe_out(LAB) == 0.0
    assert ledger.balance(CLOUD, "stakes") == ledger.balance(LAB, "equity") == 0.0
    assert ledger.net_worth(CLOUD) == ledger.cash(CLOUD) == 70.0
    assert_balanced(ledger)


def test_shares_that_nobody_can_pay_for_are_not_registered(ledger):
    owners = Owners(ledger)
    with raises(Overdraft):
        owners.invest(LAB, SAVERS, 1.0)
    assert owners.held == {} and ledger.balance(SAVERS, "stakes") == 0.0


def test_forgiveness_is_the_holders_loss_and_the_issuers_gain(ledger):
    """The lab lends the cloud 40 and forgives 15: 25 are owed."""
    ledger.pay("loan", LAB, CLOUD, 40.0)
    ledger.forgive("loans", CLOUD, LAB, 15.0)
    assert ledger.balance(LAB, "loans") == -ledger.balance(CLOUD, "loans") == 25.0
    assert ledger.net_worth(LAB) == 85.0 and ledger.net_worth(CLOUD) == 115.0
    assert_balanced(ledger)


def test_accrued_interest_is_income_here_and_cost_of_the_fleet_there(ledger):
    """Interest of 4 capitalised while units are built: no cash, no loss to the builder."""
    ledger.accrue("notes", CLOUD, LAB, 4.0, into="fleet")
    assert ledger.balance(LAB, "notes") == -ledger.balance(CLOUD, "notes") == ledger.balance(CLOUD, "fleet") == 4.0
    assert ledger.net_worth(LAB) == 104.0 and ledger.net_worth(CLOUD) == 100.0
    assert_balanced(ledger)


def test_banks_lend_what_is_missing_and_pass_repayments_on(ledger):
    """The lab needs 130 and has 100: 30 borrowed, from the money market; then 130 idle repays it all."""
    bank, people = ledger.enroll("banks", "us", ""), np.array([LAB])
    lending.borrow(ledger, bank, people, np.array([130.0]))
    assert ledger.cash(LAB) == 130.0 and ledger.balance(LAB, "loans") == -30.0
    assert ledger.cash(bank) == 0.0 and ledger.balance(bank, "funding") == -30.0
    lending.repay(ledger, bank, people)
    assert ledger.cash(LAB) == 100.0 and ledger.balance(LAB, "loans") == 0.0
    assert ledger.cash(bank) == ledger.balance(bank, "funding") == 0.0
    assert_balanced(ledger)


# -- the audit ---------------------------------------------------------------------------------------------------------

WRONG = 1e9  # USD; the allowance is 1e-9 of some 1e12


@fixture(scope="module")
def economy():
    """Three months of the small economy."""
    economy = build(resolve(["size=class", "horizon_years=1", "sim.build.burn_in=0"]))
    for _ in range(3):
        economy.step()
    return economy


def one_sided(e):
    e.ledger.balances[e.outside["savers", "us"], ACCOUNT["profit"]] += WRONG


def no_number(e):
    e.ledger.balances[e.outside["savers", "us"], ACCOUNT["profit"]] = np.nan


def overdrawn(e):
    e.ledger.endow_cash(e.outside["savers", "us"], -WRONG)


def more_notes(e):
    e.deals["state"]["balance"][e.deals.live()[-1], 0] += WRONG


def fewer_holdings(e):
    e.ledger.post(e.deals.investors[0], "profit", "notes", WRONG)


def a_part_without_holder(e):
    """Half of the senior class; the junior one stays whole."""
    row = np.flatnonzero((e.deals["stage"] != CLOSED) & (e.deals["state"]["balance"].sum(axis=1) == 0.0))[0]
    e.deals["shares"][row, 0] *= 0.5


def lost_escrow(e):
    e.deals["escrow"][e.deals.live(0)[-1]] += WRONG


def unbooked_hardware(e):
    e.fleet.deals["book"][e.deals.live()[-1]] += WRONG


def closed_with_a_claim(e):
    e.ledger.post(e.deals["party"][np.flatnonzero(e.deals["stage"] == CLOSED)[0]], "marks", "profit", WRONG)


def unbooked_cloud(e):
    e.fleet.paid[0, -1] += WRONG


def vanished_gpus(e):
    e.fleet.gpus[0] *= 0.999


def a_stake_in_nobody(e):
    e.ledger.post(e.outside["savers", "us"], "stakes", "profit", WRONG)


@mark.parametrize(
    ("tamper", "identity"),
    [
        (one_sided, "every posting has two sides: us savers is out by 1,000,000,000.00"),
        (no_number, "every posting has two sides: us savers"),
        (overdrawn, "no deposit below zero: us savers"),
        (more_notes, "notes owed are notes outstanding: (us|china) deal"),
        (fewer_holdings, "notes held are the holders' shares: us investor 00"),
        (a_part_without_holder, "a note has one holder for each part: (us|china) deal"),
        (lost_escrow, "a deal's cash is its accounts: (us|china) deal"),
        (unbooked_hardware, "a deal's hardware is in its books: (us|china) deal"),
        (closed_with_a_claim, "a closed deal owns and owes nothing: (us|china) deal"),
        (unbooked_cloud, "a cloud's hardware is in its books: us cloud 00"),
        (vanished_gpus, "GPUs bought are installed, on order, failed or retired: fleet"),
        (a_stake_in_nobody, "stakes and equity sum to zero: all parties"),
    ],
)
def test_the_audit_names_the_identity_that_broke(economy, tamper, identity):
    fork = economy.fork()
    books = (fork.ledger, fork.deals, fork.fleet, cloud_parties(fork))
    assert audit.check(audit.gaps(*books)) < audit.TOLERANCE
    tamper(fork)
    with pytest.raises(audit.BooksDoNotBalance, match=identity):
        audit.check(audit.gaps(*books))
