"""What backs deals: whole units, their equipment alone, or their site alone. The rest of a unit is its sponsor's, free of debt.

Equipment pays its site the rent that landlords would ask. The site is paid first: where it backs a deal, this rent is all that the
deal collects and the sponsor keeps what chips earn beyond; where equipment backs it, the sponsor keeps the site's rent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.markets.parts import CHIPS, SITE, WHOLE, pledged
from sim.phases import shopping
from sim.sums import mean
from sim.units import MONTHS
from sim.valuing import own_site_rents

if TYPE_CHECKING:
    from sim.economy import Economy


def backings(economy: Economy, region: str) -> np.ndarray:
    """What backs the deals of each channel (c,), places in BACKINGS."""
    parts, menu = economy.params.sim.markets.parts, economy.menus[region]
    return economy.once(("backing", region), lambda: [parts.backing(region, channel) for channel in menu], np.int64)


def apart(backing: np.ndarray) -> bool:
    """Whether parts of units back deals of their own."""
    return bool(((backing == CHIPS) | (backing == SITE)).any())


def pledges(economy: Economy, region: str) -> np.ndarray:
    """Share (c,) of what operators pay for units that backs the deals of each channel."""
    hardware, own = economy.params.sim.markets.hardware.hardware_share, economy.tape[region].own_share
    return pledged(backings(economy, region), hardware, own)


def shopped(economy: Economy, region: str) -> np.ndarray:
    """Senior class and all debt (channel, 2) of a deal of 1 USD that reach their letters, after sponsors have shopped.

    Shopping is easier where more is sold as securities: the laxest agency's sizes then weigh more.
    """
    if shopping.competes(economy):
        return shopping.expected(economy, region)
    p, sizes = economy.params.agents.agencies, economy.sized[region]  # (agency, channel, senior and all)
    lean = economy.tape[region].abs_share - economy.params.sim.markets.primary.neutral_abs_share
    lax = min(max(p.leniency + p.shopping * lean, 0.0), 1.0)
    usual = np.array([[mean(sizes[:, c, i].tolist()) for i in range(2)] for c in range(sizes.shape[1])])
    return np.asarray(lax * sizes.max(axis=0) + (1.0 - lax) * usual)


def advances(economy: Economy, region: str, senior: float, debt: float) -> np.ndarray:
    """What lenders advance (channel, 2), to the first class and to all, of what backs the deals of each channel.

    ``senior`` and ``debt`` are the market's. Where channels are not backed alike, each gets them in proportion to its own sizes,
    unless it is closed and has none.
    """
    menu, market = economy.menus[region], economy.tape[region]
    both = np.tile([senior, debt], (len(menu), 1))
    if not apart(backings(economy, region)) or region not in economy.sized or market.structured_debt <= 0.0:
        return both
    sized = np.isin([channel.name for channel in menu], getattr(economy.params.sim.books.channels, region).open)
    own = shopped(economy, region)[sized]
    both[sized, 1] = np.minimum(debt * own[:, 1] / market.structured_debt, economy.params.agents.agencies.most_advance)
    both[sized, 0] = both[sized, 1] * np.divide(own[:, 0], own[:, 1], out=np.ones(len(own)), where=own[:, 1] > 0.0)
    return both


def set_aside(economy: Economy, rows: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """What sponsors keep of the ``cash`` (n,) that their deals' units have earned in a month, USD (n,)."""
    backing = economy.deals["backing"][rows]
    if not backing.any():
        return np.zeros(len(rows))
    cash = np.maximum(cash, 0.0)
    site = np.minimum(cash, own_site_rents(economy, rows) / MONTHS)
    kept = np.select([backing == CHIPS, backing == SITE, backing == WHOLE], [site, cash - site, 0.0])
    economy.ledger.pay("unpledged", economy.deals["party"][rows], economy.deals["sponsor"][rows], kept)
    return kept
