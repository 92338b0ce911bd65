"""Present value, average life, yields and margins agree with each other and with arithmetic."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from sim.kernels.yields import annuity, average_life, discount_margin, present_value, yield_at

RATES = st.floats(-0.2, 2.0)
CASH = st.lists(st.floats(0, 1e9), min_size=1, max_size=60).map(np.array).filter(lambda cash: cash.sum() > 1.0)


def test_a_par_bond_yields_its_coupon():
    """100 at 8 %, quarterly: 2 a quarter and 100 at the end are worth 100 at 8 %."""
    cash = np.array([2.0] * 7 + [102.0])
    assert present_value(cash, 0.08, 0.25) == approx(100.0, rel=1e-13)
    assert yield_at(100.0, cash, 0.25) == approx(0.08, rel=1e-12)


def test_average_life_weighs_years_by_principal():
    """A quarter of it after 1 year, the rest after 2: 1.75 years."""
    assert average_life(np.array([0.0, 25.0, 0.0, 75.0]), 0.5) == 1.75


def test_a_note_over_an_index_at_par_has_its_margin():
    index = np.array([0.02, 0.05, 0.01, 0.04])
    cash = (index + 0.03) * 100.0 + np.array([0.0, 0.0, 0.0, 100.0])
    assert discount_margin(100.0, cash, index, 1.0) == approx(0.03, rel=1e-11)


def test_an_annuity_of_one_is_worth_its_periods_at_a_zero_rate():
    """(1 - 1.01^-12) / 0.01 = 11.2551 at 12 %, monthly."""
    assert annuity(0.0, 12, 1 / 12) == 12.0
    assert annuity(0.12, 12, 1 / 12) == approx((1 - 1.01**-12) / 0.01, rel=1e-13)
    assert annuity(1e-13, 12, 1 / 12) == approx(12.0) and annuity(0.05, 0, 1.0) == 0.0


def test_nothing_paid_has_no_yield_and_no_life():
    nothing = np.zeros(3)
    assert math.isnan(yield_at(100.0, nothing, 1.0)) and math.isnan(average_life(nothing, 1.0))
    assert math.isnan(yield_at(0.0, np.ones(3), 1.0)) and math.isnan(yield_at(1.0, np.zeros(0), 1.0))


@settings(max_examples=100)
@given(cash=CASH, rate=RATES, years=st.sampled_from([1 / 12, 0.25, 1.0]))
def test_the_yield_at_a_present_value_is_its_rate(cash, rate, years):
    """Where the value is a normal number, the yield reprices it."""
    price = present_value(cash, rate, years)
    assert present_value(cash, yield_at(price, cash, years), years) == approx(price, rel=1e-8)


def test_the_compiled_kernels_equal_their_plain_twins_to_the_bit():
    cash, index = np.array([3.0, 0.0, 104.5]), np.array([0.01, 0.02, 0.03])
    for kernel, arguments in (
        (present_value, (cash, 0.07, 0.25)), (yield_at, (99.0, cash, 0.25)), (average_life, (cash, 0.25)),
        (discount_margin, (99.0, cash, index, 0.25)), (annuity, (0.07, 9, 0.25)),
    ):  # fmt: skip
        assert kernel(*arguments) == kernel.py_func(*arguments)
