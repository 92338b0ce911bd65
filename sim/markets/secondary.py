"""Marks, forced sales and what collateral fetches."""

import numpy as np

from sim.kernels.rents import rent_value
from sim.sums import total
from sim.units import Frozen, quantity


class Params(Frozen):
    """Prices of notes and of used hardware."""

    turnover: float = quantity("1/month", 0.0, 1.0, "share of unwanted holdings sold in a month")
    sale_rate: float = quantity("1/year", 0.0, 1.0, "buyers' discount rate for used hardware")
    sale_years: float = quantity("year", 0.25, 10.0, "of rent that buyers of used hardware count")
    parity: float = quantity("share", 0.1, 1.0, "most a used unit fetches of its capacity bought new")
    fire_sale: float = quantity("share", 0.0, 0.95, "discount when little is sold")
    fire_sale_impact: float = quantity("1", 0.0, 20.0, "added discount per share of capacity sold a year")
    fire_sale_cap: float = quantity("share", 0.0, 0.99, "largest discount")
    fire_sale_memory: float = quantity("1/month", 0.01, 1.0, "share of the way moved in a month")


def capped_value(p: Params, rent, running_cost, decline: float, rate: float, years: float, unit_cost, factor):
    """A used unit, USD/GPU, by the rent it will earn, but no more than its capacity costs bought new."""
    return np.minimum(rent_value(rent, running_cost, decline, rate, years), p.parity * unit_cost * factor)


def sale_value(p: Params, rent, running_cost, decline: float, unit_cost, factor, discount: float):
    """What a used unit fetches, USD/GPU: the rent it will earn, no more than new capacity costs, less the fire-sale discount."""
    return capped_value(p, rent, running_cost, decline, p.sale_rate, p.sale_years, unit_cost, factor) * (1.0 - discount)


def note_price(coupon, rate, wal):
    """Price, per unit of balance, of a note that pays its coupon until ``wal`` (years) and then par, at yield ``rate``."""
    safe = np.where(np.abs(rate) > 1e-12, rate, 1.0)
    discount = np.where(np.abs(rate) > 1e-12, -np.expm1(-safe * wal) / safe, wal)
    return np.maximum(1.0 + (coupon - rate) * discount, 0.0)


def fire_sale(p: Params, discount: float, sold: float) -> float:
    """Discount after a month in which ``sold`` (share of capacity, 1/year) came to market."""
    wanted = impact(p.fire_sale, p.fire_sale_impact, p.fire_sale_cap, sold)
    return discount + p.fire_sale_memory * (wanted - discount)


def impact(usual: float, slope: float, cap: float, sold: float) -> float:
    """Discount at which a market takes what is ``sold``, a share of itself: ``usual`` when that is little, ``cap`` at most."""
    return min(max(usual + slope * sold, 0.0), cap)


def trades(held: np.ndarray, wanted: np.ndarray, turnover: float) -> tuple[np.ndarray, np.ndarray]:
    """Part of its holdings each investor sells (i,), and its share (i,) of what is bought."""
    excess = np.maximum(held - wanted, 0.0)
    short = np.maximum(wanted - held, 0.0)
    sells = turnover * np.divide(excess, held, out=np.zeros_like(held), where=held > 0.0)
    bought = total(short)
    if bought <= 0.0:
        return np.zeros_like(held), np.zeros_like(held)
    return sells, short / bought
