"""Kinds of field of a deal file: numbers as decimals or short text, lists by period, and what the schema says of them."""

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo

LONGEST = 40  # characters of a number given as text
FRACTION = re.compile(r"[-+]?[0-9]+/[0-9]*[1-9][0-9]*")
DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
MOST = 1e15  # USD
LIVES = 1200  # periods
SEGMENTS = "segments one after another: [periods, value], or [periods, first, last] in a straight line"
LENGTH = {"type": "integer", "minimum": 1, "maximum": LIVES}
NAMED = r"^[A-Za-z0-9][A-Za-z0-9 _.+&-]{0,47}$"


class Unwritten(ValueError):
    """A value that is not written as its field's kind; the report adds the field's range."""


def number(value: Any) -> Any:
    """Read 0.055, "0.055", "2.0e9" or "11/200"; other kinds are left to be refused."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) > LONGEST:
            raise Unwritten(f"longer than {LONGEST} characters. Shorten it")
        if FRACTION.fullmatch(text):
            return float(Fraction(text))
        if DECIMAL.fullmatch(text):
            return float(text)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**LONGEST:
        return float(value)
    elif value is None or isinstance(value, float):
        return value
    raise Unwritten('not a number. Write it as 0.055 or "11/200"')


def whole(value: Any) -> Any:
    """Read 20 or "20"."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value.strip()):
        return int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Unwritten("not a whole number. Write it as 20")


def known_as(unit: str, reference: str = "", values: dict[str, str] | None = None) -> Any:
    """What the schema says beside a field: its unit, and its name and words in the reference calculation."""
    found = {"unit": unit} | ({"reference_name": reference} if reference else {})
    return found | ({"reference_values": values} if values else {})


def term(unit: str, low: float, high: float, meaning: str, reference: str = "", default: Any = ...) -> Any:
    """A field with its unit, closed range and meaning, and its name in the reference calculation."""
    return Field(default, ge=low, le=high, description=meaning, json_schema_extra=known_as(unit, reference))


def series(unit: str, meaning: str, reference: str = "") -> Any:
    """A field with one entry a period, the first for period 1, or its short form."""

    def document(node: dict[str, Any]) -> None:
        entry = next(option["items"] for option in node["anyOf"] if "items" in option)
        for option in node["anyOf"]:
            if "items" in option:
                option["description"] = "one entry a period; more are left unread"
        segment = {"type": "array", "minItems": 2, "maxItems": 3, "prefixItems": [LENGTH, entry, entry]}
        scalar = entry | {"description": "the same in every period"}
        node["anyOf"] += [scalar, {"type": "array", "minItems": 1, "items": segment, "description": SEGMENTS}]
        node |= known_as(unit, reference)

    meaning = f"one entry a period, the first for period 1: {meaning}"
    return Field(None, description=meaning, json_schema_extra=document, validate_default=True)


def is_short(value: Any) -> bool:
    """Whether a list by period is given as one number or as segments."""
    return not isinstance(value, (list, tuple)) or (len(value) > 0 and all(isinstance(part, (list, tuple)) for part in value))


def lengthen(value: Any, info: ValidationInfo, closing: int = 0) -> Any:
    """Write a short form out, one entry a period; other values are left as they are.

    Raises
    ------
    ValueError
    """
    if value is None or not is_short(value):
        return value
    if not isinstance(value, (list, tuple)):
        return (number(value),) * (((info.context or {}).get("periods") or 1) + closing)
    return tuple(entry for place, segment in enumerate(value) for entry in straight(segment, place))


def straight(segment: Any, place: int) -> list[Any]:
    """Entries of one segment, ``[periods, value]`` or ``[periods, first, last]``."""
    wrong = Unwritten(f"segment {place + 1} is {list(segment)!r}. Write [periods, value] or [periods, first, last]")
    try:
        length, first, last = whole(segment[0]), number(segment[1]), number(segment[-1])
    except (ValueError, IndexError):
        raise wrong from None
    if len(segment) not in (2, 3) or length is None or not 1 <= length <= LIVES or (first is None) != (last is None):
        raise wrong
    if length == 1 or first == last:
        return [first] * length
    return [first + (last - first) * t / (length - 1) for t in range(length - 1)] + [last]


Number = Annotated[float, BeforeValidator(number)]
Whole = Annotated[int, BeforeValidator(whole)]
Cash = Annotated[Number, Field(ge=0, le=MOST)]
Share = Annotated[Number, Field(ge=0, le=1)]
Rate = Annotated[Number, Field(ge=-1, le=10)]
Ratio = Annotated[Number, Field(gt=0, le=1000)]


RESERVES = {"fixed": ("USD", MOST), "share_of_notes": ("of the notes", 1.0), "months_of_interest": ("months of interest", 120.0)}


def check_reserve(kind: str, amount: Any, notes: float) -> None:
    """Refuse a reserve, or a target of one, below 0 or above the deal: ``notes`` USD, or its kind's limit.

    Raises
    ------
    ValueError
    """
    unit, most = RESERVES[kind]
    most = min(most, notes) if unit == "USD" else most
    if amount is not None and not 0.0 <= amount <= most:
        limit = ", the sum of the deal's notes" if unit == "USD" else ""
        raise ValueError(f"out of range. Give 0 to {most:.15g} {unit}{limit}")


def target(value: Any) -> tuple[str, Any]:
    """Kind and amount of a reserve's target.

    Raises
    ------
    ValueError
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2 or value[0] not in list(RESERVES) or number(value[1]) is None:
        raise ValueError(f"not a kind and a number. Write [KIND, number] with KIND one of {', '.join(RESERVES)}")
    return value[0], number(value[1])


def once(by_rank: Any) -> Any:
    """Refuse keys that are no ranks, and two that read as one, such as 1 and 01; other kinds are left to be refused.

    Raises
    ------
    ValueError
    """
    if not isinstance(by_rank, dict):
        return by_rank
    if strangers := [key for key in by_rank if not re.fullmatch(r" *[0-9]{1,2} *", str(key))]:
        raise ValueError(f"the key {strangers[0]!r} is not a rank. Write ranks 1 to 99 in quotes, as {{'1': 1.1}}")
    ranks = [int(key) for key in by_rank]
    if twice := [rank for rank in ranks if ranks.count(rank) > 1]:
        raise ValueError(f"rank {twice[0]} is given twice. Give each rank once")
    return by_rank


def long_enough(values: Any, info: ValidationInfo, closing: int = 0) -> Any:
    """Refuse a list that ends before the deal does."""
    periods = (info.context or {}).get("periods")
    if values and periods and len(values) < periods + closing:
        wanted = f"{periods + closing}, one a period" + (" and one for closing" if closing else "")
        raise ValueError(f"has {len(values)} entries and needs {wanted}. Lengthen the list or lower periods")
    return values
