"""Compiled code of two kinds of records never shares a name, whichever process compiled it first."""

import subprocess
import sys

from numba import from_dtype, types

from sim.kernels.layouts import PADDED, TABLES, layout
from sim.kernels.packs import Lanes

PROGRAM = """
from numba import from_dtype
from sim.kernels.layouts import PADDED, layout
for classes in PADDED[::{step}]:
    print(classes, from_dtype(layout(classes).state).mangling_args[1][0])
"""


def names(step):
    """Names by classes, in a process of its own that meets the types from either end."""
    run = subprocess.run([sys.executable, "-c", PROGRAM.format(step=step)], capture_output=True, text=True, check=True)
    return sorted(run.stdout.split("\n"))


def test_a_records_name_does_not_depend_on_what_its_process_met_before():
    assert names(1) == names(-1)


def test_every_record_in_lanes_or_not_has_a_name_of_its_own():
    forms = [getattr(layout(classes), kind) for classes in PADDED for kind in TABLES]
    kinds = [from_dtype(form) for form in forms]
    kinds += [Lanes(kind) for kind in kinds]
    assert len({kind.mangling_args for kind in kinds}) == len(kinds)


def test_rows_of_a_record_are_named_by_their_shape():
    assert types.NestedArray(types.float64, (3, 64)).mangling_args != types.NestedArray(types.float64, (8, 64)).mangling_args
