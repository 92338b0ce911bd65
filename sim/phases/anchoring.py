"""Anchor: clouds rent whole deals, let the units to labs at spot, and owe their contracts whatever labs do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.phases.contracting import tenants_of
from sim.phases.funding import fund_cloud
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy

ROUNDING = 1e-12  # of what is owed, so that the sum of many rents is there


def anchored(economy: Economy, region: str) -> bool:
    """Whether a channel of the region has clouds for tenants."""
    return any(channel.anchored > 0.0 for channel in economy.menus[region])


def choose_tenants(economy: Economy, region: str, rows: np.ndarray) -> list[int]:
    """Tenants of new deals: labs, or a cloud while clouds have less of the channel's deals than their share."""
    deals = economy.deals
    tenants = tenants_of(economy, region, deals["sponsor"][rows], deals["issued"][rows], deals["channel"][rows])
    if not anchored(economy, region):
        return tenants
    clouds = [cloud.party for cloud in economy.active("cloud", region)]
    sponsors = economy.deals["sponsor"][rows].tolist()
    number = {operator.party: operator.number for operator in economy.all("operator", region)}
    let = _let(economy, region, len(economy.contracts))
    for i, row in enumerate(rows.tolist()):
        channel, budget = int(economy.deals["channel"][row]), float(economy.deals["budget"][row])
        share = economy.menus[region][channel].anchored
        if let[channel, 0] < share * (let[channel, 1] + budget):
            tenants[i] = clouds[number[sponsors[i]] % len(clouds)]
            let[channel, 0] += budget
        let[channel, 1] += budget
    return tenants


def _let(economy: Economy, region: str, count: int) -> np.ndarray:
    """Cost of the first ``count`` deals by channel (c, 2), USD: of those let to clouds, and of all."""
    deals, found = economy.deals, np.zeros((len(economy.menus[region]), 2))
    live = deals.among(BUILDING, OPERATING)[:count] & (deals["predecessor"][:count] < 0)
    rows = np.flatnonzero(live & (deals["region"][:count] == economy.regions.index(region)))
    let = economy.are("cloud", region, economy.contracts["tenant"][rows])
    for c in range(len(found)):
        own = deals["channel"][rows] == c
        found[c] = total(deals["budget"][rows][own & let]), total(deals["budget"][rows][own])
    return found


def pay_rents(
    economy: Economy,
    region: str,
    tenant: np.ndarray,
    deals: np.ndarray,
    rents: np.ndarray,
    used: np.ndarray,
    own: np.ndarray,
    kept: np.ndarray,
) -> None:
    """Clouds are paid for their own units and for those they rent, and pay their landlords, by bonds if need be.

    Parameters
    ----------
    tenant : (n,) party
    deals : (n,) party of the landlord
    rents, used : (n,) USD of contract rent, and of what the units in use earn at spot
    own, kept : (c,) USD that each cloud's own units earn, and what it needs to run them
    """
    clouds = economy.parties("cloud", region)
    of = economy.are("cloud", region, tenant)
    tenant, deals, rents, used = tenant[of], deals[of], rents[of], used[of]
    earned, owed = (np.array([total(x[tenant == party]) for party in clouds]) for x in (used, rents))
    economy.ledger.pay("spot_rent", economy.outside["exchange", region], clouds, own + earned)
    if not of.any():
        return
    for cloud, need in zip(economy.all("cloud", region), owed + kept, strict=True):
        fund_cloud(economy, region, cloud, (1.0 + ROUNDING) * float(need))
    economy.ledger.pay("contract_rent", tenant, deals, rents)
    economy.note(region, anchor_rent=total(rents))


def honour(economy: Economy, region: str, rows: np.ndarray) -> None:
    """Clouds make good what the sale of units whose value they guaranteed did not bring."""
    deals = economy.deals
    owed = deals["payment"]["guarantee_proceeds"][rows]
    rows, owed = rows[owed > 0.0], owed[owed > 0.0]
    guarantor = economy.contracts["tenant"][rows]
    for cloud in economy.all("cloud", region):
        own = guarantor == cloud.party
        if own.any():
            cloud.call()
        fund_cloud(economy, region, cloud, total(owed[own]))
        economy.ledger.pay("guarantee", cloud.party, deals["party"][rows[own]], owed[own])
    economy.note(region, guarantees=total(owed))
