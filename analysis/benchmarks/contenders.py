"""The contenders on one deal, checked and timed: ``python -m analysis.benchmarks.contenders`` shows ns of each."""

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from analysis.benchmarks import by_kernel, by_numpy, by_objects, native
from analysis.benchmarks.racing import Ratio, compare, race
from analysis.benchmarks.task import CELL, NOTES, Prepared, Task, part, task

KERNEL, C, C_SCALAR, SINGLE, NUMPY, PYTHON = "kernel", "C", "C, scalar build", "numba, path by path", "numpy", "Python objects"
CLOSE = 1e-9  # share of the notes; the contenders are written to be equal to the bit
FEW = 2  # paths a timed call of Python
SLOW_CELLS = 4  # cells of paths a timed call of the path-by-path kernel
LEAST = 3.0  # times its own scalar build that C must reach to count as vector code

Paid = tuple[np.ndarray, np.ndarray]


class Contender(NamedTuple):
    """One way to pay the deal."""

    name: str
    call: Callable[[], object]
    paid: Callable[[], Paid]  # interest and principal over the life, (k, s) USD
    steps: int  # paths times periods in a call


def compiled(name: str, prepared: Prepared, work: Task) -> Contender:
    """A contender that writes into arrays of its own."""

    def paid() -> Paid:
        prepared.call()
        interest, principal = prepared.read()
        return interest[0], principal[0]

    return Contender(name, prepared.call, paid, work.revenue.size)


def computed(name: str, pay: Callable[[Task], Paid], timed: Task, checked: Task) -> Contender:
    """A contender that returns its arrays; it may be checked on more paths than it is timed on."""
    return Contender(name, lambda: pay(timed), lambda: pay(checked), timed.revenue.size)


def enter(work: Task) -> dict[str, Contender]:
    """All contenders that this machine can run, the kernel first; C only where it can be compiled."""
    few = part(work, SLOW_CELLS * CELL)
    single, short = compiled(SINGLE, by_kernel.singly(work), work), compiled(SINGLE, by_kernel.singly(few), few)
    entered = [compiled(KERNEL, by_kernel.paths(work), work), single._replace(call=short.call, steps=short.steps)]
    if not native.missing():
        entered.append(compiled(C, native.prepare(work, native.vector_width()), work))
        entered.append(compiled(C_SCALAR, native.prepare(work, 1), work))
    entered.append(computed(NUMPY, by_numpy.pay_lives, work, work))
    entered.append(computed(PYTHON, by_objects.pay_lives, part(work, FEW), part(work, CELL)))
    return {contender.name: contender for contender in entered}


def gaps(entered: dict[str, Contender]) -> dict[str, float]:
    """Largest difference from the kernel in a path's interest or principal, as a share of the notes."""
    base = entered[KERNEL].paid()
    found = {}
    for name, contender in entered.items():
        paid = contender.paid()
        pairs = zip(base, paid, strict=True)
        found[name] = max(float(np.abs(ours[:, : theirs.shape[1]] - theirs).max()) for ours, theirs in pairs) / sum(NOTES)
    return found


def period_gap(work: Task) -> float:
    """Largest difference between kernel and C in what any class is paid in any period, as a share of the notes."""
    ours, theirs = by_kernel.paths(work, every_period=True), native.prepare(work, native.vector_width(), every_period=True)
    ours.call(), theirs.call()
    return max(float(np.abs(a - b).max()) for a, b in zip(ours.read(), theirs.read(), strict=True)) / sum(NOTES)


class Result(NamedTuple):
    """A contender against the kernel."""

    ratio: Ratio  # times the kernel's time
    nanoseconds: float  # median, a path and period
    kernel_nanoseconds: float


def measure(entered: dict[str, Contender], rounds: int) -> dict[str, Result]:
    """Race the fast ones together and each slow one against the kernel alone, so that it cannot cool the others' caches."""
    results = {}
    fast = [name for name in (C, C_SCALAR) if name in entered]
    for group in (fast, *([name] for name in entered if name not in (KERNEL, *fast))):
        names = [KERNEL, *group]
        taken = race([entered[name].call for name in names], rounds) / [entered[name].steps for name in names]
        for j, name in enumerate(names[1:], start=1):
            ns = np.median(taken, axis=0) * 1e9
            results[name] = Result(compare(taken[:, j], taken[:, 0]), float(ns[j]), float(ns[0]))
    return results


def c_over_scalar(results: dict[str, Result]) -> float:
    """How many times faster the vector build of C is than its scalar build."""
    return results[C_SCALAR].ratio.best / results[C].ratio.best


def void(packed: int, gain: float) -> str:
    """Why the ratio to C does not count; empty when it does."""
    if packed == 0:
        return "its assembly has no packed minima or maxima"
    return f"it is only {gain:.1f} times as fast as its scalar build" if gain < LEAST else ""


def main(arguments: Sequence[str] = ()) -> int:
    """Show every contender's time."""
    rounds = int(arguments[0]) if arguments else 30
    entered = enter(task())
    print(*(f"{name}: largest difference {gap:.1e} of the notes" for name, gap in gaps(entered).items()), sep="\n")
    results = measure(entered, rounds)
    for name, result in results.items():
        print(
            f"{name:<18}{result.nanoseconds:>10.2f} ns   kernel {result.kernel_nanoseconds:>8.2f} ns   x {result.ratio.median:.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
