"""A deal as a file: its fields, with unit, range, meaning and name in the reference calculation."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StringConstraints, ValidationInfo, field_validator

from sim.deal_fields import (
    LIVES,
    MOST,
    Cash,
    Number,
    Rate,
    Ratio,
    Share,
    Whole,
    check_reserve,
    known_as,
    lengthen,
    long_enough,
    number,
    once,
    series,
    target,
    term,
)
from sim.deal_obligors import Risk
from sim.units import Frozen


class Note(Frozen):
    """One class of notes."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,31}$",
        description="names the class's columns: 1 to 32 letters, digits and _ . + -, a letter or digit first",
        json_schema_extra=known_as("text", "name"),
    )
    balance: Number = term("USD", 0, MOST, "at closing", "bal")
    coupon: Number = term("1/year", 0, 2, "fixed coupon", "rate", 0.0)
    rank: Whole = term("1", 1, 99, "place in the order of payment, 1 first", "rank")
    interest_on_interest: Number = term("1", 0, 10, "coupons charged on unpaid interest", "ioi", 1.0)
    pik: StrictBool = Field(False, description="unpaid interest is capitalised", json_schema_extra=known_as("bool", "pik"))
    ard_margin: Number = term("1/year", 0, 2, "after the ARD, deferred until all principal is paid", "ard_margin", 0.0)
    target_balance: tuple[Cash, ...] | None = series("USD", "scheduled balances of mode scheduled, after one at closing", "sched")
    floating: StrictBool = Field(False, description="coupon is max(floor, index) + margin", json_schema_extra=known_as("bool"))
    margin: Number = term("1/year", 0, 2, "over the index", default=0.0)
    floor: Number = term("1/year", -1, 2, "least index", default=0.0)
    attachment: Number | None = term("1", -9, 1, "1 - notes of this rank and above / pool at closing", default=None)
    detachment: Number | None = term("1", -9, 1, "1 - notes of the ranks above / pool at closing", default=None)

    @field_validator("target_balance", mode="before")
    @classmethod
    def _lengthened(cls, values: Any, info: ValidationInfo) -> Any:
        return lengthen(values, info, closing=1)

    @field_validator("target_balance")
    @classmethod
    def _to_the_end(cls, values: Any, info: ValidationInfo) -> Any:
        return long_enough(values, info, closing=1)


MODES = {"sequential": "SEQ", "pro_rata": "PRORATA", "interest_only": "IO", "scheduled": "SCHED"}
TARGETS = {"fixed": "fixed", "share_of_notes": "pct_notes", "months_of_interest": "months_int"}
RECEIPTS = ("revenue", "pool_yield", "default_rate", "amortisation_rate", "recovery_price", "other_cash")
MARKETS = ("principal_cash", "disposal", "appraisal", "index", "market_value")
PER_PERIOD = RECEIPTS + MARKETS  # fields a collateral CSV may hold
NEAR = 0.0005  # a stated attachment may be rounded to a tenth of a percent
NEEDED = {"ltv_trigger": "appraisal", "default_periods": "market_value", "legal_final": "market_value"}


def check_slices(notes: tuple[Note, ...], pool: float) -> None:
    """Refuse stated slices of the pool that leave gaps, overlap, or do not match the balances; a rank shares one slice.

    Raises
    ------
    ValueError
    """
    below: tuple[int, str, float] | None = None
    for note in sorted(notes, key=lambda note: -note.rank):
        low, high = note.attachment, note.detachment
        if low is None or high is None:
            raise ValueError(f"class {note.name} lacks attachment or detachment. Give both for every class, or none")
        if below and below[0] > note.rank and abs(low - below[2]) > NEAR:
            ends = f"{below[1]} detaches at {below[2]:g}, {note.name} attaches at {low:g}"
            word = "gap" if low > below[2] else "overlap"
            raise ValueError(f"attachment {word}: {ends}. Let each class attach where the one below detaches")
        above = sum(other.balance for other in notes if other.rank < note.rank)
        through = sum(other.balance for other in notes if other.rank <= note.rank)
        for word, value, amount in (("attachment", low, through), ("detachment", high, above)):
            if abs(value * pool - (pool - amount)) > NEAR * pool:
                balances = f"the balances, 1 - {amount:g} / {pool:g}"
                raise ValueError(f"{word} {value:g} of class {note.name} does not match {balances}. Follow them or correct them")
        below = note.rank, note.name, high


