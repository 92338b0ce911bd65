"""A comparison: regimes over paired seeds, their differences from the first, and by which feature they come."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.decisions import quantities
from analysis.decisions.asking import Regime, provide
from analysis.decisions.differing import Difference, differences
from analysis.decisions.mechanism import Part, Plan, Values, parts, plan
from analysis.metrics.runs import open_run
from analysis.pages.gather import Gathered, gather
from sim.folders import replacing
from sim.manifest import sources_hash, versions
from sim.summary import plain

KIND = "comparison"
PAGE, FIGURES, VALUES = "comparison.json", "figures.parquet", "values.csv"


class Failed(Exception):
    """Runs that a comparison needs are not there; the code is that of the sweep."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Against:
    """One regime against the first: differences, what was switched, and each feature's part."""

    label: str
    differences: list[Difference]
    plan: Plan
    parts: list[Part]


@dataclass(frozen=True)
class Comparison:
    """The regimes compared, what each is like, and all others against the first."""

    regimes: tuple[Regime, ...]
    labels: tuple[str, ...]
    regions: tuple[str, ...]
    gathered: tuple[Gathered, ...]
    against: tuple[Against, ...]


def compare(given: Sequence[Regime], settings: Sequence[str], budget: int, home: Path) -> Comparison:
    """Make what is missing, measure every run once, and compare.

    Parameters
    ----------
    budget : most runs that mechanisms may take beside those of the regimes, all together
    home : where the files of scenarios in between go

    Raises
    ------
    Failed
    """
    first, *others = given
    require(provide(given, settings))
    regions = shared(given)
    once = {regime.given: regime for regime in given}
    kept = {name: gather(regime.label, regime.folders, counting(regime)) for name, regime in once.items()}
    found = []
    for label, other in zip(names(given)[1:], others, strict=True):
        gaps = differences(quantities.load(), regions, kept[first.given].values, kept[other.given].values)
        switched = plan(first, other, home, settings, budget)
        budget -= len(switched.on + switched.off) * switched.seeds * bool(switched.seeds)
        measured = mechanism(switched, gaps, kept[first.given].values, kept[other.given].values, regions, settings)
        found.append(Against(label, gaps, switched, measured))
    return Comparison(tuple(given), names(given), regions, tuple(kept[regime.given] for regime in given), tuple(found))


def mechanism(
    switched: Plan, gaps: Sequence[Difference], first: Values, second: Values, regions: Sequence[str], settings: Sequence[str]
) -> list[Part]:
    """Features' parts in all differences that are sure."""
    sure = [gap for gap in gaps if gap.certain]
    if not sure or not switched.on:
        return []
    require(provide([*switched.on, *switched.off], settings))
    on, off = ([survey(regime, regions) for regime in side] for side in (switched.on, switched.off))
    return [each for gap in sure for each in parts(switched, gap, first, second, on, off)]


def survey(regime: Regime, regions: Sequence[str]) -> Values:
    """Quantities of a regime in between, run by run."""
    rows = [quantities.survey(open_run(folder), regions) for folder in regime.folders]
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def require(code: int) -> None:
    """Stop where runs failed."""
    if code:
        raise Failed(code)


def counting(regime: Regime) -> Any:
    """Says how many of many runs are read."""
    many = len(regime.folders)

    def said(number: int) -> None:
        if number % 25 == 0 or number == many:
            print(f"{regime.label}: {number} of {many} runs read.", file=sys.stderr, flush=True)

    return said


def shared(given: Sequence[Regime]) -> tuple[str, ...]:
    """Regions that all regimes have; the world where it is more than those, and the same regions to all or all they can share.

    The world of one region held against that of two would differ by the region that is missing, whatever the regimes do.
    """
    common = [region for region in ("us", "china") if all(region in regime.regions for regime in given)]
    whole = all(set(regime.regions) == set(common) for regime in given)
    return (*common, "world") if not common or (whole and len(common) > 1) else tuple(common)


