"""Insurers' capital by letter: what rules charge for a note, and what must be sold once notes are downgraded."""

from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from sim.markets.secondary import impact
from sim.sums import total
from sim.units import Frozen, quantities, quantity

LETTERS = 20  # of sim.ratings, Aaa first


class Params(Frozen):
    """Rating-based capital. Insurers' capital over the charges of all they hold is their ratio."""

    floor: float = quantity("1", 0.0, 20.0, "ratio under which downgrades make an insurer sell; 0: letters charge nothing")
    target: float = quantity("1", 0.0, 20.0, "ratio up to which it then sells, and below which it buys nothing")
    kinds: tuple[Literal["insurers_banks", "wealth_products", "insurers"], ...] = Field(
        min_length=1, description="investors to whom the rules apply"
    )
    factors: tuple[float, ...] = quantities("share", "of a note, capital that rules ask, one a letter")
    price_impact: float = quantity("1", 0.0, 20.0, "fall of prices per share of the region's notes that is sold at once")
    price_cap: float = quantity("share", 0.0, 0.9, "largest fall")

    @field_validator("factors")
    @classmethod
    def _one_a_letter(cls, factors: tuple[float, ...]) -> tuple[float, ...]:
        if len(factors) != LETTERS or (np.diff(factors) < 0.0).any() or not 0.0 < factors[0] <= factors[-1] <= 1.0:
            raise ValueError(f"factors must be {LETTERS}, above 0 and at most 1, and must not fall from letter to letter")
        return factors

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.target < self.floor:
            raise ValueError(f"target {self.target:g} must not lie below floor {self.floor:g}")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """Somebody must be left who may buy what insurers must sell."""
        for region in params.regions if self.floor > 0.0 else ():
            styles = getattr(params.agents.investors, region).kinds
            if all(style.name in self.kinds for style in styles if style.count > 0):
                yield f"kinds names all investors of {region}: nobody could buy what they must sell. Leave at least one out."


def charges(p: Params, letters: np.ndarray) -> np.ndarray:
    """Capital that rules ask per USD of notes, by the place of their letters; one without a letter counts as the worst."""
    return np.array(p.factors)[np.where(letters < 0, LETTERS - 1, letters)]


def shares_sold(need: float, relief: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """Share (m,) of each note that an insurer sells: the highest charges first, until it has the relief it needs.

    Parameters
    ----------
    need : USD by which its capital falls short of what the target ratio asks
    relief : (m,) USD of that which the sale of a note makes good, its loss taken off; below zero, it is kept
    charge : (m,)
    """
    order = np.argsort(-charge, kind="stable")
    gain = np.maximum(relief[order], 0.0)
    before = np.concatenate([[0.0], np.cumsum(gain)[:-1]])
    taken, sold = np.clip(need - before, 0.0, gain), np.empty_like(gain)
    sold[order] = np.divide(taken, gain, out=np.zeros_like(gain), where=gain > 0.0)
    return sold


def forced_sale(
    p: Params, need: np.ndarray, face: np.ndarray, exposure: np.ndarray, charge: np.ndarray, loss: Any, market: float
) -> tuple[np.ndarray, float]:
    """What insurers sell together, shares (i, m) of each note, and by how much that lowers prices.

    The more is sold the lower the price, and the lower the price the more must be sold. Prices fall to where the ratios are back,
    or to where a sale would cost more capital than it frees.

    Parameters
    ----------
    need : (i,) USD, 0 for those who need not sell
    face, exposure : (i, m) USD of notes held, without and with what is not yet drawn
    charge : (m,)
    loss : USD lost (i, m) per USD of face at a fall of prices: ``loss(fall)``
    market : USD of all notes outstanding
    """

    who = np.flatnonzero(need > 0.0)
    if not len(who):
        return np.zeros(face.shape), 0.0

    def sold(fall: float) -> np.ndarray:
        relief, found = p.target * charge * exposure[who] - loss(fall)[who] * face[who], np.zeros(face.shape)
        found[who] = [shares_sold(*columns, charge) for columns in zip(need[who], relief, strict=True)]
        return found

    def caused(shares: np.ndarray, cap: float = p.price_cap) -> float:
        return impact(0.0, p.price_impact, cap, total((shares * face).ravel()) / max(market, 1.0))

    low, high = 0.0, p.price_cap
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if caused(sold(middle)) > middle else (low, middle)
    found = sold(low)
    if low < caused(found) * (1.0 - 1e-9):  # at a lower price they would rather keep it: part is sold
        found *= low / caused(found, np.inf)
    return found, caused(found)
