"""The compiled step, its plain twin and the exact oracle pay alike; planted defects are found."""

import functools
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.benchmarks import by_objects
from sim.deal import pay, records
from sim.deal_reader import check
from sim.kernels import clauses, uncompiled, waterfall
from sim.kernels.draws import LANES
from tests.kernels.deals import MODES, compare, paid, paid_by, random_deal, written
from tests.kernels.freeze import cases, load
from tests.kernels.test_frozen import differs

SEEDS = st.integers(0, 10**6)
PLAIN = uncompiled(waterfall)
SOURCE = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (waterfall, clauses))
FEE = "terms.fee_rate * terms.period_years * payment.opening_pool"
EXCESS = "max(0.0, state.reserve - target)"
MUTANTS = {
    "fee on the pool left at the collection date": (FEE, FEE.replace("payment.opening_pool", "state.pool")),
    "fee without the days from collection to payment": (FEE, FEE.replace("period_years", "period_years * 80 / 90")),
    "excess measured on the receiving account": (EXCESS, "min(state.reserve, max(0.0, cash - target))"),
    "no interest on interest": (
        "terms.interest_on_interest[k] * wide.rate[k] * dt * state.arrears[k] + payment.accrued[k]",
        "payment.accrued[k]",
    ),
    "diversion forgotten in principal": ("wanted - payment.oc_diverted", "wanted"),
    "defaults left out of the ledger": ("deficient, state.pdl + payment.defaulted", "deficient, state.pdl"),
    "cured trap keeps its cash": ("released = choose(holds, 0.0, trap - opened)", "released = 0.0"),
    "margin a period before it is due": ("0 <= terms.ard < state.age, 0", "0 <= terms.ard <= state.age, 0"),
    "write-down ignores the accounts": ("(state.pool + state.reserve + state.trap)", "state.pool"),
    "guarantor pays over its cap": ("min(terms.guarantee_cap, ", "max(0.0, "),
    "floating coupon without its floor": ("max(terms.floor[k], wide.index)", "wide.index"),
    "sale a period late": ("state.periods_to_sale <= 0", "state.periods_to_sale < 0"),
}


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60)
@given(seed=SEEDS)
def test_the_kernel_pays_what_the_oracle_pays(seed, mode, extended):
    """Cash and balances to 1e-9 of the notes, the average DSCR to 1e-9, flags exactly."""
    found = compare(random_deal(seed, mode, extended))
    if found is not None:
        cash, ratio, flags = found
        assert cash <= 1e-9 and ratio <= 1e-9 and flags == 0


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60)
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


@settings(max_examples=40)
@given(seed=SEEDS)
def test_a_deal_is_paid_alike_on_many_lanes_and_in_the_book(seed):
    """64 paths with revenues of their own, those of some far too small, each equal to the bit to a run of the book."""
    file = next(found for found in (random_deal(s, MODES[seed % 4], True, 2) for s in count(seed)) if found["periods"] > 9)
    deal = records(check(written(file)))
    periods, classes = len(deal.period), deal.terms["coupon"].shape[1]
    draw = np.random.Generator(np.random.Philox(seed))
    size = deal.terms["notional"].sum()
    revenue = size * 0.04 * draw.random((1, periods, LANES)) * (draw.random(LANES) < 0.8)
    default_rate = 0.05 * draw.random((1, periods, LANES)) ** 3
    deal.period["disposal"] = np.nan
    for name in ("recovery_rate", "other_cash", "principal_cash", "appraisal", "market_value", "guarantor_failed"):
        deal.period[name] = deal.period[name][0]
    interest, principal = np.zeros((2, 1, periods, classes, LANES))
    wides = deal.period.copy()
    wides["special"] = (wides["principal_cash"] != 0.0) | (wides["other_cash"] != 0.0)
    waterfall.pay_paths(deal.terms, deal.state, wides, deal.payment[:1], revenue, default_rate, interest, principal, True)
    row = np.zeros(1, dtype=np.int64)
    for j in range(0, LANES, 7):
        state, period = deal.state.copy(), deal.period.copy()
        period["revenue"], period["default_rate"] = revenue[0, :, j], default_rate[0, :, j]
        for t in range(periods):
            waterfall.pay_book(row, deal.terms, state, period[t : t + 1], deal.payment[t : t + 1])
        assert np.array_equal(interest[0, :, :, j], deal.payment["interest"])
        assert np.array_equal(principal[0, :, :, j], deal.payment["principal"])


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=30)
@given(seed=SEEDS)
def test_deals_as_objects_pay_what_the_kernel_pays(seed, mode, extended):
    """All columns of every period: the benchmark's rival follows every rule it is timed against."""
    file = check(written(random_deal(seed, mode, extended, most=8)))
    size = sum(note.balance for note in file.deal.notes)
    rival = by_objects.Deal(records(file).terms[0], records(file).state[0])
    paid = pay(file)
    for period, payment in zip(paid.period, paid.payment, strict=True):
        rival.pay(by_objects.inputs(period))
        for column, amount in rival.paid().items():
            ours = payment[column][: len(rival.notes)] if payment[column].shape else payment[column]
            assert np.allclose(ours, amount, rtol=1e-9, atol=1e-9 * size), column
