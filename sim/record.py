"""What a run leaves: tidy tables with units, collected by column while it runs and written to Parquet at its end."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.columns import COLUMNS, Columns
from sim.units import calendar

SLOWEST = sorted(COLUMNS, key=("tranches", "events").__contains__, reverse=True)  # tables, those with most rows first
SCALARS = (str, float, int)
TYPES = {
    "index": pa.int32(),
    "id": pa.int64(),
    "count": pa.int64(),
    "text": pa.string(),
    "date": pa.date32(),
    "flag": pa.bool_(),
}


class Recorder:
    """Rows of a run, by table and column.

    Parameters
    ----------
    start : date of month 0; fills the column ``date`` wherever ``month`` is given
    """

    COLUMNS = COLUMNS

    def __init__(self, start: date) -> None:
        self.start = start
        self.summary: dict[str, Any] = {}
        self._chunks: dict[str, list[tuple[int, dict[str, Any]]]] = {table: [] for table in COLUMNS}

    def __deepcopy__(self, memo: dict[int, Any]) -> "Recorder":
        """A fork shares what was recorded, which nothing changes any more."""
        twin = copy(self)
        twin.summary = dict(self.summary)
        twin._chunks = {table: list(chunks) for table, chunks in self._chunks.items()}
        return twin

    def add(self, table: str, **columns: Any) -> None:
        """Append rows; a scalar holds for all rows of the call.

        Parameters
        ----------
        table : a key of COLUMNS
        columns : scalars or (n,) of one common n; a column left out is null

        Raises
        ------
        KeyError
            for a table or column that COLUMNS does not declare
        ValueError
            for arrays of different lengths
        """
        declared = COLUMNS.get(table)
        if declared is None or not columns.keys() <= declared.keys():
            raise KeyError(f"{table}: {sorted(set(columns) - set(declared or ()))} not declared in sim/columns.py")
        chunk = {name: held(value) for name, value in columns.items()}
        lengths = {len(value) for value in chunk.values() if isinstance(value, np.ndarray)}
        if len(lengths) > 1:
            raise ValueError(f"{table}: columns of different lengths {sorted(lengths)}")
        self._chunks[table].append((lengths.pop() if lengths else 1, chunk))

    def table(self, name: str) -> pa.Table:
        """All rows of a table so far, with unit and meaning in each field's metadata."""
        declared, chunks = COLUMNS[name], self._chunks[name]
        arrays = [self._column(column, unit, chunks) for column, (unit, _) in declared.items()]
        return pa.Table.from_arrays(arrays, schema=schema(declared))

    def write(self, folder: Path) -> None:
        """Every table as ``folder/<table>.parquet``: the same rows give the same bytes."""
        with ThreadPoolExecutor(1) as writer:  # one table is compressed while the next is put together
            written = [writer.submit(write_table, self.table(name), folder / f"{name}.parquet") for name in SLOWEST]
        for done in written:
            done.result()

    def _column(self, name: str, unit: str, chunks: list[tuple[int, dict[str, Any]]]) -> pa.Array:
        if unit == "date" and any("month" in chunk for _, chunk in chunks):
            return self._dates(chunks)
        if unit == "text":
            return pa.chunked_array([words(chunk.get(name), rows) for rows, chunk in chunks], TYPES[unit]).combine_chunks()
        missing = None if unit in ("date", "flag") else np.nan
        dtype = object if missing is None else np.float64
        values = joined([(chunk.get(name, missing), rows) for rows, chunk in chunks], missing, dtype)
        if unit in ("index", "id", "count"):
            unknown = np.isnan(values) | ((values < 0) & (unit == "id"))
            return pa.array(whole(name, np.where(unknown, 0, values)), TYPES[unit], mask=unknown)
        return pa.array(values, TYPES.get(unit, pa.float64()), from_pandas=True)

    def _dates(self, chunks: list[tuple[int, dict[str, Any]]]) -> pa.Array:
        months = np.concatenate([spread(chunk["month"], rows, np.int64) for rows, chunk in chunks])
        first, at = np.unique(months, return_inverse=True)
        days = np.array([calendar(int(month), self.start) for month in first], dtype="datetime64[D]")
        return pa.array(days[at], TYPES["date"])


def write_table(table: pa.Table, path: Path) -> None:
    """A table as a file."""
    pq.write_table(table, path, compression="zstd", row_group_size=2**20)


def held(value: Any) -> Any:
    """A scalar, or a copy of a column that nobody changes."""
    if isinstance(value, SCALARS) or np.ndim(value) == 0:
        return value.item() if isinstance(value, np.ndarray) else value
    kept = np.array(value)
    if kept.ndim > 1:
        raise ValueError(f"a column is one-dimensional, not {kept.shape}")
    kept.setflags(write=False)
    return kept


def joined(parts: list[tuple[Any, int]], missing: Any, dtype: Any) -> np.ndarray:
    """Scalars and columns of so many rows as one column."""
    if all(rows == 1 and not isinstance(value, np.ndarray) for value, rows in parts):
        return np.array([missing if value is None else value for value, _ in parts], dtype)
    return np.concatenate([spread(value, rows, dtype) for value, rows in parts])


def spread(value: Any, rows: int, dtype: Any) -> np.ndarray:
    """A scalar or a column as ``rows`` values of one type; None is not a number."""
    if value is None and dtype is not object:
        value = np.nan
    return value.astype(dtype, copy=False) if isinstance(value, np.ndarray) else np.full(rows, value, dtype)


def words(value: Any, rows: int) -> pa.Array:
    """A word or a column of words as ``rows`` of them; None is null."""
    if isinstance(value, np.ndarray):
        return pa.array(value, TYPES["text"], from_pandas=True)
    return pa.repeat(pa.scalar(value, TYPES["text"]), rows)


def whole(name: str, values: np.ndarray) -> np.ndarray:
    """Floats that are whole numbers, as such."""
    numbers = values.astype(np.int64)
    if not np.array_equal(numbers, values):
        raise ValueError(f"{name}: holds numbers that are not whole")
    return numbers


def schema(declared: Columns) -> pa.Schema:
    """Types, units and meanings of a table."""
    return pa.schema(
        pa.field(name, TYPES.get(unit, pa.float64()), metadata={"unit": unit, "meaning": meaning})
        for name, (unit, meaning) in declared.items()
    )
