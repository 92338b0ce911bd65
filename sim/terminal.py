"""What ``python -m sim`` understands and shows."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

import yaml
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from sim import references
from sim.compose import CONFIGS, Point, names, resolve, resolve_sweep
from sim.folders import Unwritable
from sim.launcher import Stopped
from sim.mistakes import Mistake, Mistakes
from sim.params import Params, too_late
from sim.plans import LEFT_OUT, Plan
from sim.run import Draw, obtain, outputs
from sim.sweep import check_launcher, plan_of, sweep

USAGE = """\
python -m sim [-m] [KEY=VALUE ...]

Simulate AI capital formation and write one folder a run.

  python -m sim                                      the baseline
  python -m sim scenario=us_only seed=3              another scenario, another seed
  python -m sim scenario=mine.yaml                   your own file of values
  python -m sim sim.markets.primary.spread_cap=0.3   any key of configs/, under its module's name
  python -m sim -m scenario=us_only,china_only seed='range(0,4)'    a sweep: all checked, then run

  -m, --multirun   run every combination of the values given as a,b or range(a,b)
  --force          run what is complete again, beside it, and compare bit for bit
  --retry          in a sweep, try again what failed before
  -c, --cfg job    print the composed configuration and stop
  -h, --help       this page

Main keys
  scenario         a name below, or the path of a YAML file
  size             {sizes}
  seed             whole number
  horizon_years    1 to 200
  regions          [us,china], [us] or [china]
  outputs.root     where the folders of runs go: outputs

Scenarios
{scenarios}

Later beats earlier: groups' defaults, size, scenario, command line.
"""


def command(arguments: Sequence[str], draw: Draw) -> int:
    """Do what the arguments say, and return the exit code."""
    return judged(lambda: obey(*read(arguments), draw))


def judged(act: Callable[[], int]) -> int:
    """Exit code of an act; what the user can mend is said without a traceback."""
    try:
        return act()
    except (Mistakes, Unwritable, Stopped) as error:
        code, message = 2, str(error)
    except RuntimeError as error:
        if type(error).__name__ != "BooksDoNotBalance":  # by name, for its module pulls in numba
            raise
        code, message = 3, str(error)
    print(message, file=sys.stderr)
    return code


def obey(flags: argparse.Namespace, lines: list[str], draw: Draw) -> int:
    """Configurations are checked, all of them, before anything else happens."""
    if flags.help:
        print(usage(), end="")
        return 0
    import_module("mesa")  # a run's agents need it; its loggers look through all modules loaded before, so the fewer the better
    left_out: list[str] = []
    points = resolve_sweep(lines, left_out) if flags.multirun else [Point.of(lines, None)]
    for point in points:
        if not point.params.sim.arrows.live:
            references.load(point.params)  # refuses what is missing or stale
    if flags.cfg:
        runs = (params for point in points for params in point.runs())
        print("---\n".join(yaml.safe_dump(p.model_dump(mode="json"), sort_keys=False) for p in runs), end="")
        return 0
    if flags.multirun:
        return swept(lines, points, left_out, flags.force, flags.retry)
    return run(points[0].params, draw, flags.force)


def read(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Flags and overrides. Hydra's other flags (a pickle to rerun, other folders of configs) are not taken."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--retry", action="store_true")
    parser.add_argument("-c", "--cfg", choices=["job"])
    try:
        flags, rest = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise Mistakes([Mistake("command line", f": {error}. See python -m sim --help.")]) from None
    if strange := [word for word in rest if word.startswith("-")]:
        raise Mistakes(Mistake(word, ": no such flag. See python -m sim --help.") for word in strange)
    return flags, rest


def usage() -> str:
    """The help page, with the first comment line of every scenario."""
    width = max(map(len, names("scenario")))
    lines = [f"  {name:{width}}   {headline(CONFIGS / 'scenario' / f'{name}.yaml')}" for name in names("scenario")]
    return USAGE.format(sizes=", ".join(names("size")), scenarios="\n".join(lines))


def headline(path: Path) -> str:
    """A file's first comment line."""
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


