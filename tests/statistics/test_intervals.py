"""Intervals over seeds: they cover as often as they say, tell words apart, and resample seeds whole."""

import numpy as np
from pytest import approx, mark, raises
from scipy import stats

from analysis.statistics.bands import swing
from analysis.statistics.intervals import (
    Claim,
    Interval,
    TooFewSeeds,
    bootstrap,
    by_seed,
    effect,
    expanded,
    fewest_seeds,
    mean,
    ratio,
)
from analysis.statistics.power import POWER, seeds_needed, smallest_effect, spread
from analysis.statistics.presence import chance
from analysis.statistics.toys import drives

EXPERIMENTS = 500
NOMINAL = stats.binom.interval(0.998, EXPERIMENTS, 0.95)  # how many of them may cover if 0.95 is true


def interval(low: float, high: float) -> Interval:
    return Interval(np.array((low + high) / 2.0), np.array(low), np.array(high), 0.95, 16)


def covered(values: np.ndarray, truth: float) -> int:
    """How many of (experiments, seeds) samples have an interval with the truth."""
    found = [bootstrap(mean, sample[:, None], resamples=999) for sample in values]
    return sum(bool(one.low[0] <= truth <= one.high[0]) for one in found)


def test_an_interval_covers_the_mean_of_sixteen_seeds_at_its_nominal_rate():
    """500 experiments at 0.95: 460 to 489 with chance 0.998. The same bootstrap without the wider level covers 0.91."""
    values = np.random.default_rng(1).standard_normal((EXPERIMENTS, 16))
    assert NOMINAL[0] <= covered(values, 0.0) <= NOMINAL[1]
    raw = stats.bootstrap((values[:, :],), np.mean, axis=1, n_resamples=999, rng=np.random.default_rng(0)).confidence_interval
    assert np.sum((raw.low <= 0.0) & (raw.high >= 0.0)) < NOMINAL[0]


def test_an_interval_covers_the_ratio_of_two_swings_at_its_nominal_rate():
    """Two AR(1) of persistence 0.9, one half again as large: the mean log of the ratio of swings is log 1.5."""
    paths = drives(EXPERIMENTS * 32, 144, persistence=0.9, seed=2)
    logs = np.log(swing(paths)).reshape(2, EXPERIMENTS, 16)
    assert NOMINAL[0] <= covered(np.log(1.5) + logs[0] - logs[1], np.log(1.5)) <= NOMINAL[1]


@mark.parametrize("seeds", [8, 16, 32])
def test_bounds_of_normal_means_are_those_of_students_t(seeds):
    """Within a twelfth of the width: the bootstrap takes the sample's skew for the world's."""
    values = stats.norm.ppf((np.arange(seeds) + 0.5) / seeds)  # no skew
    student = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    found = bootstrap(mean, values[:, None]).at(0)
    assert (found.low, found.high) == approx((student.low, student.high), abs=(student.high - student.low) / 12)
    assert found.estimate == approx(values.mean())


def test_bounds_are_scipys_at_the_wider_level():
    values = np.random.default_rng(3).lognormal(size=(24, 1))
    theirs = stats.bootstrap(
        (values[:, 0],), np.mean, n_resamples=4999, confidence_level=expanded(0.95, 24), rng=np.random.default_rng(0)
    ).confidence_interval
    ours = bootstrap(mean, values)
    assert (ours.low[0], ours.high[0]) == approx((theirs.low, theirs.high), rel=1e-12)


def test_the_wider_level_is_students_reach_in_normal_terms():
    """8 seeds: t(0.975, 7) = 2.3646, times sqrt(8 / 7) = 2.5279, beyond which a normal lies 0.01148 of the time."""
    assert expanded(0.95, 8) == approx(1.0 - 0.01148, abs=1e-5)
    assert expanded(0.95, 100_000) == approx(0.95, abs=1e-4)


