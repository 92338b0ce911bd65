"""Funds whose savers may ask their money back: what is asked, what gates let out, what sales under pressure cost."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np

from sim.sums import total
from sim.units import MONTHS, Frozen, quantity

ROUNDS = 1000  # of sales at falling prices; a round changes less than the one before


class Terms(Frozen):
    """What one kind of fund has promised its savers."""

    liquid: float = quantity("share", 0.0, 1.0, "of its capital that savers may ask back; 0: none")
    gate: float = quantity("share", 0.0, 1.0, "of its value that it pays back in a period at most; 1: no gate")
    period: int = quantity("month", 1, 24, "of the gate")
    smoothing: float = quantity("1/month", 0.0, 1.0, "of the way from the value it shows to the market's that it goes in a month")
    buck: float = quantity("share", 0.0, 1.0, "of its value by which the market may be lower before it shows the market's; 1: any")
    line: float = quantity("share", 0.0, 2.0, "of its value that banks have committed to lend it for its savers")
    fear: float = quantity("1/month", 0.0, 20.0, "asked back, per share of the shown value that is not there")
    unrelated: float = quantity("share", 0.0, 0.95, "of its own money in loans that have nothing to do with compute")


class Run(Frozen):
    """A run by script."""

    region: Literal["", "us", "china"]  # where; empty: none
    investor: int = quantity("1", 0, 99, "place of the fund among the region's investors whose savers may ask back, from 0")
    month: int = quantity("month", 0, 2400, "of the run, after recording begins")
    share: float = quantity("share", 0.0, 1.0, "of what its savers may ask back that they ask back at once")


class Params(Frozen):
    """Requests after Goldstein, Jiang and Ng (2017); prices under pressure after Shleifer and Vishny (1992)."""

    private_credit: Terms
    wealth_products: Terms
    gains: float = quantity("1", 0.0, 20.0, "paid in in a year, per unit of return above the expected one")
    losses: float = quantity("1", 0.0, 20.0, "asked back in a year, per unit of return below the expected one")
    expected: float = quantity("1/year", -0.2, 1.0, "return over the base rate for which savers hold still")
    memory: float = quantity("month", 1.0, 120.0, "of the returns they look at")
    alarm: float = quantity("1/month", 0.0, 20.0, "asked back, per share of the value that waits already")
    most: float = quantity("1/month", 0.0, 1.0, "most that is asked back, share of what may be")
    called: float = quantity("1/month", 0.0, 1.0, "of what banks have lent beyond their limits that they call")
    impact: float = quantity("1", 0.0, 50.0, "log fall of prices per share of the market's depth that is sold under pressure")
    thin: float = quantity("share", 0.001, 1.0, "depth over market when no other holder can take more")
    heal: float = quantity("1/month", 0.0, 1.0, "of that fall that is made up in a month")
    unrelated_yield: float = quantity("1/year", 0.0, 0.5, "of unrelated loans over the base rate, passed on to savers")
    unrelated_life: float = quantity("month", 1.0, 360.0, "in which they are repaid, where they are not lent again")
    unrelated_depth: float = quantity("1", 1.0, 1000.0, "market of such loans, relative to what funds hold and have sold")
    run: Run

    def terms(self, kind: str) -> Terms | None:
        """Of a kind of investors; None where its savers have no right to their money."""
        found: Terms | None = getattr(self, kind, None) if kind in ("private_credit", "wealth_products") else None
        return found if found is not None and found.liquid > 0.0 else None

    def conflicts(self, params: Any) -> Iterable[str]:
        """A run by script needs a fund, in a region that is simulated."""
        run = self.run
        if not run.region:
            return
        if run.region not in params.regions:
            yield f"run.region is {run.region}, which is not among regions. Add it, or leave run.region empty."
            return
        kinds = getattr(params.agents.investors, run.region).kinds
        funds = sum(style.count for style in kinds if self.terms(style.name) is not None)
        if run.investor >= funds:
            yield (
                f"run.investor is {run.investor}, and {run.region} has {funds} investors whose savers may ask back, from 0. "
                "Set liquid of one of its kinds above 0, or name another fund."
            )


class Rules(NamedTuple):
    """Terms of several funds as columns (f,)."""

    liquid: np.ndarray
    gate: np.ndarray
    period: np.ndarray
    smoothing: np.ndarray
    buck: np.ndarray
    line: np.ndarray
    fear: np.ndarray
    unrelated: np.ndarray

    @classmethod
    def of(cls, terms: list[Terms]) -> "Rules":
        """Columns of a list of terms."""
        return cls(*(np.array([getattr(t, name) for t in terms]) for name in cls._fields))


def requests(p: Params, rules: Rules, value: np.ndarray, waits: np.ndarray, trailing: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """What savers ask back this month, USD (f,): more after poor returns, when others wait, and when the value shown is not there.

    Parameters
    ----------
    value, worth : what a fund shows, and what it would fetch at market prices, USD
    waits : asked back before and not yet paid, USD
    trailing : return over the base rate, 1/year
    """
    shown = np.maximum(value, 0.0)
    hollow = np.divide(shown - worth, shown, out=np.zeros_like(shown), where=shown > 0.0)
    queue = np.divide(waits, shown, out=np.zeros_like(shown), where=shown > 0.0)
    rate = p.losses * np.maximum(p.expected - trailing, 0.0) / MONTHS
    rate = rate + rules.fear * np.maximum(hollow, 0.0) + p.alarm * queue
    return np.maximum(rules.liquid * shown - waits, 0.0) * np.minimum(rate, p.most)


def arrivals(p: Params, trailing: float, trend: float, most: float) -> float:
    """What savers pay in this month, share of what may be asked back: they follow ``trend``, 1/year, and good returns."""
    return float(np.expm1(min(max(trend + p.gains * max(trailing - p.expected, 0.0), 0.0), most) / MONTHS))


def room(rules: Rules, start: np.ndarray, paid: np.ndarray) -> np.ndarray:
    """What gates still let out, USD (f,), of the value at the ``start`` of the period when ``paid`` (f,) has gone."""
    left = np.maximum(rules.gate * np.maximum(start, 0.0) - paid, 0.0)
    return np.where(rules.gate < 1.0, left, np.inf)


def sources(due: np.ndarray, cash: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where what is ``due`` (f,) comes from, USD: cash, then the bank's line as far as it goes, then sales."""
    own = np.minimum(due, np.maximum(cash, 0.0))
    drawn = np.minimum(due - own, np.maximum(line, 0.0))
    return own, drawn, due - own - drawn


