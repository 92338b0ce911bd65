"""Make what cut arrows transmit: ``python -m analysis reference SCENARIO [path_seed=N] [key=value ...]``."""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sim import references
from sim.compose import resolve
from sim.mistakes import Mistakes
from sim.params import Params
from sim.run import assemble

SEEDS = range(1000, 1032)  # calibration seeds, kept apart from those of experiments


def record(overrides: list[str]) -> references.Signals:
    """Run one configuration with all arrows live and return its signals."""
    economy = assemble(resolve(overrides), recording=True)
    for _ in range(economy.months_total):
        economy.step()
    return references.signals(economy)


def make(params: Params, overrides: list[str], seeds: range = SEEDS) -> Path:
    """Record ``seeds`` runs in parallel; store constants and ensemble."""
    jobs = [[*overrides, f"seed={seed}"] for seed in seeds]
    with ProcessPoolExecutor(min(len(jobs), os.cpu_count() or 1)) as pool:
        paths = list(pool.map(record, jobs))
    return references.save_means(params, paths, list(seeds))


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    name, *rest = arguments
    path_seed = [word.removeprefix("path_seed=") for word in rest if word.startswith("path_seed=")]
    overrides = [f"scenario={name}", *(word for word in rest if not word.startswith("path_seed="))]
    try:
        params = resolve(overrides)
        if path_seed:
            overrides.append(f"seed={path_seed[-1]}")
            params = resolve(overrides)
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)
        return 2
    if path_seed:
        print(references.save_path(params, record(overrides)))
        return 0
    print(f"Recording {len(SEEDS)} runs of {name} ...", file=sys.stderr)
    print(make(params, overrides))
    return 0
