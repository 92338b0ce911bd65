"""Units that lessors own and operators run: one row a lease, from order to the sale of what comes back."""

import numpy as np

from sim.books.tables import Table, written_down
from sim.units import MONTHS


class Equipment(Table):
    """Who leases what from whom; cost and book value, USD, are its lessor's."""

    def __init__(self) -> None:
        whole = dict.fromkeys(("lessor", "lessee", "vintage", "ordered", "delivery"), (np.int64, ()))
        money = dict.fromkeys(("gpus", "price", "cost", "book", "rent"), (np.float64, ()))
        super().__init__({"region": (np.int8, ()), **whole, **money})  # price: of the order; cost: of it paid; rent: USD/year
        self.released: dict[int, float] = {}  # effective GPU sold since deals' units were last sold, by region

    def live(self, region: int) -> np.ndarray:
        """Rows of a region whose units are on order or let."""
        return np.flatnonzero((self["region"] == region) & (self["price"] > 0.0))

    def running(self, region: int, month: int) -> np.ndarray:
        """Those of them that have been delivered."""
        rows = self.live(region)
        return rows[self["delivery"][rows] <= month]

    def works(self, rows: np.ndarray, month: int) -> np.ndarray:
        """Book a month of progress payments on what is not delivered: USD due (n,), in equal parts."""
        months = np.maximum(self["delivery"][rows] - self["ordered"][rows], 1)
        due = np.where(month < self["delivery"][rows], self["price"][rows] / months, 0.0)
        for name in ("cost", "book"):
            self[name][rows] += due
        return due

    def capitalise(self, lessor: int, month: int, interest: float) -> float:
        """Interest of a lessor's month that is on what is not delivered becomes part of its cost: USD."""
        own = (self["lessor"] == lessor) & (self["price"] > 0.0)
        works = own & (self["delivery"] > month)
        whole, part = float(self["book"][own].sum()), float(self["book"][works].sum())
        if part <= 0.0:
            return 0.0
        for name in ("cost", "book"):
            self[name][works] *= 1.0 + interest / whole
        return interest * part / whole

    def wear(self, rows: np.ndarray, rate: float, life: int) -> tuple[float, np.ndarray]:
        """A month of failures at ``rate`` (1/year) and of depreciation over ``life`` months: GPU lost, USD written off (n,)."""
        lost = self["gpus"][rows] * rate / MONTHS
        written = np.minimum(self["cost"][rows] / life, self["book"][rows])
        self["gpus"][rows] -= lost
        self["book"][rows] -= written
        return float(lost.sum()), written

    def give_back(self, rows: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``share`` (n,) of leases ends: GPU and book value (n,) that are the lessor's to sell."""
        gone = self["gpus"][rows] * share, self["book"][rows] * share
        for name in ("gpus", "price", "cost", "book", "rent"):
            self[name][rows] *= 1.0 - share
        return gone

    def write_down(self, rows: np.ndarray, values: np.ndarray) -> float:
        """Leased units are booked at ``values`` (n,) USD where that is less; USD written off."""
        kept = written_down(self["book"][rows], values)
        written = float((self["book"][rows] * (1.0 - kept)).sum())
        for name in ("cost", "book"):
            self[name][rows] *= kept
        return written

    def owned(self, lessors: np.ndarray) -> np.ndarray:
        """Book value (l,) of what lessors own, USD."""
        return np.array([self["book"][self["lessor"] == party].sum() for party in lessors.tolist()])
