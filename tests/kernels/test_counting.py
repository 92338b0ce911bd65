"""Kernels that pay deals look at arrays without counting who does."""

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

from sim.kernels import UNCOUNTED, clauses, holders, rating, scenarios, waterfall


def code(**options):
    """Compiled code that walks over the rows of an array, one behind."""

    def walk(rows):
        found, before = 0.0, rows[0]
        for t in range(rows.shape[0]):
            found += before[0]
            before = rows[t]
        return found

    kernel = njit(**options)(walk)
    assert kernel(np.ones((3, 2))) == 3.0
    return next(iter(kernel.inspect_llvm().values()))


def test_an_array_is_counted_unless_the_kernel_says_not_to():
    assert "NRT_decref" in code()
    assert "NRT_decref" not in code(**UNCOUNTED)


def test_no_kernel_that_draws_or_pays_counts_arrays():
    """Counting took seven eighths of the time of a rating."""
    kernels = [
        kernel
        for module in (clauses, holders, rating, scenarios, waterfall)
        for kernel in vars(module).values()
        if isinstance(kernel, Dispatcher) and kernel.__module__ == module.__name__
    ]
    assert {rating.pay_cells, waterfall.pay_book} <= set(kernels)
    assert [k.__name__ for k in kernels if k.targetoptions.get("_nrt", True)] == []
