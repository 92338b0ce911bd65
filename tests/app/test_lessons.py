"""Lessons: what they measure, and their notebooks."""

import contextlib
import io
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from pytest import approx, fixture, mark

from analysis.app import measures
from analysis.app.catalog import lessons
from analysis.lessons import Lesson, write
from sim.summary import episodes

QUICK = 'settings, first, end = ["sim.build.burn_in=6", "horizon_years=2"], 8, 12'
NOTEBOOKS = Path(write.__file__).parent


def test_a_fall_is_measured_from_a_peak_of_the_six_month_mean():
    """Twelve months at 8, then at 2: the mean of six falls to 2, three quarters below the peak."""
    values = [8.0] * 12 + [2.0] * 6
    assert measures.fall(values, 6, 18) == approx(0.75)
    assert measures.fall(values, 6, 15) == approx(1.0 - 5.0 / 8.0)
    assert measures.fall([2.0] * 6 + [8.0] * 12, 6, 18) == 0.0


def test_a_fall_is_as_deep_as_the_summary_of_a_run_says():
    rng = np.random.default_rng(5)
    values = np.exp(np.cumsum(rng.normal(0.0, 0.12, 90)) + 20.0)
    deepest = max(e["depth"] for e in episodes(pd.Series(values, index=pd.date_range("2023-01-01", periods=90, freq="MS"))))
    assert measures.fall(values.tolist(), 5, 90) == approx(deepest, abs=0.02)


@mark.parametrize(("left", "right", "found"), [(1.0, 2.0, "less"), (2.0, 1.0, "more"), (1.0, 1.05, "same"), (0.0, 0.0, "same")])
def test_a_verdict_compares_its_sides_up_to_a_tenth(left, right, found):
    lesson = {
        "region": "us",
        "verdict": {name: {"future": name, "measure": "sum", "column": "x"} for name in ("history", "what_if")},
    }
    lesson["verdict"] = {"left": lesson["verdict"]["history"], "right": lesson["verdict"]["what_if"]}
    runs = {"history": lambda region, column: [left], "what_if": lambda region, column: [right]}
    assert measures.verdict(runs, lesson, 0, 1) == found


def test_what_a_change_spared_is_the_history_less_the_what_if():
    runs = {"history": lambda *_: [5.0], "what_if": lambda *_: [2.0]}
    assert measures.side(runs, {"future": "spared", "measure": "sum", "column": "x"}, "us", 0, 1) == 3.0


@fixture(scope="module")
def lesson():
    return Lesson("cheap_money", ["sim.build.burn_in=6", "horizon_years=2"], 8, 12).live()


def test_a_lesson_lives_both_futures_from_one_past(lesson):
    history, what_if = lesson.runs["history"], lesson.runs["what_if"]
    pd.testing.assert_frame_equal(history[:8], what_if[:8])
    assert len(history) == len(what_if) == 12 and not history[8:].equals(what_if[8:])


def test_a_lessons_table_is_measured_on_its_runs(lesson):
    table = lesson.table()
    spent = lesson.runs["what_if"]["us", "capex"][8:12].sum()
    assert table.loc["US spending in these years", "what_if"] == approx(spent / 1e9, rel=5e-3)
    assert lesson.verdict() in lesson.about["verdict"].values()


@mark.parametrize("about", lessons(), ids=lambda about: about["name"])
def test_every_notebook_is_what_its_lesson_says_and_holds_its_outputs(about):
    """Written by ``python -m analysis.lessons.write``; the cells are those of the lesson, and every code cell has run."""
    stored = nbformat.read(NOTEBOOKS / f"{about['name']}.ipynb", as_version=4)
    assert [cell.source for cell in stored.cells] == [cell.source for cell in write.notebook(about).cells]
    assert all(cell.outputs for cell in stored.cells if cell.cell_type == "code" and not cell.source.startswith("settings"))
    assert not any(output.get("name") == "stderr" for cell in stored.cells for output in cell.get("outputs", []))
    verdict = stored.cells[-1].outputs[0]["text"].strip()
    assert verdict in about["verdict"].values()


@mark.parametrize("about", lessons()[1:], ids=lambda about: about["name"])
def test_the_cells_of_every_notebook_run(about):
    """In this process, on four months: the verdict is one of the lesson's."""
    spoken, names = io.StringIO(), {}
    with contextlib.redirect_stdout(spoken):
        for cell in write.notebook(about).cells:
            if cell.cell_type == "code":
                exec(QUICK if cell.source.startswith("settings") else cell.source, names)
    assert spoken.getvalue().strip() in about["verdict"].values()


def test_a_notebook_runs_in_a_kernel_of_its_own(tmp_path):
    page = write.notebook(lessons()[0])
    next(cell for cell in page.cells if cell.cell_type == "code").source = QUICK
    done = write.run(page, tmp_path)
    assert done.cells[-1].outputs[0]["text"].strip() in lessons()[0]["verdict"].values()
