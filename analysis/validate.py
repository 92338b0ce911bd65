"""Which facts about the world the model meets, seed by seed: ``python -m analysis validate [--seeds N] [--quick] [--json]``.

Runs that are stored and of the present sources are used again. A target passes when the median over seeds of each of its
numbers lies in the band; what cannot be measured does not pass. Failing targets stay in the table.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from analysis import scoring
from analysis.metrics.runs import open_run
from analysis.scoring import Score, Verdict
from analysis.targets import BLOCKS, BadTarget, Target, load
from sim.compose import resolve, resolve_sweep
from sim.launcher import cores
from sim.mistakes import Mistakes, wrong
from sim.params import Params
from sim.run import complete, folder_name, outputs
from sim.terminal import carry_out, judged

FIRST = 401  # seed, apart from those on which values were chosen (up to 208) and references are made (1000 to 1031)
SECONDS = {"full": 2.3, "class": 0.3}  # a simulated year on one core, measured
START = 8.0  # seconds, to load what is compiled
MOST = 1000  # seeds
FEW = 2  # seeds of a quick look for which nothing is stored
LINE = "{:<5}{:<16}{:<28}{:>9}  {:<16}{:<15}{:>7}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 whatever the verdicts, 2 wrong options, 4 a run failed."""
    chosen = options().parse_args(arguments)
    return judged(lambda: act(chosen))


def options() -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog="python -m analysis validate", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--seeds", default="8", metavar="N", help=f"how many seeds, from {FIRST} on; default 8")
    found.add_argument("--quick", action="store_true", help=f"take the stored runs among them; {FEW} seeds if there are fewer")
    found.add_argument("--json", action="store_true", help="only the verdicts, for machines; seeds counts those with a value")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in python -m sim: scenario=us_only")
    return found


def act(chosen: argparse.Namespace) -> int:
    """Check everything, say what it takes, run what is missing, measure, and print."""
    wanted = [resolve([*chosen.set, f"seed={FIRST + n}"]) for n in range(count(chosen.seeds, chosen.set))]
    try:
        targets = load()
    except BadTarget as error:
        print(error, file=sys.stderr)
        return 2
    ready = [params for params in wanted if complete(params)]
    used = wanted
    if chosen.quick:
        used = ready if len(ready) >= min(FEW, len(wanted)) else wanted[:FEW]
    todo = [params for params in used if params not in ready]
    announce(len(used), todo)
    if todo:
        lines = [*chosen.set, f"seed={','.join(str(params.seed) for params in todo)}"]
        _, code = carry_out(lines, resolve_sweep(lines), retry=True)
        if code:
            return code
    verdicts = judge(targets, used)
    print(json.dumps(machine(verdicts), indent=2) if chosen.json else "\n".join(page(verdicts, used)))
    return 0


def count(text: str, settings: Sequence[str], option: str = "--seeds") -> int:
    """A whole number given as an option.

    Raises
    ------
    Mistakes
        for anything but a whole number in range, or a seed among the settings
    """
    found = []
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        found.append(wrong(option, text, f"out of range. Give a whole number from 1 to {MOST}."))
    found += [wrong("--set", line, "seeds are chosen by --seeds.") for line in settings if line.lstrip("+").startswith("seed=")]
    if found:
        raise Mistakes(found)
    return int(text)


def announce(runs: int, todo: Sequence[Params]) -> None:
    """How many runs are needed, and for how long."""
    text = f"{runs} runs, {runs - len(todo)} of them stored"
    if todo:
        workers = min(cores(), len(todo))
        one = START + SECONDS.get(todo[0].size, SECONDS["full"]) * todo[0].horizon_years
        minutes = max(one * -(-len(todo) // workers) / 60.0, 0.1)
        text += f"; {len(todo)} to make on {workers} cores, about {minutes:.1f} minutes"
        text += ", and two or three more if kernels are yet to be compiled"
    print(text + ".", file=sys.stderr, flush=True)


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


def page(verdicts: Sequence[Verdict], used: Sequence[Params]) -> list[str]:
    """The lines a reader sees, block by block."""
    first, last = used[0].seed, used[-1].seed
    lines = [
        f"{used[0].scenario}, size {used[0].size}, {len(used)} seeds ({first} to {last}); inside: the share of seeds that pass."
    ]
    for block, title in BLOCKS.items():
        mine = [verdict for verdict in verdicts if verdict.target.block == block]
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
