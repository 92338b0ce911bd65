"""Funds whose savers may ask their money back: what they show and owe, and the unrelated loans that they hold beside notes."""

import numpy as np

from sim.books.ledger import WORLD, Ledger
from sim.sums import total


class Funds:
    """A region's funds, one row (f,) each. Unrelated loans are claims on outside borrowers; others who hold them are the world.

    Parameters
    ----------
    places : (f,) where each stands among the region's investors
    parties : (f,)
    borrowers : party that owes the unrelated loans; -1 where there are no funds
    """

    def __init__(self, ledger: Ledger, places: np.ndarray, parties: np.ndarray, borrowers: int) -> None:
        self.ledger, self.places, self.parties, self.borrowers = ledger, places, parties, borrowers
        count = len(parties)
        self.queue = np.zeros(count)  # USD asked back and not yet paid
        self.seen = np.zeros(count)  # USD of unrealised gains (losses, below zero) in the value shown
        self.shown = np.zeros(count)  # USD, value shown after the last payment
        self.moved = np.zeros(count)  # USD that savers have put in since, without what they took out
        self.trailing = np.zeros(count)  # 1/year, return over the base rate on the value shown
        self.broken = np.zeros(count, dtype=bool)  # shows the market's value since the promise broke
        self.drawn = np.zeros(count)  # USD of the banks' line
        self.start = np.zeros(count)  # USD shown at the start of the gate's period
        self.paid = np.zeros(count)  # USD paid in that period
        self.unrelated = np.zeros(count)  # USD lent to outside borrowers
        self.missing = np.zeros(count)  # USD of them sold under pressure and not made good by savers
        self.elsewhere = 0.0  # USD of such loans that others have bought
        self.fall = [0.0, 0.0]  # log fall of prices by sales under pressure: of notes, of unrelated loans

    def __len__(self) -> int:
        return len(self.parties)

    @property
    def prices(self) -> tuple[float, float]:
        """Parts of the prices of notes and of unrelated loans that sales under pressure have left."""
        return float(np.exp(-self.fall[0])), float(np.exp(-self.fall[1]))

    def lend(self, amounts: np.ndarray) -> None:
        """New unrelated loans (f,), USD."""
        self.ledger.pay("unrelated_loan", self.parties, self.borrowers, amounts)
        self.ledger.pay("consumption", self.borrowers, WORLD, total(amounts))
        self.unrelated += amounts

    def collect(self, interest: np.ndarray) -> None:
        """Borrowers pay ``interest`` (f,) USD out of their income."""
        self.ledger.provide("income", self.borrowers, total(interest))
        self.ledger.pay("unrelated_interest", self.borrowers, self.parties, interest)

    def repay(self, amounts: np.ndarray) -> None:
        """Borrowers repay ``amounts`` (f,) USD."""
        self.ledger.provide("income", self.borrowers, total(amounts))
        self.ledger.pay("unrelated_repaid", self.borrowers, self.parties, amounts)
        self.unrelated -= amounts

    def sell(self, share: np.ndarray) -> np.ndarray:
        """Others buy a ``share`` (f,) of the unrelated loans at their price, and hold them at par; USD paid (f,)."""
        face = share * self.unrelated
        paid = face * self.prices[1]
        self.ledger.pay("unrelated_sale", WORLD, self.parties, paid)
        self.ledger.post(self.parties, "marks", "claims", face - paid)
        self.ledger.post(WORLD, "claims", "profit", total(face) - total(paid))
        self.unrelated -= face
        self.missing += face
        self.elsewhere += total(face)
        return paid

    def realise(self, share: np.ndarray) -> None:
        """A ``share`` (f,) of all notes has been sold: of what they had gained, nothing is left to show."""
        self.seen *= 1.0 - share

    def forget(self, party: int) -> None:
        """A fund has failed and has new owners: nobody waits for money, and it shows what it is worth."""
        failed = self.parties == party
        for column in (self.queue, self.seen, self.moved, self.trailing):
            column[failed] = 0.0
        self.shown[failed] = self.ledger.net_worth(self.parties[failed])

    def gaps(self) -> np.ndarray:
        """By how much what outside borrowers owe differs from what is held, USD."""
        if not len(self):
            return np.zeros(0)
        owed = -float(self.ledger.balance(self.borrowers, "claims"))
        return np.array([owed - total(self.unrelated) - self.elsewhere])
