"""Morris's effects and Sobol's shares of a function over a box (SALib), from the blocks of points of which all values are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from SALib.analyze import morris as morris_analysis
from SALib.analyze import sobol as sobol_analysis
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample

LEVELS = 4  # of Morris's grid
SEED = 0


@dataclass(frozen=True)
class Problem:
    """A box: names of its sides, and their bounds."""

    names: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]

    @property
    def plain(self) -> dict[str, Any]:
        """As SALib wants it."""
        return {"num_vars": len(self.names), "names": list(self.names), "bounds": [list(ends) for ends in self.bounds]}

    def part(self, which: Sequence[int]) -> "Problem":
        """Some of its sides, in their own order."""
        return Problem(tuple(self.names[at] for at in sorted(which)), tuple(self.bounds[at] for at in sorted(which)))


@dataclass(frozen=True)
class Screen:
    """Effects by side, (d,): mean absolute change over half the box or more, half its interval at 0.95, and their spread.

    ``blocks`` is how many trajectories they rest on; with none there are no effects.
    """

    effects: np.ndarray
    halves: np.ndarray
    spreads: np.ndarray
    blocks: int

    @property
    def order(self) -> list[int]:
        """Sides, the largest effect first."""
        return [] if not self.blocks else [int(at) for at in np.argsort(-self.effects, kind="stable")]

    def row(self, at: int) -> dict[str, float]:
        """Of one side."""
        if not self.blocks:
            return {}
        return {"effect": float(self.effects[at]), "half": float(self.halves[at]), "spread": float(self.spreads[at])}


def morris_points(problem: Problem, trajectories: int) -> np.ndarray:
    """Trajectories that move one side at a time: (trajectories * (d + 1), d)."""
    return np.asarray(morris_sample.sample(problem.plain, trajectories, num_levels=LEVELS, seed=SEED))


def screen(problem: Problem, points: np.ndarray, values: np.ndarray) -> Screen:
    """Effects (Morris 1991; absolute means of Campolongo et al. 2007), in the unit of the values over the range of a side."""
    size = len(problem.names) + 1
    whole = blocks(values, size)
    if len(whole) < 2:
        return Screen(np.empty(0), np.empty(0), np.empty(0), 0)
    rows = (whole[:, None] * size + np.arange(size)).ravel()
    found = morris_analysis.analyze(problem.plain, points[rows], values[rows], num_levels=LEVELS, seed=SEED)
    effect, half, spread = (np.asarray(found[name], dtype=np.float64) for name in ("mu_star", "mu_star_conf", "sigma"))
    return Screen(effect, half, spread, len(whole))


def floor(spreads: np.ndarray, seeds: int) -> float:
    """Mean absolute effect that points of ``seeds`` seeds would show if nothing mattered and every point had seeds of its own.

    All points have the same seeds, so that what luck adds is no more than this as long as they respond alike. Not a number for
    one seed.

    Parameters
    ----------
    spreads : (points,) standard deviation over seeds of the outcome
    """
    error = float(np.sqrt(np.nanmean(spreads**2) / seeds)) if np.isfinite(spreads).any() else np.nan
    step = LEVELS / (2.0 * (LEVELS - 1.0))  # of the range, between two points of a trajectory
    return 2.0 / np.sqrt(np.pi) * error / step


def sobol_points(problem: Problem, base: int) -> np.ndarray:
    """Saltelli's points, without second orders: (base * (d + 2), d)."""
    return np.asarray(sobol_sample.sample(problem.plain, base, calc_second_order=False, seed=SEED))


def shares(problem: Problem, values: np.ndarray) -> dict[str, dict[str, float]] | None:
    """Shares of variance by side, first order and total, with halves of their intervals at 0.95; None from too few points."""
    size = len(problem.names) + 2
    whole = blocks(values, size)
    if len(whole) < 2 or np.ptp(values[np.isfinite(values)]) == 0.0:
        return None
    kept = values[(whole[:, None] * size + np.arange(size)).ravel()]
    found = sobol_analysis.analyze(problem.plain, kept, calc_second_order=False, seed=SEED)
    names = {"first": "S1", "first_half": "S1_conf", "total": "ST", "total_half": "ST_conf"}
    return {side: {word: float(found[name][at]) for word, name in names.items()} for at, side in enumerate(problem.names)}


def blocks(values: np.ndarray, size: int) -> np.ndarray:
    """Which blocks of so many values are whole."""
    return np.flatnonzero(np.isfinite(values.reshape(-1, size)).all(axis=1))


def plus_minus(value: object, half: object) -> str:
    """A number and half its interval; a dash where there is none."""
    return f"{value:.3g} ± {half:.2g}" if isinstance(value, float) and isinstance(half, float) else "-"
