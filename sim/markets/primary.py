"""Requests meet bids: the spread that clears the stock of debt and the new deals, and what is rationed."""

import math
from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from sim.kernels.clearing import carry, hold, meet
from sim.kernels.sums import ROOM
from sim.orders import Book
from sim.sums import total
from sim.tape import Market
from sim.units import Frozen, quantity


class Regime(Frozen):
    """A region's credit market."""

    base_rate: float = quantity("1/year", 0.0, 0.25, "risk-free rate")
    rate_step: float = quantity("1/year", -0.25, 0.25, "by which the base rate moves at once, and stays; 0: never")
    rate_month: int = quantity("month", 0, 2400, "of that step, after recording begins")
    novelty_premium: float = quantity("1/year", 0.0, 0.5, "extra hurdle for a new asset class, January 2023")
    abs_share: float = quantity("share", 0.0, 1.0, "of deals placed as securities")
    closing_private: int = quantity("month", 1, 11, "from plan to money, private placement")
    closing_abs: int = quantity("month", 1, 11, "from plan to money, securities")


class Playbook(Frozen):
    """Copying another region's channel mix."""

    copier: Literal["", "us", "china"]  # region that copies; empty: none
    proof_share: float = quantity("share", 0.0, 1.0, "ABS share of the leader's deals at which the channel is in use")
    proof_loss: float = quantity("1/year", 0.0, 1.0, "twelve-month loss rate of the leader below which it works")
    proof_months: int = quantity("month", 1, 240, "in a row, of use without such losses, that count as proof")
    delay: int = quantity("month", 0, 240, "from proof to the first copies")
    copied_share: float = quantity("share", 0.0, 1.0, "ABS share that a sponsor who copies moves to")
    adoption: float = quantity("month", 1.0, 240.0, "in which the sponsors who copy go from a tenth to nine tenths of all")


class Params(Frozen):
    """Credit market rules."""

    spread_cap: float = quantity("1/year", 0.02, 2.0, "spread above which nobody trades")
    spread_floor: float = quantity("1/year", 0.0, 0.1, "least spread")
    spread_speed: float = quantity("1/month", 0.01, 1.0, "share of the gap to the clearing spread closed in a month")
    ration_speed: float = quantity("1/month", 0.01, 1.0, "of the rationing of new requests")
    refinancing_speed: float = quantity("1/month", 0.01, 1.0, "of the availability of refinancing")
    refinancing_floor: float = quantity("share", 0.0, 0.99, "capacity over debt at which nothing is rolled over")
    novelty_half_life: float = quantity("month", 1.0, 240.0, "in which lenders learn it")
    neutral_abs_share: float = quantity("share", 0.0, 1.0, "ABS share at which leverage, shopping and marks are as configured")
    us: Regime
    china: Regime
    playbook: Playbook

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.spread_floor >= self.spread_cap:
            raise ValueError(f"spread_floor {self.spread_floor} must lie below spread_cap {self.spread_cap}")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """The copier must be simulated, and somebody whom it copies; base rates stay within their bounds."""
        for region in params.regions:
            rate = getattr(self, region).base_rate + getattr(self, region).rate_step
            if not 0.0 <= rate <= 0.25:
                yield f"{region}.rate_step takes the base rate to {rate:g} 1/year. Give a step that leaves it from 0 to 0.25."
        copier = self.playbook.copier
        if copier and copier not in params.regions:
            yield f"playbook.copier is {copier}, which is not among regions. Add it, or leave the copier empty."
        elif copier and len(params.regions) < 2:
            yield f"playbook.copier is {copier}, and regions has no other to copy. Add one, or leave the copier empty."


def holdings(book: Book, spread: float) -> np.ndarray:
    """Debt that investors want at a spread, USD (i,): mean-variance, up to the leverage that haircuts allow."""
    found = np.empty(len(book.capital))
    hold(found, spread, *book.schedule)
    return found


def carried(book: Book, spread: float, need: float) -> np.ndarray:
    """The same within mandates: no more than each one's limit of the ``need`` of all, USD (i,)."""
    found = np.empty(len(book.capital))
    carry(found, spread, need, book.limit, *book.schedule)
    return found


