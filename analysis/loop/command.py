"""What ``python -m analysis loop`` understands, says before it starts, and leaves."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.experiments.spec import Spec, load
from analysis.experiments.store import Store
from analysis.experiments.work import carry_out, lasting
from analysis.experiments.worlds import World, refuse_pulse
from analysis.loop import cuts, measures, page
from analysis.loop.plan import ALL, NONE, Plan, Stage, hours
from analysis.loop.reading import runs, severity
from analysis.loop.statements import Statement
from analysis.settings import mark, over, seeds_among
from analysis.statistics.intervals import LEVEL, fewest_seeds
from analysis.statistics.power import smallest_effect, spread
from sim.launcher import cores
from sim.mistakes import Mistakes, wrong
from sim.run import outputs
from sim.terminal import judged

MOST_SEEDS, MOST_HOURS, MOST_GAIN = 2000, 1000.0, 0.95
KEPT, LATE = 40.0, 0.02  # seconds and share of the budget for what comes after the experiments
LINE = "{:<34}{:>7}{:>9}{:>9}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 whatever the words, 2 wrong options."""
    chosen = options().parse_args(arguments)
    return judged(lambda: act(chosen))


def options() -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog="python -m analysis loop", description=__doc__)
    found.add_argument("--quick", action="store_true", help="ten minutes on two cores at most; much then reads cannot tell")
    found.add_argument("--budget", metavar="HOURS", help="stop after so many; beyond three, seeds grow in proportion")
    found.add_argument("--seeds", metavar="N", help="seeds of whole runs and of histories, instead of the usual numbers")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in python -m sim; else us_only, class")
    found.add_argument("--toy", metavar="GAIN", help="try all of it on a toy in which a loop of this gain was planted; 0: none")
    found.add_argument("--out", metavar="FOLDER", help="for page, tables and figures; default outputs/loop/NAME")
    found.add_argument("--json", action="store_true", help="print statements for machines")
    found.add_argument("--plan", action="store_true", help="say what it would run, and stop")
    return found


def act(chosen: argparse.Namespace) -> int:
    """Check, announce, run until time is up, measure, write."""
    begin, spec = time.time(), load()
    plan = planned(spec, chosen)
    stages = plan.stages()
    print("\n".join(announced(plan, stages)), file=sys.stderr, flush=True)
    if chosen.plan:
        return 0
    deadline = begin + max(plan.effort.hours * 3600.0 * (1.0 - LATE) - KEPT, 1.0)
    for stage in stages:
        carry_out(stage.todo(), deadline, stage.name)
    statements, tables = measured(plan)
    folder = Path(chosen.out) if chosen.out else home(plan)
    page.write(folder, plan, statements, tables, done(stages))
    if chosen.json:
        print(json.dumps({"statements": [vars(one) for one in statements]}, indent=2, allow_nan=False))
    else:
        print("\n".join(spoken(statements)))
    print(folder / "loop.html", file=sys.stderr)
    return 0


def planned(spec: Spec, chosen: argparse.Namespace) -> Plan:
    """Worlds and effort from options.

    Raises
    ------
    Mistakes
    """
    found = seeds_among(chosen.set)
    few = fewest_seeds(LEVEL)
    seeds = read(found, "--seeds", chosen.seeds, few, MOST_SEEDS, "a whole number", int)
    most = read(found, "--budget", chosen.budget, 0.01, MOST_HOURS, "hours", float)
    gain = read(found, "--toy", chosen.toy, -MOST_GAIN, MOST_GAIN, "a gain", float)
    if found:
        raise Mistakes(found)
    world = World(over(spec.settings, chosen.set), None if gain is None else float(gain))
    params = world.params(spec.first_seed)
    refuse_pulse(params)
    if params.months < 2 * spec.branch_months:
        raise Mistakes([wrong("horizon_years", params.horizon_years, f"too short. Give {2 * spec.branch_months / 12:g} or more.")])
    usual = spec.effort["quick" if chosen.quick else "default"]
    more = max((most or 0.0) / usual.hours, 1.0)
    effort = usual.model_copy(
        update={
            "runs": int(seeds or round(usual.runs * more)),
            "branches": int(seeds or round(usual.branches * more)),
            "hours": float(most or usual.hours),
        }
    )
    return Plan(spec, world, Store(outputs(params)), effort, bool(chosen.quick))


