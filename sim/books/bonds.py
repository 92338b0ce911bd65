"""Bonds: what clouds owe unsecured, one row an issue, repaid in one sum at its end; carried at par."""

from collections.abc import Sequence

import numpy as np

from sim.books.ledger import Ledger
from sim.books.tables import Table
from sim.units import MONTHS


class Bonds(Table):
    """All issues since the start, repaid ones included.

    Parameters
    ----------
    holders : parties that may hold bonds
    """

    def __init__(self, ledger: Ledger, holders: Sequence[int]) -> None:
        self.ledger = ledger
        self.holders = np.array(holders, dtype=np.int64)
        whole: tuple[type, tuple[int, ...]] = (np.int64, ())
        super().__init__(
            {
                **dict.fromkeys(("issuer", "region", "issued", "due"), whole),
                "balance": (np.float64, ()),  # USD
                "coupon": (np.float64, ()),  # 1/year
                "shares": (np.float64, (len(self.holders),)),
            }
        )

    def outstanding(self, issuer: int) -> np.ndarray:
        """Rows of an issuer that are not repaid."""
        return np.flatnonzero((self["issuer"] == issuer) & (self["balance"] > 0.0))

    def owed(self, issuer: int, month: int) -> tuple[np.ndarray, np.ndarray]:
        """Coupons and principal (i,) by holder that fall due in ``month``, USD; nothing on what is issued in it."""
        rows = self.outstanding(issuer)
        rows = rows[self["issued"][rows] < month]
        interest = self["coupon"][rows] * self["balance"][rows] / MONTHS
        principal = np.where(self["due"][rows] <= month, self["balance"][rows], 0.0)
        shares = self["shares"][rows]
        return by_holder(shares, interest), by_holder(shares, principal)

    def issue(self, issuer: int, region: int, months: tuple[int, int], amount: float, coupon: float, shares: np.ndarray) -> None:
        """Holders, who have the cash, pay ``amount`` USD; ``months`` of issue and of repayment."""
        issued, due = months
        self.ledger.pay("bond_issue", self.holders, issuer, amount * shares)
        self.add(1, issuer=issuer, region=region, issued=issued, due=due, balance=amount, coupon=coupon, shares=shares)

    def service(self, issuer: int, month: int, coupons: np.ndarray, principal: np.ndarray) -> None:
        """The issuer, who has the cash, pays what is ``owed`` in ``month``."""
        self.ledger.pay("coupon", issuer, self.holders, coupons)
        self.ledger.pay("bond_repaid", issuer, self.holders, principal)
        if principal.any():
            rows = self.outstanding(issuer)
            self["balance"][rows[self["due"][rows] <= month]] = 0.0

    def write_down(self, issuer: int, share: float) -> np.ndarray:
        """Holders lose ``share`` of what an issuer owes; USD (i,) by holder."""
        rows = self.outstanding(issuer)
        losses = by_holder(self["shares"][rows], share * self["balance"][rows])
        self["balance"][rows] *= 1.0 - share
        self.ledger.forgive("bonds", issuer, self.holders, losses)
        return losses

    def held(self) -> np.ndarray:
        """Balances (i,) by holder, USD."""
        return by_holder(self["shares"], self["balance"])


def by_holder(shares: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """USD by holder (i,) of ``amounts`` (n,) of which they have ``shares`` (n, i)."""
    return np.asarray((amounts[:, None] * shares).sum(axis=0))
