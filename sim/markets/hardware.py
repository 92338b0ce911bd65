"""Generations of hardware: price-performance, list prices, cadence."""

import math
from collections.abc import Iterable
from typing import Any, Self

from pydantic import model_validator

from sim.tape import Tape
from sim.units import MONTHS, Frozen, quantity


class Wedge(Frozen):
    """What differs by region."""

    import_premium: float = quantity("1", 0.5, 5.0, "unit cost relative to the world's list price")
    quality: float = quantity(
        "share", 0.05, 1.0, "what a token is worth to users, of one made on the frontier's chips; 1: the same"
    )
    power: float = quantity("1", 0.2, 10.0, "running cost relative to that of the frontier's chips; 1: the same")


class Params(Frozen):
    """Technology of chips and shells."""

    performance_growth: float = quantity("1/year", 0.0, 1.0, "trend growth of log performance per dollar")
    launch_noise: float = quantity("1/year", 0.0, 2.0, "standard deviation of monthly growth, annualised by twelve")
    cadence_elasticity: float = quantity("1", 0.0, 4.0, "of growth to vendor revenue over its trend; 0: steady")
    cadence_lag: float = quantity("month", 1.0, 120.0, "from revenue to roadmap, and again to launches")
    cadence_slowdown: float = quantity("1", 1.0, 50.0, "times the lag when cadence falls: roadmaps are committed")
    cadence_floor: float = quantity("1/year", 0.0, 1.0, "least growth")
    cadence_cap: float = quantity("1/year", 0.0, 3.0, "most growth")
    trend_memory: float = quantity("month", 6.0, 600.0, "in which a new level of revenue becomes the trend")
    unit_cost: float = quantity("USD/GPU", 1e2, 1e6, "all-in cost of the newest unit at the start of burn-in")
    running_cost: float = quantity("share", 0.0, 0.5, "of unit cost, a year, at the start of burn-in")
    running_cost_decline: float = quantity("1", 0.0, 2.0, "log fall of running cost per log gain of performance per dollar")
    hardware_share: float = quantity("share", 0.01, 1.0, "of the unit cost that is the vendor's; the rest is shell and power")
    surprise: float = quantity("1", 0.0, 3.0, "log gain of one generation that leaps beyond the trend")
    surprise_month: int = quantity("month", 0, 2400, "of its launch, after recording begins")
    us: Wedge
    china: Wedge

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.cadence_floor > self.cadence_cap:
            raise ValueError(f"cadence_floor {self.cadence_floor} must not exceed cadence_cap {self.cadence_cap}")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """A unit must earn more than it costs to run."""
        rent = params.sim.markets.compute.rent_start
        for region in params.regions:
            running = self.running(region)
            if running >= rent:
                yield (
                    f"running_cost times {region}.power is {running:g} and must lie below sim.markets.compute.rent_start {rent}, "
                    "or no unit runs"
                )

    def cost(self, region: str) -> float:
        """Unit cost at the start, USD/GPU."""
        wedge: Wedge = getattr(self, region)
        return self.unit_cost * wedge.import_premium

    def running(self, region: str) -> float:
        """Running cost at the start, share of unit cost a year."""
        wedge: Wedge = getattr(self, region)
        return self.running_cost * wedge.power


def cadence(p: Params, tape: Tape, revenue: float) -> Tape:
    """The vendor's roadmap follows its revenue relative to trend, fast up and slowly down.

    Parameters
    ----------
    revenue : USD/year of hardware shipped in the world this month
    """
    smooth = tape.revenue + (math.log(max(revenue, 1.0)) - tape.revenue) / 6.0
    gap = smooth - tape.revenue_trend
    wanted = p.performance_growth * math.exp(p.cadence_elasticity * gap)
    lag = p.cadence_lag * (1.0 if wanted > tape.frontier_next else p.cadence_slowdown)
    roadmap = tape.frontier_next + (wanted - tape.frontier_next) / lag
    growth = tape.frontier_growth + (roadmap - tape.frontier_growth) / p.cadence_lag
    bounded = growth if p.cadence_elasticity == 0.0 else min(max(growth, p.cadence_floor), p.cadence_cap)
    return tape.publish(revenue=smooth, frontier_next=roadmap, frontier_growth=bounded)


def follow(trend: float, level: float, growth: float, memory: float) -> float:
    """A log trend grows at its own pace and drifts towards the level."""
    return trend + growth / MONTHS + (level - trend) / memory


def launch(p: Params, tape: Tape, growth: float, noise: float, month: int) -> Tape:
    """A month of progress: the frontier moves, unit and running costs fall with it; ``month`` since recording began."""
    leap = p.surprise if month == p.surprise_month else 0.0
    step = (growth + p.launch_noise * noise) / MONTHS + leap
    moved = tape.publish(
        frontier=tape.frontier + step,
        frontier_step=step,
        frontier_trend=tape.frontier_trend + (growth - tape.frontier_trend) / 24.0,
    )
    for region, market in tape.markets.items():
        moved = moved.publish(
            region,
            unit_cost=market.unit_cost * math.exp(-step),
            running_cost=market.running_cost * math.exp(-p.running_cost_decline * step),
        )
    return moved
