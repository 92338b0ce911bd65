"""Compiled arithmetic: the payment rules of a deal, scenarios and ratings, and what a stream of cash is worth."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from llvmlite import binding
from numba import config
from numba.core.dispatcher import Dispatcher

from sim.kernels.naming import name_by_description

DECORATOR = "from numba import njit\n"
# No array is counted: each look at one would count it up and down again, for all threads to wait on, which takes seven times as
# long as to pay a deal. So such a kernel makes no array; it is handed its room. LEAN, no division raises either.
UNCOUNTED: dict[str, Any] = {"_nrt": False}
LEAN: dict[str, Any] = {"error_model": "numpy", **UNCOUNTED}
# Of what only other kernels call: no entry from Python, which takes longer to compile than the rest; INLINED, part of the caller.
INTERNAL: dict[str, Any] = {**LEAN, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINED: dict[str, Any] = {"forceinline": True, **INTERNAL}
HERE = Path(__file__).parent


def sources() -> str:
    """Hash of all kernels' sources."""
    digest = hashlib.sha256()
    for file in sorted(HERE.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


# The compiler's cache notices edits of a function's own file only; kernels call each other across files.
if not os.environ.get("NUMBA_CACHE_DIR"):
    config.CACHE_DIR = str(HERE / "__pycache__" / f"compiled-{sources()}")  # type: ignore[attr-defined]

name_by_description()

# Loops over classes are unrolled, however long their bodies: only then do a deal's columns stay in registers.
binding.set_option("", "-unroll-threshold=3000")


def uncompiled(module: ModuleType, edit: Callable[[str], str] = str) -> ModuleType:
    """The plain twin of a kernel module and of the kernels it calls: the same sources, after ``edit``, run by Python.

    Records must be handed over as ``numpy.recarray``, whose columns are attributes.
    """
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    if DECORATOR not in source:
        raise ValueError(f"{module.__name__}: no line {DECORATOR.strip()!r}. Only kernels have a plain twin.")
    twin = ModuleType(module.__name__ + "_uncompiled")
    plain = "def njit(**options):\n    return lambda function: function\n"
    exec(compile(edit(source.replace(DECORATOR, plain)), twin.__name__, "exec"), twin.__dict__)
    called = {name: kernel for name, kernel in vars(twin).items() if isinstance(kernel, Dispatcher)}
    twins = {name: uncompiled(__import__(name, fromlist=["_"]), edit) for name in {k.__module__ for k in called.values()}}
    vars(twin).update({name: vars(twins[kernel.__module__])[name] for name, kernel in called.items()})
    return twin
