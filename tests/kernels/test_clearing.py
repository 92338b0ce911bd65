"""What investors hold at a spread, and the spread that clears."""

from math import inf

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from sim.kernels import clearing, uncompiled
from sim.kernels.sums import ROOM

TWO = (
    np.array([100.0, 50.0]),  # capital
    np.array([0.01, 0.0]),  # loss_belief
    np.array([0.01, 0.03]),  # hurdle
    np.array([0.02, 0.0]),  # price_of_risk
    np.array([5.0, 2.0]),  # leverage
)
ALL = np.full(2, inf)


def held(spread: float, need: float = inf, limit: np.ndarray = ALL) -> list[float]:
    out = np.empty(2)
    clearing.carry(out, spread, need, limit, *TWO)
    return out.tolist()


def met(need: float, limit: np.ndarray = ALL, low: float = 0.0, high: float = 0.5) -> float:
    return clearing.meet(np.empty(2), np.empty(ROOM), low, high, need, limit, *TWO)


def test_holdings_are_excess_over_the_price_of_risk_up_to_the_leverage():
    """100 * (4 % - 2 %) / 2 % = 100; at 14 % 600, of which leverage allows 500; at 2 % and below none."""
    assert [held(spread)[0] for spread in (0.02, 0.04, 0.14)] == approx([0.0, 100.0, 500.0])


def test_who_bears_no_risk_holds_all_it_may_above_its_hurdle_and_nothing_below():
    assert [held(spread)[1] for spread in (0.03, 0.0301)] == [0.0, 100.0]


def test_a_mandate_limits_a_share_of_what_all_need():
    assert held(0.14, 600.0, np.array([0.5, 0.1])) == [300.0, 60.0]


def test_the_market_clears_where_all_is_held_and_at_the_cap_where_it_cannot_be():
    """300 are 200 of the first, at 2 % + 2 * 2 %, and all 100 of the second. More than 600 nobody carries."""
    assert abs(met(300.0) - 0.06) < 1e-12
    assert abs(met(601.0) - 0.5) < 1e-12 and met(0.0) < 1e-12


@given(st.floats(0.0, 700.0), st.floats(0.1, 1.0))
def test_the_spread_is_the_plain_twins(need, limit):
    plain, room = uncompiled(clearing), (np.empty(2), np.empty(ROOM))
    limits = np.full(2, limit)
    assert met(need, limits) == plain.meet(*room, 0.0, 0.5, need, limits, *TWO)
