"""Insure: insurers hold capital by letter; downgrades that take them under their floor make them sell, and move prices for all.

An insurer's ratio is its capital, by the accounts that rules ask for (notes at what it paid), over the charges of its notes and
commitments. Off while ``sim.markets.insurers.floor`` is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.markets import insurers as market
from sim.orders import Bid
from sim.phases.marking import sell_slices
from sim.ratings import LETTERS
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


class Holdings(NamedTuple):
    """What a region's investors hold (i), note by note (m): deals' classes, deal after deal."""

    rows: np.ndarray  # (d,) deals
    face: np.ndarray  # (i, m) USD drawn
    exposure: np.ndarray  # (i, m) USD drawn and committed
    charge: np.ndarray  # (m,) capital per USD of exposure
    before: np.ndarray  # (m,) the same before this month's letters

    @property
    def required(self) -> np.ndarray:
        """Charges (i,) of all that each holds, USD."""
        return np.array([total(row) for row in self.exposure * self.charge])


def insures(economy: Economy) -> bool:
    """Whether capital is counted by letter."""
    return economy.params.sim.markets.insurers.floor > 0.0


def insurers(economy: Economy, region: str) -> np.ndarray:
    """Which of a region's investors (i,) the rules are for."""
    kinds = economy.params.sim.markets.insurers.kinds
    return np.array([agent.style.name in kinds for agent in economy.all("investor", region)])


def statutory(economy: Economy, region: str) -> np.ndarray:
    """Investors' capital (i,) with their notes at what they paid for them, USD."""
    people, ledger = economy.parties("investor", region), economy.ledger
    return np.asarray(ledger.net_worth(people) - (ledger.balance(people, "marks") - economy.basis[economy.slots(region)]))


def holdings(economy: Economy, region: str) -> Holdings:
    """What investors hold, and what rules charge for it."""
    p, deals, rows = economy.params.sim.markets.insurers, economy.deals, economy.rows(region)
    shares = deals["shares"][rows][:, :, economy.slots(region)].reshape(-1, len(economy.slots(region))).T
    drawn = deals["state"]["balance"][rows].ravel()
    letters, counted = deals["rating"][rows].ravel(), deals["counted"][rows].ravel()
    before = market.charges(p, np.where(counted < 0, letters, counted))  # a first letter is no downgrade
    committed = drawn + deals["undrawn"][rows].ravel()
    return Holdings(rows, shares * drawn, shares * committed, market.charges(p, letters), before)


# -- what they may buy ---------------------------------------------------------------------------------------------------


def room(economy: Economy, region: str, held: Holdings) -> np.ndarray:
    """Charges (i,) that each investor could still carry at the target, USD; no end to it for those whom the rules spare."""
    free = statutory(economy, region) / economy.params.sim.markets.insurers.target - held.required
    return np.where(insurers(economy, region), np.maximum(free, 0.0), np.inf)


def bids_within(economy: Economy, region: str, bids: list[Bid], need: float) -> list[Bid]:
    """Bids for ``need`` USD of notes that capital can carry; who has no room left buys no junior notes either."""
    if not insures(economy):
        return bids
    held = holdings(economy, region)
    free, own = room(economy, region, held), [total(row) for row in held.exposure]
    usual = total(held.required) / max(total(own), 1.0)
    return [
        replace(
            bid,
            limit=min(bid.limit, (has + left / max(usual, 1e-9)) / max(need, 1.0)),
            mezzanine=bid.mezzanine if left > 0.0 else 0.0,
        )
        for bid, has, left in zip(bids, own, free.tolist(), strict=True)
    ]


def restrain(economy: Economy, region: str, sought: float) -> None:
    """Nobody is allotted more of ``sought`` USD of new notes than its capital carries; the others take the rest."""
    if not insures(economy):
        return
    held, allotted = holdings(economy, region), economy.allotment[region]
    by_class = np.add.reduce(held.exposure, axis=0).reshape(-1, len(allotted)).sum(axis=0)
    p, whole = economy.params.sim.ratings, max(total(by_class), 1.0)
    letters = np.array([LETTERS.index(p.senior_letter), LETTERS.index(p.junior_letter)])
    charge = sought * by_class / whole * market.charges(economy.params.sim.markets.insurers, letters)
    taken, free = charge @ allotted, room(economy, region, held)
    kept = np.minimum(np.divide(free, taken, out=np.ones_like(taken), where=taken > 0.0), 1.0)
    others = ~insurers(economy, region) * (allotted + 1e-12)  # who take nothing share alike
    left = np.array([total(row) for row in allotted * (1.0 - kept)])
    economy.allotment[region] = allotted * kept + others * (left / np.array([total(row) for row in others]))[:, None]


# -- what they must sell -------------------------------------------------------------------------------------------------


def sell_down(economy: Economy, region: str) -> bool:
    """Insurers whom downgrades took under their floor sell what weighs most, until they are back; whether anybody did."""
    if not insures(economy):
        return False
    p, held, capital = economy.params.sim.markets.insurers, holdings(economy, region), statutory(economy, region)
    who = insurers(economy, region)
    economy.deals["counted"][held.rows] = economy.deals["rating"][held.rows]
    hit = np.array([total(row) for row in held.exposure * (held.charge - held.before)]) > 0.0
    under = who & hit & (capital < p.floor * held.required)
    need = np.where(under, np.maximum(p.target * held.required - capital, 0.0), 0.0)
    sold, fall = market.forced_sale(
        p, need, held.face, held.exposure, held.charge, _loss(economy, region, held), total(held.face.ravel())
    )
    charged = total(held.required[who])
    economy.note(
        region, insurers_ratio=total(capital[who]) / charged if charged > 0.0 else np.nan, insurers_under=float(under.sum())
    )
    if not sold.any():
        return False
    _place(economy, region, held, sold, fall)
    return True


def _loss(economy: Economy, region: str, held: Holdings) -> Callable[[float], np.ndarray]:
    """What investors lose (i, m) per USD of face by a sale: the price, after a fall, below what they paid."""
    slots, deals = economy.slots(region), economy.deals
    owned = economy.ledger.balance(deals.investors[slots], "notes")
    bought = np.divide(economy.basis[slots], owned, out=np.zeros_like(owned), where=owned > 0.0)[:, None]
    price = deals["price"][held.rows].ravel()
    return lambda fall: 1.0 + bought - price * (1.0 - fall)


def _place(economy: Economy, region: str, held: Holdings, sold: np.ndarray, fall: float) -> None:
    """The others buy, by their capital, at the fallen price; at it all marks of what was sold are set."""
    deals = economy.deals
    capital = np.where(insurers(economy, region), 0.0, economy.bids[region].capital)
    if total(capital) <= 0.0:
        capital = 1.0 * ~insurers(economy, region)
    buys = capital / total(capital)
    touched = sold.any(axis=0).reshape(deals["price"][held.rows].shape)
    deals["price"][held.rows] *= np.where(touched, 1.0 - fall, 1.0)
    paid = sell_slices(economy, region, held.rows, sold.T.reshape(*touched.shape, -1), buys)
    economy.note(region, insurers_sold=total(paid.ravel()), insurers_fall=fall)
    for agent, sale in zip(economy.all("investor", region), paid, strict=True):
        if sale.any():
            economy.happens(
                "sale", region, party=f"investor {agent.name}", amount=total(sale), text="downgrades; capital under its floor"
            )
