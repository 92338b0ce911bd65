"""The compiled step, its plain twin and the exact oracle pay alike; planted defects are found."""

import functools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.deal import records
from sim.deal_reader import check
from sim.kernels import uncompiled, waterfall
from tests.kernels.deals import MODES, compare, paid, paid_by, random_deal, written
from tests.kernels.freeze import cases, load
from tests.kernels.test_frozen import differs

SEEDS = st.integers(0, 10**6)
PLAIN = uncompiled(waterfall)
SOURCE = Path(waterfall.__file__).read_text(encoding="utf-8")
FEE = "terms.fee_rate * terms.period_years * payment.opening_pool"
EXCESS = "max(0.0, state.reserve - target)"
MUTANTS = {
    "fee on the pool left at the collection date": (FEE, FEE.replace("payment.opening_pool", "state.pool")),
    "fee without the days from collection to payment": (FEE, FEE.replace("period_years", "period_years * 80 / 90")),
    "excess measured on the receiving account": (EXCESS, "min(state.reserve, max(0.0, cash - target))"),
    "no interest on interest": ("state.arrears[k] += on_arrears + payment", "state.arrears[k] += payment"),
    "diversion forgotten in principal": ("due - payment.oc_diverted", "due - 0.0 * payment.oc_diverted"),
    "defaults left out of the ledger": ("due += state.pdl + payment.defaulted", "due += state.pdl"),
    "cured trap keeps its cash": ("elif state.trap > 0.0:", "elif False:"),
    "margin a period before it is due": ("< state.age:", "<= state.age:"),
    "write-down ignores the accounts": ("(state.pool + state.reserve + state.trap)", "state.pool"),
    "guarantor pays over its cap": ("min(terms.guarantee_cap, ", "max(0.0, "),
    "floating coupon without its floor": ("max(terms.floor[k], period.index)", "period.index"),
    "sale a period late": ("state.periods_to_sale <= 0", "state.periods_to_sale < 0"),
}


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("mode", MODES)
@settings(deadline=None, max_examples=60)
@given(seed=SEEDS)
def test_the_kernel_pays_what_the_oracle_pays(seed, mode, extended):
    """Cash and balances to 1e-9 of the notes, the average DSCR to 1e-9, flags exactly."""
    found = compare(random_deal(seed, mode, extended))
    if found is not None:
        cash, ratio, flags = found
        assert cash <= 1e-9 and ratio <= 1e-9 and flags == 0


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("mode", MODES)
@settings(deadline=None, max_examples=60)
@given(seed=SEEDS)
def test_the_compiled_step_equals_its_plain_twin_to_the_bit(seed, mode, extended):
    file = random_deal(seed, mode, extended, most=8)
    compiled, plain = paid(file), paid_by(PLAIN, file)
    assert all(np.array_equal(compiled[column], plain[column]) for column in compiled)


@functools.cache
def frozen():
    return [load(path) for path in cases()]


def test_the_plain_twin_pays_every_frozen_deal():
    assert not any(differs(case, paid_by(PLAIN, case["file"])) for case in frozen())


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_defect_is_found(name):
    """Each defect changes what some frozen deal is paid; the first three were found in real engines."""
    sound, broken = MUTANTS[name]
    assert SOURCE.count(sound) >= 1, "the defect no longer fits the source: plant it anew"
    mutant = uncompiled(waterfall, lambda source: source.replace(sound, broken))
    assert any(differs(case, paid_by(mutant, case["file"])) for case in frozen())


def test_a_reserve_at_its_target_drains_only_under_the_planted_defect():
    """20 in the reserve, target 20: it stays. Measured on the 40 - 10 - 3 of cash it flows into, 7 would leave."""
    file = next(case["file"] for case in frozen() if case["fact"].startswith("A reserve at its target"))
    sound, broken = MUTANTS["excess measured on the receiving account"]
    mutant = uncompiled(waterfall, lambda source: source.replace(sound, broken))
    assert paid_by(PLAIN, file)["reserve_released"][:-1].tolist() == [0.0] * 5
    assert paid_by(mutant, file)["reserve_released"][0] == 7.0


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_paths_and_book_are_one_step(seed):
    """Two paths of one deal: each period's cash is what the book pays."""
    file = random_deal(seed, MODES[seed % 4], extended=True)
    deal = records(check(written(file)))
    classes, periods = deal.terms["coupon"].shape[1], file["periods"]
    interest, principal = np.zeros((2, periods, classes)), np.zeros((2, periods, classes))
    loss, scratch = np.zeros((2, classes)), deal.state.copy()
    inputs = np.stack([deal.period, deal.period])
    waterfall.pay_paths(deal.terms, deal.state, scratch, inputs, deal.payment[:1].copy(), interest, principal, loss)
    row = np.zeros(1, dtype=np.int64)
    for t in range(periods):
        waterfall.pay_book(row, deal.terms, deal.state, deal.period[t : t + 1], deal.payment[t : t + 1])
    for s in range(2):
        assert np.array_equal(interest[s], deal.payment["interest"] + deal.payment["deferred_paid"])
        assert np.array_equal(principal[s], deal.payment["principal"])
        assert np.array_equal(loss[s], deal.payment["write_off"].sum(axis=0) + deal.payment["balance"][-1])
