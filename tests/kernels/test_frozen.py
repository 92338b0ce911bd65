"""Frozen deals are paid as they were when they were frozen, and as the exact oracle pays them today."""

from fractions import Fraction

import numpy as np
import pytest

from tests.kernels.deals import AGAIN, AGAIN_BY_CLASS, FLAGS, paid
from tests.kernels.freeze import cases, expected, load

CASES = [pytest.param(path, id=path.stem) for path in cases()]


def deviations(case, found):
    """Largest difference by column: cash over the original notes, flags and average DSCR as they are."""
    size = float(sum(Fraction(note["balance"]) for note in case["file"]["deal"]["notes"]))
    for column, values in found.items():
        if column in AGAIN or column.startswith(AGAIN_BY_CLASS):
            continue
        gap = np.abs(values - np.array(case["expected"].get(column, np.zeros(len(values))))).max()
        yield column, gap if column in FLAGS or column == "dscr_average" else gap / size


def differs(case, found):
    """Columns that miss their frozen values."""
    return {column: gap for column, gap in deviations(case, found) if not gap <= 1e-9}


@pytest.mark.parametrize("path", CASES)
def test_a_frozen_deal_is_paid_as_frozen(path):
    case = load(path)
    assert differs(case, paid(case["file"])) == {}, case["fact"]


@pytest.mark.parametrize("path", CASES)
def test_the_oracle_still_pays_what_was_frozen(path):
    case = load(path)
    assert expected(case["file"]) == case["expected"]


def test_at_least_twenty_deals_are_frozen():
    assert len(CASES) >= 20
