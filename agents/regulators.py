"""Regulators: they act on old losses and roll back slowly, or deliberate in stages; and bodies that only warn."""

import math
from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import model_validator

from agents.party import Party
from sim.units import MONTHS, Frozen, quantity

Stage = Literal["watch", "consult", "announce", "bind", "dilute"]


class Tools(Frozen):
    """The text of a rule as first proposed; nothing of a tool at 0."""

    ltv_cut: float = quantity("share", 0.0, 0.9, "off the cap on debt over value")
    retention: float = quantity("share", 0.0, 0.5, "of the notes of new deals that sponsors must keep")
    charge: float = quantity("1/year", 0.0, 1.0, "asked for the capital that investors' notes tie up, beyond what they ask anyway")
    closure: int = quantity("month", 0, 240, "of a moratorium, before it is evaluated")
    disclosure: bool  # of what sponsors stand behind


class Process(Frozen):
    """How a region's rules come about and fade."""

    staged: bool  # false: the cap alone is cut, by the simple rule
    heat: float = quantity("1/year", 0.0, 10.0, "growth of notes outstanding that calls for a rule, as losses do; 0: losses alone")
    proposal: float = quantity("month", 0.0, 240.0, "from the first month that calls for a rule to the proposal")
    consultation: float = quantity("month", 0.0, 240.0, "from there to the final text")
    phase_in: float = quantity("month", 0.0, 240.0, "from there to its effect: sponsors know the date")
    dispersion: float = quantity("1", 0.0, 2.0, "log standard deviation of these three times")
    hold: int = quantity("month", 1, 240, "of effect before it is diluted")
    softening: float = quantity("1", 0.0, 20.0, "log cut of the draft, per year of consultation and unit of lobbying")
    least: float = quantity("share", 0.0, 1.0, "of the proposal that lobbying leaves in the final text")
    erosion: float = quantity("1", 0.0, 20.0, "log cut of a rule in force, per year of dilution and unit of lobbying")
    repealed: float = quantity("share", 0.0, 1.0, "of the proposal below which a rule is gone")
    most_lobbying: float = quantity("1/year", 0.0, 10.0, "issuance over notes outstanding beyond which lobbying does not grow")
    extension: int = quantity("month", 1, 240, "by which a moratorium is prolonged while losses are too high")
    longest: int = quantity("month", 0, 480, "that a moratorium may last")
    tools: Tools

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.tools.closure > self.longest:
            raise ValueError(f"tools.closure {self.tools.closure} must not exceed longest {self.longest}")
        return self


class Processes(Frozen):
    """By region."""

    us: Process
    china: Process


class Warnings(Frozen):
    """A body that watches credit and can only speak; none where ``regions`` does not name it."""

    regions: tuple[Literal["us", "china"], ...]
    growth: float = quantity("1/year", 0.0, 10.0, "growth of notes outstanding that worries it")
    leverage: float = quantity("1", 0.0, 100.0, "notes over investors' net worth that worry it")
    patience: int = quantity("month", 1, 120, "in a row, of either, before it warns")
    calm: int = quantity("month", 1, 120, "in a row, of neither, before a warning lapses")
    belief: float = quantity("1/year", 0.0, 0.05, "added to investors' expected loss by a warning; 0: nobody listens")
    half_life: float = quantity("month", 1.0, 240.0, "in which they forget it")


class Params(Frozen):
    """Limits on leverage, and how they tighten."""

    ltv_cap: float = quantity("share", 0.1, 1.0, "most debt over value")
    senior_gap: float = quantity("share", 0.0, 0.9, "by which the senior class stays below the cap")
    tolerance: float = quantity("1/year", 0.0, 1.0, "loss rate that calls for a rule")
    lag: int = quantity("month", 1, 240, "from losses to the rule")
    strictness: float = quantity("share", 0.0, 0.9, "cut of the cap when the rule binds in full")
    tightening: float = quantity("month", 1.0, 120.0, "in which a rule is brought in")
    rollback: float = quantity("month", 1.0, 600.0, "in which it is rolled back")
    process: Processes
    warnings: Warnings

    def conflicts(self, params: Any) -> Iterable[str]:
        """A rule cannot take more off the cap than there is."""
        for region in params.regions:
            cut = getattr(self.process, region).tools.ltv_cut
            if cut >= self.ltv_cap:
                yield f"process.{region}.tools.ltv_cut {cut:g} must lie below ltv_cap {self.ltv_cap:g}."


def growth(debts: list[float]) -> float:
    """Of notes outstanding over the last year, 1/year; ``debts`` are USD by month, oldest first. 0 while no year is known."""
    return debts[-1] / debts[0] - 1.0 if len(debts) > MONTHS and debts[0] > 0.0 else 0.0


