"""A sweep: every point checked first, then each run once, whatever happens to the processes that run them.

Nothing but the disk says what is done, so the same command finishes what is missing, under any of Hydra's launchers.
"""

import errno
import gc
import json
import math
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import hydra
from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig

from sim.claims import claim
from sim.compose import LAYERS, Point, hydra_ready, parse
from sim.folders import Unwritable
from sim.launcher import MOST_DEATHS, LocalLauncher, Stopped, begun, cores
from sim.manifest import HOUSE, sources_hash
from sim.mistakes import Mistake, Mistakes, leaves, wrong
from sim.params import Params
from sim.plans import FACTS, Differs, Plan, failure, failures, forget_failures, listed, record_failure, varying
from sim.run import complete, folder_name, outputs, perform, warm_cache

OWN = "++sweep."  # overrides that carry what a job must know besides its point
LARGEST_JOB = 25  # runs
FATAL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)  # errors that every run would meet
JOBS_PER_CORE = 4  # at least, so that no core waits long for another
ONE_THREAD = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # a worker is one core's
DEFAULTS = {  # what a launcher is told unless the command line tells it otherwise
    "ray": {
        "ray.remote.max_retries": "-1",  # deaths are counted here
        "ray.init.include_dashboard": "false",
        "ray.init.log_to_driver": "false",
        "ray.init.object_store_memory": "null",  # a cluster that is there has its own
    }
}


class Outcome(NamedTuple):
    """What has become of a sweep."""

    reused: int
    done: int
    failed: int
    missing: int


def plan_of(points: Sequence[Point]) -> Plan:
    """All runs of a sweep, with the values in which they differ."""
    flat = [dict(leaves("", point.params.model_dump(mode="json", exclude={"outputs"}))) for point in points]
    vary, rows = varying(flat), []
    for point, values in zip(points, flat, strict=True):
        facts = {name: values[name] for name in FACTS[1:]} | {key: values.get(key) for key in vary}
        rows += [{"run": folder_name(params)} | facts | {"seed": params.seed} for params in point.runs()]
    once = {row["run"]: row for row in rows}
    return Plan.make(outputs(points[0].params).resolve(), list(once.values()))


def sweep(plan: Plan, lines: Sequence[str], points: Sequence[Point], force: bool = False, retry: bool = False) -> Outcome:
    """Every run that is missing, through Hydra's sweeper and launcher.

    Parameters
    ----------
    force : run what is complete again, beside it, and compare
    retry : try again what failed before

    Raises
    ------
    Stopped
        if the machine lets no run go on; what is done stays done
    """
    forget_failures(plan.root, plan.runs, retry or force)
    before = plan.progress()
    if force or before.to_do or before.running:
        launch(lines, points, force)
    after = plan.progress()
    done = set(after.done) - set(before.done)
    broken = {f"{run}.json" for run in plan.runs} & listed(failures(plan.root))
    return Outcome(len(before.done), len(done), len(broken), len(after.to_do) + len(after.running))


def launch(lines: Sequence[str], points: Sequence[Point], force: bool) -> None:
    """Hydra's multirun over points and blocks of seeds; its own files go to a folder that is removed."""
    given = any(named(line) == "seed" for line in lines)
    own = {
        "seeds": blocks(points[0].seeds, len(points)) if given else "null",
        "sources": quoted(sources_hash()),
        "folder": quoted(os.getcwd()),
        "sitting": quoted(token_hex(8)),
        "command": quoted(json.dumps(list(lines))),
        "force": str(force).lower(),
    }
    chosen = hydra_lines([line for line in lines if named(line) != "seed"])
    LocalLauncher.work = work
    own_lines = [f"{OWN}{key}={value}" for key, value in own.items()]
    with aside() as folder, called(["-m", *chosen, *launcher_lines(lines), *own_lines], folder):
        try:
            hydra.main(version_base="1.3", config_path="pkg://configs", config_name="config")(job)()
        except Exception as error:  # of a launcher, or of a job after which none can go on
            said = [line for line in str(error).splitlines() if line.strip(" ^~-")] or [type(error).__name__]
            raise Stopped(f"The sweep was stopped: {said[-1].strip()}\nWhat is done stays done; give the command again.") from None


@contextmanager
def aside() -> Iterator[str]:
    """A folder for Hydra's own files, removed when the block ends.

    Raises
    ------
    Stopped
        if there is no place for one
    """
    try:
        folder = TemporaryDirectory(prefix="caploop-", ignore_cleanup_errors=True)
    except OSError as error:
        raise Stopped(f"No folder for temporary files: {error}. Set TMPDIR to one that can be written.") from None
    with folder as name:
        yield name


@contextmanager
def called(arguments: Sequence[str], folder: str) -> Iterator[None]:
    """What Hydra and the workers find on the command line and in the environment, while the block lasts."""
    kept, before = sys.argv[:], dict(os.environ)
    sys.argv[1:] = [*arguments, f"hydra.sweep.dir={folder}"]
    own = ONE_THREAD | {"HYDRA_FULL_ERROR": "1"}  # errors come through to us
    os.environ |= own
    try:
        yield
    finally:
        sys.argv[:] = kept
        for name in own:
            del os.environ[name]
            if name in before:
                os.environ[name] = before[name]


