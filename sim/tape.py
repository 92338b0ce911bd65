"""The tape: public facts as of the last clearing, all an agent may know of others. Replaced, never edited."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rules:
    """What binds a region's sponsors and lenders now, and what they know to come."""

    kept: float = 0.0  # share of the notes of new deals that sponsors must keep
    charge: float = 0.0  # 1/year asked for the capital that investors' notes tie up, by regulation
    disclosed: bool = False  # what sponsors stand behind is known at once
    closed: tuple[str, ...] = ()  # channels in which nothing closes
    barred: tuple[str, ...] = ()  # of them those in which nothing is refinanced either
    ahead: int = 0  # months until a rule that is announced takes effect; 0: none is
    coming: tuple[str, ...] = ()  # channels that it concerns
    alarm: float = 0.0  # 1/year that investors, warned, add to the losses they expect


@dataclass(frozen=True)
class Market:
    """One region's public facts. USD, GPU (H100-equivalents), 1/year; rent and costs in USD/GPU/year."""

    region: str
    base_rate: float
    # compute
    rent: float  # of the newest vintage, full use
    rent_month_ago: float
    expected_rent: float  # at delivery of what is ordered now
    utilisation: float  # share of spot capacity in use
    tightness: float  # demand at the normal rent over capacity
    vintage_discount: float  # log fall of a vintage's rent per log gain of the frontier
    vintage_discount_month_ago: float
    capacity: float  # effective GPU
    levered_capacity: float  # of which financed by deals
    own_share: float  # of the cost of new capacity that operators pay; landlords pay the rest
    site_rent: float  # that operators then pay landlords, share of unit cost a year
    unit_cost: float  # USD/GPU, all in
    running_cost: float
    quality: float  # what a token is worth to users, of one made on the frontier's chips
    # tokens
    demand: float  # USD/GPU/year ** elasticity * GPU: scale of inference demand
    demand_shock: float  # log
    path_growth: float  # of that scale, as promised
    demand_growth: float  # the same as those who plan extrapolate it
    inference: float  # USD/year, compute bill of inference at the posted rent
    training: float  # USD/year
    depreciation_seen: float  # 1/year, six-month mean of a vintage's rent decline
    # credit
    spread: float
    advance_senior: float
    advance_mezzanine: float
    ration: float  # share of new requests that capital can carry
    refinancing: float  # share of maturing debt that can be rolled
    liquidated: float  # share of capacity sold by deals in liquidation, 1/year
    fire_sale: float  # discount on collateral sold
    # opinions
    depreciation_belief: float
    depreciation_view: float  # operators' mean
    dispersion: float
    recovery_belief: float  # agencies' mean, share of market value that a forced sale fetches
    structured_senior: float  # share of cost, largest senior class that reaches its letter
    structured_debt: float  # the same of all classes
    loss_rate: float  # twelve-month mean, 1/year of debt
    abs_share: float  # of deals placed as securities
    spent: float  # USD of the last month's capital spending, sovereigns' own left out
    ltv_addon: float
    novelty: float  # premium asked of a new asset class
    rules: Rules


@dataclass(frozen=True)
class Tape:
    """All regions and the world's frontier at one month."""

    month: int
    years: float  # since recording began; 0 during burn-in
    frontier: float  # log performance per dollar
    frontier_growth: float
    frontier_next: float  # growth on the vendor's roadmap, reached with the second lag
    frontier_trend: float  # two-year mean of growth
    frontier_step: float  # this month's log gain
    half_life: float  # years, of a model's lead
    race: float  # labs' training against trend, smoothed, log
    training_trend: float  # log USD/year
    revenue_trend: float  # log USD/year
    revenue: float  # log USD/year, vendor's, six-month mean
    proof: int  # months in a row in which the copied channel has worked
    proven: int  # month, after recording began, in which its proof was complete; -1: not yet
    demand_half_life: float  # years, of the slowing of demand's growth
    markets: dict[str, Market]

    def __getitem__(self, region: str) -> Market:
        return self.markets[region]

    def publish(self, region: str | None = None, **facts: Any) -> "Tape":
        """A new tape with some facts changed."""
        if region is None:
            return changed(self, facts)
        return changed(self, {"markets": {**self.markets, region: changed(self.markets[region], facts)}})


def changed[Page](page: Page, facts: dict[str, Any]) -> Page:
    """A page with some facts changed; ``dataclasses.replace`` without its detour through the constructor."""
    if not facts.keys() <= vars(page).keys():
        raise TypeError(f"{type(page).__name__} has no {sorted(facts.keys() - vars(page).keys())}")
    other = object.__new__(type(page))
    vars(other).update(vars(page) | facts)
    return other
