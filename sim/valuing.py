"""What deals' units earn and are worth now: one place for lenders, agencies and the trustee."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.books.fleet import BEFORE
from sim.markets.compute import vintage_factor
from sim.markets.rules import barred_chips
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
    factor = vintage_factor(economy.tape[region].vintage_discount, lag)
    return np.where(barred(economy, region, vintage), 0.0, factor)


def units(economy: Economy, region: str, rows: np.ndarray) -> Units:
    """Units of a region's deals."""
    fleet = economy.fleet
    vintage = fleet.deals["vintage"][rows]
    factor = rent_factor(economy, region, vintage)
    running = fleet.running_cost[economy.regions.index(region), vintage]
    gpus, rent = fleet.deals["gpus"][rows], economy.tape[region].rent * factor
    due = site_rents(economy, rows)
    housed, leased = economy.deals["housed"][rows], economy.deals["leased"][rows]
    site = (1.0 - economy.params.sim.markets.hardware.hardware_share) * leased
    return Units(
        *(gpus, vintage, factor, rent, running),
        site_rent=np.divide(due, gpus, out=np.zeros_like(due), where=gpus > 0.0),
        own_share=1.0 - np.divide(site, housed, out=np.zeros_like(site), where=housed > 0.0),
    )


def site_rents(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """What deals (n,) owe landlords for the room they use, USD/year."""
    leased = economy.deals["leased"][rows]
    return leased * economy.leases.rates(economy.deals["sponsor"][rows]) if leased.any() else np.zeros(len(rows))


def used_value(economy: Economy, region: str, rows: np.ndarray, stress: float, years: float) -> np.ndarray:
    """What lenders count for the units of ``rows``, USD/GPU: a stressed rent for some years, no more than new capacity costs."""
    market, p = economy.tape[region], economy.params.sim.markets.secondary
    decline, rate = market.depreciation_belief + stress * market.dispersion, market.base_rate + market.spread
    u = units(economy, region, rows)
    cost = u.own_share * market.unit_cost
    return capped_value(p, u.rent, u.running_cost + u.site_rent, decline, rate, years, cost, u.factor)


def market_values(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """What the units of ``rows`` would fetch now, USD."""
    market, p = economy.tape[region], economy.params.sim.markets.secondary
    u = units(economy, region, rows)
    decline, discount = market.depreciation_seen, market.fire_sale
    cost = u.own_share * market.unit_cost
    return u.gpus * sale_value(p, u.rent, u.running_cost + u.site_rent, decline, cost, u.factor, discount)
