"""The rating engine beside the appraisal formula that it replaced, on three pools of chips."""

import numpy as np
from pytest import mark

from sim.collateral import make_book, obligors
from sim.kernels.layouts import layout
from sim.kernels.rents import rent_value
from sim.kernels.scenarios import Beliefs
from sim.rating_files import configured
from sim.ratings import rate_book, sample

PERIODS, RENT, COST = 60, 0.55, 0.09  # months; USD a year of rent and running cost for 1 USD of chips
POOLS = {"calm": (0.25, 0.02), "usual": (0.35, 0.08), "stormy": (0.45, 0.16)}  # depreciation and its standard deviation, 1/year


def appraised(depreciation: float, deviations: float, dispersion: float) -> float:
    """Debt per USD that the old formula allowed: a stressed rent for five years, discounted at 8 %."""
    return float(rent_value(RENT, COST, depreciation + deviations * dispersion, 0.08, PERIODS / 12))


def earned(depreciation: np.ndarray) -> np.ndarray:
    """Present value at 8 %, month by month, of what the chips earn at each depreciation (s,), USD."""
    month = np.arange(1, PERIODS + 1)
    rents = np.maximum(RENT * np.exp(-np.multiply.outer(depreciation, month) / 12) - COST, 0.0) / 12
    return rents @ (1.0 + 0.08 / 12) ** -month


def losses(debt: np.ndarray, depreciation: float, dispersion: float) -> tuple[np.ndarray, np.ndarray]:
    """Expected losses of one class of ``debt`` (n,) USD at 8 %, and their standard errors; depreciation is the only risk."""
    n, shape = len(debt), layout(1)
    terms, state = shape.blank("terms", n), shape.blank("state", n)
    terms["classes"], terms["mode"], terms["coupon"][:, 0], terms["sweep_share"] = 1, 3, 0.08, 1.0
    terms["notional"][:, 0] = state["balance"][:, 0] = debt
    terms["legal_final"] = PERIODS
    left = np.maximum(0.0, 1.0 - np.arange(1, PERIODS + 1) / PERIODS)
    target = np.full((n, PERIODS, shape.classes), np.nan)
    target[:, :, 0] = debt[:, None] * left
    rents = np.full((n, PERIODS), RENT / 12), np.full((n, PERIODS), COST / 12)
    place = np.full((n, 1), -1)
    book = make_book(np.full(n, PERIODS), target, place, 0.0 * place, 0 * place, market=rents[0], cost=rents[1])
    p = configured()
    beliefs = Beliefs(depreciation, dispersion, 0.2, 1.0, 0.0, 0.0, 0.0, 0.0)
    assert sample(p, beliefs).nominal < 64
    rated = rate_book(p, terms, state, book, obligors([1], [0.01], p.horizon), beliefs, paths=4096)
    return rated.estimates.loss[:, 0], rated.estimates.loss_error[:, 0]


@mark.parametrize("pool", POOLS)
def test_the_engine_finds_how_much_is_lost_where_the_formula_found_only_how_much_stress_is_borne(pool):
    """Swept rents repay a note exactly when their present value at its coupon covers it: a loss of E max(0, 1 - earned / debt).

    The formula allowed the debt that is covered z deviations of depreciation out, and called that a letter. The engine agrees
    where the line lies, to the few per cent (under 6) by which a formula in continuous time exceeds rents paid in arrears. What
    it adds is the size of the loss beyond: at the same z it grows with dispersion, so a letter by z flattered stormy pools.
    """
    depreciation, dispersion = POOLS[pool]
    debt = np.array([appraised(depreciation, z, dispersion) for z in (0.0, 1.0, 2.0)])
    found, error = losses(debt, depreciation, dispersion)
    z = np.linspace(-8.0, 8.0, 16001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    short = np.maximum(0.0, 1.0 - earned(depreciation + z * dispersion) / debt[:, None])
    assert (np.abs(found - np.trapezoid(short * density, z, axis=1)) < 4.0 * error + 1e-6).all()
    excess = debt / earned(depreciation + np.array([0.0, 1.0, 2.0]) * dispersion) - 1.0
    assert (excess > 0.0).all() and (excess < 0.06).all()


def test_at_the_same_stress_a_pool_of_uncertain_depreciation_loses_more():
    found = [losses(np.array([appraised(d, 1.0, s)]), d, s)[0][0] for d, s in POOLS.values()]
    assert found == sorted(found) and found[-1] > 2.0 * found[0]
