"""Runs of one configuration under many seeds: those that are stored are kept, the others are made in parallel processes."""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from sim.compose import resolve
from sim.manifest import sources_hash
from sim.params import Params, config_hash
from sim.run import folder_name

FIRST = 101  # apart from the seeds on which values were chosen (1 to 20) and references are made (1000 to 1031)
SECONDS = {"full": 2.3, "class": 0.3}  # a simulated year on one core, measured
START = 8.0  # seconds, to load what is compiled


def points(overrides: Sequence[str], seeds: int) -> list[Params]:
    """The configuration under each seed.

    Raises
    ------
    Mistakes
    """
    return [resolve([*overrides, f"seed={FIRST + n}"]) for n in range(seeds)]


def folder(params: Params) -> Path:
    """Where a run of this configuration is kept."""
    return Path(params.outputs.root).expanduser() / folder_name(params)


def stored(params: Params, sources: str) -> bool:
    """Whether the run is there, whole, and made by the present sources."""
    try:
        made = json.loads((folder(params) / "manifest.json").read_text(encoding="utf-8"))
        return made["config"] == config_hash(params) and made["sources"] == sources
    except (OSError, ValueError, KeyError, TypeError):
        return False


def split(wanted: Sequence[Params]) -> tuple[list[Params], list[Params]]:
    """Which of the runs are stored, and which are to be made."""
    sources = sources_hash()
    have = [params for params in wanted if stored(params, sources)]
    return have, [params for params in wanted if params not in have]


def workers(runs: int) -> int:
    """Processes for so many runs."""
    return max(min(runs, os.cpu_count() or 1), 1)


def expected_seconds(todo: Sequence[Params]) -> float:
    """About how long runs take, compiling left out."""
    if not todo:
        return 0.0
    one = START + SECONDS.get(todo[0].size, SECONDS["full"]) * todo[0].horizon_years
    return one * -(-len(todo) // workers(len(todo)))


def make(todo: Sequence[Params], done: Callable[[int], None]) -> None:
    """Simulate runs, one thread each; ``done`` hears how many are finished."""
    if not todo:
        return
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers(len(todo)), mp_context=fresh) as pool:
        try:
            with one_thread():
                jobs = [pool.submit(simulate_one, params) for params in todo]
            for count, job in enumerate(as_completed(jobs), 1):
                job.result()
                done(count)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes started meanwhile compile for one thread each; this one keeps its own."""
    before = os.environ.get("NUMBA_NUM_THREADS")
    os.environ["NUMBA_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        del os.environ["NUMBA_NUM_THREADS"]
        if before is not None:
            os.environ["NUMBA_NUM_THREADS"] = before


def simulate_one(params: Params) -> None:
    """One run, in a process of its own."""
    from sim.run import simulate

    simulate(params)
