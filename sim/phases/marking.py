"""Marks on what investors hold, and notes that change hands at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.lending import borrow
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


def unrelated(economy: Economy, region: str) -> np.ndarray:
    """What investors (i,) have lent to others than the economy's own debtors, USD."""
    held = np.zeros(len(economy.slots(region)))
    held[economy.funds[region].places] = economy.funds[region].unrelated
    return held


def book_marks(economy: Economy, region: str) -> None:
    """Bring the marks in investors' accounts to the prices."""
    deals, slots = economy.deals, economy.slots(region)
    rows = economy.rows(region)
    worth = deals.by_holder(rows, deals["state"]["balance"][rows] * (deals["price"][rows] - 1.0))[slots]
    worth += unrelated(economy, region) * (economy.funds[region].prices[1] - 1.0)
    people = deals.investors[slots]
    economy.ledger.post(people, "marks", "profit", worth - economy.ledger.balance(people, "marks"))


def sell_slices(economy: Economy, region: str, rows: np.ndarray, sold: np.ndarray, buyers: np.ndarray) -> np.ndarray:
    """Part ``sold`` of what investors hold of deals goes to ``buyers``, at the marks; USD paid (seller, buyer).

    Parameters
    ----------
    rows : (n,) deals
    sold : (i,) by investor, or (n, k, i) note by note
    buyers : (i,) shares in which they buy
    """
    deals, slots = economy.deals, economy.slots(region)
    shares = deals["shares"][rows][:, :, slots]
    slices = shares * sold
    face = slices * deals["state"]["balance"][rows][:, :, None]
    paid = face * deals["price"][rows][:, :, None]
    deals["shares"][np.ix_(rows, np.arange(shares.shape[1]), slots)] = shares - slices + slices.sum(axis=2, keepdims=True) * buyers
    sides = [np.outer([total(own) for own in usd.reshape(-1, len(slots)).T], buyers) for usd in (face, paid)]
    hand_over(economy, region, *sides)
    return sides[1]


def hand_over(economy: Economy, region: str, face: np.ndarray, paid: np.ndarray) -> None:
    """Buyers pay sellers ``paid`` (seller, buyer) USD for notes of ``face``, at the marks; shares have moved already."""
    slots = economy.slots(region)
    people = economy.deals.investors[slots]
    owned = economy.ledger.balance(people, "notes")
    sold_share = np.divide([total(row) for row in face], owned, out=np.zeros_like(owned), where=owned > 0.0)
    seller, buyer = np.nonzero(paid)
    borrow(economy.ledger, economy.outside["banks", region], people, paid.sum(axis=0))
    economy.ledger.pay("note_sale", people[buyer], people[seller], paid[seller, buyer])
    discount = face - paid
    economy.ledger.post(people, "notes", "marks", discount.sum(axis=0) - np.array([total(row) for row in discount]))
    economy.basis[slots] = economy.basis[slots] * (1.0 - sold_share) - discount.sum(axis=0)
    economy.funds[region].realise(sold_share[economy.funds[region].places])
    economy.note(region, traded=total(paid.ravel()))
