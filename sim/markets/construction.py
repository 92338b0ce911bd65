"""Building by stage: shells begun ahead of orders wait for the grid; an order waits for a powered site, then for its chips."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """Stages of building. Sites are measured by the spending, chips included, that they can house."""

    shell: int = quantity("month", 0, 60, "to build a shell; 0: orders are delivered after a fixed time, whatever is ordered")
    grid: float = quantity("1/year", 0.01, 12.0, "hazard at which a finished shell is connected")
    chips: int = quantity("month", 1, 24, "from a powered site to delivery")
    grid_share: float = quantity("share", 0.0, 0.5, "of unit cost, paid to utilities when power comes")
    sites: int = quantity("1", 1, 200, "begun in a region in a month, each with its own wait for power")
    foresight: float = quantity("share", 0.0, 2.0, "of demand's growth for which builders begin sites ahead")
    patience: float = quantity("month", 1.0, 240.0, "in which builders make good what is short, or use up what is left over")
    spare: float = quantity("month", 0.0, 60.0, "of orders for which powered sites stand ready at the start")

    def conflicts(self, params: Any) -> Iterable[str]:
        """Fitting out takes the rest of the contract's time, and each stage its part of the cost."""
        build, hardware = params.agents.operators.build, params.sim.markets.hardware.hardware_share
        if self.shell and self.chips >= build:
            yield f"chips {self.chips} must lie below agents.operators.build {build} (months)"
        if self.shell and self.grid_share + hardware > 1.0:
            yield f"grid_share {self.grid_share} and sim.markets.hardware.hardware_share {hardware} exceed all of the cost"


def connected(p: Params) -> float:
    """Chance that a finished shell gets power within a month."""
    return -math.expm1(-p.grid / MONTHS)


def lead(p: Params, growth: float) -> float:
    """Sites begun over what is ordered now, so that what gets power keeps up with orders that grow at ``growth`` (1/year).

    A shell takes its time and then an exponential wait of mean ``1 / grid``: exp(growth * shell) * (1 + growth / grid).
    """
    g = max(p.foresight * growth, 0.0)
    return math.exp(g * p.shell / MONTHS) * (1.0 + g / p.grid)


def begun(p: Params, pace: float, growth: float, waiting: float, ready: float) -> float:
    """Sites that builders begin in a month, USD.

    Parameters
    ----------
    pace : USD/month of orders less sites that retired units left, smoothed
    growth : 1/year, of demand in money
    waiting, ready : USD of orders without a powered site, of powered sites without an order
    """
    return max(pace * lead(p, growth) + (waiting - ready) / p.patience, 0.0)


def standing(p: Params, age: np.ndarray) -> np.ndarray:
    """Share of sites begun ``age`` (n,) months ago that is not connected yet."""
    return (1.0 - connected(p)) ** np.maximum(age - p.shell, 0)


def served(size: np.ndarray, ready: float) -> np.ndarray:
    """Which orders of ``size`` (n,) USD, first come first, find room in ``ready`` USD; who comes later does not overtake."""
    return np.cumsum(size) <= ready


def installments(p: Params, build: int, hardware: Any, grid: Any, since: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Share (n, 3) of an order's cost that is due this month to builders, utilities and the vendor.

    Builders fit the shell out in the months before the chips, utilities are paid when power comes, the vendor while chips are made.

    Parameters
    ----------
    build : months from order to delivery when nothing is late
    hardware, grid : one for all or (n,), shares of the cost that are the vendor's and the utilities'
    since, until : (n,) months since the order, and to delivery
    """
    fitting = build - p.chips
    shell = np.where(since < fitting, (1.0 - hardware - grid) / fitting, 0.0)
    chips = np.where(until <= p.chips, hardware / p.chips, 0.0)
    return np.stack([shell, np.where(until == p.chips, grid, 0.0), chips], axis=1)
