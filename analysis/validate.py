"""What the model meets of what the world did, by block: ``python -m analysis validate [--seeds N] [--size S] [--quick] [--json]``.

Targets are facts on levels, booms and busts; statements are on monthly series, and each asks for runs of its own, of forty years
or of other settings. Runs that are stored and of the present sources are used again. A target passes when the median over seeds of
each of its numbers lies in the band, a statement when the intervals do; what is not measured or not run does not pass. What fails
stays in the table.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from analysis import scoring
from analysis.experiments.work import lasting
from analysis.metrics.runs import open_run
from analysis.scoring import Score, Verdict
from analysis.settings import seeds_among
from analysis.statements import page as statement_page
from analysis.statements.judging import Judgement
from analysis.statements.plan import FIRST as FIRST
from analysis.statements.plan import START, Plan, World, make, seconds
from analysis.statements.spec import Statement
from analysis.statements.spec import load as load_statements
from analysis.statistics.intervals import LEVEL, fewest_seeds
from analysis.targets import BLOCKS, BadTarget, Target, load
from sim.launcher import cores
from sim.mistakes import Mistakes, suggestion, wrong
from sim.params import Params
from sim.run import complete, folder_name, outputs
from sim.terminal import judged

MOST, MOST_FIRST = 1000, 1_000_000  # seeds, and the first of them
FEW = 2  # seeds of a quick look at targets for which nothing is stored
QUICK = 420.0  # seconds in which a quick look makes its runs; reading and judging them takes the rest of ten minutes
LINE = "{:<5}{:<16}{:<28}{:>9}  {:<16}{:<15}{:>7}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 whatever the verdicts, 2 wrong options, 4 if a run failed."""
    chosen = options().parse_args(arguments)
    return judged(lambda: act(chosen))


def options() -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog="python -m analysis validate", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--seeds", default="8", metavar="N", help="how many seeds; default 8")
    found.add_argument("--first", default=str(FIRST), metavar="SEED", help=f"the first of them; default {FIRST}")
    found.add_argument("--quick", action="store_true", help="stored runs, and what ten minutes allow; the rest: cannot tell")
    found.add_argument("--size", metavar="SIZE", help="size of the economy, as --set size=SIZE; class takes a sixth of the time")
    found.add_argument("--facts", metavar="FILE", help="statements of your own, beside those of analysis/facts/statements.yaml")
    found.add_argument("--only", metavar="ID,...", help="these targets and statements alone, and the runs that they need")
    found.add_argument("--plan", action="store_true", help="say what it would run, and stop")
    found.add_argument("--json", action="store_true", help="only the verdicts, for machines; seeds counts those with a value")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in python -m sim: scenario=us_only")
    return found


def act(chosen: argparse.Namespace) -> int:
    """Check everything, say what it takes, run what is missing, measure, and print."""
    begin = time.time()
    lines = [*chosen.set, *([f"size={chosen.size}"] if chosen.size else [])]
    number = count(chosen.seeds, chosen.set)
    try:
        targets, statements = picked(load(), load_statements(chosen.facts), chosen.only)
    except BadTarget as error:
        print(error, file=sys.stderr)
        return 2
    first = count(chosen.first, [], "--first", MOST_FIRST)
    seeds = tuple(first + n for n in range(number))
    plan, base = Plan(tuple(statements), tuple(lines), seeds), World(tuple(lines), seeds)
    used = usable(base.wanted, chosen.quick) if targets else []
    worlds = plan.worlds
    if chosen.quick:
        worlds = [World(world.lines, seeds[: fewest_seeds(LEVEL)]) for world in worlds]
    if used:
        worlds = [World(base.lines, tuple(params.seed for params in used)), *worlds]
    foretold(worlds, chosen.quick)
    if chosen.plan:
        return 0
    code = make(worlds, begin + QUICK if chosen.quick else None)
    there = [params for params in used if complete(params)]
    verdicts, judgements = judge(targets, there) if there else [], plan.judged()
    if chosen.json:
        print(json.dumps(machine(verdicts) | {"statements": statement_page.machine(judgements)}, indent=2, allow_nan=False))
    else:
        print("\n".join(shown(base.wanted[0], there, verdicts, judgements, number)))
    return code


def usable(wanted: Sequence[Params], quick: bool) -> list[Params]:
    """Runs that targets are held against: all, or in a quick look those that are stored."""
    ready = [params for params in wanted if complete(params)]
    if not quick:
        return list(wanted)
    return ready if len(ready) >= min(FEW, len(wanted)) else list(wanted[:FEW])


def picked(targets: Sequence[Target], statements: Sequence[Statement], only: str | None) -> tuple[list[Target], list[Statement]]:
    """All, or those asked for by their ids.

    Raises
    ------
    Mistakes
        for an id that nothing has
    """
    known = [target.id for target in targets] + [statement.id for statement in statements]
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise BadTarget(f"{', '.join(twice)} given twice. Give your own another id.")
    asked = known if only is None else only.replace(" ", "").split(",")
    if strange := [name for name in asked if name not in known]:
        raise Mistakes(
            wrong("--only", name, f"no such statement. {suggestion(name, known)} Known: {', '.join(known)}.") for name in strange
        )
    return [one for one in targets if one.id in asked], [one for one in statements if one.id in asked]


