"""From a file to a deal: reads YAML, JSON and a collateral CSV, and lists all that is wrong with them."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from sim.deal_files import LIVES, PER_PERIOD, DealFile, whole
from sim.mistakes import fault, number, shown, suggestion
from sim.plain import LARGEST, Unreadable, read_plain

WORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}  # pydantic's, where a number may be null
SHAPES = {"array": "a list", "object": "a block of fields", "string": "text", "boolean": "true or false"}
PLAIN = ("1", "list", "block", "text", "word", "bool", "see kind")  # units that say nothing beside a range
WAY_OUT = "`python -m sim.deal --schema` lists every field."


class BadDeal(ValueError):
    """Every mistake of a deal file, one a line; nothing was run or written."""


def read(path: Path) -> DealFile:
    """Read and check a deal file.

    Raises
    ------
    BadDeal
    """
    try:
        tree = read_plain(path)
        deal = tree.get("deal")
        if isinstance(deal, dict) and deal.get("collateral") is not None:
            tree["deal"] = deal | read_collateral(path, deal)
    except (Unreadable, RecursionError) as error:
        raise BadDeal(f"{path}: {error}") from None
    return check(tree)


def check(tree: dict[str, Any]) -> DealFile:
    """Validate nested plain values as a deal.

    Raises
    ------
    BadDeal
    """
    try:
        periods = whole(tree.get("periods"))
    except ValueError:
        periods = None
    context = {"periods": periods if periods and 0 < periods <= LIVES else None}
    try:
        return DealFile.model_validate(tree, context=context)
    except ValidationError as error:
        lines = list(dict.fromkeys(mistakes(error)))
    count = "one mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    raise BadDeal("\n  ".join([f"The deal has {count}; nothing was run or written.", *lines]))


def read_collateral(path: Path, deal: dict[str, Any]) -> dict[str, list[str | None]]:
    """Per-period lists from the CSV named by a deal; it must lie in the deal file's own folder."""
    name = deal["collateral"]
    where = f"deal.collateral = {shown(name)}: "
    folder = path.resolve().parent
    if not isinstance(name, str) or "\0" in name or "\\" in name or PurePosixPath(name).is_absolute():
        raise Unreadable(f"{where}not a relative path. Name a CSV file beside the deal file.")
    if ".." in PurePosixPath(name).parts or not (folder / name).resolve().is_relative_to(folder):
        raise Unreadable(f"{where}outside the deal file's folder. Put the CSV file beside it.")
    file = folder / name
    if not file.is_file() or file.stat().st_size > LARGEST:
        raise Unreadable(f"{where}no such file, or larger than {LARGEST:,} bytes.")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = [row for row in csv.reader(lines, strict=True) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{where}not a CSV file: {error}.") from None
    for column in header:
        if column not in (*PER_PERIOD, "period") or header.count(column) > 1 or deal.get(column):
            raise Unreadable(f"{where}column {shown(column)} is unknown or given twice. Use {', '.join(PER_PERIOD)}.")
    for line, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise Unreadable(f"{where}line {line} has {len(row)} cells, its header {len(header)}.")
    columns = {column: [row[j] or None for row in rows] for j, column in enumerate(header)}
    return {column: values for column, values in columns.items() if column in PER_PERIOD}


def mistakes(error: ValidationError) -> Iterator[str]:
    """Each mistake as ``key = value: fault. Way out.``"""
    for item in error.errors():
        loc, kind, value = item["loc"], item["type"], item.get("input")
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
        node = field(loc)
        if kind == "extra_forbidden":
            known = field(loc[:-1]).get("properties", {})
            hint = suggestion(str(loc[-1]), known)
            yield f"{key} = {shown(value)}: no such field. {hint}{' ' if hint else ''}{WAY_OUT}"
        elif kind == "missing":
            yield f"{key}: missing. Give {allowed(node)}."
        elif kind == "value_error":
            yield f"{key} = {shown(value)}: {item['ctx']['error']}. In general: {allowed(node)}."
        else:
            yield f"{key} = {shown(value)}: {fault(dict(item))}. Give {allowed(node)}."


def allowed(node: dict[str, Any]) -> str:
    """``0 to 2 1/year (fixed coupon)``."""
    options = [node, *node.get("anyOf", ()), *([node["items"]] if "items" in node else ())]
    low = next((o[word] for o in options for word in ("minimum", "exclusiveMinimum") if word in o), None)
    high = next((o["maximum"] for o in options if "maximum" in o), None)
    what = SHAPES.get(str(next((o["type"] for o in options if "type" in o), "")), "a value")
    if low is not None and high is not None:
        what = f"{number(low)} to {number(high)}"
    if "enum" in node:
        what = " or ".join(map(str, node["enum"]))
    unit = node.get("unit", "1")
    meaning = f" ({node['description']})" if "description" in node else ""
    return what + ("" if unit in PLAIN else f" {unit}") + meaning


def field(loc: tuple[int | str, ...]) -> dict[str, Any]:
    """The schema of the field at ``loc``; an entry of a list or block keeps its unit and meaning."""
    node = schema()
    for part in loc:
        above = {key: node[key] for key in ("unit", "description") if key in node}
        for option in (node, *node.get("anyOf", ())):
            below = option.get("properties", {}).get(part)
            if below is None and isinstance(part, int) and "prefixItems" in option:
                below = above | option["prefixItems"][part] if part < len(option["prefixItems"]) else None
            elif below is None and isinstance(part, int) and "items" in option:
                below = above | option["items"]
            elif below is None and isinstance(option.get("additionalProperties"), dict):
                below = above | option["additionalProperties"]
            if below is not None:
                node = below
                break
        else:
            return {}
    return node


@cache
def schema() -> dict[str, Any]:
    """JSON schema of a deal file without references, each field with unit, meaning and its name elsewhere."""
    tree = DealFile.model_json_schema()
    definitions = tree.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, list):
            return [inline(below) for below in node]
        if not isinstance(node, dict):
            return node
        target = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else {}
        return {WORDS.get(key, key): inline(below) for key, below in (target | node).items() if key != "$ref"}

    return inline(tree)
