"""The records a deal is kept in: terms, state, one period's inputs, one period's payments.

Each table below lists a record's columns as (name, kind, default, unit, meaning). Kinds: ``f`` float64,
``i`` int64, ``b`` bool; ``k`` after a kind makes it one entry per class, most senior first. A ratio trigger
that is absent is NaN, a limit that is absent is infinite.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

NAN, INF = float("nan"), float("inf")
WINDOW = 60  # periods of DSCR history kept, the longest window a deal may average over
LAG = 60  # periods between default and recovery, at most
PADDED = (2, 3, 4, 8)

Table = tuple[tuple[str, str, Any, str, str], ...]

TERMS: Table = (
    ("classes", "i", 0, "1", "classes of notes in use; the rest of the record is padding"),
    ("period_years", "f", 1 / 12, "year", "length of one period"),
    ("mode", "i", 0, "1", "0 sequential, 1 pro rata, 2 interest only, 3 scheduled"),
    ("notional", "fk", 0.0, "USD", "balance at closing; sets what counts as dust"),
    ("coupon", "fk", 0.0, "1/year", "fixed coupon"),
    ("floating", "ik", 0, "0 or 1", "coupon is max(floor, index) + margin instead"),
    ("margin", "fk", 0.0, "1/year", "added to the index of a floating class"),
    ("floor", "fk", 0.0, "1/year", "least index of a floating class"),
    ("rank", "ik", 1, "1", "place in the order of payment, 1 first, never falling from class to class"),
    ("interest_on_interest", "fk", 1.0, "1", "coupons charged on unpaid interest"),
    ("pik", "ik", 0, "0 or 1", "unpaid interest is capitalised"),
    ("ard_margin", "fk", 0.0, "1/year", "added after the ARD, deferred until all principal is paid"),
    ("oc_trigger", "fk", NAN, "1", "least collateral / notes of this rank and above; same for a whole rank"),
    ("pool_at_closing", "f", 0.0, "USD", "collateral at closing"),
    ("purchase_price", "f", 1.0, "1", "price of new collateral while revolving"),
    ("revolving_end", "i", 0, "period", "last period in which principal buys collateral"),
    ("early_amortisation_default", "f", NAN, "1/period", "default rate above which revolving ends"),
    ("recovery_lag", "i", 0, "period", "from default to sale"),
    ("fee_fixed", "f", 0.0, "USD/period", "senior fees"),
    ("fee_rate", "f", 0.0, "1/year", "senior fees on the pool at the start of the period"),
    ("fee_cap", "f", INF, "USD/period", "most the senior place pays"),
    ("subordinated_fee_rate", "f", 0.0, "1/year", "junior fees on the pool at the start of the period"),
    ("reserve_target_kind", "i", 0, "1", "0 USD, 1 share of the notes, 2 months of interest"),
    ("reserve_target", "f", 0.0, "see kind", "what the reserve is topped up to"),
    ("reserve_rate", "f", 0.0, "1/year", "earned on the reserve"),
    ("reserve_covers_rank", "i", 99, "1", "last rank whose interest the reserve pays; 0 fees only"),
    ("facility_limit", "f", 0.0, "USD", "liquidity facility or servicer advances"),
    ("facility_rate", "f", 0.0, "1/year", "charged on the facility"),
    ("facility_covers_rank", "i", 0, "1", "last rank whose interest the facility pays; 0 fees only"),
    ("sweep_share", "f", 0.0, "1", "share of excess cash swept to principal"),
    ("ard", "i", -1, "period", "anticipated repayment date; -1 none"),
    ("dscr_trap", "f", NAN, "1", "average DSCR below which cash is trapped"),
    ("dscr_rapid", "f", NAN, "1", "average DSCR below which amortisation is rapid, for good"),
    ("dscr_window", "i", 3, "period", "periods in the average"),
    ("cure_periods", "i", 2, "period", "good periods that end a trap"),
    ("trap_share", "f", 1.0, "1", "share of excess cash trapped"),
    ("switch_default_share", "f", NAN, "1", "defaults / pool at closing above which pro rata ends"),
    ("ltv_trigger", "f", NAN, "1", "notes / appraisal above which all excess sweeps"),
    ("writes_down", "b", False, "bool", "notes are written down to their cover"),
    ("guarantee_strike", "f", 0.0, "USD", "residual value guaranteed at a sale of the collateral"),
    ("guarantee_cap", "f", INF, "USD", "most the guarantor pays"),
    ("default_periods", "i", 0, "period", "of unpaid controlling-class interest: event of default; 0 never"),
    ("legal_final", "i", 0, "period", "notes left after it: event of default; 0 none"),
    ("liquidation_lag", "i", 1, "period", "from event of default to sale, at least 1"),
)

STATE: Table = (
    ("age", "i", 0, "period", "periods paid"),
    ("balance", "fk", 0.0, "USD", "notes outstanding"),
    ("arrears", "fk", 0.0, "USD", "interest due and unpaid"),
    ("deferred", "fk", 0.0, "USD", "margin accrued after the ARD and unpaid"),
    ("write_down", "fk", 0.0, "USD", "part of the balance that bears no interest"),
    ("pool", "f", 0.0, "USD", "performing collateral"),
    ("pdl", "f", 0.0, "USD", "principal deficiency ledger"),
    ("reserve", "f", 0.0, "USD", "reserve account"),
    ("trap", "f", 0.0, "USD", "cash trap account"),
    ("facility", "f", 0.0, "USD", "facility drawn"),
    ("facility_interest", "f", 0.0, "USD", "facility interest unpaid"),
    ("fee_arrears", "f", 0.0, "USD", "senior fees unpaid"),
    ("defaulted_to_date", "f", 0.0, "USD", "since closing"),
    ("pik_to_date", "fk", 0.0, "USD", "interest capitalised since closing"),
    ("trapped", "b", False, "bool", "excess is trapped"),
    ("good_periods", "i", 0, "period", "good periods in a row while trapped"),
    ("rapid", "b", False, "bool", "rapid amortisation, for good"),
    ("early", "b", False, "bool", "early amortisation: revolving has ended, for good"),
    ("ltv_sweep", "b", False, "bool", "LTV trigger is breached"),
    ("guarantee_called", "b", False, "bool", "the residual-value guarantee has been used"),
    ("missed_periods", "i", 0, "period", "in a row with controlling-class interest unpaid"),
    ("in_default", "b", False, "bool", "event of default: the next period is paid by rank"),
    ("periods_to_sale", "i", 0, "period", "until the collateral is sold"),
    ("sold", "b", False, "bool", "collateral was sold after an event of default"),
    ("dscr", f"f{WINDOW}", 0.0, "1", "past ratios, the last of the window newest"),
    ("dscr_count", "i", 0, "1", "ratios recorded since closing"),
    ("queue", f"f{LAG + 1}", 0.0, "USD", "ring of defaulted amounts awaiting sale"),
)

PERIOD: Table = (
    ("revenue", "f", NAN, "USD", "net rent; NaN takes pool_yield on the performing pool"),
    ("pool_yield", "f", 0.0, "1/year", "on the performing pool"),
    ("default_rate", "f", 0.0, "1/period", "share of the pool that defaults"),
    ("amortisation_rate", "f", 0.0, "1/period", "scheduled principal, share of what has not defaulted"),
    ("recovery_rate", "f", 0.0, "1", "market price of the defaulted assets sold in this period"),
    ("other_cash", "f", 0.0, "USD", "plain cash outside the DSCR, such as a sponsor's cure"),
    ("principal_cash", "f", 0.0, "USD", "cash that pays principal in every mode, outside the DSCR"),
    ("disposal", "f", NAN, "USD", "proceeds if the whole pool is sold in this period; NaN keeps it"),
    ("guarantor_failed", "b", False, "bool", "the residual-value guarantee is worth nothing"),
    ("appraisal", "f", NAN, "USD", "last appraised value of the collateral; NaN skips the LTV test"),
    ("index", "f", 0.0, "1/year", "last month's reference rate"),
    ("market_value", "f", 0.0, "USD", "what the collateral fetches if the trustee sells it now"),
    ("target", "fk", NAN, "USD", "scheduled balance at the end of this period; NaN none"),
    ("last", "b", False, "bool", "the run ends here: accounts repay what they can"),
    ("special", "b", False, "bool", "on some lane, principal cash is received or a sale is planned"),
    ("rate", "fk", 0.0, "1/year", "coupon of the period; set when it is paid"),
    ("goal", "fk", 0.0, "USD", "balance that principal is to reach; set when the period is paid"),
    ("reserve_fixed", "f", 0.0, "USD", "of the reserve's target; set when the period is paid"),
    ("reserve_weight", "fk", 0.0, "1", "of each class in that target; set when the period is paid"),
)

PAYMENT: Table = (
    ("age", "i", 0, "period", "period paid, 1 first"),
    ("revenue", "f", 0.0, "USD", "net rent or yield collected"),
    ("scheduled", "f", 0.0, "USD", "scheduled principal collected"),
    ("defaulted", "f", 0.0, "USD", "pool that defaulted"),
    ("recovery", "f", 0.0, "USD", "proceeds of defaulted assets"),
    ("reserve_income", "f", 0.0, "USD", "earned on the reserve"),
    ("principal_cash", "f", 0.0, "USD", "principal cash received, sale and guarantee included"),
    ("sale_proceeds", "f", 0.0, "USD", "collateral sold"),
    ("guarantee_proceeds", "f", 0.0, "USD", "paid by the residual-value guarantor"),
    ("pool_sold", "f", 0.0, "USD", "pool that left in a sale"),
    ("opening_pool", "f", 0.0, "USD", "collateral at the start of the period"),
    ("pool", "f", 0.0, "USD", "performing collateral at the end of the period"),
    ("fees", "f", 0.0, "USD", "senior fees paid"),
    ("fees_over_cap", "f", 0.0, "USD", "senior fees paid in the subordinated place"),
    ("fee_arrears", "f", 0.0, "USD", "senior fees carried forward"),
    ("facility_drawn", "f", 0.0, "USD", "drawn on the facility"),
    ("facility_interest_paid", "f", 0.0, "USD", "paid to the facility"),
    ("facility_repaid", "f", 0.0, "USD", "principal paid to the facility"),
    ("facility", "f", 0.0, "USD", "facility outstanding"),
    ("principal_due", "f", 0.0, "USD", "scheduled principal and, in modes with a PDL, what it holds and what defaulted"),
    ("debt_service", "f", 0.0, "USD", "interest and scheduled principal due, the divisor of the DSCR"),
    ("dscr_average", "f", 0.0, "1", "windowed mean of DSCR; 0 before the first"),
    ("trapped", "b", False, "bool", "cash trap is on"),
    ("turbo", "b", False, "bool", "rapid amortisation or past the ARD: all excess pays principal"),
    ("ltv_sweep", "b", False, "bool", "LTV trigger is breached"),
    ("in_default", "b", False, "bool", "period was paid under an event of default"),
    ("trap_paid_in", "f", 0.0, "USD", "excess put into the trap account"),
    ("trap_drawn", "f", 0.0, "USD", "trap account used for a shortfall"),
    ("trap_released", "f", 0.0, "USD", "trap account returned to the cash"),
    ("trap", "f", 0.0, "USD", "trap account"),
    ("reserve_drawn", "f", 0.0, "USD", "reserve used for a shortfall"),
    ("reserve_released", "f", 0.0, "USD", "reserve above its target"),
    ("reserve", "f", 0.0, "USD", "reserve account"),
    ("pdl", "f", 0.0, "USD", "principal deficiency ledger"),
    ("bought", "f", 0.0, "USD", "collateral bought, at par"),
    ("paid_for_collateral", "f", 0.0, "USD", "its price"),
    ("oc_diverted", "f", 0.0, "USD", "principal paid by failed OC tests"),
    ("swept", "f", 0.0, "USD", "excess paid as principal by turbo or sweep"),
    ("subordinated_fees", "f", 0.0, "USD", "junior fees paid"),
    ("residual", "f", 0.0, "USD", "paid to the sponsor"),
    ("facility_write_off", "f", 0.0, "USD", "facility lost after a sale"),
    ("opening", "fk", 0.0, "USD", "balance at the start of the period"),
    ("coupon", "fk", 0.0, "1/year", "coupon of the period"),
    ("accrued", "fk", 0.0, "USD", "current interest"),
    ("interest", "fk", 0.0, "USD", "interest paid"),
    ("principal", "fk", 0.0, "USD", "principal paid"),
    ("pik", "fk", 0.0, "USD", "interest capitalised"),
    ("arrears", "fk", 0.0, "USD", "interest unpaid and carried"),
    ("deferred", "fk", 0.0, "USD", "post-ARD margin unpaid"),
    ("deferred_paid", "fk", 0.0, "USD", "post-ARD margin paid"),
    ("write_down", "fk", 0.0, "USD", "balance not covered by collateral and accounts"),
    ("write_off", "fk", 0.0, "USD", "balance lost after a sale"),
    ("balance", "fk", 0.0, "USD", "notes outstanding at the end of the period"),
)

TABLES = {"terms": TERMS, "state": STATE, "period": PERIOD, "payment": PAYMENT}
KINDS = {"f": np.float64, "i": np.int64, "b": np.bool_}


@dataclass(frozen=True)
class Layout:
    """The four records, with room for ``classes`` classes of notes."""

    classes: int
    terms: np.dtype
    state: np.dtype
    period: np.dtype
    payment: np.dtype

    def blank(self, kind: str, shape: int | tuple[int, ...]) -> np.ndarray:
        """Records of ``terms``, ``state``, ``period`` or ``payment`` that hold every column's default."""
        records = np.zeros(shape, getattr(self, kind))
        records[...] = self._defaults[kind]
        return records

    @functools.cached_property
    def _defaults(self) -> dict[str, np.ndarray]:
        """One record of each kind."""
        found = {kind: np.zeros((), getattr(self, kind)) for kind in TABLES}
        for kind, table in TABLES.items():
            for name, _, default, _, _ in table:
                found[kind][name] = default
        return found


def record(table: Table, classes: int) -> np.dtype:
    """Lay a table out as one aligned record."""
    columns: list[Any] = []
    for name, kind, *_ in table:
        width = () if kind[1:] == "" else (classes,) if kind[1:] == "k" else (int(kind[1:]),)
        columns.append((name, KINDS[kind[0]], width))
    return np.dtype(columns, align=True)


@functools.cache
def layout(classes: int) -> Layout:
    """Records with room for at least ``classes`` classes, padded so that few kernels compile."""
    for padded in PADDED:
        if 0 < classes <= padded:
            return Layout(padded, **{kind: record(table, padded) for kind, table in TABLES.items()})
    raise ValueError(f"A deal has 1 to {PADDED[-1]} classes of notes, not {classes}. Merge classes of equal rank.")
