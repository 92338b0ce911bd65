"""Clear: a lab that runs dry pays what it has, and what is missing reaches those who are paid through the exchange, at once.

Labs owe rents to deals, wages and banks' loans, and what they use beyond their contracts to the exchange; the exchange owes all of
it to whoever let at spot, and to labs that use less than they have contracted. All claims are paid alike, as far as there is cash.
Off while new owners of failed labs make their bills good (``sim.markets.exposures.rents``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.books import audit
from sim.markets import exposures as market
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


class Bills(NamedTuple):
    """A month's bills of labs (l,), USD."""

    contract: np.ndarray  # rents to deals
    exchange: np.ndarray  # to the exchange; below zero, from it
    other: np.ndarray  # staff and loans
    ahead: np.ndarray  # pledged payments of users, which are their lenders' first
    has: np.ndarray  # cash and users' payments, those pledged taken off

    @property
    def owed(self) -> np.ndarray:
        """What each owes in all, without what is pledged."""
        return self.contract + np.maximum(self.exchange, 0.0) + self.other


class Parts(NamedTuple):
    """What part of their bills labs (l,) and the exchange pay."""

    labs: np.ndarray
    exchange: float


def clears(economy: Economy) -> bool:
    """Whether labs' bills are cleared."""
    return economy.params.sim.markets.exposures.rents == "cleared"


def bills(rents: Any, own: np.ndarray, other: np.ndarray, ahead: np.ndarray, cash: np.ndarray, revenue: np.ndarray) -> Bills:
    """Bills of labs that owe ``own`` (l,) USD net of what the exchange owes them."""
    contract = rents.by_tenant(rents.contracted - rents.prepaid, len(own))
    has = np.maximum(cash + revenue - ahead, 0.0)
    return Bills(contract, own - contract - other - ahead, other, ahead, has)


def clear(due: Bills) -> Parts:
    """Parts that are paid when everybody pays what it can.

    Raises
    ------
    BooksDoNotBalance
        Payments break a rule of settlement.
    """
    labs = len(due.has)
    exchange, rest = labs, labs + 1
    each, takes, gives = np.arange(labs), np.maximum(due.exchange, 0.0), np.maximum(-due.exchange, 0.0)
    left = max(total(takes) - total(gives), 0.0)
    claims = market.Claims(
        payer=np.concatenate([each, each, np.full(labs + 1, exchange)]),
        payee=np.concatenate([np.full(labs, rest), np.full(labs, exchange), each, [rest]]),
        rank=np.zeros(3 * labs + 1, dtype=np.int64),
        amount=np.concatenate([due.contract + due.other, takes, gives, [left]]),
    )
    means = np.append(due.has, [0.0, 0.0])
    cleared = market.clear(claims, means, means)
    scale = max(total(cleared.owed), 1.0)
    found = market.breaches(claims, means, means, cleared)
    audit.check(audit.Gap(f"labs' bills: {rule}", "exchange", amount, scale) for rule, amount in found.items())
    paid = np.bincount(claims.payer, cleared.paid, labs + 2)
    part = np.divide(paid, cleared.owed, out=np.ones(labs + 2), where=cleared.owed > 0.0)
    return Parts(part[:labs], float(part[exchange]))


def falls_short(parts: Parts) -> np.ndarray:
    """Which labs (l,) cannot pay in full."""
    return parts.labs < 1.0 - market.CLOSE


def share_out(economy: Economy, region: str, rents: Any, due: Bills, parts: Parts) -> tuple[Any, np.ndarray]:
    """Rents as they are paid, and what labs (l,) pay net of what they get from the exchange; what is missing goes on record."""
    by_row = np.append(parts.labs, 1.0)[np.minimum(rents.tenant, len(parts.labs))]  # clouds pay in full
    through = parts.exchange
    paid = parts.labs * due.owed - through * np.maximum(-due.exchange, 0.0) + due.ahead
    economy.note(region, bills_unpaid=total((1.0 - parts.labs) * due.owed))
    return replace(
        rents,
        contracted=rents.prepaid + (rents.contracted - rents.prepaid) * by_row,
        spot=rents.spot * through,
        used=rents.used * through,
        clouds=rents.clouds * through,
        cloud_cost=np.minimum(rents.cloud_cost, rents.clouds * through),
        leased=rents.leased * through,
        leased_cost=np.minimum(rents.leased_cost, rents.leased * through),
    ), paid
