"""Many runs as tidy tables: one row as in a run's own table, before it the run and the parameters that vary.

Tables are pyarrow datasets: files are opened as they are read, and those that a filter on parameters excludes are not.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from sim.columns import COLUMNS
from sim.folders import replacing, whole
from sim.mistakes import leaves, suggestion
from sim.plans import FACTS, Plan, column, listed, varying
from sim.record import schema
from sim.run import AGAIN

RUN = re.compile(r"[^.].*-seed\d+-[0-9a-f]{12}")  # a run's folder
STATA_NAME, STATA_LABEL = 32, 80  # characters


class NoRuns(ValueError):
    """There is nothing to load; the message says what was looked for."""


@dataclass(frozen=True)
class Sweep:
    """Complete runs with the values in which they differ. ``sweep.monthly`` is a dataset, as is every table of a run."""

    folder: Path
    root: Path
    runs: pa.Table

    @classmethod
    def of(cls, folder: str | PathLike[str]) -> "Sweep":
        """A sweep's folder, or a folder of runs of any kind."""
        home = Path(folder).expanduser().resolve()
        if (home / "plan.parquet").is_file():
            plan = Plan.read(home)
            there = listed(plan.root).intersection(plan.runs)
            half = {run for run in there if not whole(plan.root / run)}
            say_left_out(plan.root, half)
            found = cls(home, plan.root, plan.table.filter(pa.array([run in there - half for run in plan.runs], pa.bool_())))
        else:
            say_left_out(home, {name for name in listed(home) if RUN.fullmatch(name) and not whole(home / name)})
            found = cls(home, home, collected(home))
        if not found.runs.num_rows:
            raise NoRuns(f"{home} holds no complete run: it is neither a sweep (outputs/sweeps/HASH) nor a folder of runs.")
        return found

    def __getattr__(self, name: str) -> ds.Dataset:
        """A table by its name."""
        if name not in COLUMNS:
            raise AttributeError(f"{name}: no such table. Tables: {', '.join(COLUMNS)}.")
        return self.table(name)

    def table(self, name: str) -> ds.Dataset:
        """One table over all runs: the compacted file if it is of these runs, else their own files."""
        whole = self.compacted(name)
        if whole.is_file() and (pq.read_schema(whole).metadata or {}).get(b"runs") == self.key:
            return ds.dataset(whole)
        own = schema(COLUMNS[name])
        facts = [field for field in self.runs.schema if field.name not in own.names]
        rows = self.runs.select([field.name for field in facts]).to_pylist()
        return ds.FileSystemDataset.from_paths(
            [str(self.root / row["run"] / f"{name}.parquet") for row in rows],
            schema=pa.schema([*facts, *own]),
            format=ds.ParquetFileFormat(),
            filesystem=LocalFileSystem(),
            partitions=[reduce(and_, (known(key, value) for key, value in row.items())) for row in rows],
        )

    def checked(self, name: str, columns: Sequence[str] | None) -> ds.Dataset:
        """A table that has these columns.

        Raises
        ------
        ValueError
        """
        table = self.table(name)
        names = table.schema.names
        wrong = [column for column in columns or () if column not in names]
        if wrong:
            ways_out = [suggestion(column, names) or f"Columns: {', '.join(names)}." for column in wrong]
            raise ValueError("\n".join(f"{c}: no such column of {name}. {way}" for c, way in zip(wrong, ways_out, strict=True)))
        return table

    def frame(self, name: str, columns: Sequence[str] | None = None, where: Any = None) -> pd.DataFrame:
        """What is wanted of a table, in memory, in the order of the plan."""
        return self.checked(name, columns).to_table(columns=columns, filter=where).to_pandas()

    def batches(self, name: str, columns: Sequence[str] | None = None, where: Any = None) -> Iterator[pa.RecordBatch]:
        """The same piece by piece, in memory that does not grow with the number of runs."""
        few = {"fragment_readahead": 2, "batch_readahead": 2, "cache_metadata": False}  # whose cache would hold a footer a run
        scanner = self.checked(name, columns).scanner(columns=columns, filter=where, **few)
        return (batch for batch in scanner.to_batches() if batch.num_rows)

    def export(self, name: str, path: str | PathLike[str], columns: Sequence[str] | None = None, where: Any = None) -> Path:
        """A table as ``.parquet``, ``.csv`` or ``.dta``, and beside it ``<file>.source.json``: where it comes from.

        Stata's format is written from memory, whole; the others piece by piece.
        """
        path = Path(path).expanduser()
        held = self.checked(name, columns).schema
        names = columns or held.names
        kinds = {".parquet": write_parquet, ".csv": write_csv, ".dta": write_stata}
        if path.suffix not in kinds:
            raise ValueError(f"{path.name}: unknown format. Name a file {', '.join(kinds)}.")
        form = pa.schema([held.field(column) for column in names])
        with replacing(path) as hidden:
            kinds[path.suffix](hidden, form, self.batches(name, names, where))
        with replacing(path.with_name(f"{path.name}.source.json")) as hidden:
            hidden.write_text(json.dumps({"table": name} | self.source(), indent=1) + "\n", encoding="utf-8")
        return path

    def compact(self) -> Path:
        """Every table in one file beside the plan; ``table`` reads it as long as no run is added."""
        for name in COLUMNS:
            form = self.table(name).schema
            with replacing(self.compacted(name)) as hidden:
                write_parquet(hidden, form.with_metadata({"runs": self.key}), self.batches(name))
        return self.folder / "tables"

    def compacted(self, name: str) -> Path:
        """Where a compacted table is, if it is."""
        return self.folder / "tables" / f"{name}.parquet"

    @property
    def key(self) -> bytes:
        """Hash of the runs' names, in order."""
        return hashlib.sha256("\n".join(self.runs["run"].to_pylist()).encode()).hexdigest().encode()

    def source(self) -> dict[str, Any]:
        """Sweep, runs, and all states of the code and libraries that made them."""
        states: dict[str, list[Any]] = {"sources": [], "versions": [], "revision": []}
        for run in self.runs["run"].to_pylist():
            page = json.loads((self.root / run / "manifest.json").read_text(encoding="utf-8"))
            for name, kept in states.items():
                value = page["this_run"][name] if name == "revision" else page[name]
                kept += [value] if value not in kept else []
        return {"sweep": self.folder.name, "runs": self.runs.num_rows} | states


