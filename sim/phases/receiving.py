"""What labs have pledged: what comes in of it, what it would fetch, and how agencies see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import OPERATING
from sim.markets import borrowing
from sim.markets.parts import RECEIVABLES, WEIGHTS
from sim.phases.pledging import backings
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def lend_on(economy: Economy, region: str) -> np.ndarray:
    """Channels (c,) through which a region's labs borrow."""
    return np.array([channel.use == "borrow" for channel in economy.menus[region]])


def pledged_rows(economy: Economy, region: str) -> np.ndarray:
    """Rows of the region's deals that labs' pledges back."""
    rows = economy.rows(region, OPERATING) if lend_on(economy, region).any() else np.empty(0, np.int64)
    return rows[economy.deals["pledge"][rows] > 0.0]


def beaten(economy: Economy, region: str) -> np.ndarray:
    """Whether an open model has overtaken each lab (l,)."""
    p, labs = economy.params.sim.markets.borrowing, economy.all("lab", region)
    before = max((lab.past[0] for lab in labs if lab.past), default=-np.inf)
    return borrowing.overtaken(np.array([lab.quality for lab in labs]), before, p.open_lag, economy.tape.half_life)


def monthly(economy: Economy, region: str, payments: np.ndarray) -> np.ndarray:
    """What labs (l,) could pledge by kind (2, l): users' ``payments`` (l,) USD, and the margin on models that are not beaten."""
    tokens, life = economy.params.sim.markets.tokens, economy.tape.half_life
    return np.stack([payments, np.where(beaten(economy, region), 0.0, borrowing.margins(tokens, payments, life))])


def incoming(economy: Economy, region: str, rows: np.ndarray, payments: np.ndarray) -> np.ndarray:
    """What of labs' ``payments`` (l,) a month is the deals' (n,), USD: less after a failure."""
    deals = economy.deals
    place = economy.places("lab", region, deals["sponsor"][rows])
    kind = (deals["backing"][rows] == WEIGHTS).astype(int)
    return deals["pledge"][rows] * deals["collects"][rows] * monthly(economy, region, payments)[kind, place]


def values(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """What pledges (n,) would fetch now, USD: receivables what is still to come of them, weights a part of the model's worth."""
    p, deals = economy.params.sim.markets, economy.deals
    payments = np.array([lab.paid for lab in economy.all("lab", region)])
    left = np.maximum(deals["due"][rows] - deals["state"]["age"][rows], 0)
    to_come = incoming(economy, region, rows, payments) * left
    place = economy.places("lab", region, deals["sponsor"][rows])
    margin = deals["pledge"][rows] * monthly(economy, region, payments)[1, place] * MONTHS
    worth = p.borrowing.recovery * margin / borrowing.pace(p.tokens, economy.tape.half_life)
    return np.where(deals["backing"][rows] == WEIGHTS, worth, to_come)


def lay_out(economy: Economy, region: str, rows: np.ndarray, lists: dict[str, np.ndarray], months: int) -> np.ndarray:
    """Fill in ``lists`` (n, t) where labs' pledges back deals ``rows`` (n,); returns where (n,).

    While the lab lives it pays as now. Once it has failed receivables pay less the haircut and weights nothing.
    """
    deals, p = economy.deals, economy.params.sim.markets.borrowing
    own = deals["pledge"][rows] > 0.0
    if not own.any():
        return own
    mine, ahead = rows[own], np.arange(1, months + 1)
    comes = incoming(economy, region, mine, np.array([lab.paid for lab in economy.all("lab", region)]))[:, None]
    left = np.maximum(deals["due"][mine] - deals["state"]["age"][mine], 1)[:, None]
    worth = values(economy, region, mine)[:, None]
    model = (deals["backing"][mine] == WEIGHTS)[:, None]
    kept = np.where(model, 0.0, 1.0 - p.haircut * (deals["collects"][mine] == 1.0)[:, None])
    _fill(lists, own, comes, kept, np.where(model, worth, worth * np.maximum(left - ahead, 0) / left))
    return own


def lay_out_new(economy: Economy, region: str, lists: dict[str, np.ndarray], months: int) -> np.ndarray:
    """The same for new deals of 1 USD, one a channel (c,)."""
    own, p, menu = lend_on(economy, region), economy.params.sim.markets, economy.menus[region]
    if not own.any():
        return own
    tenor, ahead = np.array([max(c.tenor, 1) for c in menu])[own][:, None], np.arange(1, months + 1)
    model = (backings(economy, region)[own] == WEIGHTS)[:, None]
    comes = np.where(model, borrowing.pace(p.tokens, economy.tape.half_life) / MONTHS, 1.0 / tenor)
    kept = np.where(model, 0.0, 1.0 - p.borrowing.haircut)
    _fill(lists, own, comes, kept, np.where(model, p.borrowing.recovery, np.maximum(1.0 - ahead / tenor, 0.0)))
    return own


def _fill(lists: dict[str, np.ndarray], own: np.ndarray, comes: np.ndarray, kept: np.ndarray, value: np.ndarray) -> None:
    """Rents and values of pledges: ``comes`` (s, 1) USD/month, ``kept`` of it after a failure, ``value`` (s, t) USD at a sale."""
    for name, found in {"contract": comes, "market": comes * kept, "cost": 0.0, "value": value, "appraisal": value}.items():
        lists[name][own] = found


def remaining(economy: Economy, region: str) -> np.ndarray:
    """Shares (2, l) of payments and of margin that labs may still pledge."""
    p, deals, rows = economy.params.sim.markets.borrowing, economy.deals, pledged_rows(economy, region)
    place = economy.places("lab", region, deals["sponsor"][rows])
    used = [
        np.bincount(place, deals["pledge"][rows] * (deals["backing"][rows] == kind), len(economy.all("lab", region)))
        for kind in (RECEIVABLES, WEIGHTS)
    ]
    return np.maximum(np.array([[p.contracted], [p.licensed]]) - used, 0.0)
