"""Pages of runs, of sweeps and of comparisons: which sections they have, and what stands in them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from analysis.decisions import policies, quantities
from analysis.decisions.differing import ZERO
from analysis.pages import capital, charts, compute, contrasts, facts, policy, sentences, stories
from analysis.pages.figures import Drawer, Drawn, Table
from analysis.pages.gather import HIGH, LOW, Gathered
from analysis.pages.page import Page, Section
from analysis.pages.words import digits, listing, region
from analysis.statistics.intervals import LEVEL

MOST_SIDES: Final = 4  # regimes that are drawn side by side
CAVEATS: Final = (
    "The page shows what follows from stated assumptions. It is not a forecast, nor advice.",
    "China's parameters are assumptions of scale, so levels there are weaker than signs.",
    "Calibrated numbers are values of one model that fits, and no measurements; others fit as well (configs/SOURCES.md).",
    "Facts are single observations by named sources, hence wide bands; only the baseline is meant to come near them.",
    "Means over runs smooth what single runs have: no run is the mean run.",
)
WITHIN: Final = (
    f"Intervals are bias-corrected bootstraps of paired differences with whole seeds as blocks, at {LEVEL:.0%} each. They cover "
    "the randomness of the model's shocks and starting values, and neither its parameters nor its structure."
)


def all_figures(sides: Sequence[Gathered], drawer: Drawer) -> Mapping[str, list[Drawn]]:
    """Figures by section."""
    parts = {
        "Capital": [capital.issuance, *capital.TERMS, capital.ratings, capital.stack, stories.waterfall],
        "Compute and the race": [compute.vintage, compute.rent, compute.race],
        "Risk": [compute.holders, stories.network, stories.timeline],
    }
    return {name: [drawn for draw in draws if (drawn := draw(sides, drawer)) is not None] for name, draws in parts.items()}


def of_runs(side: Gathered, title: str, subtitle: str, provenance: Sequence[str]) -> Page:
    """The page of one run or of many."""
    drawer = Drawer()
    with charts.drawing():
        sections = [Section("numbers", "Key numbers", tables=[quantity_table([side])])]
        sections += [Section(slug(name), name, figures=drawn) for name, drawn in all_figures([side], drawer).items()]
        sections.append(fact_section([side], drawer))
    sections.append(limits([], provenance))
    return Page(title, subtitle, kept(sentences.of_runs(side), sections), sections)


def of_comparison(page: Mapping[str, Any], sides: Sequence[Gathered], subtitle: str, provenance: Sequence[str]) -> Page:
    """The page of two regimes or more."""
    drawer, known = Drawer(), {quantity.id: quantity for quantity in quantities.load()}
    first, against = page["scenarios"][0]["label"], page["against"]
    with charts.drawing():
        gaps = [contrasts.differences(first, one, known, drawer, shown=len(against) <= MOST_SIDES) for one in against]
        parts = [contrasts.mechanism(first, one, known, drawer) for one in against]
        drawn = drawn_sides(sides, against)
        more = all_figures(drawn, drawer)
        fact = fact_section(drawn, drawer)
    left = "Titles state means over runs; whether a difference is sure stands in the table of differences."
    if len(drawn) < len(sides):
        left += f" Drawn for {listing([side.label for side in drawn])}; the others live as one of these, or are too many to draw."
    tried = policies.load() if page.get("policies") else None
    with charts.drawing():
        first_sections = [policy.section(tried, sides, drawer)] if tried else []
    sections = [
        *first_sections,
        Section("differences", "Differences", scope(page), gaps, [quantity_table(sides), contrasts.legend()]),
        *([Section("mechanism", "By which mechanism", figures=parts)] if not tried or any(p.panels for p in parts) else []),
        *(Section(slug(name), name, left, each) for name, each in more.items()),
        fact,
        limits([WITHIN], provenance),
    ]
    title = " against ".join([listing([each["label"] for each in page["scenarios"][1:]]), first])
    answer = policy.sentences(tried, sides) if tried else sentences.of_comparison(page, known)
    return Page("Policies by cost and benefit" if tried else title, subtitle, kept(answer, sections), sections)


def drawn_sides(sides: Sequence[Gathered], against: Sequence[Mapping[str, Any]]) -> list[Gathered]:
    """Regimes to draw: one of those that are the same, and not too many."""
    same = {one["label"] for one in against if all(gap["word"] == ZERO for gap in one["differences"] if gap["pairs"])}
    return [side for side in sides if side.label not in same][:MOST_SIDES]


def scope(page: Mapping[str, Any]) -> str:
    """Which regions can be compared, and why others cannot."""
    missing = {place: [each["label"] for each in page["scenarios"] if place not in each["regions"]] for place in ("us", "china")}
    said = [f"{region(place)} is not in {listing(names)}" for place, names in missing.items() if names]
    if not said:
        return "Differences are means over seeds of the pair's difference; the same seed means the same shocks."
    world = " World stands for all regions that a scenario has, so that its sums differ by those that are missing."
    return f"{'; '.join(said)}: nothing is compared there.{world if 'world' in page['regions'] else ''}"


def slug(name: str) -> str:
    """A heading as an anchor."""
    return name.lower().replace(" ", "-")


def quantity_table(sides: Sequence[Gathered]) -> Table:
    """Every quantity of every regime by region: one number, or median and range over runs."""
    many = any(len(side.runs) > 1 for side in sides)
    places = [where for where in quantities.PLACES if any(where == key[1] for side in sides for key in side.values)]
    if len({where for side in sides for where in side.regions}) == 1:
        places.remove("world")  # which is that region
    columns = ["topic", "quantity", *(["scenario"] if len(sides) > 1 else [])]
    columns += [name for where in places for name in (region(where), *([f"{region(where)}, range"] if many else []))]
    rows = []
    for quantity in quantities.measured(quantities.load()):
        for side in sides:
            cells = [cell for where in places for cell in summed(side.values.get((quantity.id, where)), many)]
            if any(isinstance(cell, float) for cell in cells):
                rows.append([quantity.topic, quantity.says, *([side.label] if len(sides) > 1 else []), *cells, quantity.unit])
    caption = "Every quantity: medians, and ranges that hold four of five runs" if many else "Every quantity"
    return Table("t-quantities", caption, [*columns, "unit"], rows, open=len(sides) == 1)


def summed(values: np.ndarray | None, many: bool) -> list[Any]:
    """Cells of one quantity: median, and for many runs their range."""
    known = np.array([]) if values is None else values[np.isfinite(values)]
    if not len(known):
        return [""] * (1 + many)
    low, middle, high = np.percentile(known, (LOW, 50.0, HIGH))
    return [float(middle), *([f"{digits(low)} to {digits(high)}"] if many else [])]


def fact_section(sides: Sequence[Gathered], drawer: Drawer) -> Section:
    """Facts beside results."""
    names = [[f"{side.label}", f"{side.label}, distance"] for side in sides]
    columns = ["fact", "low", "high", "unit", *[name for pair in names for name in pair], "source"]
    table = Table("t-facts", "Every fact, its source, and how far it is", columns, facts.rows(sides))
    panels, met, held = [], 0, 0
    for title, entries in facts.blocks(sides):
        panels.append(drawer.panel(title, facts.chart(entries), f"Facts and results: {title}"))
        met += sum(score.passed for _, _, score, _ in entries)
        held += len(entries)
    title = f"Runs of {sides[0].label} lie inside {met} of {held} facts that they can be held against"
    colours = "Green lies inside, red outside." if len(sides) == 1 else "Colours are scenarios, as in the figures above."
    note = f"Each band is drawn equally wide; arrows lie farther out. {colours} Medians over runs."
    drawn = Drawn("facts-drawn", title if held else "No fact can be held against these runs", note, panels, table)
    return Section("facts", "Facts beside results", figures=[drawn])


def limits(more: Sequence[str], provenance: Sequence[str]) -> Section:
    """Caveats, what is missing, and where everything comes from."""
    absent = [f"{q.says}: {q.missing}" for q in quantities.load() if q.missing]
    points = [*more, *CAVEATS, *([f"Not measured, for want of a record: {'; '.join(absent)}."] if absent else []), *provenance]
    return Section("limits", "Caveats and provenance", points=points)


def kept(found: Sequence[sentences.Sentence], sections: Sequence[Section]) -> list[sentences.Sentence]:
    """Sentences whose tables are on the page keep their links; others point to the nearest that is."""
    ids = {section.id for section in sections} | {figure.id for section in sections for figure in section.figures}
    ids |= {figure.table.id for section in sections for figure in section.figures if figure.table}
    ids |= {table.id for section in sections for table in section.tables}
    return [one if one.table in ids else one._replace(table="t-quantities") for one in found]
