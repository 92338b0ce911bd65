"""Tenants: how unequal labs are as customers, and what lenders ask for a tenant whose cash runs out."""

from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator
from scipy.special import gammaincinv, gammaln

from sim.units import Frozen, quantity


class Params(Frozen):
    """Shares of labs in users, in operators' contracts and in cash at the start, and the price of their credit."""

    concentration: float = quantity("1", 0.0, 1000.0, "of the Dirichlet law of labs' shares: low is unequal; 0: all are alike")
    top: float = quantity("share", 0.0, 0.95, "of the largest lab, the others in proportion; 0: as drawn")
    least: float = quantity("share", 0.0001, 0.2, "of the smallest lab, before the largest is given its own")
    credit: Literal["alike", "own"]  # agencies and lenders see all labs alike, or each one's burn and cash
    sensitivity: float = quantity("year", 0.0, 100.0, "relative rise of a lab's default probability per unit of burn over cash")
    most_default: float = quantity("1/year", 0.0, 0.5, "default probability of a lab beyond which agencies do not go")
    price: float = quantity("1", 0.0, 20.0, "added to coupons of its deals per unit of default probability beyond the usual one")

    @model_validator(mode="after")
    def _drawn(self) -> Self:
        if self.top > 0.0 and self.concentration == 0.0:
            raise ValueError(f"top {self.top:g} needs shares that differ: give concentration above 0")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """The largest lab is the largest; agencies never see less risk than the usual."""
        count, usual = params.agents.labs.count, params.sim.ratings.tenant_default
        if self.concentration > 0.0 and self.least * count > 1.0:
            yield f"least {self.least:g} times agents.labs.count {count} is more than 1: give less"
        if 0.0 < self.top < 1.0 / count:
            yield f"top {self.top:g} is less than an equal share among agents.labs.count {count}: give more, or 0"
        if self.credit == "own" and self.most_default < usual:
            yield f"most_default {self.most_default:g} lies below sim.ratings.tenant_default {usual:g}: give that or more"


def shares(p: Params, draws: np.ndarray) -> np.ndarray:
    """Labs' shares (l,) from uniform ``draws`` (l,): a Dirichlet law, gamma by gamma, the smallest lifted to ``least``."""
    if p.concentration == 0.0:
        return np.full(len(draws), 1.0 / len(draws))
    drawn = np.exp(_log_gamma(p.concentration, draws))
    found = p.least + (1.0 - p.least * len(draws)) * drawn / drawn.sum()
    first = int(found.argmax())
    if p.top > 0.0 and len(draws) > 1:
        found *= (1.0 - p.top) / (1.0 - found[first])
        found[first] = p.top
    return found / found.sum()


def _log_gamma(shape: float, draws: np.ndarray) -> np.ndarray:
    """Logs (l,) of gamma quantiles over the largest; near zero, where quantiles vanish, by the first term of their series."""
    found = gammaincinv(shape, draws)
    small = found < 1e-200
    logs = np.where(small, (np.log(draws) + gammaln(shape + 1.0)) / shape, np.log(np.where(small, 1.0, found)))
    return np.asarray(logs - logs.max())


def anchored_at(sizes: np.ndarray, operators: int) -> np.ndarray:
    """Place (o,) of each operator's anchor: labs have as many, to the nearest, as their ``sizes`` (l,) say, the largest first."""
    order = np.argsort(-sizes, kind="stable")
    steps = (np.arange(operators) + 0.5) / operators
    return order[np.searchsorted(np.cumsum(sizes[order]), steps * sizes.sum(), side="right").clip(max=len(sizes) - 1)]


def default_probability(p: Params, usual: float, burn: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """Of labs (l,) that ``burn`` USD/year beyond what they raise and have ``cash`` USD, 1/year; ``usual`` when they burn none."""
    need = np.maximum(burn, 0.0)
    pressure = np.divide(need, cash, out=np.where(need > 0.0, np.inf, 0.0), where=cash > 0.0)
    return np.minimum(usual * (1.0 + p.sensitivity * pressure), max(p.most_default, usual))


def premium(p: Params, usual: float, chance: np.ndarray) -> np.ndarray:
    """Added to coupons of deals let to labs of default probability ``chance`` (n,), 1/year."""
    return p.price * np.maximum(chance - usual, 0.0)
