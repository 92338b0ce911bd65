"""Impulse responses of processes whose response is known."""

import numpy as np
from pytest import approx, raises
from statsmodels.tsa.arima_process import ArmaProcess

from analysis.statistics.impulses import impulse
from analysis.statistics.toys import Arrow, Ring, drives

SEEDS, MONTHS = 16, 61
DRIVE = drives(SEEDS, MONTHS, seed=1)
HUMP = Ring((Arrow(-0.45, 2),), memory=1.3)  # an AR(2) with roots that turn


def shocked(size: float = 1.0) -> np.ndarray:
    shock = np.zeros(MONTHS)
    shock[0] = size
    return DRIVE + shock


def test_the_response_of_an_ar2_is_its_moving_average():
    """x(t) = 1.3 x(t-1) - 0.45 x(t-2) + e: statsmodels' impulse response; largest a month later, 1.3."""
    found = impulse(HUMP.run(shocked())[0], HUMP.run(DRIVE)[0])
    assert found.response.estimate == approx(ArmaProcess([1.0, -1.3, 0.45], [1.0]).impulse_response(MONTHS), abs=1e-12)
    assert found.lag == 1 and found.height.estimate == approx(1.3) and found.anywhere


def test_bounds_cover_the_response_when_branches_share_not_all_draws():
    """Month by month 0.95 of intervals have it: of 100 x 61, give or take what 100 experiments leave to chance."""
    truth = HUMP.run(shocked())[0] - HUMP.run(DRIVE)[0]
    noise = drives(100 * SEEDS, MONTHS, persistence=0.7, seed=2).reshape(100, SEEDS, MONTHS)
    hits = [
        (one.response.low <= truth[0]) & (truth[0] <= one.response.high) for one in (impulse(truth + n, 0.0 * n) for n in noise)
    ]
    assert np.mean(hits) == approx(0.945, abs=0.02)


def test_no_response_is_found_where_there_is_none():
    """Same branch twice: zero to the bit. Branches with other draws: in 0.05 of 100 experiments, give or take 0.068."""
    base = HUMP.run(DRIVE)[0]
    same = impulse(base, base)
    assert not same.anywhere and not same.response.low.any() and not same.response.high.any()
    noise = drives(200 * SEEDS, MONTHS, persistence=0.7, seed=3).reshape(2, 100, SEEDS, MONTHS)
    assert np.mean([impulse(one, two).anywhere for one, two in zip(*noise, strict=True)]) == approx(0.05, abs=0.068)


def test_logs_make_the_response_relative():
    """Ten per cent more in every month: log 1.1."""
    base = np.exp(DRIVE)
    assert impulse(1.1 * base, base, logs=True).response.estimate == approx(np.log(1.1))
    with raises(ValueError, match="logs need positive values; the least is -1"):
        impulse(-np.ones((8, 3)), np.ones((8, 3)), logs=True)


def test_dates_of_one_seed_are_one_block():
    base = HUMP.run(DRIVE)[0]
    other = base + drives(SEEDS, MONTHS, seed=4)
    found = impulse(np.repeat(other, 3, axis=0), np.repeat(base, 3, axis=0), seeds=np.repeat(np.arange(SEEDS), 3))
    assert found.response.seeds == SEEDS and found.response.low == approx(impulse(other, base).response.low)
    assert list(found.table()) == ["month", "estimate", "low", "high"] and len(found.table()) == MONTHS
