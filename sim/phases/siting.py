"""Sites: builders begin shells ahead of orders, the grid connects them one by one, orders take them in turn or wait.

Clouds come before operators within a month: builders prefer the better credit. What waits gets its chips, of a newer generation
and for the same money, once its site has power. Off while ``construction.shell`` is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING
from sim.books.fleet import BEFORE
from sim.books.sites import install_late
from sim.markets import construction, tokens
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def staged(economy: Economy) -> bool:
    """Whether orders wait for sites."""
    return economy.params.sim.markets.construction.shell > 0


def break_ground(economy: Economy, region: str, orders: float) -> None:
    """Sites begun before the start, as many as serve ``orders`` (USD/year) that have grown on the path and will."""
    p, sites, i = economy.params.sim.markets.construction, economy.sites, economy.regions.index(region)
    growth, sites.pace[i] = _growth(economy, region), orders / MONTHS
    sites.ready[i] = p.spare * sites.pace[i]
    for age in range(p.shell + 5 * round(MONTHS / p.grid), 0, -1):
        size = sites.pace[i] * np.exp(-growth * age / MONTHS) * construction.lead(p, growth)
        sites.begin(i, -age, float(size * construction.standing(p, np.array(age))), p.sites)


def site(economy: Economy) -> None:
    """A month of building sites: power comes, orders take what is ready, others slip by a month, builders begin more."""
    for region in economy.regions:
        _free_clouds(economy, region)
        _connect(economy, region)
        waiting = _allot(economy, region)
        _slip(economy, region)
        _begin(economy, region, waiting)


def deliver_clouds(economy: Economy) -> None:
    """Clouds install what is due, and how late it is goes on record."""
    cloud, usd, late = install_late(economy.fleet, economy.sites, economy.clock, economy.params.agents.operators.build)
    for i, region in enumerate(economy.regions):
        here = economy.fleet.cloud_region[cloud] == i
        economy.note(region, delivered=total(usd[here]), lateness=total(usd[here] * late[here]))


def deliver_deals(economy: Economy, region: str, rows: np.ndarray) -> None:
    """How late deals' units are goes on record."""
    deals, build = economy.deals, economy.params.agents.operators.build
    usd, late = deals["housed"][rows], deals["delivery"][rows] - deals["issued"][rows] - build
    economy.note(region, delivered=total(usd), lateness=total(usd * late))


def free_sites(economy: Economy, rows: np.ndarray) -> None:
    """Deals' units that retire leave their sites to others."""
    if not staged(economy):
        return
    units = economy.fleet.deals
    for i, region in enumerate(economy.regions):
        own = rows[economy.deals["region"][rows] == i]
        _free(economy, region, units["gpus"][own], units["vintage"][own])


def _free(economy: Economy, region: str, gpus: np.ndarray, vintage: np.ndarray) -> None:
    """Sites of retired units: what their orders, failed units included, took."""
    p, i = economy.params, economy.regions.index(region)
    cost = p.sim.markets.hardware.cost(region) * np.exp(-economy.fleet.frontier[vintage])
    months = p.sim.markets.compute.service_life - p.agents.operators.build
    alive = (1.0 - p.sim.markets.compute.wear / MONTHS) ** months
    left = total(gpus * cost) / alive
    economy.sites.ready[i] += left
    economy.note(region, sites_freed=left)


def _free_clouds(economy: Economy, region: str) -> None:
    """Clouds' oldest units, which retire at the end of this month."""
    fleet, i = economy.fleet, economy.regions.index(region)
    old = np.arange(BEFORE + economy.clock - economy.params.sim.markets.compute.service_life + 1)
    _free(economy, region, fleet.gpus[fleet.cloud_region == i][:, old].sum(axis=0), old)


def _growth(economy: Economy, region: str) -> float:
    """Growth of demand in money, 1/year."""
    p = economy.params.sim.markets.tokens
    return tokens.nominal_growth(p, economy.tape[region].demand_growth, economy.tape.frontier_trend)


def _connect(economy: Economy, region: str) -> None:
    p, sites, i = economy.params.sim.markets.construction, economy.sites, economy.regions.index(region)
    rows = sites.unpowered(i)
    shells = rows[economy.clock - sites["begun"][rows] >= p.shell]
    draws = economy.streams.uniform("grid", economy.clock, sites["key"][shells], i)
    sites.connect(i, shells[draws < construction.connected(p)])


def _allot(economy: Economy, region: str) -> float:
    """Powered sites go to orders in turn; USD of orders that still wait."""
    sites, deals, i = economy.sites, economy.deals, economy.regions.index(region)
    rows = economy.rows(region, BUILDING)
    rows = rows[deals["waits"][rows]]
    cloud, v = np.nonzero(sites.waits & (economy.fleet.cloud_region == i)[:, None])
    size = np.concatenate([economy.fleet.order_value[cloud, v], deals["housed"][rows]])
    month = np.concatenate([v - BEFORE, deals["issued"][rows]])
    turn = np.argsort(month, kind="stable")  # clouds stand before deals of the same month
    gets = np.zeros(len(size), dtype=bool)
    gets[turn] = construction.served(size[turn], float(sites.ready[i]))
    sites.ready[i] -= total(size[gets])
    sites.waits[cloud, v] = ~gets[: len(cloud)]
    deals["waits"][rows] = ~gets[len(cloud) :]
    return total(size[~gets])


def _slip(economy: Economy, region: str) -> None:
    """Orders whose chips are due to be made, but have no site, come a month later, the chips a month newer, for the same money."""
    p, sites, deals, fleet = economy.params.sim.markets.construction, economy.sites, economy.deals, economy.fleet
    clouds = sites.waits & (fleet.cloud_region == economy.regions.index(region))[:, None]
    sites.delivery[clouds & (sites.delivery <= economy.clock + p.chips)] += 1
    rows = economy.rows(region, BUILDING)
    rows = rows[deals["waits"][rows] & (deals["delivery"][rows] <= economy.clock + p.chips)]
    gpus, vintage = fleet.deals["gpus"], fleet.deals["vintage"]
    gain = np.exp(fleet.frontier[vintage[rows] + 1] - fleet.frontier[vintage[rows]])
    fleet.bought += total(gpus[rows] * (gain - 1.0))
    gpus[rows] *= gain
    vintage[rows] += 1
    economy.contracts["rent"][rows] /= gain
    deals["delivery"][rows] += 1


def _begin(economy: Economy, region: str, waiting: float) -> None:
    """Builders follow the orders of the last months, less what retired units left, and what is short."""
    p, sites, i = economy.params.sim.markets.construction, economy.sites, economy.regions.index(region)
    fleet, deals = economy.fleet, economy.deals
    rows = economy.rows(region, BUILDING)
    fresh = total(deals["housed"][rows] * (deals["issued"][rows] == economy.clock))
    fresh += total(fleet.order_value[fleet.cloud_region == i, BEFORE + economy.clock - 1])
    sites.pace[i] += (fresh - economy.facts[region].get("sites_freed", 0.0) - sites.pace[i]) / MONTHS
    size = construction.begun(p, float(sites.pace[i]), _growth(economy, region), waiting, float(sites.ready[i]))
    sites.begin(i, economy.clock, size, p.sites)
    economy.note(region, sites_begun=size, orders_waiting=waiting)
