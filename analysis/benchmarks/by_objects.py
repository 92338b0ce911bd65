"""The benchmark's deal as Python objects: a deal with its notes, one number at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from analysis.benchmarks.task import CLASSES, Task
from sim.kernels.clauses import DUST, SLACK


@dataclass
class Note:
    """One class of notes."""

    balance: float
    coupon: float  # 1/year
    arrears: float = 0.0
    accrued: float = 0.0
    interest: float = 0.0  # USD paid in the period
    principal: float = 0.0


@dataclass
class Deal:
    """One deal: its terms, its accounts, its notes, the most senior first; USD."""

    notes: list[Note]
    pool: float
    reserve: float
    reserve_target: float
    fee_fixed: float
    fee_rate: float
    trap_level: float
    rapid_level: float
    window: int
    cure_periods: int
    trap_share: float
    ard: int
    period_years: float
    age: int = 0
    pdl: float = 0.0
    trap: float = 0.0
    fee_arrears: float = 0.0
    good_periods: int = 0
    trapped: bool = False
    rapid: bool = False
    ratios: list[float] = field(default_factory=list)
    dust: float = field(init=False)

    def __post_init__(self) -> None:
        self.dust = DUST * self.owed()

    def owed(self) -> float:
        """Notes outstanding."""
        return sum_in_order(note.balance for note in self.notes)

    def pay(self, revenue: float, default_rate: float, amortisation: float, recovery_rate: float, last: bool) -> float:
        """Pay one period; returns the residual."""
        self.age += 1
        owing = self.owed() > self.dust
        for note in self.notes:
            note.principal = note.interest = 0.0
        defaulted = default_rate * self.pool
        scheduled = amortisation * (self.pool - defaulted)
        cash, fees = self.pay_fees(revenue + scheduled + recovery_rate * defaulted)
        self.pool = max(0.0, self.pool - defaulted - scheduled)
        cash = self.fill_reserve(self.pay_interest(cash), owing)
        due = scheduled + (self.pdl + defaulted)
        paid = min(cash, due)
        left = self.repay(paid)
        self.pdl = max(0.0, due - (paid - left))
        self.pull_triggers(revenue - fees)
        cash = self.use_excess(cash - paid + left)
        redeemed = self.owed() <= self.dust
        if redeemed or last:
            cash += self.reserve + self.trap
            self.reserve = self.trap = 0.0
            cash = self.repay(self.settle_arrears(cash))
        if redeemed:
            self.pdl = 0.0
        late = min(cash, self.fee_arrears)
        self.fee_arrears -= late
        return cash - late

    def cover(self, short: float) -> float:
        """Draw a shortfall from the reserve, then from the trap account. Returns USD drawn."""
        first = min(short, self.reserve)
        second = min(short - first, self.trap)
        self.reserve -= first
        self.trap -= second
        return first + second

    def pay_fees(self, cash: float) -> tuple[float, float]:
        """Pay senior fees. Returns cash left and fees."""
        due = self.fee_arrears + (self.fee_fixed + self.fee_rate * self.period_years * self.pool)
        if cash < due:
            cash += self.cover(due - cash)
        fees = min(cash, due)
        self.fee_arrears = due - fees
        return cash - fees, fees

    def pay_interest(self, cash: float) -> float:
        """Accrue and pay interest class by class. Returns cash left."""
        for note in self.notes:
            rate = note.coupon * self.period_years
            note.accrued = rate * note.balance
            note.arrears += rate * note.arrears + note.accrued
            if cash < note.arrears:
                cash += self.cover(note.arrears - cash)
            cash = self.settle_interest(note, cash)
        return cash

    def settle_interest(self, note: Note, cash: float) -> float:
        """Pay one class's interest. Returns cash left."""
        owed = note.arrears
        amount = cash if cash < owed - self.dust else owed
        note.interest += amount
        note.arrears -= amount
        return max(0.0, cash - owed)

    def settle_arrears(self, cash: float) -> float:
        """Pay unpaid interest in turn. Returns cash left."""
        for note in self.notes:
            cash = self.settle_interest(note, cash)
        return cash

    def repay(self, cash: float) -> float:
        """Pay principal in turn. Returns cash left."""
        for note in self.notes:
            owed = note.balance
            amount = cash if cash < owed - self.dust else owed
            note.principal += amount
            note.balance -= amount
            cash = max(0.0, cash - owed)
        return cash

    def fill_reserve(self, cash: float, owing: bool) -> float:
        """Release the reserve's excess, pay unpaid interest, top it up. Returns cash left."""
        target = self.reserve_target if owing else 0.0
        excess = max(0.0, self.reserve - target)
        self.reserve -= excess
        cash = self.settle_arrears(cash + excess)
        deposit = min(cash, max(0.0, target - self.reserve))
        self.reserve += deposit
        return cash - deposit

    def pull_triggers(self, earned: float) -> None:
        """Record the DSCR; set trap and rapid amortisation."""
        service = sum_in_order(note.accrued for note in self.notes)
        if service > self.dust:
            self.ratios.append(earned / service)
            del self.ratios[: -self.window]
        if len(self.ratios) < self.window:
            return
        average = sum_in_order(self.ratios) / self.window
        self.rapid = self.rapid or average < self.rapid_level
        if average < self.trap_level:
            self.trapped, self.good_periods = True, 0
        elif self.trapped:
            self.good_periods += 1
            self.trapped = self.good_periods < self.cure_periods

    def use_excess(self, cash: float) -> float:
        """Turbo, then trap or release. Returns cash left."""
        turbo = self.rapid or 0 <= self.ard <= self.age
        if turbo:
            cash += self.trap
            self.trap = 0.0
            cash = max(0.0, cash - (cash - self.repay(cash)))
        if self.trapped and not turbo:
            paid_in = self.trap_share * cash
            self.trap += paid_in
            return cash - paid_in
        released, self.trap = self.trap, 0.0
        return cash + released


