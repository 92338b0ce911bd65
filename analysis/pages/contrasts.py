"""Figures of a comparison: sure differences side by side, and the features by which they come."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from analysis.decisions.differing import NONE, WORDS
from analysis.decisions.quantities import Quantity
from analysis.pages import charts
from analysis.pages.charts import GREEN, GREY, INK, RED, SIDES
from analysis.pages.figures import Drawer, Drawn, Panel, Table
from analysis.pages.words import counted, digits, listing, percent, place, region

SURE: Final = ("very sure", "sure")
FARTHEST: Final = 1.0  # of the first regime's mean, where bars end
TOLD: Final = 6  # differences whose mechanism is drawn in a region
Gap = Mapping[str, Any]  # a difference as comparison.json has it


def sure(gaps: Sequence[Gap]) -> list[Gap]:
    """Differences there are."""
    return [gap for gap in gaps if gap["word"] in SURE]


def relative(gap: Gap, key: str = "difference") -> float:
    """A difference, or a bound of it, as a share of the first regime's mean; NaN where that is zero."""
    return gap[key] / abs(gap["first"]) if gap["first"] else np.nan


def differences(first: str, against: Mapping[str, Any], known: Mapping[str, Quantity], drawer: Drawer, shown: bool = True) -> Drawn:
    """All differences of one regime from the first in a table, the sure ones drawn.

    Parameters
    ----------
    shown : draw, and open the table; not for one of many regimes
    """
    label, gaps = against["label"], [gap for gap in against["differences"] if gap["word"] != NONE]
    found = sure(gaps)
    title = f"{label} against {first}: {counted(len(found), 'sure difference')} in {len(gaps)} comparisons"
    note = (
        f"Sure differences, relative to the mean of {first}, as far as a hundred per cent. "
        "Green is what builders and savers would want, red is what they would not."
    )
    drawn = ([where for where in places(gaps) if where != "world"] or places(gaps)) if shown else []
    panels = [forest(where, mine, known, drawer, first) for where in drawn if (mine := [g for g in found if g["region"] == where])]
    table = difference_table(first, label, gaps, known, shown)
    return Drawn(f"differences-{label}", title, note if panels else "", panels, table)


def places(gaps: Sequence[Gap]) -> list[str]:
    """Regions of some differences, in the order of the page."""
    return list(dict.fromkeys(gap["region"] for gap in gaps))


def forest(where: str, gaps: Sequence[Gap], known: Mapping[str, Quantity], drawer: Drawer, first: str) -> Panel:
    """Relative differences with intervals, one a row; those of a quantity that was zero have no bar."""
    shown = [gap for gap in gaps if np.isfinite(relative(gap))]
    figure, axis = charts.axes(f"% of {first}", 0.62 + 0.27 * max(len(shown), 1), labels=0.2, left=0.45)
    value, low, high = (
        np.clip([100.0 * relative(gap, key) for gap in shown], -100.0 * FARTHEST, 100.0 * FARTHEST)
        for key in ("difference", "low", "high")
    )
    colours = [wanted(known[gap["quantity"]], gap["difference"]) for gap in shown]
    texts = [f"{digits(gap['difference'], True)} {short_unit(known[gap['quantity']].unit)}" for gap in shown]
    charts.bars(axis, [known[gap["quantity"]].short for gap in shown], value, colours, low, high, texts)
    return drawer.panel(region(where), figure, f"Sure differences, {region(where)}")


def wanted(quantity: Quantity, difference: float) -> str:
    """Green for better, red for worse, grey for neither."""
    if quantity.better == "neither":
        return GREY
    return GREEN if (difference > 0.0) == (quantity.better == "higher") else RED


def short_unit(unit: str) -> str:
    """A unit without its particulars."""
    found = unit.partition(" (")[0].replace("USD bn a year", "bn/y").replace("USD bn", "bn").replace("USD/GPU-hour", "USD/h")
    found = (
        found.replace("% of debt a year", "%/y").replace("% a year", "%/y").replace("% of its peak", "%").replace("episodes", "")
    )
    return "" if found == "1" else found


def difference_table(first: str, label: str, gaps: Sequence[Gap], known: Mapping[str, Quantity], shown: bool) -> Table:
    """Every comparison, sure or not."""
    columns = [
        "topic",
        "quantity",
        "region",
        "difference",
        "low",
        "high",
        "how sure",
        "unit",
        first,
        label,
        "pairs",
        "seeds to tell",
    ]
    rows = []
    for gap in gaps:
        quantity = known[gap["quantity"]]
        change = [gap[key] for key in ("difference", "low", "high", "word")]
        tail = [quantity.unit, gap["first"], gap["second"], gap["pairs"], gap["needed"] or ""]
        rows.append([quantity.topic, quantity.says, region(gap["region"]), *change, *tail])
    return Table(f"t-differences-{label}", f"All differences of {label} from {first}", columns, rows, shown)


