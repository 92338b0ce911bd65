"""Capacity meets demand: contract and spot rents of GPUs."""

import math

import numpy as np

from sim.units import Frozen, quantity


class Params(Frozen):
    """The rental market."""

    rent_speed: float = quantity("1/month", 0.01, 1.0, "share of the log gap to the clearing rent closed in a month")
    vintage_discount: float = quantity(
        "1", 0.0, 2.0, "log fall of a vintage's rent below the newest's per log gain of the frontier"
    )
    scarcity: float = quantity("1", 0.0, 5.0, "elasticity by which that discount shrinks when compute is scarce; 0: never")
    capacity_loss: float = quantity("share", 0.0, 1.0, "of that discount that is lost capacity, the rest a lower price")
    rent_start: float = quantity("share", 0.05, 2.0, "yearly rent of the newest unit over its cost, at the start")
    wear: float = quantity("1/year", 0.0, 0.5, "of units that fail")
    service_life: int = quantity("month", 36, 240, "after which a unit is retired")
    overhead: float = quantity("share", 0.0, 0.9, "of rent less running cost that management takes")
    cover: float = quantity("share", 0.0, 1.0, "of a deal's units let by take-or-pay contract")
    contract_term: int = quantity("month", 1, 240, "of the first contract")
    contract_discount: float = quantity("share", 0.0, 0.9, "of the first contract's rent below the one expected at delivery")
    renewal_term: int = quantity("month", 1, 240, "of the following ones")

    def first_rent(self, expected):
        """Rent of a first contract, USD/GPU/year: below the ``expected`` one, which falls while the contract does not."""
        return (1.0 - self.contract_discount) * expected


def discount(p: Params, tightness):
    """Log fall of a vintage's rent per log gain of the frontier: in a shortage buyers take whatever computes.

    ``tightness`` is demand at the normal rent over capacity.
    """
    return p.vintage_discount * tightness**-p.scarcity


def vintage_factor(discount, lag):
    """Rent of a vintage over that of the newest; ``lag`` is how far, in logs, the frontier has moved since."""
    return np.exp(-discount * lag)


def tightness(p: Params, scale: float, elasticity: float, training: float, capacity: float, unit_cost: float) -> float:
    """Demand, at a rent that stands to cost as at the start, over capacity; arguments as in ``clearing_rent``."""
    normal = p.rent_start * unit_cost
    return (scale * normal**-elasticity + training / normal) / capacity


def effective(p: Params, gpus, lag):
    """Units of a vintage in units of the newest."""
    return gpus * np.exp(-p.vintage_discount * p.capacity_loss * lag)


def clearing_rent(scale: float, elasticity: float, training: float, capacity: float, guess: float) -> float:
    """Rent at which inference ``scale * rent ** -elasticity`` plus ``training / rent`` fills capacity; Newton steps in logs.

    Parameters
    ----------
    scale : USD/GPU/year ** elasticity * GPU
    training : USD/year
    capacity : effective GPU, above zero
    guess : USD/GPU/year
    """
    log_rent = math.log(guess)
    for _ in range(50):
        rent = math.exp(log_rent)
        inference, trained = scale * rent**-elasticity, training / rent
        demand = inference + trained
        step = math.log(demand / capacity) * demand / (elasticity * inference + trained)
        log_rent += step
        if abs(step) < 1e-13:
            break
    return math.exp(log_rent)


def approach(p: Params, rent: float, clearing: float) -> float:
    """Posted rents move part of the way to the clearing one."""
    return math.exp((1.0 - p.rent_speed) * math.log(rent) + p.rent_speed * math.log(clearing))


def expected_rent(rent: float, pipeline: float, capacity: float, elasticity: float, growth: float, years: float) -> float:
    """Rent a buyer expects at delivery: today's, less what the pipeline will add, plus demand's growth until then."""
    return rent * (1.0 + pipeline / capacity) ** (-1.0 / elasticity) * math.exp(growth / elasticity * years)
