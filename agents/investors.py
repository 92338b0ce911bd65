"""Investors: insurers and banks, real money, levered private credit; in China banks' wealth products, insurers, brokers."""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from agents.party import Party
from sim.orders import Bid
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity


class Style(Frozen):
    """One kind of investor."""

    name: Literal[
        "insurers_banks",
        "real_money",
        "private_credit",
        "wealth_products",
        "insurers",
        "securities_firms",
        "distressed_funds",
    ]
    count: int = quantity("1", 0, 100, "investors of the kind")
    size: float = quantity("1", 0.0, 100.0, "capital of each, relative")
    aversion: float = quantity("1", 0.05, 20.0, "risk aversion, relative")
    leverage: float = quantity("1", 0.05, 10.0, "leverage for the same haircut, relative")
    marking: float = quantity("share", 0.0, 1.0, "of market price changes that count in its capital")
    mezzanine: float = quantity("1", 0.0, 100.0, "appetite for the junior class, relative")
    hurdle: float = quantity("1/year", 0.0, 0.5, "excess return asked beyond what its region asks")
    committed: float = quantity(
        "share", 0.0, 5.0, "of the region's notes, the kind together: capital that savers pay in when it buys; 0: it keeps its own"
    )
    target: float = quantity("1/year", 0.0, 0.5, "yield it has promised at the start, over the base rate")
    charge_senior: float = quantity("share", 0.0, 1.0, "of seniors, capital that its rules ask")
    charge_junior: float = quantity("share", 0.0, 1.0, "of the junior class, capital that its rules ask")
    lowest: int = quantity("notch", 0, 20, "below Aaa: least letter that its mandate allows the junior class")
    limit: float = quantity("share", 0.01, 1.0, "most of the region's notes that mandates allow the kind to hold")


