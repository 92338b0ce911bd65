"""What is wrong with a configuration: key, value, allowed range, unit, and the way out; all of it at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

KINDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "string": "text",
    "date": "a date",
    "tuple": "a list",
    "list": "a list",
    "dict": "a block of keys",
    "model": "a block of keys",
    "finite": "a finite number",
}
FAULTS = {
    "literal_error": "no such word",
    "string_pattern_mismatch": "has a character or length that is not allowed",
    "string_too_long": "too long",
    "string_too_short": "too short",
}


@dataclass(frozen=True)
class Mistake:
    """One line of the report."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.key}{self.text}"


class Clash(Mistake):
    """Values that are right one by one and cannot be had together."""


class Mistakes(ValueError):
    """Every mistake of a configuration, found before anything is run or written."""

    def __init__(self, found: Iterable[Mistake]) -> None:
        self.found = list(dict.fromkeys(found))
        number = "one mistake" if len(self.found) == 1 else f"{len(self.found)} mistakes"
        lines = [f"The configuration has {number}; nothing was run or written."]
        super().__init__("\n  ".join([*lines, *map(str, self.found)]))


def wrong(key: str, value: Any, fault: str) -> Mistake:
    """``key = value: fault``."""
    return Mistake(key, f" = {shown(value)}: {fault}")


def unknown(key: str, value: Any, keys: Iterable[str]) -> Mistake:
    """A key that no module reads."""
    return wrong(key, value, f"no such key. {suggestion(key, keys) or 'python -m sim --cfg job lists all keys.'}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """``Did you mean ...?``, or nothing when no known word is close."""
    known = list(known)
    last = word.rpartition(".")[2]
    same = [key for key in known if "." in word and key.rpartition(".")[2] == last]  # right name, wrong block
    close = get_close_matches(word, same, n=1, cutoff=0.0) or get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else ""


def describe(item: Mapping[str, Any], field: FieldInfo | None, keys: list[str], origin: Mapping[str, str]) -> Iterator[Mistake]:
    """One pydantic error in the words of the house."""
    key, kind, value = ".".join(map(str, item["loc"])), item["type"], item.get("input")
    if kind == "extra_forbidden":
        for leaf, found in leaves(key, value):
            yield sourced(unknown(leaf, found, keys), origin)
    elif kind == "json_invalid":
        yield Mistake("text", ": something is not Unicode. Remove escapes such as \\ud800.")
    elif kind == "missing":
        yield Mistake(key, f": missing. Give {allowed(field)} in configs/, or restore the line.")
    elif kind == "value_error" and not key:
        for line in str(item["ctx"]["error"]).splitlines():
            name, _, text = line.partition(": ")
            yield Clash(name, f": {text}")
    elif kind == "value_error":
        text = f"{item['ctx']['error']}."
        yield sourced(Mistake(key, f": {text}") if isinstance(value, dict) else wrong(key, value, text), origin)
    else:
        yield sourced(wrong(key, value, f"{fault(item)}. Give {allowed(field)}."), origin)


def fault(item: Mapping[str, Any]) -> str:
    """What is wrong with a value."""
    kind = item["type"]
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        return "out of range"
    if kind in ("too_long", "too_short"):
        return f"has {counted(item['ctx']['actual_length'])}"
    if kind in FAULTS:
        return FAULTS[kind]
    word = KINDS.get(kind.split("_")[0])
    return f"not {word}" if word else str(item["msg"]).replace("Input should be", "should be").rstrip(".")


def counted(number: int) -> str:
    """``no entries``, ``1 entry``, ``2 entries``."""
    return "1 entry" if number == 1 else f"{number or 'no'} entries"


def allowed(field: FieldInfo | None) -> str:
    """``0 to 1 (share: part of a deal kept by its sponsor)``."""
    if field is None:
        return "a value"
    low, high = bound(field, "ge", "gt"), bound(field, "le", "lt")
    what = kind_of(field.annotation) if low is None or high is None else f"{number(low)} to {number(high)}"
    extra = field.json_schema_extra
    unit = extra.get("unit") if isinstance(extra, dict) else None
    meaning = ": ".join(str(part) for part in (unit if unit != "1" else None, field.description) if part)
    return f"{what} ({meaning})" if meaning else what


def kind_of(annotation: Any) -> str:
    """The kind of value that a field without bounds takes."""
    options = get_args(annotation)
    if options and all(isinstance(option, str) for option in options):
        return " or ".join(option or "an empty text" for option in options)
    if options and (words := get_args(options[0])) and all(isinstance(word, str) for word in words):
        return f"a list of {' or '.join(words)}, as [a,b]"
    if options or annotation in (tuple, list):
        return "a list, as [a,b]"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"its keys: {', '.join(annotation.model_fields)}"
    return {bool: "true or false", str: "text, quoted", date: "a date, as 2023-01-01"}.get(annotation, "another value")


def bound(field: FieldInfo, *names: str) -> Any:
    """The first bound of these names that the field carries."""
    found = (getattr(rule, name, None) for rule in field.metadata for name in names)
    return next((value for value in found if value is not None), None)


def number(value: float) -> str:
    """Short, exact enough to type back."""
    if isinstance(value, int) and abs(value) >= 10**9:
        return str(value)
    return f"{value:g}"


def leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values below ``key``."""
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from leaves(f"{key}.{name}" if key else str(name), below)
    else:
        yield key, value


def shown(value: Any) -> str:
    """A value as typed, shortened."""
    plain = value is None or isinstance(value, bool)
    text = {None: "null", True: "true", False: "false"}[value] if plain else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def sourced(mistake: Mistake, origin: Mapping[str, str]) -> Mistake:
    """Say where the key was set."""
    parts = mistake.key.split(".")
    for end in range(len(parts), 0, -1):
        if place := origin.get(".".join(parts[:end])):
            return Mistake(mistake.key, f"{mistake.text} [{place}]")
    return mistake
