"""What the store holds of a plan, as arrays with one row a seed and date; seeds of which something is missing are left out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.experiments.jobs import LEAD, Branch
from analysis.experiments.store import Arrays
from analysis.experiments.worlds import World
from analysis.loop.plan import Plan
from analysis.statistics.gains import per_unit
from analysis.statistics.intervals import LEVEL, fewest_seeds
from sim.arrows import ADDITIVE

FALL = 24  # months over which issuance falls, and losses add up
SMOOTH = 6  # months of the mean whose fall is a bust's
YEAR = 12
Severities = dict[str, np.ndarray]


class Rows(NamedTuple):
    """Values (rows, ...), and the seed and the date of each row."""

    values: np.ndarray
    seeds: np.ndarray
    dates: np.ndarray

    @property
    def enough(self) -> bool:
        """Whether an interval can be had."""
        return len(np.unique(self.seeds)) >= fewest_seeds(LEVEL)


def together(
    plan: Plan, what: Sequence[Branch], dates: Sequence[int] | None = None
) -> tuple[list[list[Arrays]], np.ndarray, np.ndarray]:
    """Branches of one history, for seeds that have them at all dates: results, seed and date of each row."""
    found: list[list[Arrays]] = []
    seeds, when = [], []
    for seed in plan.branch_seeds:
        mine = [[plan.branch(seed, date, one) for one in what] for date in dates or plan.dates]
        if all(one is not None for row in mine for one in row):
            found += [[one for one in row if one is not None] for row in mine]
            seeds += [seed] * len(mine)
            when += list(dates or plan.dates)
    return found, np.array(seeds), np.array(when)


def response(
    plan: Plan, up: Branch, other: Branch, name: str, apart: float, dates: Sequence[int] | None = None, logs: bool = False
) -> Rows:
    """Difference of two branches by month from the push on, per unit pushed.

    Parameters
    ----------
    name : as stored, "signal spread" or "outcome capex"
    apart : how far apart the pushes are
    logs : take logs first; stored signals that are positive are logs already
    """
    found, seeds, when = together(plan, (up, other), dates)
    if not found:
        return Rows(np.empty((0, plan.length)), seeds, when)
    pairs = [[np.log(one[name]) if logs else one[name] for one in row] for row in found]
    return Rows(np.array([per_unit(one, two, apart)[LEAD:] for one, two in pairs]), seeds, when)


def untouched(plan: Plan, what: Sequence[Branch]) -> list[tuple[Branch, dict[str, int]]]:
    """For stored branches: by column, the first month after the push in which any bit differs; past the last for none."""
    rows = []
    for seed in plan.branch_seeds:
        for date in plan.dates:
            for one in what:
                found = plan.branch(seed, date, one)
                if found is not None and "changed" in found:
                    first = np.where(found["changed"] >= 0, found["changed"] - LEAD, plan.length).tolist()
                    rows.append((one, dict(zip(found["columns"].tolist(), first, strict=True))))
    return rows


def runs(plan: Plan, world: World, cuts: Sequence[Sequence[str]]) -> tuple[list[list[Arrays]], list[int]]:
    """Whole runs, for seeds that have all of the cuts."""
    found, seeds = [], []
    for seed in plan.seeds:
        mine = [plan.whole(world, seed, cut) for cut in cuts]
        if all(one is not None for one in mine):
            found.append([one for one in mine if one is not None])
            seeds.append(seed)
    return found, seeds


def series(found: Sequence[Sequence[Arrays]], at: int, name: str) -> np.ndarray:
    """One outcome of one of the cuts: (seeds, months)."""
    return np.array([row[at][f"outcome {name}"] for row in found])


def severities(run: Arrays) -> dict[str, float]:
    """How bad the run's worst months are: none of the three is frozen by a cut.

    Returns
    -------
    spending : deepest fall of the six-month mean of capital spending below its highest so far, share
    losses : worst 24 months of losses, share of mean debt
    issuance : largest fall of a year's issuance against that two years before, share
    """
    spending = np.convolve(run["outcome capex"], np.ones(SMOOTH) / SMOOTH, "valid")
    lost = np.convolve(run["outcome loss"], np.ones(FALL), "valid")
    debt = np.convolve(run["outcome debt"], np.ones(FALL) / FALL, "valid")
    issued = np.convolve(run["outcome issuance"], np.ones(YEAR), "valid")
    early, late = issued[:-FALL], issued[FALL:]
    fall = 1.0 - np.divide(late, early, out=np.ones_like(late), where=early > 0.0)
    return {
        "spending": float((1.0 - spending / np.maximum.accumulate(spending)).max()),
        "losses": float(np.divide(lost, debt, out=np.zeros_like(lost), where=debt > 0.0).max()),
        "issuance": float(max(fall.max(), 0.0)),
    }


def severity(found: Sequence[Sequence[Arrays]], live: int) -> Severities:
    """Severity by seed and cut, (seeds, cuts): each of its three parts, and their mean, each over its mean with all live."""
    parts = [[severities(run) for run in row] for row in found]
    by_part = {name: np.array([[one[name] for one in row] for row in parts]) for name in ("spending", "losses", "issuance")}
    means = [values / max(values[:, live].mean(), 1e-12) for values in by_part.values()]
    return by_part | {"combined": np.mean(means, axis=0)}


def scale(signal: str) -> str:
    """Unit of what is read per unit pushed."""
    return "per unit" if signal in ADDITIVE else "per log"