def hydra_lines(lines: Sequence[str]) -> list[str]:
    """The same overrides for Hydra's sweeper: keys of values marked ``++``, for they were checked."""
    marked = []
    for override in parse(lines, []):
        key = override.key_or_group
        plain = "/" in key or key in LAYERS or key.startswith("hydra")
        marked.append(str(override.input_line) if plain else "++" + str(override.input_line).lstrip("+"))
    return marked


def named(line: str) -> str:
    """The key of an override, with ``+`` before it or without."""
    return line.partition("=")[0].lstrip("+")


def overrides_of(lines: Sequence[str]) -> dict[str, Any]:
    """Keys and values of lines that are known to be good."""
    return {override.key_or_group: override.value() for override in parse(lines, [])}


def launcher_lines(lines: Sequence[str]) -> list[str]:
    """The launcher of a sweep that names none, and what launchers are told by default."""
    given = overrides_of(lines)
    name = given.get("hydra/launcher", "local")
    defaults = {f"hydra.launcher.{key}": value for key, value in DEFAULTS.get(name, {}).items()}
    told = [f"++{key}={value}" for key, value in defaults.items() if key not in given]
    return told if "hydra/launcher" in given else [*told, f"hydra/launcher={name}"]


def check_launcher(lines: Sequence[str]) -> None:
    """Refuse what the launcher cannot be told.

    Raises
    ------
    Mistakes
    """
    own = [line for line in hydra_lines(lines) if line.lstrip("+").startswith("hydra")]
    told, settings = launcher_lines(lines), [line for line in own if not line.startswith("hydra/launcher=")]
    chosen = [line for line in own if line not in settings] + told
    with hydra_ready():
        known, found = compose("config", chosen, return_hydra_config=True).hydra.launcher, []
        for line in settings:
            try:
                known = compose("config", [*chosen, line], return_hydra_config=True).hydra.launcher
            except HydraException:
                names = ", ".join(f"hydra.launcher.{name}" for name in sorted(known) if name != "_target_")
                found.append(Mistake(line, f": no such setting of the launcher, or no value for it. Settings: {names}."))
        workers = known.get("workers", 1) if not found else 1
        if workers is not None and workers < 1:
            found.append(wrong("hydra.launcher.workers", workers, "out of range. Give 1 or more, or nothing for one a core."))
    if found:
        raise Mistakes(found)


def blocks(seeds: Sequence[int], points: int) -> str:
    """Seeds of one job each, as values of a sweep: ``[1,2],[3,4]``."""
    wanted = math.ceil(JOBS_PER_CORE * cores() / points)
    size = min(LARGEST_JOB, max(1, len(seeds) // wanted))
    return ",".join(f"[{','.join(map(str, seeds[at : at + size]))}]" for at in range(0, len(seeds), size))


def quoted(text: str) -> str:
    """A text as Hydra's grammar takes it, whatever is in it: backslashes escape only before a quote."""
    escaped = re.sub(r"(\\*)('|\Z)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), text)
    return f"'{escaped}'"


def job(_: DictConfig) -> None:
    """What Hydra's launchers call, in whatever process."""
    work(list(HydraConfig.get().overrides.task))


def work(lines: Sequence[str]) -> None:
    """One parameter point with some of its seeds. A failing run is recorded, and the next one begins.

    Raises
    ------
    RuntimeError
        if the sources are not those of the sweep
    OSError
        if nothing can be written any more
    """
    if "numba" not in sys.modules:
        os.environ |= ONE_THREAD
        warm_cache()
    own: dict[str, Any] = overrides_of([line for line in lines if line.startswith(OWN)])
    if own["sweep.sources"] != sources_hash():
        raise RuntimeError("The sources have changed since the sweep began. Start it again.")
    os.chdir(own["sweep.folder"])
    sys.argv[:] = [str(HOUSE / "sim" / "__main__.py"), "-m", *json.loads(own["sweep.command"])]  # for the manifests
    try:
        point = Point.of([line for line in lines if not line.startswith(OWN)], own["sweep.seeds"])
    except Mistakes:
        return  # a combination that cannot be had, as was said when the sweep began
    force, sitting = own["sweep.force"], own["sweep.sitting"]
    left = [params for params in point.runs() if not attempt(params, force, sitting, wait=False)]
    for params in left:  # which another process had when we came by
        attempt(params, force, sitting, wait=True)
    gc.collect()  # an economy is full of cycles: without this a worker grows by a megabyte a run


def attempt(params: Params, force: bool, sitting: str, wait: bool) -> bool:
    """One run, unless it is complete or failed before; False if another process is at it."""
    root, run = outputs(params), folder_name(params)
    if settled(params, force):
        return True
    with claim(root, run, wait, sitting) as deaths:
        if deaths is not None and not settled(params, force):
            begun()
            guarded(params, force, deaths)
        return deaths is not None


def settled(params: Params, force: bool) -> bool:
    """Whether there is nothing to be done about a run."""
    return (not force and complete(params)) or failure(outputs(params), folder_name(params)) is not None


def guarded(params: Params, force: bool, deaths: int) -> None:
    """A run whose error is kept for whoever asks; what no run can survive is raised."""
    root, run = outputs(params), folder_name(params)
    try:
        if deaths >= MOST_DEATHS:
            raise MemoryError(f"{deaths} workers died at this run: killed, or out of memory.")
        differs = perform(params, force=force).differs
        if differs:
            raise Differs(f"{run} differs from its repetition in {', '.join(differs)}; both are kept.")
    except Exception as error:
        record_failure(root, run, error)
        if isinstance(error, Unwritable) or (isinstance(error, OSError) and error.errno in FATAL):
            raise
