"""Names of compiled code that tell record types apart, whatever process compiled it.

The compiler names a record type by a number counted in its process, and rows of a record without their shape. Kernels for
deals of 3 and of 8 classes, compiled in two processes and loaded from the cache by a third, could then share a name, and
the first loaded answered for both. Here a name holds a hash of the type's own description.
"""

import hashlib

from numba import types


def described(kind: types.Type) -> tuple[str, tuple[int]]:
    """Name of a type's class, and a hash of all that makes the type: columns with kinds and offsets, or kind and shape."""
    return type(kind).__name__, (int(hashlib.sha256(kind.name.encode()).hexdigest()[:15], 16),)


def name_by_description() -> None:
    """Have the compiler name records and their rows so, in this process."""
    for kind in (types.Record, types.NestedArray):
        setattr(kind, "mangling_args", property(described))  # noqa: B010 - the type checker sees a method there
