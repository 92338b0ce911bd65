"""Protection bought and sold: notional and premiums by investor, seller and reference; what each pair owes the other, netted."""

import numpy as np

from sim.books.ledger import Ledger
from sim.units import MONTHS

BOUGHT, SOLD = 0, 1  # by the investor


class Protection:
    """A region's contracts. What is netted is a pair: all that one investor and one seller have agreed.

    Parameters
    ----------
    investors, sellers : parties
    references : number of things that can be protected
    """

    def __init__(self, ledger: Ledger, investors: np.ndarray, sellers: np.ndarray, references: int) -> None:
        self.ledger, self.investors, self.sellers = ledger, investors, sellers
        shape = (2, len(investors), len(sellers), references)
        self.notional = np.zeros(shape)  # USD, bought and sold
        self.premium = np.zeros(shape)  # USD/year agreed for it
        self.value = np.zeros(shape[1:3])  # USD that the pair's contracts are worth to the investor, as the books hold it
        self.unpaid = np.zeros(shape[1:3])  # USD of it that was due this month and not paid
        self.lost = np.zeros(references)  # USD of losses on each reference that have been settled

    @property
    def net(self) -> np.ndarray:
        """Protection (i, d, r) that investors have bought, less what they have sold to the same seller, USD."""
        return np.asarray(self.notional[BOUGHT] - self.notional[SOLD])

    @property
    def net_premium(self) -> np.ndarray:
        """What they pay for it (i, d, r), USD/year."""
        return np.asarray(self.premium[BOUGHT] - self.premium[SOLD])

    def trade(self, amounts: np.ndarray, quote: np.ndarray) -> None:
        """Investors buy (sell, below zero) ``amounts`` (i, d, r) USD of protection at ``quote`` (r,), 1/year; no cash moves."""
        for side, part in ((BOUGHT, np.maximum(amounts, 0.0)), (SOLD, np.maximum(-amounts, 0.0))):
            self.notional[side] += part
            self.premium[side] += part * quote

    def run_off(self, share: np.ndarray) -> None:
        """A ``share`` (r,) of all contracts ends."""
        self.notional *= 1.0 - share
        self.premium *= 1.0 - share

    def due(self) -> np.ndarray:
        """A month's premiums (i, d), netted by pair, USD; below zero, the seller owes them."""
        return np.asarray(self.net_premium.sum(axis=2) / MONTHS)

    def worth(self, quote: np.ndarray, years: float) -> np.ndarray:
        """What contracts of each pair (i, d) are worth to the investor when protection costs ``quote`` (r,) for ``years``, USD."""
        return np.asarray(years * (self.net * quote - self.net_premium).sum(axis=2))

    def pay(self, flow: str, amounts: np.ndarray) -> None:
        """Investors pay sellers ``amounts`` (i, d) USD; below zero, sellers pay."""
        i, d = np.nonzero(amounts > 0.0)
        self.ledger.pay(flow, self.investors[i], self.sellers[d], amounts[i, d])
        i, d = np.nonzero(amounts < 0.0)
        self.ledger.pay(flow, self.sellers[d], self.investors[i], -amounts[i, d])

    def mark(self, quote: np.ndarray, years: float) -> None:
        """Bring the books to what contracts are worth and what is unpaid: one side's gain is the other's loss."""
        worth = self.worth(quote, years) + self.unpaid
        i, d = np.nonzero(worth - self.value)
        self.ledger.accrue("claims", self.sellers[d], self.investors[i], (worth - self.value)[i, d])
        self.value[i, d] = worth[i, d]

    def close_out(self, seller: int) -> float:
        """A seller has failed: pairs settle their net values as far as its cash goes; USD that investors lose.

        Investors, who have the cash, pay what they owe first.
        """
        party, owed = int(self.sellers[seller]), self.value[:, seller].copy()
        self.ledger.pay("protection_closed", self.investors, party, np.maximum(-owed, 0.0))
        claims = np.maximum(owed, 0.0)
        cash, whole = max(float(self.ledger.cash(party)), 0.0), float(claims.sum())
        paid = claims * (min(cash / whole, 1.0) if whole > 0.0 else 0.0)
        self.ledger.pay("protection_closed", party, self.investors, paid)
        self.ledger.forgive("claims", party, self.investors, claims - paid)
        for book in (self.notional, self.premium):
            book[:, :, seller] = 0.0
        self.value[:, seller] = self.unpaid[:, seller] = 0.0
        return float((claims - paid).sum())

    def gaps(self) -> np.ndarray:
        """By how much the accounts of investors and sellers differ from the pairs' values, USD."""
        held = self.ledger.balance(self.investors, "claims") - self.value.sum(axis=1)
        owed = self.ledger.balance(self.sellers, "claims") + self.value.sum(axis=0)
        return np.concatenate([held, owed])