def mechanism(first: str, against: Mapping[str, Any], known: Mapping[str, Quantity], drawer: Drawer) -> Drawn:
    """Each feature's part in the sure differences."""
    label, switched, parts = against["label"], against["switched"], against["parts"]
    features = [each["name"] for each in switched["features"]]
    says = "; ".join(each["says"] for each in switched["features"])
    head = f"By which features {label} differs from {first}"
    if not parts:
        why = switched["why"] or ("No difference is sure, so there is nothing to explain." if len(features) > 1 else "")
        return Drawn(f"mechanism-{label}", head, f"{why} {f'Features: {says}.' if says else ''}".strip())
    table = part_table(label, parts, known)
    panels = [shares(where, parts, features, known, drawer) for where in places(parts)]
    note = (
        f"Each feature is switched on alone in {first} and off alone in {label}; its part is the mean of the two, over "
        f"{switched['seeds']} paired seeds. What remains, only all features do together. {switched['why']} Features: {says}."
    )
    return Drawn(f"mechanism-{label}", mechanism_title(parts, known) or head, note, [p for p in panels if p], table)


def mechanism_title(parts: Sequence[Gap], known: Mapping[str, Quantity]) -> str:
    """The largest part of the first difference of which one feature does most."""
    for at in dict.fromkeys((part["quantity"], part["region"]) for part in parts):
        mine = [part for part in parts if (part["quantity"], part["region"]) == at]
        total = sum(part["share"] or 0.0 for part in mine)
        top = max(mine, key=lambda part: (part["share"] or 0.0) / total if total else 0.0)
        if total and sure_part(top) and top["share"] / total >= 0.5:
            amount = "all" if top["share"] / total > 0.95 else percent(top["share"] / total)
            what = f"the difference in {known[at[0]].says.partition(' (')[0]} in {place(at[1])}"
            return f"{amount[0].upper()}{amount[1:]} of {what} comes by {top['feature']}"
    return ""


def sure_part(part: Gap) -> bool:
    """Whether a part's interval misses zero."""
    return part["low"] is not None and part["high"] is not None and (part["low"] > 0.0 or part["high"] < 0.0)


def shares(
    where: str, parts: Sequence[Gap], features: Sequence[str], known: Mapping[str, Quantity], drawer: Drawer
) -> Panel | None:
    """Parts of the first differences of a region, as shares of each."""
    keys = list(dict.fromkeys(part["quantity"] for part in parts if part["region"] == where))[:TOLD]
    names = [*features, "all together"]
    table = {(p["quantity"], p["feature"]): p["share"] or 0.0 for p in parts if p["region"] == where}
    totals = {key: sum(table.get((key, name), 0.0) for name in names) for key in keys}
    keys = [key for key in keys if totals[key]]
    if not keys:
        return None
    used = [name for name in names if any((key, name) in table for key in keys)]
    height = 0.62 + 0.2 * len(used) + 0.3 * len(keys)
    figure, axis = charts.axes("% of the difference", height=height, labels=0.03, left=0.45)
    box = axis.get_position()
    axis.set_position((box.x0, box.y0, box.width, box.height - 0.2 * len(used) / height))
    plus, minus = np.zeros(len(keys)), np.zeros(len(keys))
    at = np.arange(len(keys))[::-1]
    for n, (name, colour) in enumerate(zip(used, colours(used), strict=True)):
        value = np.array([100.0 * table.get((key, name), 0.0) / totals[key] for key in keys])
        axis.barh(at, value, left=np.where(value > 0.0, plus, minus), color=colour, height=0.6, linewidth=0)
        plus, minus = plus + np.maximum(value, 0.0), minus + np.minimum(value, 0.0)
        top = 1.0 - (0.24 + 0.2 * n) / height
        figure.text(0.45, top, "■", color=colour, va="top", fontsize=8.5)
        figure.text(0.49, top, name if len(name) < 34 else f"{name[:33]}…", color=INK, va="top", fontsize=8)
    axis.tick_params(axis="y", labelsize=7.5)
    axis.set_yticks(at, [known[key].short for key in keys])
    axis.axvline(0.0, color=INK, linewidth=0.7)
    axis.grid(True, axis="x")
    axis.grid(False, axis="y")
    return drawer.panel(region(where), figure, f"Parts of differences by feature, {region(where)}")


def colours(names: Sequence[str]) -> list[str]:
    """One a feature; what only all do together is grey."""
    return [GREY if name == "all together" else SIDES[n % len(SIDES)] for n, name in enumerate(names)]


def part_table(label: str, parts: Sequence[Gap], known: Mapping[str, Quantity]) -> Table:
    """Every part with its interval."""
    columns = ["quantity", "region", "feature", "part", "low", "high", "switched on alone", "switched on last", "unit"]
    rows = [
        [
            *(known[part["quantity"]].says, region(part["region"]), part["feature"]),
            *(part[key] for key in ("share", "low", "high", "alone", "last")),
            known[part["quantity"]].unit,
        ]
        for part in parts
    ]
    return Table(f"t-mechanism-{label}", f"Parts of the differences of {label}", columns, rows)


def legend() -> Table:
    """What the words for how sure mean."""
    return Table("t-words", "How sure: what the words mean", ["word", "means"], [[word, text] for word, text in WORDS.items()])


__all__ = ["differences", "legend", "listing", "mechanism", "sure"]
