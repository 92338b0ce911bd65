"""Small charts as inline SVG: colours are variables of the page, so that light and dark share one drawing."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, Final, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Okabe and Ito, told apart by the colour-blind; the last two are a violet and a grey. The page has lighter ones for the dark.
PALETTE: Final = ("#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#5e3c99", "#8a8a8b")
BLUE, RED, GREEN, AMBER, SKY, PINK, VIOLET, GREY = PALETTE
SIDES: Final = (BLUE, RED, GREEN, VIOLET, AMBER, SKY)  # regimes drawn over each other
AGES: Final = ("#08306b", "#2171b5", "#4292c6", "#6baed6", "#9ecae1", "#c6dbef")  # from new to old
INK, GRID, BAND, PAPER = "#1a1a1b", "#dcdcdd", "#ebebec", "#fefefd"
VARIABLES: Final = {colour: f"var(--c{n})" for n, colour in enumerate(PALETTE, 1)} | {
    **{colour: f"var(--a{n})" for n, colour in enumerate(AGES, 1)},
    INK: "var(--ink)",
    GRID: "var(--grid)",
    BAND: "var(--band)",
    PAPER: "var(--paper)",
}
SIZE: Final = (4.2, 2.55)  # inch
LONGEST: Final = 18  # characters of a name beside a line
WHOLE: Final = 100.0  # per cent
LABELS: Final = 0.30  # of the width, for what lines and areas are called
LOOK: Final = {
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), INK),
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.linewidth": 0.7,
    "hatch.linewidth": 0.4,
    "lines.linewidth": 1.8,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "caploop",
    "xtick.major.size": 3,
    "ytick.major.size": 0,
}


class Line(NamedTuple):
    """One line: decimal years, numbers, and where there are many runs the range of them."""

    name: str
    colour: str
    at: np.ndarray
    value: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    style: Any = "-"


@contextmanager
def drawing() -> Iterator[None]:
    """Whatever this user prefers elsewhere, the page looks like this."""
    with mpl.rc_context():
        mpl.rcdefaults()
        sns.set_theme("paper", "ticks", font="DejaVu Sans", rc=LOOK)
        yield


def axes(unit: str, height: float = SIZE[1], labels: float = LABELS, left: float = 0.11) -> tuple[Figure, Axes]:
    """A panel, its unit above the axis, and room for labels on the right."""
    figure = Figure(figsize=(SIZE[0], height))
    top, bottom = 0.24 / height, 0.27 / height
    axis = figure.add_axes((left, bottom, 1.0 - left - labels, 1.0 - top - bottom))
    figure.text(0.004, 1.0 - 0.03 / height, unit, va="top", ha="left", fontsize=8.5, color=INK)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(FuncFormatter(tick))
    return figure, axis


def tick(value: float, _: Any = None) -> str:
    """A number of an axis."""
    text = f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.3g}"
    return text.replace("-", "−")


def years(axis: Axes, first: float, last: float) -> None:
    """Whole years below an axis, few enough to be read."""
    axis.set_xlim(first, last)
    step = max(1, int(np.ceil((last - first) / 5.0)))
    ticks = [year for year in range(int(np.ceil(first)), int(last) + 1) if (year - int(np.ceil(first))) % step == 0]
    axis.set_xticks(ticks, [str(year) for year in ticks])


def beside(axis: Axes, places: Sequence[tuple[float, str, str]], least: float = 0.075) -> None:
    """Names beside the right end of lines or areas, in their colour's swatch, pushed apart where they would touch.

    Parameters
    ----------
    places : height in the axis' unit, name, colour
    least : distance of two names, of the axis' height
    """
    low, high = axis.get_ylim()
    order = sorted(places, key=lambda place: place[0])
    heights = spaced([(place[0] - low) / (high - low) for place in order], least)
    right = axis.transAxes
    for height, (_, name, colour) in zip(heights, order, strict=True):
        axis.plot(
            [1.025, 1.055], [height, height], color=colour, linewidth=4, transform=right, clip_on=False, solid_capstyle="butt"
        )
        shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        axis.text(1.075, height, shown, transform=right, va="center", ha="left", fontsize=8, color=INK)


def spaced(heights: Sequence[float], least: float) -> list[float]:
    """Rising heights moved as little as needed to be ``least`` apart and within 0 and 1, as far as there is room."""
    found = list(heights)
    for _ in range(60):
        for i in range(len(found) - 1):
            short = least - (found[i + 1] - found[i])
            if short > 1e-9:
                found[i] -= short / 2.0
                found[i + 1] += short / 2.0
        found = [min(max(height, 0.02), 0.98) for height in found]
    return found


def stacked(axis: Axes, table: pd.DataFrame, colours: Mapping[str, str], top: float | None = None) -> None:
    """Bars by year, one part a column; parts that are never seen get no name."""
    base = np.zeros(len(table))
    names = []
    for name in table:
        value = table[name].fillna(0.0).to_numpy()
        axis.bar(table.index, value, bottom=base, color=colours[name], width=0.82, linewidth=0)
        if value.sum() > 0.003 * table.fillna(0.0).to_numpy().sum():
            names.append((base[-1] + value[-1] / 2.0, name, colours[name]))
        base += value
    axis.set_ylim(0.0, (top or float(base.max()) or 1.0) * 1.03)
    if top == WHOLE:
        axis.set_yticks([0, 25, 50, 75, 100])
    years(axis, float(table.index.min()) - 0.5, float(table.index.max()) + 0.5)
    beside(axis, names)


def lines(axis: Axes, found: Sequence[Line], top: float | None = None, floor: float | None = 0.0) -> None:
    """Lines with their ranges, named at their ends."""
    for line in found:
        if line.low is not None and line.high is not None:
            axis.fill_between(line.at, line.low, line.high, color=line.colour, alpha=0.18, linewidth=0)
        axis.plot(line.at, line.value, color=line.colour, linestyle=line.style)
    if top is not None or floor is not None:
        axis.set_ylim(floor, None if top is None else 1.03 * top)
    years(axis, min(float(line.at.min()) for line in found), max(float(line.at.max()) for line in found))
    beside(axis, [(float(line.value[-1]), line.name, line.colour) for line in found])


def bars(
    axis: Axes,
    names: Sequence[str],
    values: np.ndarray,
    colours: Sequence[str],
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    shown: Sequence[str] = (),
) -> None:
    """Lying bars from the top down, with ranges, each with its number."""
    at = np.arange(len(names))[::-1]
    axis.barh(at, values, color=list(colours), height=0.62, linewidth=0)
    if low is not None and high is not None:
        for y, one, other in zip(at, low, high, strict=True):
            axis.plot([one, other], [y, y], color=INK, linewidth=1.1)
    axis.set_yticks(at, list(names), fontsize=7.5)
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.grid(True, axis="x")
    axis.grid(False, axis="y")
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.xaxis.set_major_formatter(FuncFormatter(tick))
    axis.axvline(0.0, color=INK, linewidth=0.7)
    for y, text in zip(at, shown, strict=False):
        axis.text(1.02, y, text, transform=axis.get_yaxis_transform(), va="center", ha="left", fontsize=8, color=INK)


def svg(figure: Figure, alt: str, number: count) -> str:
    """A drawing as inline SVG: the same drawing gives the same bytes; ids are its own."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    body = text.getvalue()
    body = body[body.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"font-family: [^;\"]+;? ?", "", body)
    body = re.sub(r"font: ([0-9.]+px) [^;\"]+", r"font-size: \1", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, variable)
    prefix = f"f{next(number)}-"
    body = re.sub(r'id="([^"]+)"', rf'id="{prefix}\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', body)
    head = f'<svg role="img" aria-label="{escaped(alt)}" '
    body = re.sub(r"<svg ", head, body, count=1)
    body = re.sub(r' (width|height)="[0-9.]+pt"', "", body, count=2)
    return re.sub(r"\n\s*", "\n", body).strip()


def escaped(text: str) -> str:
    """Text within an attribute."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
