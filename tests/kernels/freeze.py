"""Frozen deals: their inputs, and what the exact oracle paid when they were frozen.

``python -m tests.kernels.freeze`` computes every expected table anew; do so only when the payment rules change on
purpose, and say which numbers moved. A column that is not listed is zero throughout.
"""

import json
from pathlib import Path

from tests.oracle import run

FROZEN = Path(__file__).parent / "frozen"


def load(path):
    """``fact`` (a sentence), ``file`` (the deal file) and ``expected`` (the table by column)."""
    return json.loads(path.read_text(encoding="utf-8"))


def cases():
    """Paths of the frozen deals in the house's format."""
    return sorted(path for path in FROZEN.glob("*.json") if not path.name.startswith("reference_"))


def expected(file):
    """The oracle's table, rounded once to floating point."""
    rows, _ = run(file)
    columns = {column: [float(row[column]) for row in rows] for column in sorted(set().union(*rows))}
    return {column: values for column, values in columns.items() if any(values)}


def text(case):
    """JSON with one line a field."""
    deal = case["file"]["deal"]
    terms = ",\n".join(f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in deal.items())
    table = ",\n".join(f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in case["expected"].items())
    head = f' "fact": {json.dumps(case["fact"])},\n "file": {{\n  "periods": {case["file"]["periods"]},\n  "deal": {{\n'
    return "{\n" + head + terms + '\n  }\n },\n "expected": {\n' + table + "\n }\n}\n"


def freeze(path, case):
    """Write one case with the expected table of today's oracle."""
    path.write_text(text(case | {"expected": expected(case["file"])}), encoding="utf-8")


if __name__ == "__main__":
    for frozen in cases():
        freeze(frozen, load(frozen))
