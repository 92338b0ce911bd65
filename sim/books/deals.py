"""The deal book: terms, balances, holdings and accounts of every deal, one row a deal; the kernel pays all of them at once.

A deal owns units of one vintage. Its senior and mezzanine notes are held by investors, its equity (the residual) by its sponsor.
While it is built, escrowed equity and delayed draws on the notes pay for the units; interest is capitalised. Once delivered it
pays every month through the waterfall, until its notes are gone and its units retire, or it is refinanced, or liquidated.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic import model_validator

from sim.books.ledger import Ledger
from sim.books.tables import Table
from sim.kernels.layouts import layout
from sim.kernels.waterfall import MONTHS_OF_INTEREST, SCHEDULED, pay_book
from sim.units import MONTHS, Frozen, quantity

CLASSES = ("senior", "mezzanine")
BUILDING, OPERATING, CLOSED = 0, 1, 2
CHANNELS = ("abs", "private")
RECORDS = layout(len(CLASSES))
TERMS, STATE, PERIOD = (RECORDS.blank(name, 1)[0] for name in ("terms", "state", "period"))


class Params(Frozen):
    """Terms of the economy's deals."""

    tenor: int = quantity("month", 6, 360, "from delivery to maturity")
    balloon: float = quantity("share", 0.0, 1.0, "of the notes not amortised at maturity")
    refinancing_tenor: int = quantity("month", 3, 120, "of the deal that refinances the balloon, fully amortising")
    refinancing_senior: float = quantity("share", 0.0, 1.0, "of a refinancing that is senior")
    refinancing_advance: float = quantity("1", 0.1, 3.0, "debt lent on used units, relative to the advance rate on new ones")
    refinancing_least: float = quantity("share", 0.0, 1.0, "of what is owed: no deal is made for less")
    refinancing_years: float = quantity("year", 0.25, 10.0, "of rent that a refinancing counts")
    refinancing_stress: float = quantity("1", 0.0, 5.0, "standard deviations of depreciation a refinancing must bear")
    senior_discount: float = quantity("1/year", 0.0, 0.1, "of the senior coupon below the market spread")
    mezzanine_premium: float = quantity("1/year", 0.0, 0.5, "of the mezzanine coupon above it")
    reserve_months: float = quantity("month", 0.0, 24.0, "of interest kept in reserve")
    servicing_fee: float = quantity("1/year", 0.0, 0.05, "of the pool, ranking senior")
    dscr_trap: float = quantity("1", 0.0, 5.0, "three-month DSCR below which cash is trapped")
    dscr_rapid: float = quantity("1", 0.0, 5.0, "three-month DSCR below which amortisation is rapid")
    dscr_window: int = quantity("month", 1, 12, "of the DSCR average")
    cure_periods: int = quantity("month", 1, 24, "good months that end a trap")
    ltv_trigger: float = quantity("1", 0.1, 10.0, "notes over appraisal above which excess cash sweeps")
    default_periods: int = quantity("month", 1, 24, "of unpaid senior interest: event of default")
    liquidation_lag: int = quantity("month", 1, 36, "from event of default to sale")
    accounting_life: int = quantity("month", 12, 240, "of straight-line depreciation")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.dscr_rapid > self.dscr_trap:
            raise ValueError(f"dscr_rapid {self.dscr_rapid} must not exceed dscr_trap {self.dscr_trap}")
        return self


class Receipts(NamedTuple):
    """What one pay date brought, by deal row (n,) or by row and class (n, k); USD."""

    rows: np.ndarray
    interest: np.ndarray
    principal: np.ndarray
    write_off: np.ndarray
    residual: np.ndarray
    fees: np.ndarray
    sale: np.ndarray
    new_default: np.ndarray
    trapped: np.ndarray


