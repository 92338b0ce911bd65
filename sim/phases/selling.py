"""Sales under pressure: a fund that must find money sells the same share of all it holds, and all who hold the like lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.markets import funds as market
from sim.phases.marking import book_marks, sell_slices
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


def notes_of(economy: Economy, region: str) -> np.ndarray:
    """Funds' notes (f,) at the marks, USD."""
    deals, rows, book = economy.deals, economy.rows(region), economy.funds[region]
    worth = deals.by_holder(rows, deals["state"]["balance"][rows] * deals["price"][rows])
    return np.asarray(worth[economy.slots(region)[book.places]])


def sell(economy: Economy, region: str, need: np.ndarray) -> np.ndarray:
    """Funds sell a share of all they hold to raise ``need`` (f,), and all prices fall; USD raised (f,)."""
    book, p = economy.funds[region], economy.params.sim.markets.funds
    if not (need > 0.0).any():
        return np.zeros_like(need)
    buyers, bears = _buyers(economy, region, need > 0.0)
    before, notes = book.prices, notes_of(economy, region) * (total(buyers) > 0.0)
    other = book.unrelated * before[1]
    wide = p.unrelated_depth * (total(book.unrelated) + book.elsewhere) * before[1]
    share, *left = market.sales(p, need, notes, other, (bears, wide))
    book.fall = [fall - float(np.log(part)) for fall, part in zip(book.fall, left, strict=True)]
    rows = economy.rows(region)
    economy.deals["price"][rows] *= left[0]
    book_marks(economy, region)
    lost = total(book.unrelated) * (before[1] - book.prices[1])
    gone = np.zeros(len(buyers))
    gone[book.places] = np.where(notes > 0.0, share, 0.0)
    paid = sell_slices(economy, region, rows, gone, buyers)
    sold = np.array([total(row) for row in paid[book.places]])
    others = book.sell(share)
    economy.note(region, forced_sales=total(sold), forced_sales_unrelated=total(others), unrelated_losses=lost)
    return sold + others


def _buyers(economy: Economy, region: str, sells: np.ndarray) -> tuple[np.ndarray, float]:
    """Shares (i,) in which other investors buy, by room or by what they hold, and the depth of their market, USD."""
    book, bids = economy.funds[region], economy.bids[region]
    held = economy.deals.exposure(economy.regions.index(region))[:, economy.slots(region)].sum(axis=0)
    free = np.ones(len(held), dtype=bool)
    free[book.places[sells]] = False
    spare = np.where(free, np.maximum(bids.capital * bids.leverage - held, 0.0), 0.0)
    bears = market.depth(economy.params.sim.markets.funds, max(total(held), 1.0), np.where(free, held, 0.0), spare)
    takes = next((part for part in (spare, np.where(free, held, 0.0), 1.0 * free) if total(part) > 0.0), np.zeros(len(held)))
    return takes / max(total(takes), 1e-300), bears
