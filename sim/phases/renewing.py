"""Parts past their life: deals replace them ahead of their notes when it pays and cash allows; what is missing runs units down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import OPERATING
from sim.books.fleet import BEFORE
from sim.kernels.rents import rent_value
from sim.markets.parts import EQUIPMENT, SITE, divided, failing, opening, replaced
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import units

if TYPE_CHECKING:
    from sim.economy import Economy


def by_part(economy: Economy) -> bool:
    """Whether units are booked and renewed by part."""
    return economy.params.sim.markets.parts.units == "parts"


def book_parts(economy: Economy, rows: np.ndarray, amounts: np.ndarray, hardware: np.ndarray) -> None:
    """``amounts`` (n,) USD spent on units under construction, of which ``hardware`` (n,) is the vendor's part."""
    if by_part(economy):
        economy.fleet.install_parts(rows, amounts[:, None] * divided(economy.params.sim.markets.parts, hardware))


def open_parts(economy: Economy, rows: np.ndarray, cost: np.ndarray, months: np.ndarray, book: np.ndarray) -> np.ndarray:
    """Book value (n,) at the start of units of ``cost`` (n,), ``months`` (n,) after delivery; ``book`` where they are whole."""
    if not by_part(economy):
        return book
    p, fleet = economy.params.sim.markets, economy.fleet.deals
    fleet["part_cost"][rows] = cost[:, None] * p.parts.shares
    fleet["part_book"][rows] = fleet["part_cost"][rows] * opening(p.parts, months)
    return fleet["part_book"][rows].sum(axis=1)


def renew(economy: Economy) -> None:
    """Pay for parts that are past their life, out of the month's rents, before the notes are."""
    if not by_part(economy):
        return
    deals, fleet = economy.deals, economy.fleet.deals
    for region in economy.regions:
        rows = economy.rows(region, OPERATING)
        rows = rows[fleet["missing"][rows].any(axis=1) & ~deals["state"]["in_default"][rows]]
        rows = rows[_pays(economy, region, rows)]
        new = economy.tape[region].unit_cost * np.multiply.outer(fleet["gpus"][rows], economy.params.sim.markets.parts.shares)
        spent = replaced(fleet["missing"][rows] * new, _cash(economy, region, rows, fleet["missing"][rows] * new))
        left = fleet["missing"][rows] - np.divide(spent, new, out=np.zeros_like(spent), where=new > 0.0)
        fleet["missing"][rows] = np.where(left > 1e-12, left, 0.0)
        economy.fleet.install_parts(rows, spent)
        for name in ("cost", "book"):
            fleet[name][rows] += spent.sum(axis=1)
        deals["collected"][rows] -= spent.sum(axis=1)
        _buy(economy, region, deals["party"][rows], spent)


def _cash(economy: Economy, region: str, rows: np.ndarray, price: np.ndarray) -> np.ndarray:
    """USD (n,) that deals have for it. Where only the site backs the notes, sponsors, who keep what chips earn, pay."""
    deals = economy.deals
    theirs = deals["backing"][rows] == SITE
    for operator in economy.all("operator", region):
        own = theirs & (deals["sponsor"][rows] == operator.party)
        share = operator.cures(total(price[own].ravel()), float(economy.ledger.cash(operator.party)))
        economy.ledger.pay("cure", operator.party, deals["party"][rows[own]], share * price[own].sum(axis=1))
        deals["collected"][rows[own]] += share * price[own].sum(axis=1)
        price = np.where(own[:, None], share * price, price)
    return np.where(theirs, price.sum(axis=1), deals["collected"][rows])


def _buy(economy: Economy, region: str, payers: np.ndarray, spent: np.ndarray) -> None:
    vendor, builders = spent[:, EQUIPMENT].sum(axis=1), spent[:, ~EQUIPMENT].sum(axis=1)
    economy.ledger.pay("hardware", payers, economy.outside["vendor", ""], vendor)
    economy.ledger.pay("shell", payers, economy.outside["suppliers", region], builders)
    whole = total(spent.sum(axis=1))
    economy.note(region, renewals=whole, capex=whole, capex_operators=whole, vendor_revenue=total(vendor))


