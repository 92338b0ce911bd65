"""Class sizes of the deals that could close now, and which agency rates them: the largest debt that reaches its letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim import ratings, structuring
from sim.collateral import select
from sim.kernels.layouts import layout
from sim.kernels.scenarios import Beliefs, Obligors
from sim.phases.collateral import book_of, package_new
from sim.phases.dealing import coupons, kinds
from sim.phases.placing import rules, usage
from sim.phases.pledging import backings, shopped
from sim.phases.shopping import tables
from sim.phases.tenancy import usual_tenant

if TYPE_CHECKING:
    from sim.economy import Economy

QUARTER = 3  # months between reviews


def structure_new(economy: Economy, region: str, beliefs: list[Beliefs], labs: Obligors) -> None:
    """An agency sizes a deal of each channel afresh; sponsors shop, and the channel's mandate goes to the laxest.

    Agencies take turns, one a quarter, and all at the start. Publishes advance rates, mixed by the channels' shares in new deals.
    """
    read = tables(economy, region)
    if region in economy.sized:
        turn = economy.clock // QUARTER % len(beliefs)
        economy.sized[region][turn] = _sizes(economy, region, beliefs[turn], read[turn], labs)
    else:
        economy.sized[region] = np.array([_sizes(economy, region, *of, labs) for of in zip(beliefs, read, strict=True)])
    sizes, parts = shopped(economy, region), usage(economy, region)
    debt = float(parts @ sizes[:, 1])
    two = np.array([economy.deals.library.classes[kind] > 1 for kind in kinds(economy, region)])
    within = float(parts[two] @ sizes[two, 1])  # loans of one class say nothing of how debt is cut
    senior = debt * float(parts[two] @ sizes[two, 0]) / within if within > 0.0 else debt
    economy.publish(region, structured_senior=senior, structured_debt=debt)


def _sizes(economy: Economy, region: str, belief: Beliefs, p: ratings.Params, labs: Obligors) -> np.ndarray:
    """Senior class and all debt (channel, 2) of a deal of 1 USD that reach their letters by one agency's beliefs and tables."""
    deals = economy.deals
    limit = economy.params.agents.agencies.most_advance
    menu, kind, backing = economy.menus[region], kinds(economy, region), backings(economy, region)
    units = package_new(economy, region, tenant=usual_tenant(economy, region))
    notes = deals.library.sizes(kind, 0.75 * limit, limit)
    coupon = coupons(economy, region, kind)
    terms = deals.library.scaled(kind, np.ones(len(kind)), notes)
    terms["classes"], terms["coupon"], terms["notional"] = deals.library.classes[kind], coupon, notes
    state = layout(2).blank("state", len(kind))
    state["balance"], state["pool"] = notes, 1.0
    state["reserve"] = deals.library.reserve(kind, notes, coupon)
    book, found = book_of(units, notes[:, None] * units.target), np.zeros((len(kind), 2))
    offered = [c for c, channel in enumerate(menu) if channel.name in rules(economy, region).open]
    twins = deals.library.names[kind[0]] == deals.library.names[kind[1]] and backing[0] == backing[1] and {0, 1} <= set(offered)
    sized = [c for c in offered if not (c == 1 and twins)]
    for classes in (1, 2):
        rows = np.array([c for c in sized if deals.library.classes[kind[c]] == classes], dtype=np.int64)
        if not len(rows):
            continue
        sought = [(menu[c].senior_letter or p.senior_letter, menu[c].junior_letter or p.junior_letter) for c in rows]
        letters = np.array([[ratings.LETTERS.index(letter) for letter in pair] for pair in sought])[:, 2 - classes :]
        most = np.minimum(limit, [menu[c].most for c in rows])
        own = (p, terms[rows], state[rows], select(book, rows), labs, belief)
        sizes = structuring.structure(*own, letters, most, seed=economy.params.seed, date=economy.clock)
        found[rows, 0], found[rows, 1] = sizes[:, 0], sizes.sum(axis=1)
    if twins:
        found[1] = found[0]
    return found
