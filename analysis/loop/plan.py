"""What is to be run, in the order of what it tells: counted, timed and checked before it starts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from analysis.experiments.jobs import Branch, Branches, Constants, Whole
from analysis.experiments.spec import LOOP, ArrowTest, Effort, Spec, Wire
from analysis.experiments.store import Arrays, Store
from analysis.experiments.worlds import World
from analysis.reference import SEEDS
from analysis.statistics.intervals import mean_known
from sim.arrows import ARROWS
from sim.params import select

FIRST = 12  # month of the first branch, after recording begins
ALL, NONE = LOOP, ()
SINGLES = tuple((arrow,) for arrow in LOOP)
COBWEB = (("cobweb",), (*LOOP, "cobweb"))
SOME = tuple(cut for size in (2, 3) for cut in combinations(LOOP, size))


@dataclass(frozen=True)
class Stage:
    """A part of the work.

    Attributes
    ----------
    name, tells : what it is, and what it is for
    units : how many runs or branches, stored ones included
    months : of simulation, of each
    make : jobs; called when what they need is there
    """

    name: str
    tells: str
    units: int
    months: float
    make: Callable[[], Sequence[Constants | Whole | Branches]]

    def stored(self) -> int:
        """How many of its units are there."""
        return sum(job.stored() for job in self.make())

    def todo(self) -> list[Constants | Whole | Branches]:
        """Jobs of which something is missing."""
        return [job for job in self.make() if job.stored() < job.units]


@dataclass(frozen=True)
class Plan:
    """Worlds, seeds and dates of one call."""

    spec: Spec
    world: World
    store: Store
    effort: Effort
    quick: bool

    @cached_property
    def seeds(self) -> list[int]:
        """Of whole runs."""
        return [self.spec.first_seed + n for n in range(self.effort.runs)]

    @cached_property
    def branch_seeds(self) -> list[int]:
        """Of histories that are branched."""
        return [self.spec.first_seed + n for n in range(self.effort.branches)]

    @cached_property
    def months(self) -> int:
        """Recorded months of a run."""
        return self.world.params(0).months

    @cached_property
    def dates(self) -> list[int]:
        """Months at which histories are branched, evenly over the run; one alone in its first half."""
        last = self.months - self.length
        places = np.linspace(FIRST, last, self.effort.dates) if self.effort.dates > 1 else [FIRST + (last - FIRST) / 3]
        return sorted({round(float(place)) for place in places})

    @property
    def length(self) -> int:
        """Months of a branch, the month of the push included."""
        return self.spec.branch_months + 1

    @cached_property
    def controls(self) -> dict[str, World]:
        """Worlds without a part of the loop."""
        return {one.name: self._other(*one.set) for one in self.spec.controls}

    @cached_property
    def elasticities(self) -> dict[float, World]:
        """Worlds whose vendor follows its revenue."""
        key, own = self.spec.elasticity_key, self.elasticity
        return {own: self.world} | {v: self._other(f"{key}={v}") for v in (0.0, *self.spec.elasticities) if v != own}

    @property
    def elasticity(self) -> float:
        """Of the world itself."""
        return float(select(self.world.params(0), self.spec.elasticity_key))

    def _other(self, *lines: str) -> World:
        return replace(self.world, lines=(*self.world.lines, *lines))

    # -- what is run ----------------------------------------------------------------------------------------------------

    def constants(self, world: World) -> dict[str, float] | None:
        """What cut arrows transmit in a world: means over its calibration seeds; None while some are missing."""
        found = [self.store.get(job.name) for job in self._records(world)]
        if any(one is None for one in found):
            return None
        names = [name for name in found[0] or {} if name.startswith("signal ")]
        return {name.removeprefix("signal "): mean_known([one[name] for one in found if one]) for name in names}

    def whole(self, world: World, seed: int, cut: Sequence[str]) -> Arrays | None:
        """A whole run, if it is there."""
        constants = self.needed(world, cut)
        if constants is None and (cut or not world.live):
            return None
        return self.store.get(Whole(world, seed, ordered(cut), constants, self.store).name)

    def needed(self, world: World, cut: Sequence[str]) -> dict[str, float] | None:
        """Constants that a run with some arrows cut transmits; None where it needs none, or they are not there yet."""
        return self.constants_of(world) if cut or not world.live else None

    def branch(self, seed: int, date: int, branch: Branch) -> Arrays | None:
        """What was seen on a branch, if it is there."""
        constants = self.needed(self.world, ())
        name = Branches(self.world, seed, {}, self.length, self.store, constants).named(date, branch)
        if name not in self._seen and (found := self.store.get(name)) is not None:
            self._seen[name] = found
        return self._seen.get(name)

    def constants_of(self, world: World) -> dict[str, float] | None:
        """``constants``, read once they are there."""
        if world not in self._known:
            found = self.constants(world)
            if found is None:
                return None
            self._known[world] = found
        return self._known[world]

    @cached_property
    def _known(self) -> dict[World, dict[str, float]]:
        return {}

    @cached_property
    def _seen(self) -> dict[str, Arrays]:
        return {}

    def _records(self, world: World) -> list[Constants]:
        return [Constants(world, seed, self.store) for seed in SEEDS[: self.spec.calibration_seeds]]

    def _runs(self, world: World, cuts: Sequence[Sequence[str]]) -> list[Whole]:
        """One a seed and cut, seed by seed; those that need constants only where these are there."""
        known = {tuple(cut): self.needed(world, cut) for cut in cuts}
        wanted = [cut for cut, constants in known.items() if constants is not None or (not cut and world.live)]
        return [Whole(world, seed, ordered(cut), known[cut], self.store) for seed in self.seeds for cut in wanted]

    def _branches(self, dates: Sequence[int], what: tuple[Branch, ...]) -> list[Branches]:
        constants, at = self.needed(self.world, ()), dict.fromkeys(dates, what)
        if constants is None and not self.world.live:
            return []
        return [Branches(self.world, seed, at, self.length, self.store, constants) for seed in self.branch_seeds]

    def stages(self) -> list[Stage]:
        """In the order of what they tell."""
        whole = self.months + self.world.params(0).sim.build.burn_in
        what, dose = branches(self.spec), doses(self.spec)
        found = [
            self._constants("references", self.world, whole),
            self._whole("amplification", "A; severity with all live and all cut", {self.world: (NONE, ALL)}, whole),
            self._forks("branches", "gains of open wires, arrows by pulses, structural zeros", self.dates, what),
            self._whole("single cuts", "what each arrow alone does", {self.world: SINGLES}, whole),
            self._whole("cobweb", "time to build, with all live and all cut", {self.world: COBWEB}, whole),
        ]
        if self.quick:
            return found
        found += [
            self._whole("factorial", "Shapley shares, super-additivity", {self.world: SOME}, whole),
            self._forks("dose", "response to a push of another size", self.dates[: self.spec.dose_dates], dose),
        ]
        for name, world in self.controls.items():
            found += [
                self._constants(f"references: {name}", world, whole),
                self._whole(f"control: {name}", "A where a part of the loop is gone", {world: (NONE, ALL)}, whole),
            ]
        for value, world in self.elasticities.items():
            if world != self.world:
                name, cuts = f"elasticity {value:g}", {world: (NONE, *SINGLES)}
                found.append(self._constants(f"references: {name}", world, whole))
                found.append(self._whole(name, "single cuts when cadence follows revenue", cuts, whole))
        return found

    def _constants(self, name: str, world: World, months: int) -> Stage:
        return Stage(name, "what cut arrows transmit", self.spec.calibration_seeds, months, lambda: self._records(world))

    def _whole(self, name: str, tells: str, cuts: Mapping[World, Sequence[Sequence[str]]], months: int) -> Stage:
        units = len(self.seeds) * sum(map(len, cuts.values()))
        return Stage(name, tells, units, months, lambda: [job for world, some in cuts.items() for job in self._runs(world, some)])

    def _forks(self, name: str, tells: str, dates: Sequence[int], what: tuple[Branch, ...]) -> Stage:
        units = len(self.branch_seeds) * len(dates) * len(what)
        history = max(dates) / (len(dates) * len(what))
        return Stage(name, tells, units, self.length + history, lambda: self._branches(dates, what))


def ordered(cut: Sequence[str]) -> tuple[str, ...]:
    """Arrows in the order of the loop, so that one cut has one name."""
    return tuple(arrow for arrow in ARROWS if arrow in cut)


def opened(wire: Wire, size: float) -> Branch:
    """One wire open, and a lasting push of what it delivers."""
    return Branch((wire.arrow,), wire.signal, size)


def closed(wire: Wire) -> Branch:
    """The same push with the loop closed."""
    return Branch((), wire.signal, wire.size)


def direct(spec: Spec, test: ArrowTest, size: float) -> Branch:
    """A pulse of an arrow's source, all other arrows replayed."""
    return Branch(tuple(arrow for arrow in ARROWS if arrow != test.arrow), test.source, size, spec.pulse_months)


def total(spec: Spec, test: ArrowTest, size: float) -> Branch:
    """The same pulse with all arrows live."""
    return Branch((), test.source, size, spec.pulse_months)


def branches(spec: Spec) -> tuple[Branch, ...]:
    """All that is done at a date: nothing, steps into open and closed wires, pulses of arrows' sources."""
    found = [Branch()]
    for wire in spec.wires:
        found += [opened(wire, wire.size), opened(wire, -wire.size), closed(wire)]
    for test in spec.arrows:
        found += [how(spec, test, sign * spec.push) for how in (direct, total) for sign in (1, -1)]
    return tuple(dict.fromkeys(found))


def doses(spec: Spec) -> tuple[Branch, ...]:
    """Pulses of another size."""
    found = [total(spec, test, sign * spec.dose * spec.push) for test in spec.arrows for sign in (1, -1)]
    return tuple(dict.fromkeys(found))


def hours(stages: Sequence[Stage], seconds_a_month: float, workers: int) -> float:
    """That what is missing of some stages takes."""
    left = sum((stage.units - stage.stored()) * stage.months for stage in stages)
    return left * seconds_a_month / workers / 3600.0
