"""The deal book: terms, balances, holdings and accounts of every deal, one row a deal; the kernel pays all of them at once.

A deal owns units of one vintage. Its senior and mezzanine notes are held by investors, its equity (the residual) by its sponsor.
While it is built, escrowed equity and delayed draws on the notes pay for the units; interest is capitalised. Once delivered it
pays every month through the waterfall, until its notes are gone and its units retire, or it is refinanced, or liquidated.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from sim.books.channels import in_the_library
from sim.books.ledger import Ledger
from sim.books.tables import Rows, Table
from sim.books.templates import Library
from sim.kernels.clauses import DUST
from sim.kernels.holders import add_classes, add_parts, list_parts
from sim.kernels.layouts import layout
from sim.kernels.waterfall import pay_book
from sim.units import MONTHS, Frozen, quantity

CLASSES = ("senior", "mezzanine")
KEPT = ("letter", "model", "best", "true")  # of first letters: as published, and what else they could have been
BUILDING, OPERATING, CLOSED = 0, 1, 2
RECORDS = layout(len(CLASSES))
TERMS, STATE, PERIOD = (RECORDS.blank(name, 1)[0] for name in ("terms", "state", "period"))


class Channels(Frozen):
    """Which template of the deal library the deals of a region's two usual channels follow."""

    abs: str = Field(description="template of deals placed as securities")
    private: str = Field(description="template of deals placed as private credit")

    @field_validator("abs", "private")
    @classmethod
    def _in_the_library(cls, name: str) -> str:
        return in_the_library(name)


