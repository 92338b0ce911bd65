"""Statements from whole runs: amplification, what each cut does to busts, negative controls, the vendor's cadence."""

import numpy as np
import pandas as pd

from analysis.experiments.spec import LOOP
from analysis.experiments.store import Arrays
from analysis.loop.measures import Tables
from analysis.loop.plan import ALL, NONE, Plan
from analysis.loop.reading import runs, series, severity
from analysis.loop.statements import Statement, told, untold
from analysis.statistics import bands, factorial
from analysis.statistics.gains import HORIZONS, LEG, REVERSAL
from analysis.statistics.intervals import LEVEL, Claim, Interval, Word, bootstrap, effect, fewest_seeds, mean
from analysis.statistics.presence import chance

KINDS = {
    "combined": "severity, three parts together",
    "spending": "deepest fall of spending",
    "losses": "worst 24 months of losses",
    "issuance": "largest fall of issuance",
}
UNITS = {"combined": "of the mean with all live", "spending": "of the peak", "losses": "of debt", "issuance": "of two years before"}
FEW = fewest_seeds(LEVEL)
Found = list[list[Arrays]]


def log_swings(found: Found, at: int) -> np.ndarray:
    """Log of the swing of log capital spending at 36 to 120 months, by seed."""
    return np.log(bands.swing(np.log(series(found, at, "capex"))))


def amplification_statements(plan: Plan, gains: dict[str, np.ndarray], tables: Tables) -> list[Statement]:
    """A, and what it takes to say that there is a loop."""
    part, says = "Amplification", "Spending swings more at 36 to 120 months with the loop live than with all four arrows cut (A)."
    loop = "There is a loop: the arrows amplify, and something comes back at an open wire."
    found, _ = runs(plan, plan.world, (NONE, ALL))
    if len(found) < FEW:
        return [untold("A", part, says), untold("loop", part, loop), reinforcing(gains)]
    a = bands.amplification(series(found, 0, "capex"), series(found, 1, "capex"))
    swings = pd.DataFrame({"live": np.exp(log_swings(found, 0)), "cut": np.exp(log_swings(found, 1))})
    tables["swings"] = swings
    claim = Claim("above", 1.0)
    note = "alone no proof of a loop: an amplifier that only passes swings on has A above 1 too (6 in a toy without any loop)"
    both, back = claim.word(a), anywhere(gains)
    if both == "holds" and back > 1.0 - LEVEL:
        both = "cannot tell"
    text = f"chance of as much at some of {len(gains)} wires, without a loop: {back:.2g}" if gains else "no wire was opened"
    text += "; a loop that opposes what passes it is one too"
    own = [told("A", part, says, a, claim, "times", note), told("loop", part, loop, a, None, "times", text, both)]
    return [*own, reinforcing(gains)]


def reinforcing(gains: dict[str, np.ndarray]) -> Statement:
    """Whether what comes back has the sign of the push, within a year or from two to five years on, at any wire."""
    part, says = "Amplification", "At some open wire what comes back reinforces the push, within a year or from two to five on."
    windows = {f"{name}, months {first} to {last}": (name, first, last) for name in gains for first, last in (LEG, REVERSAL)}
    if not windows:
        return untold("reinforces", part, says)
    needed = fewest_seeds(1.0 - (1.0 - LEVEL) / len(windows))
    if any(len(rows) < needed for rows in gains.values()):
        return untold("reinforces", part, says, f"to ask {len(windows)} at once takes {needed} seeds of branches")
    legs = {
        text: bootstrap(mean, gains[name][:, first : last + 1].mean(axis=1)[:, None], family=len(windows)).at(0)
        for text, (name, first, last) in windows.items()
    }
    words = [Claim("above").word(leg) for leg in legs.values()]
    word: Word = "holds" if "holds" in words else "does not hold" if set(words) == {"does not hold"} else "cannot tell"
    best = max(legs, key=lambda text: float(legs[text].low))
    note = f"the highest lower bound of {len(windows)}: {best}; intervals that cover all at once"
    return told("reinforces", part, says, legs[best], None, "per unit", note, word)


def anywhere(gains: dict[str, np.ndarray]) -> float:
    """Chance of as large a response at some wire and horizon without a loop, all of them asked at once."""
    most = max((len(rows) for rows in gains.values()), default=0)
    whole = [rows[:, HORIZONS] for rows in gains.values() if len(rows) == most]
    return chance(np.concatenate(whole, axis=1)) if whole else 1.0


def single_statements(plan: Plan, tables: Tables) -> list[Statement]:
    """What cutting one arrow does to busts, by spending and by losses apart, and to swings."""
    part, found = "Cuts of one arrow", []
    cuts = (NONE, *((arrow,) for arrow in LOOP), ALL)
    these, _ = runs(plan, plan.world, cuts)
    if len(these) < FEW:
        return [untold(f"cut {arrow}", part, f"Cutting {arrow} makes busts milder.") for arrow in (*LOOP, "all four")]
    by_part, rows = severity(these, 0), []
    for at, name in enumerate((*LOOP, "all four"), start=1):
        for kind, words in KINDS.items():
            less = effect(by_part[kind][:, 0], by_part[kind][:, at])
            says = f"Cutting {name} lowers: {words}."
            found.append(told(f"cut {name} {kind}", part, says, less, Claim("above"), UNITS[kind], "live less cut"))
            rows.append(less.frame(cut=[name], severity=[kind], measure=["live less cut"]))
        a = bands.amplification(series(these, 0, "capex"), series(these, at, "capex"))
        rows.append(a.frame(cut=[name], severity=["swing"], measure=["live over cut"]))
    tables["single_cuts"] = pd.concat(rows, ignore_index=True)
    return found


