"""What the page knows before it sees a run: names, units, arrows, shocks, sliders, lessons."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from analysis.app import changes, feed, pours
from analysis.app.life import FIRST, MEMORY
from sim.columns import MONTHLY
from sim.params import Params
from sim.summary import FALL

NAMES = {"us": "United States", "china": "China"}


@cache
def lessons() -> list[dict[str, Any]]:
    """The six."""
    found: list[dict[str, Any]] = yaml.safe_load(files("analysis.app").joinpath("lessons.yaml").read_text(encoding="utf-8"))
    return found


def catalog(params: Params, exported: dict[str, Any] | None = None) -> dict[str, Any]:
    """For one configuration; ``exported`` lists the computed runs of a static site."""
    menu = changes.menu()
    return {
        "regions": [{"name": region, "title": NAMES[region]} for region in params.regions],
        "months": params.months,
        "start": params.start.isoformat(),
        "seed": params.seed,
        "fields": feed.fields(params.regions, params.months, FIRST),
        "columns": {name: MONTHLY[name] for name in feed.MONTHLY} | feed.COMPUTED,
        "paid": pours.PAID,
        "arrows": [arrow | {"signal": FIRST[arrow["arrow"]]} for arrow in menu["arrows"]],
        "shocks": [{name: shock[name] for name in ("name", "label", "says")} for shock in menu["shocks"]],
        "sliders": changes.sliders(params),
        "lessons": [lesson for lesson in lessons() if lesson["region"] in params.regions],
        "memory": MEMORY,
        "fall": FALL,
        "exported": exported,
    }