class Deal(Frozen):
    """Terms of a deal and what its collateral brings."""

    period_years: Number = term("year", 0.0027, 1, "length of a period", "dt")
    pool_at_closing: Number = term("USD", 0, MOST, "performing collateral", "pool0")
    notes: tuple[Note, ...] = Field(
        min_length=1,
        max_length=8,
        description="classes of notes",
        json_schema_extra=known_as("list", "tranches"),
    )
    revenue: tuple[Cash, ...] | None = series("USD", "net rent; replaces pool_yield", "rev")
    pool_yield: tuple[Rate, ...] | None = series("1/year", "on the performing pool", "yld")
    amortisation_rate: tuple[Share, ...] | None = series("1/period", "of what has not defaulted", "amort")
    default_rate: tuple[Share, ...] | None = series("1/period", "share of the pool that defaults", "dflt")
    recovery_rate: Number = term("1", 0, 1, "price of defaulted assets, share of their balance", "rec_rate", 0.0)
    recovery_lag: Whole = term("period", 0, 60, "from default to sale", "rec_lag", 0)
    recovery_price: tuple[Share, ...] | None = series("1", "price at the market of the sale; replaces recovery_rate")
    other_cash: tuple[Cash, ...] | None = series("USD", "plain cash outside the DSCR, such as a sponsor's cure")
    principal_cash: tuple[Cash, ...] | None = series("USD", "pays principal in every mode, outside the DSCR")
    disposal: tuple[Cash | None, ...] | None = series("USD", "proceeds of selling the whole pool; null keeps it")
    appraisal: tuple[Cash, ...] | None = series("USD", "last appraised value of the collateral")
    index: tuple[Rate, ...] | None = series("1/year", "reference rate of the month before")
    market_value: tuple[Cash, ...] | None = series("USD", "what the collateral fetches if the trustee sells it")
    collateral: str | None = Field(
        None, description="CSV file in this folder that holds any of the per-period lists as columns, one row a period"
    )
    fee_fixed: Number = term("USD/period", 0, MOST, "senior fees", "fee_fixed", 0.0)
    fee_rate: Number = term("1/year", 0, 1, "senior fees on the pool at the start of the period", "fee_pct", 0.0)
    fee_cap: Number | None = term("USD/period", 0, MOST, "most the senior place pays; null is no cap", "fee_cap", None)
    subordinated_fee_rate: Number = term("1/year", 0, 1, "junior fees on the same pool", "sub_fee_pct", 0.0)
    reserve_at_closing: Number = term("USD", 0, MOST, "reserve account, at most the notes", "reserve0", 0.0)
    reserve_target: tuple[Literal["fixed", "share_of_notes", "months_of_interest"], Number] = Field(
        ("fixed", 0.0),
        description="kind and value of the reserve's target: USD, share of the notes, or months of interest",
        json_schema_extra=known_as("see kind", "reserve_target", TARGETS),
    )
    reserve_rate: Number = term("1/year", 0, 1, "earned on the reserve", "reserve_rate", 0.0)
    reserve_covers_rank: Whole = term(
        "1", -1, 99, "last rank whose interest it pays; 0 fees only, -1 nothing", "reserve_covers_rank", 99
    )
    facility_limit: Number = term("USD", 0, MOST, "liquidity facility or servicer advances", "fac_limit", 0.0)
    facility_rate: Number = term("1/year", 0, 2, "charged on the facility", "fac_rate", 0.0)
    facility_covers_rank: Whole = term(
        "1", -1, 99, "last rank whose interest it pays; 0 fees only, -1 nothing", "fac_covers_rank", 0
    )
    mode: Literal["sequential", "pro_rata", "interest_only", "scheduled"] = Field(
        "sequential",
        description="how principal is paid",
        json_schema_extra=known_as("word", "mode", MODES),
    )
    sweep_share: Number = term("1", 0, 1, "of excess cash swept to principal", "sweep", 0.0)
    ard: Whole | None = term("period", 0, LIVES, "anticipated repayment date; null is none", "ard", None)
    dscr_trap: Number | None = term("1", 0, 100, "average DSCR below which cash is trapped", "dscr_trap", None)
    dscr_rapid: Number | None = term(
        "1", 0, 100, "average DSCR below which amortisation is rapid, at most dscr_trap", "dscr_rapid", None
    )
    dscr_window: Whole = term("period", 1, 60, "of the average", "dscr_window", 3)
    cure_periods: Whole = term("period", 0, 60, "good periods that end a trap", "cure_periods", 2)
    trap_share: Number = term("1", 0, 1, "of excess cash trapped", "trap_pct", 1.0)
    oc_triggers: dict[Whole, Ratio] | None = Field(
        None,
        description="by rank, least collateral / notes of that rank and above; quote the rank in YAML",
        json_schema_extra=known_as("1", "oc"),
    )
    switch_default_share: Number | None = term("1", 0, 1, "defaults / pool that end pro rata payment", "switch_cumloss", None)
    writes_down: StrictBool = Field(
        False,
        description="notes are written down to their cover",
        json_schema_extra=known_as("bool", "writedown"),
    )
    revolving_end: Whole = term("period", 0, LIVES, "last period in which collateral is bought", "revolving_end", 0)
    purchase_price: Number = term("1", 0.01, 10, "of that collateral, share of its balance", "purchase_price", 1.0)
    early_amortisation_default: Number | None = term(
        "1/period", 0, 1, "default rate above which revolving ends", "early_amort_dflt", None
    )
    ltv_trigger: Number | None = term("1", 0, 100, "notes / appraisal above which all excess sweeps", default=None)
    guarantee_strike: Number = term("USD", 0, MOST, "residual value guaranteed at a sale", default=0.0)
    guarantee_cap: Number | None = term("USD", 0, MOST, "most the guarantor pays; null is no cap", default=None)
    guarantor_fails: Whole | None = term("period", 1, LIVES, "in which the guarantor fails; null is never", default=None)
    default_periods: Whole | None = term(
        "period", 1, LIVES, "of unpaid controlling-class interest: event of default; null is never", default=None
    )
    legal_final: Whole | None = term("period", 1, LIVES, "notes left after it: event of default", default=None)
    liquidation_lag: Whole = term("period", 1, LIVES, "from event of default to sale", default=1)

    @field_validator(*PER_PERIOD, mode="before")
    @classmethod
    def _lengthened(cls, values: Any, info: ValidationInfo) -> Any:
        return lengthen(values, info)

    @field_validator(*PER_PERIOD)
    @classmethod
    def _to_the_end(cls, values: Any, info: ValidationInfo) -> Any:
        if info.field_name == "index" and not values and any(note.floating for note in info.data.get("notes", ())):
            raise ValueError("missing, and a class floats. Give one entry a period")
        return long_enough(values, info)

    @field_validator("notes")
    @classmethod
    def _ranked(cls, notes: tuple[Note, ...], info: ValidationInfo) -> tuple[Note, ...]:
        names = [note.name for note in notes]
        if len(set(names)) < len(names):
            raise ValueError("two classes share a name. Name each class once")
        if min(note.rank for note in notes) != 1:
            raise ValueError(f"no class ranks first (lowest rank {min(note.rank for note in notes)}). Begin at rank 1")
        if "pool_at_closing" in info.data and any((note.attachment, note.detachment) != (None, None) for note in notes):
            check_slices(notes, info.data["pool_at_closing"])
        return notes

    @field_validator("pool_yield")
    @classmethod
    def _earns(cls, values: Any, info: ValidationInfo) -> Any:
        if not values and "revenue" in info.data and not info.data["revenue"]:
            raise ValueError("neither revenue nor pool_yield is given. Give one entry a period of either")
        return values

    @field_validator("reserve_at_closing", "reserve_target", mode="before")
    @classmethod
    def _within_the_deal(cls, value: Any, info: ValidationInfo) -> Any:
        notes = sum(note.balance for note in info.data["notes"]) if "notes" in info.data else MOST
        kind, amount = target(value) if info.field_name == "reserve_target" else ("fixed", number(value))
        check_reserve(kind, amount, notes)
        return value

    @field_validator(*NEEDED)
    @classmethod
    def _accompanied(cls, value: Any, info: ValidationInfo) -> Any:
        needed = NEEDED[str(info.field_name)]
        if value is not None and needed in info.data and not info.data[needed]:
            raise ValueError(f"needs {needed}, one entry a period. Give it or drop this term")
        return value

    @field_validator("dscr_rapid")
    @classmethod
    def _rapid_last(cls, rapid: float | None, info: ValidationInfo) -> float | None:
        trap = info.data.get("dscr_trap")
        if rapid is not None and trap is not None and rapid > trap:
            raise ValueError(f"above dscr_trap {trap:g}: cash is trapped first. Give 0 to {trap:g}")
        return rapid

    @field_validator("oc_triggers", mode="before")
    @classmethod
    def _once(cls, triggers: Any) -> Any:
        return once(triggers)

    @field_validator("oc_triggers")
    @classmethod
    def _of_a_rank(cls, triggers: Any, info: ValidationInfo) -> Any:
        ranks = sorted({note.rank for note in info.data.get("notes", ())})
        if strangers := sorted(set(triggers or ()) - set(ranks)) if ranks else []:
            raise ValueError(f"no class has rank {strangers[0]}. Use ranks {', '.join(map(str, ranks))}")
        return triggers

    @field_validator("legal_final")
    @classmethod
    def _after_the_ard(cls, final: int | None, info: ValidationInfo) -> int | None:
        ard = info.data.get("ard")
        if final is not None and ard is not None and final < ard:
            raise ValueError(f"maturity before the ARD, period {ard}. Give {ard} to {LIVES} period")
        return final