def test_the_same_call_gives_the_same_bits():
    values = np.random.default_rng(4).standard_normal((12, 3))
    assert (bootstrap(mean, values).low == bootstrap(mean, values).low).all()
    assert (bootstrap(mean, values).low != bootstrap(mean, values, seed=1).low).any()


def test_numbers_of_one_seed_are_drawn_together():
    """Columns that mirror each other sum to zero in every resample, so the sum's interval is a point."""
    column = np.random.default_rng(5).standard_normal((16, 1))
    found = bootstrap(lambda sample: mean(sample).sum(axis=-1, keepdims=True), np.hstack([column, -column]))
    assert np.r_[found.low, found.high] == approx(0.0, abs=1e-12)


def test_pairing_by_seed_removes_what_both_runs_share():
    """Swings of 10 in both, a difference of 1 give or take 0.1: bounds are about 0.1 apart, not 10."""
    draws = np.random.default_rng(6)
    shared = 10.0 * draws.standard_normal(20)
    found = effect(shared + 1.0 + 0.1 * draws.standard_normal(20), shared)
    assert found.low < 1.0 < found.high and found.high - found.low < 0.2
    apart = effect(shared + 1.0, shared[::-1])
    assert apart.high - apart.low > 5.0


def test_a_ratio_is_the_geometric_mean_over_seeds():
    """Twice in half of the seeds, half in the others: 1."""
    other = np.random.default_rng(7).lognormal(size=10)
    found = ratio(other * np.array([2.0, 0.5] * 5), other)
    assert found.estimate == approx(1.0) and 0.5 < found.low < 1.0 < found.high < 2.0
    with raises(ValueError, match="the least is 0"):
        ratio(np.zeros(10), other)


def test_an_effect_without_spread_is_a_point():
    base = np.random.default_rng(8).standard_normal((8, 2))
    found = effect(base + np.array([0.0, 0.5]), base)
    assert np.stack([found.low, found.high]) == approx(np.array([[0.0, 0.5], [0.0, 0.5]]))


def test_dates_of_one_seed_make_one_block():
    """Sixteen copies of each of 8 seeds are worth 8 seeds, in whatever order they come."""
    values = np.random.default_rng(9).standard_normal((8, 1))
    seeds = np.random.default_rng(10).permutation(np.repeat(np.arange(8), 16))
    assert by_seed(values[seeds], seeds) == approx(values)
    with raises(ValueError, match="1 to 2 rows"):
        by_seed(values[:3], [1, 1, 2])
    with raises(ValueError, match="8 rows of values have 7 seeds"):
        by_seed(values, range(7))


def test_too_few_seeds_give_no_interval():
    """Five seeds' range covers a median 1 - 2 / 32 = 0.9375 of the time, six 0.96875; five intervals at once need eight."""
    assert [fewest_seeds(level) for level in (0.9375, 0.95, 0.96875, 0.99)] == [5, 6, 6, 8]
    with raises(TooFewSeeds, match=r"5 seeds; an interval at 0\.95 needs 6"):
        bootstrap(mean, np.zeros((5, 1)))
    with raises(TooFewSeeds, match=r"7 seeds; an interval at 0\.99 needs 8"):
        bootstrap(mean, np.zeros((7, 1)), family=5)
    with raises(ValueError, match=r"rows \[2\] are not finite"):
        bootstrap(mean, np.r_[0.0, 1.0, np.nan, 2.0, 3.0, 4.0][:, None])
    with raises(ValueError, match="cannot be paired"):
        effect(np.zeros(8), np.zeros(9))


def test_a_family_of_intervals_is_wider_than_one():
    values = np.random.default_rng(11).standard_normal((16, 1))
    one, five = bootstrap(mean, values), bootstrap(mean, values, family=5)
    assert five.level == approx(0.99) and five.low < one.low and five.high > one.high


