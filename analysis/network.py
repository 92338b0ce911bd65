"""Who owes whom in one month of a run, and what would go unpaid, drawn: ``python -m analysis network RUN [--month M]``."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

SCENES: Final = {"month": "network", "largest tenant": "stress"}  # scene of the table -> prefix in the monthly table
COLUMNS: Final = {  # first word of a party's name -> column it stands in, colour
    "lab": (0, "#0072b2"),
    "cloud": (0, "#56b4e9"),
    "deals": (1, "#8c7a5b"),
    "operator": (1, "#8c7a5b"),
    "lessor": (1, "#8c7a5b"),
    "investor": (2, "#009e73"),
    "sovereign": (2, "#cc79a7"),
    "seller": (2, "#e69f00"),
    "banks": (3, "#333333"),
    "savers": (3, "#777777"),
    "landlords": (3, "#777777"),
}
HEADS: Final = ("tenants", "deals, by sponsor", "holders of notes", "their lenders, savers")
PAID, UNPAID = "#b8b8b8", "#d62728"
SIZE: Final = (13.0, 8.5)  # inch
WIDEST, LARGEST = 16.0, 2400.0  # points, points squared
LEAST: Final = 1e-3  # of the largest claim: what is smaller is not drawn
DPI: Final = 150
MANY: Final = 6  # parties in a column that are named below their points
WHOLE = 1.0 - 1e-6  # of what is owed: less is not all


class NoNetwork(ValueError):
    """The run has none; the message says how it gets one."""


@dataclass(frozen=True)
class Picture:
    """What is drawn: a month, a region, a scene; claims between parties, kinds of claims together."""

    graph: nx.DiGraph  # edges with ``amount`` and ``paid``, USD
    region: str
    month: int
    date: Any
    scene: str
    first: float  # USD that falls short at once
    scenario: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 done, 2 nothing to draw."""
    parser = argparse.ArgumentParser(prog="python -m analysis network", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run whose exposures are on record")
    parser.add_argument("--month", type=int, help="default: the worst on record, by the part that goes unpaid")
    parser.add_argument("--region", help="default: the one in which that is")
    parser.add_argument(
        "--scene", choices=SCENES, default="month", help="who fails: those who did in the month, or the largest tenant"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default network.png in the folder")
    chosen = parser.parse_args(arguments)
    out = chosen.out or chosen.run / "network.png"
    try:
        draw(picture(chosen.run, chosen.scene, chosen.month, chosen.region)).savefig(out, dpi=DPI, metadata=_plain(out))
    except (NoNetwork, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(out)
    return 0


def _plain(out: Path) -> dict[str, None] | None:
    return {"Software": None} if out.suffix == ".png" else None


# -- what is drawn -------------------------------------------------------------------------------------------------------


def claims(run: Path) -> pd.DataFrame:
    """The table of exposures of a run."""
    file = run / "exposures.parquet"
    if not file.exists():
        raise NoNetwork(f"{file} is not there. Give the folder of a run of this version.")
    table = pd.read_parquet(file)
    if table.empty:
        raise NoNetwork(f"{run} cleared no network. Run it with sim.markets.exposures.interval=3, or scenario=exposure_network.")
    return table


def worst(table: pd.DataFrame, scene: str, month: int | None, region: str | None) -> tuple[int, str]:
    """Month and region in which the largest part goes unpaid, among those asked for."""
    asked = table[(table["scene"] == scene)]
    for name, value in (("month", month), ("region", region)):
        if value is not None:
            asked = asked[asked[name] == value]
            if asked.empty:
                known = sorted(table[name].unique())
                raise NoNetwork(f"{name} {value} is not on record. Give one of {', '.join(map(str, known))}.")
    sums = asked.groupby(["month", "region"])[["amount", "paid"]].sum()
    found = (1.0 - sums["paid"] / sums["amount"]).idxmax()
    return int(found[0]), str(found[1])


def picture(run: Path, scene: str = "month", month: int | None = None, region: str | None = None) -> Picture:
    """The network of one month; the worst one unless told."""
    table = claims(run)
    month, region = worst(table, scene, month, region)
    here = table[(table["scene"] == scene) & (table["month"] == month) & (table["region"] == region)]
    graph = nx.DiGraph()
    for (payer, payee), pair in here.groupby(["payer", "payee"]):
        graph.add_edge(payer, payee, amount=float(pair["amount"].sum()), paid=float(pair["paid"].sum()))
    monthly = pd.read_parquet(run / "monthly.parquet", columns=["month", "region", f"{SCENES[scene]}_first"])
    first = monthly[(monthly["month"] == month) & (monthly["region"] == region)][f"{SCENES[scene]}_first"]
    return Picture(graph, region, month, here["date"].iloc[0], scene, float(first.iloc[0]), run.name.split("-seed")[0])


def total(shown: Picture, name: str) -> float:
    """Sum of an attribute of all edges, USD."""
    return float(sum(value for _, _, value in shown.graph.edges.data(name)))


def finding(shown: Picture) -> str:
    """The picture in a sentence."""
    owed, short = total(shown, "amount"), total(shown, "amount") - total(shown, "paid")
    passed = max(short - shown.first, 0.0)
    what = f"{_whose(shown)}{short / owed:.0%} of {_usd(owed)} would go unpaid if all were settled"
    return (
        f"{shown.region}, {shown.date:%B %Y}: {what},\n"
        f"{_usd(shown.first)} by debtors short by themselves, {_usd(passed)} by those whom they leave short"
    )


def _whose(shown: Picture) -> str:
    """What the scene supposes, and which tenants have failed in it: others pay all that they owe."""
    failed = [node for node in sorted(shown.graph) if _kind(node)[0] == 0 and _part_paid(shown.graph, node) < WHOLE]
    if shown.scene == "largest tenant":
        return f"had {' and '.join(failed) or 'the largest tenant'} failed, "
    return f"with {' and '.join(failed)} failed, " if failed else ""


def _part_paid(graph: nx.DiGraph, node: str) -> float:
    """Part of what a party owes that it would pay."""
    owes = float(graph.out_degree(node, "amount"))
    return float(graph.out_degree(node, "paid")) / owes if owes > 0.0 else 1.0


def _usd(amount: float) -> str:
    for size, word in ((1e12, "tn"), (1e9, "bn"), (1e6, "m")):
        if abs(amount) >= size:
            return f"{amount / size:.3g} {word} USD"
    return f"{amount:.0f} USD"


# -- how it is drawn -----------------------------------------------------------------------------------------------------


def places(graph: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """Where parties stand: in columns by kind, the largest at the top."""
    found, columns = {}, [[], [], [], []]  # type: tuple[dict[str, tuple[float, float]], list[list[str]]]
    for node in graph:
        columns[_kind(node)[0]].append(node)
    for x, nodes in enumerate(columns):
        nodes.sort(key=lambda node: (-weight(graph, node), node))
        for i, node in enumerate(nodes):
            found[node] = (float(x), 1.0 - (i + 0.5) / len(nodes))
    return found


def weight(graph: nx.DiGraph, node: str) -> float:
    """What a party owes or is owed, whichever is more, USD."""
    return float(max(graph.out_degree(node, "amount"), graph.in_degree(node, "amount")))


def _kind(node: str) -> tuple[int, str]:
    return COLUMNS.get(node.split()[0], (3, "#777777"))


def draw(shown: Picture) -> Figure:
    """Parties in columns; each claim as wide as it is large, in red what goes unpaid of it."""
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever this user prefers
        figure = Figure(figsize=SIZE, facecolor="white")
        axes = figure.add_axes((0.03, 0.05, 0.94, 0.78))
        axes.set(xlim=(-0.45, 3.45), ylim=(-0.02, 1.06))
        axes.axis("off")
        at = places(shown.graph)
        _edges(axes, shown.graph, at)
        _nodes(axes, shown.graph, at)
        for x, head in enumerate(HEADS):
            axes.text(x, 1.045, head, ha="center", va="center", fontsize=11, color="#555555")
        figure.text(0.03, 0.955, finding(shown), fontsize=14, fontweight="bold", va="top", linespacing=1.35)
        note = f"{shown.scenario}, month {shown.month}. Lines run from debtor to creditor, as wide as the claim; red: unpaid."
        figure.text(0.03, 0.02, note, fontsize=9, color="#555555")
    return figure


def _edges(axes: Axes, graph: nx.DiGraph, at: dict[str, tuple[float, float]]) -> None:
    most = max(amount for _, _, amount in graph.edges.data("amount"))
    for payer, payee, claim in sorted(graph.edges.data(), key=lambda edge: -edge[2]["amount"]):
        if claim["amount"] < LEAST * most:
            continue
        short = claim["amount"] - claim["paid"]
        bend = 0.12 if at[payer][0] == at[payee][0] else 0.04
        for part, colour, order in ((claim["amount"], PAID, 1), (short, UNPAID, 2)):
            if part > LEAST * most:
                line: dict[str, Any] = {
                    "linewidth": max(WIDEST * part / most, 0.2),
                    "color": colour,
                    "alpha": 0.85,
                    "zorder": order,
                }
                style: dict[str, Any] = {"arrowstyle": "-", "connectionstyle": f"arc3,rad={bend}", "shrinkA": 0.0, "shrinkB": 0.0}
                axes.add_patch(FancyArrowPatch(at[payer], at[payee], capstyle="butt", **style, **line))


def _nodes(axes: Axes, graph: nx.DiGraph, at: dict[str, tuple[float, float]]) -> None:
    """A point as large as what each owes or is owed, named below it, or beside it where many stand in a column."""
    most = max(weight(graph, node) for node in graph)
    columns = [x for x, _ in at.values()]
    for node, (x, y) in at.items():
        crowded = columns.count(x) > MANY
        size = max(LARGEST * weight(graph, node) / most, 40.0) * (0.4 if crowded else 1.0)
        axes.scatter([x], [y], s=size, color=_kind(node)[1], edgecolor="white", linewidth=1.0, zorder=3)
        away = np.sqrt(size) / 2.0 + 4.0
        text, short = _label(graph, node, crowded)
        box: dict[str, Any] = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
        style: dict[str, Any] = {"ha": "left", "va": "center"} if crowded else {"ha": "center", "va": "top"}
        style |= {"fontsize": 7 if crowded else 8, "zorder": 4, "color": UNPAID if short else "#222222"}
        offset = (away, 0.0) if crowded else (0.0, -away)
        axes.annotate(text, (x, y), offset, textcoords="offset points", bbox=box, **style)


def _label(graph: nx.DiGraph, node: str, crowded: bool) -> tuple[str, bool]:
    """What stands at a party, shorter in a ``crowded`` column, and whether it falls short."""
    owes, pays = (float(graph.out_degree(node, name)) for name in ("amount", "paid"))
    short = owes - pays > 5e-3 * owes
    what = f"owes {_usd(owes)}" if owes > 0.0 else f"is owed {_usd(weight(graph, node))}"
    if crowded:
        return f"{node}, {what.removesuffix(' USD')}" + (f", pays {pays / owes:.0%}" if short else ""), short
    return f"{node}\n{what}" + (f", pays {pays / owes:.0%}" if short else ""), short
