"""Quantities that a decision needs: ``quantities.yaml``, checked when read."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import numpy as np
import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from analysis.decisions.indirect import INDIRECT
from analysis.decisions.measures import MEASURES, WORLD
from analysis.metrics import METRICS
from analysis.metrics.runs import NoValue, Run
from analysis.targets import Strict
from sim.columns import COLUMNS
from sim.units import REGIONS

PLACES: Final = (*REGIONS, WORLD)
KNOWN: Final[Mapping[str, Callable[..., Any]]] = {**METRICS, **MEASURES, **INDIRECT}
Place = Literal["us", "china", "world"]


class BadQuantity(ValueError):
    """The file of quantities cannot be used; the message names entry and fault."""


class Quantity(Strict):
    """One number of a run and region, and what a difference in it means."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    topic: str = Field(min_length=1)
    short: str = Field(min_length=1, max_length=26)
    says: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    metric: str = ""
    args: dict[str, Any] = {}
    scale: float = 1.0
    better: Literal["higher", "lower", "neither"] = "neither"
    matters: float | None = Field(None, gt=0.0)
    matters_share: float | None = Field(None, gt=0.0)
    regions: tuple[Place, ...] = ("us", "china", "world")
    missing: str = ""

    @model_validator(mode="after")
    def _measurable(self) -> "Quantity":
        if bool(self.metric) == bool(self.missing):
            raise ValueError("give either a metric, or what is missing for one")
        if self.missing:
            return self
        if self.metric not in KNOWN:
            raise ValueError(f"metric {self.metric!r} is not one of {', '.join(KNOWN)}")
        if (self.matters is None) == (self.matters_share is None):
            raise ValueError("give either matters or matters_share")
        try:
            inspect.signature(KNOWN[self.metric]).bind(None, region="", **self.args)
        except TypeError as error:
            raise ValueError(f"args of {self.metric}: {error}") from None
        for name in unknown_columns(self.args):
            raise ValueError(f"{name} is no column of monthly (sim/columns.py)")
        return self

    def measure(self, run: Run, region: str) -> float:
        """The number, in its unit; NaN where the run has none."""
        try:
            value = self.scale * float(KNOWN[self.metric](run, region=region, **self.args))
        except NoValue:
            return np.nan
        return value if np.isfinite(value) else np.nan

    def enough(self, level: float) -> float:
        """The smallest difference that matters where the first scenario stands at ``level``; in its unit."""
        return self.matters if self.matters is not None else (self.matters_share or 0.0) * abs(level)


def unknown_columns(args: Mapping[str, Any]) -> list[str]:
    """Columns among the arguments that the record does not have."""
    named = [args.get(key, []) for key in ("columns", "less", "above", "below", "column", "weight", "stock", "flow")]
    names = [name for part in named for name in ([part] if isinstance(part, str) else part)]
    return [name for name in names if name not in COLUMNS["monthly"]]


@cache
def load() -> tuple[Quantity, ...]:
    """All quantities, in order.

    Raises
    ------
    BadQuantity
    """
    return read((files("analysis.decisions") / "quantities.yaml").read_text("utf-8"))


def read(text: str) -> tuple[Quantity, ...]:
    """Quantities of one file's text.

    Raises
    ------
    BadQuantity
    """
    entries = yaml.safe_load(text)
    try:
        found = TypeAdapter(tuple[Quantity, ...]).validate_python(entries)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = first["loc"][0] if first["loc"] else None
        name = entries[at].get("id", f"entry {at + 1}") if isinstance(at, int) and isinstance(entries[at], dict) else "file"
        raise BadQuantity(f"quantities.yaml: {name}: {first['msg']}") from None
    ids = [quantity.id for quantity in found]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise BadQuantity(f"quantities.yaml: {', '.join(twice)} given twice. Keep one.")
    return found


def measured(quantities: Sequence[Quantity]) -> list[Quantity]:
    """Those that can be measured."""
    return [quantity for quantity in quantities if not quantity.missing]


def survey(run: Run, regions: Sequence[str]) -> dict[tuple[str, str], float]:
    """Every quantity of a run, by id and region; NaN where there is none."""
    return {(q.id, r): q.measure(run, r) for q in measured(load()) for r in regions if r in q.regions}
