"""GPUs by owner and vintage: on order, installed, failed, retired; what they cost and what they are booked at.

A vintage is the month of its order. Deals own one vintage each, clouds one cohort a vintage.
"""

import numpy as np

from sim.books.equipment import Equipment
from sim.books.tables import Table, written_down
from sim.units import MONTHS

PARTS = 5  # of a unit, as sim.markets.parts lists them
PARTED = ("part_cost", "part_book", "missing")  # USD, USD, share of the part that is past its life and not replaced
ABROAD = -1  # region of owners whose units serve none of the regions
BEFORE = 260  # vintages kept from before the first simulated month


class Fleet:
    """The stock of hardware.

    Parameters
    ----------
    clouds : number of clouds
    regions : number of regions
    months : simulated months, burn-in included
    """

    def __init__(self, clouds: int, regions: int, months: int) -> None:
        vintages = BEFORE + months + 1
        self.frontier = np.zeros(vintages)  # log performance per dollar at the vintage's order
        self.running_cost = np.zeros((regions, vintages))  # USD/GPU/year
        self.deals = Table(
            {
                "gpus": (np.float64, ()),
                "vintage": (np.int64, ()),
                "cost": (np.float64, ()),
                "book": (np.float64, ()),
                **dict.fromkeys(PARTED, (np.float64, (PARTS,))),
            }
        )
        self.equipment = Equipment()  # lessors'
        self.cloud_region = np.zeros(clouds, dtype=np.int64)
        self.gpus = np.zeros((clouds, vintages))  # installed, by cloud
        self.cost = np.zeros((clouds, vintages))  # USD paid for what is installed
        self.book = np.zeros((clouds, vintages))  # USD, net of depreciation
        self.on_order = np.zeros((clouds, vintages))  # GPU
        self.order_value = np.zeros((clouds, vintages))  # USD
        self.paid = np.zeros((clouds, vintages))  # USD of it paid so far
        self.bought = self.failed = self.retired = 0.0  # GPU, cumulative

    def record(self, month: int, frontier: float, running_cost: np.ndarray) -> None:
        """Note what this month's vintage is; ``running_cost`` (region,)."""
        self.frontier[BEFORE + month] = frontier
        self.running_cost[:, BEFORE + month] = running_cost

    def lag(self, frontier: float, vintage: np.ndarray) -> np.ndarray:
        """How far, in logs, the frontier is ahead of vintages."""
        return frontier - self.frontier[vintage]

    def order(self, cloud: int, month: int, gpus: float, value: float) -> None:
        """A cloud orders ``gpus`` for ``value`` USD."""
        self.on_order[cloud, BEFORE + month] += gpus
        self.order_value[cloud, BEFORE + month] += value
        self.bought += gpus

    def progress(self, build: int) -> np.ndarray:
        """Book a month of clouds' progress payments, equal parts over the time to build; USD due (cloud,)."""
        due = self.order_value / build
        self.paid += due
        return due.sum(axis=1)

    def deliver(self, month: int, build: int) -> None:
        """Install what clouds ordered ``build`` months ago and have paid for."""
        v = BEFORE + month - build
        self.gpus[:, v] += self.on_order[:, v]
        self.cost[:, v] += self.paid[:, v]
        self.book[:, v] += self.paid[:, v]
        for stock in (self.on_order, self.order_value, self.paid):
            stock[:, v] = 0.0

    def take(self, cloud: int, vintage: np.ndarray, gpus: np.ndarray, price: np.ndarray) -> None:
        """A cloud installs used units bought at ``price`` USD (n,)."""
        np.add.at(self.gpus[cloud], vintage, gpus)
        np.add.at(self.cost[cloud], vintage, price)
        np.add.at(self.book[cloud], vintage, price)

    def wear(self, rate: float, running: np.ndarray) -> None:
        """A month of failures, ``rate`` 1/year, on clouds' units and on deals' units where ``running``."""
        share = rate / MONTHS
        lost = np.where(running, self.deals["gpus"] * share, 0.0)
        self.failed += float(lost.sum()) + float(self.gpus.sum()) * share
        self.deals["gpus"][:] -= lost
        self.gpus *= 1.0 - share

    def depreciate(self, life: int, running: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Straight-line depreciation of one month, USD, by deal row and by cloud."""
        deals = np.where(running, np.minimum(self.deals["cost"] / life, self.deals["book"]), 0.0)
        clouds = np.minimum(self.cost / life, self.book)
        self.deals["book"][:] -= deals
        self.book -= clouds
        return deals, clouds.sum(axis=1)

    def install_parts(self, rows: np.ndarray, amounts: np.ndarray) -> None:
        """Parts (n, 5) bought for deals' units, USD."""
        for name in ("part_cost", "part_book"):
            self.deals[name][rows] += amounts

    def depreciate_parts(self, lives: np.ndarray, running: np.ndarray, replaceable: np.ndarray) -> np.ndarray:
        """Straight-line depreciation of one month by part, USD by deal row; a ``replaceable`` part written off is missing."""
        cost, book = self.deals["part_cost"], self.deals["part_book"]
        month = cost / lives
        month = np.where(book <= month * (1.0 + 1e-6), book, month) * running[:, None]
        book -= month
        over = running[:, None] & (cost > 0.0) & (book == 0.0)
        self.deals["missing"][over & replaceable] = 1.0
        cost[over] = 0.0
        written = np.minimum(month.sum(axis=1), self.deals["book"])
        self.deals["book"][:] -= written
        return written

    def strip(self, rows: np.ndarray, parts: np.ndarray, price: np.ndarray) -> None:
        """Deals sell ``parts`` (5,) of their units for ``price`` (n,) USD; what they were booked at beyond it stays."""
        for name in ("part_cost", "part_book"):
            self.deals[name][rows] = np.where(parts, 0.0, self.deals[name][rows])
        self.deals["book"][rows] -= price

    def fail(self, share: np.ndarray) -> None:
        """A ``share`` (deal,) of deals' units fails."""
        lost = self.deals["gpus"] * share
        self.failed += float(lost.sum())
        self.deals["gpus"][:] -= lost

    def pass_parts(self, old: np.ndarray, heirs: np.ndarray) -> None:
        """Parts go with the units of ``old`` deals to ``heirs``; those are then emptied by ``hand_over``."""
        for name in PARTED:
            self.deals[name][heirs] = self.deals[name][old]

    def retire(self, rows: np.ndarray) -> np.ndarray:
        """Deals' units leave service; returns the book value written off, USD (n,)."""
        left = self.deals["book"][rows].copy()
        self.retired += float(self.deals["gpus"][rows].sum())
        for name in ("gpus", "cost", "book", *PARTED):
            self.deals[name][rows] = 0.0
        return left

    def write_down(self, cloud: int, values: np.ndarray) -> float:
        """A cloud books its installed units at ``values`` (vintage,) USD where that is less; USD written off."""
        kept = written_down(self.book[cloud], values)
        written = float((self.book[cloud] * (1.0 - kept)).sum())
        for stock in (self.cost, self.book):
            stock[cloud] *= kept
        return written

    def retire_clouds(self, month: int, service_life: int) -> np.ndarray:
        """Clouds' units older than the service life leave; returns the book value written off, USD (cloud,)."""
        old = slice(0, max(BEFORE + month - service_life, 0) + 1)
        left = self.book[:, old].sum(axis=1)
        self.retired += float(self.gpus[:, old].sum())
        for stock in (self.gpus, self.cost, self.book):
            stock[:, old] = 0.0
        return left

    def hand_over(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Empty deals' rows and return what was in them: GPU, vintage, cost and book value (n,) each."""
        out = tuple(self.deals[n][rows].copy() for n in ("gpus", "vintage", "cost", "book"))
        for name in ("gpus", "cost", "book", *PARTED):
            self.deals[name][rows] = 0.0
        return out

    def count(self) -> float:
        """GPU on order or installed."""
        return float(self.deals["gpus"].sum() + self.gpus.sum() + self.on_order.sum()) + float(self.equipment["gpus"].sum())
