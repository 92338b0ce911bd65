"""Which parameters matter: Morris, then Sobol on those it selects, ``python -m analysis sensitivity [--outcome NAME] [--quick]``.

Outcomes are ``amplification`` (log of A, all four arrows), ``arrow:NAME`` (what cutting one arrow takes from the deepest fall of
spending), ``severity:spending``, ``severity:losses``, ``severity:issuance``, and ``COLUMN:mean`` (or least, most, swing) of any
recorded number. A point is a mean over a few seeds, the same for all points. Points that are stored are used again.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.experiments.box import Effort, Spec, load, words
from analysis.experiments.points import SHORTEST, STATISTICS, Point
from analysis.experiments.spec import LOOP
from analysis.experiments.store import Store
from analysis.experiments.work import carry_out, lasting
from analysis.experiments.worlds import World, refuse_cuts
from analysis.indices import Problem, Screen, floor, morris_points, plus_minus, screen, shares, sobol_points
from analysis.loop.command import KEPT, read
from analysis.loop.figures import effects, styled
from analysis.settings import mark, over, seeds_among
from analysis.statistics.bands import LONGEST
from sim.columns import MONTHLY
from sim.launcher import cores
from sim.manifest import sources_hash
from sim.mistakes import Mistakes, suggestion, wrong
from sim.run import outputs
from sim.terminal import judged
from sim.units import MONTHS

PACE = 0.013  # seconds a simulated month of the class economy takes one core, measured
MOST_HOURS = 1000.0
LINE = "{:<62}{:>20}{:>20}{:>20}"


@dataclass(frozen=True)
class Outcome:
    """What is asked of every point: its name, and the arrows that a second run cuts."""

    name: str
    cut: tuple[str, ...]

    @property
    def asks_severity(self) -> bool:
        """Whether it is told from how bad busts are."""
        return self.name.startswith(("arrow:", "severity:"))

    def each(self, point: Point) -> np.ndarray:
        """Its values by seed at a point; none where it is not there, or the world could not be lived in."""
        found = point.store.get(point.name)
        if found is None or "failed" in found:
            return np.empty(0)
        if self.name == "amplification":
            return np.asarray(found["live log swing"] - found["cut log swing"])
        if self.cut:
            return np.asarray(found["live severity:spending"] - found["cut severity:spending"])
        return np.asarray(found[f"live {self.name}"])

    def of(self, point: Point) -> float:
        """Their mean; not a number where there are none."""
        return over_seeds(self.each(point))[0]


def over_seeds(each: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of values by seed; not numbers where there are too few."""
    return float(np.mean(each)) if len(each) else np.nan, float(np.std(each, ddof=1)) if len(each) > 1 else np.nan


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    chosen = options().parse_args(arguments)
    return judged(lambda: act(chosen))


def options() -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(prog="python -m analysis sensitivity", description=(__doc__ or "").splitlines()[0])
    found.add_argument(
        "--outcome", default="amplification", metavar="NAME", help="amplification, arrow:NAME, COLUMN:mean; see above"
    )
    found.add_argument("--parameters", metavar="FILE", help="of your own, as analysis/experiments/sensitivity.yaml")
    found.add_argument("--quick", action="store_true", help="ten minutes on two cores at most")
    found.add_argument("--budget", metavar="HOURS", help="stop after so many; complete blocks of points are used")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in python -m sim; else us_only, class")
    found.add_argument("--out", metavar="FOLDER", help="for table and figure; default outputs/sensitivity/NAME")
    found.add_argument("--json", action="store_true", help="print the numbers for machines")
    return found


