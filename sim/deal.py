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
from typing import Any, NamedTuple

import numpy as np

from sim.deal_files import MODES, PER_PERIOD, TARGETS, DealFile
from sim.deal_reader import BadDeal, read, schema
from sim.kernels.layouts import PAYMENT, TERMS, layout
from sim.kernels.waterfall import pay_book
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
FILE is YAML or JSON: {"periods": 20, "deal": {"notes": [...], ...}}; examples lie in configs/deals.
Numbers are decimals or text such as "11/200". Per-period lists may come from a CSV file in the same folder
(field `collateral`). A file with mistakes is refused whole: exit code 2, nothing written.
"""


class Records(NamedTuple):
    """A deal ready for the kernel; ``place[j]`` is where note ``j`` of the file stands by rank."""

    place: list[int]
    terms: np.ndarray
    state: np.ndarray
    period: np.ndarray
    payment: np.ndarray


def records(file: DealFile) -> Records:
    """Lay a deal out as records: terms and opening state (1,), inputs and payments (t,)."""
    deal, periods = file.deal, file.periods
    order = sorted(range(len(deal.notes)), key=lambda j: deal.notes[j].rank)
    notes = [deal.notes[j] for j in order]
    shape = layout(len(notes))
    terms, state = shape.blank("terms", 1), shape.blank("state", 1)
    period, payment = shape.blank("period", periods), shape.blank("payment", periods)
    for name, kind, *_ in TERMS:
        if kind.endswith("k") and hasattr(notes[0], name):
            terms[name][0, : len(notes)] = [getattr(note, name) for note in notes]
        elif getattr(deal, name, None) is not None and name not in ("mode", "reserve_target"):
            terms[name] = getattr(deal, name)
    terms["classes"], terms["mode"] = len(notes), list(MODES).index(deal.mode)
    terms["reserve_target_kind"] = list(TARGETS).index(deal.reserve_target[0])
    terms["reserve_target"] = deal.reserve_target[1]
    for k, note in enumerate(notes):
        terms["notional"][0, k] = state["balance"][0, k] = note.balance
        terms["oc_trigger"][0, k] = (deal.oc_triggers or {}).get(note.rank, np.nan)
        if note.target_balance:
            period["target"][:, k] = note.target_balance[1 : periods + 1]
    state["pool"], state["reserve"] = deal.pool_at_closing, deal.reserve_at_closing
    period["recovery_rate"] = deal.recovery_rate
    for name in PER_PERIOD:
        if values := getattr(deal, name):
            column = "recovery_rate" if name == "recovery_price" else name
            period[column] = np.array(values[:periods], dtype=float)
    if deal.guarantor_fails is not None:
        period["guarantor_failed"][deal.guarantor_fails - 1 :] = True
    period["last"][-1] = True
    return Records([order.index(j) for j in range(len(notes))], terms, state, period, payment)


def pay(file: DealFile) -> Records:
    """Pay every period of a deal."""
    deal = records(file)
    row = np.zeros(1, dtype=np.int64)
    for t in range(file.periods):
        pay_book(row, deal.terms, deal.state, deal.period[t : t + 1], deal.payment[t : t + 1])
    return deal


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
    """Average life, yield at par and loss by class, as lines of a table."""
    years = file.deal.period_years
    yield f"{'class':<16}{'balance USD':>20}{'WAL year':>12}{'yield 1/year':>14}{'loss USD':>20}{'loss share':>12}"
    for note, k in zip(file.deal.notes, deal.place, strict=True):
        paid = deal.payment
        principal = np.ascontiguousarray(paid["principal"][:, k])
        cash = principal + paid["interest"][:, k] + paid["deferred_paid"][:, k]
        loss = float(paid["write_off"][:, k].sum() + paid["balance"][-1, k])
        share = loss / note.balance if note.balance else np.nan
        life, gain = average_life(principal, years), yield_at(note.balance, cash, years)
        yield f"{note.name:<16}{note.balance:>20,.2f}{life:>12.4f}{gain:>14.6f}{loss:>20,.2f}{share:>12.6f}"


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".part")
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
    command.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the deal, YAML or JSON")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the table there instead of printing it")
    command.add_argument("--summary", action="store_true", help="print WAL, yield at par and loss by class instead")
    command.add_argument("--schema", action="store_true", help="print the JSON schema of a deal file and stop")
    command.add_argument("--columns", action="store_true", help="print what the table's columns mean and stop")
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 refused."""
    command = parser()
    options = command.parse_args(arguments)
    if options.schema or options.columns:
        print(json.dumps(schema() if options.schema else columns(), indent=2))
        return 0
    if options.file is None:
        command.error("which deal? Give FILE, --schema or --columns.")
    try:
        if options.out and options.out.resolve() == options.file.resolve():
            raise BadDeal(f"--out {options.out}: that is the deal itself. Name another file.")
        file = read(options.file)
        deal = pay(file)
        text = as_csv(table(file, deal))
        if options.out:
            write(options.out, text)
    except (BadDeal, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 2
    if options.summary:
        print("\n".join(summary(file, deal)))
    elif not options.out:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as `head` may leave early
    sys.exit(main())
