"""The loop tool finds gain, sign and delay where they were planted, and none where there is none."""

import numpy as np
import pytest
from pytest import approx, mark, raises
from scipy import signal, stats

from analysis.statistics.bands import amplification, swing
from analysis.statistics.gains import (
    HORIZONS,
    Gain,
    closed_amplification,
    closed_loop,
    closed_path,
    gain,
    per_unit,
    pulse_of,
    step_of,
)
from analysis.statistics.intervals import Claim
from analysis.statistics.toys import Arrow, Ring, balancing_at_hopf, drives

SEEDS, MONTHS = 12, 121
EXPERIMENTS = 400
DRIVE = drives(SEEDS, MONTHS, persistence=0.8, seed=1)
TRADE = Ring((Arrow(0.8, 3), Arrow(0.5, 4)), memory=0.2)  # G = 0.4 / (1 - 0.2) = 0.5, from month 7 on
COBWEB = Ring((Arrow(1.5, 2), Arrow(0.0, 3)), memory=0.9, cobweb=0.13, cobweb_delay=12)  # what it delivers is nothing
PERIODS = np.arange(12.0, 121.0)


def step_response(ring: Ring, wire: int, drive: np.ndarray = DRIVE, size: float = 1.0) -> np.ndarray:
    """What comes back to an open wire per unit of a lasting injection."""
    pushed, held = (ring.run(drive, cut=[wire], injected={wire: by})[1][wire] for by in (size, 0.0))
    return per_unit(pushed, held, size)


def noisy(step: np.ndarray, size: float, seed: int) -> np.ndarray:
    """With branches that do not share all draws."""
    return step + size * drives(*step.shape, persistence=0.8, seed=seed)


def found(ring: Ring, wire: int = -1) -> Gain:
    return gain(step_response(ring, wire % len(ring.arrows)), width=1)


def test_a_rings_gain_sign_and_delay_are_found_as_planted():
    """0.8 x 0.5 after 3 + 4 months, then a fifth of it again each month: nothing at 6, 0.4 x (1 - 0.2^6) / 0.8 at 12, 0.5 at 60."""
    one = found(TRADE)
    assert one.steps.estimate == approx([0.0, 0.5 * (1.0 - 0.2**6), 0.5, 0.5, 0.5])
    assert one.steps.estimate == approx([TRADE.gain(month) for month in HORIZONS])
    assert one.exists and [one.sign(month) for month in HORIZONS] == [0, 1, 1, 1, 1]
    assert one.lag.estimate == one.lag.low == one.lag.high == TRADE.delay == 7
    assert one.leg.estimate == approx(sum(TRADE.gain(month) for month in range(1, 13)) / 12.0)
    assert one.reversal.estimate == approx(0.5, abs=1e-9)
    assert one.reinforces() == "holds" and one.reverses() == "does not hold"


@mark.parametrize("wire", [0, 1])
def test_a_linear_ring_has_the_same_gain_wherever_it_is_opened(wire):
    assert found(TRADE, wire).steps.estimate == approx([TRADE.gain(month) for month in HORIZONS])


def test_gain_and_delay_are_found_under_noise():
    """Noise of a fifth of the gain, 12 seeds: every interval has what was planted, and the lag's has 7 and is five months wide."""
    one = gain(noisy(step_response(Ring(TRADE.arrows), 1), 0.05, seed=2))
    planted = [Ring(TRADE.arrows).gain(month) for month in HORIZONS]
    assert ((one.steps.low <= planted) & (planted <= one.steps.high)).all()
    assert one.exists and one.sign(60) == 1
    assert one.lag.low <= 7.0 <= one.lag.high and one.lag.high - one.lag.low <= 5.0
    assert one.chance <= 0.002


