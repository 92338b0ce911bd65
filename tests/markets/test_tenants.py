"""Tenants of unequal size, and the price of their credit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, mark, raises

from sim.compose import resolve
from sim.markets import tenants, tokens
from sim.mistakes import Mistakes

P = resolve([]).sim.markets.tenants
UNEQUAL = P.model_copy(update={"concentration": 0.5, "least": 0.02})


def test_labs_are_alike_without_concentration():
    assert tenants.shares(P, np.array([0.1, 0.9, 0.5])).tolist() == [1.0 / 3.0] * 3


def test_shares_are_gamma_quantiles_over_their_sum():
    """A shape of 1 is exponential: -log(1 - u) = log 2, log 4, log 8: 1, 2 and 3 sixths, of what 0.02 each leaves."""
    p = P.model_copy(update={"concentration": 1.0, "least": 0.02})
    found = tenants.shares(p, 1.0 - np.array([0.5, 0.25, 0.125]))
    assert found == approx(0.02 + 0.94 * np.array([1.0, 2.0, 3.0]) / 6.0)


def test_the_largest_has_its_own_share_and_the_others_theirs_in_proportion():
    plain = tenants.shares(UNEQUAL, np.array([0.3, 0.6, 0.9]))
    found = tenants.shares(UNEQUAL.model_copy(update={"top": 0.7}), np.array([0.3, 0.6, 0.9]))
    assert found[2] == approx(0.7) and found.sum() == approx(1.0)
    assert found[0] / found[1] == approx(plain[0] / plain[1]) and plain[2] == plain.max()


@given(st.lists(st.floats(1e-12, 1.0 - 1e-12), min_size=2, max_size=40), st.floats(0.01, 50.0))
def test_shares_are_shares_and_none_is_below_the_least(draws, concentration):
    p = P.model_copy(update={"concentration": concentration, "least": 0.02})
    found = tenants.shares(p, np.array(draws))
    assert found.sum() == approx(1.0) and (found >= 0.02 - 1e-12).all()


def test_shares_have_the_mean_and_variance_of_a_dirichlet_law():
    """Four labs at 2: means of a quarter, variances of 3/16 over 9."""
    draws = (np.random.default_rng(0).permuted(np.tile((np.arange(4_000) + 0.5) / 4_000, (4, 1)), axis=1)).T
    p = P.model_copy(update={"concentration": 2.0, "least": 1e-4})
    found = np.array([tenants.shares(p, row) for row in draws])
    assert found.mean(axis=0) == approx(0.25, abs=0.01) and found.var(axis=0) == approx(3.0 / 16.0 / 9.0, rel=0.1)


def test_labs_anchor_as_many_operators_as_they_are_large():
    """Of ten operators 0.6, 0.1 and 0.3: six for the first, then three for the third, one for the second."""
    assert tenants.anchored_at(np.array([0.6, 0.1, 0.3]), 10).tolist() == [0] * 6 + [2] * 3 + [1]
    assert tenants.anchored_at(np.array([1.0]), 2).tolist() == [0, 0]


@mark.parametrize(
    ("burn", "cash", "expected"),
    [(-5.0, 10.0, 0.01), (0.0, 0.0, 0.01), (10.0, 10.0, 0.05), (5.0, 10.0, 0.03), (100.0, 1.0, 0.28), (1.0, 0.0, 0.28)],
)
def test_a_lab_that_burns_its_cash_is_likelier_to_fail(burn, cash, expected):
    """0.01 (1 + 4 burn / cash), at most 0.28."""
    p = P.model_copy(update={"sensitivity": 4.0, "most_default": 0.28})
    assert tenants.default_probability(p, 0.01, np.array([burn]), np.array([cash])) == approx([expected])


def test_lenders_ask_the_price_of_what_is_beyond_the_usual():
    p = P.model_copy(update={"price": 1.4})
    assert tenants.premium(p, 0.01, np.array([0.005, 0.01, 0.06])) == approx([0.0, 0.0, 0.07])


@mark.parametrize(
    ("lines", "words"),
    [
        (["top=0.5"], "top 0.5 needs shares that differ"),
        (["concentration=1", "top=0.2"], "top 0.2 is less than an equal share among agents.labs.count 3"),
        (["concentration=1", "least=0.2"], ""),
        (["credit=own", "most_default=0.005"], "most_default 0.005 lies below sim.ratings.tenant_default 0.01"),
    ],
)
def test_what_cannot_be_is_refused(lines, words):
    line = ["size=class", *(f"sim.markets.tenants.{x}" for x in lines)]
    if not words:
        assert resolve(line).sim.markets.tenants.least == 0.2
        return
    with raises(Mistakes, match=words):
        resolve(line)


def test_quality_only_decays_while_no_lab_trains():
    """Half-life of a year: a month takes log 2 over 12 of it."""
    p = resolve([]).sim.markets.tokens.model_copy(update={"quality_noise": 0.0})
    found = tokens.improve(p, np.array([0.6, -0.6]), np.zeros(2), 1.0, np.zeros(2))
    assert found == approx(np.array([0.6, -0.6]) * (1.0 - np.log(2.0) / 12.0))