def say_left_out(root: Path, half: Iterable[str]) -> None:
    """Name folders that have no manifest, as interrupted copies leave them."""
    if names := sorted(half):
        few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        print(f"Left out, for without manifest.json they are not whole: {few} in {root}. Give their sweep again.", file=sys.stderr)


def known(key: str, value: Any) -> Any:
    """That a column has one value throughout a file."""
    return ds.field(key).is_null() if value is None else ds.field(key) == value


def collected(root: Path) -> pa.Table:
    """All runs below a folder, with the values in which they differ."""
    pages = {p.parent.name: json.loads(p.read_text()) for p in sorted(root.glob("[!.]*/manifest.json"))}  # no half runs
    flat = {name: dict(leaves("", page["configuration"])) for name, page in pages.items() if not name.endswith(AGAIN)}
    keys = [*FACTS[1:], *varying(list(flat.values()))] if flat else []
    columns = {"run": list(flat)} | {key: [values.get(key) for values in flat.values()] for key in keys}
    return pa.table({key: column(values) for key, values in columns.items()})


def write_parquet(path: Path, form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Row groups of a few runs each."""
    with pq.ParquetWriter(path, form, compression="zstd") as writer:
        for table in bundled(form, batches):
            writer.write_table(table)


def bundled(form: pa.Schema, batches: Iterator[pa.RecordBatch], rows: int = 2**17) -> Iterator[pa.Table]:
    """Batches put together until they are worth a row group."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(pa.RecordBatch.from_arrays(batch.columns, schema=form))
        if sum(part.num_rows for part in held) >= rows:
            yield pa.Table.from_batches(held, form)
            held = []
    if held:
        yield pa.Table.from_batches(held, form)


def write_csv(path: Path, form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """With a header; a missing number is empty."""
    with pyarrow.csv.CSVWriter(path, form) as writer:
        for table in bundled(form, batches):
            writer.write_table(table)


def write_stata(path: Path, form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Format 118; names that Stata cannot hold are shortened, and meaning and unit become labels."""
    frame = pa.Table.from_batches([pa.RecordBatch.from_arrays(b.columns, schema=form) for b in batches], form).to_pandas()
    names = stata_names(form.names)
    days = [name for name in form.names if pa.types.is_date(form.field(name).type)]
    for name in days:
        frame[name] = pd.to_datetime(frame[name])
    for field in form:  # a flag is 0 or 1, and missing where it is; Stata's missing text is empty
        if pa.types.is_boolean(field.type):
            frame[field.name] = frame[field.name].astype("float64" if frame[field.name].isna().any() else "int8")
        elif pa.types.is_string(field.type) or pa.types.is_null(field.type):
            frame[field.name] = frame[field.name].fillna("")
    labels = {names[field.name]: label(field)[:STATA_LABEL] for field in form}
    dates = {names[name]: "td" for name in days}
    frame.rename(columns=names).to_stata(path, write_index=False, version=118, variable_labels=labels, convert_dates=dates)


def stata_names(names: Sequence[str]) -> dict[str, str]:
    """Column -> a name of at most 32 letters, digits and _; the end of a dotted key says most."""
    found: dict[str, str] = {}
    for name in names:
        short = re.sub(r"^(?=\d)", "_", re.sub(r"\W", "_", name)[-STATA_NAME:].lstrip("_"))[:STATA_NAME]
        while short in found.values():
            short = f"_{short[: STATA_NAME - 1]}"
        found[name] = short
    return found


def label(field: pa.Field) -> str:
    """Meaning and unit of a column; a parameter's is its key."""
    facts = field.metadata or {}
    return f"{facts[b'meaning'].decode()} [{facts[b'unit'].decode()}]" if b"meaning" in facts else field.name