@pytest.fixture(scope="module")
def empty() -> list[Gain]:
    """What is found in 400 experiments of 12 seeds in which there is only noise."""
    many = noisy(np.zeros((EXPERIMENTS * SEEDS, MONTHS)), 0.3, seed=3).reshape(EXPERIMENTS, SEEDS, MONTHS)
    return [gain(each, resamples=999) for each in many]


def test_an_interval_of_the_gain_covers_it_at_its_nominal_rate(empty):
    """At each horizon 0.95 of 400 intervals have G = 0, give or take what 400 experiments leave to chance (0.998)."""
    low, high = stats.binom.interval(0.998, EXPERIMENTS, 0.95)
    hits = np.sum([(one.steps.low <= 0.0) & (one.steps.high >= 0.0) for one in empty], axis=0)
    assert (low <= hits).all() and (hits <= high).all()


def test_no_gain_is_found_in_noise_more_often_than_the_level_says(empty):
    """A gain in 0.05 of experiments, a leg or a reversal in 0.025, give or take 3.1 binomial deviations."""

    def near(share: float, nominal: float) -> bool:
        return abs(share - nominal) < 3.1 * np.sqrt(nominal * (1.0 - nominal) / EXPERIMENTS)

    assert near(np.mean([one.exists for one in empty]), 0.05)
    assert near(np.mean([one.reinforces() == "holds" for one in empty]), 0.025)
    assert near(np.mean([one.reverses() == "holds" for one in empty]), 0.025)
    assert all(one.sign(month) == 0 for one in empty for month in HORIZONS if not one.exists)


def test_a_ring_with_one_arrow_of_strength_zero_has_no_gain_at_any_wire():
    """Paired draws make it exact: nothing comes back, not even noise."""
    dead = Ring((Arrow(0.8, 3), Arrow(0.0, 4), Arrow(0.9, 1)), memory=0.2)
    for wire in range(3):
        one = found(dead, wire)
        assert not one.exists and one.chance == 1.0 and not one.steps.estimate.any()
        assert one.reinforces() == one.reverses() == "does not hold"


def test_nothing_returns_before_the_shortest_way_round():
    """Structural zero: to the bit until month 6."""
    assert not step_response(TRADE, 1)[:, : TRADE.delay].any()
    assert step_response(TRADE, 1)[:, TRADE.delay] == approx(0.4)


@mark.parametrize("width", [1, 6])
def test_a_pulse_tells_the_same_as_a_step(width):
    """A pulse of half a unit over six months, added up, is a step."""
    path = 0.5 * (np.arange(MONTHS) < width)
    pushed, held = (TRADE.run(DRIVE, cut=[1], injected={1: by})[1][1] for by in (path, 0.0))
    pulse = per_unit(pushed, held, 0.5)
    assert step_of(pulse, width) == approx(step_response(TRADE, 1))
    assert pulse_of(step_response(TRADE, 1), width) == approx(pulse)


def test_up_and_down_together_tell_the_same_as_up_alone():
    up, down = (TRADE.run(DRIVE, cut=[1], injected={1: by})[1][1] for by in (0.1, -0.1))
    assert per_unit(up, down, 0.2) == approx(step_response(TRADE, 1))
    with raises(ValueError, match="Branch both from one history"):
        per_unit(up, down, 0.0)


def test_the_lag_of_a_pure_delay_does_not_depend_on_the_pulse():
    step = step_response(Ring((Arrow(-0.7, 10),)), 0)
    assert [gain(step, width=width).lag.estimate for width in (1, 6, 12)] == [10.0, 10.0, 10.0]


def test_dates_of_one_seed_do_not_count_as_seeds():
    """Eight dates of each seed that all agree leave the interval of 12 seeds."""
    step = noisy(step_response(TRADE, 1), 0.3, seed=5)
    many = gain(np.repeat(step, 8, axis=0), seeds=np.repeat(np.arange(SEEDS), 8))
    assert many.steps.seeds == SEEDS and many.steps.low == approx(gain(step).steps.low)
    assert gain(np.repeat(step, 8, axis=0)).steps.low[4] > many.steps.low[4]


