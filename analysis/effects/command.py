"""What each system does to boom and bust, pair by pair: ``python -m analysis effects [NAME ...] [--seeds N] [--json]``."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from analysis.effects import page
from analysis.effects.measuring import Effect, Plan, effects, measured
from analysis.effects.spec import Group, Spec, load
from analysis.pages.words import digits
from analysis.settings import key, over
from analysis.statements.plan import make
from analysis.statistics.intervals import LEVEL, fewest_seeds
from analysis.validate import FIRST, QUICK, count, foretold
from sim.compose import names as shipped
from sim.mistakes import Mistakes, suggestion, wrong
from sim.run import outputs
from sim.summary import plain
from sim.terminal import judged

LINE = "{:<27}{:<7}{:<17}{:>9}{:>9}{:>9}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 done, 2 wrong options, 4 if a run failed."""
    chosen = options(load()).parse_args(arguments)
    return judged(lambda: act(chosen, load()))


def options(spec: Spec) -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog="python -m analysis effects", description=(__doc__ or "").splitlines()[0])
    found.add_argument("names", nargs="*", metavar="NAME", help="systems or groups of analysis/effects/effects.yaml; default all")
    found.add_argument("--seeds", default=str(spec.seeds), metavar="N", help=f"how many, from {FIRST} on; default {spec.seeds}")
    found.add_argument("--years", metavar="N", help=f"recorded years of a run; by default {' '.join(spec.settings)}")
    found.add_argument("--size", help=" or ".join(shipped("size")))
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a value for all runs")
    found.add_argument("--quick", action="store_true", help="stored runs, and what ten minutes allow; the rest: not run")
    found.add_argument("--plan", action="store_true", help="say what it would run, and stop")
    found.add_argument("--json", action="store_true", help="print the differences for machines, and nothing else")
    return found


def act(chosen: argparse.Namespace, spec: Spec) -> int:
    """Check everything, say what it takes, run what is missing, measure, write, and print."""
    begin, plan = time.time(), planned(chosen, spec)
    foretold(plan.worlds, chosen.quick)
    if chosen.plan:
        return 0
    code = make(plan.worlds, begin + QUICK if chosen.quick else None)
    values = measured(plan)
    found = effects(plan, values)
    home = outputs(plan.worlds[0].wanted[0]) / "effects" / plan.identity
    page.write(home, plan, found, values, spec)
    places = [home / page.PAGE]
    if whole(plan, spec):
        page.publish(home)
        places.append(page.FILE)
    print(json.dumps(machine(found), indent=2, allow_nan=False) if chosen.json else "\n".join(shown(plan, found)))
    print(*places, sep="\n", file=sys.stderr)
    return code


def planned(chosen: argparse.Namespace, spec: Spec) -> Plan:
    """Pairs, settings and seeds from options.

    Raises
    ------
    Mistakes
    """
    seeds = count(chosen.seeds, chosen.set)
    given = [*([f"size={chosen.size}"] if chosen.size else []), *([f"horizon_years={chosen.years}"] if chosen.years else [])]
    lines = over(spec.settings, [*given, *chosen.set])
    groups = picked(spec, chosen.names)
    own = {key(line) for group in groups for pair in group.pairs for line in (*pair.of, *pair.against)} | {"regions"}
    if clashing := [line for line in chosen.set if key(line) in own]:
        raise Mistakes(wrong("--set", line, "a system's own; analysis/effects/effects.yaml has it.") for line in clashing)
    number = min(seeds, fewest_seeds(LEVEL)) if chosen.quick else seeds
    return Plan(groups, spec.measures, lines, tuple(FIRST + n for n in range(number)))


def picked(spec: Spec, asked: Sequence[str]) -> tuple[Group, ...]:
    """All groups, or those asked for, with the pairs asked for.

    Raises
    ------
    Mistakes
        for a name that nothing has
    """
    if strange := [name for name in asked if name not in spec.names]:
        known = ", ".join(spec.names)
        raise Mistakes(wrong("NAME", n, f"no such system. {suggestion(n, spec.names)} Known: {known}.") for n in strange)
    if not asked:
        return spec.groups
    kept = [(group, [pair for pair in group.pairs if {group.id, pair.id} & set(asked)]) for group in spec.groups]
    return tuple(group.model_copy(update={"pairs": tuple(pairs)}) for group, pairs in kept if pairs)


def whole(plan: Plan, spec: Spec) -> bool:
    """Whether all systems were asked for, with the file's own settings and at least its seeds."""
    lines = {line for line in plan.lines if not line.startswith("outputs.")}
    return plan.groups == spec.groups and lines == set(spec.settings) and len(plan.seeds) >= spec.seeds


def machine(found: Sequence[Effect]) -> dict[str, list[dict[str, object]]]:
    """Differences for machines."""
    rows = [{"system": one.pair.id, "group": one.group} | asdict(gap) for one in found for gap in one.differences]
    return {"effects": plain(rows)}


def shown(plan: Plan, found: Sequence[Effect]) -> list[str]:
    """The lines a reader sees: how many intervals miss zero, and which."""
    known = {quantity.id: quantity for group in plan.groups for quantity in plan.quantities(group)}
    lines = [page.tally(found), LINE.format("", "", "", "effect", "low", "high", "unit")]
    for one in found:
        for gap in one.differences:
            if page.away(gap):
                numbers = (digits(value, True) for value in (gap.difference, gap.low, gap.high))
                quantity = known[gap.quantity]
                lines.append(LINE.format(one.pair.id, one.region, quantity.short, *numbers, quantity.unit))
    missing = [one.pair.id for one in found if not one.pairs]
    return lines + ([f"Not run: {', '.join(dict.fromkeys(missing))}."] if missing else [])