def factorial_statements(plan: Plan, tables: Tables) -> list[Statement]:
    """All 2^4 cuts: shares of severity, and whether arrows do more together than each alone."""
    part, found, rows = "Factorial of cuts", [], []
    live = factorial.cuts(len(LOOP))
    cuts = [tuple(arrow for arrow, on in zip(LOOP, row, strict=True) if not on) for row in live]
    these, _ = runs(plan, plan.world, cuts)
    for kind, words in KINDS.items():
        says = f"Arrows do more together than the sum of each alone: {words}."
        if len(these) < FEW:
            found.append(untold(f"together {kind}", part, says))
            continue
        shares = factorial.contributions(LOOP, severity(these, len(cuts) - 1)[kind])
        rows.append(shares.table().assign(severity=kind))
        total = f"all live less all cut {between(shares.total)}"
        found.append(told(f"together {kind}", part, says, shares.excess, Claim("above"), UNITS[kind], total))
        told_apart = Claim("above").word(shares.total) == "holds"
        for at, arrow in enumerate(LOOP):
            share = f"share of the whole {float(shares.shares.estimate[at]):.0%}"
            note = share if told_apart else "shares of a whole that is not above zero mean nothing"
            text = f"{arrow} makes busts worse (Shapley value): {words}."
            found.append(told(f"shapley {arrow} {kind}", part, text, shares.values.at(at), Claim("above"), UNITS[kind], note))
    if rows:
        tables["shapley"] = pd.concat(rows, ignore_index=True)
    return found


def cobweb_statements(plan: Plan, tables: Tables) -> list[Statement]:
    """Time to build with extrapolation, cut with the loop live and with the loop cut."""
    part, found = "The other cause of a cycle", []
    these, _ = runs(plan, plan.world, (NONE, ("cobweb",), ALL, (*LOOP, "cobweb")))
    for live, at, where in ((True, 0, "all live"), (False, 2, "all cut")):
        says = f"With {where}, spending swings more with the cobweb than without."
        name = f"cobweb {'live' if live else 'cut'}"
        if len(these) < FEW:
            found.append(untold(name, part, says))
            continue
        a = bands.amplification(series(these, at, "capex"), series(these, at + 1, "capex"))
        found.append(told(name, part, says, a, Claim("above", 1.0), "times"))
        by_part = severity(these, 0)
        for kind in ("spending", "losses"):
            less = effect(by_part[kind][:, at], by_part[kind][:, at + 1])
            text = f"With {where}, cutting the cobweb lowers: {KINDS[kind]}."
            found.append(told(f"{name} {kind}", part, text, less, Claim("above"), UNITS[kind], "live less cut"))
    return found


def control_statements(plan: Plan, tables: Tables) -> list[Statement]:
    """Without a part of the loop A includes or lies below 1, and lies below the baseline's."""
    part, found, rows = "Negative controls", [], []
    base, seeds = runs(plan, plan.world, (NONE, ALL))
    for name, world in plan.controls.items():
        says = f"Under {name} the loop does not amplify, and less than in the baseline."
        these, mine = runs(plan, world, (NONE, ALL))
        both = sorted(set(seeds) & set(mine))
        if len(both) < FEW:
            found.append(untold(f"control {name}", part, says))
            continue
        here = [these[mine.index(seed)] for seed in both]
        there = [base[seeds.index(seed)] for seed in both]
        a = bands.amplification(series(here, 0, "capex"), series(here, 1, "capex"))
        own = bands.amplification(series(there, 0, "capex"), series(there, 1, "capex"))
        apart = effect(log_swings(there, 0) - log_swings(there, 1), log_swings(here, 0) - log_swings(here, 1))
        rows.append(a.frame(control=[name]))
        found.append(told(f"control {name}", part, says, a, None, "times", *control(a, own, apart)))
    if rows:
        tables["controls"] = pd.concat(rows, ignore_index=True)
    return found


def control(a: Interval, baseline: Interval, apart: Interval) -> tuple[str, Word]:
    """What a control says, and its word: where the baseline does not amplify, it says nothing."""
    times = f"baseline over control {between(apart.through(np.exp))} times"
    if not float(baseline.low) > 1.0:
        return f"uninformative: the baseline's own A is not above 1; {times}", "cannot tell"
    if float(a.low) > 1.0 or float(apart.high) <= 0.0:
        return times, "does not hold"
    return times, "holds" if float(apart.low) > 0.0 else "cannot tell"


def between(interval: Interval) -> str:
    """An interval as read."""
    return f"{float(interval.estimate):.3g} ({float(interval.low):.3g} to {float(interval.high):.3g})"


def elasticity_statements(plan: Plan, tables: Tables) -> list[Statement]:
    """Single cuts as the vendor's cadence follows its revenue more: the least evidenced link, so conditional on it."""
    part, found, rows = "If the vendor's cadence follows revenue", [], []
    cuts = (NONE, *((arrow,) for arrow in LOOP))
    for value, world in plan.elasticities.items():
        these, _ = runs(plan, world, cuts)
        for at, arrow in enumerate(LOOP, start=1):
            says = f"At elasticity {value:g}, {arrow} makes busts worse."
            if len(these) < FEW:
                found.append(untold(f"e {value:g} {arrow}", part, says))
                continue
            less = effect(severity(these, 0)["combined"][:, 0], severity(these, 0)["combined"][:, at])
            rows.append(less.frame(elasticity=[value], cut=[arrow]))
            note = "live less cut; no fact says what the elasticity is"
            found.append(told(f"e {value:g} {arrow}", part, says, less, Claim("above"), UNITS["combined"], note))
    if rows:
        tables["elasticities"] = pd.concat(rows, ignore_index=True)
    return found
