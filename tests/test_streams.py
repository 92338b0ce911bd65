"""Randomness: the published generator, and draws that depend on their key alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, mark

from sim.streams import Streams, entity, philox

KNOWN = (  # Random123, kat_vectors: philox4x32 10
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
)
MANY = np.arange(20_000, dtype=np.uint64)


def words(text: str) -> np.ndarray:
    return np.array([int(word, 16) for word in text.split()], dtype=np.uint64)


@mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, answer):
    """Salmon et al. 2011: words of the counter, of the key, and what ten rounds make of them."""
    assert philox(words(counter)[None], words(key)).tolist() == [words(answer).tolist()]


def test_philox_is_the_same_compiled_or_not():
    counter, key = np.stack([words(known[0]) for known in KNOWN]), words(KNOWN[2][1])
    with np.errstate(over="ignore"):
        assert np.array_equal(philox.py_func(counter, key), philox(counter, key))


@given(st.permutations(list(range(12))), st.integers(0, 12))
def test_a_draw_depends_on_its_entity_and_not_on_who_else_draws(order, count):
    """Any selection of twelve entities in any order: each gets what it gets among all."""
    keys = np.array([entity(f"lab {i}") for i in range(12)], dtype=np.uint64)
    chosen = np.array(order[:count], dtype=np.int64)
    among_all = Streams(3).draw("quality", 5, keys)
    assert np.array_equal(Streams(3).draw("quality", 5, keys[chosen]), among_all[chosen])


def test_every_part_of_the_key_changes_the_draw():
    key = np.array([entity("us/lab/00")], dtype=np.uint64)
    other = np.array([entity("us/lab/01")], dtype=np.uint64)
    draws = [
        Streams(1).draw("quality", 7, key),
        Streams(2).draw("quality", 7, key),
        Streams(1 + 2**32).draw("quality", 7, key),
        Streams(1).draw("demand", 7, key),
        Streams(1).draw("quality", 8, key),
        Streams(1).draw("quality", -7, key),
        Streams(1).draw("quality", 7, other),
        Streams(1).draw("quality", 7, key, index=1),
    ]
    assert len({float(draw[0]) for draw in draws}) == len(draws)


def test_uniforms_lie_inside_the_unit_interval_with_its_mean_and_variance():
    """20,000 draws: the mean is within 4 x sqrt(1 / 12 / 20,000) = 0.0082 of a half, the variance near 1 / 12."""
    values = Streams(11).uniform("test", 0, MANY)
    assert values.min() > 0.0 and values.max() < 1.0
    assert values.mean() == approx(0.5, abs=0.0082) and values.var() == approx(1 / 12, rel=0.03)


def test_normals_have_mean_zero_and_variance_one_and_months_are_uncorrelated():
    """20,000 draws: four standard errors are 4 / sqrt(20,000) = 0.028, and 0.04 for the variance."""
    now, then = (Streams(11).draw("test", month, MANY) for month in (0, 1))
    assert now.mean() == approx(0.0, abs=0.028) and now.var() == approx(1.0, abs=0.04)
    assert np.corrcoef(now, then)[0, 1] == approx(0.0, abs=0.028)
    assert np.corrcoef(now[1:], now[:-1])[0, 1] == approx(0.0, abs=0.028)
