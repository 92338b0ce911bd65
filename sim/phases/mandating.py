"""Mandate: agencies are paid, cater, grant letters and answer for them; what else each letter could have been is kept beside it.

Beside a first letter are kept the one that the same agency's model finds, the best that any agency asked would have given, and the
one of an agency that knows the economy as it is. Of two letters the worse counts, and both agencies answer for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import ratings
from sim.kernels.scenarios import Beliefs
from sim.markets import mandates
from sim.phases.shopping import competes, premiums, raters, tables
from sim.sums import by_row, total

if TYPE_CHECKING:
    from sim.economy import Economy

Look = Callable[..., tuple[np.ndarray, np.ndarray]]  # expected loss and life (n, k) of deals, each by an agency's beliefs


# -- what agencies know --------------------------------------------------------------------------------------------------


def perfect(economy: Economy) -> bool:
    """Whether agencies know the economy as it is."""
    return bool(economy.params.sim.markets.mandates.knowledge == "perfect")


def truth(economy: Economy, region: str) -> tuple[float, float]:
    """Depreciation to come, 1/year, and the share of market value that a forced sale fetches."""
    p, market = economy.params.sim.markets.mandates.truth, economy.tape[region]
    growth, rent = economy.tape.frontier_growth, market.rent / market.unit_cost
    return mandates.decline(p, growth, market.vintage_discount, rent), 1.0 - market.fire_sale


def reveal(economy: Economy, region: str) -> None:
    """Agencies that know the economy as it is believe what is so, whatever they have learned."""
    if perfect(economy):
        for agency in raters(economy, region):
            agency.know(*truth(economy, region), economy.params.sim.markets.mandates.truth.dispersion)


def methods(economy: Economy) -> list[ratings.Agency]:
    """How agencies differ: not at all when they know the economy as it is."""
    p = economy.params.sim
    return [_unbiased(economy, agency) for agency in p.ratings.agencies] if perfect(economy) else list(p.ratings.agencies)


def _unbiased(economy: Economy, agency: ratings.Agency) -> ratings.Agency:
    known = economy.params.sim.markets.mandates.truth
    own = {name: getattr(known, name) for name in ("dispersion", "correlation", "fire_sale_slope")}
    return agency.model_copy(update={"depreciation_bias": 0.0, **own})


def true_beliefs(economy: Economy, region: str) -> Beliefs:
    """Beliefs of an agency that knows the economy as it is."""
    p = economy.params.sim.ratings
    depreciation, recovery = truth(economy, region)
    return ratings.believe(p, _unbiased(economy, p.agencies[0]), depreciation)._replace(recovery=recovery)


# -- mandates ------------------------------------------------------------------------------------------------------------


def letters_of(economy: Economy, rows: np.ndarray) -> list[np.ndarray]:
    """Agencies (n,) that rate deals: the first, and the second or the first again where one is enough."""
    agency, second = economy.deals["agency"][rows].astype(np.int64), economy.deals["second"][rows].astype(np.int64)
    return [agency, np.where(second > 0, second - 1, agency)]


def distrust(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """What investors add (n,) to coupons of new deals for the letters of their agencies, on average; 1/year."""
    if not competes(economy):
        return np.zeros(len(rows))
    asks = premiums(economy, region)
    return np.asarray(sum(asks[agency] for agency in letters_of(economy, rows)) / 2.0)


def pay(economy: Economy, region: str, rows: np.ndarray) -> None:
    """Sponsors of new deals pay for their letters; owners put in what they lack."""
    if not competes(economy):
        return
    p, deals = economy.params.sim.markets.mandates, economy.deals
    agencies, notes, sponsor = raters(economy, region), by_row(deals["commitment"][rows]), deals["sponsor"][rows]
    party = np.array([agency.party for agency in agencies])
    both = np.where((deals["second"][rows] > 0)[:, None], [1.0, 1.0], [1.0, 0.0]).T  # one letter is paid once
    for agency, due in zip(letters_of(economy, rows), both, strict=True):
        fee = p.fee * notes * due
        for payer in np.unique(sponsor).tolist():
            economy.save(payer, region, total(fee[sponsor == payer]) - float(economy.ledger.cash(payer)))
        economy.ledger.pay("rating_fee", sponsor, party[agency], fee)
        economy.note(region, rating_fees=total(fee))
        for place in range(len(agencies)):
            economy.note(region, **{f"won_{place}": total((notes * due)[agency == place])})


def compete(economy: Economy, region: str) -> None:
    """Agencies pay out their fees, see who has the mandates and how their letters fared, and move their looseness."""
    if not competes(economy):
        return
    agencies, memory = raters(economy, region), economy.params.sim.markets.mandates.memory
    savers, rated = economy.outside["savers", region], _outstanding(economy, region)
    for place, agency in enumerate(agencies):
        economy.ledger.pay("payout", agency.party, savers, max(float(economy.ledger.cash(agency.party)), 0.0))
        agency.win(economy.facts[region].get(f"won_{place}", 0.0), memory)
    whole, fair = total(total(agency.won) for agency in agencies), 1.0 / len(agencies)
    for agency, letters in zip(agencies, rated.tolist(), strict=True):
        share = total(agency.won) / whole if whole > 0.0 else fair
        agency.cater(share, share if perfect(economy) else fair, agency.fallen / max(letters, 1.0))
        agency.fallen = 0.0


def _outstanding(economy: Economy, region: str) -> np.ndarray:
    """Letters (a,) outstanding by agency."""
    deals, rows = economy.deals, economy.rows(region)
    count = ((deals["rating"][rows] >= 0) & (deals["state"]["balance"][rows] + deals["undrawn"][rows] > 0.0)).sum(axis=1)
    return _by_agency(economy, region, rows, count.astype(float))


def _by_agency(economy: Economy, region: str, rows: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Sums (a,) of ``amounts`` (n,) over the deals that each agency rates."""
    count, (first, other) = len(raters(economy, region)), letters_of(economy, rows)
    return np.bincount(first, amounts, count) + np.bincount(other, amounts * (other != first), count)


