"""Who owes whom, and what everybody would get if all of it were settled today.

Claims are paid in the order of their rank, pro rata within it, as far as what their debtor has and gets reaches. Eisenberg and Noe
(2001), "Systemic Risk in Financial Systems", by their fictitious default algorithm; ranks as in Elsinger (2009), what default costs
as in Rogers and Veraart (2013). Of all vectors of payments that settle, the greatest is found.
"""

import warnings
from typing import Literal, NamedTuple

import numpy as np
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import MatrixRankWarning, spsolve

from sim.sums import total
from sim.units import Frozen, quantity

CLOSE = 1e-12  # relative: rounding, not a default


class Params(Frozen):
    """What of the network goes on record, and whether labs' bills are settled in it."""

    rents: Literal["made_good", "cleared"]  # a failed lab's bill of the month: its new owners pay it, or it pays what it has
    interval: int = quantity(
        "month", 0, 1200, "between records of all claims, beside months with failures; 0: none, nothing is cleared"
    )


class Claims(NamedTuple):
    """Who owes whom how much: columns (e,) of equal length."""

    payer: np.ndarray  # place of the debtor
    payee: np.ndarray
    rank: np.ndarray  # 0 is paid first
    amount: np.ndarray  # USD


class Cleared(NamedTuple):
    """What is paid."""

    paid: np.ndarray  # (e,) USD of each claim
    owed: np.ndarray  # (n,) USD that each party owes
    first: np.ndarray  # (n,) USD it would fall short of if all its debtors paid in full
    rounds: int  # in which one default brought on the next

    @property
    def short(self) -> float:
        """USD not paid in all."""
        return total(self.owed) - total(self.paid)

    @property
    def beyond(self) -> float:
        """USD of that which falls due to others' defaults."""
        return max(self.short - total(self.first), 0.0)


class Network:
    """Claims between ``size`` parties, by payer and rank."""

    def __init__(self, claims: Claims, size: int) -> None:
        self.claims, self.size = claims, size
        self.ranks = int(claims.rank.max()) + 1 if len(claims.rank) else 1
        place = claims.payer * self.ranks + claims.rank
        by_rank = np.bincount(place, claims.amount, size * self.ranks).reshape(size, self.ranks)
        self.ahead = np.cumsum(by_rank, axis=1) - by_rank
        self.by_rank, self.owed = by_rank, by_rank.sum(axis=1)
        whole = by_rank[claims.payer, claims.rank]
        self.part = np.divide(claims.amount, whole, out=np.zeros_like(claims.amount), where=whole > 0.0)  # of its rank

    def split(self, paid: np.ndarray) -> np.ndarray:
        """USD (e,) of each claim when debtors pay ``paid`` (n,)."""
        ranks = np.clip(paid[:, None] - self.ahead, 0.0, self.by_rank)
        return np.asarray(self.part * ranks[self.claims.payer, self.claims.rank])

    def received(self, paid: np.ndarray) -> np.ndarray:
        """USD (n,) that everybody gets."""
        return np.bincount(self.claims.payee, self.split(paid), self.size)

    def slopes(self, paid: np.ndarray) -> csc_array:
        """What creditors (row) get of the last USD that debtors (column) pay."""
        marginal = np.minimum((paid[:, None] > self.ahead + self.by_rank * (1.0 - CLOSE)).sum(axis=1), self.ranks - 1)
        hit = self.claims.rank == marginal[self.claims.payer]
        payer, payee = self.claims.payer[hit], self.claims.payee[hit]
        return csc_array((self.part[hit], (payee, payer)), shape=(self.size, self.size))


def clear(claims: Claims, going: np.ndarray, sale: np.ndarray) -> Cleared:
    """Payments when all claims are due.

    Parameters
    ----------
    claims : between n parties
    going : (n,) USD that each has beside its claims on others, as long as it pays in full
    sale : (n,) what that fetches once it does not, no more than ``going``
    """
    network = Network(claims, len(going))
    owed, paid = network.owed, network.owed.copy()
    first = np.maximum(owed - going - network.received(owed), 0.0) * (owed > 0.0)
    failed, rounds = np.zeros(len(going), dtype=bool), 0
    while True:
        fresh = ~failed & (going + network.received(paid) < owed * (1.0 - CLOSE))
        if not fresh.any():
            return Cleared(network.split(paid), owed, first, rounds)
        failed, rounds = failed | fresh, rounds + 1
        paid = _settle(network, failed, paid, sale)


def _settle(network: Network, failed: np.ndarray, paid: np.ndarray, sale: np.ndarray) -> np.ndarray:
    """Greatest payments (n,) below ``paid`` when those ``failed`` pay all they have: steps down, and the exact end of them."""
    while True:
        step = _affordable(network, failed, paid, sale)
        if np.array_equal(step, paid):
            return paid
        exact = _solve(network, failed, step, sale)
        if exact is not None and _fits(exact, _affordable(network, failed, exact, sale)):
            return exact
        paid = step


def _affordable(network: Network, failed: np.ndarray, paid: np.ndarray, sale: np.ndarray) -> np.ndarray:
    return np.where(failed, np.minimum(network.owed, sale + network.received(paid)), network.owed)


def _fits(paid: np.ndarray, affordable: np.ndarray) -> bool:
    """Whether payments are what everybody can afford, no cent in 1e12 more or less."""
    return bool((np.abs(paid - affordable) <= CLOSE * np.maximum(np.abs(affordable), 1.0)).all() and (paid >= 0.0).all())


def _solve(network: Network, failed: np.ndarray, paid: np.ndarray, sale: np.ndarray) -> np.ndarray | None:
    """Payments at which all is settled if every debtor stays in the rank in which it stands; None where there are none."""
    at = np.flatnonzero(failed & (sale + network.received(paid) < network.owed))
    if not len(at):
        return paid
    slopes = network.slopes(paid)[at][:, at]
    gap = (_affordable(network, failed, paid, sale) - paid)[at]
    found = paid.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatrixRankWarning)  # a ring from which nothing leaks: only steps lead down
        found[at] += np.atleast_1d(spsolve(csc_array(eye_array(len(at)) - slopes), gap))
    return found if np.isfinite(found).all() else None


def breaches(claims: Claims, going: np.ndarray, sale: np.ndarray, cleared: Cleared) -> dict[str, float]:
    """By how much payments break a rule of settlement at worst, USD: none when they settle."""
    network = Network(claims, len(going))
    paid = np.bincount(claims.payer, cleared.paid, len(going))
    got = np.bincount(claims.payee, cleared.paid, len(going))
    short = paid < network.owed * (1.0 - CLOSE)
    has = np.where(short, sale, going) + got
    ranks = np.bincount(claims.payer * network.ranks + claims.rank, cleared.paid, len(going) * network.ranks)
    ranks = ranks.reshape(network.by_rank.shape)
    ahead_unpaid = np.cumsum(network.by_rank - ranks, axis=1) - (network.by_rank - ranks)
    return {
        "nobody pays more than it owes": _worst(cleared.paid - claims.amount),
        "nobody pays more than it has": _worst(paid - has),
        "who owes pays all it has, or all it owes": _worst(np.where(short, has - paid, 0.0)),
        "no claim is paid before those ahead of it": _worst(np.minimum(ahead_unpaid, ranks)),
        "claims of a rank are paid alike": _worst(np.abs(cleared.paid - network.part * ranks[claims.payer, claims.rank])),
    }


def _worst(gaps: np.ndarray) -> float:
    return max(float(np.max(gaps, initial=0.0)), 0.0)