class Regulator(Party):
    """One regulator with a memory of losses."""

    kind = "regulator"

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.losses = [0.0] * self.params.lag  # 1/year, oldest first
        self.addon = 0.0  # share of value taken off the cap
        self.debts: list[float] = []  # USD of notes in the last months, oldest first
        self.calm = True  # nothing has called for a rule since the last call
        self.stage: Stage = "watch"
        self.left = math.inf  # months to the end of what goes on; without end while nothing calls for a rule
        self.draft = 0.0  # share of the proposal that is in the text
        self.force = 0.0  # the same of the rule that binds
        self.closed = 0  # months left of a moratorium
        self.lasted = 0  # months that it has lasted

    def rule(self, loss_rate: float) -> float:
        """Cut of the LTV cap after this month."""
        p = self.params
        self.losses.append(loss_rate)
        if self.losses.pop(0) > p.tolerance:
            self.addon += (p.strictness - self.addon) / p.tightening
        else:
            self.addon -= self.addon / p.rollback
        return self.addon

    # -- in stages -----------------------------------------------------------------------------------------------------

    @property
    def process(self) -> Process:
        """Its region's."""
        found: Process = getattr(self.params.process, self.region)
        return found

    @property
    def ahead(self) -> int:
        """Months until a rule that is announced takes effect; 0: none is."""
        return int(self.left) if self.stage == "announce" else 0

    def see(self, debt: float) -> None:
        """Remember a month's notes outstanding, USD."""
        self.debts = [*self.debts, debt][-MONTHS - 1 :]

    def deliberate(self, loss_rate: float, lobbying: float, noise: float) -> list[str]:
        """One month of watching, consulting, binding or diluting; what happened, in words.

        Parameters
        ----------
        loss_rate : 1/year, of the last twelve months
        lobbying : 1/year, issuance over notes outstanding
        noise : standard normal, by which what begins this month takes longer or shorter
        """
        p, breached = self.process, loss_rate > self.params.tolerance
        breached = breached or 0.0 < self.process.heat < growth(self.debts)
        self.calm = self.calm or not breached
        news = self._evaluate(breached)
        self.left -= 1
        if self.stage == "consult":
            self.draft = max(self.draft * math.exp(-p.softening * lobbying / MONTHS), p.least)
        elif self.stage == "dilute" and not breached:
            self.force *= math.exp(-1.0 / self.params.rollback - p.erosion * lobbying / MONTHS)
        while step := self._next(breached, noise):
            news.append(step)
        return news

    def _next(self, breached: bool, noise: float) -> str:
        """Move on to the next stage if it is time, and say so."""
        p = self.process
        if self.stage in ("watch", "dilute") and self.left == math.inf:
            if breached and self.calm:
                return self._enter(self.stage, self._lasts(p.proposal, noise), "a rule is called for", calm=False)
            if self.stage == "dilute" and self.force < p.repealed:
                return self._enter("watch", math.inf, "rule repealed", draft=0.0, force=0.0)
        if self.left > 0.0 or (self.stage == "bind" and (self.closed or breached)):
            return ""
        if self.stage == "consult":
            return self._enter("announce", self._lasts(p.phase_in, noise), "rule announced")
        if self.stage == "announce":
            self.closed = p.tools.closure
            return self._enter("bind", p.hold, "market closed" if self.closed else "rule takes effect", force=self.draft)
        if self.stage == "bind":
            return self._enter("dilute", math.inf, "rule begins to be diluted")
        return self._enter("consult", self._lasts(p.consultation, noise), "rule proposed", draft=1.0)

    def _enter(self, stage: Stage, left: float, news: str, **state: float) -> str:
        self.stage, self.left = stage, left
        for name, value in state.items():
            setattr(self, name, value)
        return news

    def _lasts(self, months: float, noise: float) -> float:
        """How long a stage takes, in months: the usual time, longer or shorter."""
        return math.floor(months * math.exp(self.process.dispersion * noise) + 0.5)

    def _evaluate(self, breached: bool) -> list[str]:
        """A month of a moratorium; at its end losses decide whether it goes on. Without other tools, nothing is left to dilute."""
        p = self.process
        if not self.closed:
            return []
        self.closed, self.lasted = self.closed - 1, self.lasted + 1
        if self.closed:
            return []
        if breached and self.lasted < p.longest:
            self.closed = min(p.extension, p.longest - self.lasted)
            return ["moratorium prolonged"]
        self.lasted = 0
        if not (p.tools.ltv_cut or p.tools.retention or p.tools.charge or p.tools.disclosure):
            self._enter("watch", math.inf, "", draft=0.0, force=0.0)
        return ["market reopens"]


class Watchdog(Party):
    """A body without powers that warns of credit when it grows fast or stands on little capital."""

    kind = "watchdog"

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.debts: list[float] = []  # USD in the last months, oldest first
        self.worried = 0  # months in a row
        self.calm = 0
        self.warns = False
        self.alarm = 0.0  # 1/year that investors add to the losses they expect

    def watch(self, debt: float, capital: float) -> bool:
        """A month of credit, USD; whether it warns now."""
        p = self.params
        self.debts = [*self.debts, debt][-MONTHS - 1 :]
        bad = growth(self.debts) > p.growth or debt > p.leverage * max(capital, 0.0)
        self.worried, self.calm = (self.worried + 1, 0) if bad else (0, self.calm + 1)
        self.alarm *= 2.0 ** (-1.0 / p.half_life)
        if self.warns and self.calm >= p.calm:
            self.warns = False
        if self.warns or self.worried < p.patience:
            return False
        self.warns, self.alarm = True, p.belief
        return True
