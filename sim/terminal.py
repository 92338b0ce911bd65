"""What ``python -m sim`` understands and shows."""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hydra
import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console
from rich.progress import track
from rich.table import Table

from sim import references
from sim.compose import CONFIGS, hydra_lines, names, resolve, resolve_sweep
from sim.folders import Unwritable
from sim.mistakes import Mistake, Mistakes
from sim.params import Params
from sim.run import Draw, obtain

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
    except (Mistakes, Unwritable) as error:
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
    points = resolve_sweep(lines) if flags.multirun else [resolve(lines)]
    for point in points:
        if not point.sim.arrows.live:
            references.load(point)  # refuses what is missing or stale
    if flags.cfg:
        print("---\n".join(yaml.safe_dump(p.model_dump(mode="json"), sort_keys=False) for p in points), end="")
        return 0
    if flags.multirun:
        sweep(lines, draw)
        return 0
    return run(points[0], draw, flags.force)


def read(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Flags and overrides. Hydra's other flags (a pickle to rerun, other folders of configs) are not taken."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("--force", action="store_true")
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


def sweep(lines: Sequence[str], draw: Draw) -> None:
    """Every point through Hydra's sweeper and launcher; its own files go to a folder that is removed."""

    @hydra.main(version_base="1.3", config_path="pkg://configs", config_name="config")
    def job(_: DictConfig) -> None:
        logging.getLogger("hydra").setLevel(logging.WARNING)
        if code := judged(lambda: run(resolve(list(HydraConfig.get().overrides.task)), draw)):
            sys.exit(code)  # which Hydra lets pass

    with TemporaryDirectory(prefix="caploop-") as folder:
        sys.argv[1:] = ["-m", *hydra_lines(lines), f"hydra.sweep.dir={folder}"]
        job()


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
