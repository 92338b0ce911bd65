"""Compiled arithmetic: the payment rules of a deal, and what a stream of cash is worth."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

DECORATOR = "from numba import njit\n"


def uncompiled(module: ModuleType, edit: Callable[[str], str] = str) -> ModuleType:
    """The plain twin of a kernel module: the same source, after ``edit``, run by Python.

    Records must be handed over as ``numpy.recarray``, whose columns are attributes.
    """
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    if DECORATOR not in source:
        raise ValueError(f"{module.__name__}: no line {DECORATOR.strip()!r}. Only kernels have a plain twin.")
    twin = ModuleType(module.__name__ + "_uncompiled")
    plain = "def njit(**options):\n    return lambda function: function\n"
    exec(compile(edit(source.replace(DECORATOR, plain)), twin.__name__, "exec"), twin.__dict__)
    return twin