class Population(Frozen):
    """A region's investors."""

    hurdle: float = quantity("1/year", 0.0, 0.5, "excess return asked over expected loss")
    kinds: tuple[Style, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not sum(style.count * style.size for style in self.kinds) > 0.0:
            raise ValueError("no kind has both a count and a size above zero: give at least one")
        room = sum(style.limit for style in self.kinds if style.count > 0)
        if room < 1.0:
            raise ValueError(f"limits of all kinds add up to {room:g} of the notes: give limits that add up to 1 at least")
        return self


class Seeking(Frozen):
    """Reaching for yield: what investors do when markets pay less than they have promised."""

    memory: float = quantity("month", 1.0, 600.0, "in which the promised yield follows the yield on offer")
    aversion: float = quantity("year", 0.0, 200.0, "log fall of risk aversion per unit of yield short of the promise; 0: none")
    junior: float = quantity("year", 0.0, 500.0, "log rise of the appetite for the junior class per unit of it; 0: none")
    capital_cost: float = quantity("1/year", 0.0, 1.0, "asked for the capital that charges tie up; 0: charges do not matter")
    mandates: Literal["ignored", "kept"]  # lowest letters and limits


class Params(Frozen):
    """How investors judge, borrow and are funded."""

    start_capital: float = quantity("share", 0.0, 5.0, "capital at the start, of debt")
    risk_aversion: float = quantity("1", 0.1, 100.0, "in mean-variance demand")
    haircut: float = quantity("share", 0.001, 1.0, "lenders' haircut without risk")
    haircut_risk: float = quantity("1", 0.0, 50.0, "added haircut per standard deviation of loss")
    leverage_cap: float = quantity("1", 1.0, 50.0, "most holdings per unit of capital")
    abs_leverage: float = quantity("1", 0.0, 5.0, "added leverage per unit of ABS share above neutral")
    abs_relief: float = quantity("1/year", 0.0, 0.1, "fall of the hurdle per unit of ABS share above neutral")
    abs_marking: float = quantity("1", 0.0, 5.0, "added marking per unit of ABS share above neutral")
    start_loss_belief: float = quantity("1/year", 0.0, 0.5, "expected loss at the start, and of new notes")
    start_volatility: float = quantity("1/year", 0.001, 1.0, "standard deviation of loss at the start")
    loss_learning: float = quantity("1/month", 0.0, 1.0, "of expected loss when losses exceed it")
    forgetting: float = quantity("1", 0.0, 2.0, "times that when they fall short")
    volatility_learning: float = quantity("1/month", 0.0, 1.0, "of the variance of loss")
    volatility_floor: float = quantity("1/year", 0.0001, 1.0, "standard deviation of loss in a quiet world")
    loss_dispersion: float = quantity("1", 0.0, 10.0, "variance learned per squared monthly loss rate, annualised")
    loss_cap: float = quantity("1/year", 0.01, 10.0, "annualised monthly loss beyond which volatility learns no more")
    ambiguity: float = quantity("1", 0.0, 5.0, "weight of the dispersion of depreciation opinions in risk")
    trend_flow: float = quantity("1", 0.0, 3.0, "inflow per unit of trend growth of compute spending")
    chase: float = quantity("1", 0.0, 10.0, "inflow per unit of trailing return over the normal one")
    normal_return: float = quantity("1/year", -0.2, 1.0, "excess return at which savers do not chase")
    return_memory: float = quantity("month", 1.0, 120.0, "of trailing returns")
    redemption: float = quantity("1", 0.0, 50.0, "outflow per unit of the loss rate, for investors who mark in full")
    inflow_cap: float = quantity("1/year", 0.0, 5.0, "largest log growth of capital by inflow")
    outflow_cap: float = quantity("1/year", 0.0, 5.0, "largest log fall of capital by redemption")
    reach: float = quantity("1", 0.0, 1.0, "fall of risk aversion when the base rate goes from calm to zero")
    calm_rate: float = quantity("1/year", 0.001, 0.2, "base rate below which investors reach for yield")
    borrowing_spread: float = quantity("1/year", 0.0, 0.1, "over the base rate, paid to banks")
    fee: float = quantity("share", 0.0, 1.0, "of positive excess income kept by managers")
    failure: float = quantity("share", 0.0, 0.5, "capital over holdings below which new owners must come")
    restart: float = quantity("share", 0.001, 0.9, "capital over holdings that new owners bring")
    seeking: Seeking
    us: Population
    china: Population

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.failure >= self.restart:
            raise ValueError(f"failure {self.failure} must lie below restart {self.restart}")
        return self


class Investor(Party):
    """One investor's beliefs; its capital and holdings are handed in."""

    kind = "investor"

    def __init__(self, *args, style: Style, beliefs: tuple[float, float] = (0.0, 0.0), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.style = style
        self.loss_belief, self.loss_volatility = beliefs  # 1/year
        self.trailing = self.params.normal_return  # excess return, 1/year
        self.promised = math.nan  # yield, 1/year; set when it first sees a market

    def learn(self, loss_rate: float, seasoned: float) -> None:
        """Expected loss rises fast and fades slowly; volatility remembers large months.

        Parameters
        ----------
        loss_rate : 1/year, this month's, on notes outstanding
        seasoned : their share of all notes a year from now: of the rest, new ones, a calm loss is expected
        """
        p = self.params
        loss_rate = seasoned * loss_rate + (1.0 - seasoned) * p.start_loss_belief
        gap = loss_rate - self.loss_belief
        self.loss_belief += p.loss_learning * (1.0 if gap > 0.0 else p.forgetting) * gap
        news = min(loss_rate, p.loss_cap) ** 2 * p.loss_dispersion + p.volatility_floor**2
        self.loss_volatility = math.sqrt(self.loss_volatility**2 + p.volatility_learning * (news - self.loss_volatility**2))

    def call(self, capital: float, holds: float) -> float:
        """Committed money that savers pay in for what it holds, or get back (below zero), USD."""
        return holds - capital

    def flow(self, excess: float, capital: float, loss_rate: float, trend: float) -> float:
        """Savers' money in (or out, below zero), USD this month.

        Parameters
        ----------
        excess : USD of return above the base rate this month
        capital : USD at the start of it
        loss_rate : 1/year, market's twelve-month mean
        trend : 1/year, growth of spending on compute
        """
        p = self.params
        month_return = min(max(excess * MONTHS / capital, -2.0), 1.0) if capital > 0.0 else 0.0
        self.trailing += (month_return - self.trailing) / p.return_memory
        chased = min(max(p.trend_flow * trend + p.chase * (self.trailing - p.normal_return), -0.5), 0.8)
        pace = chased - p.redemption * loss_rate * self.style.marking
        return capital * math.expm1(min(max(pace, -p.outflow_cap), p.inflow_cap) / MONTHS)

    def shortfall(self, market: Market, loss: float) -> float:
        """Yield by which the market, after expected ``loss``, misses what it has promised, 1/year; the promise gives way slowly."""
        offered = market.base_rate + market.spread - loss
        if math.isnan(self.promised):
            self.promised = market.base_rate + self.style.target
        self.promised += (offered - self.promised) / self.params.seeking.memory
        return max(self.promised - offered, 0.0)

    def junior_appetite(self, short: float, letter: float, charge: float = 0.0) -> float:
        """Appetite for the junior class, relative: more when yield is ``short``, less for capital, none below its mandate.

        Parameters
        ----------
        short : 1/year
        letter : mean letter of the class, notches below Aaa
        charge : 1/year that a regulator asks for the capital that it ties up, beyond what is asked anyway
        """
        p, style = self.params.seeking, self.style
        if p.mandates == "kept" and letter > style.lowest:
            return 0.0
        cost = p.capital_cost + charge
        return style.mezzanine * math.exp(p.junior * (short - cost * (style.charge_junior - style.charge_senior)))

    def bid(
        self,
        market: Market,
        capital: float,
        dispersion: float,
        loss: float,
        volatility: float,
        lean: float,
        letter: float,
    ) -> Bid:
        """What it would hold at any spread.

        Parameters
        ----------
        capital : USD, by its own accounting
        dispersion : of depreciation opinions, 1/year
        loss, volatility : beliefs as transmitted, 1/year
        lean : ABS share over the neutral one
        letter : mean letter of the junior class, notches below Aaa
        """
        short = self.shortfall(market, loss)
        p, style = self.params, self.style
        variance = volatility**2 + (p.ambiguity * dispersion) ** 2
        haircut = p.haircut + p.haircut_risk * math.sqrt(variance)
        leverage = min(style.leverage * (1.0 + p.abs_leverage * lean) / haircut, p.leverage_cap)
        reach = 1.0 - p.reach * max(p.calm_rate - max(market.base_rate, 0.0), 0.0) / p.calm_rate
        aversion = p.risk_aversion * reach * style.aversion * math.exp(-p.seeking.aversion * short)
        cost = p.seeking.capital_cost + market.rules.charge
        return Bid(
            investor=self.party,
            capital=max(capital, 0.0),
            loss_belief=loss + market.rules.alarm,
            hurdle=getattr(p, self.region).hurdle
            + style.hurdle
            + market.novelty
            - p.abs_relief * lean
            + cost * style.charge_senior,
            price_of_risk=aversion * variance,
            leverage=leverage,
            mezzanine=self.junior_appetite(short, letter, market.rules.charge),
            limit=style.limit / max(style.count, 1) if p.seeking.mandates == "kept" else 1.0,
        )
