"""Venture debt: banks lend labs part of a raise, are repaid month by month, and lose what a failed lab cannot pay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.lending import collect, lend
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def advance(economy: Economy, region: str, lab: Any) -> float:
    """Banks lend part of a lab's raise, as far as they lend at all; USD."""
    owed = -float(economy.ledger.balance(lab.party, "loans"))
    amount = lab.venture_debt(owed, economy.tape[region].ration)
    if amount > 0.0:
        lend(economy.ledger, economy.outside["banks", region], np.array([lab.party]), np.array([amount]))
        economy.note(region, venture_lent=amount)
    return amount


def due(economy: Economy, region: str) -> np.ndarray:
    """Interest and principal (2, l) that labs owe their banks this month, USD."""
    owed = np.maximum(-economy.ledger.balance(economy.parties("lab", region), "loans"), 0.0)
    p, base = economy.params.agents.labs, economy.tape[region].base_rate
    return np.stack([owed * (base + p.venture_spread) / MONTHS, owed * p.venture_repayment])


def repay(economy: Economy, region: str, loans: np.ndarray) -> None:
    """Labs pay what is ``due``."""
    if loans.any():
        collect(economy.ledger, economy.outside["banks", region], economy.parties("lab", region), *loans)


def claim(economy: Economy, region: str, failed: np.ndarray) -> None:
    """Banks take the cash of ``failed`` labs (n,) as far as they are owed, and write off the rest."""
    ledger, bank = economy.ledger, economy.outside["banks", region]
    owed = np.maximum(-ledger.balance(failed, "loans"), 0.0)
    if not owed.any():
        return
    paid = np.minimum(np.maximum(ledger.cash(failed), 0.0), owed)
    collect(ledger, bank, failed, np.zeros(len(failed)), paid)
    ledger.forgive("loans", failed, bank, owed - paid)
    economy.note(region, venture_losses=total(owed - paid))
