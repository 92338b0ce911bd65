"""Rate: agencies learn; new deals are structured to letters; every class outstanding is rated and reviewed."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim import ratings
from sim.books.deals import CLASSES
from sim.collateral import obligors, select
from sim.kernels.scenarios import Beliefs, Obligors
from sim.phases import disclosing, mandating, placing, shopping, tenancy
from sim.phases.anchoring import anchored
from sim.phases.collateral import as_delivered, book_of, package
from sim.phases.pledging import shopped
from sim.phases.structuring import QUARTER, structure_new
from sim.sums import mean

if TYPE_CHECKING:
    from sim.economy import Economy


def rate(economy: Economy) -> None:
    """Agencies learn late; through the waterfall on simulated paths they size new deals and put a letter on every class."""
    quarter = economy.clock % QUARTER == 0
    beliefs = {region: _opine(economy, region) for region in economy.regions}
    labs = {region: tenants(economy, region) for region in economy.regions}
    for region in economy.regions:
        mandating.compete(economy, region)
    if quarter:
        structure_new(economy, beliefs, labs)
    for region in economy.regions:
        _advance(economy, region)
        if placing.rules(economy, region).terms == "own":
            placing.review(economy, region, shopped(economy, region))
    due = {region: _due(economy, region, quarter) for region in economy.regions}
    _letters(economy, [_ask(economy, region, rows, beliefs[region], labs[region]) for region, rows in due.items()], beliefs)


def _opine(economy: Economy, region: str) -> list[Beliefs]:
    """What each agency believes, through the arrow from obsolescence to valuation."""
    market, p = economy.tape[region], economy.params.sim.ratings
    agencies = shopping.raters(economy, region)
    noise = economy.draw("opinion", economy.keys("agency", region))
    for agency in agencies:
        agency.learn(market, float(noise[agency.number]))
    mandating.reveal(economy, region)
    own = [agency.depreciation for agency in agencies]
    spread = mean([(belief - mean(own)) ** 2 for belief in own])
    uncertain = math.sqrt(mean([agency.error for agency in agencies]) + spread)
    depreciation = economy.transmit("depreciation_belief", region, np.array(own))
    recovery = economy.transmit("recovery_belief", region, np.array([agency.recovery for agency in agencies]))
    dispersion = economy.transmit("dispersion", region, uncertain)
    economy.publish(
        region,
        depreciation_belief=mean(depreciation.tolist()),
        recovery_belief=mean(recovery.tolist()),
        dispersion=dispersion,
    )
    known = mandating.methods(economy)
    usual = mean([agency.dispersion for agency in known])
    return [
        ratings.believe(p, agency, float(decline))._replace(
            dispersion=dispersion * agency.dispersion / usual if usual > 0.0 else dispersion, recovery=float(fetched)
        )
        for agency, decline, fetched in zip(known, depreciation, recovery, strict=True)
    ]


def tenants(economy: Economy, region: str) -> Obligors:
    """The region's labs as agencies see them, and its clouds where they rent deals."""
    p = economy.params.sim.ratings
    keys = economy.keys("lab", region)
    chance = tenancy.default_probabilities(economy, region)
    if anchored(economy, region):
        clouds = economy.keys("cloud", region)
        keys = np.concatenate([keys, clouds])
        chance = np.concatenate([chance, disclosing.default_probabilities(economy, region)])
    return obligors(keys, chance, p.horizon)


def _advance(economy: Economy, region: str) -> None:
    """Advance rates move towards what agencies and the regulator allow, through the arrow from valuation to credit."""
    market, quotes = economy.tape[region], economy.quotes[region]
    p, limits = economy.params.agents.agencies, economy.params.agents.regulators
    cap = limits.ltv_cap - market.ltv_addon
    wanted = {
        "advance_senior": min(market.structured_senior, cap - limits.senior_gap),
        "advance_mezzanine": min(market.structured_debt, cap),
    }
    for name, target in wanted.items():
        target = min(max(target, p.least_advance), p.most_advance)
        quotes[name] += p.terms_speed * (target - quotes[name])
    quotes["advance_senior"] = min(quotes["advance_senior"], quotes["advance_mezzanine"])
    economy.publish(region, **{name: economy.transmit(name, region, quotes[name]) for name in wanted})


class _Due(NamedTuple):
    """A region's deals (n,) that are rated now, agency by agency."""

    region: str
    rows: np.ndarray
    books: list[ratings.Asked]  # an agency each


def _due(economy: Economy, region: str, quarter: bool) -> np.ndarray:
    """Deals with new classes; once a quarter all, for each mandated agency reviews all it rates."""
    rows = economy.rows(region)
    return rows[mandating.due(economy, rows, _owed(economy, rows), quarter)]