def test_the_closed_ring_is_what_the_open_one_predicts():
    """A lasting unit at the wire: 1 / (1 - 0.5) = 2 in the end, and month by month on the way."""
    open_step = step_response(TRADE, 1)[0]
    pushed, held = (TRADE.run(DRIVE, injected={1: by})[1][1] for by in (1.0, 0.0))
    closed = 1.0 + per_unit(pushed, held, 1.0)
    assert closed[0] == approx(closed_path(open_step))
    assert closed[0, -1] == approx(closed_loop(found(TRADE).steps.estimate[-1]), abs=0.001) == approx(2.0, abs=0.001)
    assert closed_path(step_response(TRADE, 1)) == approx(closed)
    assert closed_loop(-1.0) == 0.5
    with raises(ValueError, match="runs away"):
        closed_loop(1.0)
    with raises(ValueError, match="feeds itself"):
        closed_path(np.ones(5))


def test_the_closed_ring_swings_at_every_period_as_the_open_one_predicts():
    """A drive of one period: activity closed over activity open, once settled and over whole periods, is |1 / (1 - g(w))|."""
    step = step_response(TRADE, 1)[0]
    for period in (12.0, 40.0, 100.0):
        drive = np.cos(2.0 * np.pi * np.arange(1200) / period)[None, :]
        live, cut = TRADE.run(drive)[0][0, -600:], TRADE.run(drive, cut=[1])[0][0, -600:]
        assert live.std() / cut.std() == approx(closed_amplification(step, np.array([period]))[0], rel=1e-6)


def test_a_reinforcing_ring_amplifies_and_a_balancing_one_with_short_delay_calms():
    """Slow drives: A is near 1 / (1 - 0.5) = 2 and 1 / (1 + 0.5) = 0.67."""
    drive = drives(16, 480, persistence=0.99, seed=6)
    for sign, planted in ((1.0, 2.0), (-1.0, 0.67)):
        ring = Ring((Arrow(sign * 0.5, 1),))
        one = amplification(*(np.exp(0.01 * ring.run(drive, cut=cut)[0]) for cut in ([], [0])))
        assert one.estimate == approx(planted, rel=0.03) and one.low <= one.estimate <= one.high


def test_a_delayed_balancing_loop_is_found_negative_and_late():
    """Half of what was done is undone twelve months later."""
    one = found(Ring((Arrow(-0.5, 12),), memory=0.3))
    assert one.lag.estimate == 12.0 and [one.sign(month) for month in HORIZONS] == [0, -1, -1, -1, -1]
    assert one.reinforces() == "does not hold" and one.reverses() == "holds"


def test_a_boom_that_reverses_is_found_in_both_legs():
    """A short reinforcing ring and a long balancing one through the same wire: +0.3 from month 2, -0.6 more from month 18."""
    step = sum(step_response(Ring((Arrow(strength, delay),)), 0) for strength, delay in ((0.3, 2), (-0.6, 18)))
    one = gain(noisy(np.asarray(step), 0.05, seed=7))
    assert one.reinforces() == "holds" and one.reverses() == "holds"
    assert [one.sign(month) for month in HORIZONS] == [1, 1, -1, -1, -1]


@mark.parametrize("delay", [6, 12])
def test_at_the_hopf_point_the_period_is_four_delays(delay):
    """Without decay exactly 4 (delay - 1/2), 22 and 46 months; with less strength it dies, with more it grows."""
    ring, period = balancing_at_hopf(delay, 0.0)
    assert period == approx(4.0 * (delay - 0.5)) and ring.strength < 0.0
    start = np.zeros((1, 2300))
    start[0, 0] = 1.0
    path = ring.run(start)[0][0]
    power = np.abs(np.fft.rfft(path[-46 * 44 :]))
    assert 46 * 44 / power.argmax() == approx(period)
    for factor, grows in ((0.95, False), (1.05, True)):
        near = Ring((Arrow(factor * ring.strength, delay),), memory=1.0).run(start)[0][0]
        assert (np.abs(near[-100:]).max() > np.abs(near[100:200]).max()) == grows