def sum_in_order(values: Iterable[float]) -> float:
    """Sum from the first on; the built-in compensates since Python 3.12."""
    amount = 0.0
    for value in values:
        amount += value
    return amount


def found(work: Task) -> Deal:
    """The deal at closing."""
    terms, opening = work.terms[0], work.opening[0]
    pairs = zip(opening["balance"][:CLASSES].tolist(), terms["coupon"][:CLASSES].tolist(), strict=True)
    same = ("reserve_target", "fee_fixed", "fee_rate", "cure_periods", "trap_share", "ard", "period_years")
    level = {name: terms[f"dscr_{name}"].item() for name in ("trap", "rapid")}
    return Deal(
        [Note(*pair) for pair in pairs],
        pool=opening["pool"].item(),
        reserve=opening["reserve"].item(),
        window=terms["dscr_window"].item(),
        trap_level=level["trap"] - SLACK * level["trap"],
        rapid_level=level["rapid"] - SLACK * level["rapid"],
        **{name: terms[name].item() for name in same},
    )


def pay_lives(work: Task) -> tuple[np.ndarray, np.ndarray]:
    """Interest and principal over the life, (k, s) USD, path by path."""
    periods, paths = work.revenue.shape
    interest, principal = np.zeros((2, CLASSES, paths))
    revenue, default_rate, amortisation = work.revenue.T.tolist(), work.default_rate.T.tolist(), work.amortisation.tolist()
    for s in range(paths):
        deal, got, repaid = found(work), [0.0] * CLASSES, [0.0] * CLASSES
        for t in range(periods):
            deal.pay(revenue[s][t], default_rate[s][t], amortisation[t], work.recovery_rate, t == periods - 1)
            for k, note in enumerate(deal.notes):
                got[k] += note.interest
                repaid[k] += note.principal
        interest[:, s], principal[:, s] = got, repaid
    return interest, principal