class DealBook(Table):
    """All deals since the start, closed ones included."""

    def __init__(self, ledger: Ledger, investors: Sequence[int]) -> None:
        self.ledger = ledger
        self.investors = np.array(investors, dtype=np.int64)  # parties, in key order
        pair = (len(CLASSES),)
        integers: dict[str, Any] = dict.fromkeys(("party", "sponsor", "predecessor", "issued", "delivery", "due"), (np.int64, ()))
        integers |= dict.fromkeys(("region", "channel", "stage"), (np.int8, ()))  # few values, compared often
        super().__init__(
            {
                **integers,
                "commitment": (np.float64, pair),  # USD of notes sold
                "undrawn": (np.float64, pair),  # USD
                "scheduled": (np.float64, pair),  # USD at delivery, from which the schedule runs
                "amortising": (np.float64, ()),  # share of it paid by maturity; the rest is the balloon
                "shares": (np.float64, (len(CLASSES), len(self.investors))),
                "rating": (np.int64, pair),
                "price": (np.float64, pair),
                "lost": (np.float64, pair),  # USD written off since closing
                "budget": (np.float64, ()),  # USD of hardware and shell
                "escrow": (np.float64, ()),  # USD of sponsor's money for the build
                "collected": (np.float64, ()),  # USD of net rent since the last pay date
                "terms": (TERMS.dtype, ()),
                "state": (STATE.dtype, ()),
                "period": (PERIOD.dtype, ()),
                "payment": (RECORDS.payment, ()),
            }
        )

    # -- what there is -------------------------------------------------------------------------------------------------

    def retire(self, rows: np.ndarray) -> None:
        """End deals that owe nothing and own nothing: what their sponsors put in and did not get back is lost."""
        party, sponsor = self["party"][rows], self["sponsor"][rows]
        left = -self.ledger.balance(party, "equity")
        self.ledger.post(party, "equity", "profit", left)
        self.ledger.post(sponsor, "profit", "stakes", left)
        self["stage"][rows] = CLOSED

    def live(self, *stages: int) -> np.ndarray:
        """Rows in any of the stages; in all but CLOSED when none is given."""
        return np.flatnonzero(self.among(*stages))

    def among(self, *stages: int) -> np.ndarray:
        """Whether each row is in any of the stages; in any but CLOSED when none is given."""
        stage = self["stage"]
        among = stage == stages[0] if stages else stage != CLOSED
        for other in stages[1:]:
            among |= stage == other
        return among

    def exposure(self, region: int) -> np.ndarray:
        """Notes held or committed by class and investor (k, i) in one region, USD."""
        rows = np.flatnonzero(self.among() & (self["region"] == region))
        owed = self["state"]["balance"][rows] + self["undrawn"][rows]
        return (owed[:, :, None] * self["shares"][rows]).sum(axis=0)

    # -- closing -------------------------------------------------------------------------------------------------------

    def close(self, p: Params, place: str, coupon: np.ndarray, pool: np.ndarray, **columns: Any) -> np.ndarray:
        """Open the rows of new deals; no cash moves. ``coupon`` (n, 2) 1/year, ``pool`` (n,) USD. Returns the rows."""
        count = len(pool)
        parties = self.ledger.enroll_many("deal", place, [f"{self.size + i:04d}" for i in range(count)])
        rows = self.add(count, terms=TERMS, state=STATE, period=PERIOD, party=parties, price=1.0, **columns)
        terms = self["terms"]
        for name, value in {
            "classes": len(CLASSES),
            "period_years": 1.0 / MONTHS,
            "mode": SCHEDULED,
            "coupon": coupon,
            "rank": [1, 2],
            "fee_rate": p.servicing_fee,
            "reserve_target_kind": MONTHS_OF_INTEREST,
            "reserve_target": p.reserve_months,
            "dscr_trap": p.dscr_trap,
            "dscr_rapid": p.dscr_rapid,
            "dscr_window": p.dscr_window,
            "cure_periods": p.cure_periods,
            "ltv_trigger": p.ltv_trigger,
            "default_periods": p.default_periods,
            "liquidation_lag": p.liquidation_lag,
            "pool_at_closing": pool,
        }.items():
            terms[name][rows] = value
        self["state"]["pool"][rows] = pool
        return rows

    # -- building ------------------------------------------------------------------------------------------------------

    def accrue(self, rows: np.ndarray) -> np.ndarray:
        """Capitalise a month's interest on what was drawn: it becomes part of the cost of the units; USD (n, 2)."""
        balance = self["state"]["balance"]
        interest = self["terms"]["coupon"][rows] * balance[rows] / MONTHS
        balance[rows] += interest
        issuers, holders, amounts = self.spread(rows, interest)
        self.ledger.accrue("notes", issuers, holders, amounts, into="fleet")
        return interest

    def draw(self, rows: np.ndarray, amounts: np.ndarray) -> None:
        """Holders fund ``amounts`` (n, 2) USD of their commitments."""
        self["undrawn"][rows] -= amounts
        self["state"]["balance"][rows] += amounts
        issuers, holders, paid = self.spread(rows, amounts)
        self.ledger.pay("drawdown", holders, issuers, paid)

    def start(self, rows: np.ndarray) -> None:
        """Delivery: the schedule runs from what is owed now, and what is left in escrow becomes the reserve."""
        self["stage"][rows] = OPERATING
        balance = self["state"]["balance"][rows]
        self["scheduled"][rows] = balance
        self["terms"]["notional"][rows] = balance
        self["terms"]["legal_final"][rows] = self["due"][rows]
        self["state"]["reserve"][rows] = self["escrow"][rows]
        self["escrow"][rows] = 0.0

    # -- pay dates -----------------------------------------------------------------------------------------------------

    def due_now(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Interest with arrears (n, 2), and the balances (n, 2) that the schedule leaves after this pay date, USD.

        Notes amortise in equal parts, senior first, to the balloon; at maturity all is due.
        """
        state = self["state"]
        interest = state["arrears"][rows] + self["terms"]["coupon"][rows] * state["balance"][rows] / MONTHS
        tenor = np.maximum(self["due"][rows], 1)
        age = state["age"][rows] + 1
        scheduled = self["scheduled"][rows]
        left = scheduled.sum(axis=1) * (1.0 - self["amortising"][rows] * np.minimum(age / tenor, 1.0))
        left = np.where(age >= tenor, 0.0, left)
        junior = np.minimum(scheduled[:, 1], left)
        return interest, np.stack([left - junior, junior], axis=1)

    def amortised_share(self, rows: np.ndarray) -> np.ndarray:
        """Part of each class (n, 2) that the schedule repays before maturity."""
        scheduled, owed = self["scheduled"][rows], self["state"]["balance"][rows] + self["undrawn"][rows]
        left = np.where(scheduled.sum(axis=1) > 0.0, scheduled.sum(axis=1), owed.sum(axis=1))
        left = left * (1.0 - self["amortising"][rows])
        junior = np.minimum(owed[:, 1], left)
        final = np.stack([left - junior, junior], axis=1)
        return 1.0 - np.clip(np.divide(final, owed, out=np.ones_like(owed), where=owed > 0.0), 0.0, 1.0)

    def pay_date(self, rows: np.ndarray) -> Receipts:
        """Run the waterfall of ``rows`` on the period's inputs; ``settle`` moves the money."""
        before = self["state"]["in_default"][rows]
        pay_book(rows, self["terms"], self["state"], self["period"], self["payment"])
        paid = self["payment"][rows]
        fees = paid["fees"] + paid["fees_over_cap"] + paid["subordinated_fees"]
        return Receipts(
            rows,
            paid["interest"] + paid["deferred_paid"],
            paid["principal"],
            paid["write_off"],
            paid["residual"],
            fees,
            paid["sale_proceeds"],
            self["state"]["in_default"][rows] & ~before,
            paid["trapped"],
        )

    def settle(self, receipts: Receipts, servicers: np.ndarray) -> None:
        """Pay out one pay date: fees, interest, principal, residual; write off what a liquidation left unpaid.

        Parameters
        ----------
        servicers : (n,) party that earns the fees of each row
        """
        rows, party = receipts.rows, self["party"][receipts.rows]
        self.ledger.pay("fee", party, servicers, receipts.fees)
        for flow, amounts in (("interest", receipts.interest), ("principal", receipts.principal)):
            issuers, holders, paid = self.spread(rows, amounts)
            self.ledger.pay(flow, issuers, holders, paid)
        self.ledger.pay("residual", party, self["sponsor"][rows], receipts.residual)
        lost = rows[receipts.write_off.sum(axis=1) > 0.0]
        issuers, holders, amounts = self.spread(lost, self["payment"]["write_off"][lost])
        self.ledger.forgive("notes", issuers, holders, amounts)
        self["lost"][rows] += receipts.write_off

    # -- helpers -------------------------------------------------------------------------------------------------------

    def by_holder(self, rows: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """USD by investor (i,) of ``amounts`` (n, 2)."""
        return (amounts[:, :, None] * self["shares"][rows]).sum(axis=1).sum(axis=0)

    def spread(self, rows: np.ndarray, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Issuer, holder and USD of every holder's part of ``amounts`` (n, 2)."""
        parts = (amounts[:, :, None] * self["shares"][rows]).sum(axis=1)
        deal, holder = np.nonzero(parts)
        return self["party"][rows][deal], self.investors[holder], parts[deal, holder]
