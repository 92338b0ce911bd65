"""Shares of cuts in games whose answer is known."""

from itertools import permutations

import numpy as np
from pytest import approx, mark, raises

from analysis.statistics.factorial import contributions, cuts, dividends, shapley
from analysis.statistics.intervals import Claim
from analysis.statistics.toys import Arrow, Ring, drives

NAMES = ("capital", "obsolescence", "valuation", "credit")
ALONE = np.array([1.0, 2.0, 4.0, 8.0])


def game(values: np.ndarray, noise: float = 0.0, seeds: int = 12) -> np.ndarray:
    """The same outcomes in every seed but for noise that the cuts of a seed share."""
    return np.tile(values, (seeds, 1)) + noise * np.random.default_rng(1).standard_normal((seeds, 1))


def test_arrows_that_add_up_get_what_they_do_alone():
    """1, 2, 4, 8 whatever else is live: of 15, shares 1/15 to 8/15; together nothing more."""
    found = contributions(NAMES, game(cuts(4) @ ALONE, noise=5.0))
    assert found.values.estimate == approx(ALONE) and found.shares.estimate == approx(ALONE / 15.0)
    assert found.total.estimate == approx(15.0)
    assert found.excess.estimate == approx(0.0, abs=1e-9) and found.joint.estimate == approx(0.0, abs=1e-9)


def test_a_loop_that_needs_every_arrow_is_shared_alike():
    """Unanimity: 12 with all live, else nothing. 3 each, all of it beyond what arrows do alone."""
    found = contributions(NAMES, game(np.where(cuts(4).all(axis=1), 12.0, 0.0)))
    assert found.values.estimate == approx([3.0] * 4) and found.shares.estimate == approx([0.25] * 4)
    assert found.excess.estimate == found.joint.estimate == approx(12.0)


def test_gloves_are_shared_by_scarcity():
    """One left glove, two right ones, a pair is worth 1: 2/3, 1/6, 1/6."""
    live = cuts(3)
    found = contributions(("left", "right", "other"), game(np.where(live[:, 0] & live[:, 1:].any(axis=1), 1.0, 0.0)))
    assert found.values.estimate == approx([2 / 3, 1 / 6, 1 / 6])
    assert found.excess.estimate == approx(1.0) and found.joint.estimate == approx(-1.0)


def test_an_arrow_that_does_nothing_gets_nothing_and_a_stabiliser_less():
    live = cuts(3)
    found = contributions(("loop", "idle", "brake"), game(3.0 + 2.0 * live[:, 0] - 0.5 * live[:, 2]))
    assert found.values.estimate == approx([2.0, 0.0, -0.5], abs=1e-12)


@mark.parametrize("arrows", [1, 2, 3, 4, 5])
def test_weights_are_the_mean_over_all_orders_of_arrival(arrows):
    values = np.random.default_rng(arrows).standard_normal(2**arrows)
    by_order = np.zeros(arrows)
    orders = list(permutations(range(arrows)))
    for order in orders:
        alive = 0
        for arrow in order:
            by_order[arrow] += values[alive | 1 << arrow] - values[alive]
            alive |= 1 << arrow
    assert shapley(arrows) @ values == approx(by_order / len(orders))
    assert (shapley(arrows) @ values).sum() == approx(values[-1] - values[0])


def test_dividends_of_all_subsets_add_up_to_the_outcome():
    """And a value is its share of every dividend in which the arrow has a part."""
    values = np.random.default_rng(2).standard_normal(16)
    parts, live = dividends(4) @ values, cuts(4)
    for row in range(16):
        inside = ~(live & ~live[row]).any(axis=1)
        assert parts[inside].sum() == approx(values[row])
    shares = np.where(live, parts[:, None] / np.maximum(live.sum(axis=1), 1)[:, None], 0.0)
    assert shares[1:].sum(axis=0) == approx(shapley(4) @ values)


def test_rows_of_cuts_are_bits():
    assert cuts(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]
    assert cuts(4)[0b1010].tolist() == [False, True, False, True]
    for wrong in (0, 6):
        with raises(ValueError, match="takes 1 to 5"):
            cuts(wrong)
    with raises(ValueError, match="4 arrows have 16 cuts"):
        contributions(NAMES, np.zeros((8, 8)))


def test_values_have_intervals_and_shares_of_nothing_are_not_told():
    outcomes = cuts(2) @ np.array([1.0, 0.0]) + 0.3 * np.random.default_rng(3).standard_normal((16, 4))
    found = contributions(("works", "idle"), outcomes)
    assert found.values.low[0] > 0.5 and found.values.low[1] < 0.0 < found.values.high[1]
    assert found.shares.low[0] < 1.0 < found.shares.high[0] and found.shares.estimate.sum() == approx(1.0)
    nothing = contributions(("idle", "too"), np.zeros((8, 4)))
    assert Claim("above").word(nothing.shares.at(0)) == "cannot tell"
    assert Claim("above").word(nothing.values.at(0)) == "does not hold"
    assert list(found.table()["arrow"]) == ["works", "idle"] and len(found.table().columns) == 7


def test_the_swing_of_a_planted_ring_is_super_additive():
    """Ring of two arrows of 0.7, G = 0.49: no part without the other, so 1/2 each; all of the swing's rise is joint."""
    ring, drive = Ring((Arrow(0.7, 1), Arrow(0.7, 1))), drives(12, 360, persistence=0.9, seed=4)
    swings = [ring.run(drive, cut=np.flatnonzero(~live))[0].std(axis=1) for live in cuts(2)]
    found = contributions(("there", "back"), np.stack(swings, axis=1))
    assert found.shares.estimate == approx([0.5, 0.5]) and found.excess.low > 0.0
    assert found.joint.estimate == approx(found.total.estimate)