def _owed(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Whether classes (n, k) are outstanding or will be: a class of nothing has no letter."""
    return np.asarray(economy.deals["state"]["balance"][rows] + economy.deals["undrawn"][rows] > 0.0)


def _ask(
    economy: Economy, region: str, rows: np.ndarray, beliefs: list[Beliefs], labs: Obligors, agency: np.ndarray | None = None
) -> _Due:
    """Lay deals out, once for all their agencies: the mandated ones, or ``agency`` (n,)."""
    if not len(rows):
        return _Due(region, rows, [])
    agency = economy.deals["agency"][rows] if agency is None else agency
    order = np.argsort(agency, kind="stable")
    rows, edges = rows[order], np.searchsorted(agency[order], np.arange(len(beliefs) + 1))
    units = package(economy, region, rows)
    terms, state = as_delivered(economy, rows)
    book = book_of(units, units.target)
    parts = [(belief, slice(*own)) for belief, own in zip(beliefs, itertools.pairwise(edges), strict=True) if own[0] < own[1]]
    return _Due(region, rows, [(terms[own], state[own], select(book, own), labs, belief) for belief, own in parts])


def _see(economy: Economy, books: list[ratings.Asked]) -> np.ndarray:
    """Letters (n, k) by expected loss that the mandated agencies find now."""
    p = economy.params.sim.ratings
    return ratings.rate_books(p, books, seed=economy.params.seed, date=economy.clock).by_loss


def _look(
    economy: Economy, region: str, rows: np.ndarray, agency: np.ndarray, beliefs: list[Beliefs]
) -> tuple[np.ndarray, np.ndarray]:
    """Expected loss and life (n, k) of deals, each as its ``agency`` (n,) believes."""
    books = _ask(economy, region, rows, beliefs, tenants(economy, region), agency).books
    found = ratings.rate_books(economy.params.sim.ratings, books, seed=economy.params.seed, date=economy.clock).estimates
    loss, life = np.empty(found.loss.shape), np.empty(found.life.shape)
    order = np.argsort(agency, kind="stable")
    loss[order], life[order] = found.loss, found.life
    return loss, life


def _letters(economy: Economy, due: list[_Due], beliefs: dict[str, list[Beliefs]]) -> None:
    """First letters and reviews in all regions at once; where agencies compete, each reads what it finds in its own way."""
    if shopping.competes(economy):
        for one in due:
            rows, own = np.sort(one.rows), beliefs[one.region]
            seen = mandating.see(economy, one.region, rows, own, _look) if len(rows) else np.empty((0, len(CLASSES)))
            _review(economy, one.region, rows, seen, own)
        return
    books = [book for one in due for book in one.books]
    if not books:
        return
    places = np.cumsum([len(one.rows) for one in due])[:-1]
    for one, seen in zip(due, np.split(_see(economy, books), places), strict=True):
        order = np.argsort(one.rows)
        _review(economy, one.region, one.rows[order], seen[order], beliefs[one.region])


def _review(economy: Economy, region: str, rows: np.ndarray, seen: np.ndarray, beliefs: list[Beliefs]) -> None:
    """First letters are what is seen (n, k); others wait for reviews that agree."""
    if not len(rows):
        return
    deals, old, owed = economy.deals, economy.deals["rating"][rows], _owed(economy, rows)
    new, streak = ratings.review(economy.params.sim.ratings, old, seen, deals["streak"][rows])
    new, streak = np.where(owed, new, old), np.where(owed, streak, 0)
    rated = owed & (old >= 0)
    for kind, moved in (("downgrade", rated & (new > old)), ("upgrade", rated & (new < old))):
        _note_moves(economy, region, kind, rows, old, new, moved)
    deals["rating"][rows], deals["streak"][rows] = new, streak
    mandating.grant(economy, region, rows, old, beliefs, _look)
    mandating.answer(economy, region, rows, np.where(rated, new - old, 0))
    economy.note(region, downgrades=float((rated & (new > old)).sum()))


def _note_moves(
    economy: Economy, region: str, kind: str, rows: np.ndarray, old: np.ndarray, new: np.ndarray, moved: np.ndarray
) -> None:
    at, k = np.nonzero(moved)
    if not len(at):
        return
    names = np.array(ratings.LETTERS)
    words = np.char.add(np.char.add(names[old[at, k]], " to "), names[new[at, k]])
    classes = np.array(CLASSES)[k]
    economy.happens(
        kind,
        region,
        deal=rows[at],
        party=classes,
        amount=economy.deals["state"]["balance"][rows[at], k],
        text=words,
    )
