"""One deal from a file: ``python -m sim.deal FILE`` prints what every class is paid, period by period."""

import argparse
import csv
import io
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim.deal_files import DealFile
from sim.deal_library import find, listing
from sim.deal_reader import BadDeal, read, schema
from sim.deal_records import Records, pay
from sim.deal_records import records as records  # part of the public face
from sim.deal_risk import MISSING
from sim.kernels.layouts import PAYMENT
from sim.kernels.yields import average_life, yield_at

# Names of the payment's columns in the reference calculation; of a class's columns, their prefix.
SAME = "fee_arrears trapped turbo trap reserve pdl bought residual pool"
OTHER = """
    age=t revenue=rev scheduled=prin defaulted=dflt recovery=rec fees=fee fees_over_cap=fee_sub
    subordinated_fees=sub_fee facility_drawn=fac_draw facility=fac_bal dscr_average=dscr_avg reserve_drawn=res_draw
    oc_diverted=oc_divert trap_paid_in=to_trap trap_drawn=trap_draw trap_released=released interest=int_
    principal=prin_ pik=pik_ arrears=arr_ deferred=dfd_ deferred_paid=dpaid_ write_down=wd_ balance=bal_
"""
REFERENCE = {name: name for name in SAME.split()}
REFERENCE |= dict(pair.split("=") for pair in OTHER.split())

HELP = """\
FILE is YAML or JSON: {"periods": 20, "deal": {"notes": [...], ...}}; templates lie in configs/deals.
Numbers are decimals or text such as "11/200". A per-period list may be one number for all periods, or segments
[periods, value] and [periods, first, last], or come from a CSV file in the same folder (field `collateral`).
A file with mistakes is refused whole: exit code 2, nothing written.
"""


def columns() -> dict[str, dict[str, Any]]:
    """Columns of the period table: unit, meaning, name in the reference; ``per_note`` ones end in the class's name."""
    found = {}
    for name, kind, _, unit, meaning in PAYMENT:
        per_note = kind.endswith("k")
        column = "period" if name == "age" else name + "_" * per_note
        found[column] = {"unit": unit, "meaning": meaning, "per_note": per_note}
        if name in REFERENCE:
            found[column]["reference_name"] = REFERENCE[name]
    return found


def table(file: DealFile, deal: Records) -> dict[str, list[float | int]]:
    """The period table, by column; a class's columns are ``interest_A`` and so on.

    Raises
    ------
    BadDeal
    """
    found: dict[str, list[float | int]] = {}
    for (column, about), (name, kind, *_) in zip(columns().items(), PAYMENT, strict=True):
        values = deal.payment[name] + (0 if kind[0] == "i" else 0.0)  # no negative zeros
        if kind == "b":
            values = deal.payment[name].astype(int)
        if not about["per_note"]:
            found[column] = values.tolist()
            continue
        for note, k in zip(file.deal.notes, deal.place, strict=True):
            if column + note.name in found:
                raise BadDeal(f"deal.notes: class {note.name!r} makes two columns {column + note.name}. Rename it.")
            found[column + note.name] = values[:, k].tolist()
    return found


def as_csv(found: dict[str, list[float | int]]) -> str:
    """A table as CSV text; numbers read back exactly."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found)
    writer.writerows(zip(*found.values(), strict=True))
    return text.getvalue()


def summary(file: DealFile, deal: Records) -> Iterator[str]:
    """Average life, yield at par and principal lost by class, as lines of a table; a dash where there is none."""
    years = file.deal.period_years
    head = f"{'class':<16}{'balance USD':>20}{'WAL year':>12}{'yield 1/year':>14}"
    yield f"{head}{'principal lost USD':>20}{'share of balance':>18}"
    for note, k in zip(file.deal.notes, deal.place, strict=True):
        paid = deal.payment
        principal = np.ascontiguousarray(paid["principal"][:, k])
        cash = principal + paid["interest"][:, k] + paid["deferred_paid"][:, k]
        lost = float(paid["write_off"][:, k].sum() + paid["balance"][-1, k])
        share = lost / note.balance if note.balance else np.nan
        life, gain = average_life(principal, years), yield_at(note.balance, cash, years)
        figures = dash(life, 12, 4) + dash(gain, 14, 6) + dash(lost, 20, 2) + dash(share, 18, 6)
        yield f"{note.name:<16}{note.balance:>20,.2f}{figures}"


def dash(value: float, width: int, digits: int) -> str:
    """A number of a table, or a dash for NaN."""
    return f"{value:>{width},.{digits}f}" if np.isfinite(value) else f"{'-':>{width}}"


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    BadDeal
    """
    if path.is_dir() or not path.parent.is_dir():
        fault = "that is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise BadDeal(f"--out {path}: {fault}. Name a file in a folder that exists; nothing was written.")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".part")
    except OSError as error:
        raise BadDeal(f"--out {path}: cannot be written ({error.strerror}). Name another file.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(
        prog="python -m sim.deal",
        description="Pay one deal, period by period, and print the table as CSV.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the deal, YAML or JSON, or a template's name")
    command.add_argument("--scenario", metavar="NAME", help="one of the deal's own scenarios instead of its base case")
    command.add_argument("--out", type=Path, metavar="TABLE", help="write the table there instead of printing it")
    command.add_argument("--summary", action="store_true", help="print WAL, yield at par and principal lost by class instead")
    command.add_argument(
        "--rate", action="store_true", help="print letters, expected loss and default probability under each agency instead"
    )
    command.add_argument("--paths", type=int, metavar="N", help="paths of a rating")
    command.add_argument("--list", action="store_true", help="print the templates, one a line, and stop")
    command.add_argument("--schema", action="store_true", help="print the JSON schema of a deal file and stop")
    command.add_argument("--columns", action="store_true", help="print what the table's columns mean and stop")
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 refused."""
    command = parser()
    options = command.parse_args(arguments)
    if options.list or options.schema or options.columns:
        print("\n".join(listing()) if options.list else json.dumps(schema() if options.schema else columns(), indent=2))
        return 0
    if options.file is None:
        command.error("which deal? Give FILE, --list, --schema or --columns.")
    try:
        run(options)
    except BadDeal as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}. Name another file; nothing was written.", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> None:
    """Pay the deal and print or write what was asked for.

    Raises
    ------
    BadDeal
    """
    path = find(options.file)
    if options.out and options.out.resolve() == path.resolve():
        raise BadDeal(f"--out {options.out}: that is the deal itself. Name another file.")
    if options.paths is not None and not options.rate:
        raise BadDeal(f"--paths {options.paths}: goes with --rate. Add --rate or drop it.")
    if options.scenario == "":
        raise BadDeal("--scenario: empty. Name a scenario of the file or drop it.")
    file = read(path, options.scenario)
    deal = pay(file)
    text = as_csv(table(file, deal))
    lines = list(rate(file, options.paths) if options.rate else summary(file, deal) if options.summary else ())
    if options.out:
        write(options.out, text)
    elif not (options.rate or options.summary):
        sys.stdout.write(text)
    for line in lines:
        print(line)


def rate(file: DealFile, paths: int | None) -> Iterator[str]:
    """Letters, expected losses, default probabilities and standard errors under each agency, as lines of a table.

    Raises
    ------
    BadDeal
    """
    if file.risk is None:
        raise BadDeal(MISSING)
    from sim.rating_files import counted, rate_file  # only here: it compiles

    counted(paths)
    print("Rating; the first deal with so many classes compiles for about a minute, once.", file=sys.stderr)
    return rate_file(file, paths)


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as `head` may leave early
    sys.exit(main())
