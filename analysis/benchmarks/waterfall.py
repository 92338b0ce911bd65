"""The compiled waterfall against plain Python and against numpy over paths.

One deal with the rules that all three know: two sequential classes, fees, a fixed reserve, a principal deficiency
ledger. Contenders are checked for equality first, then called in rotating order; ratios are medians of pairs.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sim.kernels import uncompiled, waterfall
from sim.kernels.layouts import layout

CLASSES = 2
SHAPE = layout(CLASSES)
NOTES = 95.0
FEW = 16  # paths for plain Python
NOISY = 0.15  # disagreement of median and best beyond which a figure is called noisy

Paid = tuple[np.ndarray, np.ndarray]


class Task(NamedTuple):
    """One deal on many paths."""

    terms: np.ndarray
    opening: np.ndarray
    periods: np.ndarray


def task(paths: int, periods: int) -> Task:
    """A pool of 100 that amortises over the run and defaults at random."""
    draws = np.random.Generator(np.random.Philox(7)).random((paths, periods))
    terms, opening = SHAPE.blank("terms", 1), SHAPE.blank("state", 1)
    terms["classes"], terms["rank"], terms["coupon"] = CLASSES, [1, 2], [0.05, 0.09]
    terms["notional"] = opening["balance"] = [80.0, NOTES - 80.0]
    terms["pool_at_closing"] = opening["pool"] = 100.0
    terms["fee_rate"], terms["reserve_target"] = 0.01, 2.0
    opening["reserve"] = 2.0
    inputs = SHAPE.blank("period", (paths, periods))
    inputs["pool_yield"], inputs["recovery_rate"] = 0.1, 0.4
    inputs["amortisation_rate"] = 1.0 / np.arange(periods, 0, -1)
    inputs["default_rate"] = 0.03 * draws**4
    inputs["last"][:, -1] = True
    return Task(terms, opening, inputs)


def by_kernel(work: Task, pay: Callable[..., None] = waterfall.pay_paths, plain: bool = False) -> Paid:
    """Interest and principal (s, t, k), path by path, one step a period."""
    interest = np.zeros((*work.periods.shape, CLASSES))
    principal, loss = np.zeros_like(interest), np.zeros((work.periods.shape[0], CLASSES))
    records = (work.terms, work.opening, work.opening.copy(), work.periods, SHAPE.blank("payment", 1))
    if plain:
        records = tuple(part.view(np.recarray) for part in records)  # type: ignore[assignment]
    pay(*records, interest, principal, loss)
    return interest, principal


def columns_of(work: Task) -> dict[str, np.ndarray]:
    """The inputs as numpy likes them: one contiguous array (t, s) a column. Not timed."""
    names = ("pool_yield", "default_rate", "amortisation_rate", "recovery_rate", "last")
    return {name: np.ascontiguousarray(work.periods[name].T) for name in names}


def by_numpy(work: Task, columns: dict[str, np.ndarray]) -> Paid:
    """The same cash, all paths of a period at once."""
    paths, periods = work.periods.shape
    terms, dt = work.terms[0], float(work.terms["period_years"][0])
    interest, principal = np.zeros((periods, CLASSES, paths)), np.zeros((periods, CLASSES, paths))
    balance = np.repeat(work.opening["balance"].T, paths, axis=1)
    arrears = np.zeros((CLASSES, paths))
    pool, reserve = np.full(paths, work.opening["pool"][0]), np.full(paths, work.opening["reserve"][0])
    pdl, fee_arrears = np.zeros(paths), np.zeros(paths)
    for t in range(periods):
        default = columns["default_rate"][t] * pool
        scheduled = columns["amortisation_rate"][t] * (pool - default)
        cash = columns["pool_yield"][t] * dt * (pool - default) + scheduled + columns["recovery_rate"][t] * default
        due = fee_arrears + terms["fee_rate"] * dt * pool
        pool = np.maximum(0.0, pool - default - scheduled)
        cash, reserve = cover(cash, reserve, due)
        fees = np.minimum(cash, due)
        cash, fee_arrears = cash - fees, due - fees
        target = np.where(balance.sum(axis=0) > waterfall.DUST * NOTES, terms["reserve_target"], 0.0)
        for k in range(CLASSES):
            arrears[k] += terms["coupon"][k] * dt * (arrears[k] + balance[k])
            cash, reserve = cover(cash, reserve, arrears[k])
            cash = settle(cash, arrears[k], interest[t, k])
        excess = np.maximum(0.0, reserve - target)
        cash, reserve = cash + excess, reserve - excess
        for k in range(CLASSES):
            cash = settle(cash, arrears[k], interest[t, k])
        deposit = np.minimum(cash, np.maximum(0.0, target - reserve))
        cash, reserve = cash - deposit, reserve + deposit
        due = pdl + scheduled + default
        paid = np.minimum(cash, due)
        left = paid
        for k in range(CLASSES):
            left = settle(left, balance[k], principal[t, k])
        cash, pdl = cash - paid + left, np.maximum(0.0, due - paid + left)
        closing = columns["last"][t] | (balance.sum(axis=0) <= waterfall.DUST * NOTES)
        cash, reserve = np.where(closing, reserve + cash, 0.0), np.where(closing, 0.0, reserve)
        for owed, got in ((arrears, interest), (balance, principal)):
            for k in range(CLASSES):
                cash = settle(cash, owed[k], got[t, k])
        fee_arrears -= np.minimum(cash, fee_arrears)
    return np.ascontiguousarray(interest.transpose(2, 0, 1)), np.ascontiguousarray(principal.transpose(2, 0, 1))


def cover(cash: np.ndarray, reserve: np.ndarray, due: np.ndarray) -> Paid:
    """Cash and reserve after a shortfall is drawn."""
    drawn = np.minimum(np.maximum(0.0, due - cash), reserve)
    return cash + drawn, reserve - drawn


def settle(cash: np.ndarray, owed: np.ndarray, paid: np.ndarray) -> np.ndarray:
    """Pay what is owed, in place. Returns cash left."""
    amount = np.minimum(cash, owed)
    owed -= amount
    paid += amount
    return cash - amount


def gap(one: Paid, other: Paid) -> float:
    """Largest difference in cash, as a share of the original notes."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True)) / NOTES


