"""Leases of sites: long, indexed, due whether or not the site is full, and a capped claim when the tenant fails."""

import numpy as np

from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """Terms of site leases, the same in both regions. The site is the part of a unit's cost that is not the vendor's."""

    share: float = quantity("share", 0.0, 1.0, "of operators' new capacity that stands on leased sites; 0: none")
    term: int = quantity("month", 12, 600, "of a lease, from delivery, without a right to cancel")
    rent: float = quantity("1/year", 0.0, 1.0, "of the site's cost when the lease is signed")
    indexation: float = quantity("1/year", 0.0, 0.2, "rise of the rent each year")
    grace: float = quantity("month", 0.0, 24.0, "of its rent that an operator may owe before it fails")
    site_life: int = quantity("month", 60, 720, "of landlords' straight-line depreciation")
    claim_least: float = quantity("year", 0.0, 15.0, "of rent that a landlord may claim at least when a lease is rejected")
    claim_share: float = quantity("share", 0.0, 1.0, "of the remaining term that it may claim when that is more")
    claim_most: float = quantity("year", 0.0, 15.0, "of rent, most that this share may come to")


def own_share(p: Params, hardware: float) -> float:
    """Share of new capacity's cost that operators pay themselves; ``hardware`` is the vendor's share."""
    return 1.0 - p.share * (1.0 - hardware)


def claim(p: Params, rent: np.ndarray, months: np.ndarray) -> np.ndarray:
    """What a landlord may claim for rents of rejected leases, USD (n,); never more than they would have brought.

    11 U.S.C. 502(b)(6): the rent of the greater of one year and 15 percent, not to exceed three years, of the remaining term.

    Parameters
    ----------
    rent : (n,) USD/year
    months : (n,) left of the term
    """
    years = np.maximum(months, 0) / MONTHS
    return rent * np.minimum(np.maximum(p.claim_least, np.minimum(p.claim_share * years, p.claim_most)), years)
