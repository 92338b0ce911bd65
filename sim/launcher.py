"""Hydra's launcher ``local``: jobs on all cores of this machine. A worker that dies is replaced, and its job done again."""

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from typing import Any, ClassVar

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher

from sim import signals

MOST_DEATHS = 3  # of workers of one command: in a row that do not start, at one job before it begins a run, and at one run
WAY_OUT = "Free memory, or have fewer workers: hydra.launcher.workers=1."
BEGUN = "begun"  # what a worker says when it is at a run
HOME = "hydra_plugins.caploop"  # which imports it from here


@dataclass
class LocalConfig:
    """Settings under ``hydra.launcher``."""

    _target_: str = f"{HOME}.LocalLauncher"
    workers: int | None = None  # None: one a core


ConfigStore.instance().store(group="hydra/launcher", name="local", node=LocalConfig, provider="caploop")


Work = Callable[[list[str]], None]  # does a job; importable by name


tell: list[Callable[[str], None]] = []  # how a worker of this launcher reaches its parent


def begun() -> None:
    """Let the parent know, if there is one, that a run has begun: what befalls it from here is counted in its claim."""
    for say in tell:
        say(BEGUN)


@dataclass(eq=False)
class Worker:
    """A process, the pipe to it, its job, whether it has said a word, and whether its job has begun a run."""

    process: Any
    pipe: connection.Connection
    job: list[str] | None = None
    started: bool = False
    begun: bool = False


class Stopped(Exception):
    """No job can go on: a full disk, changed sources, workers that do not start."""


class LocalLauncher(Launcher):
    """Runs jobs in processes; what a job is called with is its list of overrides."""

    __module__ = HOME
    work: ClassVar[Work]  # set before Hydra makes one

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or cores()
        self.crew: list[Worker] = []
        self.jobs: deque[list[str]] = deque()
        self.stillborn = 0
        self.unbegun: Counter[str] = Counter()  # deaths in a row by job

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Nothing of Hydra's own is needed in a worker."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Hand the jobs out until all are done. What they left is on the disk, not in what is returned.

        Raises
        ------
        Stopped
        """
        self.jobs = deque(list(lines) for lines in job_overrides)
        self.crew = [hire(type(self).work) for _ in range(min(self.workers, len(self.jobs)))]
        try:
            while self.jobs or any(worker.job for worker in self.crew):
                self.hand_out()
                for ready in connection.wait([worker.pipe for worker in self.crew]):
                    self.listen(next(worker for worker in self.crew if worker.pipe is ready))
        finally:
            for worker in self.crew:
                worker.process.terminate()
            for worker in self.crew:
                worker.process.join()
        return [JobReturn(overrides=list(lines), status=JobStatus.COMPLETED) for lines in job_overrides]

    def hand_out(self) -> None:
        """A job to every idle worker; one that is dead already is noticed when it is listened to."""
        for worker in self.crew:
            if worker.job is None and self.jobs:
                worker.job, worker.begun = self.jobs.popleft(), False
                with suppress(OSError):
                    worker.pipe.send(worker.job)

    def listen(self, worker: Worker) -> None:
        """Take what a worker says, or replace it when it has died."""
        try:
            kind, said = worker.pipe.recv()
        except (EOFError, OSError):
            self.crew[self.crew.index(worker)] = hire(type(self).work)
            self.bury(worker)
            return
        worker.started, self.stillborn = True, 0
        if worker.job is not None and kind == BEGUN:
            worker.begun = True
            self.unbegun.pop(str(worker.job), None)
        if kind == "error":
            raise Stopped(said)
        if kind == "done":
            worker.job = None

    def bury(self, worker: Worker) -> None:
        """Put a dead worker's job first in line. Whoever takes it up counts the deaths at a run."""
        worker.process.join()
        worker.pipe.close()
        if worker.job is not None:
            self.jobs.appendleft(worker.job)
        self.stillborn += not worker.started
        if self.stillborn >= MOST_DEATHS:
            raise Stopped(f"{MOST_DEATHS} workers in a row did not start, the last with exit code {worker.process.exitcode}.")
        self.unbegun[str(worker.job)] += worker.started and not worker.begun
        if self.unbegun[str(worker.job)] >= MOST_DEATHS:
            raise Stopped(f"{MOST_DEATHS} workers died at a job before it began a run: killed, or out of memory. {WAY_OUT}")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def hire(work: Work) -> Worker:
    """A new process; started afresh, for a copy of this one would hold its threads' locks."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def serve(pipe: connection.Connection, work: Work) -> None:
    """A worker's life: jobs come through the pipe until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends its workers
    signal.signal(signal.SIGTERM, signals.hear)
    threading.Thread(target=follow_parent, daemon=True).start()
    tell[:] = [lambda word: pipe.send((word, ""))]
    pipe.send(("started", ""))
    while True:
        try:
            work(pipe.recv())
        except Exception as error:
            pipe.send(("error", str(error)))
        else:
            pipe.send(("done", ""))


def follow_parent() -> None:
    """End with the parent, however it ended: what is half done is nobody's, and is done again."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
