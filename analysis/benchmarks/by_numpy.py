"""The benchmark's deal with numpy: all paths of a period at once."""

import numpy as np

from analysis.benchmarks.task import CLASSES, NOTES, Task
from sim.kernels.clauses import DUST, SLACK

Flows = tuple[np.ndarray, np.ndarray]


class Paths:
    """One deal on all paths; every amount (s,) or (k, s) USD."""

    def __init__(self, work: Task) -> None:
        paths = work.revenue.shape[1]
        self.terms, opening = work.terms[0], work.opening[0]
        self.coupon = self.terms["coupon"][:CLASSES] * self.terms["period_years"]
        self.levels = [self.terms[name] - SLACK * self.terms[name] for name in ("dscr_trap", "dscr_rapid")]
        self.dust = DUST * sum(NOTES)
        self.balance = np.repeat(opening["balance"][:CLASSES, None], paths, axis=1)
        self.arrears = np.zeros((CLASSES, paths))
        self.pool, self.reserve = np.full(paths, opening["pool"]), np.full(paths, opening["reserve"])
        self.pdl, self.trap, self.fee_arrears, self.good = np.zeros((4, paths))
        self.ratios = np.full((int(self.terms["dscr_window"]), paths), np.inf)
        self.trapped, self.rapid = np.zeros((2, paths), dtype=bool)

    def pay(
        self, revenue: np.ndarray, default_rate: np.ndarray, amortisation: float, recovery_rate: float, age: int, last: bool
    ) -> Flows:
        """Pay one period; returns interest and principal (k, s)."""
        interest, principal = np.zeros_like(self.balance), np.zeros_like(self.balance)
        owing = self.balance.sum(axis=0) > self.dust
        defaulted = default_rate * self.pool
        scheduled = amortisation * (self.pool - defaulted)
        cash, fees = self.pay_fees(revenue + scheduled + recovery_rate * defaulted)
        self.pool = np.maximum(0.0, self.pool - defaulted - scheduled)
        accrued = self.coupon[:, None] * self.balance
        self.arrears += self.coupon[:, None] * self.arrears + accrued
        for k in range(CLASSES):
            cash = self.cover(cash, self.arrears[k])
            cash = self.settle(cash, self.arrears[k], interest[k])
        cash = self.fill_reserve(cash, interest, owing)
        due = scheduled + (self.pdl + defaulted)
        paid = np.minimum(cash, due)
        left = self.settle_all(paid, self.balance, principal)
        self.pdl = np.maximum(0.0, due - (paid - left))
        turbo = self.pull_triggers(revenue - fees, accrued.sum(axis=0)) | (0 <= self.terms["ard"] <= age)
        cash = self.use_excess(cash - paid + left, principal, turbo)
        redeemed = self.balance.sum(axis=0) <= self.dust
        cash = self.close_accounts(cash, interest, principal, redeemed | last)
        self.pdl[redeemed] = 0.0
        self.fee_arrears -= np.minimum(cash, self.fee_arrears)
        return interest, principal

    def cover(self, cash: np.ndarray, due: np.ndarray) -> np.ndarray:
        """Draw a shortfall from the reserve, then from the trap account. Returns cash."""
        short = np.maximum(0.0, due - cash)
        first = np.minimum(short, self.reserve)
        second = np.minimum(short - first, self.trap)
        self.reserve -= first
        self.trap -= second
        return cash + (first + second)

    def settle(self, cash: np.ndarray, owed: np.ndarray, paid: np.ndarray) -> np.ndarray:
        """Pay what one class is owed, in place. Returns cash left."""
        amount = np.where(cash < owed - self.dust, cash, owed)
        left = np.maximum(0.0, cash - owed)
        owed -= amount
        paid += amount
        return left

    def settle_all(self, cash: np.ndarray, owed: np.ndarray, paid: np.ndarray) -> np.ndarray:
        """Pay the classes in turn. Returns cash left."""
        for k in range(CLASSES):
            cash = self.settle(cash, owed[k], paid[k])
        return cash

    def pay_fees(self, cash: np.ndarray) -> Flows:
        """Pay senior fees. Returns cash left and fees."""
        terms = self.terms
        due = self.fee_arrears + (terms["fee_fixed"] + terms["fee_rate"] * terms["period_years"] * self.pool)
        cash = self.cover(cash, due)
        fees = np.minimum(cash, due)
        self.fee_arrears = due - fees
        return cash - fees, fees

    def fill_reserve(self, cash: np.ndarray, interest: np.ndarray, owing: np.ndarray) -> np.ndarray:
        """Release the reserve's excess, pay unpaid interest, top it up. Returns cash left."""
        target = np.where(owing, self.terms["reserve_target"], 0.0)
        excess = np.maximum(0.0, self.reserve - target)
        self.reserve -= excess
        cash = self.settle_all(cash + excess, self.arrears, interest)
        deposit = np.minimum(cash, np.maximum(0.0, target - self.reserve))
        self.reserve += deposit
        return cash - deposit

    def pull_triggers(self, earned: np.ndarray, service: np.ndarray) -> np.ndarray:
        """Set trap and rapid amortisation. Returns where amortisation is rapid."""
        counts = service > self.dust
        self.ratios[:-1] = np.where(counts, self.ratios[1:], self.ratios[:-1])
        np.divide(earned, service, out=self.ratios[-1], where=counts)
        average = self.ratios.sum(axis=0) / len(self.ratios)
        low = average < self.levels[0]
        self.rapid |= average < self.levels[1]
        self.good = np.where(low, 0.0, self.good + 1.0)
        self.trapped = low | (self.trapped & (self.good < self.terms["cure_periods"]))
        return self.rapid

    def use_excess(self, cash: np.ndarray, principal: np.ndarray, turbo: np.ndarray) -> np.ndarray:
        """Turbo, then trap or release. Returns cash left."""
        cash = cash + np.where(turbo, self.trap, 0.0)
        self.trap[turbo] = 0.0
        to_notes = np.where(turbo, cash, 0.0)
        cash = np.maximum(0.0, cash - (to_notes - self.settle_all(to_notes, self.balance, principal)))
        holds = self.trapped & ~turbo
        paid_in = np.where(holds, self.terms["trap_share"] * cash, 0.0)
        released = np.where(holds, 0.0, self.trap)
        self.trap += paid_in - released
        return cash + (released - paid_in)

    def close_accounts(self, cash: np.ndarray, interest: np.ndarray, principal: np.ndarray, closing: np.ndarray) -> np.ndarray:
        """Apply the accounts to whatever is still owed. Returns cash left."""
        if not closing.any():
            return cash
        able = np.where(closing, cash + self.reserve + self.trap, 0.0)
        self.reserve[closing] = self.trap[closing] = 0.0
        able = self.settle_all(able, self.arrears, interest)
        able = self.settle_all(able, self.balance, principal)
        return np.where(closing, able, cash)


def pay_lives(work: Task) -> Flows:
    """Interest and principal over the life, (k, s) USD."""
    paths = Paths(work)
    interest, principal = np.zeros((2, CLASSES, work.revenue.shape[1]))
    periods = len(work.amortisation)
    for t in range(periods):
        last = t == periods - 1
        got, repaid = paths.pay(work.revenue[t], work.default_rate[t], work.amortisation[t], work.recovery_rate, t + 1, last)
        interest += got
        principal += repaid
    return interest, principal
