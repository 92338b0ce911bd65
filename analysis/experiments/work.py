"""Jobs on all cores until time is up; what is done is in the store, so that nothing is lost by a kill."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Any

from rich.console import Console
from rich.progress import Progress

from sim.launcher import cores
from sim.sweep import ONE_THREAD

Job = Callable[[float], int]  # (time at which to stop, by time.time()) -> how many results it has added; picklable


def carry_out(jobs: Sequence[Job], deadline: float, shown: str = "experiments") -> int:
    """Do jobs in order, as many at a time as there are cores, and start none after the deadline; how many results came.

    Raises
    ------
    whatever a job raises, after the others have ended
    """
    if not jobs or time.time() >= deadline:
        return 0
    workers = min(cores(), len(jobs))
    os.environ |= ONE_THREAD | {name: os.environ[name] for name in ONE_THREAD if name in os.environ}
    if workers == 1:
        return sum(job(deadline) for job in jobs)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_do, job, deadline) for job in jobs]
        try:
            _watch(futures, shown)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sum(future.result() for future in futures)


def lasting(hours: float) -> str:
    """A time as read: ``10 minutes``, ``2.5 hours``."""
    return f"{hours:.3g} hour{'s' * (hours != 1.0)}" if hours >= 1.0 else f"{60.0 * hours:.2g} minutes"


def _do(job: Job, deadline: float) -> int:
    return job(deadline) if time.time() < deadline else 0


def _watch(futures: Sequence[Future[Any]], shown: str) -> None:
    """A bar where somebody looks on."""
    console = Console(stderr=True)
    with Progress(*Progress.get_default_columns(), console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(shown, total=len(futures))
        for future in futures:
            wait([future])
            bar.advance(task)