def test_the_open_wire_tells_the_period_of_the_closed_loop():
    """A balancing loop of delay 12 with little decay: sign, delay and its period of 44 months, 3.7 delays."""
    ring, period = balancing_at_hopf(12, 0.01)
    step = step_response(ring, 0, drive=np.zeros((SEEDS, 1201)))
    one = gain(step, width=1)
    assert one.lag.estimate == 12.0 and one.sign(60) == -1
    calls = closed_amplification(step[0], PERIODS)
    assert PERIODS[calls.argmax()] == round(period) == 44 and calls.max() > 100.0


def test_a_pure_cobweb_swings_without_any_gain_of_arrows():
    """It swings by itself at about 40 months, and its arrows carry the swing, but what is injected into them never returns."""
    drive = drives(16, 600, seed=8)
    live, sent = COBWEB.run(drive)
    cut = COBWEB.run(drive, cut=[0, 1])[0]
    assert (live == cut).all()
    assert sent[0].std() > 1.0
    calm = COBWEB.run(drive, cobweb=False)[0]
    assert amplification(*(np.exp(0.01 * paths) for paths in (live, cut))).high == 1.0
    assert amplification(*(np.exp(0.01 * paths) for paths in (live, calm))).low > 1.2
    for wire in (0, 1):
        assert not found(COBWEB, wire).exists
    frequency, power = signal.welch(live, nperseg=300)
    assert 36.0 < 1.0 / frequency[power.mean(axis=0).argmax()] < 50.0


def test_an_amplifier_without_a_loop_is_amplified_but_has_no_gain():
    """Activity is driven, and five times of it ends in an outcome: cutting the arrow calms the outcome, yet nothing returns."""
    amplifier = Ring((Arrow(5.0, 1), Arrow(0.0, 1)))
    drive = drives(16, 240, persistence=0.95, seed=9)
    activity, sent = amplifier.run(drive)
    passed = amplification(np.exp(0.01 * (activity + sent[0])), np.exp(0.01 * activity))
    assert Claim("above", 1.0).word(passed) == "holds" and passed.low > 4.0
    assert swing(sent[0]).mean() > 4.0 * swing(activity).mean()
    assert not found(amplifier, 0).exists and not found(amplifier, 1).exists


def test_paths_that_end_too_early_are_refused():
    with raises(ValueError, match=r"paths of 60 months end before month 60\. Branch for 61 months"):
        gain(np.zeros((8, 60)))


def test_the_table_of_a_gain_is_one_row_a_horizon():
    table = found(TRADE).table()
    assert list(table) == ["month", "estimate", "low", "high", "sign"] and list(table["month"]) == list(HORIZONS)


def test_a_ring_with_a_closed_wire_is_the_sum_of_its_turns():
    """The toy itself: a shock of 1 returns as 0.4 after 7 months and as 0.16 after 14."""
    shock = np.zeros((1, 30))
    shock[0, 0] = 1.0
    path = Ring((Arrow(0.8, 3), Arrow(0.5, 4))).run(shock)[0][0]
    expected = np.zeros(30)
    expected[[0, 7, 14, 21, 28]] = [0.4**k for k in range(5)]
    assert path == approx(expected)


def test_drives_are_as_persistent_and_as_wide_as_asked():
    """Variance 1 / (1 - 0.8^2) = 2.78 from the first month on."""
    paths = drives(20_000, 3, persistence=0.8, seed=10)
    assert paths.var(axis=0) == pytest.approx([1.0 / 0.36] * 3, rel=0.05)
    assert np.corrcoef(paths[:, 0], paths[:, 1])[0, 1] == approx(0.8, abs=0.01)
