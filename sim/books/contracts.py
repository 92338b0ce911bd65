"""Take-or-pay contracts of deals: tenant, rent, months to renewal. One row a deal."""

import numpy as np

from sim.books.tables import Table


class Contracts(Table):
    """Who rents a deal's covered units, and at what rent (USD/GPU/year)."""

    def __init__(self) -> None:
        super().__init__({"tenant": (np.int64, ()), "rent": (np.float64, ()), "months": (np.int64, ())})

    def roll(self, running: np.ndarray, spot: np.ndarray, term: int) -> None:
        """A month passes; contracts that end are renewed at their vintage's spot rent."""
        months = self["months"]
        months[running] -= 1
        ended = running & (months <= 0)
        self["rent"][ended] = spot[ended]
        months[ended] = term

    def void(self, rows: np.ndarray) -> None:
        """Contracts on units that may not run owe nothing."""
        self["rent"][rows] = 0.0

    def relet(self, tenants: np.ndarray, heirs: np.ndarray) -> None:
        """Contracts of ``tenants`` who are gone pass to ``heirs`` in turn."""
        rows = np.flatnonzero(np.isin(self["tenant"], tenants))
        self["tenant"][rows] = heirs[rows % len(heirs)]

    def reset(self, rows: np.ndarray, spot: np.ndarray) -> None:
        """Contracts of failed tenants (n,) fall to spot (n,) where they were above it."""
        self["rent"][rows] = np.minimum(self["rent"][rows], spot)
