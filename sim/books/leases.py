"""Leases of sites, one row each, and what landlords own. A site is measured by the spending, USD, that it can house."""

import numpy as np

from sim.books.tables import Table
from sim.sums import total
from sim.units import MONTHS


class Leases(Table):
    """Who rents how much room, from when and until when; vacant room, cost and book value of landlords' sites by region."""

    def __init__(self, regions: int) -> None:
        whole = dict.fromkeys(("operator", "deal", "signed", "end"), (np.int64, ()))
        super().__init__(
            {
                **whole,  # deal: the one whose delivery begins the lease; -1: it has begun
                "region": (np.int8, ()),
                "room": (np.float64, ()),  # USD of spending it houses
                "rent": (np.float64, ()),  # USD/year, as indexed
                "works": (np.float64, ()),  # USD/month that the landlord pays to build it
            }
        )
        self.vacant, self.cost, self.book = np.zeros(regions), np.zeros(regions), np.zeros(regions)

    def of(self, operator: int) -> np.ndarray:
        """Rows of an operator's leases."""
        return np.flatnonzero((self["operator"] == operator) & (self["room"] > 0.0))

    def begun(self, operator: int) -> np.ndarray:
        """Those of them whose rent is due."""
        rows = self.of(operator)
        return rows[self["deal"][rows] < 0]

    def begin(self, month: int, delivery: np.ndarray, term: int) -> None:
        """Leases begin when what they are for is delivered, and run for ``term`` months; ``delivery`` (deal,)."""
        rows = np.flatnonzero(self["deal"] >= 0)
        starts = delivery[self["deal"][rows]]
        self["end"][rows] = starts + term
        self["deal"][rows[starts <= month]] = -1

    def rates(self, operators: np.ndarray) -> np.ndarray:
        """Rent (n,) of a USD of the room that operators lease, 1/year."""
        found = {}
        for operator in set(operators.tolist()):
            rows = self.begun(operator)
            room = total(self["room"][rows])
            found[operator] = total(self["rent"][rows]) / room if room > 0.0 else 0.0
        return np.array([found[operator] for operator in operators.tolist()])

    def obligations(self, region: int, month: int, term: int) -> float:
        """Rents that operators owe to the end of their leases, at today's index; USD."""
        left = np.clip(self["end"] - month, 0, term)
        return total(np.where(self["region"] == region, self["rent"] * left / MONTHS, 0.0))

    def index(self, month: int, term: int, rate: float) -> None:
        """Rents rise once a year."""
        since = month - (self["end"] - term)
        self["rent"][(self["deal"] < 0) & (since > 0) & (since % MONTHS == 0)] *= 1.0 + rate

    def give_back(self, rows: np.ndarray, share: float) -> None:
        """``share`` of leases ``rows`` ends: the room is the landlord's again."""
        np.add.at(self.vacant, self["region"][rows], share * self["room"][rows])
        for name in ("room", "rent"):
            self[name][rows] *= 1.0 - share

    def take(self, region: int, room: float) -> float:
        """Vacant room for a new lease, as far as there is; USD."""
        found = min(room, float(self.vacant[region]))
        self.vacant[region] -= found
        return found

    def build(self, region: int, month: int, months: int, life: int) -> tuple[float, float]:
        """A month of works and of depreciation of a region's sites, USD each."""
        rows = (self["region"] == region) & (month - self["signed"] < months)
        works = float(self["works"][rows].sum())
        written = min(float(self.cost[region]) / life, float(self.book[region]))
        self.cost[region] += works
        self.book[region] += works - written
        return works, written