@mark.parametrize(
    ("claim", "low", "high", "word"),
    [
        (Claim("above"), 0.1, 0.3, "holds"),
        (Claim("above"), -0.1, 0.3, "cannot tell"),
        (Claim("above"), -0.3, -0.1, "does not hold"),
        (Claim("above"), 0.0, 0.0, "does not hold"),
        (Claim("above", 0.2), 0.1, 0.3, "cannot tell"),
        (Claim("above", 0.2), 0.1, 0.15, "does not hold"),
        (Claim("below", 1.0), 0.8, 0.9, "holds"),
        (Claim("below", 1.0), 1.0, 1.1, "does not hold"),
        (Claim("below", 1.0), 0.9, 1.1, "cannot tell"),
        (Claim("within", 0.2), -0.1, 0.1, "holds"),
        (Claim("within", 0.2), -0.3, 0.1, "cannot tell"),
        (Claim("within", 0.2), 0.2, 0.4, "does not hold"),
        (Claim("within", 0.2), -0.4, -0.2, "does not hold"),
        (Claim("within", 0.2), -0.4, 0.4, "cannot tell"),
        (Claim("above"), np.nan, 0.3, "cannot tell"),
    ],
)
def test_words_follow_from_the_interval_and_the_claim(claim, low, high, word):
    assert claim.word(interval(low, high)) == word


def test_power_is_that_of_the_noncentral_t():
    """16 seeds, 0.05 two-sided: an effect of delta is seen where noncentral t(15, 4 delta) leaves the bounds, 0.8 of the time."""
    found = smallest_effect(2.0, 16)
    reach, shift = stats.t.ppf(0.975, 15), found / 2.0 * 4.0
    assert stats.nct.sf(reach, 15, shift) + stats.nct.cdf(-reach, 15, shift) == approx(POWER, abs=1e-6)
    assert smallest_effect(0.0, 16) == 0.0 and smallest_effect(2.0, 16, level=0.99) > found


def test_the_smallest_effect_is_seen_by_the_bootstrap_as_often_as_promised():
    """300 experiments of 16 seeds: 0.8 of them miss zero, give or take 0.08 (3.4 binomial deviations)."""
    draws = np.random.default_rng(12).standard_normal((300, 16))
    planted = draws + smallest_effect(1.0, 16)
    seen = [Claim("above").word(bootstrap(mean, one[:, None], resamples=999).at(0)) == "holds" for one in planted]
    assert np.mean(seen) == approx(0.8, abs=0.08)


def test_seeds_needed_and_the_smallest_effect_undo_each_other():
    seeds = seeds_needed(0.5, 1.0)
    assert seeds == 34  # Cohen's d = 0.5, paired: 33.4
    assert smallest_effect(1.0, seeds) <= 0.5 < smallest_effect(1.0, seeds - 1)
    assert seeds_needed(1000.0, 1.0) == 2
    assert spread(np.array([1.0, 3.0])) == approx(np.sqrt(2.0))
    with raises(ValueError, match="effect of zero"):
        seeds_needed(0.0, 1.0)
    with raises(ValueError, match="1 seeds"):
        smallest_effect(1.0, 1)


def test_of_all_months_together_chance_finds_nothing_at_its_nominal_rate():
    """400 experiments of 12 seeds and 61 months that depend on each other: 0.05 of them at most but for 3.1 deviations."""
    paths = drives(400 * 12, 61, persistence=0.8, seed=13).reshape(400, 12, 61)
    found = np.mean([chance(one, flips=499) <= 0.05 for one in paths])
    assert 0.05 - 3.1 * 0.0109 < found < 0.05 + 3.1 * 0.0109
    single = np.mean([(stats.ttest_1samp(one, 0.0).pvalue <= 0.05).any() for one in paths])
    assert single > 0.3  # looking at each month alone finds much that is not there


def test_chance_of_eight_seeds_that_all_agree_is_two_in_two_hundred_and_fifty_six():
    """All eight signs alike come up in 2 / 256 = 0.0078 of flips; without any difference the chance is 1."""
    assert chance(np.ones((8, 3))) == approx(2.0 / 256.0, abs=0.003)
    assert chance(np.zeros((8, 3))) == 1.0
    with raises(ValueError, match="not finite"):
        chance(np.full((8, 3), np.nan))