def depth(p: Params, market: float, held: np.ndarray, spare: np.ndarray) -> float:
    """What bears a sale, USD: the market, shrunk as its other holders, who hold ``held`` (i,), lack room for as much again."""
    whole = total(held)
    able = total(np.minimum(held, np.maximum(spare, 0.0))) / whole if whole > 0.0 else 0.0
    return market * max(able, p.thin)


def kept(p: Params, sold: float, bears: float) -> float:
    """Part of the price that is left when ``sold`` USD come to a market of depth ``bears`` USD under pressure."""
    return float(np.exp(-p.impact * sold / bears)) if sold > 0.0 else 1.0


def sales(
    p: Params, need: np.ndarray, notes: np.ndarray, other: np.ndarray, bears: tuple[float, float]
) -> tuple[np.ndarray, float, float]:
    """The same share (f,) of all it holds that each fund sells to raise ``need`` (f,), and what is left of both prices.

    All sell at once, at the prices that this leaves: the less these are, the more must go, up to everything.

    Parameters
    ----------
    notes, other : what each holds at today's prices, USD
    bears : depth of both markets, USD
    """
    share = np.zeros_like(need)
    for _ in range(ROUNDS):
        left = _left(p, share, notes, other, bears)
        fetched = notes * left[0] + other * left[1]
        wanted = np.minimum(np.divide(need, fetched, out=np.zeros_like(need), where=fetched > 0.0), 1.0)
        if (wanted <= share).all():
            break
        share = np.maximum(share, wanted)
    return share, *_left(p, share, notes, other, bears)


def _left(p: Params, share: np.ndarray, notes: np.ndarray, other: np.ndarray, bears: tuple[float, float]) -> tuple[float, float]:
    return kept(p, total(share * notes), bears[0]), kept(p, total(share * other), bears[1])
