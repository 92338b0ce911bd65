"""The page itself: one HTML file that needs nothing else, by an autoescaped template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape
from markupsafe import Markup

from analysis.pages import charts
from analysis.pages.figures import Drawn, Table
from analysis.pages.sentences import Sentence
from analysis.pages.words import digits, tied
from sim.folders import replacing

TEMPLATES: Final = ("page.html", "page.css", "page.js")
DARK: Final = ("#4aa8e0", "#ff8a3d", "#2fc79b", "#f0b429", "#8ccdf5", "#e39ac4", "#b39ddb", "#a5a5a6")
DARK_AGES: Final = ("#deebf7", "#9ecae1", "#6baed6", "#4292c6", "#2f7ab8", "#2a5c8a")


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, a line of explanation, figures and tables."""

    id: str
    title: str
    says: str = ""
    figures: list[Drawn] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    points: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """What a page says, from the top down."""

    title: str
    subtitle: str
    sentences: list[Sentence]
    sections: list[Section]


def cell(value: Any) -> str:
    """A table's cell as it is shown."""
    if isinstance(value, bool | str) or value is None:
        return "" if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else digits(float(value))


def sorted_by(value: Any) -> str:
    """A number to its full length, by which a column is sorted; nothing for words."""
    if isinstance(value, bool | str) or value is None:
        return ""
    return f"{float(value):.12g}" if np.isfinite(value) else ""


def palette() -> Mapping[str, str]:
    """Variables of the page's colours, for light and for dark."""
    light = {f"c{n}": colour for n, colour in enumerate(charts.PALETTE, 1)} | {f"a{n}": c for n, c in enumerate(charts.AGES, 1)}
    dark = {f"c{n}": colour for n, colour in enumerate(DARK, 1)} | {f"a{n}": c for n, c in enumerate(DARK_AGES, 1)}
    return {name: ";".join(f"--{key}:{colour}" for key, colour in of.items()) for name, of in (("light", light), ("dark", dark))}


def markdown() -> Environment:
    """Templates of pages in Markdown."""
    return Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined, autoescape=False
    )


def environment() -> Environment:
    """Templates beside this file; everything that is not marked as drawn by us is escaped."""
    home = files("analysis.pages") / "templates"
    sources = {name: (home / name).read_text("utf-8") for name in TEMPLATES}
    found = Environment(
        loader=DictLoader(sources),
        autoescape=select_autoescape(["html"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"cell": cell, "sorted_by": sorted_by, "tied": tied}
    return found


def render(page: Page) -> str:
    """The page as HTML."""
    env = environment()
    css, js = (Markup(env.loader.get_source(env, name)[0]) for name in ("page.css", "page.js"))  # type: ignore[union-attr]
    found = env.get_template("page.html").render(page=page, css=css, js=js, palette=palette(), svg=Markup)
    return found + "\n"


def write(page: Page, path: Path) -> Path:
    """The page as a file, whole or not at all."""
    text = render(page)
    with replacing(path) as hidden:
        hidden.write_text(text, encoding="utf-8")
    return path


def linked(sections: Sequence[Section]) -> set[str]:
    """Ids of all tables on the page."""
    tables = [table for section in sections for table in section.tables]
    tables += [figure.table for section in sections for figure in section.figures if figure.table is not None]
    return {table.id for table in tables}
