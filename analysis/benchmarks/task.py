"""The benchmark's deal and the paths it is paid down: the same rules and numbers for every contender.

Three sequential classes on a pool that is repaid ever faster; senior fees, a fixed reserve, a cash trap, a latched
rapid trigger, an ARD with turbo, a principal deficiency ledger. Rents wander, tenants leave for half a year, units
default: two in five paths are trapped at some time, one in eight draws on the reserve, one in a hundred costs class C.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sim.kernels.layouts import Layout, layout

CLASSES = 3
LINE = 64  # bytes of a cache line
PERIODS = 120
CELL = 64
PATHS = 41 * CELL  # a few thousand, no power of two: rows of such a length would crowd into a few sets of the cache
POOL, NOTES = 100.0, (60.0, 20.0, 12.0)  # USD
VACANCY, LEAVES = 6, 0.004  # periods; 1/period
RECORDS: Layout = layout(CLASSES)


class Task(NamedTuple):
    """One deal on many paths."""

    terms: np.ndarray  # (1,) record
    opening: np.ndarray  # (1,) record of the state at closing
    revenue: np.ndarray  # (t, s) USD
    default_rate: np.ndarray  # (t, s) 1/period
    amortisation: np.ndarray  # (t,) 1/period
    recovery_rate: float  # share


def aligned(values: np.ndarray) -> np.ndarray:
    """A copy that begins on a cache line."""
    raw = np.empty(values.nbytes + LINE, dtype=np.uint8)
    start = -raw.ctypes.data % LINE
    copy = raw[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


def deal() -> tuple[np.ndarray, np.ndarray]:
    """Terms and opening state, one record each."""
    terms, opening = RECORDS.blank("terms", 1), RECORDS.blank("state", 1)
    used = np.s_[0, :CLASSES]
    terms["classes"], terms["pool_at_closing"], opening["pool"] = CLASSES, POOL, POOL
    terms["rank"][used], terms["coupon"][used] = (1, 2, 3), (0.055, 0.07, 0.10)
    terms["notional"][used] = opening["balance"][used] = NOTES
    terms["fee_fixed"], terms["fee_rate"] = 0.01, 0.005
    terms["reserve_target"] = opening["reserve"] = 1.5
    terms["dscr_trap"], terms["dscr_rapid"], terms["ard"] = 1.35, 1.10, 84
    return terms, opening


def task(paths: int = PATHS, seed: int = 7) -> Task:
    """Draw the inputs of ``paths`` paths; the kernel takes whole cells of 64."""
    draws = np.random.Generator(np.random.Philox(seed))
    remaining = 1.0 - (np.arange(PERIODS + 1) / (1.05 * PERIODS)) ** 2
    left = draws.random((PERIODS, paths)) < LEAVES
    vacant = left.copy()
    for lag in range(1, VACANCY):
        vacant[lag:] |= left[:-lag]
    rent = np.exp(np.cumsum(0.025 * draws.standard_normal((PERIODS, paths)), axis=0)) * np.where(vacant, 0.1, 1.0)
    fragile = np.exp(draws.standard_normal(paths))
    defaults = 0.004 * draws.random((PERIODS, paths)) ** 4 * fragile
    revenue, amortisation = remaining[:-1, None] * rent, 1.0 - remaining[1:] / remaining[:-1]
    return Task(*deal(), aligned(revenue), aligned(defaults), aligned(amortisation), recovery_rate=0.3)


def part(work: Task, paths: int) -> Task:
    """The task on its first paths."""
    return work._replace(revenue=aligned(work.revenue[:, :paths]), default_rate=aligned(work.default_rate[:, :paths]))


def periods(work: Task) -> np.ndarray:
    """Inputs of every period that paths share."""
    wides = RECORDS.blank("period", PERIODS)
    wides["amortisation_rate"], wides["recovery_rate"], wides["last"][-1] = work.amortisation, work.recovery_rate, True
    return wides


class Prepared(NamedTuple):
    """A task that a contender is ready to pay."""

    call: Callable[[], object]  # what is timed
    read: Callable[[], tuple[np.ndarray, np.ndarray]]  # after it: interest and principal, (t or 1, k, s) USD
