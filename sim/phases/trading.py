"""Trade: notes change hands for cash, and both sides book the discount at which they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.lending import borrow
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


def hand_over(economy: Economy, region: str, face: np.ndarray, paid: np.ndarray) -> None:
    """Notes of ``face`` USD (seller, buyer), whose shares have moved, are paid for; buyers borrow what they lack."""
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
    economy.note(region, traded=total(paid.ravel()))
