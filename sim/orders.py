"""Frozen vocabulary in which agents speak to markets. USD, GPU, 1/year."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FinancingRequest:
    """A sponsor seeks a deal for hardware it is ready to order."""

    sponsor: int  # party
    channel: str  # its name
    amount: float  # USD of hardware and shell
    equity: float  # USD of own money it will put in


@dataclass(frozen=True)
class Offer:
    """What a channel's lenders offer for what is built."""

    channel: str  # its name
    debt: float  # USD of notes per USD of cost
    rate: float  # 1/year, mean coupon
    months: int  # from plan to money
    room: float  # USD of cost that may still join its line


@dataclass(frozen=True)
class CapexOrder:
    """Hardware and shell wanted this month."""

    buyer: int
    amount: float  # USD
    share_securitised: float = 0.0  # of it, through the ABS channel


@dataclass(frozen=True)
class Bid:
    """An investor's schedule: holdings it wants at any spread."""

    investor: int
    capital: float  # USD
    loss_belief: float  # 1/year
    hurdle: float  # 1/year over expected loss
    price_of_risk: float  # risk aversion times variance, 1/year per unit of capital
    leverage: float  # most it may hold per unit of capital
    mezzanine: float  # appetite for the junior class, relative
    limit: float  # most it may hold, share of all notes


@dataclass(frozen=True)
class Book:
    """Bids as columns, in key order: (i,) each."""

    capital: np.ndarray
    loss_belief: np.ndarray
    hurdle: np.ndarray
    price_of_risk: np.ndarray
    leverage: np.ndarray
    mezzanine: np.ndarray
    limit: np.ndarray

    @property
    def schedule(self) -> tuple[np.ndarray, ...]:
        """What says how much each would hold at any spread, as compiled code takes it."""
        return self.capital, self.loss_belief, self.hurdle, self.price_of_risk, self.leverage

    @classmethod
    def of(cls, bids: list[Bid]) -> "Book":
        """Columns of a list of bids."""
        names = ("capital", "loss_belief", "hurdle", "price_of_risk", "leverage", "mezzanine", "limit")
        return cls(*(np.array([getattr(b, n) for b in bids]) for n in names))
