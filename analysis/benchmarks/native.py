"""The hand-written C contender: compiled on the spot for the instruction set that the kernel's compiler uses."""

import ctypes
import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from llvmlite import binding

from analysis.benchmarks.task import CLASSES, NOTES, PERIODS, Prepared, Task, aligned
from sim.kernels.clauses import DUST, SLACK

SOURCE = Path(__file__).with_name("waterfall.c")
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")
SCALAR = ("-fno-tree-vectorize", "-fno-tree-slp-vectorize")
UNITS = 2  # vectors in flight: the fastest of 1, 2 and 4
REGISTERS = {8: "zmm", 4: "ymm", 2: "xmm"}


class Deal(ctypes.Structure):
    """``deal`` of the C source."""

    _fields_ = [
        *((name, ctypes.c_double) for name in ("period_years", "fee_fixed", "fee_rate", "recovery_rate", "reserve_target")),
        *((name, ctypes.c_double) for name in ("trap_level", "rapid_level", "trap_share", "cure_periods", "dust")),
        *((name, ctypes.c_double) for name in ("pool", "reserve")),
        *((name, ctypes.c_double * CLASSES) for name in ("coupon", "balance")),
        *((name, ctypes.c_long) for name in ("ard", "periods", "paths")),
    ]


class Build(NamedTuple):
    """One compiled version of the source."""

    library: ctypes.CDLL
    width: int  # paths in a vector
    packed: int  # packed minima and maxima in its assembly


def compiler() -> str | None:
    """The C compiler: ``$CC`` or the first of cc, gcc, clang on the path; None without one."""
    return next((found for name in (os.environ.get("CC"), "cc", "gcc", "clang") if name and (found := shutil.which(name))), None)


def vector_width() -> int:
    """Doubles in the widest vector that the kernel's compiler uses on this machine."""
    features = binding.get_host_cpu_features()
    return 8 if features.get("avx512dq") else 4 if features.get("avx2") else 2


@functools.cache
def build(width: int) -> Build:
    """Compile the source with ``width`` paths in a vector; 1 is its scalar build.

    Raises
    ------
    RuntimeError
        if there is no compiler or it refuses the source.
    """
    program = compiler()
    if program is None:
        raise RuntimeError("No C compiler: set CC, or install one as cc.")
    with tempfile.TemporaryDirectory() as folder:
        library, units = Path(folder) / "contender.so", UNITS if width > 1 else 1
        call = [program, *FLAGS, f"-DWIDTH={width}", f"-DUNITS={units}", *(SCALAR if width == 1 else ()), str(SOURCE)]
        done = subprocess.run([*call, "-o", str(library)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} refused {SOURCE.name}: {done.stderr[:500]}")
        assembly = subprocess.run([*call, "-S", "-o", "-"], capture_output=True, text=True, check=True).stdout
        return Build(ctypes.CDLL(str(library)), width, packed_extremes(assembly, width))


def missing() -> str:
    """Why this machine cannot run the C contender; empty when it can."""
    if compiler() is None:
        return "no compiler found (CC, cc, gcc, clang)"
    try:
        build(vector_width()), build(1)
    except (RuntimeError, OSError) as error:
        return str(error)
    return ""


def packed_extremes(assembly: str, width: int) -> int:
    """Count of packed minima and maxima on registers of ``width`` doubles."""
    return len(re.findall(rf"\bv?(?:min|max)pd\b.*{REGISTERS[width]}", assembly)) if width in REGISTERS else 0


def as_deal(work: Task) -> Deal:
    """The task's terms, as C reads them."""
    terms, opening = work.terms[0], work.opening[0]
    numbers = {name: float(terms[name]) for name in ("period_years", "fee_fixed", "fee_rate", "reserve_target", "trap_share")}
    triple = ctypes.c_double * CLASSES
    return Deal(
        **numbers,
        recovery_rate=work.recovery_rate,
        trap_level=float(terms["dscr_trap"]) - SLACK * float(terms["dscr_trap"]),
        rapid_level=float(terms["dscr_rapid"]) - SLACK * float(terms["dscr_rapid"]),
        cure_periods=float(terms["cure_periods"]),
        dust=DUST * sum(NOTES),
        pool=float(opening["pool"]),
        reserve=float(opening["reserve"]),
        coupon=triple(*terms["coupon"][:CLASSES]),
        balance=triple(*opening["balance"][:CLASSES]),
        ard=int(terms["ard"]),
        periods=PERIODS,
        paths=work.revenue.shape[1],
    )


def prepare(work: Task, width: int, every_period: bool = False) -> Prepared:
    """The task, ready to be paid."""
    shape = (PERIODS if every_period else 1, CLASSES, work.revenue.shape[1])
    interest, principal = aligned(np.zeros(shape)), aligned(np.zeros(shape))
    library, terms = build(width).library, as_deal(work)
    pay = library.pay_every_period if every_period else library.pay_lives
    arrays = (work.revenue, work.default_rate, work.amortisation, interest, principal)
    inputs = (ctypes.byref(terms), *(ctypes.c_void_p(values.ctypes.data) for values in arrays))

    def call(kept: tuple[object, ...] = (terms, work)) -> None:
        pay(*inputs)

    return Prepared(call, lambda: (interest, principal))
