"""Mandates: what agencies' offers are worth to sponsors, who is chosen among those asked, and what a perfect agency would know."""

import itertools
import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from scipy.special import softmax

from sim.units import Frozen, quantity

Outcome = tuple[tuple[int, ...], tuple[int, ...]]  # agencies asked, and those of them that are chosen, in order


class Truth(Frozen):
    """What an agency believes that knows the economy as it is: its technology, the way of its rents, its sales."""

    rent: float = quantity("1/year", 0.05, 2.0, "a year's rent over cost of the newest unit to which rents return")
    years: float = quantity("year", 0.25, 30.0, "in which they do")
    dispersion: float = quantity("1/year", 0.0, 0.5, "standard deviation of depreciation between paths")
    correlation: float = quantity("share", 0.0, 0.95, "of tenants' asset values")
    fire_sale_slope: float = quantity("1", 0.0, 5.0, "fall of recovery per unit of the market's defaulted share")


class Params(Frozen):
    """The market for letters. Shopping as in Skreta and Veldkamp (2009), catering as in Griffin, Nickerson and Tang (2013)."""

    asked: int = quantity("1", 0, 6, "agencies that a sponsor asks for an offer; 0: the laxest has the mandate, without a fee")
    letters: int = quantity("1", 1, 2, "letters that a deal needs; where there are two, the worse counts")
    eagerness: float = quantity("1", 0.0, 1e4, "log odds of an agency per share of cost that sponsors get more with its letter")
    fee: float = quantity("share", 0.0, 0.05, "of notes, paid for each letter")
    distrust: float = quantity("year/notch", 0.0, 0.1, "added to coupons per notch a year that an agency's letters have lost")
    most_distrust: float = quantity("1/year", 0.0, 0.5, "most that is added")
    years: float = quantity("year", 0.0, 30.0, "of that for which sponsors count it")
    memory: int = quantity("month", 1, 120, "of mandates that count in an agency's share")
    surveillance: int = quantity("month", 0, 120, "between looks at a deal without trouble; 0: all are looked at every quarter")
    knowledge: Literal["own", "perfect"]  # agencies have beliefs of their own, or all know the economy as it is
    top: int = quantity("notch", 0, 19, "below Aaa: letter down to which a class counts as of top grade")
    truth: Truth

    def conflicts(self, params: Any) -> Iterable[str]:
        """Nobody asks more agencies than there are, or needs more letters than it asks for."""
        count = len(params.sim.ratings.agencies)
        if self.asked > count:
            yield f"asked {self.asked} is more than the {count} of sim.ratings.agencies: ask fewer, or add agencies"
        if 0 < self.asked < self.letters:
            yield f"letters {self.letters} is more than asked {self.asked}: ask as many agencies as letters are needed"


def outcomes(p: Params, agencies: int) -> list[Outcome]:
    """All ways in which a sponsor may ask some and choose among them."""
    return [
        (who, order) for who in itertools.combinations(range(agencies), p.asked) for order in itertools.permutations(who, p.letters)
    ]


def probabilities(p: Params, found: list[Outcome], proceeds: np.ndarray) -> np.ndarray:
    """Probability (o, c) of each outcome by channel: whom it asks is chance; the better an offer, the likelier it is chosen.

    One after another by the odds ``exp(eagerness * proceeds)`` among those left (Luce 1959). ``proceeds`` (a, c), shares of cost.
    """
    draws = len({who for who, _ in found})
    chance = np.full((len(found), proceeds.shape[1]), 1.0 / draws)
    for row, (who, order) in zip(chance, found, strict=True):
        left = list(who)
        for agency in order:
            row *= softmax(p.eagerness * proceeds[left], axis=0)[left.index(agency)]
            left.remove(agency)
    return chance


def premium(p: Params, record: np.ndarray) -> np.ndarray:
    """What investors add (a,) to coupons of deals that an agency rates, by the notches a year that its letters lose; 1/year."""
    return np.minimum(p.distrust * np.maximum(record, 0.0), p.most_distrust)


def proceeds(p: Params, debt: np.ndarray, asks: np.ndarray) -> np.ndarray:
    """Debt (a, c) that agencies' letters allow, share of cost, less what investors ask (a,) for them, 1/year."""
    return debt * np.maximum(1.0 - p.years * asks, 0.0)[:, None]


def decline(truth: Truth, growth: float, discount: float, rent: float) -> float:
    """Decline of a vintage's log rent to come, 1/year: technology's, and the return of rents to what they usually are.

    Parameters
    ----------
    growth : 1/year, of the frontier; unit costs, and rents with them, fall as fast
    discount : log fall of a vintage's rent below the newest's per log gain of the frontier
    rent : 1/year, a year's rent over cost of the newest unit now
    """
    return (1.0 + discount) * growth + math.log(max(rent, 1e-9) / truth.rent) / truth.years
