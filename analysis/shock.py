"""What a shock does: paired branches of one history, ``python -m analysis shock NAME [--month M] [--outcome COLUMN ...]``.

A response is a difference between two branches on the same draws: in logs where an amount is positive throughout, as a share of
its mean without the shock where it is not, in points for shares and rates. Intervals are of each month; whether anything differs
at all is asked of all months together.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.experiments.shocks import Book, Pair, Shock, book, find
from analysis.experiments.store import Store
from analysis.experiments.work import carry_out, lasting
from analysis.experiments.worlds import World, refuse_cuts, refuse_pulse
from analysis.loop.command import KEPT, read
from analysis.loop.figures import responses, styled
from analysis.settings import mark, over, seeds_among
from analysis.statistics.impulses import Impulse, impulse
from analysis.statistics.intervals import LEVEL, fewest_seeds
from sim.columns import MONTHLY
from sim.launcher import cores
from sim.manifest import sources_hash
from sim.mistakes import Mistake, Mistakes, suggestion, wrong
from sim.run import outputs
from sim.terminal import judged

PACE = 0.013  # seconds a simulated month of the class economy takes one core, measured
MOST_SEEDS, MOST_MONTHS, MOST_HOURS = 2000, 600, 1000.0
AMOUNTS = ("USD", "GPU", "USD/GPU", "USD/GPU-hour", "USD/GPU/year", "count")
LINE = "{:<28}{:>12}{:>24}{:>7}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    shocks = book()
    chosen = options(shocks).parse_args(arguments)
    if chosen.list or chosen.name is None:
        print("\n".join(f"{name:<16}{shock.says}" for name, shock in shocks.shocks.items()))
        return 0 if chosen.list else 2
    return judged(lambda: act(shocks, chosen))


def options(shocks: Book) -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog="python -m analysis shock", description=(__doc__ or "").splitlines()[0])
    found.add_argument("name", nargs="?", metavar="NAME", help="of a shock, or the path of a file of your own")
    found.add_argument("--list", action="store_true", help="the shocks there are")
    found.add_argument("--month", metavar="M", help=f"after recording begins; default {shocks.month}")
    found.add_argument("--months", metavar="N", help=f"length of the branches; default {shocks.length}")
    found.add_argument("--outcome", action="append", default=[], metavar="COLUMN", help="of monthly; again for more")
    found.add_argument("--region", metavar="NAME", help="whose outcomes; default the first")
    found.add_argument("--seeds", metavar="N", help=f"default {shocks.seeds}")
    found.add_argument("--quick", action="store_true", help=f"{shocks.quick_seeds} seeds")
    found.add_argument("--budget", metavar="HOURS", help="stop after so many; default 3")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in python -m sim; else us_only, class")
    found.add_argument("--out", metavar="FOLDER", help="for tables and figure; default outputs/shocks/NAME")
    found.add_argument("--json", action="store_true", help="print the numbers for machines")
    return found


def act(shocks: Book, chosen: argparse.Namespace) -> int:
    """Check, announce, run, measure, write."""
    begin = time.time()
    name, shock = find(chosen.name, shocks.shocks)
    pairs, hours = planned(shocks, shock, chosen)
    region = chosen.region or pairs[0].shocked.regions[0]
    wanted = asked(shocks, chosen, region, pairs[0].shocked.regions)
    todo = [pair for pair in pairs if not pair.stored()]
    print("\n".join(announced(pairs, todo)), file=sys.stderr, flush=True)
    carry_out(todo, begin + hours * 3600.0 - KEPT, name)
    found = measured(pairs, region, wanted)
    place = f"{name}-month{pairs[0].month}{mark(pairs[0].world.lines, shocks.settings)}"
    folder = Path(chosen.out) if chosen.out else outputs(pairs[0].shocked) / "shocks" / place
    facts = summary(name, shock, pairs, region, wanted, found)
    write(folder, facts, found)
    print(json.dumps(facts, indent=2) if chosen.json else "\n".join(spoken(facts)))
    print(folder, file=sys.stderr)
    return 0


def planned(shocks: Book, shock: Shock, chosen: argparse.Namespace) -> tuple[list[Pair], float]:
    """One pair a seed, and the hours there are.

    Raises
    ------
    Mistakes
    """
    found = seeds_among(chosen.set)
    seeds = read(found, "--seeds", chosen.seeds, fewest_seeds(LEVEL), MOST_SEEDS, "a whole number", int)
    month = read(found, "--month", chosen.month, 1, MOST_MONTHS, "a month", int)
    length = read(found, "--months", chosen.months, 1, MOST_MONTHS, "months", int)
    hours = read(found, "--budget", chosen.budget, 0.02, MOST_HOURS, "hours", float)
    if found:
        raise Mistakes(found)
    world = World(over(shocks.settings, chosen.set))
    refuse_cuts(world)
    params = world.params(shocks.first_seed)
    refuse_pulse(params)
    at, months = int(month or shocks.month), int(length or shocks.length)
    if at + months > params.months:
        text = (
            f"{months} months after month {at} are more than the {params.months} of the run. Give less, or --set horizon_years=N."
        )
        raise Mistakes([wrong("--months", months, text)])
    count = int(seeds or (shocks.quick_seeds if chosen.quick else shocks.seeds))
    store = Store(outputs(params))
    pairs = [Pair(world, shocks.first_seed + n, shock, at, months, store) for n in range(count)]
    if not pairs[0].shocked.sim.arrows.live:  # resolved here, so that lines that cannot be had are refused before anything is run
        text = ": its lines cut an arrow, which only `python -m analysis loop` can. Leave that out."
        raise Mistakes([Mistake(f"shock {chosen.name}", text)])
    return pairs, hours or 3.0


def asked(shocks: Book, chosen: argparse.Namespace, region: str, regions: Sequence[str]) -> list[str]:
    """Columns to be measured.

    Raises
    ------
    Mistakes
    """
    numbers = [name for name, (unit, _) in MONTHLY.items() if unit not in ("text", "date", "index", "flag")]
    way_out = "Give a column of monthly in sim/columns.py."
    found = [
        wrong("--outcome", name, f"no such column. {suggestion(name, numbers)} {way_out}")
        for name in chosen.outcome
        if name not in numbers
    ]
    if region not in regions:
        found.append(wrong("--region", region, f"not simulated. Give one of {', '.join(regions)}."))
    if found:
        raise Mistakes(found)
    return list(chosen.outcome or shocks.outcomes)


def announced(pairs: Sequence[Pair], todo: Sequence[Pair]) -> list[str]:
    """Runs, hours and what can be seen."""
    months = pairs[0].month + 2 * pairs[0].length + pairs[0].shocked.sim.build.burn_in
    hours = len(todo) * months * PACE / min(cores(), max(len(todo), 1)) / 3600.0
    return [
        f"{len(pairs)} pairs of branches, {len(pairs) - len(todo)} of them stored; about {lasting(hours)} for the others.",
        f"A response seen four times in five: {seen(len(pairs)):.2f} standard deviations between seeds.",
    ]


def seen(seeds: int) -> float:
    """Smallest effect, in standard deviations over seeds of the difference."""
    from analysis.statistics.power import smallest_effect  # slow to load

    return smallest_effect(1.0, seeds)


def measured(pairs: Sequence[Pair], region: str, wanted: Sequence[str]) -> dict[str, tuple[Impulse, str]]:
    """Response and its unit by outcome; left out where too few seeds are there, or the outcome has no value in some month."""
    read = [both for pair in pairs if (both := pair.read()) is not None]
    if len(read) < fewest_seeds(LEVEL):
        return {}
    found = {}
    for name in wanted:
        base, shocked = (np.array([both[side][f"{region} {name}"] for both in read]) for side in (0, 1))
        if np.isfinite(base).all() and np.isfinite(shocked).all():
            found[name] = respond(base, shocked, MONTHLY[name][0])
    return found


def respond(base: np.ndarray, shocked: np.ndarray, unit: str) -> tuple[Impulse, str]:
    """The impulse response of one outcome, and its unit."""
    if unit not in AMOUNTS:
        return impulse(shocked, base), unit
    if min(base.min(), shocked.min()) > 0.0:
        return impulse(shocked, base, logs=True), "log"
    scale = np.maximum(np.abs(base).mean(axis=1, keepdims=True), 1e-12)
    return impulse(shocked / scale, base / scale), "of its mean without"


def summary(
    name: str, shock: Shock, pairs: Sequence[Pair], region: str, wanted: Sequence[str], found: dict[str, tuple[Impulse, str]]
) -> dict[str, object]:
    """What ``python -m analysis results`` reads."""
    return {
        "shock": name,
        "says": shock.says,
        "lines": list(shock.at(pairs[0].month)),
        "world": list(pairs[0].world.lines),
        "month": pairs[0].month,
        "length": pairs[0].length,
        "region": region,
        "seeds": sum(pair.stored() for pair in pairs),
        "sources": sources_hash(),
        "outcomes": [row(outcome, *one) for outcome, one in found.items()],
        "without_value": [outcome for outcome in wanted if outcome not in found],
    }


def row(outcome: str, found: Impulse, unit: str) -> dict[str, object]:
    """One outcome's largest response, and whether there is any."""
    height = found.height
    return {
        "outcome": outcome,
        "unit": unit,
        "estimate": float(height.estimate),
        "low": float(height.low),
        "high": float(height.high),
        "after": found.lag,
        "anywhere": found.anywhere,
        "untouched": not (found.response.low.any() or found.response.high.any()),
    }


