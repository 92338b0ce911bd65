"""Which vector instructions a kernel was compiled to."""

import re

from numba import njit, types
from numba.core.dispatcher import Dispatcher

PACKED = re.compile(r"\bv(?:min|max)pd\b.*(zmm|ymm)\d+")
SINGLE = re.compile(r"\bv?(?:min|max)sd\b")


def vector_instructions(kernel: Dispatcher, signature: tuple[types.Type, ...]) -> dict[str, int]:
    """Minima and maxima in a kernel's code for these argument types: packed, by kind of register, and on single numbers.

    Compiled anew, since code out of the cache cannot be inspected.
    """
    options = {name: value for name, value in kernel.targetoptions.items() if name in ("error_model", "parallel")}
    fresh = njit(**options)(kernel.py_func)
    fresh.compile(signature)
    return count(next(iter(fresh.inspect_asm().values())))


def count(code: str) -> dict[str, int]:
    """Minima and maxima in assembly."""
    packed = [found.group(1) for found in PACKED.finditer(code)]
    return {kind: packed.count(kind) for kind in ("zmm", "ymm")} | {"single": len(SINGLE.findall(code))}