def act(chosen: argparse.Namespace) -> int:
    """Check, announce, screen, decompose, write."""
    begin, spec, outcome = time.time(), load(chosen.parameters), asked(chosen.outcome)
    found = seeds_among(chosen.set)
    hours = read(found, "--budget", chosen.budget, 0.02, MOST_HOURS, "hours", float)
    if found:
        raise Mistakes(found)
    effort = spec.effort["quick" if chosen.quick else "default"]
    world = World(over(spec.settings, chosen.set))
    problem = Problem(tuple(spec.parameters), tuple(spec.parameters.values()))
    study = Study(spec, effort, world, Store(outputs(world.params(spec.first_seed))), outcome, problem)
    refuse_cuts(world)
    study.check()
    print("\n".join(study.announced(hours or effort.hours)), file=sys.stderr, flush=True)
    facts = study.carried_out(begin + (hours or effort.hours) * 3600.0 - KEPT)
    place = outcome.name.replace(":", "-").replace(">", "-") + mark(world.lines, spec.settings)
    folder = Path(chosen.out) if chosen.out else study.store.folder.parent / "sensitivity" / place
    write(folder, facts)
    print(json.dumps(facts, indent=2) if chosen.json else "\n".join(spoken(facts)))
    print(folder, file=sys.stderr)
    return 0


def asked(name: str) -> Outcome:
    """An outcome by its name.

    Raises
    ------
    Mistakes
    """
    if name == "amplification":
        return Outcome(name, LOOP)
    arrow = name.removeprefix("arrow:")
    if name.startswith("arrow:") and arrow in LOOP:
        return Outcome(name, (arrow,))
    parts = ("severity:spending", "severity:losses", "severity:issuance")
    column, _, statistic = name.partition(":")
    unit = MONTHLY.get(column, ("text", ""))[0]
    if name in parts or (unit not in ("text", "date", "index", "flag") and statistic in STATISTICS):
        return Outcome(name, ())
    known = ["amplification", *(f"arrow:{one}" for one in LOOP), *parts, f"COLUMN:{'|'.join(STATISTICS)}"]
    raise Mistakes([wrong("--outcome", name, f"no such outcome. {suggestion(name, known)} Give one of {', '.join(known)}.")])


@dataclass(frozen=True)
class Study:
    """One outcome over one box of parameters."""

    spec: Spec
    effort: Effort
    world: World
    store: Store
    outcome: Outcome
    problem: Problem

    def points(self, problem: Problem, values: np.ndarray) -> list[Point]:
        """Jobs for rows of values (n, parameters)."""
        seeds = tuple(self.spec.first_seed + n for n in range(self.effort.seeds))
        lines = [tuple(f"{key}={value:.6g}" for key, value in zip(problem.names, row, strict=True)) for row in values]
        return [Point(self.world, line, seeds, self.outcome.cut, self.store) for line in lines]

    def check(self) -> None:
        """Every corner of the box that is tried first must be a configuration.

        Raises
        ------
        Mistakes
        """
        needed = LONGEST if self.outcome.name == "amplification" else SHORTEST if self.outcome.asks_severity else 1
        if (months := self.world.params(0).months) < needed:
            raise Mistakes(
                [wrong("horizon_years", months / MONTHS, f"too short for {self.outcome.name}. Give {needed / MONTHS:g}.")]
            )
        for values in np.array(self.problem.bounds).T:
            point = self.points(self.problem, values[None])[0]
            World((*self.world.lines, *point.lines)).params(0)

    def announced(self, most: float) -> list[str]:
        """Runs, hours, of which there are ``most``, and what can be seen."""
        d, s = len(self.problem.names), min(self.spec.selected, len(self.problem.names))
        first, second = self.effort.trajectories * (d + 1), self.effort.points * (s + 2)
        params = self.world.params(0)
        runs = self.effort.seeds * (2 if self.outcome.cut else 1)
        hours = (first + second) * runs * (params.months + params.sim.build.burn_in) * PACE / cores() / 3600.0
        stored = sum(point.stored() for point in self.points(self.problem, morris_points(self.problem, self.effort.trajectories)))
        return [
            f"Morris: {self.effort.trajectories} trajectories, {first} points, {stored} stored. Sobol: {second} points of {s}.",
            f"{runs} runs a point; about {lasting(hours)} on {cores()} cores; stops after {lasting(most)}.",
            "What other seeds alone would do is reported beside the effects; none smaller than that can be told from none.",
        ]

    def values(self, problem: Problem, rows: np.ndarray, deadline: float) -> np.ndarray:
        """The outcome at every row, mean and spread over seeds (rows, 2), as far as time allowed."""
        points = self.points(problem, rows)
        carry_out([point for point in points if not point.stored()], deadline, self.outcome.name)
        return np.array([over_seeds(self.outcome.each(point)) for point in points])

    def carried_out(self, deadline: float) -> dict[str, Any]:
        """Both stages, as far as time allows."""
        rows = morris_points(self.problem, self.effort.trajectories)
        found, spreads = self.values(self.problem, rows, deadline).T
        first, luck = screen(self.problem, rows, found), floor(spreads, self.effort.seeds)
        few = self.problem.part(first.order[: self.spec.selected]) if first.order else None
        second, among = None, found
        if few is not None:
            inner = sobol_points(few, self.effort.points)
            again = self.values(few, inner, deadline)[:, 0]
            second, among = shares(few, again), np.concatenate([found, again])
        return self.summary(first, second, few, among) | ({"floor": luck} if np.isfinite(luck) else {})

    def summary(self, first: Screen, second: dict[str, Any] | None, few: Problem | None, values: np.ndarray) -> dict[str, Any]:
        """What is written, and ``python -m analysis results`` reads."""
        known, tried, among = words(), len(values), values[np.isfinite(values)]
        rows = []
        for at, (key, (low, high)) in enumerate(zip(self.problem.names, self.problem.bounds, strict=True)):
            row = {"key": key, "words": known[key][0], "unit": known[key][1], "low": low, "high": high}
            row |= first.row(at) | (second[key] if second and few and key in few.names else {})
            rows.append(row)
        facts: dict[str, Any] = {"outcome": self.outcome.name, "world": list(self.world.lines), "seeds": self.effort.seeds}
        facts |= {
            "runs": len(among),
            "without_value": tried - len(among),
            "trajectories": first.blocks,
            "sources": sources_hash(),
            "parameters": rows,
        }
        if self.outcome.name == "amplification" and len(among):
            facts["amplifies"] = {"above": self.spec.amplifies, "share": float((np.exp(among) > self.spec.amplifies).mean())}
        return facts


