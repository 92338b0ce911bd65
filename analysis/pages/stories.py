"""Figures of one deal and of one run: where cash goes, who shares tenants, and what happened when."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.pages import charts
from analysis.pages.charts import AMBER, BAND, BLUE, GREEN, GREY, INK, PINK, RED, SKY, VIOLET
from analysis.pages.figures import Drawer, Drawn, Table, heads, one_run, spoken, table_of, within
from analysis.pages.gather import Gathered
from analysis.pages.words import digits, listing, months, percent, place, region, times
from sim.deal import table as deal_table
from sim.deal_library import find
from sim.deal_reader import read
from sim.deal_records import pay

USES: Final = (RED, PINK, BLUE, SKY, VIOLET, AMBER)  # interest and principal by class, in turn
MOST_SPONSORS: Final = 8  # drawn one by one; the others together
MOST_EVENTS: Final = 9  # told one by one in a drawing; all are in the table


def waterfall(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """What becomes of the cash of the template that most of the first regime's money was raised with."""
    rows = sides[0].of("templates")
    if rows.empty:
        return None
    name = rows.sort_values("value").iloc[-1]["series"]
    share = rows["value"].max() / rows["value"].sum()
    paid, periods, says = cash(name)
    per_year = paid.groupby(np.ceil(paid.index * periods)).sum() / 1e6
    per_year = per_year.loc[: per_year.index[per_year.sum(axis=1) > 0.0].max()]
    colours = {"fees": GREY, "reserve, facility": "#5e3c99", "to the sponsor": GREEN}
    classes = [use for use in per_year if use not in colours]
    colours |= dict(zip(classes, USES, strict=False))
    figure, axis = charts.axes("USD mn a year")
    per_year.index = per_year.index.astype(float)
    charts.stacked(axis, per_year, colours)
    axis.set_xticks(range(1, len(per_year) + 1, max(1, len(per_year) // 6)))
    axis.set_xticklabels([f"year {n}" if n == 1 else str(n) for n in range(1, len(per_year) + 1, max(1, len(per_year) // 6))])
    total = per_year.to_numpy().sum()
    interest = sum(per_year[use].sum() for use in classes if use.startswith("interest"))
    principal = sum(per_year[use].sum() for use in classes if use.startswith("principal"))
    sponsor = per_year["to the sponsor"].sum()
    title = (
        f"Of every dollar that the commonest kind of deal pays out, {100 * principal / total:.0f} cents are principal, "
        f"{100 * interest / total:.0f} interest and {100 * sponsor / total:.0f} the sponsor's"
    )
    note = (
        f"{says} Deals with the terms of this template raised {percent(share)} of the notional that built. "
        "Its base case, paid by the waterfall that pays deals in the run; no deal of the run itself is recorded date by date."
    )
    rows_ = [[int(year), use, float(usd)] for year, row in per_year.iterrows() for use, usd in row.items()]
    table = Table("t-waterfall", f"Cash of {name} by year and use", ["year", "use", "USD mn"], rows_)
    return Drawn("waterfall", title, note, [drawer.panel(name, figure, f"Cash of {name} by use and year")], table)


def cash(template: str) -> tuple[pd.DataFrame, float, str]:
    """What a template's cash is used for, by period, USD; the years of a period; what the template is."""
    file = read(find(Path(template)))
    table = pd.DataFrame(deal_table(file, pay(file)), copy=False).set_index("period")
    found = {"fees": table["fees"] + table["fees_over_cap"] + table["subordinated_fees"]}
    for note in file.deal.notes:
        found[f"interest, {note.name}"] = table[f"interest_{note.name}"] + table[f"deferred_paid_{note.name}"]
        found[f"principal, {note.name}"] = table[f"principal_{note.name}"]
    found["reserve, facility"] = table["facility_interest_paid"] + table["facility_repaid"]
    found["to the sponsor"] = table["residual"]
    kept = {use: values for use, values in found.items() if values.sum() > 0.0 or use == "to the sponsor"}
    return pd.DataFrame(kept), float(file.deal.period_years), file.description


def network(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """Sponsors and their tenants: lines as wide as the notional."""
    panels, said = [], []
    for side, at, head in heads(sides):
        rows = side.of("network")
        rows = rows[rows["region"] == at]
        if rows.empty:
            continue
        pair = rows["series"].str.split("|", expand=True)
        table = pd.DataFrame({"sponsor": pair[0].to_numpy(), "tenant": pair[1].to_numpy(), "usd": rows["value"].to_numpy()})
        panels.append(drawer.panel(f"{region(at)}, {one_run(side, len(sides))}", web(table), f"Sponsors and tenants, {head}"))
        top = table.groupby("tenant")["usd"].sum().sort_values(ascending=False)
        reach = table.loc[table["tenant"] == top.index[0], "sponsor"].nunique()
        under = f" under {side.label}" if len(sides) > 1 else ""
        text = (
            f"{top.index[0]} stands behind {percent(top.iloc[0] / top.sum())} of the notional and "
            f"{reach} of {table['sponsor'].nunique()} sponsors in {place(at)}{under}"
        )
        said += [text] * spoken(at, side, sides)
    if not panels:
        return None
    note = (
        "Sponsors left, tenants right, lines as wide as the notional with which deals built over the run. One run stands for all."
    )
    table_ = table_of(sides, "network", "Notional by sponsor and tenant", "USD bn", extra="sponsor, tenant")
    title = "; ".join(said)
    return Drawn("network", title[0].upper() + title[1:], note, panels, table_)


def web(table: pd.DataFrame) -> Any:
    """Two columns of names with lines between."""
    order = table.groupby("sponsor")["usd"].sum().sort_values(ascending=False).index
    few = dict.fromkeys(order[MOST_SPONSORS:], f"{len(order) - MOST_SPONSORS} others")
    table = table.assign(sponsor=[few.get(name, f"sponsor {name}") for name in table["sponsor"]])
    table = table.groupby(["sponsor", "tenant"], sort=False)["usd"].sum().reset_index()
    left = table.groupby("sponsor")["usd"].sum().sort_values(ascending=False)
    right = table.groupby("tenant")["usd"].sum().sort_values(ascending=False)
    height = 0.5 + 0.25 * max(len(left), len(right))
    figure, axis = charts.axes("USD bn", height=height, labels=0.03, left=0.03)
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(-0.08, 1.08))
    y = {("sponsor", n): v for n, v in zip(left.index, np.linspace(1, 0, len(left)), strict=True)}
    y |= {("tenant", n): v for n, v in zip(right.index, np.linspace(1, 0, len(right)), strict=True)}
    colours = dict(zip(right.index, (RED, BLUE, GREEN, AMBER, SKY, PINK, VIOLET, GREY) * 4, strict=False))
    x = np.linspace(0.0, 1.0, 24)
    bend = (1.0 - np.cos(np.pi * x)) / 2.0
    for sponsor, tenant, usd in table.itertuples(index=False):
        start, end = y["sponsor", sponsor], y["tenant", tenant]
        width = 9.0 * usd / table["usd"].max()
        axis.plot(
            0.31 + 0.38 * x,
            start + (end - start) * bend,
            color=colours[tenant],
            linewidth=max(width, 0.3),
            alpha=0.75,
            solid_capstyle="butt",
        )
    for name, usd in left.items():
        axis.text(0.29, y["sponsor", name], f"{name}  {digits(usd)}", ha="right", va="center", fontsize=8, color=INK)
    for name, usd in right.items():
        axis.text(0.71, y["tenant", name], f"{name}  {digits(usd)}", ha="left", va="center", fontsize=8, color=INK)
    return figure


def timeline(sides: Sequence[Gathered], drawer: Drawer) -> Drawn | None:
    """Capital spending with its falls, defaults, rules and failures."""
    panels, said = [], []
    for side, at, head in heads(sides):
        rows = side.of("timeline")
        rows = rows[rows["region"] == at]
        if rows.empty:
            continue
        falls, events = (side.of(name) for name in ("episodes", "events"))
        falls, events = falls[falls["region"] == at], events[events["region"] == at].sort_values("at")
        chart = story(rows, falls, events)
        panels.append(drawer.panel(f"{region(at)}, {one_run(side, len(sides))}", chart, f"Spending, falls and events, {head}"))
        worst = f" (at worst by {digits(falls['value'].max())} %)" if len(falls) else ""
        said += [f"{times(len(falls))} {within(at, side, sides)}{worst}"] * spoken(at, side, sides)
    if not panels:
        return None
    calm = all(text.startswith("never ") for text in said)
    title = f"By 22 % or more, capital spending falls {listing(said)}"
    if calm:
        title = f"Capital spending never falls by 22 % or more {listing([text.removeprefix('never ') for text in said])}"
    note = (
        "Line: capital spending, six-month mean. Bands: its falls by 22 % or more, from peak to trough. Bars: deals that defaulted "
        "in the quarter, the most at a quarter of the height. Numbers: rules and failures. One run stands for all."
    )
    return Drawn("timeline", title, note, panels, events_table(sides))


def story(rows: pd.DataFrame, falls: pd.DataFrame, events: pd.DataFrame) -> Any:
    """One region's run as a drawing."""
    spending = rows[rows["series"] == "capital spending"].sort_values("at")
    defaults = rows[rows["series"] == "defaults"]
    told = list(events.drop_duplicates("at").head(MOST_EVENTS).itertuples())
    figure, axis = charts.axes("USD bn of capital spending a year", height=2.55, labels=0.04)
    top = 1.25 * float(spending["value"].max()) or 1.0
    most = defaults["value"].max() if len(defaults) else 0.0
    if most > 0.0:
        axis.bar(defaults["at"] + 0.125, defaults["value"] / most * top / 4.0, width=0.22, color=AMBER, linewidth=0)
    for fall in falls.itertuples():
        axis.axvspan(fall.at, float(fall.series.split("|")[1]), color=BAND, linewidth=0, zorder=0)
        axis.text(fall.at, 0.985 * top, f" −{fall.value:.0f} %", va="top", fontsize=8, color=INK)
    axis.plot(spending["at"], spending["value"], color=BLUE)
    axis.set_ylim(0.0, top)
    charts.years(axis, float(spending["at"].min()), float(spending["at"].max()))
    for n, event in enumerate(told, 1):
        axis.axvline(event.at, ymax=0.86, color=RED, linewidth=0.9, linestyle=(0, (3, 2)))
        axis.text(event.at, 0.88 * top, str(n), ha="center", va="center", fontsize=8, color=INK)
    return figure


def events_table(sides: Sequence[Gathered]) -> Table:
    """Falls, rules and failures, in order of time; numbered as in the drawing."""
    columns = [*(["scenario"] if len(sides) > 1 else []), "region", "month", "number", "what", "size"]
    rows = []
    for side, at, _ in heads(sides):
        falls, events = (side.of(name) for name in ("episodes", "events"))
        events = events[events["region"] == at].sort_values("at")
        first = {when: n for n, when in enumerate(events["at"].drop_duplicates().head(MOST_EVENTS), 1)}
        entries = [(e.at, first.get(e.at, ""), told(e.series), e.value) for e in events.itertuples()]
        entries += [
            (f.at, "", f"capital spending falls, {f.series.split('|')[0]} (% of peak)", f.value)
            for f in falls[falls["region"] == at].itertuples()
        ]
        head = [side.label] * (len(sides) > 1)
        rows += [[*head, region(at), months(when), n, what, size] for when, n, what, size in sorted(entries, key=lambda e: e[0])]
    return Table("t-timeline", "What happened when", columns, rows)


def told(series: str) -> str:
    """An event in words."""
    kind, party, text = series.split("|", 2)
    return f"{kind}: {party}" + (f", {text}" if text else "")
