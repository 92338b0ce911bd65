"""Deals as Python objects: every payment rule of the book, one number at a time, as a model of agents would write them.

A deal keeps its terms, its accounts and what it paid in its last period under the names of ``sim.kernels.layouts``.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from analysis.benchmarks.claims import Claim, Ranks, settle, sum_up
from sim.kernels import clauses
from sim.kernels.clauses import (
    DUST,
    FIXED,
    INTEREST_ONLY,
    MONTHS,
    MONTHS_OF_INTEREST,
    PRO_RATA,
    SCHEDULED,
    SEQUENTIAL,
    SHARE_OF_NOTES,
)
from sim.kernels.layouts import PAYMENT, STATE, TERMS

fails, exceeds = clauses.fails.py_func, clauses.exceeds.py_func
TABLES = {"terms": TERMS, "state": STATE}


def named(kind: str, by_note: bool) -> list[str]:
    """Columns of a record, those with an entry a note or the others."""
    return [name for name, form, *_ in TABLES[kind] if form.endswith("k") == by_note]


class Note(SimpleNamespace):
    """One class of notes: its terms, and three claims."""

    def __init__(self, **columns: Any) -> None:
        super().__init__(**columns)
        self.balance, self.arrears, self.deferred = Claim(columns["balance"]), Claim(columns["arrears"]), Claim(columns["deferred"])
        self.accrued = self.pik_paid = self.write_off = self.rate = self.opening = 0.0


class Deal(SimpleNamespace):
    """One deal on its way through its periods; USD."""

    age: int
    good_periods: int
    missed_periods: int
    periods_to_sale: int
    early: bool
    guarantee_called: bool
    in_default: bool
    ltv_sweep: bool
    rapid: bool
    sold: bool
    trapped: bool
    facility: float
    fee_arrears: float
    pdl: float
    pool: float
    reserve: float
    trap: float

    def __init__(self, terms: np.ndarray, opening: np.ndarray) -> None:
        both = {"terms": terms, "state": opening}
        super().__init__(**{name: both[kind][name].tolist() for kind in both for name in named(kind, by_note=False)})
        columns = {name: both[kind][name].tolist() for kind in both for name in named(kind, by_note=True)}
        self.notes = [Note(**{name: values[k] for name, values in columns.items()}) for k in range(self.classes)]
        ranks = [[note for note in self.notes if note.rank == rank] for rank in sorted({note.rank for note in self.notes})]
        self.ranks, self.dust = ranks, DUST * sum_up([note.notional for note in self.notes])
        self.interest: Ranks = [[note.arrears for note in rank] for rank in ranks]
        self.principal: Ranks = [[note.balance for note in rank] for rank in ranks]
        self.deferred_interest: Ranks = [[note.deferred for note in rank] for rank in ranks]
        self.at_once: Ranks = [[note.balance for note in self.notes]]
        self.ratios: list[float] = []
        self.waiting: list[float] = []

    def owed(self) -> float:
        """Notes outstanding."""
        return sum_up([note.balance.owed for note in self.notes])

    def pay(self, now: SimpleNamespace) -> float:
        """Pay one period on its inputs, the columns of ``PERIOD``; returns the residual."""
        self.age += 1
        self.begin(now)
        cash = self.pay_fees(self.collect(now))
        if self.facility_limit > 0.0:
            cash = self.serve_facility(cash)
        self.accrue()
        cash = self.fill_reserve(self.pay_interest(cash))
        cash = self.repay_in_default(cash) if self.in_default else self.repay(cash, now)
        self.pull_triggers(now)
        cash = self.close(self.use_excess(cash), now.last)
        cash = self.pay_the_rest(cash)
        self.end()
        return cash

    # -- helpers -------------------------------------------------------------------------------------------------------

    def settle(self, cash: float, ranks: Ranks, to_goal: bool = False) -> float:
        """Pay rank by rank. Returns cash left."""
        return settle(cash, ranks, self.dust, to_goal)

    def cover(self, short: float, rank: int) -> float:
        """Draw a shortfall from the reserve, the trap account, the facility. Returns USD drawn."""
        first = min(short, self.reserve) if rank <= self.reserve_covers_rank else 0.0
        second = min(short - first, self.trap)
        self.reserve -= first
        self.trap -= second
        self.reserve_drawn += first
        self.trap_drawn += second
        if self.facility_limit <= 0.0 or rank > self.facility_covers_rank:
            return first + second
        third = max(0.0, min(short - (first + second), self.facility_limit - self.facility))
        self.facility += third
        self.facility_drawn += third
        return first + second + third

    def owe_to_goal(self) -> float:
        """What brings the notes down to their schedule."""
        return sum_up([note.balance.due(True) for note in self.notes])

    # -- clauses -------------------------------------------------------------------------------------------------------

    def begin(self, now: SimpleNamespace) -> None:
        """Set the period's coupons and goals, and note how it opens."""
        for note, target in zip(self.notes, now.target, strict=False):
            note.rate = max(note.floor, now.index) + note.margin if note.floating else note.coupon
            note.opening = note.balance.owed
            note.balance.goal = target if self.mode == SCHEDULED else 0.0
            note.balance.paid = note.arrears.paid = note.deferred.paid = note.pik_paid = note.write_off = 0.0
        self.opening_pool, self.was_in_default = self.pool, self.in_default
        self.principal_cash = self.sale_proceeds = self.guarantee_proceeds = self.pool_sold = 0.0
        self.reserve_drawn = self.trap_drawn = self.oc_diverted = self.bought = self.paid_for_collateral = 0.0
        self.facility_drawn = self.facility_interest_paid = self.facility_repaid = self.facility_write_off = 0.0

    def collect(self, now: SimpleNamespace) -> float:
        """Roll the collateral; sales and, in default, the accounts join the cash. Returns the period's cash."""
        pool = self.pool
        self.defaulted = now.default_rate * pool
        self.scheduled = now.amortisation_rate * (pool - self.defaulted)
        self.revenue = now.revenue
        if now.revenue != now.revenue:
            self.revenue = now.pool_yield * self.period_years * (pool - self.defaulted)
        self.pool = max(0.0, pool - self.defaulted - self.scheduled)
        self.defaulted_to_date += self.defaulted
        self.waiting.append(self.defaulted)
        self.recovery = now.recovery_rate * (self.waiting.pop(0) if len(self.waiting) > self.recovery_lag else 0.0)
        self.reserve_income = self.reserve_rate * self.period_years * self.reserve
        self.principal_due = self.scheduled
        if self.mode in (SEQUENTIAL, PRO_RATA):
            self.principal_due += self.pdl + self.defaulted
        cash = self.revenue + self.scheduled + self.recovery + self.reserve_income + now.other_cash
        lost = self.recovery if self.sold else 0.0
        self.recovery -= lost
        self.principal_cash = now.principal_cash + self.sell(now)
        cash += self.principal_cash - lost
        if self.in_default:
            self.reserve_drawn, self.trap_drawn = self.reserve, self.trap
            self.reserve = self.trap = 0.0
            cash += self.reserve_drawn + self.trap_drawn
        return cash

    def sell(self, now: SimpleNamespace) -> float:
        """Sell the pool, as trustee or at a planned disposal, and call the guarantee, once. Returns USD."""
        self.periods_to_sale -= self.in_default
        forced = self.in_default and self.periods_to_sale <= 0
        if not forced and (self.in_default or now.disposal != now.disposal):
            return 0.0
        self.sale_proceeds = now.disposal if not forced else 0.0 if self.guarantee_called else now.market_value
        self.pool_sold, self.pool = self.pool, 0.0
        if not self.guarantee_called and not now.guarantor_failed:
            self.guarantee_proceeds = min(self.guarantee_cap, max(0.0, self.guarantee_strike - self.sale_proceeds))
        self.guarantee_called, self.sold = True, self.sold or forced
        return self.sale_proceeds + self.guarantee_proceeds

    def pay_fees(self, cash: float) -> float:
        """Pay senior fees up to their cap, from the accounts where cash is short. Returns cash left."""
        due = self.fee_arrears
        if not self.sold:
            due += self.fee_fixed + self.fee_rate * self.period_years * self.opening_pool
        self.fees = min(cash, due if self.in_default else min(due, self.fee_cap))
        cash -= self.fees
        self.fee_arrears = due - self.fees
        if self.fee_arrears > 0.0 and not self.in_default:
            drawn = self.cover(min(self.fee_arrears, self.fee_cap - self.fees), 0)
            self.fees += drawn
            self.fee_arrears -= drawn
        return cash

    def repay_facility(self, cash: float, owed: float) -> float:
        """Pay the facility's interest, then ``owed`` of its principal. Returns cash left."""
        interest = min(cash, self.facility_interest)
        principal = min(cash - interest, owed)
        self.facility_interest -= interest
        self.facility -= principal
        self.facility_interest_paid += interest
        self.facility_repaid += principal
        return cash - interest - principal

    def serve_facility(self, cash: float) -> float:
        """Charge and pay the facility; what this period drew is repaid from the next. Returns cash left."""
        old = self.facility - self.facility_drawn
        self.facility_interest += self.facility_rate * self.period_years * old
        return self.repay_facility(cash, old)

    def accrue(self) -> None:
        """Add the period's interest to what notes are owed; after the ARD the margin is deferred."""
        years, past = self.period_years, 0 <= self.ard < self.age
        for note in self.notes:
            base = max(0.0, note.balance.owed - note.write_down)
            note.accrued = note.rate * years * base
            note.arrears.owed += note.interest_on_interest * note.rate * years * note.arrears.owed + note.accrued
            if past:
                grown = (note.rate + note.ard_margin) * years * note.deferred.owed + note.ard_margin * years * base
                note.deferred.owed += grown
        self.debt_service = sum_up([note.accrued for note in self.notes])
        if self.mode == SCHEDULED:
            for note in self.notes:
                self.debt_service += note.balance.due(True)

    def pay_interest(self, cash: float) -> float:
        """Pay interest by rank, each followed by its OC test or, in default, by its principal. Returns cash left."""
        for place, notes in enumerate(self.ranks):
            rank = self.interest[place : place + 1]
            cash = self.settle(cash, rank)
            if self.in_default:
                cash = self.settle(cash, self.principal[place : place + 1])
                continue
            short = sum_up([note.arrears.owed for note in notes])
            if short > 0.0:
                self.settle(self.cover(short, notes[0].rank), rank)
            trigger = notes[0].oc_trigger
            if trigger == trigger:
                cash = self.divert(cash, trigger, notes[0].rank)
        return cash

    def divert(self, cash: float, trigger: float, rank: int) -> float:
        """Test the collateral over this rank and above; a failure pays senior principal. Returns cash left."""
        notes = sum_up([note.balance.owed for note in self.notes if note.rank <= rank])
        collateral = self.pool + self.scheduled + self.recovery + self.principal_cash
        if notes <= self.dust or not fails(collateral / notes, trigger):
            return cash
        amount = min(cash, notes - collateral / trigger)
        self.oc_diverted += amount
        return cash - amount + self.settle(amount, self.principal)

    def fill_reserve(self, cash: float) -> float:
        """Release the reserve's excess, pay unpaid interest with it, top the reserve up. Returns cash left."""
        target = self.reserve_target if self.reserve_target_kind == FIXED else 0.0
        if self.reserve_target_kind == SHARE_OF_NOTES:
            target = sum_up([self.reserve_target * note.opening for note in self.notes])
        if self.reserve_target_kind == MONTHS_OF_INTEREST:
            target = sum_up([self.reserve_target * (note.rate / MONTHS) * note.opening for note in self.notes])
        if sum_up([note.opening for note in self.notes]) <= self.dust:
            target = 0.0
        self.reserve_released = 0.0 if self.in_default else max(0.0, self.reserve - target)
        if self.in_default:
            return cash
        self.reserve -= self.reserve_released
        cash = self.settle(cash + self.reserve_released, self.interest)
        deposit = min(cash, max(0.0, target - self.reserve))
        self.reserve += deposit
        return cash - deposit

    def repay_in_default(self, cash: float) -> float:
        """Principal was paid by rank with interest; keep the ledger. Returns cash left."""
        missing = max(0.0, self.principal_due - sum_up([note.balance.paid for note in self.notes]))
        self.pdl = missing if self.mode in (SEQUENTIAL, PRO_RATA) else 0.0
        return cash

    def repay(self, cash: float, now: SimpleNamespace) -> float:
        """Pay principal and keep the ledger; while revolving, buy collateral. Returns cash left."""
        together = self.mode == PRO_RATA and not self.rapid
        together = together and not exceeds(self.defaulted_to_date, self.switch_default_share * self.pool_at_closing)
        ranks = self.at_once if together else self.principal
        earmarked = min(cash, self.principal_cash)
        short = self.principal_cash - earmarked
        cash += self.settle(earmarked, ranks) - earmarked
        due = max(0.0, (self.owe_to_goal() if self.mode == SCHEDULED else self.principal_due) - self.oc_diverted)
        paid = min(cash, due)
        self.early = self.early or (self.opening_pool > self.dust and exceeds(now.default_rate, self.early_amortisation_default))
        if self.age <= self.revolving_end and self.mode != INTEREST_ONLY and not self.early:
            self.paid_for_collateral, self.bought = paid, paid / self.purchase_price
            self.pool += self.bought
        for_notes = paid - self.paid_for_collateral
        over = self.settle(for_notes, ranks, True)
        missing = max(0.0, due - (self.bought + for_notes - over)) + short
        self.pdl = missing if self.mode in (SEQUENTIAL, PRO_RATA) else 0.0
        return cash - paid + over

    def pull_triggers(self, now: SimpleNamespace) -> None:
        """Record the DSCR; set trap, rapid amortisation and LTV sweep."""
        if self.debt_service > self.dust:
            self.ratios.append((self.revenue - self.fees) / self.debt_service)
            del self.ratios[: -self.dscr_window]
        ratios, window = sum_up(self.ratios[::-1]), self.dscr_window
        self.dscr_average = ratios / max(1, len(self.ratios))
        if len(self.ratios) == window:
            self.rapid = self.rapid or fails(ratios, self.dscr_rapid * window)
            self.good_periods += self.trapped
            if fails(ratios, self.dscr_trap * window):
                self.trapped, self.good_periods = True, 0
            elif self.good_periods >= self.cure_periods:
                self.trapped = False
        notes, most = self.owed(), self.ltv_trigger * now.appraisal
        cured = notes <= self.dust or fails(notes, most)
        self.ltv_sweep = not cured and (exceeds(notes, most) or self.ltv_sweep)

    def use_excess(self, cash: float) -> float:
        """Turbo, or sweep a share, then trap or release; in default there is no excess. Returns cash left."""
        self.turbo = self.rapid or 0 <= self.ard <= self.age
        opened = self.trap if self.turbo or (self.ltv_sweep and not self.trapped) else 0.0
        able = 0.0 if self.in_default else cash + opened
        to_notes = able if self.turbo or self.ltv_sweep else self.sweep_share * able
        self.swept = to_notes - self.settle(to_notes, self.principal)
        able = max(0.0, able - self.swept)
        holds = self.trapped and not self.turbo
        self.trap_paid_in = self.trap_share * able if holds else 0.0
        released = 0.0 if holds else self.trap - opened
        self.trap = self.trap - opened + self.trap_paid_in - released
        self.trap_released = released + (0.0 if self.turbo else opened)
        return cash if self.in_default else able + released - self.trap_paid_in

    def close(self, cash: float, last: bool) -> float:
        """When the notes are gone or the run ends, apply the accounts to what is owed. Returns cash left."""
        redeemed = self.owed() <= self.dust
        if redeemed or last:
            cash += self.reserve + self.trap
            self.reserve = self.trap = 0.0
            cash = self.settle(self.settle(self.repay_facility(cash, self.facility), self.interest), self.principal)
        if redeemed:
            self.pdl = 0.0
        return cash

    def pay_the_rest(self, cash: float) -> float:
        """Deferred interest after all principal, fees over the cap, junior fees. Returns the sponsor's rest."""
        if self.owed() <= self.dust:
            cash = self.settle(cash, self.deferred_interest)
        self.fees_over_cap = min(cash, self.fee_arrears)
        self.fee_arrears -= self.fees_over_cap
        self.subordinated_fees = min(cash - self.fees_over_cap, self.subordinated_fee_rate * self.period_years * self.opening_pool)
        self.residual = cash - self.fees_over_cap - self.subordinated_fees
        return self.residual

    def end(self) -> None:
        """Capitalise, write down, write off after a sale, and set the next period's status."""
        for note in self.notes:
            if note.pik:
                note.pik_paid, note.arrears.owed = note.arrears.owed, 0.0
                note.balance.owed += note.pik_paid
        if self.writes_down:
            self.write_down()
        if self.in_default and self.sold:
            self.write_off()
        if self.default_periods > 0 or self.legal_final > 0:
            self.watch()

    def write_down(self) -> None:
        """Write notes down to collateral and accounts, from the bottom rank up."""
        uncovered = self.owed() - (self.pool + self.reserve + self.trap)
        for notes in reversed(self.ranks):
            size = sum_up([note.balance.owed for note in notes])
            loss = min(max(0.0, uncovered), size)
            for note in notes:
                note.write_down = loss * note.balance.owed / size if size > 0.0 else 0.0
            uncovered -= loss

    def write_off(self) -> None:
        """Strike what is still owed once the collateral is sold."""
        for note in self.notes:
            note.write_off = note.balance.owed
            note.balance.owed = note.arrears.owed = note.deferred.owed = note.write_down = 0.0
        self.facility_write_off = self.facility
        self.facility = self.facility_interest = self.fee_arrears = self.pdl = 0.0
        self.in_default = False

    def watch(self) -> None:
        """Declare an event of default for the next period, or end one when nothing is owed."""
        owing = [note for note in self.notes if note.balance.owed + note.arrears.owed > self.dust]
        if not owing:
            self.in_default, self.missed_periods = False, 0
            return
        unpaid = sum_up([note.arrears.owed for note in self.notes if note.rank == owing[0].rank])
        self.missed_periods = self.missed_periods + 1 if unpaid > self.dust else 0
        broken = 0 < self.default_periods <= self.missed_periods
        broken = broken or (0 < self.legal_final <= self.age and self.owed() > self.dust)
        if broken and not self.in_default and not self.sold:
            self.in_default, self.periods_to_sale = True, max(1, self.liquidation_lag)

    # -- report --------------------------------------------------------------------------------------------------------

    def paid(self) -> dict[str, float | list[float]]:
        """What the last period paid and left, by column of a payment record."""
        of_notes = {
            "opening": [note.opening for note in self.notes],
            "coupon": [note.rate for note in self.notes],
            "accrued": [note.accrued for note in self.notes],
            "interest": [note.arrears.paid for note in self.notes],
            "principal": [note.balance.paid for note in self.notes],
            "pik": [note.pik_paid for note in self.notes],
            "arrears": [note.arrears.owed for note in self.notes],
            "deferred": [note.deferred.owed for note in self.notes],
            "deferred_paid": [note.deferred.paid for note in self.notes],
            "write_down": [note.write_down for note in self.notes],
            "write_off": [note.write_off for note in self.notes],
            "balance": [note.balance.owed for note in self.notes],
        }
        of_deal = {name: getattr(self, name) for name, form, *_ in PAYMENT if not form.endswith("k")}
        return of_deal | {"in_default": self.was_in_default} | of_notes
