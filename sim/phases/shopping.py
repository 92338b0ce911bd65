"""Shop: sponsors ask agencies what their deals would be allowed, and choose among the offers.

An offer is what an agency last found for a deal of the channel, read with its looseness; sponsors count what it brings them, less
what investors ask for the agency's letters. Deals are as large as offers that are chosen allow on average.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim import ratings
from sim.markets import mandates
from sim.streams import entity

if TYPE_CHECKING:
    from sim.economy import Economy


def competes(economy: Economy) -> bool:
    """Whether agencies compete for mandates."""
    return economy.params.sim.markets.mandates.asked > 0


def raters(economy: Economy, region: str) -> list[Any]:
    """Agencies that rate a region's deals, in the order of their beliefs."""
    return economy.active("agency", region)


def tables(economy: Economy, region: str) -> list[ratings.Params]:
    """Methods of each agency: the usual, read with its looseness."""
    return [ratings.loosened(economy.params.sim.ratings, agency.looseness) for agency in raters(economy, region)]


def premiums(economy: Economy, region: str) -> np.ndarray:
    """What investors ask (a,) for each agency's letters, 1/year."""
    lost = np.array([agency.lost for agency in raters(economy, region)])
    return mandates.premium(economy.params.sim.markets.mandates, lost)


def chances(economy: Economy, region: str) -> tuple[list[mandates.Outcome], np.ndarray]:
    """Whom sponsors may ask and choose, and the probability (o, c) of each by channel; all alike before any has sized deals."""
    p, count = economy.params.sim.markets.mandates, len(raters(economy, region))
    sizes = economy.sized.get(region, np.zeros((count, len(economy.menus[region]), 2)))
    found = mandates.outcomes(p, count)
    return found, mandates.probabilities(p, found, mandates.proceeds(p, sizes[:, :, 1], premiums(economy, region)))


def expected(economy: Economy, region: str) -> np.ndarray:
    """Senior class and all debt (channel, 2) that letters allow, on average over whom sponsors choose."""
    found, chance = chances(economy, region)
    least = np.array([economy.sized[region][list(order)].min(axis=0) for _, order in found])
    return np.asarray((chance[:, :, None] * least).sum(axis=0))


def engage(economy: Economy, region: str, sponsors: np.ndarray, channel: np.ndarray) -> dict[str, np.ndarray]:
    """Agencies of new deals (n,) of ``sponsors`` (n,) through ``channel`` (n,): columns of the deal book."""
    found, chance = chances(economy, region)
    agency, second, asked = (np.zeros(len(sponsors), dtype=np.int64) for _ in range(3))
    keys = np.array([entity(economy.ledger.name(party)) for party in sponsors.tolist()], dtype=np.uint64)
    for c in np.unique(channel).tolist():
        own = np.flatnonzero(channel == c)
        drawn = economy.streams.uniform("mandate", economy.clock, keys[own], index=c)
        at = np.searchsorted(np.cumsum(chance[:, c])[:-1], drawn, side="right")
        for row, (who, order) in zip(own.tolist(), [found[place] for place in at.tolist()], strict=True):
            agency[row], second[row] = order[0], order[1] + 1 if len(order) > 1 else 0
            asked[row] = sum(1 << a for a in who)
    return {"agency": agency, "second": second, "asked": asked}
