"""Draws inside kernels: the published generator, and normal probabilities as exact as scipy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from pytest import approx, mark
from scipy import special

from sim.kernels import draws, uncompiled
from sim.streams import philox
from tests.test_streams import KNOWN, words

PLAIN = uncompiled(draws)
WORDS = st.integers(0, 2**32 - 1)
SEEDS = st.integers(0, 2**64 - 1)


def lanes(function):
    """The function over a row, as a kernel would inline it."""

    @njit
    def over(x, out):
        for j in range(x.size):
            out[j] = function(x[j])

    return over


OVER = {name: lanes(getattr(draws, name)) for name in ("exponential", "logarithm", "normal_cdf", "normal_quantile")}
GRIDS = [
    ("exponential", np.exp, np.linspace(-708.0, 709.0, 200_001), 4e-16),
    ("logarithm", np.log, np.geomspace(3e-308, 1e308, 200_001), 4e-16),
    ("logarithm", np.log, np.linspace(0.3, 3.0, 200_001), 4e-16),
    ("normal_cdf", special.ndtr, np.linspace(-36.0, 9.0, 200_001), 1e-12),  # scipy itself loses 2e-13
    ("normal_quantile", special.ndtri, np.linspace(1e-9, 1.0 - 1e-9, 200_001), 1e-14),
    ("normal_quantile", special.ndtri, np.geomspace(1e-300, 0.4, 200_001), 1e-14),
]


def over(name, x):
    out = np.empty_like(x)
    OVER[name](x, out)
    return out


@mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_the_words_are_those_published(counter, key, answer):
    """Random123's known answers, as in tests/test_streams.py."""
    assert draws.random_words(*words(counter), *words(key)) == tuple(words(answer))


@given(st.lists(WORDS, min_size=4, max_size=4), SEEDS)
def test_the_words_are_those_of_the_streams(counter, seed):
    key = np.array([seed & 0xFFFFFFFF, seed >> 32], dtype=np.uint64)
    counter = np.array(counter, dtype=np.uint64)
    assert draws.random_words(*counter, *key) == tuple(philox(counter[None], key)[0])


@mark.parametrize(("name", "exact", "grid", "tolerance"), GRIDS)
def test_a_function_in_lanes_agrees_with_scipy(name, exact, grid, tolerance):
    """Relative to the value, over the whole range."""
    assert over(name, grid) == approx(exact(grid), rel=tolerance, abs=1e-300)


def test_the_far_lower_tail_keeps_its_digits():
    """Phi(-x) = e^(-x^2/2) / (x sqrt(2 pi)) (1 - 1/x^2 + 3/x^4 - 15/x^6 + 105/x^8 - ...) to 1e-12 at 36."""
    x = 36.0
    series = 1.0 - x**-2 + 3.0 * x**-4 - 15.0 * x**-6 + 105.0 * x**-8
    assert draws.normal_cdf(-x) == approx(np.exp(-648.0) / (x * np.sqrt(2.0 * np.pi)) * series, rel=1e-12, abs=0.0)


def test_the_ends_are_ends():
    assert draws.exponential(-1e9) == 0.0 and draws.exponential(1e9) == np.inf
    assert draws.normal_cdf(-1e9) == 0.0 and draws.normal_cdf(1e9) == 1.0 and draws.normal_cdf(0.0) == approx(0.5, rel=1e-15)
    assert draws.logarithm(1.0) == 0.0 and draws.normal_quantile(0.5) == 0.0


def test_no_uniform_is_0_or_1():
    """52 bits and a half: the least is 2^-53, the greatest 1 - 2^-53, and both are exact."""
    ones, none = np.uint64(0xFFFFFFFF), np.uint64(0)
    assert draws.fraction(none, none) == 2.0**-53 and draws.fraction(ones, ones) == 1.0 - 2.0**-53


@given(st.integers(0, 2**31), st.integers(1, 200), SEEDS)
def test_a_path_draws_the_same_in_any_row(path, length, seed):
    """Rows of any length from any start: path by path what ``uniform`` gives, and the first of a pair."""
    key = [np.uint64(word) for word in (11, 12, 13)]
    row, first, second = np.empty(length), np.empty(length), np.empty(length)
    draws.fill_uniform(row, *key, np.uint64(path), np.uint64(seed))
    draws.fill_uniform_pair(first, second, *key, np.uint64(path), np.uint64(seed))
    last = draws.uniform(*key, np.uint64(path + length - 1), np.uint64(seed))
    assert row[-1] == last and np.array_equal(row, first) and not np.any(first == second)


def test_normals_are_quantiles_of_the_uniforms_and_standard():
    """200,000 of them: mean 0 and variance 1 to four standard errors."""
    key = [np.uint64(word) for word in (1, 2, 3, 0, 7)]
    row, normal = np.empty(200_000), np.empty(200_000)
    draws.fill_uniform(row, *key)
    draws.fill_normal(normal, *key)
    assert np.array_equal(normal, over("normal_quantile", row))
    assert abs(normal.mean()) < 4.0 * 200_000**-0.5 and abs(normal.var() - 1.0) < 4.0 * 100_000**-0.5


@mark.parametrize("name", list(OVER))
def test_compiled_and_plain_agree_to_the_bit(name):
    grid = np.linspace(0.001, 0.999, 997)
    with np.errstate(over="ignore"):
        assert over(name, grid).tolist() == [getattr(PLAIN, name)(x) for x in grid]


def test_plain_words_are_the_compiled_words():
    key = [np.uint64(word) for word in (5, 6, 7, 8, 2**63 + 9)]
    with np.errstate(over="ignore"):
        assert PLAIN.uniform_pair(*key) == draws.uniform_pair(*key)


@mark.parametrize("name", list(OVER))
def test_a_row_is_worked_in_vectors(name):
    """Packed products of doubles in the machine code, none of them lost to a branch."""
    over(name, np.full(64, 0.5))
    assert "mulpd" in next(iter(OVER[name].inspect_asm().values()))


def test_the_generator_is_worked_in_vectors():
    fresh = njit(draws.fill_uniform.py_func)  # machine code read back from the cache cannot be inspected
    fresh(np.empty(64), *[np.uint64(word) for word in range(5)])
    assert "pmuludq" in next(iter(fresh.inspect_asm().values()))
