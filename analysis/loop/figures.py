"""The tables behind the statements as figures: the same tables give the same bytes."""

from collections.abc import Callable
from io import StringIO
from typing import Final

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.overview import LOOK

HUES: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")  # Okabe and Ito, told apart by the colour-blind
WIDTH: Final = 9.0  # inch
SIDES: Final = ("words", "low", "high", "unit")
NEUTRAL: Final = "#555555"


def draw(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Name -> SVG, of every table that has a figure."""
    found = {}
    for name, (make, _) in FIGURES.items():
        if name in tables:
            found[name] = styled(make, tables[name])
    return found


def styled(make: Callable[[pd.DataFrame], Figure], table: pd.DataFrame) -> str:
    """A table drawn in the house's look, as SVG, whatever this user prefers."""
    with mpl.rc_context():
        mpl.rcdefaults()
        sns.set_theme("paper", "ticks", font="DejaVu Sans", rc=LOOK | {"svg.hashsalt": "caploop", "svg.fonttype": "none"})
        return svg(make(table))


def svg(figure: Figure) -> str:
    """A figure as text, to stand within a page."""
    text = StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def panels(count: int, across: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels."""
    across = min(across, count)
    down = -(-count // across)
    figure = Figure(figsize=(WIDTH, height * down), layout="constrained")
    axes = [figure.add_subplot(down, across, at + 1) for at in range(count)]
    return figure, axes


def ranges(axes: Axes, table: pd.DataFrame, by: str, colour: str, shift: float = 0.0, none: float | None = 0.0) -> None:
    """Estimates with their intervals, one a row, from the top down."""
    at = [-n + shift for n in range(len(table))]
    axes.hlines(at, table["low"], table["high"], color=colour, lw=1.6)
    axes.plot(table["estimate"], at, "o", color=colour, ms=4)
    axes.set_yticks([-n for n in range(len(table))], [str(name) for name in table[by]])
    if none is not None:
        axes.axvline(none, color=NEUTRAL, lw=0.8, ls=":")


def gains(table: pd.DataFrame) -> Figure:
    """G by month, a panel a wire."""
    groups = list(table.groupby("signal", sort=False))
    figure, axes = panels(len(groups), 3, 2.2)
    for panel, (signal, rows), hue in zip(axes, groups, HUES * 3, strict=False):
        panel.axhline(0.0, color=NEUTRAL, lw=0.8, ls=":")
        panel.vlines(rows["month"], rows["low"], rows["high"], color=hue, lw=1.6)
        sns.lineplot(rows, x="month", y="estimate", ax=panel, color=hue, marker="o")
        panel.set(title=str(signal).replace("_", " "), xlabel="months after the push", ylabel="returned per unit")
    return figure


def arrows(table: pd.DataFrame) -> Figure:
    """Response of an arrow's target by month, direct and total, a panel an arrow."""
    groups = list(table.groupby(["source", "target"], sort=False))
    figure, axes = panels(len(groups), 3, 2.3)
    for panel, ((source, target), rows) in zip(axes, groups, strict=True):
        panel.axhline(0.0, color=NEUTRAL, lw=0.8, ls=":")
        for (effect, path), hue in zip(rows.groupby("effect", sort=False), HUES, strict=False):
            panel.fill_between(path["month"], path["low"], path["high"], color=hue, alpha=0.2, lw=0)
            sns.lineplot(path, x="month", y="estimate", ax=panel, color=hue, label=str(effect))
        title = f"{source} to {target}".replace("_", " ")
        panel.set(title=title, xlabel="months after the push", ylabel="response per unit")
        panel.legend(frameon=False, fontsize=7)
    return figure


def responses(table: pd.DataFrame) -> Figure:
    """Impulse responses by month, a panel an outcome."""
    groups = list(table.groupby(["outcome", "unit"], sort=False))
    figure, axes = panels(len(groups), 3, 2.2)
    for panel, ((outcome, unit), path) in zip(axes, groups, strict=True):
        panel.axhline(0.0, color=NEUTRAL, lw=0.8, ls=":")
        panel.fill_between(path["month"], path["low"], path["high"], color=HUES[0], alpha=0.2, lw=0)
        sns.lineplot(path, x="month", y="estimate", ax=panel, color=HUES[0])
        panel.set(title=str(outcome).replace("_", " "), xlabel="months after the shock", ylabel=unit)
    return figure


def effects(table: pd.DataFrame) -> Figure:
    """Morris's effects with intervals, the largest on top, and Sobol's shares of those that were selected."""
    rows = table.dropna(subset=["effect"]).sort_values("effect", ascending=False)
    named = [
        f"{words.partition(':')[0]}, {low:g} to {high:g} {unit}"
        for words, low, high, unit in zip(*(rows[c] for c in SIDES), strict=True)
    ]
    rows = rows.assign(name=named, estimate=rows["effect"], low=rows["effect"] - rows["half"], high=rows["effect"] + rows["half"])
    both = "total" in rows and rows["total"].notna().any()
    figure, axes = panels(1 + both, 2, 0.8 + 0.32 * len(rows))
    ranges(axes[0], rows, "name", HUES[0])
    axes[0].set_xlabel("mean absolute effect (Morris)")
    if both:
        few = rows.dropna(subset=["total"])
        total = few.assign(estimate=few["total"], low=few["total"] - few["total_half"], high=few["total"] + few["total_half"])
        ranges(axes[1], total, "name", HUES[1])
        axes[1].set_xlabel("total share of variance (Sobol)")
    return figure


def single_cuts(table: pd.DataFrame) -> Figure:
    """What every cut takes from severity, by its parts, and how much more spending swings without the cut."""
    kinds = list(dict.fromkeys(table["severity"]))
    figure, axes = panels(len(kinds), 3, 2.1)
    for panel, kind, hue in zip(axes, kinds, HUES, strict=False):
        rows = table[table["severity"] == kind]
        ranges(panel, rows, "cut", hue, none=1.0 if kind == "swing" else 0.0)
        title = "swing of spending, live over cut" if kind == "swing" else f"{kind}, live less cut"
        panel.set(title=title, xlabel="times" if kind == "swing" else "")
    return figure


def shapley(table: pd.DataFrame) -> Figure:
    """Shapley values of the arrows, by part of severity."""
    kinds = list(dict.fromkeys(table["severity"]))
    figure, axes = panels(len(kinds), 2, 2.0)
    for panel, kind, hue in zip(axes, kinds, HUES, strict=False):
        ranges(panel, table[table["severity"] == kind], "arrow", hue)
        panel.set(title=f"{kind}: what the arrow adds")
    return figure


def forest(by: str, none: float, label: str) -> Callable[[pd.DataFrame], Figure]:
    """One panel of ranges."""

    def make(table: pd.DataFrame) -> Figure:
        figure, (axes,) = panels(1, 1, 0.5 + 0.35 * len(table))
        ranges(axes, table, by, HUES[0], none=none)
        axes.set_xlabel(label)
        return figure

    return make


def elasticities(table: pd.DataFrame) -> Figure:
    """What single cuts do as the vendor's cadence follows its revenue more."""
    groups = list(table.groupby("elasticity"))
    figure, (axes,) = panels(1, 1, 3.0)
    for n, ((value, rows), hue) in enumerate(zip(groups, HUES, strict=False)):
        ranges(axes, rows, "cut", hue, shift=0.2 - 0.2 * n)
        axes.plot([], [], color=hue, label=f"elasticity {value:g}")
    axes.set_xlabel("severity, live less cut, of the mean with all live")
    axes.legend(frameon=False)
    return figure


# table -> how it is drawn, and what is said under it
FIGURES: Final[dict[str, tuple[Callable[[pd.DataFrame], Figure], str]]] = {
    "gains": (gains, "Loop gain with one wire open: what comes back of a lasting push, with 95 % intervals over seeds."),
    "arrows": (arrows, "Responses to a pulse of six months: direct, with all other arrows replayed, and total, with all live."),
    "single_cuts": (single_cuts, "One arrow cut to its constant reference. Right of the dotted line the arrow makes it worse."),
    "shapley": (shapley, "Shapley values over all sixteen cuts."),
    "state_leverage": (forest("third", 1.0, "times"), "Total over direct effect on spending, by leverage when the push came."),
    "state_boom": (forest("third", 1.0, "times"), "The same by the age of the boom."),
    "controls": (forest("control", 1.0, "A, times"), "Amplification in worlds without a part of the loop."),
    "elasticities": (elasticities, "Single cuts, by the elasticity of the vendor's cadence to its revenue."),
}