def names(given: Sequence[Regime]) -> tuple[str, ...]:
    """What regimes are called side by side; one that comes twice says so."""
    found: list[str] = []
    for regime in given:
        label = regime.label
        while label in found:
            label += " again"
        found.append(label)
    return tuple(found)


def identity(given: Sequence[Regime], budget: int) -> str:
    """Short hash of all runs that are compared."""
    text = "\n".join([*(folder.name for regime in given for folder in regime.folders), str(budget)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def machine(found: Comparison) -> dict[str, Any]:
    """Differences for machines."""
    return plain({"differences": [{"scenario": one.label} | asdict(gap) for one in found.against for gap in one.differences]})


def page(found: Comparison, settings: Sequence[str]) -> dict[str, Any]:
    """Everything but figures and values of single runs, as plain values."""
    return plain(
        {
            "kind": KIND,
            "settings": list(settings),
            "seeds": found.regimes[0].seeds,
            "regions": found.regions,
            "scenarios": [scenario(*each) for each in zip(found.labels, found.regimes, found.gathered, strict=True)],
            "against": [against(one) for one in found.against],
            "sources": sources_hash(),
            "versions": versions(),
        }
    )


def scenario(label: str, regime: Regime, gathered: Gathered) -> dict[str, Any]:
    """One scenario and its runs."""
    return {
        "label": label,
        "given": regime.given,
        "says": regime.says,
        "regions": regime.regions,
        "size": regime.params[0].size,
        "years": regime.params[0].horizon_years,
        "runs": gathered.runs,
        "facts": gathered.facts,
    }


def against(one: Against) -> dict[str, Any]:
    """One regime against the first."""
    features = [{"name": each.name, "says": each.says()} for each in one.plan.features]
    switched = {"seeds": one.plan.seeds, "why": one.plan.why, "features": features}
    return {
        "label": one.label,
        "differences": [asdict(gap) for gap in one.differences],
        "switched": switched,
        "parts": [asdict(part) for part in one.parts],
    }


def write(found: Comparison, home: Path, settings: Sequence[str], policies: bool = False) -> None:
    """The comparison's own files; the same runs give the same bytes."""
    with replacing(home / PAGE) as hidden:
        hidden.write_text(json.dumps(page(found, settings) | {"policies": policies}, indent=1) + "\n", encoding="utf-8")
    sides = list(zip(found.labels, found.gathered, strict=True))
    tables = [gathered.table.assign(scenario=label) for label, gathered in sides]
    with replacing(home / FIGURES) as hidden:
        pd.concat(tables, ignore_index=True).to_parquet(hidden, compression="zstd", index=False)
    with replacing(home / VALUES) as hidden:
        pd.DataFrame(values(found)).to_csv(hidden, index=False)


def values(found: Comparison) -> list[dict[str, Any]]:
    """One row a scenario, seed, quantity and region."""
    return [
        {"scenario": label, "seed": seed, "quantity": quantity, "region": region, "value": value}
        for label, regime, gathered in zip(found.labels, found.regimes, found.gathered, strict=True)
        for (quantity, region), numbers in gathered.values.items()
        for seed, value in zip(regime.seeds, numbers.tolist(), strict=True)
    ]


def read(home: Path) -> tuple[Mapping[str, Any], list[Gathered]]:
    """A comparison's page and its regimes, from its folder."""
    found = json.loads((home / PAGE).read_text(encoding="utf-8"))
    figures, numbers = pd.read_parquet(home / FIGURES), pd.read_csv(home / VALUES)
    sides = []
    for entry in found["scenarios"]:
        label = entry["label"]
        own = numbers[numbers["scenario"] == label].groupby(["quantity", "region"], sort=False)["value"]
        sides.append(
            Gathered(
                label=label,
                runs=entry["runs"],
                table=figures[figures["scenario"] == label].drop(columns="scenario"),
                values={key: column.to_numpy() for key, column in own},
                facts=entry["facts"],
            )
        )
    return found, sides
