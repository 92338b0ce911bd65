"""AI labs: they train, sell inference and raise money; a lab that runs dry fails."""

import math
from typing import Self

from pydantic import model_validator

from agents.party import Party
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """Labs' rules of thumb."""

    count: int = quantity("1", 1, 200, "labs in a region")
    self_financing: float = quantity("1", 0.0, 5.0, "training paid from an undisturbed margin, per unit of inference bill")
    raise_multiple: float = quantity("1/year", 0.01, 10.0, "equity raised per unit of inference bill in calm markets")
    raise_sensitivity: float = quantity("year", 0.0, 200.0, "log fall of raises per unit of spread over the calm one")
    calm_spread: float = quantity("1/year", 0.0, 0.5, "spread, novelty apart, at which raises are undisturbed")
    staff: float = quantity("1", 0.0, 10.0, "people, data and offices, per unit of inference bill")
    training_lag: float = quantity("month", 1.0, 60.0, "from money to training budgets")
    start_cash: float = quantity("year", 0.0, 10.0, "cash at the start, of the yearly inference bill")
    most_cash: float = quantity("year", 0.1, 20.0, "cash above which a lab buys back shares, of the yearly inference bill")
    restart_cash: float = quantity("year", 0.0, 10.0, "cash that new owners put into a failed lab, of the yearly inference bill")
    from_clouds: float = quantity("share", 0.0, 1.0, "of a raise that clouds take")
    from_vendor: float = quantity("share", 0.0, 1.0, "of a raise that the chip vendor takes")
    venture_share: float = quantity("share", 0.0, 0.9, "of a raise that banks lend when credit is not rationed; 0: none")
    venture_cap: float = quantity("year", 0.0, 10.0, "most that banks lend a lab, of the yearly inference bill")
    venture_spread: float = quantity("1/year", 0.0, 0.5, "of venture debt over the base rate")
    venture_repayment: float = quantity("1/month", 0.0, 1.0, "share of venture debt repaid in a month")
    borrowed: float = quantity("1/year", 0.0, 10.0, "debt sought a year on pledges, per unit of inference bill")
    dearest: float = quantity("1/year", 0.0, 2.0, "coupon beyond which a lab borrows nothing: what its shareholders ask")
    pass_through: float = quantity("share", 0.0, 1.0, "of above-market contract rent that users pay")

    @property
    def calm_training(self) -> float:
        """Training per unit of inference bill in calm markets."""
        return self.self_financing + self.raise_multiple - self.staff

    @model_validator(mode="after")
    def _trains(self) -> Self:
        if self.calm_training < 0.0:
            raise ValueError(
                f"staff {self.staff} must not exceed self_financing {self.self_financing} plus raise_multiple {self.raise_multiple}"
            )
        return self


class Lab(Party):
    """Quality decides its share of users; training follows revenue and raises."""

    kind = "lab"

    def __init__(self, *args, quality: float = 0.0, training: float = 0.0, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.quality = quality
        self.size = 1.0  # share of users at the start over an equal one: a large lab needs more training to be as good
        self.training = training  # USD/year
        self.bill = 0.0  # USD/year of inference compute
        self.burn = 0.0  # USD/year by which its compute costs more than users paid last month
        self.revenue = 0.0  # USD paid by users this month
        self.offered = 0.0  # USD of equity on offer this month
        self.paid = 0.0  # USD that users paid last month
        self.lent = self.served = 0.0  # USD borrowed on pledges, and of interest and principal on them, this month
        self.past: list[float] = []  # quality in the last months, oldest first
        self.tied = 0.0  # USD of it that is the vendor's, for compute

    def appetite(self, market: Market, worth: float) -> float:
        """Equity it is offered, a year, per unit of its inference bill: less when credit is dear or rationed.

        Parameters
        ----------
        worth : value of a model relative to the undisturbed one
        """
        p = self.params
        strain = market.spread - market.novelty - p.calm_spread
        return p.raise_multiple * worth * math.exp(-p.raise_sensitivity * strain) * math.sqrt(market.ration)

    def plan(self, bill: float, margin: float, raised: float) -> float:
        """Training budget, USD/year, moved towards what own margin and raises pay for beyond staff.

        Parameters
        ----------
        bill : USD/year of inference compute
        margin : mark-up over its undisturbed value
        raised : equity a year per unit of bill
        """
        p = self.params
        wanted = bill * max(p.self_financing * margin + raised - p.staff, 0.0)
        self.training += (wanted - self.training) / p.training_lag
        return self.training

    @property
    def net_borrowing(self) -> float:
        """Borrowed on pledges beyond debt service, 1/year per unit of its inference bill."""
        return (self.lent - self.served) * MONTHS / self.bill if self.bill > 0.0 else 0.0

    def remember(self, months: int) -> None:
        """A month passes: quality is remembered for ``months``, and nothing is borrowed yet."""
        self.past, self.lent = [*self.past, self.quality][-months - 1 :], 0.0

    def borrows(self, month: int, coupon: float, most: float) -> float:
        """USD sought on pledges that carry ``most`` USD, once a quarter and while the ``coupon`` is below what shareholders ask."""
        p = self.params
        if (month + self.number) % 3 or coupon > p.dearest:
            return 0.0
        return min(p.borrowed * self.bill / 4.0, most)

    def accept(self, offer: float, raised: float) -> float:
        """Equity it raises a year per unit of its bill, with what it takes of a vendor's ``offer``, USD: no more than the rest."""
        self.tied = min(offer, self.raise_equity(self.bill, raised))
        return raised + self.tied * MONTHS / self.bill if self.tied > 0.0 else raised

    def raise_equity(self, bill: float, raised: float) -> float:
        """USD sought this month."""
        return bill * raised / MONTHS

    def venture_debt(self, owed: float, ration: float) -> float:
        """USD that banks lend of this month's raise.

        Parameters
        ----------
        owed : USD of venture debt outstanding
        ration : share of requests that lenders can carry
        """
        p = self.params
        return max(min(p.venture_share * ration * self.offered, p.venture_cap * self.bill - owed), 0.0)

    def buy_back(self, cash: float, bill: float) -> float:
        """USD handed to shareholders: what is above the cash it can use."""
        return max(cash - self.params.most_cash * bill, 0.0)
