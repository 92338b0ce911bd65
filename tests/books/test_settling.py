"""Settling a pay date: a sponsor gets what is left, no more than the deal has but for nothing that rounding explains."""

import numpy as np
from pytest import approx, fixture, raises

from sim.books.deals import OPERATING, Receipts
from sim.books.ledger import Overdraft
from sim.build import build
from sim.compose import resolve
from sim.kernels.clauses import DUST


@fixture
def settled():
    """A deal with cash, and what settles it with a residual beyond the cash by so many times what counts as nothing."""
    economy = build(resolve(["size=class", "horizon_years=1", "regions=[us]", "sim.build.burn_in=0"]))
    deals, ledger = economy.deals, economy.ledger
    row = economy.rows("us", OPERATING)[-1:]
    party = deals["party"][row]
    deals["terms"]["notional"][row] = [[2e9, 1e9]]
    ledger.provide("income", int(party[0]), 5e9)

    def settle(times: float) -> float:
        none, classes = np.zeros(1), np.zeros((1, 2))
        residual = ledger.cash(party) + times * DUST * 3e9
        deals.settle(Receipts(row, classes, classes, classes, residual, none, none, none.astype(bool), none), deals["sponsor"][row])
        return float(ledger.cash(party)[0])

    return settle


def test_a_residual_beyond_the_cash_by_the_waterfalls_rounding_takes_the_cash(settled):
    """Three hundredths of a dollar of three billion."""
    assert settled(1.0) == 0.0


def test_a_residual_within_the_cash_leaves_the_rest(settled):
    assert settled(-2.0) == approx(0.06, rel=1e-3)


def test_a_residual_beyond_that_is_an_overdraft(settled):
    with raises(Overdraft, match="residual"):
        settled(2.0)
