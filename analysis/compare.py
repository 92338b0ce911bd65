"""What two regimes or more do differently, on one page: ``python -m analysis compare A B [C ...] [--seeds N] [--json]``.

Scenarios are names of ``configs/scenario`` or paths of files. All are run over the same seeds; runs that are stored are used again.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.decisions import comparing, quantities
from analysis.decisions.asking import regimes
from analysis.decisions.differing import FEW, NONE, SMALL, UNSURE, ZERO, Difference
from analysis.decisions.quantities import BadQuantity, Quantity
from analysis.pages.words import counted, digits
from analysis.validate import count
from sim.compose import names
from sim.mistakes import Mistakes, wrong
from sim.run import outputs
from sim.terminal import judged

SEEDS, BUDGET = 8, 120
SAID = 60  # characters of a quantity's words on a line
LINE = "  {:<62}{:<8}{:>11}{:>11}{:>11}  {:<23} {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 done, 2 wrong options, 4 a run failed."""
    chosen = options("compare", (__doc__ or "").splitlines()[0]).parse_args(arguments)
    return judged(lambda: act(chosen, chosen.scenarios, chosen.budget))


def options(command: str, summary: str, scenarios: bool = True) -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog=f"python -m analysis {command}", description=summary)
    if scenarios:
        found.add_argument("scenarios", nargs="+", metavar="SCENARIO", help="two or more; the others are held against the first")
    found.add_argument("--seeds", default=str(SEEDS), metavar="N", help=f"how many seeds; default {SEEDS}")
    found.add_argument("--years", metavar="N", help="recorded years of a run; default as in configs/")
    found.add_argument("--size", help=f"{' or '.join(names('size'))}; default as in configs/")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a value for all scenarios")
    found.add_argument(
        "--budget",
        default=str(BUDGET),
        metavar="RUNS",
        help="most runs beside those of the scenarios, to switch features one at a time; 0: none; default %(default)s",
    )
    found.add_argument("--out", type=Path, metavar="DIR", help="folder of the result; default under outputs/comparisons")
    found.add_argument("--json", action="store_true", help="print the differences for machines, and nothing else")
    return found


def act(chosen: argparse.Namespace, scenarios: Sequence[str], budget: str, policies: bool = False) -> int:
    """Check everything, run what is missing, compare, and write the page."""
    if len(scenarios) < 2:
        raise Mistakes([wrong("SCENARIO", " ".join(scenarios), "one alone. Give two or more, as baseline china_only.")])
    settings = [*([f"size={chosen.size}"] if chosen.size else []), *([f"horizon_years={chosen.years}"] if chosen.years else [])]
    settings += chosen.set
    seeds, runs = count(chosen.seeds, chosen.set), allowance(budget)
    try:
        quantities.load()
    except BadQuantity as error:
        print(error, file=sys.stderr)
        return 2
    given = regimes(scenarios, seeds, settings)
    root = outputs(given[0].params[0]) / "comparisons"
    home = folder(chosen.out, root / f"{'-'.join(dict.fromkeys(r.label for r in given))[:60]}-{comparing.identity(given, runs)}")
    try:
        found = comparing.compare(given, settings, runs, root / "scenarios")
    except comparing.Failed as failed:
        return failed.code
    comparing.write(found, home, settings, policies)
    from analysis.report import comparison  # draws, which takes a second to load

    page = comparison(home)
    print(json.dumps(comparing.machine(found), indent=2) if chosen.json else "\n".join([*lines(found), "", str(page)]))
    return 0


def allowance(text: str) -> int:
    """The budget of runs.

    Raises
    ------
    Mistakes
    """
    if not text.isdecimal() or int(text) > 10_000:
        raise Mistakes([wrong("--budget", text, "out of range. Give a whole number from 0 to 10,000 (runs).")])
    return int(text)


def folder(given: Path | None, usual: Path) -> Path:
    """Where the result goes; nothing but an earlier result is written over.

    Raises
    ------
    Mistakes
    """
    home = (given or usual).expanduser()
    if home.exists() and (not home.is_dir() or (any(home.iterdir()) and not (home / comparing.PAGE).is_file())):
        raise Mistakes([wrong("--out", str(home), "is there and holds no comparison. Name a new folder.")])
    return home


def lines(found: comparing.Comparison) -> list[str]:
    """What a reader sees on the terminal: the sure differences, and how many others there are."""
    known = {quantity.id: quantity for quantity in quantities.load()}
    shown = [f"{' and '.join(found.labels)}, {counted(len(found.regimes[0].seeds), 'paired seed')}."]
    for one in found.against:
        sure = [gap for gap in one.differences if gap.certain]
        shown += ["", f"{one.label} less {found.labels[0]}: {tally(one.differences, bool(one.plan.features))}."]
        shown += [LINE.format("", "", "difference", "low", "high", "unit", "")] * bool(sure)
        shown += [line(known[gap.quantity], gap) for gap in sure]
    return shown


def tally(gaps: Sequence[Difference], differ: bool) -> str:
    """How many differences of each word; where all are zero, whether parameters ``differ``."""
    if gaps and all(gap.word in (ZERO, NONE) for gap in gaps):
        return f"every difference is zero; {'what they differ in never acts here' if differ else 'the scenarios are the same'}"
    words = {"sure": sum(gap.certain for gap in gaps)} | {
        w: sum(gap.word == w for gap in gaps) for w in (SMALL, UNSURE, ZERO, FEW, NONE)
    }
    return ", ".join(f"{number} {word}" for word, number in words.items() if number)


def line(quantity: Quantity, gap: Difference) -> str:
    """One difference."""
    numbers = (digits(gap.difference, True), digits(gap.low, True), digits(gap.high, True))
    said = quantity.says if len(quantity.says) <= SAID else quantity.says.partition(" (")[0][:SAID]
    return LINE.format(said, gap.region, *numbers, quantity.unit, gap.word).rstrip()
