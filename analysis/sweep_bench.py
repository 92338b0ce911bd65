"""How fast sweeps are: ``python -m analysis bench sweep [--runs N] [--workers 1 2] [--json] [key=value ...]``.

Sweeps of new folders by each number of workers, start-up apart: the pace is taken from the moments in which runs became
complete. The overhead is what a run takes in a sweep by one worker over the bare simulation in this process.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from sim.compose import resolve
from sim.run import assemble

Figures = dict[str, float]


def bare(settings: Sequence[str], seeds: range) -> list[float]:
    """Seconds of simulations without folders, the first of which loads kernels and does not count."""
    taken = []
    for seed in [seeds[0], *seeds]:
        began = time.perf_counter()
        economy = assemble(resolve([*settings, f"seed={seed}"]))
        for _ in range(economy.months_total):
            economy.step()
        taken.append(time.perf_counter() - began)
    return taken[1:]


def swept(settings: Sequence[str], runs: int, workers: int) -> Figures:
    """One sweep: pace in runs/minute, start in seconds to the first step of a worker, largest memory of any process in MB."""
    with TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "sim", "-m", *settings, f"seed=range(0,{runs})", f"hydra.launcher.workers={workers}"]
        began = time.time()
        memory = largest_memory([*line, "hydra/launcher=local", f"outputs.root={folder}"])
        whole = time.time() - began
        done, first = [], []
        for path in Path(folder).glob("*/manifest.json"):
            spent = sum(json.loads(path.read_text())["this_run"]["seconds"].values())
            done.append(path.stat().st_mtime)
            first.append(path.stat().st_mtime - spent)
    start = min(first) - began
    span = max(done) - min(first)
    return {"runs_a_minute": 60 * runs / span, "start": start, "seconds": whole, "memory_mb": memory}


def largest_memory(line: Sequence[str]) -> float:
    """Run a command to its good end; MB of the largest of its processes."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read() if process.stderr else ""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(line)} ended with {process.returncode}: {said}")
    return used.ru_maxrss / 1024


def start_of_worker() -> float:
    """Seconds from nothing to an economy that could step, kernels in the cache."""
    code = "import sim.launcher, sim.sweep; from sim.run import assemble, warm_cache; warm_cache()\n"
    code += "from sim.compose import resolve; assemble(resolve(['size=class']))"
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"NUMBA_NUM_THREADS": "1"})
        taken.append(time.perf_counter() - began)
    return median(taken)


def measure(settings: Sequence[str], runs: int, workers: Sequence[int]) -> Figures:
    """All figures by key."""
    figures: Figures = {"runs": runs, "worker_start": start_of_worker()}
    swept(settings, 1, 1)  # whatever is not compiled yet
    alone = bare(settings, range(min(runs, 5)))
    figures["bare_seconds"] = float(np.mean(alone))
    by = {count: swept(settings, runs, count) for count in workers}
    for count, found in by.items():
        figures |= {f"{key}_{count}": value for key, value in found.items()}
    if 1 in by:
        figures["overhead"] = 60 / by[1]["runs_a_minute"] / figures["bare_seconds"] - 1
        figures |= {f"efficiency_{n}": by[n]["runs_a_minute"] / n / by[1]["runs_a_minute"] for n in by if n > 1}
        few = swept(settings, max(runs // 4, 1), 1)
        figures["memory_mb_quarter"] = few["memory_mb"]
    return figures


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis bench sweep", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true", help="figures by key, for machines")
    chosen, settings = parser.parse_known_args(arguments)
    figures = {key: round(value, 3) for key, value in measure(settings, chosen.runs, chosen.workers).items()}
    print(json.dumps(figures, indent=2) if chosen.json else "\n".join(f"{key:<20}{value:>10.3f}" for key, value in figures.items()))
    return 0
