"""How far a sweep is: ``python -m analysis status SWEEP [--watch]``, while it runs or after."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sim.plans import Plan, Progress, failure

RECENT = 900  # seconds in which complete runs make the rate


def lines(plan: Plan, progress: Progress) -> list[str]:
    """Counts, rate, time left, the first failures, and combinations that were left out."""
    counts = (
        f"{len(progress.done)} done, {len(progress.running)} running, {len(progress.failed)} failed, {len(progress.to_do)} to do"
    )
    page = [f"{plan.table.num_rows} runs: {counts}"]
    left = len(progress.running) + len(progress.to_do)
    pace = rate(plan, progress.done)
    if pace:
        page.append(f"{60 * pace:.1f} runs a minute" + (f", {left / pace / 60:.0f} minutes left" if left else ""))
    for run in progress.failed[:10]:
        found = failure(plan.root, run) or {"error": "unknown", "message": ""}
        page.append(f"failed: {run}: {found['error']}: {found['message'].splitlines()[0] if found['message'] else ''}")
    return page + [f"left out: {combination}" for combination in plan.left_out()]


def rate(plan: Plan, done: Sequence[str]) -> float | None:
    """Runs a second over the last minutes in which any was completed."""
    times = []
    for run in done:
        with suppress(OSError):
            times.append((plan.root / run / "manifest.json").stat().st_mtime)
    recent = sorted(moment for moment in times if moment > max(times) - RECENT)
    return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else None


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis status", description=__doc__.splitlines()[0])
    parser.add_argument("sweep", type=Path, help="outputs/sweeps/HASH")
    parser.add_argument("--watch", action="store_true", help="every five seconds, until nothing is left")
    chosen = parser.parse_args(arguments)
    try:
        plan = Plan.read(chosen.sweep)
    except (OSError, ValueError):
        print(f"{chosen.sweep} is not the folder of a sweep, as outputs/sweeps/HASH.", file=sys.stderr)
        return 2
    while True:
        progress = plan.progress()
        print(*lines(plan, progress), sep="\n", flush=True)
        if not chosen.watch or not (progress.to_do or progress.running):
            return 0
        time.sleep(5)
