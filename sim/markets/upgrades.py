"""Leases of units with a right to swap them for new ones: what lessors ask for it, and what the same costs an owner."""

import math

import numpy as np

from sim.kernels.rents import rental
from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """Terms of leases of units, the same in both regions."""

    share: float = quantity("share", 0.0, 1.0, "of operators' plans that they lease when it costs less, once recording has begun")
    term: int = quantity("month", 6, 120, "of a lease, from delivery")
    notice: int = quantity("month", 0, 240, "of it before a unit may be swapped")
    gain: float = quantity("1", 0.0, 10.0, "log gain of the frontier since a unit's order that gives the right to swap it")
    fee: float = quantity("share", 0.0, 1.0, "of a unit's cost that a lessee pays for a swap")
    priced: float = quantity("share", 0.0, 1.0, "of what the right costs lessors, as they see it, that rents hold; 0: it is free")
    returns_priced: float = quantity("share", 0.0, 1.0, "of what lessors expect to come back unpaid for, that rents hold; 0: none")


def years_held(p: Params, growth: float) -> float:
    """Years after which a lessee swaps when the frontier gains ``growth`` a year; the term, when it is over before."""
    wait = max(p.notice / MONTHS, p.gain / growth) if growth > 0.0 else math.inf
    return min(max(wait, 1.0 / MONTHS), p.term / MONTHS)


def asked(p: Params, rate: float, decline: float, growth: float, kept: float, returned: float = 0.0) -> float:
    """Yearly rent per USD of cost that lessors ask: that of the whole term, and what an early swap costs them beyond it.

    Parameters
    ----------
    returned : units expected back unpaid for, 1/year
    """
    hazard = p.returns_priced * returned
    whole, held = rental(rate, decline, p.term / MONTHS, kept=kept, hazard=hazard), years_held(p, growth)
    early = rental(rate, decline, held, extra=p.fee, kept=kept, hazard=hazard) if held < p.term / MONTHS else whole
    return max(whole + p.priced * max(early - whole, 0.0), 0.0)


def swappable(p: Params, since: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """Whether units (n,) delivered ``since`` months ago, on which the frontier has ``gained`` (log), may be swapped."""
    return (since >= p.notice) & (gained >= p.gain)
