"""The project's own rules on the benchmark's inputs: many paths at a time, and naively path by path on a deal's records."""

import numpy as np
from numba import njit

from analysis.benchmarks.task import CLASSES, PERIODS, RECORDS, Prepared, Task, periods
from sim.kernels.packs import WIDTH
from sim.kernels.waterfall import demanding, dust_of, open_deal, pay_paths, prepare, step


def paths(work: Task, every_period: bool = False) -> Prepared:
    """The task for the kernel, ``WIDTH`` paths at a time."""
    revenue, default_rate = in_cells(work.revenue, WIDTH), in_cells(work.default_rate, WIDTH)
    shape = (len(revenue), PERIODS if every_period else 1, CLASSES, WIDTH)
    interest, principal = np.zeros(shape), np.zeros(shape)
    inputs = (work.terms, work.opening, periods(work), RECORDS.blank("payment", 1), revenue, default_rate, interest, principal)
    return Prepared(lambda: pay_paths(*inputs, every_period), lambda: (by_path(interest), by_path(principal)))


def singly(work: Task) -> Prepared:
    """The task path by path: one record that moves on, as the book's deals do."""
    interest, principal = np.zeros((2, CLASSES, work.revenue.shape[1]))
    records = (work.terms, work.opening, periods(work), RECORDS.blank("state", 1), RECORDS.blank("payment", 1))
    inputs = (*records, work.revenue, work.default_rate, interest, principal)
    return Prepared(lambda: pay_singly(*inputs), lambda: (interest[None], principal[None]))


@njit(cache=True, error_model="numpy")
def pay_singly(terms, opening, wides, state, payment, revenue, default_rate, interest, principal):
    """Pay path after path; arrays as in ``pay_paths``, without cells."""
    interest[:], principal[:] = 0.0, 0.0
    for s in range(revenue.shape[1]):
        open_deal(state[0], opening[0], terms[0], True)
        for t in range(revenue.shape[0]):
            wide = wides[t]
            wide.revenue, wide.default_rate = revenue[t, s], default_rate[t, s]
            prepare(terms[0], wide)
            step(terms[0], dust_of(terms[0]), demanding(terms[0]), wide, state[0], wide, payment[0], True)
            for k in range(CLASSES):
                interest[k, s] += payment[0].interest[k]
                principal[k, s] += payment[0].principal[k]


def in_cells(values: np.ndarray, lanes: int) -> np.ndarray:
    """Inputs (t, s) as the kernel takes them, (cells, t, lanes); not timed."""
    length, count = values.shape
    return np.ascontiguousarray(values.reshape(length, count // lanes, lanes).transpose(1, 0, 2))


def by_path(cells: np.ndarray) -> np.ndarray:
    """Output (cells, t, k, lanes) as (t, k, s)."""
    return cells.transpose(1, 2, 0, 3).reshape(*cells.shape[1:3], -1)
