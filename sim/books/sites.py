"""Sites: shells begun, shells that wait for power, powered sites that wait for an order; and clouds' orders that wait for a site.

A site is measured by the spending, USD, chips included, that it can house.
"""

import numpy as np

from sim.books.fleet import BEFORE, Fleet
from sim.books.tables import Table


class Sites(Table):
    """Sites without power, one row each, and by region what stands ready.

    Parameters
    ----------
    regions, clouds : number of each
    months : simulated months, burn-in included
    build : months from order to delivery when nothing is late
    """

    def __init__(self, regions: int, clouds: int, months: int, build: int) -> None:
        super().__init__({"region": (np.int8, ()), "begun": (np.int64, ()), "size": (np.float64, ()), "key": (np.uint64, ())})
        self.ready = np.zeros(regions)  # USD of powered sites without an order
        self.pace = np.zeros(regions)  # USD/month of orders less what retired units left, smoothed
        vintages = np.arange(BEFORE + months + 1)
        self.delivery = np.tile(vintages - BEFORE + build, (clouds, 1))  # month of clouds' orders, by month of order
        self.waits = np.zeros((clouds, len(vintages)), dtype=bool)  # clouds' orders without a powered site

    def begin(self, region: int, month: int, size: float, count: int) -> None:
        """Begin ``count`` sites of together ``size`` USD; each has its own key in the streams of randomness."""
        first = np.uint64((month & 0xFFFFF) * count)
        self.add(count, region=region, begun=month, size=size / count, key=first + np.arange(count, dtype=np.uint64))

    def connect(self, region: int, rows: np.ndarray) -> None:
        """Sites get power: they stand ready."""
        self.ready[region] += float(self["size"][rows].sum())
        self["size"][rows] = 0.0

    def unpowered(self, region: int) -> np.ndarray:
        """Rows of a region's sites under construction or without power."""
        return np.flatnonzero((self["region"] == region) & (self["size"] > 0.0))


def install_late(fleet: Fleet, sites: Sites, month: int, build: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Install clouds' orders due now: chips are those on the list ``build`` months before, newer and more when sites were late.

    Returns
    -------
    cloud, USD and months late (n,) of each order
    """
    cloud, v = np.nonzero((fleet.on_order > 0.0) & (sites.delivery == month))
    to = BEFORE + month - build
    ordered, paid = fleet.on_order[cloud, v], fleet.paid[cloud, v]
    gpus = ordered * np.exp(fleet.frontier[to] - fleet.frontier[v])
    fleet.bought += float((gpus - ordered).sum())
    for stock, amount in ((fleet.gpus, gpus), (fleet.cost, paid), (fleet.book, paid)):
        np.add.at(stock, (cloud, to), amount)
    for stock in (fleet.on_order, fleet.order_value, fleet.paid):
        stock[cloud, v] = 0.0
    return cloud, paid, to - v