# -- letters -------------------------------------------------------------------------------------------------------------


def due(economy: Economy, rows: np.ndarray, owed: np.ndarray, quarter: bool) -> np.ndarray:
    """Which deals (n,) are looked at now: those without a letter, those whose turn it is, and once a quarter those in trouble."""
    deals, lag = economy.deals, economy.params.sim.markets.mandates.surveillance
    fresh, owes = (owed & (deals["rating"][rows] < 0)).any(axis=1), owed.any(axis=1)  # a class of nothing has no letter
    if lag == 0:
        return owes if quarter else fresh
    state = deals["state"][rows]
    troubled = quarter & (state["in_default"] | state["trapped"])
    return fresh | owes & (troubled | ((economy.clock - deals["issued"][rows]) % lag == 0))


def see(economy: Economy, region: str, rows: np.ndarray, beliefs: list[Beliefs], look: Look) -> np.ndarray:
    """Letters (n, k) that deals' agencies find now, read with their looseness; of two the worse."""
    read = tables(economy, region)
    found = [_read(read, agency, *look(economy, region, rows, agency, beliefs)) for agency in _needed(economy, rows)]
    return np.asarray(np.maximum.reduce(found))


def _needed(economy: Economy, rows: np.ndarray) -> list[np.ndarray]:
    first, other = letters_of(economy, rows)
    return [first, other] if (first != other).any() else [first]


def _read(read: list[ratings.Params], agency: np.ndarray, loss: np.ndarray, life: np.ndarray) -> np.ndarray:
    """Letters (n, k) by each deal's agency's table."""
    found = np.empty(loss.shape, dtype=np.int64)
    for place in np.unique(agency).tolist():
        own = agency == place
        found[own] = ratings.letters_by_loss(read[place], loss[own], life[own])
    return found


def grant(economy: Economy, region: str, rows: np.ndarray, before: np.ndarray, beliefs: list[Beliefs], look: Look) -> None:
    """Keep beside first letters what else they could have been; ``before`` (n, k) are letters held before this month."""
    if not (competes(economy) or perfect(economy)):
        return
    rows = rows[((economy.deals["rating"][rows] >= 0) & (before < 0)).any(axis=1)]
    if not len(rows):
        return
    letter, count = economy.deals["rating"][rows], len(beliefs)
    agency = np.repeat(np.arange(count + 1), len(rows))
    every = look(economy, region, np.tile(rows, count + 1), agency, [*beliefs, true_beliefs(economy, region)])
    loss, life = (found.reshape(count + 1, len(rows), -1) for found in every)
    model = ratings.letters_by_loss(economy.params.sim.ratings, loss, life)
    lax = [ratings.letters_by_loss(*of) for of in zip(tables(economy, region), loss[:-1], life[:-1], strict=True)]
    best = np.where(_asked(economy, rows, count)[:, :, None], lax, len(ratings.LETTERS)).min(axis=0)
    at, (first, other) = np.arange(len(rows)), letters_of(economy, rows)
    kept = np.stack([letter, np.maximum(model[first, at], model[other, at]), best, model[-1]], axis=-1)
    economy.deals["granted"][rows] = np.where(letter[:, :, None] >= 0, kept + 1, 0)
    _note_grants(economy, region, rows, *np.moveaxis(kept, -1, 0))


def _asked(economy: Economy, rows: np.ndarray, count: int) -> np.ndarray:
    """Which agencies (a, n) have looked at deals: those that made an offer, and those that rate it."""
    each, (first, other) = np.arange(count)[:, None], letters_of(economy, rows)
    return ((economy.deals["asked"][rows] >> each) & 1 > 0) | (each == first) | (each == other)


def _note_grants(
    economy: Economy, region: str, rows: np.ndarray, letter: np.ndarray, model: np.ndarray, best: np.ndarray, true: np.ndarray
) -> None:
    """This month's first letters on record: how much better they are than others, and how many are of top grade."""
    deals, top = economy.deals, economy.params.sim.markets.mandates.top
    notes = deals["state"]["balance"][rows] + deals["undrawn"][rows]

    def weighed(amounts: Any) -> float:
        return total((notes * amounts).ravel())

    economy.note(region, granted=weighed(1.0), inflated=weighed(true - letter), catered=weighed(model - letter))
    economy.note(region, missed=weighed(letter - best), granted_top=weighed(letter <= top))
    economy.note(region, overgranted=weighed((letter <= top) & (true > top)))


def answer(economy: Economy, region: str, rows: np.ndarray, fell: np.ndarray) -> None:
    """Notches (n, k) that letters have lost in a review, net of those won, are remembered against the agencies that gave them."""
    if competes(economy):
        lost = _by_agency(economy, region, rows, fell.sum(axis=1).astype(float))
        for agency, notches in zip(raters(economy, region), lost.tolist(), strict=True):
            agency.fallen += notches
