"""One folder of tables and figures, and a page that stands alone."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from analysis.experiments.work import lasting
from analysis.loop.figures import FIGURES, draw
from analysis.loop.plan import Plan
from analysis.loop.statements import Statement, frame
from sim.manifest import revision, sources_hash, versions
from sim.mistakes import Mistakes, wrong


def write(
    folder: Path, plan: Plan, statements: Sequence[Statement], tables: dict[str, pd.DataFrame], stages: list[dict[str, object]]
) -> None:
    """Statements and tables as Parquet and CSV, figures as SVG, all of it on ``loop.html``, and ``loop.json`` for machines.

    Raises
    ------
    Mistakes
        where the folder cannot be written
    """
    figures = draw(tables)
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for name, table in {"statements": frame(list(statements)), **tables}.items():
            table.to_parquet(folder / f"{name}.parquet")
            table.to_csv(folder / f"{name}.csv", index=False)
        for name, text in figures.items():
            (folder / "figures" / f"{name}.svg").write_text(text, encoding="utf-8")
        facts = summary(plan, statements, stages)
        (folder / "loop.json").write_text(json.dumps(facts, indent=1, default=str) + "\n", encoding="utf-8")
        (folder / "loop.html").write_text(render(plan, statements, stages, figures), encoding="utf-8")
    except OSError as error:
        raise Mistakes([wrong("--out", str(folder), f"cannot be written: {error}.")]) from None


def summary(plan: Plan, statements: Sequence[Statement], stages: list[dict[str, object]]) -> dict[str, Any]:
    """What ``python -m analysis results`` reads."""
    return {
        "world": list(plan.world.lines),
        "toy": plan.world.toy,
        "quick": plan.quick,
        "seeds": len(plan.seeds),
        "branch_seeds": len(plan.branch_seeds),
        "dates": plan.dates,
        "hours": plan.effort.hours,
        "sources": sources_hash(),
        "revision": revision(),
        "versions": versions(),
        "stages": stages,
        "statements": [vars(one) | {"number": one.number} for one in statements],
    }


def render(plan: Plan, statements: Sequence[Statement], stages: list[dict[str, object]], figures: dict[str, str]) -> str:
    """The page; figures are this program's own, all else is escaped."""
    parts: dict[str, list[Statement]] = {}
    for one in statements:
        parts.setdefault(one.part, []).append(one)
    words = [one.word for one in statements]
    text = (files("analysis.loop") / "page.html.j2").read_text("utf-8")
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    return page.render(
        plan=plan,
        budget=lasting(plan.effort.hours),
        world=" ".join(plan.world.lines),
        parts=parts,
        stages=stages,
        counts={word: words.count(word) for word in ("holds", "does not hold", "cannot tell")},
        figures=[(Markup(figures[name]), says) for name, (_, says) in FIGURES.items() if name in figures],
        sources=sources_hash()[:12],
    )
