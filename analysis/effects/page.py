"""What experiments leave: a page, differences as a table, and every seed's numbers."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pandas as pd

from analysis.decisions.differing import FEW, NONE, VERY_SURE, ZERO, Difference
from analysis.effects.measuring import Effect, Plan, Values
from analysis.effects.spec import Pair, Spec
from analysis.pages.page import markdown
from analysis.pages.words import digits
from analysis.settings import key
from analysis.statistics.intervals import LEVEL, fewest_seeds
from sim.folders import replacing
from sim.manifest import HOUSE, revision, sources_hash

FILE: Final = HOUSE / "analysis" / "EXPERIMENTS.md"
PAGE, TABLE, VALUES = "experiments.md", "effects.csv", "values.parquet"


def write(home: Path, plan: Plan, found: Sequence[Effect], values: Values, spec: Spec) -> None:
    """Page and tables; the same runs give the same bytes."""
    with replacing(home / TABLE) as hidden:
        pd.DataFrame(rows(found)).to_csv(hidden, index=False)
    with replacing(home / VALUES) as hidden:
        pd.DataFrame(numbers(plan, values)).to_parquet(hidden, compression="zstd", index=False)
    with replacing(home / PAGE) as hidden:
        hidden.write_text(render(plan, found, spec), encoding="utf-8")


def publish(home: Path) -> None:
    """The page goes beside the others of the house."""
    with replacing(FILE) as hidden:
        shutil.copyfile(home / PAGE, hidden)


def rows(found: Sequence[Effect]) -> list[dict[str, Any]]:
    """One row a system, region and quantity."""
    return [
        {"group": one.group, "system": one.pair.id, "says": one.pair.says} | asdict(gap) for one in found for gap in one.differences
    ]


def numbers(plan: Plan, values: Values) -> list[dict[str, Any]]:
    """One row a system, side, region, quantity and seed."""
    return [
        {"system": pair.id, "side": side, "region": region, "quantity": quantity.id, "seed": seed, "value": value}
        for group, pair in plan.asked()
        for side, world in zip(("against", "of"), plan.sides(pair), strict=True)
        for region in pair.regions
        for quantity in plan.quantities(group)
        for seed, value in zip(plan.seeds, values.get((world, quantity.id, region), ()), strict=False)
    ]


def render(plan: Plan, found: Sequence[Effect], spec: Spec) -> str:
    """The page."""
    there, wanted = plan.stored()
    template = markdown().from_string((files("analysis.effects") / "page.md.j2").read_text("utf-8"))
    return template.render(
        sources=sources_hash()[:12],
        revision=revision(),
        there=there,
        wanted=wanted,
        seeds=plan.seeds,
        fewest=fewest_seeds(LEVEL),
        world=plan.worlds[0].wanted[0],
        settings=[line for line in plan.lines if key(line) not in ("size", "horizon_years", "outputs.root")],
        tally=tally(found),
        plan=plan,
        effects=[(group, [one for one in found if one.group == group.id]) for group in plan.groups],
        cell=cell,
        told=lambda pair: told(pair, spec),
        scenarios=scenarios,
        left_out=spec.left_out,
    )


def tally(found: Sequence[Effect]) -> str:
    """How many intervals there are, how many would miss zero by chance, and how many do."""
    intervals = [gap for one in found for gap in one.differences if gap.low == gap.low and gap.word != ZERO]
    chance = (1.0 - LEVEL) * len(intervals)
    said = f"{len(intervals)} intervals of {100 * LEVEL:g} %, of which about {chance:.2g} would miss zero by chance alone"
    return f"{said}; {sum(map(away, intervals))} do, {sum(gap.word == VERY_SURE for gap in intervals)} at the level of all at once."


def away(gap: Difference) -> bool:
    """Whether the interval lies on one side of zero."""
    return gap.low > 0.0 or gap.high < 0.0


def cell(gap: Difference) -> str:
    """A difference with its interval, marked where that misses zero; or why there is none."""
    if gap.word == NONE:
        return "not measured"
    if gap.word in (ZERO, FEW):
        return "0" if gap.word == ZERO else f"{digits(gap.difference, True)} (no interval)"
    text = f"{digits(gap.difference, True)} ({digits(gap.low, True)} to {digits(gap.high, True)})"
    return f"**{text}**{'†' if gap.word == VERY_SURE else ''}" if away(gap) else text


def told(pair: Pair, spec: Spec) -> str:
    """What a pair is held against: a scenario, or a pair of the same settings by its name."""
    known = {one.of: one.id for group in spec.groups for one in group.pairs}
    return f"`{known[pair.against]}`" if pair.against in known else in_words(pair.against)


def in_words(lines: Sequence[str]) -> str:
    """Settings as a reader sees them: the scenario, then what is set beside it."""
    return " ".join(f"`{line.removeprefix('scenario=')}`" for line in lines)


def scenarios(pairs: Sequence[Pair]) -> Iterator[tuple[str, str]]:
    """Names and settings of systems that are more than the scenario of their name."""
    return ((pair.id, in_words(pair.of)) for pair in pairs if pair.of != (f"scenario={pair.id}",))
