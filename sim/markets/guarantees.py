"""Guarantees: what sponsors stand behind beside their balance sheets, what others see of it, and what they make of it."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from sim.units import Frozen, quantity


class Params(Frozen):
    """What agencies, lenders and bondholders see of the debts of operators and clouds, and how it moves them."""

    seen: Literal["nothing", "reported", "all"]  # nothing: debts move nobody but a cloud's own bondholders
    lag: int = quantity("month", 0, 240, "after which what is owed beside a balance sheet is seen; a call shows it at once")
    calm: float = quantity("year", 0.0, 100.0, "of other earnings: debts at which a cloud defaults as often as clouds do")
    sensitivity: float = quantity("1/year", 0.0, 10.0, "log rise of a cloud's default probability per year of earnings beyond")
    most_default: float = quantity("1/year", 0.0, 0.5, "default probability of a cloud beyond which agencies do not go")
    calm_operator: float = quantity("year", 0.0, 100.0, "of earnings: debts of an operator that lenders find usual")
    slope: float = quantity("1/year", 0.0, 0.5, "added to coupons of its new deals per year of earnings beyond")
    most_premium: float = quantity("1/year", 0.0, 0.5, "most that is added")
    limit: float = quantity(
        "year", 0.0, 1000.0, "of other earnings: seen debts beyond which nobody lends a cloud for new orders; 0: none"
    )

    def conflicts(self, params: Any) -> Iterable[str]:
        """Agencies never see less risk in a cloud than at calm debts, nor more than the cap."""
        usual = params.sim.books.channels.anchor_default
        if self.seen != "nothing" and self.most_default < usual:
            yield f"most_default {self.most_default:g} lies below sim.books.channels.anchor_default {usual:g}: give that or more"


def leverage(debts: Any, earnings: Any) -> Any:
    """Debts over a year's earnings; none without debts, no end without earnings."""
    debts, earnings = np.asarray(debts, dtype=float), np.asarray(earnings, dtype=float)
    whole = np.where(debts > 0.0, np.inf, 0.0)
    return np.divide(debts, earnings, out=whole, where=earnings > 0.0)


def default_probability(p: Params, usual: float, years: np.ndarray) -> np.ndarray:
    """Of clouds (c,) whose debts are ``years`` (c,) of earnings, 1/year; ``usual`` at calm debts or less."""
    beyond = np.minimum(p.sensitivity * np.maximum(years - p.calm, 0.0), 700.0)
    return np.minimum(usual * np.exp(beyond), max(p.most_default, usual))


def premium(p: Params, years: np.ndarray) -> np.ndarray:
    """Added to coupons of new deals of operators (o,) whose debts are ``years`` (o,) of earnings, 1/year."""
    return np.minimum(p.slope * np.maximum(years - p.calm_operator, 0.0), p.most_premium) if p.slope > 0.0 else np.zeros(len(years))


def room(p: Params, owed: float, earnings: float) -> float:
    """USD that a guarantor can still borrow when it is seen to owe ``owed`` and earns ``earnings`` USD/year."""
    return max(p.limit * earnings - owed, 0.0) if p.limit > 0.0 else np.inf
