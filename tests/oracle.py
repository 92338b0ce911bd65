"""The payment rules once more, slow and exact: rational numbers, one object a note, one method a clause.

Reads the plain values of a deal file (numbers as text are best) and returns one row a period, by column of the
period table. Nothing here is shared with the kernel; when the two differ, one of them is wrong.
"""

from collections import defaultdict
from fractions import Fraction
from types import SimpleNamespace

ZERO = Fraction(0)
LONGEST = 1500  # bits of a denominator
DEFAULTS = {
    "recovery_rate": 0, "recovery_lag": 0, "fee_fixed": 0, "fee_rate": 0, "subordinated_fee_rate": 0,
    "reserve_at_closing": 0, "reserve_target": ("fixed", 0), "reserve_rate": 0, "reserve_covers_rank": 99,
    "facility_limit": 0, "facility_rate": 0, "facility_covers_rank": 0, "mode": "sequential", "sweep_share": 0,
    "dscr_window": 3, "cure_periods": 2, "trap_share": 1, "writes_down": False, "revolving_end": 0,
    "purchase_price": 1, "guarantee_strike": 0, "liquidation_lag": 1,
}  # fmt: skip
NOTE = {"coupon": 0, "interest_on_interest": 1, "pik": False, "ard_margin": 0}
NOTE |= {"floating": False, "margin": 0, "floor": 0}
WORDS = ("name", "mode")


