"""The chip vendor: it earns the hardware part of all capital spending, backs labs with some of it, and may support customers."""

from agents.party import Party
from sim.units import MONTHS, Frozen, quantity


class Support(Frozen):
    """What the vendor does for its customers so that they order, once recording has begun."""

    invested: float = quantity("share", 0.0, 1.0, "of its margin that it offers as equity for orders; 0: none")
    labs: float = quantity("share", 0.0, 1.0, "of that offered to labs, for compute; the rest to operators, for hardware")
    buy_back: float = quantity("share", 0.0, 1.0, "of the spot rent that it pays for operators' unsold hours; 0: none")
    limit: float = quantity("share", 0.0, 5.0, "of a year's revenue, most that a year of unsold hours may cost it")
    floor: float = quantity("year", 0.0, 5.0, "of revenue in cash, below which it supports nobody")
    until: int = quantity("month", 0, 2400, "in which it withdraws all support, after recording begins")


class Params(Frozen):
    """The vendor's accounts."""

    goods_share: float = quantity("share", 0.0, 1.0, "of revenue that goes to its own suppliers")
    cash_target: float = quantity("year", 0.0, 5.0, "of revenue held in cash; the rest is paid out")
    support: Support


class Vendor(Party):
    """One vendor serves the world."""

    kind = "vendor"

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.revenue: dict[str, float] = {}  # USD of last month, by region
        self.honours: dict[str, float] = {}  # share of last month's claims on unsold hours that it paid, by region
        self.hours: dict[str, list[float]] = {}  # USD paid for unsold hours in each of the last twelve months, by region

    def spare(self, cash: float, revenue: float) -> float:
        """Cash to return to savers, USD; ``revenue`` is USD this month."""
        return max(cash - self.params.cash_target * revenue * MONTHS, 0.0)

    def stands_by(self, month: int) -> bool:
        """Whether it supports its customers; ``month`` since recording began."""
        return 0 <= month < self.params.support.until

    def able(self, cash: float) -> float:
        """USD that it may spend on support: its ``cash`` above the floor."""
        return max(cash - self.params.support.floor * MONTHS * sum(self.revenue.values()), 0.0)

    def offers(self, region: str, cash: float) -> float:
        """Equity that it offers a region's customers this month, USD: part of what last month's sales there left."""
        p = self.params
        margin = (1.0 - p.goods_share) * self.revenue.get(region, 0.0)
        return min(p.support.invested * margin, self.able(cash))

    def takes_back(self, region: str, unsold: float, cash: float) -> float:
        """USD that it pays for hours worth ``unsold`` USD at spot: the agreed part, as far as a year's limit and its cash go."""
        p = self.params.support
        left = p.limit * MONTHS * self.revenue.get(region, 0.0) - sum(self.hours.get(region, []))
        return max(min(p.buy_back * unsold, left, self.able(cash)), 0.0)

    def remember(self, region: str, paid: float) -> None:
        """Keep what a month of unsold hours cost it."""
        self.hours[region] = [*self.hours.get(region, []), paid][-(MONTHS - 1) :]