def run_down(economy: Economy, running: np.ndarray) -> np.ndarray:
    """A month of depreciation by part, USD (deal,), and of failures for want of what was not replaced."""
    if not by_part(economy):
        return np.zeros(len(running))
    p, fleet = economy.params.sim.markets.parts, economy.fleet
    fleet.fail(np.where(running, failing(p, fleet.deals["missing"]), 0.0))
    return fleet.depreciate_parts(p.lives, running, replaceable=np.arange(len(p.lives)) > 0)


def sell_sites(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Builders buy the sites of units that retire; sponsors keep what they pay, USD (n,)."""
    if not by_part(economy):
        return np.zeros(len(rows))
    deals, price = economy.deals, np.zeros(len(rows))
    for i, region in enumerate(economy.regions):
        own = deals["region"][rows] == i
        price[own] = _sell_to_builders(economy, region, rows[own])
        economy.ledger.pay("residual", deals["party"][rows[own]], deals["sponsor"][rows[own]], price[own])
    return price


def outlived(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Deals (n,) that only a site backs whose units are at their end: the site must be sold to repay them."""
    aged = economy.clock + BEFORE - economy.fleet.deals["vintage"][rows] >= economy.params.sim.markets.compute.service_life
    return aged & (economy.deals["backing"][rows] == SITE)


def redeem(economy: Economy, region: str, rows: np.ndarray, owed: np.ndarray) -> None:
    """Repay deals that their units have left with what builders pay for the site; sponsors make up what lacks or keep the rest.

    A deal whose sponsor cannot waits, and defaults at its end.
    """
    deals, fleet, ledger = economy.deals, economy.fleet, economy.ledger
    gap = np.maximum(owed - _site_prices(economy, rows), 0.0)
    for operator in economy.all("operator", region):
        own = np.flatnonzero(deals["sponsor"][rows] == operator.party)
        if not len(own) or total(gap[own]) > operator.params.payoff * float(ledger.cash(operator.party)):
            continue
        ledger.pay("cure", operator.party, deals["party"][rows[own]], gap[own])
        price = _sell_to_builders(economy, region, rows[own])
        ledger.pay("residual", deals["party"][rows[own]], operator.party, np.maximum(price - owed[own], 0.0))
        fleet.strip(rows[own], ~EQUIPMENT, price)
        deals.repay(rows[own], owed[own])
        economy.note(region, support=total(gap[own]))


def _site_prices(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """What builders pay for the sites of retired units, USD (n,)."""
    return economy.params.sim.markets.parts.salvage * economy.fleet.deals["part_book"][rows][:, ~EQUIPMENT].sum(axis=1)


def _sell_to_builders(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    price, builders = _site_prices(economy, rows), economy.outside["suppliers", region]
    economy.ledger.provide("income", builders, total(price))
    economy.ledger.pay("used_site", builders, economy.deals["party"][rows], price)
    economy.note(region, sites_sold=total(price))
    return price


def _pays(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """Whether replacing what is missing (n,) costs less than the rents that would be lost with failing units."""
    market, p, fleet = economy.tape[region], economy.params.sim.markets, economy.fleet.deals
    unit, rate = units(economy, region, rows), market.base_rate + market.spread
    years = np.maximum(p.compute.service_life - (economy.clock + BEFORE - fleet["vintage"][rows]), 0) / MONTHS
    kept, lost = (
        rent_value(unit.rent, unit.running_cost, market.depreciation_seen, r, years) for r in (rate, rate + p.parts.rundown)
    )
    return kept - lost > (fleet["missing"][rows] * p.parts.shares).sum(axis=1) * market.unit_cost