class Params(Frozen):
    """Terms of the economy's deals: a template of the library for each channel, and what depends on the market."""

    us: Channels
    china: Channels
    refinancing_tenor: int = quantity("month", 3, 120, "of the deal that refinances what is left, fully amortising")
    refinancing_senior: float = quantity("share", 0.0, 1.0, "of a refinancing that is senior")
    refinancing_advance: float = quantity("1", 0.1, 3.0, "debt lent on used units, relative to the advance rate on new ones")
    refinancing_least: float = quantity("share", 0.0, 1.0, "of what is owed: no deal is made for less")
    refinancing_years: float = quantity("year", 0.25, 10.0, "of rent that a refinancing counts")
    refinancing_stress: float = quantity("1", 0.0, 5.0, "standard deviations of depreciation a refinancing must bear")
    senior_discount: float = quantity("1/year", 0.0, 0.1, "of the senior coupon below the market spread")
    mezzanine_premium: float = quantity("1/year", 0.0, 0.5, "of the mezzanine coupon above it")
    accounting_life: int = quantity("month", 12, 240, "of straight-line depreciation")


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

    def __init__(self, ledger: Ledger, investors: Sequence[int], library: Library) -> None:
        self.ledger = ledger
        self.library = library
        self._found: dict[tuple[int, ...], np.ndarray] = {}  # (region, stages) -> rows
        self.investors = np.array(investors, dtype=np.int64)  # parties that may hold notes, in key order; banks last
        pair = (len(CLASSES),)
        integers: dict[str, Any] = dict.fromkeys(("party", "sponsor", "predecessor", "issued", "delivery", "due"), (np.int64, ()))
        integers |= dict.fromkeys(("region", "channel", "kind", "stage"), (np.int8, ()))  # few values, compared often
        super().__init__(
            {
                **integers,
                "commitment": (np.float64, pair),  # USD of notes sold
                "undrawn": (np.float64, pair),  # USD
                "scheduled": (np.float64, pair),  # USD at delivery, from which the schedule runs
                "shares": (np.float64, (len(CLASSES), len(self.investors))),
                "agency": (np.int8, ()),  # place in the list of agencies of the one that rates it
                "second": (np.int8, ()),  # another that rates it too, its place counted from 1; 0 none
                "asked": (np.int64, ()),  # agencies that made an offer, by bits
                "granted": (np.int8, (*pair, len(KEPT))),  # first letters, places in the list of letters from 1; 0 none
                "rating": (np.int64, pair),  # place in the list of letters; -1 before the first
                "streak": (np.int64, pair),  # reviews in a row that found another letter
                "counted": (np.int64, pair),  # the letter by which insurers last counted their capital; -1 before the first
                "price": (np.float64, pair),
                "lost": (np.float64, pair),  # USD written off since closing
                "budget": (np.float64, ()),  # USD of hardware and shell
                "escrow": (np.float64, ()),  # USD of sponsor's money for the build, and for its own notes
                "set_aside": (np.float64, ()),  # USD of that for its own notes
                "collected": (np.float64, ()),  # USD of net rent since the last pay date
                "terms": (TERMS.dtype, ()),
                "state": (STATE.dtype, ()),
                "period": (PERIOD.dtype, ()),
                "payment": (RECORDS.payment, ()),
                "housed": (np.float64, ()),  # USD of spending, its own or others', for which its order needs a site
                "backing": (np.int8, ()),  # whole units, their equipment or their site: place in BACKINGS
                "pledge": (np.float64, ()),  # share of its lab's payments by users, or of its margin, that backs it
                "collects": (np.float64, ()),  # share of that which comes in; less once the lab has failed
                "surcharge": (np.float64, ()),  # 1/year of coupon, over its template's, for what its own parties are
                "leased": (np.float64, ()),  # USD of that on sites of landlords
                "waits": (np.bool_, ()),  # its order has no powered site yet
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
        self._found.clear()

    def live(self, *stages: int) -> np.ndarray:
        """Rows in any of the stages; in all but CLOSED when none is given."""
        return np.flatnonzero(self.among(*stages))

    def of(self, region: int, *stages: int) -> np.ndarray:
        """The same in one region; read-only, for it is found once, until a deal closes, starts or ends."""
        if (region, *stages) not in self._found:
            rows = np.flatnonzero(self.among(*stages) & (self["region"] == region))
            rows.setflags(write=False)
            self._found[region, *stages] = rows
        return self._found[region, *stages]

    def among(self, *stages: int) -> np.ndarray:
        """Whether each row is in any of the stages; in any but CLOSED when none is given."""
        stage = self["stage"]
        among = stage == stages[0] if stages else stage != CLOSED
        for other in stages[1:]:
            among |= stage == other
        return among

    def exposure(self, region: int) -> np.ndarray:
        """Notes held or committed by class and investor (k, i) in one region, USD."""
        rows = self.of(region)
        owed = self["state"]["balance"][rows] + self["undrawn"][rows]
        sums = np.zeros((len(CLASSES), len(self.investors)))
        add_classes(sums, rows, owed, self["shares"])
        return sums

    # -- closing -------------------------------------------------------------------------------------------------------

    def kind(self, region: int, channel: Any, refinancing: bool = False) -> Any:
        """Number of the template of a channel, or of the deal that refinances one."""
        return self.library.first[region] + channel + len(self.library.names) // 2 * refinancing

    def margins(self, p: Params, kind: np.ndarray) -> np.ndarray:
        """Coupon by class (n, 2) over the market's; a deal of one class pays the market's own."""
        two = (self.library.classes[kind] > 1)[:, None]
        return np.where(two, [-p.senior_discount, p.mezzanine_premium], 0.0)

    def yields(self, p: Params, kind: np.ndarray, base: float, spread: float) -> np.ndarray:
        """What lenders ask by class (n, 2) at a base rate and a market's spread, 1/year."""
        middle = base + self.library.follows[kind] * spread + self.library.premium[kind]
        return middle[:, None] + self.margins(p, kind)

    def close(self, place: str, kind: np.ndarray, coupon: np.ndarray, pool: np.ndarray, **columns: Any) -> np.ndarray:
        """Open the rows of new deals; no cash moves.

        Parameters
        ----------
        kind : (n,) template
        coupon : (n, 2) 1/year
        pool : (n,) USD
        columns : others of the table, ``commitment`` (n, 2) USD among them

        Returns
        -------
        (n,) rows
        """
        count = len(pool)
        parties = self.ledger.enroll_many("deal", place, [f"{self.size + i:04d}" for i in range(count)])
        terms = self.library.scaled(kind, pool, columns["commitment"])
        terms["classes"], terms["coupon"] = len(CLASSES), coupon
        columns |= {"kind": kind, "due": self.library.due[kind], "undrawn": columns["commitment"]}
        rows = self.add(count, terms=terms, state=STATE, period=PERIOD, party=parties, price=1.0, rating=-1, counted=-1, **columns)
        self["state"]["pool"][rows] = pool
        self._found.clear()
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
        self._found.clear()
        balance = self["state"]["balance"][rows]
        self["scheduled"][rows] = balance
        self["terms"]["notional"][rows] = balance
        self["state"]["reserve"][rows] = self["escrow"][rows]
        self["escrow"][rows] = 0.0

    # -- pay dates -----------------------------------------------------------------------------------------------------

    def due_now(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Interest with arrears (n, 2), and the balances (n, 2) that the schedule leaves after this pay date, USD."""
        terms, state = self["terms"], self["state"]
        coupon = terms["coupon"][rows]
        interest = coupon / MONTHS * np.maximum(state["balance"][rows] - state["write_down"][rows], 0.0)
        interest += state["arrears"][rows] * (1.0 + terms["interest_on_interest"][rows] * coupon / MONTHS)
        return interest, self["scheduled"][rows] * self.library.at("target", self["kind"][rows], state["age"][rows] + 1)

    def repay(self, rows: np.ndarray, cash: np.ndarray) -> None:
        """Deals end at the next pay date: their accounts and ``cash`` (n,) USD pay what is owed."""
        self["period"]["principal_cash"][rows] = cash
        self["period"]["last"][rows] = True

    def years(self, rows: np.ndarray) -> np.ndarray:
        """Average life (n, 2) that is left when all goes as planned, a month at least."""
        month = np.where(self["stage"][rows] == OPERATING, self["state"]["age"][rows], 0)
        return self.library.at("life", self["kind"][rows], month)

    def pay_date(self, rows: np.ndarray) -> Receipts:
        """Run the waterfall of ``rows`` on the period's inputs; ``settle`` moves the money."""
        before = self["state"]["in_default"][rows]
        pay_book(rows, self["terms"], self["state"], self["period"], self["payment"])
        paid = Rows(self["payment"], rows)
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
        least = receipts.residual - DUST * self["terms"]["notional"][rows].sum(axis=1)  # what the waterfall's rounding may add
        residual = np.clip(self.ledger.cash(party), np.maximum(least, 0.0), receipts.residual)
        self.ledger.pay("residual", party, self["sponsor"][rows], residual)
        grown = rows[self["payment"]["pik"][rows].any(axis=1)]
        issuers, holders, amounts = self.spread(grown, self["payment"]["pik"][grown])
        self.ledger.accrue("notes", issuers, holders, amounts)
        lost = rows[receipts.write_off.sum(axis=1) > 0.0]
        issuers, holders, amounts = self.spread(lost, self["payment"]["write_off"][lost])
        self.ledger.forgive("notes", issuers, holders, amounts)
        self["lost"][rows] += receipts.write_off

    # -- helpers -------------------------------------------------------------------------------------------------------

    def by_holder(self, rows: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """USD by investor (i,) of ``amounts`` (n, 2)."""
        sums = np.zeros(len(self.investors))
        add_parts(sums, rows, np.ascontiguousarray(amounts), self["shares"])
        return sums

    def spread(self, rows: np.ndarray, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Issuer, holder and USD of every holder's part of ``amounts`` (n, 2)."""
        room = len(rows) * len(self.investors)
        parts = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
        count = list_parts(*parts, rows, np.ascontiguousarray(amounts), self["shares"], self["party"], self.investors)
        issuers, holders, paid = (column[:count] for column in parts)
        return issuers, holders, paid
