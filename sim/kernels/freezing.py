"""Deal-wide numbers as values: what a lane loop reads must not lie in memory that it might write."""

from collections import namedtuple

from numba import types
from numba.extending import overload


def freeze(record):
    """The columns of a record, read once; in Python the record itself."""
    return record


@overload(freeze)
def _freeze(record):
    """A named tuple of the same columns; columns by class become tuples."""
    if not isinstance(record, types.Record):
        return None
    columns = [
        f"({', '.join(f'record.{name}[{k}]' for k in range(form.type.shape[0]))},)"
        if isinstance(form.type, types.NestedArray)
        else f"record.{name}"
        for name, form in record.fields.items()
    ]
    scope = {"Frozen": namedtuple("Frozen", list(record.fields))}
    exec(f"def read(record):\n    return Frozen({', '.join(columns)})\n", scope)
    return scope["read"]
