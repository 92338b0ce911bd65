"""Protection against losses on an issuer's debt: what a default is worth, and the charge for risk at which buyers meet sellers."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from sim.sums import total
from sim.units import Frozen, quantity


class Params(Frozen):
    """The market for protection. A default's value follows Finger et al. (2002), "CreditGrades", equation 2.13."""

    most: float = quantity("share", 0.0, 1.0, "of its notes that an investor protects at most, once recording has begun; 0: none")
    pace: float = quantity("1/month", 0.0, 1.0, "share of the way to the protection it wants that an investor goes in a month")
    tenor: float = quantity("year", 0.5, 20.0, "of protection; the stock runs off in equal parts")
    recovery: float = quantity("share", 0.0, 0.99, "of the debt of a typical issuer that is recovered in default")
    barrier: float = quantity("share", 0.01, 1.0, "of its debt, value of an issuer at which it defaults, mean")
    barrier_noise: float = quantity("1", 0.01, 2.0, "log standard deviation of that barrier: nobody knows it")
    unit_volatility: float = quantity("1/year", 0.01, 3.0, "standard deviation of the log value of units")
    core_volatility: float = quantity("1/year", 0.01, 3.0, "standard deviation of the log value of clouds' other business")
    core_multiple: float = quantity("year", 1.0, 100.0, "of its earnings, value of that business")
    weakest: float = quantity("share", 0.01, 1.0, "of that business that the weakest cloud has, for the spending of the others")


class Hazard(NamedTuple):
    """What may be lost on references (r,)."""

    chance: np.ndarray  # of default, 1/year
    severity: np.ndarray  # share lost in one

    @property
    def premium(self) -> np.ndarray:
        """Expected loss, 1/year."""
        return self.chance * self.severity

    @property
    def risk(self) -> np.ndarray:
        """Standard deviation of a year's loss per USD."""
        return self.severity * np.sqrt(self.chance * (1.0 - self.chance))


def default_chance(p: Params, assets: np.ndarray, debt: np.ndarray, volatility: np.ndarray) -> np.ndarray:
    """Chance (n,) of default, 1/year, mean to the tenor, of issuers with ``assets`` and ``debt`` (n,), USD; 0 without debt.

    Survival is Phi(-a/2 + ln d / a) - d Phi(-a/2 - ln d / a), with d = assets exp(s^2) / (barrier debt), a^2 = volatility^2 t + s^2
    and s the noise of the barrier.
    """
    owes = debt > 0.0
    ratio = np.maximum(assets, 1.0) * np.exp(p.barrier_noise**2) / (p.barrier * np.where(owes, debt, 1.0))
    ratio = np.maximum(ratio, 1.0)
    log, noise = np.log(ratio), np.sqrt(volatility**2 * p.tenor + p.barrier_noise**2)
    alive = ndtr(-noise / 2.0 + log / noise) - ratio * ndtr(-noise / 2.0 - log / noise)
    found = -np.log(np.clip(alive, 1e-9, 1.0)) / p.tenor
    return np.where(owes, np.minimum(found, 1.0), 0.0)


def severities(p: Params, junior: float) -> tuple[float, float]:
    """Shares lost in default on senior notes and on a class of ``junior``, of all debt, that bears the first losses."""
    lost = 1.0 - p.recovery
    return max(lost - junior, 0.0) / max(1.0 - junior, 1e-12), min(lost / junior, 1.0) if junior > 0.0 else 1.0


def own_price(price_of_risk: np.ndarray, share: np.ndarray, held: np.ndarray, capital: np.ndarray) -> np.ndarray:
    """What the last USD that investors hold ``held`` (i,) costs them in risk, 1/year (i,), if they bore all of it themselves.

    ``price_of_risk`` is as they bid with a ``share`` of it protected: risk falls with what they bear, its price with the square.
    """
    alone = price_of_risk / np.maximum(1.0 - share, 1e-3) ** 2
    return np.divide(alone * held, capital, out=np.full(len(held), np.inf), where=capital > 0.0)


def protected(p: Params, own: np.ndarray, cost: float) -> np.ndarray:
    """Share (i,) of their notes that investors protect: the mean-variance optimum.

    ``own`` (i,) is ``own_price``; ``cost`` is what protection costs beyond expected loss, 1/year.
    """
    return np.clip(1.0 - np.divide(cost, own, out=np.ones(len(own)), where=own > 0.0), 0.0, p.most)


def clearing_charge(
    p: Params, own: np.ndarray, held: np.ndarray, mean_risk: float, capital: float, price: float, most: float
) -> float:
    """Charge, 1/year per unit of risk, at which what investors want to protect is what sellers of ``capital`` USD stand for.

    Sellers stand for ``charge / price`` units of risk per USD of capital, and for ``most`` at most. ``held`` (i,) is USD of notes
    of ``mean_risk`` a USD. 0 where there is nothing to protect.
    """

    def short(charge: float) -> float:
        wanted = total(protected(p, own, charge * mean_risk) * held) * mean_risk
        return wanted - capital * min(charge / price, most)

    low, high = 0.0, 1.0
    while short(high) > 0.0 and high < 1e3:
        high *= 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if short(middle) > 0.0 else (low, middle)
    return high
