"""A run on one page: ``python -m analysis.overview FOLDER`` draws ``overview.png`` again.

Regions have fixed colours; series of one panel differ by line style. Where both regions hold the same numbers there is
one dark line. Grey bands are falls of the regions' joint capital spending, from peak to trough, as in ``summary.json``.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.panels import PANELS, Strip, marks, read, shown, title
from sim.summary import episodes

COLOURS: Final = {"us": "#0072b2", "china": "#d55e00"}  # Okabe and Ito, told apart by the colour-blind
BOTH, BAND, INK = "#333333", "#eeeeee", "#555555"
STYLES: Final[tuple[Any, ...]] = ("-", (0, (4, 1.6)))
SIZE = (12.0, 16.0)  # inch
DPI = 150
PACKED = 1  # of 9: a picture a tenth larger in three quarters of the usual time
OUTLIER = 3.0  # times the 97th percentile, where the axis of a ratio ends
LOOK: Final = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.4,
    "xtick.color": INK,
    "ytick.color": INK,
}


class Sheet(NamedTuple):
    """A page that shows no run yet: what is the same on every page takes longer to lay out than a run's lines."""

    figure: Figure
    panels: dict[str, list[Axes]]  # as in PANELS, an axis a strip


def draw(folder: Path, sheet: Sheet | None = None) -> None:
    """Read the tables of a run and write ``overview.png`` beside them: the same tables give the same bytes.

    Parameters
    ----------
    sheet : one laid out before, used up by this
    """
    regions = read(folder)
    defaults = marks(folder)
    figure, panels = sheet or blank()
    with look():
        page(panels, regions, defaults)
        head(figure, regions, title(folder))
        figure.savefig(folder / "overview.png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": PACKED})


@contextmanager
def look() -> Iterator[None]:
    """The page's own style, whatever this user prefers."""
    with mpl.rc_context():
        mpl.rcdefaults()
        sns.set_theme("paper", "ticks", font="DejaVu Sans", rc=LOOK)
        yield


def blank() -> Sheet:
    """Twelve panels with titles, labels, keys and ticks."""
    with look():
        figure = Figure(figsize=SIZE, facecolor="white")
        grid = figure.add_gridspec(4, 3, left=0.07, right=0.975, top=0.925, bottom=0.03, hspace=0.24, wspace=0.3)
        panels = {}
        for at, (panel, strips) in enumerate(PANELS.items()):
            rows = grid[at].subgridspec(len(strips), 1, hspace=0.16)
            axes = [figure.add_subplot(rows[row, 0]) for row in range(len(strips))]
            for axis, strip in zip(axes, strips, strict=True):
                frame(axis, strip.label, dated=axis is axes[-1])
            axes[0].set_title(panel, loc="left", y=1.0, fontsize=10.5, fontweight="bold", pad=6)
            key(axes[0], strips[0], panel == "Losses")
            panels[panel] = axes
        figure.draw_without_rendering()  # makes the ticks
    return Sheet(figure, panels)


def frame(axis: Axes, label: str, dated: bool) -> None:
    """Label and ticks of a strip."""
    axis.set_ylabel(label, fontsize=8, color=INK)
    axis.yaxis.set_label_coords(-0.15, 0.5)
    axis.tick_params(labelsize=8, length=3)
    axis.locator_params(axis="y", nbins=5)
    ticks = AutoDateLocator(minticks=3, maxticks=6)
    axis.xaxis.set_major_locator(ticks)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(ticks, show_offset=False))
    axis.tick_params(axis="x", labelbottom=dated)


def page(panels: dict[str, list[Axes]], regions: dict[str, pd.DataFrame], defaults: pd.DataFrame) -> None:
    """The run's lines, falls and defaults, under the same dates in every panel."""
    falls = bands(regions)
    days = sorted({day for months in regions.values() for day in months.index})
    for panel, strips in PANELS.items():
        for axis, strip in zip(panels[panel], strips, strict=True):
            fill(axis, strip, regions)
            for start, end in falls:
                axis.axvspan(start, end, color=BAND, linewidth=0, zorder=0)
            if days:
                axis.set_xlim(days[0], days[-1] + pd.DateOffset(months=1))
    tick_off(panels["Losses"][0], defaults)