def read(found: list, option: str, text: str | None, low: float, high: float, what: str, kind: type) -> float | None:
    """A number given as an option; a mistake is added to ``found``."""
    if text is None:
        return None
    try:
        value = kind(text)
        if low <= value <= high:
            return float(value)
    except ValueError:
        pass
    found.append(wrong(option, text, f"out of range. Give {what} from {low:g} to {high:g}."))
    return None


def announced(plan: Plan, stages: Sequence[Stage]) -> list[str]:
    """Runs, hours and the smallest effects, before anything starts."""
    workers, pace = cores(), seconds_a_month(plan)
    lines = [f"{plan.world.params(0).scenario}, seeds from {plan.spec.first_seed} on, {workers} cores.", ""]
    lines.append(LINE.format("", "units", "stored", "hours", "for"))
    for stage in stages:
        taken = hours([stage], pace, workers)
        lines.append(LINE.format(stage.name, stage.units, stage.stored(), f"{taken:.2f}", stage.tells))
    total = hours(stages, pace, workers)
    lines += ["", f"About {lasting(total)} at {1e3 * pace:.0f} ms a simulated month; stops after {lasting(plan.effort.hours)},"]
    lines += ["what is done is kept and used again, and what is not reads cannot tell."]
    return [*lines, "Smallest effects seen four times in five:", *(f"  {text}" for text in resolution(plan))]


def seconds_a_month(plan: Plan) -> float:
    """Of one core: of stored runs of this world, or as in the file."""
    found, _ = runs(plan, plan.world, (NONE,))
    return float(np.median([row[0]["seconds_a_month"] for row in found])) if found else plan.spec.seconds_a_month


def resolution(plan: Plan) -> list[str]:
    """Smallest effects at these seeds: by the spread of stored seeds, else by that of the file."""
    whole, branched, usual = len(plan.seeds), len(plan.branch_seeds), plan.spec.spreads
    found, _ = runs(plan, plan.world, (NONE, ALL))
    known = len(found) >= fewest_seeds(LEVEL)
    swings = spread(cuts.log_swings(found, 0) - cuts.log_swings(found, 1)) if known else usual["amplification"]
    both = severity(found, 0)["combined"] if known else None
    bust = usual["severity"] if both is None else spread(both[:, 0] - both[:, 1])
    source = "stored seeds" if known else "the file"
    return [
        f"amplification of {np.exp(smallest_effect(swings, whole)):.2f} times, {whole} seeds (spread of {source})",
        f"severity of {smallest_effect(bust, whole):.2f} of its mean, {whole} seeds (spread of {source})",
        f"gain of {smallest_effect(usual['gain'], branched):.2f}, {branched} seeds (spread of the file)",
        f"response of {smallest_effect(usual['response'], branched):.2f} per unit pushed, {branched} seeds (spread of the file)",
    ]


def done(stages: Sequence[Stage]) -> list[dict[str, object]]:
    """What is in the store of every stage."""
    return [{"stage": s.name, "tells": s.tells, "units": s.units, "stored": s.stored()} for s in stages]


def measured(plan: Plan) -> tuple[list[Statement], measures.Tables]:
    """All statements, in the order of the page, and the tables behind them."""
    tables: measures.Tables = {}
    back, gains = measures.gain_statements(plan, tables)
    found = cuts.amplification_statements(plan, gains, tables) + back
    found += measures.arrow_statements(plan, tables) + measures.zero_statements(plan)
    found += cuts.single_statements(plan, tables) + cuts.factorial_statements(plan, tables)
    found += cuts.cobweb_statements(plan, tables) + measures.state_statements(plan, tables)
    return found + cuts.control_statements(plan, tables) + cuts.elasticity_statements(plan, tables), tables


def spoken(statements: Sequence[Statement]) -> list[str]:
    """The statements as lines, part by part."""
    lines, part = [], ""
    for one in statements:
        if one.part != part:
            part = one.part
            lines += ["", part]
        lines.append(f"  {one.word or 'reported':<14}{one.number:<46}  {one.says}{f'  [{one.note}]' if one.note else ''}")
    return lines


def home(plan: Plan) -> Path:
    """Where the page of a world goes."""
    params = plan.world.params(plan.spec.first_seed)
    name = f"toy-{plan.world.toy:g}" if plan.world.toy is not None else f"{params.scenario}-{params.size}"
    name += mark(plan.world.lines, plan.spec.settings) + ("-quick" if plan.quick else "")
    return outputs(params) / "loop" / name