def run(params: Params, draw: Draw, force: bool = False) -> int:
    """One run, with a bar and a table where somebody looks on."""
    for line in too_late(params, resolve([])):
        print(line, file=sys.stderr)
    folder, how, differs = obtain(params, bar if sys.stderr.isatty() else None, draw, force)
    if how == "reused":
        print("This run was complete and is reused; --force runs it again beside it and compares.", file=sys.stderr)
    elif how == "repeated":
        found = f"differs in {', '.join(differs)}. Both are kept" if differs else "the same, bit for bit"
        print(f"Run again: {found}.", file=sys.stderr)
    if sys.stdout.isatty():
        Console().print(table(folder))
    print(folder, flush=True)
    return 4 if differs else 0


def swept(lines: list[str], points: Sequence[Point], left_out: Sequence[str], force: bool, retry: bool) -> int:
    """A sweep, and the folders of all its complete runs."""
    plan, code = carry_out(lines, points, force, retry, left_out)
    for run in plan.progress().done:
        print(outputs(points[0].params) / run)
    sys.stdout.flush()
    return code


def carry_out(
    lines: list[str], points: Sequence[Point], force: bool = False, retry: bool = False, left_out: Sequence[str] = ()
) -> tuple[Plan, int]:
    """A sweep, with one bar where somebody looks on, and a count of what has become of its runs; the exit code."""
    check_launcher(lines)
    plan = plan_of(points)
    plan.leave_out(left_out)
    for combination in left_out:
        print(f"Left out, for it cannot be had: {combination}", file=sys.stderr)
    with counted(plan) if sys.stderr.isatty() else nullcontext():
        outcome = sweep(plan, lines, points, force, retry)
    home = outputs(points[0].params) / "sweeps"
    parts = f"{outcome.done} done, {outcome.reused} complete before and reused, {outcome.failed} failed, {outcome.missing} missing"
    print(f"{plan.table.num_rows} runs: {parts}. Sweep {home / plan.folder.name}", file=sys.stderr)
    if left_out:
        print(f"{len(left_out)} combinations that cannot be had are in {home / plan.folder.name / LEFT_OUT}", file=sys.stderr)
    if outcome.failed:
        print(f"Errors are in {home / 'failures'}; --retry tries those runs again.", file=sys.stderr)
    return plan, 4 if outcome.failed or outcome.missing or left_out else 0


@contextmanager
def counted(plan: Plan) -> Iterator[None]:
    """A bar that counts complete and failed runs on the disk, whoever makes them."""
    over = Event()

    def watch(progress: Progress) -> None:
        task = progress.add_task("runs", total=plan.table.num_rows)
        while not over.wait(1.0):
            now = plan.progress()
            progress.update(task, completed=len(now.done) + len(now.failed), description=f"runs, {len(now.failed)} failed")

    with Progress(*Progress.get_default_columns(), console=Console(stderr=True), transient=True) as progress:
        watcher = Thread(target=watch, args=(progress,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def bar(months: Iterable[int], total: int) -> Iterable[int]:
    """The months, counted on the terminal."""
    return track(months, "months", total=total, console=Console(stderr=True), transient=True)


def table(folder: Path) -> Table:
    """A run's headline numbers."""
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    shown = Table("", title=folder.name, title_justify="left")
    capex = summary.get("capex_by_year", {})
    for region in capex:
        shown.add_column(region, justify="right")
    years = list(next(iter(capex.values()), {}))
    for year in years:
        shown.add_row(f"capex {year}, bn USD", *(f"{(capex[region][year] or 0) / 1e9:,.0f}" for region in capex))
    falls = summary.get("episodes", {})
    shown.add_row("falls of 22 % or more", *(str(len(falls.get(region, []))) for region in capex))
    spreads = summary.get("peak_spread", {})
    shown.add_row("peak spread, 1/year", *(f"{spreads[r]:.4f}" if spreads.get(r) else "" for r in capex))
    worst = summary.get("losses", {}).get("worst_rate")
    if worst is not None:
        shown.add_row("worst year's loss, share of debt", f"{worst:.4f}")
    return shown
