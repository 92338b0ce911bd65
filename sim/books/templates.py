"""Templates: the payment terms of one kind of deal, free of scale, and how its notes are meant to run off.

Months count from delivery, 0 is delivery itself. A template pays one class, all senior, or two, senior and mezzanine.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sim.kernels.clauses import FIXED, MONTHS_OF_INTEREST
from sim.units import MONTHS


class Template(NamedTuple):
    """One kind of deal."""

    name: str
    classes: int  # that its notes are sold in
    terms: np.ndarray  # (1,) record; fees as shares of the pool, a fixed reserve as a share of the notes
    funded: float  # share of the reserve's target that is there at delivery
    due: int  # month in which what is left is refinanced
    target: np.ndarray  # (t, 2) share of each class that the schedule leaves; none after the legal final
    left: np.ndarray  # (t, 2) the same with all refinanced when due
    follows: float = 1.0  # share of the market's spread in its coupons
    premium: float = 0.0  # 1/year, over that


def by_rank(left: np.ndarray, senior: float) -> np.ndarray:
    """Share left (t, 2) of each class when ``left`` (t,) of all notes is, paid senior first; ``senior`` share of notes."""
    junior = np.minimum(left, 1.0 - senior)
    parts = np.stack([left - junior, junior], axis=1)
    sizes = np.array([senior, 1.0 - senior])
    return np.divide(parts, sizes, out=np.repeat(left[:, None], 2, axis=1), where=sizes > 0.0)


def amortise_straight(template: Template, months: int, senior: float) -> Template:
    """A deal with the tests and accounts of ``template``, at the market's price, repaid in equal parts over ``months``."""
    terms = template.terms.copy()
    terms["ard"], terms["legal_final"], terms["guarantee_strike"] = -1, months, 0.0
    total = np.maximum(1.0 - np.arange(len(template.target)) / months, 0.0)
    left = by_rank(total, senior if template.classes > 1 else 1.0)
    return template._replace(terms=terms, due=months, target=left, left=left, follows=1.0, premium=0.0)


def roll_over(template: Template, months: int) -> Template:
    """The deal that refinances one of ``template`` that only buildings back: interest alone until it is refinanced in its turn."""
    terms = template.terms.copy()
    terms["ard"], terms["legal_final"], terms["guarantee_strike"] = -1, months, 0.0
    left = np.repeat((np.arange(len(template.target)) < months).astype(float)[:, None], 2, axis=1)
    return template._replace(terms=terms, due=months, target=left, left=left, follows=1.0, premium=0.0)


class Library:
    """Templates by number: that of a region's channel, then those of the deals that refinance them.

    Parameters
    ----------
    first : number of the template of each region's first channel
    """

    def __init__(self, templates: Sequence[Template], first: Sequence[int] = (0,)) -> None:
        self.first = np.array(first)
        self.names = [template.name for template in templates]
        self.classes = np.array([template.classes for template in templates])
        self.funded = np.array([template.funded for template in templates])
        self.due = np.array([template.due for template in templates])
        self.follows = np.array([template.follows for template in templates])
        self.premium = np.array([template.premium for template in templates])
        self.terms = np.concatenate([template.terms for template in templates])
        self.target, self.left = (np.stack([getattr(template, name) for template in templates]) for name in ("target", "left"))
        self.life = average_life(self.left)

    def at(self, name: str, kind: np.ndarray, month: np.ndarray) -> np.ndarray:
        """``target``, ``left`` or ``life`` of templates ``kind`` in ``month``; the last one holds on."""
        values = getattr(self, name)
        last = values.shape[1] - 1
        rows = kind * np.int64(last + 1) + np.minimum(np.maximum(month, 0), last)
        return values.reshape(-1, values.shape[2]).take(rows, axis=0)

    def sizes(self, kind: np.ndarray, senior: Any, debt: Any) -> np.ndarray:
        """Notes by class (n, 2), of cost, where lenders advance ``senior`` to the first and ``debt`` to both, one or (n,)."""
        two, notes = self.classes[kind] > 1, np.empty((len(kind), 2))
        notes[:, 0] = np.where(two, senior, debt)
        notes[:, 1] = np.where(two, np.subtract(debt, senior), 0.0)
        return notes

    def reserve(self, kind: np.ndarray, notes: np.ndarray, coupon: np.ndarray) -> np.ndarray:
        """Reserve at delivery (n,) USD of deals that owe ``notes`` (n, 2) USD at ``coupon`` (n, 2) 1/year."""
        terms, owed = self.terms[kind], notes.sum(axis=1)
        interest = (coupon * notes).sum(axis=1) / MONTHS
        base = np.where(terms["reserve_target_kind"] == MONTHS_OF_INTEREST, interest, owed)
        return self.funded[kind] * terms["reserve_target"] * base

    def scaled(self, kind: np.ndarray, pool: np.ndarray, notes: np.ndarray) -> np.ndarray:
        """Terms (n,) of deals with ``pool`` (n,) and ``notes`` (n, 2) USD."""
        terms = self.terms[kind]
        for name in ("fee_fixed", "fee_cap", "guarantee_strike"):
            terms[name] *= pool
        fixed = terms["reserve_target_kind"] == FIXED
        terms["reserve_target"] *= np.where(fixed, notes.sum(axis=1), 1.0)
        terms["pool_at_closing"] = pool
        return terms


def average_life(left: np.ndarray) -> np.ndarray:
    """Years (m, t, k) for which what is ``left`` (m, t, k) in a month stays, on average; at least one month."""
    ahead = np.cumsum(left[:, ::-1], axis=1)[:, ::-1]
    return np.maximum(np.divide(ahead, left, out=np.ones_like(left), where=left > 0.0), 1.0) / MONTHS