def write(folder: Path, facts: dict[str, Any]) -> None:
    """Parquet, CSV, a figure and ``sensitivity.json``.

    Raises
    ------
    Mistakes
        where the folder cannot be written
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sensitivity.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        rows = pd.DataFrame(facts["parameters"])
        rows.to_parquet(folder / "sensitivity.parquet")
        rows.to_csv(folder / "sensitivity.csv", index=False)
        if "effect" in rows and rows["effect"].notna().any():
            (folder / "sensitivity.svg").write_text(styled(effects, rows), encoding="utf-8")
    except OSError as error:
        raise Mistakes([wrong("--out", str(folder), f"cannot be written: {error}.")]) from None


def spoken(facts: dict[str, Any]) -> list[str]:
    """A line a parameter, the largest effect first."""
    lines = [f"{facts['outcome']}: {facts['runs']} points of {facts['seeds']} seeds, {facts['trajectories']} whole trajectories."]
    if not facts["trajectories"]:
        return [*lines, "Too few points are stored: cannot tell."]
    if facts["without_value"]:
        lines.append(f"{facts['without_value']} more points were not run, or nobody could live there; their blocks are left out.")
    lines.append(LINE.format("parameter (range)", "Morris effect", "Sobol first", "Sobol total"))
    if "floor" in facts:
        lines.append(f"Effects up to {facts['floor']:.3g} are what other seeds alone would do, at most.")
    for row in sorted(facts["parameters"], key=lambda row: -row["effect"]):
        unit = "" if row["unit"] == "1" else f" {row['unit']}"
        name = f"{row['words'].partition(':')[0]} ({row['low']:g} to {row['high']:g}{unit})"
        pairs = (("effect", "half"), ("first", "first_half"), ("total", "total_half"))
        numbers = [plus_minus(row.get(key), row.get(half)) for key, half in pairs]
        lines.append(LINE.format(name, *numbers))
    if "amplifies" in facts:
        above, share = facts["amplifies"]["above"], facts["amplifies"]["share"]
        lines.append(f"A is above {above:g} at {share:.0%} of the points tried, corners and all: no share of the box.")
    return lines
