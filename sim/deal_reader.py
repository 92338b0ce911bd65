"""From a file to a deal: reads YAML, JSON and a collateral CSV, and lists all that is wrong with them."""

import csv
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from sim.deal_fields import LIVES, Unwritten, is_short, whole
from sim.deal_files import PER_PERIOD, DealFile
from sim.mistakes import fault, number, shown, suggestion
from sim.plain import LARGEST, Unreadable, read_plain

WORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}  # pydantic's, where a number may be null
SHAPES = {"array": "a list", "object": "a block of fields", "string": "text", "boolean": "true or false"}
PLAIN = ("1", "list", "block", "text", "word", "bool", "see kind")  # units that say nothing beside a range
BASE = ""  # name of the base case among the scenarios
BY_PERIOD = (*PER_PERIOD, "target_balance", "operating_cost", "contract_revenue", "market_revenue")
WAY_OUT = "`python -m sim.deal --schema` lists every field."


class BadDeal(ValueError):
    """Every mistake of a deal file, one a line; nothing was run or written."""


def read(path: Path, scenario: str | None = None) -> DealFile:
    """Read and check a deal file with all its scenarios; return the base case, or one scenario.

    Raises
    ------
    BadDeal
    """
    try:
        tree = read_plain(path)
        tree["deal"] = with_collateral(path, tree.get("deal"))
        scenarios = tree.get("scenarios")
        if isinstance(scenarios, dict):
            tree["scenarios"] = {name: with_collateral(path, terms) for name, terms in scenarios.items()}
    except Unreadable as error:
        raise BadDeal(f"{path}: {error}") from None
    return check(tree, scenario)


def with_collateral(path: Path, terms: Any) -> Any:
    """Terms with the lists of the CSV file they name."""
    if isinstance(terms, dict) and terms.get("collateral") is not None:
        return terms | read_collateral(path, terms)
    return terms


def check(tree: dict[str, Any], scenario: str | None = None) -> DealFile:
    """Validate nested plain values as a deal and all its scenarios; return the base case, or one scenario.

    Raises
    ------
    BadDeal
    """
    found: dict[str, DealFile] = {}
    lines: dict[str, None] = {}
    for name, version in versions(tree):
        try:
            found[name] = DealFile.model_validate(version, context={"periods": periods_of(tree)})
        except ValidationError as error:
            lines |= dict.fromkeys(mistakes(error, version, name, lines))
    if lines:
        count = "one mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
        raise BadDeal("\n  ".join([f"The deal has {count}; nothing was run or written.", *lines]))
    if (scenario or BASE) not in found:
        names = ", ".join(name for name in found if name != BASE)
        ways = f"This deal has {names}." if names else "This deal has none; add a block `scenarios: {stress: {...}}`."
        raise BadDeal(f"--scenario {scenario}: no such scenario. {ways}")
    return found[scenario or BASE]


