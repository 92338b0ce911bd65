"""How fast sweeps are: ``python -m analysis bench sweep [--runs N] [--rounds N] [--workers 1 2] [--json] [key=value ...]``.

Each round times, one after the other, as many simulations without folders in one process and in several at once, and sweeps of
new folders by each number of workers; figures are medians over rounds, for other work on the machine comes and goes. Start-up
is apart: the pace is taken from the moments in which runs became complete. What several processes lose without any sweep,
``machine``, bounds the efficiency; the overhead is what a run takes in a sweep by one worker over the bare simulation.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

from sim.compose import resolve
from sim.run import assemble
from sim.sweep import ONE_THREAD

Figures = dict[str, float]
WARM = "from sim.run import assemble, warm_cache; warm_cache(); "
BARE = WARM + "import sys; from analysis.sweep_bench import simulations; simulations(sys.argv[1:])"
START = WARM + "import sim.sweep; from sim.compose import resolve; assemble(resolve(['size=class']))"


def simulations(arguments: Sequence[str]) -> None:
    """Print the mean seconds of the first so many seeds' simulations, kernels loaded before."""
    seeds, *settings = arguments
    taken = []
    for seed in [0, *range(int(seeds))]:
        began = time.perf_counter()
        economy = assemble(resolve([*settings, f"seed={seed}"]))
        for _ in range(economy.months_total):
            economy.step()
        taken.append(time.perf_counter() - began)
    print(mean(taken[1:]))


def bare(settings: Sequence[str], runs: int, processes: int) -> float:
    """Seconds of a simulation, the mean over processes that run at once, each as in a sweep's worker."""
    line = [sys.executable, "-c", BARE, str(max(runs // processes, 1)), *settings]
    crew = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=os.environ | ONE_THREAD) for _ in range(processes)]
    return mean(float(process.communicate()[0]) for process in crew)


def swept(settings: Sequence[str], runs: int, workers: int) -> Figures:
    """One sweep: pace in runs/minute, start in seconds to the first step of a worker, CPU seconds, largest memory in MB."""
    with TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "sim", "-m", *settings, f"seed=range(0,{runs})", f"hydra.launcher.workers={workers}"]
        began = time.time()
        cpu, memory = used([*line, f"outputs.root={folder}"])
        done, first = [], []
        for path in Path(folder).glob("*/manifest.json"):
            spent = sum(json.loads(path.read_text())["this_run"]["seconds"].values())
            done.append(path.stat().st_mtime)
            first.append(path.stat().st_mtime - spent)
    pace = 60 * runs / (max(done) - min(first))
    return {"runs_a_minute": pace, "start": min(first) - began, "cpu_seconds": cpu / runs, "memory_mb": memory}


def used(line: Sequence[str]) -> tuple[float, float]:
    """Run a command to its good end: CPU seconds of all its processes, MB of the largest."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(line)} ended with {process.returncode}: {said}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def start_of_worker() -> float:
    """Seconds from nothing to an economy that could step, kernels in the cache."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", START], check=True, env=os.environ | ONE_THREAD)
        taken.append(time.perf_counter() - began)
    return median(taken)


def a_round(settings: Sequence[str], runs: int, workers: Sequence[int]) -> Figures:
    """Everything once, in turn."""
    figures: Figures = {"load_before": os.getloadavg()[0]}
    for count in workers:
        figures[f"bare_seconds_{count}"] = bare(settings, runs, count)
        figures |= {f"{key}_{count}": value for key, value in swept(settings, runs, count).items()}
    if 1 in workers:
        figures["overhead"] = 60 / figures["runs_a_minute_1"] / figures["bare_seconds_1"] - 1
        for count in workers:
            figures[f"machine_{count}"] = figures["bare_seconds_1"] / figures[f"bare_seconds_{count}"]
            figures[f"efficiency_{count}"] = figures[f"runs_a_minute_{count}"] / count / figures["runs_a_minute_1"]
    return figures | {"load_after": os.getloadavg()[0]}


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis bench sweep", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="in each sweep of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true", help="figures by key, for machines, with every round")
    chosen, settings = parser.parse_known_args(arguments)
    swept(settings, 1, 1)  # compiles what is not in the cache
    start = start_of_worker()
    rounds = []
    for number in range(chosen.rounds):
        rounds.append(a_round(settings, chosen.runs, chosen.workers))
        print(f"round {number + 1} of {chosen.rounds}: load {rounds[-1]['load_before']:.1f}", file=sys.stderr, flush=True)
    figures = {"worker_start": start} | {key: median(found[key] for found in rounds) for key in rounds[0]}
    if chosen.json:
        print(json.dumps(figures | {"rounds": rounds}, indent=2))
    else:
        print("\n".join(f"{key:<20}{value:>10.3f}" for key, value in figures.items()))
    return 0
