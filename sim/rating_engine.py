"""Estimates of a whole book under one agency's beliefs: scenarios in cells of 64, on all cores, the same to the last bit on one."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import batched, pairwise
from typing import NamedTuple

import numpy as np
from numba import config

from sim.kernels import rating
from sim.kernels.draws import LANES
from sim.kernels.rating import SUMS, Book
from sim.kernels.reckoning import CELLS, FOUND, PAIRS, add_products, reckon
from sim.kernels.scenarios import STRATA, Beliefs, Obligors, Sampling

CHUNK = 128  # cells a task runs, at most; bounds memory, changes no bit
TOGETHER = 20  # deals a task holds, at least: to hand it to a thread and draw its paths takes as long as to pay some ten
HELD = 4  # tasks a thread whose results are held, at most
PARTS = 2  # tasks a thread, at least, where there are deals for so many: what is left at the end is short


class Estimates(NamedTuple):
    """By deal and class, (n, k), with standard errors; a class without a balance loses nothing and has no life."""

    loss: np.ndarray  # share of the balance, expected loss of present value at the class's own coupon
    loss_error: np.ndarray
    default: np.ndarray  # share, probability of any loss
    default_error: np.ndarray
    life: np.ndarray  # year, weighted average life of the principal paid; NaN where none is
    life_error: np.ndarray
    deviation: np.ndarray  # share, standard deviation of the loss from path to path
    paths: int


class Job(NamedTuple):
    """Deals (n,) to be rated under one agency's beliefs."""

    terms: np.ndarray  # (n,) records, as they stand now
    state: np.ndarray  # (n,) likewise
    book: Book
    obligors: Obligors
    beliefs: Beliefs
    sampling: Sampling


class Task(NamedTuple):
    """Some deals of a job, on some cells."""

    job: int
    cells: tuple[int, int]  # the first, and the one after the last
    deals: tuple[int, int]


def estimate(jobs: Sequence[Job], paths: int, threads: int | None = None, chunk: int = CHUNK) -> Estimates:
    """Pay every deal of all jobs, one after another, down ``paths`` scenarios, rounded up to whole cells.

    Parameters
    ----------
    jobs : with one number of nominal lanes
    threads : at most so many; None is as many as compiled code may use, NUMBA_NUM_THREADS or one a core
    chunk : cells a task runs; bounds memory
    """
    jobs = [job._replace(terms=without_margin(job.terms)) for job in jobs]
    sizes, k, cells = [len(job.terms) for job in jobs], jobs[0].state["balance"].shape[1], -(-paths // LANES)
    threads = threads or config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    tasks = split(sizes, cells, threads, min(chunk, -(-cells // threads)))

    def run(task: Task) -> np.ndarray:
        first, last = task.deals
        sums = np.zeros((task.cells[1] - task.cells[0], last - first, k, STRATA, SUMS))
        rating.rate_cells(task.cells[0], sums, first, *jobs[task.job])
        return sums

    n, starts = sum(sizes), np.cumsum([0, *sizes])
    total, squares = np.zeros((n, k, STRATA, SUMS)), np.zeros((len(PAIRS), n, k))
    for task, sums in zip(tasks, in_order(run, tasks, threads), strict=True):
        own = slice(starts[task.job] + task.deals[0], starts[task.job] + task.deals[1])
        for cell in sums:  # one by one, so that no grouping of cells changes the sum
            total[own] += cell
            if cells >= CELLS:
                add_products(squares[:, own], cell)
    nominal, found = jobs[0].sampling.nominal, np.empty((FOUND, n, k))
    reckon(found, np.empty(len(PAIRS)), total, squares, np.array([nominal, LANES - nominal]) * cells, cells)
    return Estimates._make([*found, cells * LANES])


def without_margin(terms: np.ndarray) -> np.ndarray:
    """Terms less what no rating covers: interest added after the ARD is paid last and takes cash from no class."""
    terms = terms.copy()
    terms["ard_margin"] = 0.0
    return terms


def split(sizes: list[int], cells: int, threads: int, chunk: int) -> list[Task]:
    """Tasks of jobs of so many deals, those on earlier cells first."""
    parts = PARTS * threads // -(-cells // chunk) if threads > 1 else 1
    share = max(TOGETHER, sum(sizes) // max(1, parts))
    edges = [np.linspace(0, n, max(1, n // share) + 1).astype(int).tolist() for n in sizes]
    return [
        Task(job, (first, min(first + chunk, cells)), deals)
        for first in range(0, cells, chunk)
        for job, places in enumerate(edges)
        for deals in pairwise(places)
    ]


def in_order(run: Callable[[Task], np.ndarray], tasks: list[Task], threads: int) -> Iterator[np.ndarray]:
    """Results of the tasks in their order, few of them held at a time. This thread takes the first, others from the last on."""
    if threads == 1 or len(tasks) == 1:
        yield from map(run, tasks)
        return
    pool = crew(threads - 1)
    for some in batched(tasks, HELD * threads):
        begun = [pool.submit(run, task) for task in reversed(some)]
        for task, other in zip(some, reversed(begun), strict=True):
            yield run(task) if other.cancel() else other.result()


@cache
def crew(threads: int) -> ThreadPoolExecutor:
    """Threads that stay, for they take as long to start as some deals to pay."""
    return ThreadPoolExecutor(threads)


os.register_at_fork(after_in_child=crew.cache_clear)  # a forked process has none of them
