"""Compiled exact sums are those of ``math.fsum``."""

from math import fsum

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import raises

from sim.kernels import sums, uncompiled
from sim.sums import MANY, total

SMALL = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x / 1024.0)  # their sums are finite
NUMBERS = st.lists(SMALL, min_size=MANY + 1, max_size=3 * MANY)


@given(NUMBERS)
def test_a_long_column_adds_up_to_its_exact_sum(amounts):
    assert total(np.array(amounts)) == fsum(amounts)


@given(
    st.lists(SMALL, max_size=MANY)
    | st.lists(st.sampled_from([1.0, -1.0, 2.0**-53, -(2.0**-53), 3.0 * 2.0**-53, 2.0**-106]), max_size=9)
)
def test_compiled_code_rounds_as_python_does(amounts):
    """Halves of a last place too, which go to the even neighbour unless something is left beyond them."""
    assert sums.exact(np.empty(sums.ROOM), np.array(amounts)) == fsum(amounts)


def test_what_cancels_leaves_what_is_left():
    """1e16 and its opposite, forty times each, and one cent: a plain sum may lose the cent."""
    amounts = np.array([1e16] * 40 + [0.01] + [-1e16] * 40)
    assert total(amounts) == 0.01 and total(amounts[::-1]) == 0.01 and total(np.arange(100)) == 4950.0


def test_what_is_not_finite_is_as_it_was():
    assert total(np.full(100, np.inf)) == np.inf and np.isnan(total(np.full(100, np.nan)))
    with raises(ValueError):
        total(np.array([np.inf, -np.inf] * 50))
    with raises(OverflowError):
        total(np.full(100, 1e308))


def test_nothing_is_written_where_no_room_is_left():
    """Powers of two so far apart never merge."""
    apart, room = np.array([2.0**power for power in range(-1070, 1000, 54)]), np.full(8, 7.0)
    assert sums.leave(room[:3], apart) == 0 and (room[3:] == 7.0).all()


@given(NUMBERS)
def test_the_parts_are_those_of_the_plain_twin(amounts):
    compiled, plain = np.zeros((2, sums.ROOM))
    count = sums.leave(compiled, np.array(amounts))
    assert count == uncompiled(sums).leave(plain, np.array(amounts)) and (compiled == plain).all()