def base_rate(p: Regime, month: int) -> float:
    """Risk-free rate, 1/year; ``month`` since recording began."""
    return p.base_rate + (p.rate_step if month >= p.rate_month else 0.0)


def clearing_spread(p: Params, book: Book, need: float) -> float:
    """Spread at which holdings meet the debt outstanding and requested; the cap when capital cannot carry it."""
    room = np.empty(len(book.capital)), np.empty(ROOM)
    return float(meet(*room, p.spread_floor, p.spread_cap, need, book.limit, *book.schedule))


def clear(p: Params, quotes: dict[str, float], book: Book, debt: float, requested: float) -> dict[str, float]:
    """New terms of credit, and the spread at which holdings would clear now.

    Parameters
    ----------
    quotes : last month's spread, ration and refinancing
    debt : USD outstanding and committed
    requested : USD of new notes sought
    """
    spread = clearing_spread(p, book, debt + requested)
    capacity = total(carried(book, p.spread_cap, debt + requested))
    ration = 1.0
    if requested > 0.0:
        ration = min(max((capacity - debt) / requested, 0.0), 1.0)
    rolled = 1.0
    if debt > 0.0:
        rolled = min(max((capacity / debt - p.refinancing_floor) / (1.0 - p.refinancing_floor), 0.0), 1.0)
    return {
        "clearing": spread,
        "spread": quotes["spread"] + p.spread_speed * (spread - quotes["spread"]),
        "ration": quotes["ration"] + p.ration_speed * (ration - quotes["ration"]),
        "refinancing": quotes["refinancing"] + p.refinancing_speed * (rolled - quotes["refinancing"]),
    }


def novelty(p: Params, region: str, months: int) -> float:
    """Premium asked of an asset class that has no history; ``months`` since recording began."""
    premium: float = getattr(p, region).novelty_premium
    return premium * 2.0 ** (-max(months, 0) / p.novelty_half_life)


def months_of_proof(p: Playbook, before: int, leader: Market) -> int:
    """Months in a row in which the leader's channel was in use and its lenders lost little; ``before``, up to last month."""
    works = leader.abs_share >= p.proof_share and leader.loss_rate < p.proof_loss
    return before + 1 if works else 0


def copiers(p: Playbook, months: int, sponsors: int) -> int:
    """How many of a region's sponsors have copied ``months`` after the first could: a logistic curve, rounded."""
    if months < 0:
        return 0
    pace = 2.0 * math.log(9.0) / p.adoption  # from 1/10 to 9/10
    return math.floor(sponsors / (1.0 + 9.0 * math.exp(-pace * months)) + 0.5)


def within(wanted: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Holdings (i,) of the same sum, none above ``most`` (i,), which together hold all: the excess goes where there is room."""
    excess = total(np.maximum(wanted - most, 0.0))
    if excess <= 0.0:
        return wanted
    held = np.minimum(wanted, most)
    room = most - held
    return held + room * min(excess / max(total(room), 1e-300), 1.0)


def allot(book: Book, spread: float, debt: float, junior: float) -> tuple[np.ndarray, np.ndarray]:
    """Who should hold what: shares (i,) of the senior and of the junior class.

    Insurers and banks take seniors, levered credit the junior class; together each investor holds its clearing share.

    Parameters
    ----------
    debt, junior : USD of all notes, of which junior
    """
    wanted = holdings(book, spread)
    if total(wanted) <= 0.0:
        wanted = np.maximum(book.capital, 0.0)  # an investor without capital gets none
    if total(wanted) <= 0.0:
        wanted = np.ones_like(wanted)
    wanted = within(wanted / total(wanted) * debt, book.limit * debt)
    taste = wanted * book.mezzanine
    mezzanine = np.minimum(taste / max(total(taste), 1e-300) * junior, wanted)
    left = wanted - mezzanine
    gap = junior - total(mezzanine)
    if gap > 0.0 and total(left) > 0.0:
        mezzanine = mezzanine + left / total(left) * gap
        left = wanted - mezzanine
    return left / max(total(left), 1e-300), mezzanine / max(total(mezzanine), 1e-300)
