"""Which runs statements need, what they take, and making those that are missing, world by world until time is up."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from analysis.metrics.runs import Run, open_run
from analysis.settings import key, over
from analysis.statements import judging
from analysis.statements.judging import Judgement, Part
from analysis.statements.spec import Check, Statement
from sim.compose import resolve, resolve_sweep
from sim.launcher import cores
from sim.params import Params
from sim.run import complete, folder_name, outputs
from sim.terminal import carry_out
from sim.units import MONTHS

FIRST: Final = 401  # seed, apart from those on which values were chosen (up to 208) and references are made (1000 to 1031)
SECONDS: Final = {"full": 0.5, "class": 0.25}  # a simulated year on one core, measured
START: Final = 3.0  # seconds, of a process before its first run


def seconds(params: Params) -> float:
    """That one run takes on one core, about, once its process has begun."""
    return SECONDS.get(params.size, SECONDS["full"]) * (params.months + params.sim.build.burn_in) / MONTHS


@dataclass(frozen=True)
class World:
    """Settings without a seed, and the seeds that are wanted of it."""

    lines: tuple[str, ...]
    seeds: tuple[int, ...]

    @cached_property
    def wanted(self) -> list[Params]:
        """One configuration a seed.

        Raises
        ------
        Mistakes
        """
        first = resolve([*self.lines, f"seed={self.seeds[0]}"])
        return [first.model_copy(update={"seed": seed}) for seed in self.seeds]

    def missing(self) -> list[Params]:
        """Those that are not stored."""
        return [params for params in self.wanted if not complete(params)]

    def make(self, todo: Sequence[Params], retry: bool) -> int:
        """Run some, those that failed before too if ``retry``; the exit code."""
        lines = [*self.lines, f"seed={','.join(str(params.seed) for params in todo)}"]
        return carry_out(lines, resolve_sweep(lines), retry=retry)[1]

    def stored(self) -> Iterator[tuple[int, Run]]:
        """Stored runs by seed, one at a time."""
        for params in self.wanted:
            if complete(params):
                yield params.seed, open_run(outputs(params) / folder_name(params))


def make(worlds: Sequence[World], deadline: float | None) -> int:
    """Run what is missing, world by world; with a deadline only what will be done by then, at the pace seen. The exit code.

    A run that fails is missed by what needs it, and others go on.
    """
    code, pace = 0, 0.0  # seconds that a run takes, over those of ``seconds``; 0: not seen yet
    for world in worlds:
        todo, one = world.missing(), START + seconds(world.wanted[0])
        while todo:
            some = len(todo) if deadline is None else cores() * rounds(deadline - time.time(), one, pace)
            if some == 0:
                break
            begin, batch = time.time(), todo[:some]
            code = world.make(batch, retry=deadline is None) or code
            pace, todo = (time.time() - begin) / (one * -(-len(batch) // cores())), todo[some:]
    return code


def rounds(left: float, one: float, pace: float) -> int:
    """How many runs of ``one`` second fit, one after the other, into the seconds ``left``; while no pace is known one is tried."""
    return max(int(left / (one * pace)), 0) if pace else int(left > one)


@dataclass(frozen=True)
class Plan:
    """Statements, and the settings and seeds they are held against."""

    statements: tuple[Statement, ...]
    lines: tuple[str, ...]
    seeds: tuple[int, ...]

    @cached_property
    def longest(self) -> float | None:
        """Years that the user allows, if any are given."""
        given = [line for line in self.lines if key(line) == "horizon_years"]
        return resolve([*self.lines, f"seed={self.seeds[0]}"]).horizon_years if given else None

    def too_long(self, statement: Statement) -> str:
        """Why a statement is not run, if the user's horizon is below its own."""
        if self.longest is None or statement.horizon <= self.longest:
            return ""
        return f"needs {statement.horizon:g} years; --set gives {self.longest:g}"

    def lines_of(self, statement: Statement, settings: Sequence[str]) -> tuple[str, ...]:
        """Settings of a check's runs."""
        return over(over(self.lines, [f"horizon_years={statement.horizon:g}"]), settings)

    @cached_property
    def worlds(self) -> list[World]:
        """All that is to be run, in the order of statements."""
        found: dict[tuple[str, ...], None] = {}
        for statement in self.statements:
            if statement.horizon and not self.too_long(statement):
                for check in (check for check in statement.checks if check.metric):
                    found |= {self.lines_of(statement, settings): None for settings in sides(check)}
        return [World(lines, self.seeds) for lines in found]

    def judged(self) -> list[Judgement]:
        """Every statement, from what is stored; each run is read once."""
        parts = self._parts()
        found = []
        for statement in self.statements:
            if why := self.too_long(statement):
                found.append(judging.untold(statement, why))
                continue
            of_checks = {n: self._of_check(parts, statement, n) for n in range(len(statement.checks))}
            found.append(judging.verdict(statement, of_checks))
        return found

    def _parts(self) -> dict[tuple[str, int, tuple[str, ...], int], Part]:
        """What each run gives: by statement, check, settings and seed."""
        found = {}
        for world in self.worlds:
            for seed, run in world.stored():
                for statement in self.statements:
                    for n, check in enumerate(statement.checks):
                        if check.metric and any(self.lines_of(statement, s) == world.lines for s in sides(check)):
                            found[statement.id, n, world.lines, seed] = judging.measure(check, run)
        return found

    def _of_check(self, parts: dict, statement: Statement, n: int) -> list[Part | None]:
        check, found = statement.checks[n], []
        for seed in self.seeds:
            both = [parts.get((statement.id, n, self.lines_of(statement, settings), seed)) for settings in sides(check)]
            here = [part for part in both if part is not None]
            found.append(None if len(here) < len(both) else here[0] if len(here) == 1 else judging.compared(check, *here))
        return found


def sides(check: Check) -> list[tuple[str, ...]]:
    """Settings of a check's runs, and of those it is compared with."""
    return [check.set] if check.against is None else [check.set, check.against]
