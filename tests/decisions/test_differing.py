"""What is said of paired differences: none, small, sure, or that nobody can tell."""

import numpy as np
import pytest

from analysis.decisions.differing import FEW, NONE, SMALL, SURE, UNSURE, VERY_SURE, ZERO, difference
from analysis.decisions.quantities import read
from tests.decisions.test_quantities import MINE

QUANTITY = read(MINE)[0]  # 2 matters
NOISE = np.random.default_rng(3).normal(size=40)


def word(gaps: np.ndarray, family: int = 1) -> str:
    return difference(QUANTITY, "us", np.zeros(len(gaps)), gaps, family).word


def test_values_that_agree_to_the_last_bit_have_no_difference_with_any_number_of_seeds():
    found = difference(QUANTITY, "us", NOISE[:2], NOISE[:2].copy(), 1)
    assert (found.word, found.difference, found.low, found.high) == (ZERO, 0.0, 0.0, 0.0)


def test_the_difference_is_the_second_less_the_first():
    found = difference(QUANTITY, "us", np.full(8, 10.0), 15.0 + NOISE[:8], 1)
    assert found.difference == pytest.approx(5.0 + NOISE[:8].mean()) and found.low < found.difference < found.high
    assert found.relative == pytest.approx(found.difference / 10.0) and found.certain


def test_a_difference_is_very_sure_only_if_it_holds_among_all_of_the_page():
    shift = 4.0 + 5.0 * NOISE[:20]
    assert word(shift) == VERY_SURE and word(shift, family=5000) in (SURE, UNSURE)


def test_an_interval_within_what_matters_is_too_small_even_when_it_misses_zero():
    assert word(0.5 + 0.01 * NOISE[:8]) == SMALL


def test_noise_around_zero_cannot_be_told_and_the_seeds_that_would_tell_are_named():
    found = difference(QUANTITY, "us", np.zeros(8), 8.0 * (NOISE[:8] - NOISE[:8].mean()), 1)
    assert found.word == UNSURE and found.needed is not None and found.needed > 8


def test_below_six_pairs_there_is_no_interval():
    found = difference(QUANTITY, "us", np.zeros(5), 9.0 + NOISE[:5], 1)
    assert found.word == FEW and np.isnan(found.low) and found.difference > 5.0
    assert word(9.0 + NOISE[:6]) == VERY_SURE


def test_pairs_of_which_one_has_no_number_are_left_out():
    first, second = np.zeros(8), 9.0 + NOISE[:8]
    first[2], second[5] = np.nan, np.nan
    found = difference(QUANTITY, "us", first, second, 1)
    kept = [0, 1, 3, 4, 6, 7]
    assert found.pairs == 6 and found.difference == pytest.approx(second[kept].mean())
    assert difference(QUANTITY, "us", np.full(8, np.nan), second, 1).word == NONE