def write(folder: Path, facts: dict[str, object], found: dict[str, tuple[Impulse, str]]) -> None:
    """Responses as Parquet and CSV, one figure, and ``shock.json``.

    Raises
    ------
    Mistakes
        where the folder cannot be written
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "shock.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        if found:
            paths = pd.concat(
                [one.table().assign(outcome=name, unit=unit) for name, (one, unit) in found.items()], ignore_index=True
            )
            paths.to_parquet(folder / "responses.parquet")
            paths.to_csv(folder / "responses.csv", index=False)
            (folder / "responses.svg").write_text(styled(responses, paths), encoding="utf-8")
    except OSError as error:
        raise Mistakes([wrong("--out", str(folder), f"cannot be written: {error}.")]) from None


def spoken(facts: dict) -> list[str]:
    """A line an outcome."""
    lines = [f"{facts['says']} Month {facts['month']}, {facts['region']}, {facts['seeds']} seeds."]
    if facts["seeds"] < fewest_seeds(LEVEL):
        return [*lines, "Too few seeds are stored: cannot tell."]
    head = ("largest response", "", "95 % interval", "month", "of that month; whether anything differs in any month")
    lines.append(LINE.format(*head))
    for one in facts["outcomes"]:
        interval = f"{one['low']:.3g} to {one['high']:.3g}"
        word = "nothing differs" if one["untouched"] else "differs" if one["anywhere"] else "cannot tell"
        lines.append(LINE.format(one["outcome"], f"{one['estimate']:.3g}", interval, one["after"], f"{one['unit']}; {word}"))
    return [*lines, *(f"{name}: has no value in some months of some seeds." for name in facts["without_value"])]