def count(text: str, settings: Sequence[str], option: str = "--seeds", most: int = MOST) -> int:
    """A whole number given as an option.

    Raises
    ------
    Mistakes
        for anything but a whole number in range, or a seed among the settings
    """
    found = []
    if not text.isdecimal() or not 1 <= int(text) <= most:
        found.append(wrong(option, text, f"out of range. Give a whole number from 1 to {most}."))
    found += seeds_among(settings)
    if found:
        raise Mistakes(found)
    return int(text)


def announce(runs: int, todo: Sequence[Params]) -> None:
    """How many runs are needed, and for how long."""
    text = f"{runs} runs, {runs - len(todo)} of them stored"
    if todo:
        workers = min(cores(), len(todo))
        worlds = len({params.model_copy(update={"seed": 0}) for params in todo})  # each a sweep, whose processes begin anew
        taken = START * worlds + sum(map(seconds, todo)) / workers
        text += f"; {len(todo)} to make on {workers} cores, about {lasting(taken / 3600.0)}"
        text += ", and two or three minutes more if kernels are yet to be compiled"
    print(text + ".", file=sys.stderr, flush=True)


def foretold(worlds: Sequence[World], quick: bool) -> None:
    """The same world by world; a run that two of them share counts once."""
    wanted = {folder_name(params): params for world in worlds for params in world.wanted}
    announce(len(wanted), [params for params in wanted.values() if not complete(params)])
    apart: dict[Params, World] = {}
    for world in worlds:
        apart.setdefault(world.wanted[0], world)
    for world in apart.values() if len(apart) > 1 else []:
        told = " ".join(world.lines) or "as configured"
        years = f"{world.wanted[0].horizon_years:g} years"
        print(f"  {len(world.missing())} of {len(world.seeds)} to make, {years}: {told}", file=sys.stderr)
    if quick and wanted:
        says = f"No run begins that would not end within {QUICK / 60:.0f} minutes; what was not run reads cannot tell."
        print(says, file=sys.stderr, flush=True)


def judge(targets: Sequence[Target], used: Sequence[Params]) -> list[Verdict]:
    """Measure every run, one at a time in memory."""
    found = [scoring.survey(targets, open_run(outputs(params) / folder_name(params))) for params in used]
    return scoring.judge(targets, found)


def machine(verdicts: Sequence[Verdict]) -> dict[str, list[dict[str, object]]]:
    """Verdicts for machines: of several numbers the one that decides."""
    return {
        "targets": [
            {
                "id": verdict.target.id,
                "value": one.value,
                "low": one.check.low,
                "high": one.check.high,
                "pass": verdict.passed,
                "seeds": one.seeds,
            }
            for verdict in verdicts
            for one in (verdict.decisive,)
        ]
    }


def shown(
    params: Params, used: Sequence[Params], verdicts: Sequence[Verdict], judgements: Sequence[Judgement], seeds: int
) -> list[str]:
    """Targets, then statements, each under a line that says which economy was held against them."""
    lines = page(verdicts, used) if used else []
    if judgements:
        runs = f"{params.scenario}, size {params.size}, up to {seeds} seeds from {params.seed} on"
        head = f"Statements: {runs}, months after burn-in."
        lines += [
            *([""] if lines else []),
            head,
            "Intervals: whole seeds drawn again; inside: seeds whose own number is in the band.",
        ]
        lines += statement_page.page(judgements)
    return lines


def page(verdicts: Sequence[Verdict], used: Sequence[Params]) -> list[str]:
    """The lines a reader sees, block by block."""
    first, last = used[0].seed, used[-1].seed
    lines = [
        f"{used[0].scenario}, size {used[0].size}, {len(used)} seeds ({first} to {last}); inside: the share of seeds that pass."
    ]
    for block, title in BLOCKS.items():
        mine = [verdict for verdict in verdicts if verdict.target.block == block]
        if not mine:
            continue
        lines += ["", f"{title}: {tally(mine)}", LINE.format("", "", "", "value", "band", "unit", "inside", "")]
        for verdict in mine:
            lines += rows(verdict)
    return lines


def tally(verdicts: Sequence[Verdict]) -> str:
    """How many pass, those that were fitted counted apart."""
    parts = []
    for name, mine in (
        ("not fitted", [v for v in verdicts if not v.target.fitted]),
        ("fitted", [v for v in verdicts if v.target.fitted]),
    ):
        if mine:
            unknown = sum(not v.measured for v in mine)
            parts.append(f"{sum(v.passed for v in mine)} of {len(mine)} {name} pass, {unknown} not wholly measurable")
    return "; ".join(parts) + "."


def rows(verdict: Verdict) -> list[str]:
    """The statement, a line for each of its numbers, and its source."""
    target = verdict.target
    word = "pass" if verdict.passed else "FAIL"
    lines = [f"{target.id:<5}{word}{' (fitted)' if target.fitted else ''}  {target.says}  [{target.source}]"]
    return lines + [number(score) for score in verdict.scores]


def number(score: Score) -> str:
    """One number against its band; the share of seeds that are inside; why some have none."""
    check = score.check
    word = "pass" if score.passed else "fail" if score.value is not None else "not measurable"
    value = "-" if score.value is None else f"{score.value:.3g}" if abs(score.value) < 1000 else f"{score.value:.0f}"
    share = "-" if check.missing else f"{score.share:.0%}"
    return LINE.format("", word, check.says, value, f"{check.low:g} to {check.high:g}", check.unit, share, score.reason).rstrip()
