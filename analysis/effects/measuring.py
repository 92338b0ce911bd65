"""Which runs pairs need, and from stored runs what each system does, with intervals over paired seeds."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.decisions.differing import Difference, difference
from analysis.decisions.quantities import Quantity
from analysis.effects.spec import Group, Pair
from analysis.settings import over
from analysis.statements.plan import World
from sim.run import complete, folder_name

Values = dict[tuple[World, str, str], np.ndarray]  # (world, quantity, region) -> (seeds,); NaN where there is none


@dataclass(frozen=True)
class Effect:
    """What a system does in one region: its differences, and how many pairs of seeds were there."""

    group: str
    pair: Pair
    region: str
    differences: tuple[Difference, ...]
    pairs: int


@dataclass(frozen=True)
class Plan:
    """Pairs by group, what is measured of all, and the settings and seeds of all runs."""

    groups: tuple[Group, ...]
    measures: tuple[Quantity, ...]
    lines: tuple[str, ...]
    seeds: tuple[int, ...]

    def asked(self) -> Iterator[tuple[Group, Pair]]:
        """All pairs, in order."""
        return ((group, pair) for group in self.groups for pair in group.pairs)

    def sides(self, pair: Pair) -> tuple[World, World]:
        """Runs without a system, and runs with it."""
        plays = f"regions=[{','.join(pair.regions)}]"
        without, having = (World(over(self.lines, [*lines, plays]), self.seeds) for lines in (pair.against, pair.of))
        return without, having

    @cached_property
    def worlds(self) -> list[World]:
        """All that is to be run; what pairs share comes once."""
        return list(dict.fromkeys(world for _, pair in self.asked() for world in self.sides(pair)))

    def quantities(self, group: Group) -> tuple[Quantity, ...]:
        """What is measured of a group's pairs."""
        return (*self.measures, *group.also)

    def stored(self) -> tuple[int, int]:
        """How many runs are there, and how many there should be."""
        runs = {folder_name(params): params for world in self.worlds for params in world.wanted}
        return sum(complete(params) for params in runs.values()), len(runs)

    @property
    def identity(self) -> str:
        """Short hash of all runs that are compared."""
        text = "\n".join(folder_name(params) for world in self.worlds for params in world.wanted)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def measured(plan: Plan) -> Values:
    """Every stored run, read once."""
    found: Values = {}
    for world in plan.worlds:
        wanted = [
            (quantity, region)
            for group, pair in plan.asked()
            if world in plan.sides(pair)
            for quantity in plan.quantities(group)
            for region in pair.regions
        ]
        for seed, run in world.stored():
            for quantity, region in wanted:
                row = found.setdefault((world, quantity.id, region), np.full(len(plan.seeds), np.nan))
                row[plan.seeds.index(seed)] = quantity.measure(run, region)
    return found


def effects(plan: Plan, values: Values) -> list[Effect]:
    """Every pair in every region where it plays."""
    places = [(group, pair, region) for group, pair in plan.asked() for region in pair.regions]
    family = sum(len(plan.quantities(group)) for group, _, _ in places)
    found = []
    for group, pair, region in places:
        sides = plan.sides(pair)
        gaps = [paired(quantity, region, sides, values, family) for quantity in plan.quantities(group)]
        both = [{params.seed for params in side.wanted if complete(params)} for side in sides]
        found.append(Effect(group.id, pair, region, tuple(gaps), len(both[0] & both[1])))
    return found


def paired(quantity: Quantity, region: str, sides: Sequence[World], values: Values, family: int) -> Difference:
    """One quantity with a system less without it."""
    none = np.full(len(sides[0].seeds), np.nan)
    without, having = (values.get((side, quantity.id, region), none) for side in sides)
    return difference(quantity, region, without, having, family)