def seconds(call: Callable[[], object]) -> float:
    """One timed call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def race(calls: Sequence[Callable[[], object]], rounds: int) -> np.ndarray:
    """Seconds (round, contender), the order rotating from round to round."""
    taken = np.empty((rounds, len(calls)))
    for r in range(rounds):
        for i in range(len(calls)):
            j = (i + r) % len(calls)
            taken[r, j] = seconds(calls[j])
    return taken


def line(name: str, taken: np.ndarray, steps: int) -> str:
    """Nanoseconds a step, and how often the kernel is faster: median of pairs, and best over best."""
    median = float(np.median(taken[:, 1] / taken[:, 0]))
    best = float(taken[:, 1].min() / taken[:, 0].min())
    noisy = "  noisy" if abs(median / best - 1.0) > NOISY else ""
    ns = np.median(taken, axis=0) / steps * 1e9
    return f"{name:<24}{ns[0]:>14.1f}{ns[1]:>14.1f}{median:>10.1f}{best:>10.1f}{noisy}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Check equality, then print the table."""
    options = argparse.ArgumentParser(prog="python -m analysis.benchmarks.waterfall", description=__doc__)
    options.add_argument("--paths", type=int, default=1024)
    options.add_argument("--periods", type=int, default=60)
    options.add_argument("--rounds", type=int, default=100)
    chosen = options.parse_args(arguments)
    wide, narrow = task(chosen.paths, chosen.periods), task(FEW, chosen.periods)
    columns = columns_of(wide)
    plain = uncompiled(waterfall).pay_paths
    exact, close = gap(by_kernel(narrow), by_kernel(narrow, plain, True)), gap(by_kernel(wide), by_numpy(wide, columns))
    print(f"largest difference, share of the notes: plain Python {exact:.1e}, numpy {close:.1e}")
    if exact > 0.0 or close > 1e-9:
        raise SystemExit("The contenders disagree; their speed means nothing.")
    print(f"{'kernel against':<24}{'kernel ns':>14}{'other ns':>14}{'median x':>10}{'best x':>10}   a path and period")
    slow = race([lambda: by_kernel(narrow), lambda: by_kernel(narrow, plain, True)], max(chosen.rounds // 10, 1))
    print(line(f"plain Python, {FEW} paths", slow, FEW * chosen.periods))
    fast = race([lambda: by_kernel(wide), lambda: by_numpy(wide, columns)], chosen.rounds)
    print(line(f"numpy, {chosen.paths} paths", fast, chosen.paths * chosen.periods))


if __name__ == "__main__":
    main()
