"""Applying: applications seek money for compute, on the credit terms of the last clearing; how much is funded moves demand.

The money that they spend is users' money, as all that is paid for inference, and users' debts stand outside of these books.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.applications import Applications
from sim.markets import applications as market
from sim.markets import tokens
from sim.streams import entity
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy

FIFTHS = 5  # groups by social value in the record


def applies(economy: Economy) -> bool:
    """Whether there are applications that others fund."""
    return economy.params.sim.markets.applications.share > 0.0


def open_places(economy: Economy, region: str) -> Applications:
    """A region's applications at the start; none where nobody applies."""
    count = economy.params.sim.markets.applications.count if applies(economy) else 0
    keys = np.array([entity(f"{region}/application/{number:05d}") for number in range(count)], dtype=np.uint64)
    places = Applications(keys)
    _begin(economy, region, places, np.arange(count), "start application")
    return places


def pull(economy: Economy, region: str) -> float:
    """A month of applications: some end and others begin, lenders fund some; demand over what it is on calm terms."""
    if not applies(economy):
        return 1.0
    p, tape, book = economy.params.sim.markets.applications, economy.tape[region], economy.applications[region]
    ends = economy.streams.uniform("application ends", economy.clock, book.keys) < p.turnover / MONTHS
    _begin(economy, region, book, np.flatnonzero(ends), "application")
    found = market.Traits(*book.those(book.unit_value >= _price(economy, region)))
    funded = market.fund(p, found, tape.base_rate + tape.spread - tape.novelty, tape.ration)
    planned = market.plan(found, total(found.size * funded))
    calm = getattr(economy.params.sim.markets.primary, region).base_rate + p.calm_spread
    now, usual = (market.judge(found, share, planned) for share in (funded, market.fund(p, found, calm, 1.0)))
    pulled = market.pull(p, now.funded_compute, usual.funded_compute)
    correlation = market.rank_correlation(found.contractible, found.social)
    economy.note(region, **now._asdict(), demand_funded=pulled, contractible_social=correlation)
    if economy.month >= 0 and (economy.month + 1) % MONTHS == 0:
        _record(economy, region, found, funded, planned)
    return pulled


def _price(economy: Economy, region: str) -> float:
    """What a year of inference costs users, USD/GPU."""
    return tokens.price(economy.params.sim.markets.tokens, economy.tape[region].rent, economy.tape.half_life)


def _begin(economy: Economy, region: str, book: Applications, places: np.ndarray, stream: str) -> None:
    """New applications at ``places`` (m,), drawn from a stream."""
    p, keys = economy.params.sim.markets, book.keys[places]
    normals = np.stack([economy.streams.draw(stream, economy.clock, keys, index) for index in range(3)])
    chance = economy.streams.uniform(stream, economy.clock, keys, 3)
    drawn = market.traits(p.applications, normals, chance, _price(economy, region), p.tokens.elasticity)
    book.begin(places, drawn)


def _record(economy: Economy, region: str, found: market.Traits, funded: np.ndarray, planned: np.ndarray) -> None:
    """Fifths of applications by social value go on record."""
    for group, own in enumerate(np.array_split(np.argsort(found.social, kind="stable"), FIFTHS), 1):
        size = total(found.size[own])
        if size > 0.0:
            economy.recorder.add(
                "applications",
                month=economy.month,
                region=region,
                fifth=group,
                compute=size / total(found.size),
                social=total((found.size * found.social)[own]) / total(found.size * found.social),
                contractible=total((found.size * found.contractible)[own]) / size,
                funded=total((found.size * funded)[own]) / size,
                planned=total((found.size * planned)[own]) / size,
            )