ScenarioName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]


class DealFile(Frozen):
    """A deal and how long to run it. Every number may be a decimal or text such as "11/200"."""

    description: str = Field(
        "", max_length=200, description="one sentence of at most 200 characters", json_schema_extra=known_as("text")
    )
    periods: Whole = term("period", 1, LIVES, "periods to pay", "periods")
    deal: Deal = Field(description="terms and collateral", json_schema_extra=known_as("block", "deal"))
    risk: Risk | None = Field(None, description="the collateral, for ratings", json_schema_extra=known_as("block"))
    scenarios: dict[ScenarioName, dict[str, Any]] | None = Field(
        None,
        description="by name, fields of deal that replace the base case's; --scenario NAME runs it; "
        "a name is 1 to 32 letters, digits, _ and -, a letter or digit first",
        json_schema_extra=known_as("block"),
    )

    @field_validator("risk")
    @classmethod
    def _of_this_deal(cls, risk: Risk | None, info: ValidationInfo) -> Risk | None:
        deal = info.data.get("deal")
        if (
            risk
            and deal
            and not deal.revenue
            and (risk.tenants or risk.operating_cost or risk.contract_revenue or risk.market_revenue)
        ):
            raise ValueError("tenants, cost and market rent belong to deal.revenue, and this deal has none. Drop them or give it")
        if risk and deal and risk.guarantor and not deal.guarantee_strike:
            raise ValueError("a guarantor, and deal.guarantee_strike is 0. Drop the guarantor or say what it guarantees")
        return risk
