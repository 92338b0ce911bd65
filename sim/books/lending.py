"""Banks' loans to investors, and what lies behind the banks."""

import numpy as np

from sim.books.ledger import WORLD, Ledger
from sim.sums import total


def borrow(ledger: Ledger, bank: int, investors: np.ndarray, needs: np.ndarray) -> None:
    """Investors (i,) who lack cash for ``needs`` (i,) USD borrow it."""
    short = np.maximum(needs - ledger.cash(investors), 0.0)
    if not short.any():
        return
    lend(ledger, bank, investors, short)


def repay(ledger: Ledger, bank: int, investors: np.ndarray) -> None:
    """Investors use idle cash to repay loans; the bank returns what it does not need."""
    owed = -ledger.balance(investors, "loans")
    ledger.pay("loan_repaid", investors, bank, np.maximum(np.minimum(ledger.cash(investors), owed), 0.0))
    spare = min(ledger.cash(bank), -ledger.balance(bank, "funding"))
    ledger.pay("funding_repaid", bank, WORLD, max(spare, 0.0))


def lend(ledger: Ledger, bank: int, borrowers: np.ndarray, amounts: np.ndarray) -> None:
    """A bank lends borrowers (i,) ``amounts`` (i,) USD, which it raises in the world's money market."""
    ledger.provide("wholesale_funding", bank, total(amounts))
    ledger.pay("loan", bank, borrowers, amounts)


def collect(ledger: Ledger, bank: int, borrowers: np.ndarray, interest: np.ndarray, principal: np.ndarray) -> None:
    """Borrowers (i,) pay interest and principal (i,), USD; the bank passes the principal on."""
    ledger.pay("loan_interest", borrowers, bank, interest)
    ledger.pay("loan_repaid", borrowers, bank, principal)
    repaid = min(total(principal), -float(ledger.balance(bank, "funding")))
    ledger.pay("funding_repaid", bank, WORLD, max(repaid, 0.0))
