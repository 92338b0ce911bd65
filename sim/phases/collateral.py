"""Collateral as a rating needs it: what deals' units earn and fetch month by month at constant technology, and who pays.

A list is what comes before a path of the market bends it: units wear, contracts end, rents and values stay at today's. On a path
market rents, values and appraisals are multiplied by its rent index, which has run for ``delay`` months at delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.books.deals import BUILDING
from sim.collateral import make_book
from sim.kernels.rating import Book
from sim.markets.parts import CHIPS, EQUIPMENT, RECEIVABLES, SITE, opening
from sim.markets.secondary import capped_value
from sim.phases.anchoring import anchored
from sim.phases.contracting import owed, usual_prepayment, worth
from sim.phases.dealing import kinds
from sim.phases.pledging import backings
from sim.phases.receiving import lay_out, lay_out_new
from sim.phases.supporting import let
from sim.units import MONTHS
from sim.valuing import Units, own_site_rents, site_values, units

if TYPE_CHECKING:
    from sim.economy import Economy

LASTING = 1 << 20  # months: beyond the end of any deal
AGEING = 1.0  # chips bear the whole of the market's obsolescence


class Collateral(NamedTuple):
    """``n`` deals over ``t`` months; the first entry of a list is the next pay date, or the first after delivery."""

    periods: np.ndarray  # (n,) int64, months to the legal final and the sale that may follow it
    contract: np.ndarray  # (n, t) USD/month, rent after management if every unit were let on today's contract
    market: np.ndarray  # (n, t) USD/month, if every unit were let at spot
    cost: np.ndarray  # (n, t) USD/month, running cost less management's part of it
    value: np.ndarray  # (n, t) USD, of a sale without a fire-sale discount
    appraisal: np.ndarray  # (n, t) USD, as the trustee's LTV test counts it
    target: np.ndarray  # (n, t, k) USD, scheduled balance by class
    tenant: np.ndarray  # (n, i) int64, place among the region's labs and clouds
    share: np.ndarray  # (n, i) of the units under contract; the rest is let at spot
    contract_end: np.ndarray  # (n, i) int64, last month of the contract
    vacancy: np.ndarray  # (n,) int64, months without rent after a contract
    ageing: np.ndarray  # (n,) share of the market's obsolescence suffered
    delay: np.ndarray  # (n,) int64, months to delivery
    guarantor: np.ndarray  # (n,) int64, place of the one who guarantees a value at a sale among the tenants; -1 none


def package(economy: Economy, region: str, rows: np.ndarray) -> Collateral:
    """Collateral of live deals ``rows`` (n,) of one region."""
    deals, contracts = economy.deals, economy.contracts
    building, state, terms = deals["stage"][rows] == BUILDING, deals["state"], deals["terms"]
    age = state["age"][rows]
    periods = np.maximum(terms["legal_final"][rows] - age, 0) + terms["liquidation_lag"][rows] + 1
    ahead = np.arange(1, periods.max(initial=1) + 1)
    old = deals["predecessor"][rows]
    source = np.where(building & (old >= 0), old, rows)  # units of a deal that is refinanced are still with its predecessor
    notes = np.where(building[:, None], state["balance"][rows] + deals["undrawn"][rows], deals["scheduled"][rows])
    left = deals.library.at("target", deals["kind"][rows][:, None], age[:, None] + ahead)
    tenant = economy.tenant_places(region, contracts["tenant"][source])
    seen = units(economy, region, source, deals["backing"][rows])
    lists = _lists(economy, region, seen, _cash_rent(economy, source), len(ahead))
    site = deals["backing"][rows] == SITE
    if site.any():
        own = source[site]
        _let_sites(lists, site, own_site_rents(economy, own) / MONTHS, site_values(economy, own, ahead))
    lettings = _lettings(economy, np.ones((len(rows), 1)), contracts["months"][source], site)
    _let_pledges(lettings, lay_out(economy, region, rows, lists, len(ahead)), deals["backing"][rows])
    return Collateral(
        periods=periods,
        **lists,
        target=notes[:, None] * left,
        tenant=tenant.reshape(-1, 1),
        **lettings,
        guarantor=np.where(terms["guarantee_strike"][rows] > 0.0, tenant, -1),
        delay=np.where(building, np.maximum(deals["delivery"][rows] - economy.clock, 0), 0),
    )


def package_new(economy: Economy, region: str, tenant: int) -> Collateral:
    """Collateral of the deals that could close now, one a channel, of 1 USD of cost; ``target`` per USD of each class.

    ``tenant`` is the place of the anchor customer among the region's labs; clouds rent what a channel lets to them. Rents are those
    expected at delivery.
    """
    market, deals, menu = economy.tape[region], economy.deals, economy.menus[region]
    count, kind = len(menu), kinds(economy, region)
    terms = deals.library.terms[kind]
    periods = terms["legal_final"] + terms["liquidation_lag"] + 1
    ahead = np.arange(1, periods.max() + 1)
    one, labs = np.ones(count), len(economy.all("lab", region))
    clouds = np.array([channel.anchored for channel in menu])
    part = np.stack([1.0 - clouds, clouds], axis=1) if anchored(economy, region) else np.ones((count, 1))
    prepaid = usual_prepayment(economy, region) / (1.0 - economy.params.sim.markets.compute.overhead)
    backing, hardware = backings(economy, region), economy.params.sim.markets.hardware.hardware_share
    own = np.where(backing == CHIPS, hardware, market.own_share)
    rent = economy.params.sim.markets.leases.rent * np.where(backing == CHIPS, market.own_share - hardware, 0.0)
    due = (rent + market.site_rent) * market.unit_cost
    running = one * market.running_cost
    new = Units(one / (own * market.unit_cost), np.zeros(count, np.int64), one, one * market.expected_rent, running, due, own)
    first = economy.params.sim.markets.compute.first_rent(new.rent)
    term = economy.params.sim.markets.compute.contract_term - np.array([channel.seasoning for channel in menu])
    lists = _lists(economy, region, new, first * max(1.0 - prepaid, 0.0), len(ahead))
    site = backing == SITE
    if site.any():
        parts = economy.params.sim.markets.parts
        left = opening(parts, ahead)[:, ~EQUIPMENT] @ parts.shares[~EQUIPMENT] / parts.shares[~EQUIPMENT].sum()
        _let_sites(lists, site, one[site] * economy.params.sim.markets.leases.rent / MONTHS, np.outer(one[site], left))
    lettings = _lettings(economy, part, np.maximum(term, 0), site)
    _let_pledges(lettings, lay_out_new(economy, region, lists, len(ahead)), backing)
    return Collateral(
        periods=periods,
        **lists,
        target=deals.library.at("target", kind[:, None], ahead[None]),
        tenant=np.repeat(np.array([[tenant, labs]])[:, : part.shape[1]], count, axis=0),
        **lettings,
        guarantor=np.where(terms["guarantee_strike"] > 0.0, labs, -1),
        delay=np.zeros(count, np.int64),
    )


def _cash_rent(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Contract rent (n,) of deals less what was prepaid, of which management takes its part too; USD/GPU/year."""
    value = worth(economy, rows) * (1.0 - economy.params.sim.markets.compute.overhead)
    earned = np.divide(owed(economy, rows), value, out=np.zeros(len(rows)), where=value > 0.0)
    return economy.contracts["rent"][rows] * np.maximum(1.0 - earned, 0.0)


