"""The project's own kernel on the benchmark's inputs: in lanes, and naively on one lane."""

import numpy as np

from analysis.benchmarks.task import CLASSES, PERIODS, RECORDS, Prepared, Task
from sim.kernels.draws import LANES
from sim.kernels.layouts import blank_lanes
from sim.kernels.waterfall import pay_paths


def prepare(work: Task, lanes: int = LANES, every_period: bool = False) -> Prepared:
    """The task, ready to be paid."""
    given, wides = RECORDS.blank("period", 1), RECORDS.blank("period", PERIODS)
    given["recovery_rate"] = work.recovery_rate
    wides["amortisation_rate"], wides["last"][-1] = work.amortisation, True
    revenue, default_rate = in_cells(work.revenue, lanes), in_cells(work.default_rate, lanes)
    shape = (len(revenue), PERIODS if every_period else 1, CLASSES, lanes)
    interest, principal = np.zeros(shape), np.zeros(shape)
    records = blank_lanes(RECORDS, given[0], lanes)
    inputs = (work.terms, work.opening, wides, records, revenue, default_rate, interest, principal, every_period)
    return Prepared(lambda: pay_paths(*inputs), lambda: (by_path(interest), by_path(principal)))


def in_cells(values: np.ndarray, lanes: int) -> np.ndarray:
    """Inputs (t, s) as the kernel takes them, (cells, t, lanes); not timed."""
    periods, paths = values.shape
    return np.ascontiguousarray(values.reshape(periods, paths // lanes, lanes).transpose(1, 0, 2))


def by_path(cells: np.ndarray) -> np.ndarray:
    """Output (cells, t, k, lanes) as (t, k, s)."""
    return cells.transpose(1, 2, 0, 3).reshape(*cells.shape[1:3], -1)
