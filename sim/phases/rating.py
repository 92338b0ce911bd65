"""Rate: agencies learn, appraise new units, and put a letter on every class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sim import ratings
from sim.books.deals import CLASSES
from sim.books.fleet import BEFORE
from sim.phases.valuing import units
from sim.sums import mean
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def rate(economy: Economy) -> None:
    """Agencies learn depreciation late; their errors and their disagreement set how much may be lent."""
    for region in economy.regions:
        _opine(economy, region)
        _advance(economy, region)
        _letters(economy, region)


def _opine(economy: Economy, region: str) -> None:
    """Beliefs, dispersion and appraisals, through the arrow from obsolescence to valuation."""
    market, agencies = economy.tape[region], economy.all("agency", region)
    for agency, noise in zip(agencies, economy.draw("opinion", economy.keys("agency", region)), strict=True):
        agency.learn(market, float(noise))
    beliefs = [a.depreciation for a in agencies]
    middle = mean(beliefs)
    spread = mean([(b - middle) ** 2 for b in beliefs])
    dispersion = math.sqrt(mean([a.error for a in agencies]) + spread)
    p = agencies[0].params
    life = economy.params.agents.operators.life
    opinions = [a.appraise(market, market.expected_rent, dispersion, life) for a in agencies]
    lean = market.abs_share - economy.params.sim.markets.primary.neutral_abs_share
    lax = min(max(p.leniency + p.shopping * lean, 0.0), 1.0)

    def shopped(values: list[float]) -> float:
        return lax * max(values) + (1.0 - lax) * mean(values)

    live = {
        "depreciation_belief": middle,
        "dispersion": dispersion,
        "appraisal_senior": shopped([o.appraisal_senior for o in opinions]),
        "appraisal_mezzanine": shopped([o.appraisal_mezzanine for o in opinions]),
    }
    economy.publish(region, **{name: economy.transmit(name, region, value) for name, value in live.items()})


def _advance(economy: Economy, region: str) -> None:
    """Advance rates move towards what appraisals and the regulator allow, through the arrow from valuation to credit."""
    market, quotes = economy.tape[region], economy.quotes[region]
    p, limits = economy.params.agents.agencies, economy.params.agents.regulators
    cap = limits.ltv_cap - market.ltv_addon
    wanted = {
        "advance_senior": min(p.advance * p.senior_part * market.appraisal_senior, cap - limits.senior_gap),
        "advance_mezzanine": min(p.advance * market.appraisal_mezzanine, cap),
    }
    for name, target in wanted.items():
        target = min(max(target, p.least_advance), p.most_advance)
        quotes[name] += p.terms_speed * (target - quotes[name])
    quotes["advance_senior"] = min(quotes["advance_senior"], quotes["advance_mezzanine"])
    economy.publish(region, **{name: economy.transmit(name, region, quotes[name]) for name in wanted})


def _letters(economy: Economy, region: str) -> None:
    """Put a letter on every class outstanding; note what changed."""
    market, deals, p = economy.tape[region], economy.deals, economy.params.sim
    rows = economy.rows(region)
    u = units(economy, region, rows)
    let = p.markets.compute.cover * economy.contracts["rent"][rows] + (1.0 - p.markets.compute.cover) * u.rent
    age = economy.clock + BEFORE - u.vintage
    new = ratings.rate(
        p.ratings,
        deals["state"]["balance"][rows] + deals["undrawn"][rows],
        u.gpus,
        let,
        u.running_cost,
        market.depreciation_belief,
        market.dispersion,
        np.maximum(p.markets.compute.service_life - age, 1) / MONTHS,
        market.base_rate,
    )
    old = deals["rating"][rows]
    rated = (deals["issued"][rows] < economy.clock)[:, None] & (deals["state"]["balance"][rows] > 0.0)
    for kind, moved in (("downgrade", rated & (new > old)), ("upgrade", rated & (new < old))):
        _note_moves(economy, region, kind, rows, old, new, moved)
    deals["rating"][rows] = new
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
