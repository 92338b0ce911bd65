"""A sweep on disk: which runs it is made of, which of them failed, and how far it is.

``<root>/sweeps/<hash>/plan.parquet`` has one row a run: its folder's name and the values that vary. Failures lie beside the
runs, in ``<root>/sweeps/failures/<run>.json``, for two sweeps may share a run.
"""

import hashlib
import json
import os
import socket
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sim.claims import held
from sim.folders import replacing, whole, writing

FACTS = ("run", "scenario", "size", "seed")  # the first columns of every plan
LEFT_OUT = "left_out.txt"  # beside a plan: combinations of values that cannot be had, a line each, and why


class Differs(Exception):
    """A forced run is not what it was."""


@dataclass(frozen=True)
class Plan:
    """Runs of a sweep, in order."""

    folder: Path
    table: pa.Table

    @property
    def root(self) -> Path:
        """The folder of the runs' folders."""
        return self.folder.parents[1]

    @property
    def runs(self) -> list[str]:
        """Names of the runs' folders."""
        return self.table["run"].to_pylist()

    @classmethod
    def make(cls, root: Path, rows: Sequence[dict[str, Any]]) -> "Plan":
        """Write the plan of these runs, if it is not there; the same runs make the same plan.

        Raises
        ------
        Unwritable
        """
        names = sorted(row["run"] for row in rows)
        folder = root / "sweeps" / hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
        columns = dict.fromkeys(FACTS) | {key: None for row in rows for key in row}
        table = pa.table({key: column([row.get(key) for row in rows]) for key in columns})
        if not (folder / "plan.parquet").is_file():
            with writing(root), replacing(folder / "plan.parquet") as hidden:
                pq.write_table(table, hidden, compression="zstd")
        return cls(folder, table)

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """The plan in a sweep's folder.

        Raises
        ------
        FileNotFoundError
        """
        return cls(folder.resolve(), pq.read_table(folder / "plan.parquet"))

    def leave_out(self, combinations: Sequence[str]) -> None:
        """Keep what was asked for and cannot be had.

        Raises
        ------
        Unwritable
        """
        lines = [" ".join(line.split()) for line in combinations]
        if lines and lines != self.left_out():
            with writing(self.root), replacing(self.folder / LEFT_OUT) as hidden:
                hidden.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def left_out(self) -> list[str]:
        """What was asked for and cannot be had."""
        path = self.folder / LEFT_OUT
        return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    def progress(self) -> "Progress":
        """Where every run stands now."""
        there, failed = listed(self.root), listed(failures(self.root))
        states: dict[str, list[str]] = {state: [] for state in Progress.__dataclass_fields__}
        at_work = held(self.root)
        for run in self.runs:
            if run in there and whole(self.root / run):
                states["done"].append(run)
            elif run in at_work:
                states["running"].append(run)
            else:
                states["failed" if f"{run}.json" in failed else "to_do"].append(run)
        return Progress(**states)


@dataclass(frozen=True)
class Progress:
    """Names of a plan's runs by what has become of them."""

    done: list[str]
    running: list[str]
    failed: list[str]
    to_do: list[str]


def varying(points: Sequence[dict[str, Any]]) -> list[str]:
    """Keys whose values are not the same at all points; what every plan has anyway is left out."""
    keys = dict.fromkeys(key for point in points for key in point)
    return [key for key in keys if key not in FACTS and any(point.get(key) != points[0].get(key) for point in points)]


def column(values: list[Any]) -> pa.Array:
    """Numbers and words as such; lists and blocks, or a mixture, as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and float in kinds:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if len(kinds) <= 1 and kinds <= {int, bool, str}:
        return pa.array(values)
    return pa.array([value if isinstance(value, str) or value is None else json.dumps(value, default=str) for value in values])


def listed(folder: Path) -> set[str]:
    """Names in a folder that may not be there."""
    try:
        return {entry.name for entry in os.scandir(folder)}
    except OSError:
        return set()


def failures(root: Path) -> Path:
    """Where failures of runs are recorded."""
    return root / "sweeps" / "failures"


def record_failure(root: Path, run: str, error: BaseException) -> None:
    """Keep what went wrong. An error of the machine, unlike one of the run, is tried again by the next sweep."""
    page = {
        "run": run,
        "error": type(error).__name__,
        "message": str(error),
        "machine": isinstance(error, OSError | MemoryError),
        "host": socket.gethostname(),
        "traceback": "".join(traceback.format_exception(error)),
    }
    with suppress(OSError), replacing(failures(root) / f"{run}.json") as hidden:  # on a full disk the run is just missing
        hidden.write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")


def failure(root: Path, run: str) -> dict[str, Any] | None:
    """What went wrong with a run, if anything."""
    try:
        found: dict[str, Any] = json.loads((failures(root) / f"{run}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def forget_failures(root: Path, runs: Iterable[str], all_kinds: bool) -> None:
    """Let runs be tried again: those that the machine failed, or all.

    Raises
    ------
    Unwritable
    """
    recorded = listed(failures(root))
    for run in runs:
        if f"{run}.json" in recorded and (all_kinds or (failure(root, run) or {"machine": True})["machine"]):
            with writing(root):
                (failures(root) / f"{run}.json").unlink(missing_ok=True)