def as_delivered(economy: Economy, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Terms and state (n,) of live deals, copied; those under construction as they will be, fully drawn, at delivery."""
    deals = economy.deals
    terms, state = deals["terms"][rows], deals["state"][rows]
    building = deals["stage"][rows] == BUILDING
    state["balance"] += np.where(building[:, None], deals["undrawn"][rows], 0.0)
    reserve = deals.library.reserve(deals["kind"][rows], state["balance"], terms["coupon"])
    fresh = building & (deals["predecessor"][rows] < 0)  # a refinancing fills its reserve out of rent
    state["reserve"] = np.where(fresh, reserve, state["reserve"])
    terms["notional"] = np.where(building[:, None], state["balance"], terms["notional"])
    return terms, state


def book_of(units: Collateral, target: np.ndarray) -> Book:
    """The rating engine's book of deals with these units; ``target`` (n, t, k) USD."""
    lists = {name: getattr(units, name) for name in ("contract", "market", "cost", "value", "appraisal")}
    lettings = {name: getattr(units, name) for name in ("vacancy", "ageing", "delay", "guarantor")}
    return make_book(units.periods, target, units.tenant, units.share, units.contract_end, **lettings, **lists)


def _lists(economy: Economy, region: str, u: Units, contract: np.ndarray, months: int) -> dict[str, np.ndarray]:
    """Rents, costs and values (n, t), USD."""
    p, market = economy.params.sim.markets, economy.tape[region]
    alive = u.gpus[:, None] * (1.0 - p.compute.wear / MONTHS) ** np.arange(1, months + 1)
    kept = (1.0 - p.compute.overhead) / MONTHS
    service = p.compute.service_life / MONTHS
    rate = market.base_rate + market.spread

    def worth(decline: float, discount: float, years: float) -> np.ndarray:
        running, cost = u.running_cost + u.site_rent, u.own_share * market.unit_cost
        unit = capped_value(p.secondary, u.rent, running, decline, discount, years, cost, u.factor)
        return alive * unit[:, None]

    return {
        "contract": alive * (kept * contract)[:, None],
        "market": alive * (kept * let(economy, region) * u.rent)[:, None],
        "cost": alive * (kept * u.running_cost)[:, None] + (u.gpus * u.site_rent / MONTHS)[:, None],
        "value": worth(market.depreciation_seen, p.secondary.sale_rate, p.secondary.sale_years),
        "appraisal": worth(market.depreciation_belief, rate, service),
    }


def _let_sites(lists: dict[str, np.ndarray], site: np.ndarray, rent: np.ndarray, value: np.ndarray) -> None:
    """Where a ``site`` (n,) is what backs a deal it earns ``rent`` (s,) USD/month, net, and is worth ``value`` (s, t) USD."""
    for name, found in {
        "contract": rent[:, None],
        "market": rent[:, None],
        "cost": 0.0,
        "value": value,
        "appraisal": value,
    }.items():
        lists[name][site] = found


def _let_pledges(lettings: dict[str, np.ndarray], own: np.ndarray, backing: np.ndarray) -> None:
    """Where a lab's pledge is what backs a deal (n,) the lab alone pays, for as long as it lives; receivables do not age."""
    lettings["share"][own] = np.eye(1, lettings["share"].shape[1])
    lettings["contract_end"][own] = LASTING
    lettings["ageing"] = np.where(own & (backing == RECEIVABLES), 0.0, lettings["ageing"])


def _lettings(economy: Economy, part: np.ndarray, months: np.ndarray, site: np.ndarray) -> dict[str, np.ndarray]:
    """Contracts of each tenant's ``part`` (n, i) that have ``months`` (n,) to run: renewed at spot without a gap.

    A ``site`` (n,) stands empty and ages less.
    """
    parts, cover = economy.params.sim.markets.parts, economy.params.sim.markets.compute.cover
    return {
        "share": cover * part,
        "contract_end": np.repeat(np.asarray(months, dtype=np.int64).reshape(-1, 1), part.shape[1], axis=1),
        "vacancy": np.where(site, parts.vacancy, 0),
        "ageing": np.where(site, parts.site_ageing, AGEING),
    }
