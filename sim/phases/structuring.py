"""Class sizes of the deals that could close now, and which agency rates them: the largest debt that reaches its letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim import ratings, structuring
from sim.books.deals import CHANNELS
from sim.collateral import select
from sim.kernels.layouts import layout
from sim.kernels.scenarios import Beliefs, Obligors
from sim.phases.collateral import book_of, package_new
from sim.phases.issuing import coupons
from sim.phases.pledging import shopped

if TYPE_CHECKING:
    from sim.economy import Economy

QUARTER = 3  # months between reviews


def structure_new(economy: Economy, region: str, beliefs: list[Beliefs], labs: Obligors) -> None:
    """An agency sizes a deal of each channel afresh; sponsors shop, and the channel's mandate goes to the laxest.

    Agencies take turns, one a quarter, and all at the start. Publishes advance rates, mixed by the channels' shares in new deals.
    """
    market = economy.tape[region]
    if region in economy.sized:
        turn = economy.clock // QUARTER % len(beliefs)
        economy.sized[region][turn] = _sizes(economy, region, beliefs[turn], labs)
    else:
        economy.sized[region] = np.array([_sizes(economy, region, belief, labs) for belief in beliefs])
    own = shopped(economy, region)
    parts = np.array([market.abs_share, 1.0 - market.abs_share])
    debt = float(parts @ own[:, 1])
    two = np.array([economy.deals.library.classes[kind] > 1 for kind in _kinds(economy, region)])
    within = float(parts[two] @ own[two, 1])  # loans of one class say nothing of how debt is cut
    senior = debt * float(parts[two] @ own[two, 0]) / within if within > 0.0 else debt
    economy.publish(region, structured_senior=senior, structured_debt=debt)


def _kinds(economy: Economy, region: str) -> np.ndarray:
    """Templates of a region's channels."""
    return economy.deals.kind(economy.regions.index(region), np.arange(len(CHANNELS)))


def _sizes(economy: Economy, region: str, belief: Beliefs, labs: Obligors) -> np.ndarray:
    """Senior class and all debt (channel, 2) of a deal of 1 USD that reach their letters under one agency's beliefs."""
    deals, p = economy.deals, economy.params.sim.ratings
    limit = economy.params.agents.agencies.most_advance
    senior, junior = (ratings.LETTERS.index(letter) for letter in (p.senior_letter, p.junior_letter))
    units = package_new(economy, region, tenant=0)
    kind = _kinds(economy, region)
    notes = deals.library.sizes(kind, 0.75 * limit, limit)
    coupon = coupons(economy, region, kind)
    terms = deals.library.scaled(kind, np.ones(len(kind)), notes)
    terms["classes"], terms["coupon"], terms["notional"] = deals.library.classes[kind], coupon, notes
    state = layout(2).blank("state", len(kind))
    state["balance"], state["pool"] = notes, 1.0
    state["reserve"] = deals.library.reserve(kind, notes, coupon)
    book = book_of(units, notes[:, None] * units.target)
    found = np.zeros((len(kind), 2))
    for c in range(len(kind)):
        if c > 0 and deals.library.names[kind[c]] == deals.library.names[kind[0]]:
            found[c] = found[0]
            continue
        one, two = slice(c, c + 1), deals.library.classes[kind[c]] > 1
        own = (p, terms[one], state[one], select(book, np.array([c])), labs, belief)
        sought = [senior, junior] if two else [junior]
        sizes = structuring.structure(*own, sought, limit, seed=economy.params.seed, date=economy.clock)
        found[c] = sizes[0] if two else sizes.sum(), sizes.sum()
    return found