def bands(regions: dict[str, pd.DataFrame]) -> list[tuple[float, float]]:
    """Peak and trough of every fall of joint capital spending."""
    if not regions:
        return []
    capex = pd.concat([months["capex"] for months in regions.values()], axis=1).sum(axis=1)
    found = episodes(capex)
    return [(date2num(np.datetime64(e["peak"])), date2num(np.datetime64(e["trough"]))) for e in found]


def fill(axis: Axes, strip: Strip, regions: dict[str, pd.DataFrame]) -> None:
    """A line a column and region, or one for all regions where they agree."""
    drawn = []
    for style, column in zip(STYLES, strip.lines, strict=False):
        found = {region: shown(months[column].astype(float), strip.kind) for region, months in regions.items()}
        values = list(found.values())
        alike = len(values) > 1 and values[0].notna().any() and all(v.equals(values[0]) for v in values)
        for region, line in list(found.items())[: 1 if alike else None]:
            axis.plot(line.index, line, color=BOTH if alike else COLOURS[region], linestyle=style)
        drawn += values
    limit(axis, strip.kind, pd.concat(drawn).dropna() if drawn else pd.Series(dtype=float))


def limit(axis: Axes, kind: str, values: pd.Series) -> None:
    """Say when there is nothing; let no single month of a ratio flatten all others."""
    if values.empty:
        axis.set_yticks([])
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", va="center", color=INK, fontsize=8)
        return
    if values.min() >= 0.0:
        top = 1.06 * values.max() or 1.0
        axis.set_ylim(-0.02 * top, top)  # a line at zero is seen
    usual = OUTLIER * values.quantile(0.97)
    if kind == "ratio" and values.max() > usual > 0.0:
        axis.set_ylim(top=usual)
        axis.text(0.99, 0.97, f"up to {values.max():,.0f}", transform=axis.transAxes, ha="right", va="top", fontsize=7)


def key(axis: Axes, strip: Strip, marked: bool) -> None:
    """Line styles, beside the panel's title."""
    named = zip(STYLES, strip.lines.values(), strict=False)
    handles: list[Any] = [Line2D([], [], color=BOTH, linestyle=style, label=name) for style, name in named if name]
    if marked:
        handles.append(Line2D([], [], color=BOTH, linestyle="", marker="|", label="default"))
    where: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1.02, 0.985), "borderaxespad": 0.2}
    if handles:
        axis.legend(handles=handles, ncols=3, fontsize=7.5, frameon=False, handlelength=1.9, columnspacing=1.0, **where)


def tick_off(axis: Axes, defaults: pd.DataFrame) -> None:
    """A tick for every month with defaults, a row a region, above the lines."""
    axis.set_ylim(axis.get_ylim()[0], axis.get_ylim()[1] + 0.15 * np.ptp(axis.get_ylim()))
    for height, (region, colour) in zip((0.97, 0.92), COLOURS.items(), strict=True):
        days = defaults.loc[defaults["region"] == region, "date"]
        at = axis.get_xaxis_transform()
        axis.plot(days, np.full(len(days), height), "|", color=colour, markersize=6, transform=at, scalex=False, scaley=False)


def head(figure: Figure, regions: dict[str, pd.DataFrame], name: str) -> None:
    """Title, and what colours mean."""
    figure.text(0.02, 0.972, name, fontsize=16, fontweight="bold", va="center")
    handles: list[Any] = [Line2D([], [], color=COLOURS[region], linewidth=3, label=region) for region in regions]
    if len(regions) > 1:
        handles.append(Line2D([], [], color=BOTH, linewidth=3, label="the same in both"))
    handles.append(Patch(color=BAND, label="fall of capital spending by 22 % or more, peak to trough"))
    figure.legend(handles=handles, loc="center right", bbox_to_anchor=(0.975, 0.972), ncols=4, frameon=False, fontsize=10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 no run there."""
    command = argparse.ArgumentParser(prog="python -m analysis.overview", description="Draw overview.png of a run again.")
    command.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of a run")
    folder: Path = command.parse_args(arguments).folder
    if not (folder / "monthly.parquet").is_file():
        print(f"{folder} holds no monthly.parquet. Name the folder of a run.", file=sys.stderr)
        return 2
    draw(folder)
    print(folder / "overview.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
