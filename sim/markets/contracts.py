"""Take-or-pay contracts: tenants prepay part of them, and renegotiate them when they burn cash."""

import numpy as np

from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """What contracts yield."""

    renegotiation: float = quantity(
        "1", 0.0, 20.0, "renegotiations a year with each landlord per year's burn over the tenant's cash; 0: none"
    )
    concession: float = quantity("share", 0.0, 1.0, "of a contract's rent above spot that a renegotiation gives up")
    prepayment: float = quantity("share", 0.0, 1.0, "of a new contract's rents that the tenant pays at signing; 0: none")
    prepayment_equity: float = quantity("share", 0.0, 1.0, "most of the sponsor's own money in a deal that it replaces")
    prepayment_cash: float = quantity("share", 0.0, 1.0, "most of its cash that a tenant prepays in a month")


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


def prepaid(p: Params, value: np.ndarray, own: np.ndarray, tenant: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """What tenants pay at signing, USD (n,): part of each contract, within its deal's equity and the tenant's cash.

    Parameters
    ----------
    value : (n,) USD of rents over the contract's term
    own : (n,) USD of the sponsor's own money that the deal needs
    tenant : (n,) its place among the tenants
    cash : (t,) USD that each tenant has
    """
    wanted = np.minimum(p.prepayment * value, p.prepayment_equity * own)
    asked = np.bincount(tenant, wanted, len(cash))
    able = np.divide(p.prepayment_cash * np.maximum(cash, 0.0), asked, out=np.zeros(len(cash)), where=asked > 0.0)
    return wanted * np.minimum(able, 1.0)[tenant]


def drawn_down(owed: np.ndarray, months: np.ndarray, rent: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Part of a month's rent (n,) that a prepayment pays, USD: equal parts, but never cash that the landlord needs.

    Parameters
    ----------
    owed : (n,) USD prepaid and not yet earned
    months : (n,) to the end of the contract, this one included
    rent : (n,) USD of contract rent this month
    free : (n,) USD of all rent this month less running costs and management
    """
    return np.maximum(np.minimum(np.minimum(owed / np.maximum(months, 1), rent), free), 0.0)
