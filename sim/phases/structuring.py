"""Class sizes of the deals that could close now, and which agency rates them: the largest debt that reaches its letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim import ratings, structuring
from sim.collateral import select
from sim.kernels.layouts import layout
from sim.kernels.scenarios import Beliefs, Obligors
from sim.phases.collateral import book_of, package_new
from sim.phases.dealing import coupons, kinds
from sim.phases.placing import rules, usage
from sim.phases.pledging import backings, shopped
from sim.phases.shopping import competes, tables
from sim.phases.tenancy import usual_tenant

if TYPE_CHECKING:
    from sim.economy import Economy

QUARTER = 3  # months between reviews


def structure_new(economy: Economy, beliefs: dict[str, list[Beliefs]], labs: dict[str, Obligors]) -> None:
    """In each region an agency sizes a deal of each channel afresh; sponsors shop, and the mandate goes to the laxest.

    Agencies take turns, one a quarter, and all at the start. Publishes advance rates, mixed by the channels' shares in new deals.
    """
    turns = [(region, a) for region, own in beliefs.items() for a in _turn(economy, region, len(own))]
    asked = [_offer(economy, region, beliefs[region][a], labs[region]) for region, a in turns]
    for (region, a), offer, found in zip(turns, asked, _sizes(economy, turns, asked), strict=True):
        shape = (len(beliefs[region]), len(economy.menus[region]), 2)
        economy.sized.setdefault(region, np.zeros(shape))[a] = offer.sizes(found, shape[1])
    for region in beliefs:
        _publish(economy, region)


def _sizes(economy: Economy, turns: list[tuple[str, int]], asked: list[_Offer]) -> list[np.ndarray]:
    """Sizes (n, k) of each agency's deals: of all at once, or, where agencies compete, by each one's own table."""
    usual, named = economy.params.sim.ratings, {"seed": economy.params.seed, "date": economy.clock}
    if competes(economy):
        read = {region: tables(economy, region) for region in economy.regions}
        return [structuring.structure(read[region][a], [o.sought], **named) for (region, a), o in zip(turns, asked, strict=True)]
    sizes = structuring.structure(usual, [offer.sought for offer in asked], **named)
    return np.split(sizes, np.cumsum([len(offer.rows) for offer in asked])[:-1])


def _turn(economy: Economy, region: str, count: int) -> Sequence[int]:
    """Which of so many agencies size deals now."""
    return [economy.clock // QUARTER % count] if region in economy.sized else range(count)


def _publish(economy: Economy, region: str) -> None:
    sizes, parts = shopped(economy, region), usage(economy, region)
    debt = float(parts @ sizes[:, 1])
    two = np.array([economy.deals.library.classes[kind] > 1 for kind in kinds(economy, region)])
    within = float(parts[two] @ sizes[two, 1])  # loans of one class say nothing of how debt is cut
    senior = debt * float(parts[two] @ sizes[two, 0]) / within if within > 0.0 else debt
    economy.publish(region, structured_senior=senior, structured_debt=debt)


class _Offer(NamedTuple):
    """Deals of 1 USD that could close now in a region, one a channel, and what an agency asks of them."""

    rows: np.ndarray  # (n,) channels that are sized
    sought: structuring.Sought
    twins: bool  # the second channel's deals are like the first's

    def sizes(self, found: np.ndarray, channels: int) -> np.ndarray:
        """Senior class and all debt (channel, 2) of sizes (n, k)."""
        sizes = np.zeros((channels, 2))
        sizes[self.rows, 0], sizes[self.rows, 1] = found[:, 0], found.sum(axis=1)
        if self.twins:
            sizes[1] = sizes[0]
        return sizes


def _offer(economy: Economy, region: str, belief: Beliefs, labs: Obligors) -> _Offer:
    """Classes' letters and most debt by channel, and the deals' records and collateral."""
    deals, p = economy.deals, economy.params.sim.ratings
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
    book = book_of(units, notes[:, None] * units.target)
    offered = [c for c, channel in enumerate(menu) if channel.name in rules(economy, region).open]
    twins = deals.library.names[kind[0]] == deals.library.names[kind[1]] and backing[0] == backing[1] and {0, 1} <= set(offered)
    rows = np.array([c for c in offered if not (c == 1 and twins)], dtype=np.int64)
    asked = [(menu[c].senior_letter or p.senior_letter, menu[c].junior_letter or p.junior_letter) for c in rows]
    letters = np.array([[ratings.LETTERS.index(letter) for letter in pair] for pair in asked]).reshape(-1, 2)
    single = terms["classes"][rows] == 1
    letters[single, 0] = letters[single, 1]  # a loan of one class must reach the letter of a last class
    most = np.minimum(limit, [menu[c].most for c in rows])
    return _Offer(rows, structuring.Sought(terms[rows], state[rows], select(book, rows), labs, belief, letters, most), twins)
