"""Seasoned deals: what a deal of the balanced path owes and keeps at each month of its life when its tenants pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import CLASSES, RECORDS
from sim.kernels.waterfall import pay_book
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def season(economy: Economy, region: str, kind: int, notes: np.ndarray, coupon: np.ndarray) -> np.ndarray:
    """States (t,) of a deal of 1 USD of cost in each month since delivery, until its notes are due.

    Parameters
    ----------
    kind : template
    notes, coupon : (2,) USD at delivery and 1/year
    """
    library, one = economy.deals.library, np.array([kind])
    terms = library.scaled(one, np.ones(1), notes[None])
    terms["classes"], terms["coupon"], terms["notional"] = len(CLASSES), coupon, notes
    state, period, payment = (RECORDS.blank(name, 1) for name in ("state", "period", "payment"))
    state["balance"], state["pool"] = notes, 1.0
    state["reserve"] = library.reserve(one, notes[None], coupon[None])
    found = [state.copy()]
    for month, revenue in enumerate(rents(economy, region, int(library.due[kind]))[1:], 1):
        period["revenue"], period["target"] = revenue, notes * library.target[kind, month]
        pay_book(np.zeros(1, dtype=np.int64), terms, state, period, payment)
        found.append(state.copy())
    return np.concatenate(found)


def rents(economy: Economy, region: str, months: int) -> np.ndarray:
    """Net rent (t,) of 1 USD of units in each month since delivery: the first contract, then renewals at a falling spot rent."""
    p, markets = economy.params.sim.markets.compute, economy.params.sim.markets
    age, build = np.arange(months), economy.params.agents.operators.build
    fall = markets.hardware.performance_growth * (1.0 + p.vintage_discount)

    def spot(month: np.ndarray) -> np.ndarray:
        return p.rent_start * np.exp(-fall * (month + build) / MONTHS)

    renewed = age - np.maximum(age - p.contract_term, 0) % p.renewal_term
    let = np.where(age < p.contract_term, p.rent_start, spot(renewed))
    net = p.cover * let + (1.0 - p.cover) * spot(age) - markets.hardware.running(region)
    return np.maximum(net, 0.0) * (1.0 - p.overhead) * np.exp(-p.wear * age / MONTHS) / MONTHS
