"""Columns that grow together."""

from typing import Any

import numpy as np


def written_down(book: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Part (n,) that is kept of book values (n,) USD that fall to ``values`` (n,) where these are less; all of nothing."""
    return np.minimum(np.divide(values, book, out=np.ones_like(values), where=book > 0.0), 1.0)


class Rows:
    """Some rows of records; only the columns that are asked for are read, for a record may be long."""

    def __init__(self, records: np.ndarray, rows: np.ndarray) -> None:
        self.records, self.rows = records, rows

    def __getitem__(self, name: str) -> np.ndarray:
        return np.asarray(self.records[name][self.rows])


class Table:
    """Rows of equal columns, appended in blocks; ``table["name"]`` is the filled part of a column, writable."""

    def __init__(self, columns: dict[str, Any]) -> None:
        """``columns``: name -> (dtype, trailing shape)."""
        self.size = 0
        self._columns = {n: np.zeros((64, *shape), dtype=dtype) for n, (dtype, shape) in columns.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name][: self.size]

    def __len__(self) -> int:
        return self.size

    def add(self, count: int, **values: Any) -> np.ndarray:
        """Append rows; columns not named start at zero. Returns the new rows' numbers."""
        rows = np.arange(self.size, self.size + count)
        self.size += count
        for name, column in self._columns.items():
            if self.size > len(column):
                grown = np.zeros((max(2 * len(column), self.size), *column.shape[1:]), dtype=column.dtype)
                grown[: len(column)] = column
                self._columns[name] = grown
        for name, value in values.items():
            self[name][rows] = value
        return rows
