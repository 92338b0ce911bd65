"""What a class may do: cut or heal an arrow, a shock, a slider; each changes parameters, or an agent's mind, from a month on."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml
from pydantic import ValidationError

from sim.arrows import ARROW_OF
from sim.mistakes import Mistake, Mistakes, allowed, bound
from sim.params import Params, field_at, select, validate
from sim.units import Frozen

if TYPE_CHECKING:
    from analysis.app.life import Life

Kind = Literal["cut", "shock", "slider"]
GAIN = "sim.arrows.{}.gain"


class Change(Frozen):
    """One thing done to the economy at one month."""

    month: int
    kind: Kind
    name: str  # of an arrow or a shock; of a slider, its key
    value: float | None = None  # of a slider; of an arrow the gain, 0 if none is given


class Refused(ValueError):
    """A change that cannot be made: one plain sentence for the page."""


@cache
def menu() -> dict[str, Any]:
    """The arrows, shocks and sliders on offer."""
    found: dict[str, Any] = yaml.safe_load(files("analysis.app").joinpath("changes.yaml").read_text(encoding="utf-8"))
    return found


def read(items: Any) -> list[Change]:
    """Changes as the page sends them, in order of their months.

    Raises
    ------
    Refused
    """
    try:
        changes = [Change.model_validate(item) for item in items]
    except (ValidationError, TypeError):
        raise Refused("The page asked for something that is not on offer. Undo it, or reload the page.") from None
    return sorted(changes, key=lambda change: change.month)


def sliders(params: Params) -> list[dict[str, Any]]:
    """Every slider with the label and unit, range and present value of the field that it sets; one a region where they differ."""
    found = []
    for slider in menu()["sliders"]:
        places = params.regions if "{region}" in slider["key"] else ("",)
        keys = {slider["key"].format(region=place): place for place in places}
        found += [slider | about(params, key) | {"key": key, "region": place} for key, place in keys.items()]
    return found


def about(params: Params, key: str) -> dict[str, Any]:
    """Unit, range, meaning and value of a parameter."""
    field = field_at(tuple(key.split(".")))
    if field is None:
        raise KeyError(key)
    extra = field.json_schema_extra
    unit = extra["unit"] if isinstance(extra, dict) else ""
    span = {"low": bound(field, "ge", "gt"), "high": bound(field, "le", "lt")}
    return span | {"unit": unit, "meaning": field.description, "value": select(params, key), "allowed": allowed(field)}


def apply(life: Life, change: Change) -> Life:
    """A fork of ``life`` in which the change holds from its next month on.

    Raises
    ------
    Refused
    """
    made = {"cut": _cut, "shock": _shock, "slider": _slide}[change.kind]
    return made(life, change)


def _cut(life: Life, change: Change) -> Life:
    """The arrow transmits the mean of the last months instead of what is live; an arrow healed transmits what is live again."""
    if change.name not in {arrow["name"] for arrow in menu()["arrows"]}:
        raise Refused(f"There is no arrow {change.name}. Click one of those that are drawn.")
    twin = life.fork(changed(life.economy.params, {GAIN.format(change.name): change.value or 0.0}))
    signals = {key: value for key, value in life.usual().items() if arrow_of(key[0]) == change.name}
    twin.economy.arrows.reference = {**life.economy.arrows.reference, **signals}
    return twin


def arrow_of(signal: str) -> str:
    """The name, as a parameter, of a signal's arrow."""
    return ARROW_OF[signal].replace(">", "_")


def _shock(life: Life, change: Change) -> Life:
    shock = next((s for s in menu()["shocks"] if s["name"] == change.name), None)
    if shock is None:
        raise Refused(f"There is no shock {change.name}. Press one of those that are shown.")
    sets = {key: filled(value, change.month) for key, value in shock.get("sets", {}).items()}
    twin = life.fork(changed(life.economy.params, sets))
    if "quality" in shock:
        _shun(twin, shock["region"], shock["quality"])
    return twin


def filled(value: Any, month: int) -> Any:
    """``{month}``, ``{month-24}`` as numbers."""
    if not isinstance(value, str) or not value.startswith("{month"):
        return value
    return month + int(value[len("{month") : -1] or 0)


def _shun(life: Life, region: str, quality: float) -> None:
    """Users leave the lab whose contracts cost most."""
    economy = life.economy
    rows = economy.rows(region)
    labs = economy.all("lab", region)
    rent = economy.contracts["rent"][rows] * economy.fleet.deals["gpus"][rows]
    owed = [float(rent[economy.contracts["tenant"][rows] == lab.party].sum()) for lab in labs]
    labs[int(np.argmax(owed))].quality += quality


def _slide(life: Life, change: Change) -> Life:
    known = {slider["key"]: slider for slider in sliders(life.economy.params)}
    if change.name not in known or change.value is None:
        raise Refused("There is no such slider, or it was given no number. Move one of those that are shown.")
    return life.fork(changed(life.economy.params, {change.name: change.value}))


def changed(params: Params, sets: dict[str, Any]) -> Params:
    """Parameters with some keys set otherwise.

    Raises
    ------
    Refused
        naming what is wrong and what is allowed
    """
    tree = deepcopy(params.model_dump(mode="json"))
    for key, value in sets.items():
        *above, name = key.split(".")
        at = tree
        for part in above:
            at = at[part]
        at[name] = value
    try:
        return validate(tree)
    except Mistakes as mistakes:
        raise Refused(plainly(mistakes.found)) from None


def plainly(found: list[Mistake]) -> str:
    """Mistakes as sentences for the page."""
    return "That cannot be: " + " ".join(str(mistake).rstrip(".") + "." for mistake in found) + " Nothing was changed."
