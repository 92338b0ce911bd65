"""Swings in a band: known from a process's spectrum, and amplified by as much as was planted."""

import numpy as np
from pytest import approx, mark, raises
from scipy.linalg import toeplitz

from analysis.statistics.bands import amplification, cycle, swing
from analysis.statistics.intervals import Claim
from analysis.statistics.toys import drives

MONTHS = 480


def sine(period: float) -> np.ndarray:
    return np.sqrt(2.0) * np.sin(2.0 * np.pi * (np.arange(MONTHS) + 0.5) / period)


@mark.parametrize("period", [40.0, 60.0, 96.0])
def test_a_swing_within_the_band_passes(period):
    """A sine of unit variance keeps it within an eighth, ends included."""
    assert swing(sine(period))[0] == approx(1.0, abs=0.125)


@mark.parametrize("period", [3.0, 12.0, 24.0, 240.0])
def test_a_swing_outside_the_band_does_not(period):
    """Of what is short a tenth comes through, all of it at the ends, where the filter has one side only; of trends half of that."""
    assert swing(sine(period))[0] < (0.06 if period > 120.0 else 0.12)


def test_a_line_has_no_swing():
    assert swing(3.0 + 0.02 * np.arange(MONTHS))[0] == approx(0.0, abs=1e-12)


def test_the_swing_of_an_ar1_is_that_of_its_autocovariance_through_the_filter():
    """Persistence 0.9: filtered and centred, 2000 paths of 240 months; the mean variance has an error of 1 in 100."""
    months = 240
    weights = cycle(np.eye(months)).T  # linear, so unit impulses tell all
    covariance = toeplitz(0.9 ** np.arange(months)) / (1.0 - 0.9**2)
    passed = weights @ covariance @ weights.T
    expected = (np.trace(passed) - passed.sum() / months) / months
    found = swing(drives(2000, months, persistence=0.9, seed=1)) ** 2
    assert found.mean() == approx(expected, abs=3.5 * found.std() / np.sqrt(2000))


def test_the_swing_of_a_long_ar1_is_its_spectrum_within_the_band():
    """2 x the integral of 1 / (2 pi |1 - 0.9 exp(-iw)|^2) from 2 pi / 120 to 2 pi / 36 is 1.90; but for the ends."""
    months = 720
    band = np.linspace(2.0 * np.pi / 120.0, 2.0 * np.pi / 36.0, 2001)
    density = 1.0 / (2.0 * np.pi * np.abs(1.0 - 0.9 * np.exp(-1j * band)) ** 2)
    weights = cycle(np.eye(months)).T
    passed = weights @ (toeplitz(0.9 ** np.arange(months)) / (1.0 - 0.9**2)) @ weights.T
    assert np.trace(passed) / months == approx(2.0 * np.trapezoid(density, band), rel=0.06)


def test_amplification_is_what_was_planted():
    """The log of one series is 1.4 times that of the other about its trend, seed by seed: A is 1.4 and has no spread."""
    other = np.exp(0.1 * drives(8, 240, persistence=0.95, seed=2) + 0.01 * np.arange(240))
    found = amplification(other**1.4, other)
    assert [found.low, found.estimate, found.high] == approx([1.4, 1.4, 1.4])


def test_no_amplification_is_found_where_there_is_none():
    """Same world twice: A is 1 exactly. Another draw each: its interval has 1."""
    one, two = (np.exp(0.1 * drives(16, 240, persistence=0.95, seed=seed)) for seed in (3, 4))
    assert amplification(one, one).high == 1.0
    apart = amplification(one, two)
    assert apart.low < 1.0 < apart.high and Claim("above", 1.0).word(apart) == "cannot tell"


def test_what_has_no_band_is_refused():
    with raises(ValueError, match="100 months cannot hold a cycle of 120"):
        swing(np.ones((2, 100)))
    with raises(ValueError, match="logs need positive values; the least is -1"):
        amplification(-np.ones((8, 240)), np.ones((8, 240)))
    with raises(ValueError, match="ratios need positive values"):
        amplification(np.ones((8, 240)), np.ones((8, 240)))
