"""Letters for tranches: how many standard deviations of depreciation the collateral can bear before a class is touched.

With a normal belief about depreciation, a class whose debt is covered up to ``z`` standard deviations defaults with probability
Phi(-z); the letter is the best whose idealised ten-year default probability is at least that.
"""

import numpy as np
from scipy.special import ndtri

from sim.kernels.rents import rent_value
from sim.units import Frozen, quantities, quantity

LETTERS = ("Aaa", "Aa", "A", "Baa", "Ba", "B", "Caa", "Ca")  # the last: touched even in the median case


class Params(Frozen):
    """Idealised default probabilities over ten years, best letter first."""

    default_probability: tuple[float, ...] = quantities("share", "idealised, of each letter but the last")
    discount_spread: float = quantity("1/year", 0.0, 0.3, "over the base rate, discount rate of collateral")


def letters(p: Params, debt: np.ndarray, stressed: np.ndarray) -> np.ndarray:
    """Index into LETTERS of every class.

    Parameters
    ----------
    debt : (n, k) USD of the class and those above it
    stressed : (m, n) USD of collateral under each letter's stress, best letter first
    """
    covered = stressed[:, :, None] >= debt[None, :, :]  # (m, n, k)
    return np.where(covered.any(axis=0), covered.argmax(axis=0), len(LETTERS) - 1)


def deviations(p: Params) -> np.ndarray:
    """Standard deviations each letter must bear (m,)."""
    return -ndtri(np.array(p.default_probability))


def rate(
    p: Params,
    debt: np.ndarray,
    gpus: np.ndarray,
    rent: np.ndarray,
    running_cost: np.ndarray,
    depreciation: float,
    dispersion: float,
    years: np.ndarray,
    base_rate: float,
) -> np.ndarray:
    """Letters of every class of many deals.

    Parameters
    ----------
    debt : (n, k) USD by class, most senior first
    gpus, rent, running_cost, years : (n,) units, USD/GPU/year and remaining service life
    depreciation, dispersion : 1/year, the agencies' belief and its standard deviation
    base_rate : 1/year

    Returns
    -------
    (n, k) indices into LETTERS
    """
    decline = depreciation + deviations(p)[:, None] * dispersion
    stressed = gpus * rent_value(rent, running_cost, decline, base_rate + p.discount_spread, years)
    return letters(p, np.cumsum(debt, axis=1), stressed)
