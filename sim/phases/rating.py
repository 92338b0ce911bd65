"""Rate: agencies learn; new deals are structured to letters; every class outstanding is rated and reviewed."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

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
    for region in economy.regions:
        beliefs = _opine(economy, region)
        mandating.compete(economy, region)
        if quarter or region not in economy.sized:
            structure_new(economy, region, beliefs, tenants(economy, region))
        _advance(economy, region)
        if placing.rules(economy, region).terms == "own":
            placing.review(economy, region, shopped(economy, region))
        _letters(economy, region, beliefs, quarter)


def _opine(economy: Economy, region: str) -> list[Beliefs]:
    """What each agency believes, through the arrow from obsolescence to valuation."""
    market, p = economy.tape[region], economy.params.sim.ratings
    agencies = [agency for agency in economy.all("agency", region) if agency.weight > 0.0]
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


def _letters(economy: Economy, region: str, beliefs: list[Beliefs], quarter: bool) -> None:
    """First letters on new classes; once a quarter, each mandated agency reviews all it rates."""
    deals, p = economy.deals, economy.params.sim.ratings
    rows = economy.rows(region)
    owed = deals["state"]["balance"][rows] + deals["undrawn"][rows] > 0.0
    due = mandating.due(economy, rows, owed, quarter)
    rows, owed = rows[due], owed[due]
    if not len(rows):
        return
    seen = _see(economy, region, rows, beliefs)
    old = deals["rating"][rows]
    new, streak = ratings.review(p, old, seen, deals["streak"][rows])
    new, streak = np.where(owed, new, old), np.where(owed, streak, 0)
    rated = owed & (old >= 0)
    for kind, moved in (("downgrade", rated & (new > old)), ("upgrade", rated & (new < old))):
        _note_moves(economy, region, kind, rows, old, new, moved)
    deals["rating"][rows], deals["streak"][rows] = new, streak
    mandating.grant(economy, region, rows, old, beliefs, _look)
    mandating.answer(economy, region, rows, np.where(rated, new - old, 0))
    economy.note(region, downgrades=float((rated & (new > old)).sum()))


def _see(economy: Economy, region: str, rows: np.ndarray, beliefs: list[Beliefs]) -> np.ndarray:
    """Letters (n, k) by expected loss that the mandated agencies find now."""
    if shopping.competes(economy):
        return mandating.see(economy, region, rows, beliefs, _look)
    found = _look(economy, region, rows, economy.deals["agency"][rows], beliefs)
    return ratings.letters_by_loss(economy.params.sim.ratings, *found)


def _look(
    economy: Economy, region: str, rows: np.ndarray, agency: np.ndarray, beliefs: list[Beliefs]
) -> tuple[np.ndarray, np.ndarray]:
    """Expected loss and life (n, k) of deals, each as its ``agency`` (n,) believes."""
    p, labs, found = economy.params.sim.ratings, tenants(economy, region), []
    order = np.argsort(agency, kind="stable")
    units = package(economy, region, rows[order])
    terms, state = as_delivered(economy, rows[order])
    book = book_of(units, units.target)
    edges = np.searchsorted(agency[order], np.arange(len(beliefs) + 1))
    for belief, (first, last) in zip(beliefs, itertools.pairwise(edges), strict=True):
        if first < last:
            own = slice(first, last)
            deals = (terms[own], state[own], select(book, own))
            rated = ratings.rate_book(p, *deals, labs, belief, seed=economy.params.seed, date=economy.clock)
            found.append((rated.estimates.loss, rated.estimates.life))
    loss, life = np.empty((len(rows), len(CLASSES))), np.empty((len(rows), len(CLASSES)))
    loss[order], life[order] = (np.concatenate(part) for part in zip(*found, strict=True))
    return loss, life


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
