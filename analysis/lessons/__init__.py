"""The page's six lessons in Python: the same histories, cuts, shocks and measures, for notebooks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.app import measures
from analysis.app.catalog import NAMES, lessons
from analysis.app.changes import Change
from analysis.app.history import Futures
from sim.compose import resolve
from sim.units import MONTHS

BILLION = 1e9
COLOURS = {"history": "#0b5fa5", "what_if": "#b23c00"}
STYLES = {"history": "-", "what_if": "--"}


class Picture(Figure):
    """A figure that a notebook shows without a backend."""

    def _repr_png_(self) -> bytes:
        page = io.BytesIO()
        self.savefig(page, format="png", dpi=80, metadata={"Software": None})
        return page.getvalue()


class Lesson:
    """One lesson on one economy.

    Parameters
    ----------
    name : of a lesson in analysis/app/lessons.yaml
    settings : overrides of the configuration
    first, end : month of the change, and the month up to which both futures are lived; the lesson's own unless given
    """

    def __init__(self, name: str, settings: Sequence[str] = (), first: int | None = None, end: int | None = None) -> None:
        self.about: dict[str, Any] = next(lesson for lesson in lessons() if lesson["name"] == name)
        steps = self.about["steps"]
        self.first = first or steps[0]["do"]["play"]
        self.end = end or steps[-1]["do"]["play"]
        self.change = Change(month=self.first, **steps[1]["do"]["change"])
        self._futures = Futures(resolve(["size=class", *settings]), apart=0)
        self.runs: dict[str, pd.DataFrame] = {}

    def live(self) -> Lesson:
        """Both futures, to the end: ``runs["history"]`` and ``runs["what_if"]``, a row a month, columns by region and name."""
        what_if, history = self._futures.what_if([self.change]), self._futures.history
        for future in (history, what_if):
            while future.end < self.end:
                future.step()
        before = history.rows[: what_if.first]
        self.runs = {"history": self._frame(history.rows[: self.end]), "what_if": self._frame([*before, *what_if.rows])}
        return self

    def _frame(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        names = pd.MultiIndex.from_tuples(
            [tuple(field.split(".", 1)) for field in self._futures.fields], names=["region", "column"]
        )
        values = np.array([row["values"] for row in rows], dtype=np.float64)
        return pd.DataFrame(values, columns=names, index=pd.RangeIndex(len(rows), name="month"))

    def series(self, name: str) -> measures.Run:
        """A future's columns, as measures take them."""
        return lambda region, column: self.runs[name][region, column].tolist()

    def table(self) -> pd.DataFrame:
        """What the lesson measures between the months, in both futures, to three digits."""
        rows = {line["says"]: self._measured(line) for line in self.about["answer"]}
        return pd.DataFrame.from_dict(rows, orient="index", columns=[*self.runs, "unit"])

    def _measured(self, line: dict[str, Any]) -> list[Any]:
        scale, unit = (BILLION, "USD bn") if line["unit"] == "USD" else (1.0, line["unit"])
        found = [measures.measure(self.series(name), line, self.about["region"], self.first, self.end) for name in self.runs]
        return [*(float(f"{value / scale:.3g}") for value in found), unit]

    def verdict(self) -> str:
        """What this run says, and nothing beyond."""
        runs = {name: self.series(name) for name in self.runs}
        return str(self.about["verdict"][measures.verdict(runs, self.about, self.first, self.end)])

    def draw(self, *columns: str) -> Picture:
        """Columns of the lesson's region over the years, history beside what-if."""
        figure = Picture(figsize=(9.0, 2.6 * len(columns)), layout="constrained")
        axes = figure.subplots(len(columns), sharex=True, squeeze=False)[:, 0]
        for axis, column in zip(axes, columns, strict=True):
            for name, run in self.runs.items():
                years = self._futures.params.start.year + run.index / MONTHS
                axis.plot(years, run[self.about["region"], column], STYLES[name], color=COLOURS[name], label=name.replace("_", " "))
            axis.axvline(self._futures.params.start.year + self.first / MONTHS, color=COLOURS["what_if"], linewidth=0.8)
            axis.set_title(f"{column.replace('_', ' ')}, {NAMES[self.about['region']]}", loc="left")
        axes[0].legend(frameon=False)
        return figure
