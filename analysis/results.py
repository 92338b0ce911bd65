"""Write ``analysis/RESULTS.md`` from stored outputs: ``python -m analysis results [--out FILE] [--root FOLDER] [--first SEED]``.

Whatever `loop`, `shock`, `sensitivity` and `validate` have left is read, and nothing is run. What other sources made is said to be.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from analysis import scoring, validate
from analysis.experiments.work import lasting
from analysis.indices import plus_minus
from analysis.loop.figures import FIGURES
from analysis.metrics.runs import open_run
from analysis.pages.page import markdown
from analysis.scoring import Verdict
from analysis.statements.judging import Judgement
from analysis.statements.page import band, shown
from analysis.statements.plan import Plan
from analysis.statements.spec import load as load_statements
from analysis.targets import load
from sim.compose import resolve
from sim.manifest import HOUSE, revision, sources_hash
from sim.mistakes import Mistakes, wrong
from sim.run import complete, folder_name, outputs
from sim.terminal import judged

FILE = HOUSE / "analysis" / "RESULTS.md"
SEEDS = 32  # of validation that are looked for
LOOP = ("toy", "quick", "world", "seeds", "branch_seeds", "dates", "hours", "sources", "statements")
SHOCK = ("shock", "says", "month", "region", "seeds", "world", "sources", "outcomes")
SENSITIVITY = ("outcome", "world", "runs", "seeds", "sources", "parameters")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    chosen = options().parse_args(arguments)
    return judged(lambda: act(chosen))


def options() -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog="python -m analysis results", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--out", metavar="FILE", help="default analysis/RESULTS.md; figures go beside it")
    found.add_argument("--root", default="outputs", metavar="FOLDER", help="where outputs are; default outputs")
    found.add_argument("--first", default=str(validate.FIRST), metavar="SEED", help="of validate; default %(default)s")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the runs of validate; default baseline")
    return found


def act(chosen: argparse.Namespace) -> int:
    """Read, write."""
    root, file = Path(chosen.root).expanduser(), Path(chosen.out) if chosen.out else FILE
    if not root.is_dir():
        raise Mistakes([wrong("--root", chosen.root, "no such folder. Give the folder of outputs.")])
    try:
        first = validate.count(chosen.first, chosen.set, "--first", validate.MOST_FIRST)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = render(gathered(root, file, [*chosen.set, f"outputs.root={root}"], first))
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistakes([wrong("--out", str(file), f"cannot be written: {error}.")]) from None
    print(file, file=sys.stderr)
    return 0


def gathered(root: Path, file: Path, settings: Sequence[str], first: int) -> dict[str, Any]:
    """All that is stored; figures are copied beside the file."""
    loops = [found for found in stored(root, "loop/*/loop.json", LOOP) if found["toy"] is None]
    whole = [found["world"] for found in loops if not found["quick"]]
    loops = [found for found in loops if not (found["quick"] and found["world"] in whole)]
    seeds = tuple(first + n for n in range(SEEDS))
    used, verdicts = facts(settings, seeds)
    return {
        "loops": [found | {"figures": figures(found["folder"], file)} for found in loops],
        "shocks": stored(root, "shocks/*/shock.json", SHOCK),
        "sensitivities": stored(root, "sensitivity/*/sensitivity.json", SENSITIVITY),
        "verdicts": verdicts,
        "judgements": stylised(settings, seeds),
        "seeds": used,
        "first": first,
        "facts_of": " ".join(line for line in settings if not line.startswith("outputs.")) or "baseline",
    }


def stored(root: Path, pattern: str, needed: Sequence[str]) -> list[dict[str, Any]]:
    """What a command has left, and in which ``folder``; what cannot be read, or lacks what is ``needed``, is named and left out."""
    found = []
    for path in sorted(root.glob(pattern)):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            missing = [name for name in needed if name not in facts]
        except (OSError, ValueError, TypeError) as error:
            facts, missing = {}, [str(error)]
        if missing:
            print(f"{path} is left out, for it is no whole output: {', '.join(missing)}. Run its command again.", file=sys.stderr)
        else:
            found.append(facts | {"folder": path.parent})
    return found


def figures(folder: Path, file: Path) -> list[tuple[str, str]]:
    """Figures of a page, copied beside the file: their place, and what they show."""
    found = []
    for name, (_, says) in FIGURES.items():
        source = folder / "figures" / f"{name}.svg"
        if source.is_file():
            place = file.parent / "results" / f"{folder.name}-{name}.svg"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
            found.append((f"results/{place.name}", says))
    return found


def facts(settings: Sequence[str], seeds: Sequence[int]) -> tuple[int, list[dict[str, Any]]]:
    """How many seeds of targets are stored, and what they say."""
    wanted = [resolve([*settings, f"seed={seed}"]) for seed in seeds]
    there = [outputs(params) / folder_name(params) for params in wanted if complete(params)]
    if not there:
        return 0, []
    targets = load()
    verdicts = scoring.judge(targets, [scoring.survey(targets, open_run(folder)) for folder in there])
    return len(there), [told(verdict) for verdict in verdicts]


def told(verdict: Verdict) -> dict[str, Any]:
    """A statement and the number that decides it."""
    one, target = verdict.decisive, verdict.target
    return {
        "id": target.id,
        "says": target.says,
        "passed": verdict.passed,
        "fitted": target.fitted,
        "number": "not measurable" if one.value is None else f"{one.value:.3g} {one.check.unit}",
        "band": f"{one.check.low:g} to {one.check.high:g}",
        "share": "-" if one.check.missing else f"{one.share:.0%}",
    }


def stylised(settings: Sequence[str], seeds: tuple[int, ...]) -> list[dict[str, Any]]:
    """What stored runs say of the statements on monthly series; nothing where none is stored."""
    found = Plan(tuple(load_statements(None)), tuple(settings), seeds).judged()
    return list(map(judged_so, found)) if any(finding.seeds for one in found for finding in one.findings) else []


def judged_so(judgement: Judgement) -> dict[str, Any]:
    """A statement, its word, and the number that decides it."""
    one, check = judgement.decisive, judgement.decisive.check
    interval = "" if one.low is None or one.high is None else f" ({shown(one.low)} to {shown(one.high)})"
    return {
        "id": judgement.statement.id,
        "says": judgement.statement.says,
        "word": judgement.word,
        "number": one.reason if one.value is None else f"{shown(one.value)}{interval} {check.unit}",
        "band": band(check.low, check.high),
        "share": "-" if one.share is None else f"{one.share:.0%}",
        "seeds": one.seeds,
    }


def render(found: dict[str, Any]) -> str:
    """The file."""
    house = markdown()
    house.filters |= {"cell": cell, "groupby_order": by_part}
    here = sources_hash()
    page = house.from_string((files("analysis") / "results.md.j2").read_text("utf-8"))
    return page.render(
        **found,
        sources=here[:12],
        revision=revision(),
        num=plus_minus,
        lasting=lasting,
        stale=lambda one: "" if one["sources"] == here else f"; made by other sources, {one['sources'][:12]}",
    )


def cell(text: object) -> str:
    """Text that stays within its cell."""
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def by_part(statements: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Statements part by part, in their order."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for one in statements:
        parts.setdefault(one["part"], []).append(one)
    return list(parts.items())
