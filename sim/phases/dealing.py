"""Deal: what deals that close now pay, who lends for them, and the rows and first draws of their books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import BUILDING
from sim.books.fleet import BEFORE
from sim.books.lending import borrow
from sim.markets.parts import pledged
from sim.phases import shopping
from sim.phases.anchoring import choose_tenants
from sim.phases.pledging import backings, pledges
from sim.phases.retaining import keep, pay_for_slices
from sim.phases.siting import staged

if TYPE_CHECKING:
    from sim.economy import Economy


def coupons(economy: Economy, region: str, kind: np.ndarray) -> np.ndarray:
    """Senior and mezzanine coupons (n, 2) of deals that follow templates ``kind`` and close now, 1/year."""
    market = economy.tape[region]
    return np.maximum(economy.deals.yields(economy.params.sim.books.deals, kind, market.base_rate, market.spread), 0.0)


def kinds(economy: Economy, region: str) -> np.ndarray:
    """Templates (c,) of a region's channels."""
    return economy.deals.kind(economy.regions.index(region), np.arange(len(economy.menus[region])))


def mandated(economy: Economy, region: str) -> np.ndarray:
    """The agency (channel,) that rates new deals: the one that allows most debt; the first until any has sized them."""
    sizes = economy.sized.get(region)
    return np.zeros(len(economy.menus[region]), dtype=np.int64) if sizes is None else sizes[:, :, 1].argmax(axis=0)


def engaged(economy: Economy, region: str, sponsors: np.ndarray, channel: np.ndarray) -> dict[str, np.ndarray]:
    """Who rates new deals (n,): columns of the deal book."""
    if shopping.competes(economy):
        return shopping.engage(economy, region, sponsors, channel)
    return {"agency": mandated(economy, region)[channel]}


def holders(economy: Economy, region: str, channel: np.ndarray | None, count: int) -> np.ndarray:
    """Holders of new notes (n, k, i), as the last clearing allotted them; banks hold what they lend, none without ``channel``."""
    shares = np.zeros((count, len(economy.allotment[region]), len(economy.deals.investors)))
    shares[:, :, economy.slots(region)] = economy.allotment[region]
    if channel is not None:
        lent = np.array([c.lender == "banks" for c in economy.menus[region]])[channel]
        shares[lent] = economy.deals.investors == economy.outside["banks", region]
    return shares


def deal_rows(
    economy: Economy,
    region: str,
    sponsors: np.ndarray,
    channel: np.ndarray,
    notes: np.ndarray,
    cost: np.ndarray,
    coupon: np.ndarray,
) -> np.ndarray:
    """Open the books of new deals that order hardware for ``cost`` USD (n,), landlords' part included."""
    market, p = economy.tape[region], economy.params
    compute, build = p.sim.markets.compute, p.agents.operators.build
    index, own = economy.regions.index(region), market.own_share * cost
    rows = economy.deals.close(
        region,
        economy.deals.kind(index, channel),
        coupon,
        pledges(economy, region)[channel] * own,
        sponsor=sponsors,
        backing=backings(economy, region)[channel],
        region=index,
        channel=channel,
        **engaged(economy, region, sponsors, channel),
        predecessor=-1,
        issued=economy.clock,
        delivery=economy.clock + build,
        stage=BUILDING,
        commitment=notes,
        budget=own,
        housed=cost,
        waits=staged(economy),
        shares=keep(economy, region, holders(economy, region, channel, len(cost)), sponsors, channel, notes),
    )
    gpus = cost / market.unit_cost
    economy.fleet.deals.add(len(cost), gpus=gpus, vintage=BEFORE + economy.clock)
    economy.fleet.bought += float(gpus.sum())
    tenants = choose_tenants(economy, region, rows)
    economy.contracts.add(len(cost), tenant=tenants, rent=compute.first_rent(market.expected_rent), months=compute.contract_term)
    return rows


def replace(economy: Economy, region: str, old: np.ndarray, notes: np.ndarray, coupon: np.ndarray, **columns: Any) -> np.ndarray:
    """New deals lend ``notes`` (n, 2) USD, which repay ``old`` ones; the units follow once the old notes are gone.

    ``columns`` : kind, channel, agency, backing and shares of the new ones.
    """
    deals = economy.deals
    rows = deals.close(
        region,
        columns.pop("kind"),
        coupon,
        _pool(economy, region, old, columns["backing"]),
        sponsor=deals["sponsor"][old],
        region=deals["region"][old],
        predecessor=old,
        housed=deals["housed"][old],
        issued=economy.clock,
        delivery=-1,
        stage=BUILDING,
        commitment=notes,
        **columns,
    )
    economy.fleet.deals.add(len(old), vintage=economy.fleet.deals["vintage"][old])
    economy.contracts.add(len(old))
    draw(economy, region, rows, notes)
    return rows


def _pool(economy: Economy, region: str, rows: np.ndarray, backing: np.ndarray) -> np.ndarray:
    """Cost (n,) of what of deals' units is their ``backing`` (n,), USD."""
    hardware, own = economy.params.sim.markets.hardware.hardware_share, economy.tape[region].own_share
    return pledged(backing, hardware, own) * economy.fleet.deals["cost"][rows]


def draw(economy: Economy, region: str, rows: np.ndarray, amounts: np.ndarray) -> None:
    """Holders pay ``amounts`` (n, k) USD on their notes; investors borrow what they lack, banks raise it in the world."""
    slots, bank = economy.slots(region), economy.outside["banks", region]
    needs = economy.deals.by_holder(rows, amounts)
    borrow(economy.ledger, bank, economy.deals.investors[slots], needs[slots])
    pay_for_slices(economy, region, rows, amounts)
    lent = needs[economy.deals.investors == bank]
    if lent.any():
        economy.ledger.provide("wholesale_funding", bank, float(lent[0]))
    economy.deals.draw(rows, amounts)
