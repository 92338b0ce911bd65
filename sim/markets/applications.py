"""Applications of compute that need other people's money: which of them lenders fund, and which a planner would."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic import model_validator
from scipy.special import ndtr

from sim.sums import total
from sim.units import Frozen, quantity


class Params(Frozen):
    """Applications, and what lenders ask of them: Holmstrom and Tirole (1997), "Financial intermediation, loanable funds, and the
    real sector", section III, with a pledgeable share of income that differs."""

    share: float = quantity(
        "share", 0.0, 0.95, "of inference demand from applications that others fund; 0: none, and none is drawn"
    )
    count: int = quantity("1", 10, 100_000, "applications drawn in a region, a sample of all")
    turnover: float = quantity("1/year", 0.0, 5.0, "at which applications end and others take their places")
    size_dispersion: float = quantity("1", 0.0, 3.0, "log standard deviation of the compute that they use")
    least_contractible: float = quantity("share", 0.0, 0.99, "of its cash flow that an application can pledge, the least")
    most_contractible: float = quantity("share", 0.01, 1.0, "the same, the most; alike between")
    social_dispersion: float = quantity("1", 0.0, 3.0, "log standard deviation of social value per unit of compute")
    correlation: float = quantity("1", -1.0, 1.0, "of its logarithm with the normal score of contractibility")
    own: float = quantity("share", 0.0, 1.0, "of their spending on compute that applications pay from what they have")
    worth: float = quantity("1", 0.1, 10.0, "cash flow per unit of that spending")
    years: float = quantity("year", 0.1, 20.0, "from spending to that cash flow")
    calm_spread: float = quantity("1/year", 0.0, 0.5, "spread, novelty apart, at which demand is as calibrated")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.least_contractible >= self.most_contractible:
            raise ValueError(
                f"least_contractible {self.least_contractible} must be below most_contractible {self.most_contractible}"
            )
        return self

    def conflicts(self, params: Any) -> Iterator[str]:
        """Where nothing is funded in calm markets, no demand can be as calibrated."""
        for region in params.regions if self.share else ():
            rate = getattr(params.sim.markets.primary, region).base_rate + self.calm_spread
            if (asked := hurdle(self, rate)) >= self.most_contractible:
                yield (
                    f"at calm_spread {self.calm_spread} lenders in {region} ask that {asked:.3g} of cash flow be contractible, "
                    f"and most_contractible is {self.most_contractible}; raise own or worth, or lower years"
                )


class Traits(NamedTuple):
    """What applications (n,) are like."""

    size: np.ndarray  # compute that they use, against the median
    contractible: np.ndarray  # share of their cash flow that they can pledge
    social: np.ndarray  # social value per unit of compute, against the median
    unit_value: np.ndarray  # most that their users pay for a year of compute, USD/GPU/year


def traits(p: Params, normals: np.ndarray, chance: np.ndarray, price: float, tail: float) -> Traits:
    """New applications: whatever is begun pays at today's ``price``, USD/GPU/year, and its unit value is Pareto distributed.

    Parameters
    ----------
    normals : (3, n) standard normals
    chance : (n,) in (0, 1)
    tail : elasticity of demand: who uses compute at a price is who it pays for
    """
    pledge, other, size = normals
    low, high = p.least_contractible, p.most_contractible
    both = p.correlation * pledge + math.sqrt(1.0 - p.correlation**2) * other
    return Traits(
        size=np.exp(p.size_dispersion * size),
        contractible=low + (high - low) * ndtr(pledge),
        social=np.exp(p.social_dispersion * both),
        unit_value=price * chance ** (-1.0 / tail),
    )


def hurdle(p: Params, rate: float) -> float:
    """Least contractible share of cash flow with which lenders get their money back: they lend what the application lacks."""
    return (1.0 - p.own) * (1.0 + rate * p.years) / p.worth


def filled(size: np.ndarray, order: np.ndarray, budget: float) -> np.ndarray:
    """Shares (n,) of applications that a ``budget`` of compute serves, the first of ``order`` first, the last one in part."""
    ahead = np.cumsum(size[order]) - size[order]
    share = np.zeros(len(size))
    share[order] = np.clip((budget - ahead) / size[order], 0.0, 1.0)
    return share


def fund(p: Params, found: Traits, rate: float, ration: float) -> np.ndarray:
    """Shares (n,) that lenders fund at ``rate``: who clears the hurdle; if they are short of money, the most contractible first.

    ``ration`` is the share of what clears the hurdle that they can carry. Each unit of compute needs the same of their money.
    """
    clears = (found.contractible >= hurdle(p, rate)).astype(float)
    if ration >= 1.0 or p.own == 1.0:
        return clears
    return filled(found.size, np.argsort(-found.contractible, kind="stable"), ration * total(clears * found.size))


def plan(found: Traits, budget: float) -> np.ndarray:
    """Shares (n,) that a planner funds with a ``budget`` of compute, and so of money: the most social value per unit first.

    The best that the budget can do, for applications can be served in part (Dantzig 1957).
    """
    return filled(found.size, np.argsort(-found.social, kind="stable"), budget)


class Outcome(NamedTuple):
    """What lenders and a planner make of the same applications, budget and month; NaN where there is nothing to share."""

    funded_number: float  # share of applications that lenders fund
    funded_compute: float  # of the compute that applications want
    funded_social: float  # of its social value
    planned_social: float  # of the same, what the planner funds
    distortion: float  # of the planner's social value, what lenders leave


def judge(found: Traits, funded: np.ndarray, planned: np.ndarray) -> Outcome:
    """Lenders' choice against the planner's, shares (n,) of each application."""
    if not len(found.size):
        return Outcome(*[math.nan] * 5)
    value = found.size * found.social
    ours, theirs = total(value * funded), total(value * planned)
    return Outcome(
        funded_number=total(funded) / len(funded),
        funded_compute=total(found.size * funded) / total(found.size),
        funded_social=ours / total(value),
        planned_social=theirs / total(value),
        distortion=min(max(1.0 - ours / theirs, 0.0), 1.0) if theirs > 0.0 else math.nan,
    )


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's, NaN for fewer than two: 1 - 6 sum d^2 / (n (n^2 - 1))."""
    n = len(one)
    gap = np.argsort(np.argsort(one, kind="stable")) - np.argsort(np.argsort(other, kind="stable"))
    return 1.0 - 6.0 * total((gap * gap).astype(float)) / (n * (n * n - 1.0)) if n > 1 else math.nan


def pull(p: Params, now: float, calm: float) -> float:
    """Demand over what it would be on calm terms, where ``now`` and ``calm`` are shares of applications' compute that is funded."""
    return 1.0 + p.share * (now / calm - 1.0) if calm > 0.0 else 1.0
