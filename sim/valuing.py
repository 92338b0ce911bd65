"""What deals' units earn and are worth now: one place for lenders, agencies and the trustee."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.books.fleet import BEFORE
from sim.markets.compute import vintage_factor
from sim.markets.parts import CHIPS, EQUIPMENT, SITE, opening
from sim.markets.rules import barred_chips, bars_chips
from sim.markets.secondary import capped_value, sale_value

if TYPE_CHECKING:
    from sim.economy import Economy


class Units(NamedTuple):
    """Deals' units as the market sees them today: (n,) each."""

    gpus: np.ndarray
    vintage: np.ndarray
    factor: np.ndarray  # rent over that of the newest vintage
    rent: np.ndarray  # USD/GPU/year, spot
    running_cost: np.ndarray  # USD/GPU/year
    site_rent: np.ndarray  # USD/GPU/year to landlords, due whether units run or not
    own_share: np.ndarray  # of the units' cost, without what is landlords'


def barred(economy: Economy, region: str, vintage: np.ndarray) -> np.ndarray:
    """Whether a rule keeps vintages (n,) from running."""
    return barred_chips(economy.params.sim.markets.rules, region, economy.month, vintage - BEFORE - economy.burn_in)


def rent_factor(economy: Economy, region: str, vintage: np.ndarray) -> np.ndarray:
    """Rent of vintages (n,) over that of the newest; none for those that a rule bars."""
    lag = economy.fleet.lag(economy.tape.frontier, vintage)
    factor: np.ndarray = vintage_factor(economy.tape[region].vintage_discount, lag)
    if not bars_chips(economy.params.sim.markets.rules, region, economy.month):
        return factor
    return np.where(barred(economy, region, vintage), 0.0, factor)


def units(economy: Economy, region: str, rows: np.ndarray, backing: np.ndarray | None = None) -> Units:
    """Units of a region's deals, or their equipment where that is what backs them; ``backing`` (n,) instead of the deals' own."""
    fleet, hardware = economy.fleet, economy.params.sim.markets.hardware.hardware_share
    vintage, gpus = fleet.deals["vintage"][rows], fleet.deals["gpus"][rows]
    factor = rent_factor(economy, region, vintage)
    running = fleet.running_cost[economy.regions.index(region), vintage]
    backing = economy.deals["backing"][rows] if backing is None else backing
    due = site_rents(economy, rows) + np.where(backing == CHIPS, own_site_rents(economy, rows), 0.0)
    housed, leased = economy.deals["housed"][rows], economy.deals["leased"][rows]
    site = np.where(backing == CHIPS, housed, leased) * (1.0 - hardware)
    return Units(
        *(gpus, vintage, factor, economy.tape[region].rent * factor, running),
        site_rent=np.divide(due, gpus, out=np.zeros_like(due), where=gpus > 0.0),
        own_share=1.0 - np.divide(site, housed, out=np.zeros_like(site), where=housed > 0.0),
    )


def site_rents(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """What deals (n,) owe landlords for the room they use, USD/year."""
    leased = economy.deals["leased"][rows]
    return leased * economy.leases.rates(economy.deals["sponsor"][rows]) if leased.any() else np.zeros(len(rows))


def own_site_costs(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Cost (n,) of the part of the site that is deals' own, USD."""
    site = 1.0 - economy.params.sim.markets.hardware.hardware_share
    return site * (economy.deals["housed"][rows] - economy.deals["leased"][rows])


def own_site_rents(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """What landlords would ask for it, USD/year (n,)."""
    return economy.params.sim.markets.leases.rent * own_site_costs(economy, rows)


def site_values(economy: Economy, rows: np.ndarray, ahead: int | np.ndarray = 0) -> np.ndarray:
    """The same less straight-line depreciation, USD (n,), or (n, t) ``ahead`` (t,) months from now or from delivery."""
    p = economy.params.sim.markets.parts
    delivered = economy.fleet.deals["vintage"][rows] - BEFORE + economy.params.agents.operators.build
    months = np.add.outer(np.maximum(economy.clock - delivered, 0), ahead)
    left = opening(p, months)[..., ~EQUIPMENT] @ p.shares[~EQUIPMENT] / p.shares[~EQUIPMENT].sum()
    return (left.T * own_site_costs(economy, rows)).T


def used_value(
    economy: Economy, region: str, rows: np.ndarray, stress: float, years: float, backing: np.ndarray | None = None
) -> np.ndarray:
    """What lenders count for the units of ``rows``, USD/GPU: a stressed rent for some years, no more than new capacity costs.

    A site counts at its cost less depreciation. ``backing`` (n,) instead of the deals' own.
    """
    backing = economy.deals["backing"][rows] if backing is None else backing
    market, p = economy.tape[region], economy.params.sim.markets.secondary
    decline, rate = market.depreciation_belief + stress * market.dispersion, market.base_rate + market.spread
    u = units(economy, region, rows, backing)
    cost = u.own_share * market.unit_cost
    found = capped_value(p, u.rent, u.running_cost + u.site_rent, decline, rate, years, cost, u.factor)
    site = backing == SITE
    if site.any():
        found = np.where(site, np.divide(site_values(economy, rows), u.gpus, out=np.zeros(len(rows)), where=u.gpus > 0.0), found)
    return found


def used_prices(economy: Economy, region: str, vintage: np.ndarray) -> np.ndarray:
    """What whole units of vintages (n,) would fetch now, USD/GPU."""
    market, p, factor = economy.tape[region], economy.params.sim.markets.secondary, rent_factor(economy, region, vintage)
    running = economy.fleet.running_cost[economy.regions.index(region), vintage]
    decline, cost = market.depreciation_seen, market.unit_cost
    return np.asarray(sale_value(p, market.rent * factor, running, decline, cost, factor, market.fire_sale))


def market_values(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """What would be fetched now by what backs deals ``rows``, USD."""
    site = economy.deals["backing"][rows] == SITE
    found = _chip_values(economy, region, rows, economy.deals["backing"][rows])
    return np.where(site, _sold_sites(economy, region, rows), found) if site.any() else found


def unpledged_values(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """What would be fetched now by the parts of deals' units that back no notes, USD."""
    backing = economy.deals["backing"][rows]
    if not backing.any():
        return np.zeros(len(rows))
    chips = _chip_values(economy, region, rows, np.full(len(rows), CHIPS))
    return np.select([backing == CHIPS, backing == SITE], [_sold_sites(economy, region, rows), chips], 0.0)


def _chip_values(economy: Economy, region: str, rows: np.ndarray, backing: np.ndarray) -> np.ndarray:
    market, p = economy.tape[region], economy.params.sim.markets.secondary
    u = units(economy, region, rows, backing)
    decline, discount, cost = market.depreciation_seen, market.fire_sale, u.own_share * market.unit_cost
    return u.gpus * sale_value(p, u.rent, u.running_cost + u.site_rent, decline, cost, u.factor, discount)


def _sold_sites(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    return site_values(economy, rows) * (1.0 - economy.tape[region].fire_sale)