def exact(value):
    """Numbers as fractions, whatever they are nested in."""
    if isinstance(value, dict):
        return {int(k) if str(k).isdigit() else k: v if k in WORDS else exact(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        kind = [value[0]] if value and value[0] in ("fixed", "share_of_notes", "months_of_interest") else []
        return kind + [exact(entry) for entry in value[len(kind) :]]
    return value if value is None or isinstance(value, bool) else Fraction(value)


def nothing(note):
    """No balance is left standing."""
    return ZERO


class Waterfall:
    """One deal on its way through its periods."""

    def __init__(self, deal):
        self.terms = defaultdict(lambda: None, exact(DEFAULTS) | exact(deal))
        notes = [NOTE | note for note in deal["notes"]]
        self.notes = [SimpleNamespace(**exact(note)) for note in notes]
        for note in self.notes:
            note.unpaid = note.deferred = note.written_down = ZERO
            note.target_balance = getattr(note, "target_balance", None)
        ranks = sorted({note.rank for note in self.notes})
        self.ranks = [[note for note in self.notes if note.rank == rank] for rank in ranks]
        self.pool, self.reserve = self.terms["pool_at_closing"], self.terms["reserve_at_closing"]
        self.trap = self.facility = self.facility_owed = self.fee_arrears = self.pdl = ZERO
        self.defaults, self.ratios, self.defaulted_to_date = [], [], ZERO
        self.close = False  # some ratio came within 1e-9 of its threshold without meeting it
        self.trapped = self.rapid = self.early = self.ltv_sweep = False
        self.in_default = self.sold = self.guarantee_used = False
        self.good = self.missed = self.to_sale = self.age = 0

    # -- helpers -------------------------------------------------------------------------------------------------------

    def given(self, name, otherwise=ZERO):
        """This period's entry of a list, if there is one."""
        values = self.terms[name]
        return values[self.age - 1] if values else otherwise

    def owed(self, what, notes=None):
        return sum((getattr(note, what) for note in self.notes if notes is None or note in notes), ZERO)

    def pay(self, groups, what, received, amount, floor=nothing):
        """Pay ``amount`` group by group, pro rata inside; returns what is left."""
        for group in groups:
            dues = [max(ZERO, getattr(note, what) - floor(note)) for note in group]
            part = min(amount, sum(dues))
            for note, due in zip(group, dues, strict=True):
                if part > 0:
                    paid = part * due / sum(dues)
                    setattr(note, what, getattr(note, what) - paid)
                    setattr(note, received, getattr(note, received) + paid)
            amount -= part
        return amount

    def take(self, account, most):
        """Move up to ``most`` out of an account."""
        amount = min(getattr(self, account), most)
        setattr(self, account, getattr(self, account) - amount)
        return amount

    def cover(self, needed, rank):
        """Bring cash up to ``needed`` from reserve, trap account, facility."""
        terms = self.terms
        if self.in_default or self.cash >= needed:
            return
        if rank <= terms["reserve_covers_rank"]:
            self.row["reserve_drawn"] += (drawn := self.take("reserve", needed - self.cash))
            self.cash += drawn
        self.row["trap_drawn"] += (drawn := self.take("trap", needed - self.cash))
        self.cash += drawn
        if rank <= terms["facility_covers_rank"]:
            drawn = min(needed - self.cash, terms["facility_limit"] - self.facility)
            self.drawn += drawn
            self.facility += drawn
            self.cash += drawn

    def exceeds(self, part, threshold, whole=1):
        """Whether part / whole is above its threshold, if there is one; notes a close call."""
        if threshold is None:
            return False
        self.close |= 0 < abs(part - threshold * whole) <= abs(threshold * whole) / 10**9
        return part > threshold * whole

    def below(self, part, threshold, whole=1):
        return threshold is not None and self.exceeds(-part, -threshold, whole)

    def scheduled(self, note):
        """Balance the schedule leaves; all of it without a schedule."""
        return note.target_balance[self.age] if note.target_balance else note.opening

    # -- clauses -------------------------------------------------------------------------------------------------------

    def period(self, last):
        self.age += 1
        self.row, self.drawn = defaultdict(Fraction), ZERO
        for note in self.notes:
            note.opening = note.balance
            note.interest = note.principal = note.pik_paid = note.deferred_paid = note.lost = ZERO
            note.rate = note.coupon
            if note.floating:
                note.rate = max(note.floor, self.given("index")) + note.margin
        was_in_default = self.in_default
        self.collateral()
        self.fees()
        self.repay_facility(self.opening_facility)
        self.interest()
        if not self.in_default:
            self.fill_reserve()
        self.principal()
        self.triggers()
        self.excess()
        gone = self.owed("balance") == 0
        if gone or last:
            self.cash += self.take("reserve", self.reserve) + self.take("trap", self.trap)
            self.repay_facility(self.facility)
            self.cash = self.pay(self.ranks, "unpaid", "interest", self.cash)
            self.cash = self.pay(self.ranks, "balance", "principal", self.cash)
        self.the_rest()
        if gone:
            self.pdl = ZERO
        self.losses()
        self.row["in_default"] = int(was_in_default)
        return self.report()

    def collateral(self):
        terms, row = self.terms, self.row
        self.opening_pool, self.opening_facility = self.pool, self.facility
        row["defaulted"] = self.given("default_rate") * self.pool
        performing = self.pool - row["defaulted"]
        row["scheduled"] = self.given("amortisation_rate") * performing
        row["revenue"] = self.given("revenue", None)
        if row["revenue"] is None:
            row["revenue"] = self.given("pool_yield") * terms["period_years"] * performing
        self.pool = performing - row["scheduled"]
        self.defaults.append(row["defaulted"])
        self.defaulted_to_date += row["defaulted"]
        if self.age > terms["recovery_lag"]:
            price = self.given("recovery_price", terms["recovery_rate"])
            row["recovery"] = price * self.defaults[self.age - 1 - int(terms["recovery_lag"])]
        row["reserve_income"] = terms["reserve_rate"] * terms["period_years"] * self.reserve
        self.earmarked = self.given("principal_cash")
        self.sale()
        self.cash = row["revenue"] + row["scheduled"] + row["recovery"] + row["reserve_income"]
        self.cash += self.given("other_cash") + self.earmarked
        if self.in_default:
            row["reserve_drawn"], row["trap_drawn"] = self.reserve, self.trap
            self.cash += self.take("reserve", self.reserve) + self.take("trap", self.trap)

    def sale(self):
        terms, row, proceeds = self.terms, self.row, self.given("disposal", None)
        if self.in_default:
            self.to_sale -= 1
            self.sold = self.to_sale == 0
            worth = ZERO if self.guarantee_used else self.given("market_value")  # what was sold before is gone
            proceeds = worth if self.sold else None
            if self.sold:
                self.defaults = [ZERO] * self.age
        if proceeds is None:
            return
        row["pool_sold"], row["sale_proceeds"], self.pool = self.pool, proceeds, ZERO
        failed = terms["guarantor_fails"] is not None and self.age >= terms["guarantor_fails"]
        if not failed and not self.guarantee_used:
            claim = max(ZERO, terms["guarantee_strike"] - proceeds)
            row["guarantee_proceeds"] = claim if terms["guarantee_cap"] is None else min(claim, terms["guarantee_cap"])
        self.guarantee_used = True
        self.earmarked += proceeds + row["guarantee_proceeds"]

    def fees(self):
        terms = self.terms
        due = self.fee_arrears
        if not self.sold:
            due += terms["fee_fixed"] + terms["fee_rate"] * terms["period_years"] * self.opening_pool
        capped = terms["fee_cap"] is not None and not self.in_default
        payable = min(due, terms["fee_cap"]) if capped else due
        self.cover(payable, 0)
        self.row["fees"] = paid = min(self.cash, payable)
        self.cash -= paid
        self.fee_arrears = due - paid
        self.facility_owed += terms["facility_rate"] * terms["period_years"] * self.opening_facility

    def repay_facility(self, principal):
        self.row["facility_interest_paid"] += (paid := self.take("facility_owed", self.cash))
        self.cash -= paid
        repaid = min(self.cash, principal)
        self.row["facility_repaid"] += repaid
        self.facility -= repaid
        self.cash -= repaid

    def interest(self):
        terms, years = self.terms, self.terms["period_years"]
        for note in self.notes:
            note.bearing = note.balance - note.written_down
            note.accrued = note.rate * years * note.bearing
            note.unpaid += note.interest_on_interest * note.rate * years * note.unpaid + note.accrued
            if terms["ard"] is not None and self.age > terms["ard"]:
                note.deferred *= 1 + (note.rate + note.ard_margin) * years
                note.deferred += note.ard_margin * years * note.bearing
        for position, group in enumerate(self.ranks):
            self.cover(self.owed("unpaid", group), group[0].rank)
            self.cash = self.pay([group], "unpaid", "interest", self.cash)
            if self.in_default:
                self.cash = self.pay([group], "balance", "principal", self.cash)
            elif threshold := (terms["oc_triggers"] or {}).get(group[0].rank):
                notes = sum((self.owed("balance", upper) for upper in self.ranks[: position + 1]), ZERO)
                row = self.row
                collateral = self.pool + row["scheduled"] + row["recovery"] + self.earmarked
                failed = self.below(collateral, threshold, notes)
                diverted = min(notes - collateral / threshold, self.cash) if failed else ZERO
                row["oc_diverted"] += diverted
                self.cash += self.pay(self.ranks, "balance", "principal", diverted) - diverted

    def fill_reserve(self):
        kind, target = self.terms["reserve_target"]
        if kind == "share_of_notes":
            target *= self.owed("opening")
        elif kind == "months_of_interest":
            target *= sum(note.rate * note.opening for note in self.notes) / 12
        if not self.owed("opening"):
            target = ZERO
        self.row["reserve_released"] = released = self.take("reserve", max(ZERO, self.reserve - target))
        self.cash = self.pay(self.ranks, "unpaid", "interest", self.cash + released)
        deposit = max(ZERO, min(self.cash, target - self.reserve))
        self.reserve += deposit
        self.cash -= deposit

    def principal(self):
        terms, row, mode = self.terms, self.row, self.terms["mode"]
        ledger = mode in ("sequential", "pro_rata")
        due = row["scheduled"] + (self.pdl + row["defaulted"] if ledger else ZERO)
        if self.in_default:
            self.pdl = max(ZERO, due - self.owed("principal")) if ledger else ZERO
            return
        switched = self.exceeds(self.defaulted_to_date, terms["switch_default_share"], terms["pool_at_closing"])
        together = mode == "pro_rata" and not switched and not self.rapid
        groups = [self.notes] if together else self.ranks
        part = min(self.cash, self.earmarked)
        missing = self.earmarked - part
        self.cash += self.pay(groups, "balance", "principal", part) - part
        if mode == "scheduled":
            due = sum(max(ZERO, note.balance - self.scheduled(note)) for note in self.notes)
        limit = terms["early_amortisation_default"] if self.opening_pool else None
        self.early |= self.exceeds(row["defaulted"], limit, self.opening_pool)
        due = max(ZERO, due - row["oc_diverted"])
        spent = min(self.cash, due)
        self.cash -= spent
        if self.age <= terms["revolving_end"] and not self.early and mode != "interest_only":
            row["paid_for_collateral"] = spent
            row["bought"] = settled = spent / terms["purchase_price"]
            self.pool += settled
        else:
            left = self.pay(groups, "balance", "principal", spent, self.scheduled if mode == "scheduled" else nothing)
            settled = spent - left
            self.cash += left
        self.pdl = max(ZERO, due - settled) + missing if ledger else ZERO

    def triggers(self):
        terms, row = self.terms, self.row
        service = sum((note.accrued for note in self.notes), ZERO)
        if terms["mode"] == "scheduled":
            service += sum(max(ZERO, note.opening - self.scheduled(note)) for note in self.notes)
        if service:
            self.ratios.append((row["revenue"] - row["fees"]) / service)
        window = self.ratios[-int(terms["dscr_window"]) :]
        row["dscr_average"] = average = sum(window, ZERO) / len(window) if window else ZERO
        if len(window) == terms["dscr_window"]:
            self.rapid |= self.below(average, terms["dscr_rapid"])
            if self.below(average, terms["dscr_trap"]):
                self.trapped, self.good = True, 0
            elif self.trapped:
                self.good += 1
                self.trapped = self.good < terms["cure_periods"]
        if terms["ltv_trigger"] is not None:
            notes, most = self.owed("balance"), terms["ltv_trigger"] * self.given("appraisal")
            self.ltv_sweep = bool(notes) and (self.exceeds(notes, most) or (self.ltv_sweep and notes == most))
        self.turbo = self.rapid or (terms["ard"] is not None and self.age >= terms["ard"])
        row["trapped"], row["turbo"], row["ltv_sweep"] = int(self.trapped), int(self.turbo), int(self.ltv_sweep)

    def excess(self):
        terms, row = self.terms, self.row
        if self.in_default:
            return
        if not self.turbo and not self.trapped:
            row["trap_released"] = self.trap
        sweeping = self.turbo or self.ltv_sweep
        if self.turbo or (self.ltv_sweep and not self.trapped):
            self.cash += self.take("trap", self.trap)
        part = self.cash if sweeping else terms["sweep_share"] * self.cash
        row["swept"] = part - self.pay(self.ranks, "balance", "principal", part)
        self.cash -= row["swept"]
        if self.trapped and not self.turbo:
            row["trap_paid_in"] = paid_in = terms["trap_share"] * self.cash
            self.trap += paid_in
            self.cash -= paid_in
        else:
            self.cash += self.take("trap", self.trap)

    def the_rest(self):
        terms, row = self.terms, self.row
        if not self.owed("balance"):
            self.cash = self.pay(self.ranks, "deferred", "deferred_paid", self.cash)
        row["fees_over_cap"] = paid = self.take("fee_arrears", self.cash)
        self.cash -= paid
        junior = terms["subordinated_fee_rate"] * terms["period_years"] * self.opening_pool
        row["subordinated_fees"] = min(self.cash, junior)
        row["residual"] = self.cash - row["subordinated_fees"]
        for note in self.notes:
            if note.pik:
                note.pik_paid, note.unpaid = note.unpaid, ZERO
                note.balance += note.pik_paid

    def losses(self):
        terms, row = self.terms, self.row
        uncovered = self.owed("balance") - (self.pool + self.reserve + self.trap)
        for group in reversed(self.ranks if terms["writes_down"] else []):
            size = self.owed("balance", group)
            lost = max(ZERO, min(uncovered, size))
            for note in group:
                note.written_down = lost * note.balance / size if size else ZERO
            uncovered -= lost
        if self.in_default and self.sold:
            for note in self.notes:
                note.lost, note.balance = note.balance, ZERO
                note.unpaid = note.deferred = note.written_down = ZERO
            row["facility_write_off"], self.facility = self.facility, ZERO
            self.facility_owed = self.fee_arrears = self.pdl = ZERO
            self.in_default = False
        owing = [group for group in self.ranks if any(note.balance or note.unpaid for note in group)]
        if not owing:
            self.in_default, self.missed = False, 0
            return
        self.missed = self.missed + 1 if self.owed("unpaid", owing[0]) else 0
        limit, final = terms["default_periods"], terms["legal_final"]
        over = limit is not None and self.missed >= limit
        over |= final is not None and self.age >= final and self.owed("balance") > 0
        if over and not self.in_default and not self.sold:
            self.in_default, self.to_sale = True, int(terms["liquidation_lag"])

    def report(self):
        row = self.row
        row["period"], row["facility_drawn"], row["principal_cash"] = self.age, self.drawn, self.earmarked
        for name in ("pool", "reserve", "trap", "facility", "fee_arrears", "pdl"):
            row[name] = getattr(self, name)
        for note in self.notes:
            for column, name in (
                ("interest", "interest"), ("principal", "principal"), ("pik", "pik_paid"), ("arrears", "unpaid"),
                ("deferred", "deferred"), ("deferred_paid", "deferred_paid"), ("write_down", "written_down"),
                ("write_off", "lost"), ("balance", "balance"),
            ):  # fmt: skip
                row[f"{column}_{note.name}"] = getattr(note, name)
        return row


class Unwieldy(ArithmeticError):
    """The exact numbers have grown too long to go on with."""


def run(file):
    """Rows of a deal file given as plain values, one a period, by column, exact; and whether any test was close."""
    waterfall, periods, rows = Waterfall(file["deal"]), int(file["periods"]), []
    for t in range(1, periods + 1):
        rows.append(waterfall.period(last=t == periods))
        amounts = [waterfall.pool, waterfall.pdl, waterfall.trap, waterfall.reserve, rows[-1]["residual"]]
        amounts += [amount for note in waterfall.notes for amount in (note.balance, note.unpaid, note.deferred)]
        if max(Fraction(amount).denominator.bit_length() for amount in amounts) > LONGEST:
            raise Unwieldy(f"period {t}")
    return rows, waterfall.close
