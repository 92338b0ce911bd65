"""Users' demand for inference, model quality and labs' shares."""

import math

import numpy as np

from sim.sums import mean, total
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity


class Ceiling(Frozen):
    """What users of a region can spend on compute."""

    us: float = quantity("USD/year", 0.0, 1e18, "most compute bill of inference, January 2023; 0: no bound")
    china: float = quantity("USD/year", 0.0, 1e18, "most compute bill of inference, January 2023; 0: no bound")
    growth: float = quantity("1/year", -0.1, 0.3, "at which it grows, as incomes do")
    sharpness: float = quantity("1", 0.5, 20.0, "power of the bill over the most by which growth is braked; 1: logistic growth")

    def at(self, region: str, years: float) -> float:
        """USD/year, ``years`` after January 2023."""
        return float(getattr(self, region) * math.exp(self.growth * years))


class Params(Frozen):
    """Demand for tokens and the race of models."""

    growth_before: float = quantity("1/year", -0.5, 2.0, "growth of inference demand at a given rent, before it turns")
    growth_month: int = quantity("month", -240, 2400, "in which it turns, after recording begins; below zero: before")
    growth_start: float = quantity("1/year", -0.5, 2.0, "the same once it has turned")
    growth_end: float = quantity("1/year", -0.5, 1.0, "the same in the long run")
    growth_half_life: float = quantity("year", 0.1, 50.0, "of the way from the first to the second")
    ceiling: Ceiling
    shock: float = quantity("1", 0.0, 1.0, "monthly standard deviation of log demand")
    shock_persistence: float = quantity("1/month", 0.0, 0.999, "of the demand shock")
    elasticity: float = quantity("1", 1.01, 5.0, "price elasticity of demand for compute")
    cross_elasticity: float = quantity("1", 0.0, 3.0, "of demand to the rent abroad, scaled by the other region's capacity")
    half_life: float = quantity("year", 0.1, 10.0, "of a model's lead when nobody races")
    race_effect: float = quantity("1", 0.0, 5.0, "log fall of the half-life per log training over trend")
    race_lag: float = quantity("month", 1.0, 120.0, "from training budgets to shorter leads")
    race_slowdown: float = quantity("1", 1.0, 50.0, "times the lag when the race slows")
    race_memory: float = quantity("month", 6.0, 600.0, "in which a new level of training becomes the trend")
    margin: float = quantity("1", 0.0, 3.0, "labs' mark-up on their compute bill at the undisturbed half-life")
    margin_effect: float = quantity("1", 0.0, 3.0, "elasticity of the mark-up to the half-life")
    worth_rate: float = quantity("1/year", 0.01, 1.0, "discount rate of a model's margin")
    training_effect: float = quantity("1/year", 0.0, 5.0, "quality gained per log training over the mean lab")
    quality_noise: float = quantity("1", 0.0, 3.0, "standard deviation of lasting quality differences")
    choice: float = quantity("1", 0.0, 10.0, "sensitivity of users to quality")
    applications: float = quantity("1", 0.0, 1e9, "viable at the price of inference of the start; 0: not counted")
    setback: float = quantity("share", 0.0, 0.99, "of demand that never comes, against the path")
    setback_month: int = quantity("month", 0, 2400, "when it begins to show, after recording begins")
    setback_length: int = quantity("month", 1, 240, "over which it shows in full")


def growth(p: Params, years: float, half_life: float) -> float:
    """Growth of demand at a given rent, 1/year, ``years`` after it turned (below zero: before)."""
    if years < 0.0:
        return p.growth_before
    return p.growth_end + (p.growth_start - p.growth_end) * 2.0 ** (-years / half_life)


def nominal_growth(p: Params, demand_growth: float, frontier: float) -> float:
    """Growth of what users and labs spend on compute, 1/year."""
    return demand_growth + (p.elasticity - 1.0) * frontier


def kept(p: Params, month: int) -> float:
    """Demand over its path, for part of it never comes."""
    shown = min(max((month - p.setback_month) / p.setback_length, 0.0), 1.0)
    return (1.0 - p.setback) ** shown


def braked(p: Params, growth: float, frontier: float, bill: float, most: float) -> float:
    """Growth of demand, 1/year, when users pay ``bill`` of the ``most`` they can, USD/year: at that, as incomes."""
    if most <= 0.0:
        return growth
    return growth - (bill / most) ** p.ceiling.sharpness * max(nominal_growth(p, growth, frontier) - p.ceiling.growth, 0.0)


def demand(p: Params, market: Market, foreign: Market | None, month: int) -> float:
    """Scale of inference demand, shocks and rents abroad included; tokens that are cheap for what they are worth take demand."""
    scale = market.demand * math.exp(market.demand_shock)
    scale *= kept(p, month)
    if foreign is None:
        return scale
    weight = foreign.capacity / (market.capacity + foreign.capacity)
    dear = (market.rent / market.quality) / (foreign.rent / foreign.quality)
    return scale * dear ** (-p.cross_elasticity * weight)


def half_life(p: Params, growth: float, trend: float, race: float) -> float:
    """Years in which a model loses half its lead: shorter when hardware or labs run faster than trend."""
    hardware = (trend / growth) ** 0.5 if growth > 0.0 and trend > 0.0 else 1.0
    return p.half_life * hardware * math.exp(-p.race_effect * min(max(race, -0.8), 1.0))


def mark_up(p: Params, life: float) -> float:
    """Labs' margin over their compute bill: a faster race erodes it."""
    return p.margin * (life / p.half_life) ** p.margin_effect


def price(p: Params, rent: float, life: float) -> float:
    """What users pay for a year of compute, USD/GPU/year: rent and labs' margin."""
    return rent * (1.0 + mark_up(p, life))


def viable(p: Params, price: float, initial: float) -> float:
    """Applications worth more than inference costs.

    Their worth is Pareto distributed. The tail is the elasticity of demand: who uses compute at a price is who it pays for.
    """
    return p.applications * (price / initial) ** -p.elasticity


def model_worth(p: Params, life: float) -> float:
    """Present value of a model's decaying margin, relative to the undisturbed one."""
    decay = math.log(2.0)
    margin = mark_up(p, life) / p.margin if p.margin > 0.0 else 1.0
    return margin * (p.worth_rate + decay / p.half_life) / (p.worth_rate + decay / life)


def improve(p: Params, quality: np.ndarray, training: np.ndarray, life: float, noise: np.ndarray) -> np.ndarray:
    """Quality (n,) after a month: training buys it, the race decays it."""
    if not len(quality):
        return quality
    active = training > 0.0
    effort = np.log(np.where(active, training, 1.0))
    usual = mean(effort[active]) if active.any() else 0.0
    ahead = np.where(active, effort - usual, 0.0)
    gained = p.training_effect * ahead - math.log(2.0) / life * quality
    return quality + gained / MONTHS + p.quality_noise / math.sqrt(MONTHS * life) * noise


def shares(p: Params, quality: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Labs' shares of users (n,): logit in quality."""
    pull = weight * np.exp(p.choice * quality)
    return pull / total(pull)