def versions(tree: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The base case, then every scenario: the deal with the scenario's fields in place of its own."""
    yield BASE, tree
    deal, scenarios = tree.get("deal"), tree.get("scenarios")
    if not isinstance(scenarios, dict) or not isinstance(deal, dict):
        return
    for name, terms in scenarios.items():
        if isinstance(terms, dict):
            yield name, tree | {"deal": deal | terms}


def periods_of(tree: dict[str, Any]) -> int | None:
    """Periods of a deal; None while they are wrong themselves."""
    try:
        periods = whole(tree.get("periods"))
    except ValueError:
        return None
    return periods if periods and 0 < periods <= LIVES else None


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
    except (OSError, UnicodeDecodeError, csv.Error):
        raise Unreadable(f"{where}not a CSV file that can be read. Write a header and one row a period, commas between.") from None
    for column in header:
        if column not in (*PER_PERIOD, "period") or header.count(column) > 1 or deal.get(column):
            raise Unreadable(f"{where}column {shown(column)} is unknown or given twice. Use {', '.join(PER_PERIOD)}.")
    for line, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise Unreadable(f"{where}line {line} has {len(row)} cells, its header {len(header)}.")
    columns = {column: [row[j] or None for row in rows] for j, column in enumerate(header)}
    return {column: values for column, values in columns.items() if column in PER_PERIOD}


def mistakes(error: ValidationError, tree: dict[str, Any], scenario: str, known: Collection[str]) -> Iterator[str]:
    """Each mistake as ``key = value: fault. Way out.``, but for those known from the base case."""
    items = error.errors()
    for item in items:
        if item["type"] == "too_short" and any(other["loc"][: len(item["loc"])] == item["loc"] != other["loc"] for other in items):
            continue  # entries are missing because they are wrong themselves
        kind, node = item["type"], field(item["loc"])
        loc, value = typed(item["loc"], tree, item.get("input"))
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
        if kind == "extra_forbidden":
            hint = suggestion(str(loc[-1]), fields(item["loc"][:-1]))
            line = f"{key} = {shown(value)}: no such field. {hint}{' ' if hint else ''}{WAY_OUT}"
        elif kind == "missing":
            line = f"{key}: missing. Give {allowed(node)}."
        elif kind == "value_error":
            error = item["ctx"]["error"]
            line = f"{key} = {shown(value)}: {error}." + (f" Give {allowed(node)}." if isinstance(error, Unwritten) else "")
        elif loc[-1:] == ("[key]",):
            block = ".".join(map(str, loc[:-2]))
            line = f"{block}: the key {shown(value)} {fault(dict(item))}. Give {allowed(field(loc[:-2]))}."
        else:
            line = f"{key} = {shown(value)}: {fault(dict(item))}. Give {allowed(node)}."
        if line not in known:
            yield line if scenario == BASE else f"scenarios.{scenario}: {line}"


def fields(loc: tuple[int | str, ...]) -> dict[str, Any]:
    """The schema's fields of the block at ``loc``."""
    node = field(loc)
    return next((option["properties"] for option in (node, *node.get("anyOf", ())) if "properties" in option), {})


def typed(loc: tuple[int | str, ...], tree: Any, value: Any) -> tuple[tuple[int | str, ...], Any]:
    """Place and value of a mistake as typed: an entry of a list by period may stand in a short form."""
    for depth, part in enumerate(loc):
        if isinstance(part, int) and loc[depth - 1] in BY_PERIOD and is_short(tree):
            if not isinstance(tree, list):
                return loc[:depth], tree
            ends = accumulate(whole(segment[0]) for segment in tree)
            place = next(place for place, end in enumerate(ends) if part < end)
            return (*loc[:depth], place), tree[place]
        try:
            tree = tree[part]
        except (LookupError, TypeError):
            return loc, value
    return loc, tree if isinstance(tree, int) or (loc and loc[-1] in BY_PERIOD) else value


def allowed(node: dict[str, Any]) -> str:
    """``0 to 2 1/year (fixed coupon)``."""
    options = list(shapes(node))
    least, above, most, entries = (first(options, word) for word in ("minimum", "exclusiveMinimum", "maximum", "maxItems"))
    what = SHAPES.get(first(options, "type"), "a value")
    if entries is not None and most is None:
        what = f"a list of {first(options, 'minItems') or 0} to {entries} entries"
    elif most is not None:
        what = f"{number(least)} to {number(most)}" if least is not None else f"above {number(above)}, at most {number(most)}"
    if "enum" in node:
        what = " or ".join(map(str, node["enum"]))
    unit = node.get("unit", "1")
    meaning = f" ({node['description']})" if "description" in node else ""
    return what + ("" if unit in PLAIN else f" {unit}") + meaning


def shapes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A field's schema, those of its options and of its list's entries."""
    yield node
    for below in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else ())):
        yield from shapes(below)


def first(options: Iterable[dict[str, Any]], word: str) -> Any:
    """What the first of some schemas that has a word says under it; None when none has."""
    return next((option[word] for option in options if word in option), None)


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
            elif below is None and isinstance(values := values_of(option), dict):
                below = above | values
            if below is not None:
                node = below
                break
        else:
            return {}
    return node


def values_of(option: dict[str, Any]) -> Any:
    """The schema of the values of a block whose keys are free, or follow a pattern."""
    return option.get("additionalProperties") or next(iter(option.get("patternProperties", {}).values()), None)


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
