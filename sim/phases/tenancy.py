"""Tenancy: what agencies and lenders make of the labs that rent deals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.markets import tenants
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def default_probabilities(economy: Economy, region: str) -> np.ndarray:
    """Of a region's labs (l,) as agencies see them, 1/year."""
    p, usual = economy.params.sim.markets.tenants, economy.params.sim.ratings.tenant_default
    labs = economy.all("lab", region)
    if p.credit == "alike":
        return np.full(len(labs), usual)
    burn = np.array([lab.burn - MONTHS * lab.offered for lab in labs])  # what raises do not pay for
    return tenants.default_probability(p, usual, burn, economy.ledger.cash(economy.parties("lab", region)))


def usual_tenant(economy: Economy, region: str) -> int:
    """Place among the labs of the one on which new deals are sized: the first where all are alike, else the largest tenant."""
    p, labs = economy.params.sim.markets.tenants, economy.parties("lab", region)
    if p.credit == "alike":
        return 0
    rows = economy.rows(region, BUILDING, OPERATING)
    rent = economy.fleet.deals["gpus"][rows] * economy.contracts["rent"][rows]
    return int(np.argmax([total(rent[economy.contracts["tenant"][rows] == party]) for party in labs]))


def premium(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """Added to coupons of deals (n,) for their tenants' credit, 1/year; nothing where a cloud is the tenant."""
    p, added = economy.params.sim.markets.tenants, np.zeros(len(rows))
    if p.credit == "alike":
        return added
    chance, usual = default_probabilities(economy, region), economy.params.sim.ratings.tenant_default
    let = np.isin(economy.contracts["tenant"][rows], economy.parties("lab", region))
    place = economy.places("lab", region, economy.contracts["tenant"][rows[let]])
    added[let] = tenants.premium(p, usual, chance[place])
    return added
