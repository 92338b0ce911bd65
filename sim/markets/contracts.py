"""How firm take-or-pay contracts are: tenants who burn cash renegotiate them."""

import numpy as np

from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """What contracts yield."""

    renegotiation: float = quantity(
        "1", 0.0, 20.0, "renegotiations a year with each landlord per year's burn over the tenant's cash; 0: none"
    )
    concession: float = quantity("share", 0.0, 1.0, "of a contract's rent above spot that a renegotiation gives up")


def renegotiation_chance(p: Params, burn: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """Chance (n,) in a month that a tenant brings a landlord to the table: a hazard in proportion to burn over cash.

    Parameters
    ----------
    burn : USD/year of bills beyond revenue
    cash : USD
    """
    return -np.expm1(-p.renegotiation * np.maximum(burn, 0.0) / np.maximum(cash, 1.0) / MONTHS)


def conceded(p: Params, rent: np.ndarray, spot: np.ndarray) -> np.ndarray:
    """Rent (n,) that a renegotiation gives up, USD/GPU/year: nothing where the contract is not above spot."""
    return p.concession * np.maximum(rent - spot, 0.0)
