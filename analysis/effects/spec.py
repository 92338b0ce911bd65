"""Experiments on systems as data: ``analysis/effects/effects.yaml``, checked when read."""

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field, model_validator

from analysis.decisions.quantities import Quantity
from analysis.targets import Strict

CELL = r"^[^|\n]+$"  # text that stays within its cell


class Pair(Strict):
    """A system: settings with it, and settings without."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    says: str = Field(pattern=CELL)
    of: tuple[str, ...] = Field(min_length=1)
    against: tuple[str, ...] = ("scenario=baseline",)
    regions: tuple[Literal["us", "china"], ...] = Field(("us",), min_length=1)


class Group(Strict):
    """Systems that stand together, and what is measured of them beside the usual."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    also: tuple[Quantity, ...] = ()
    pairs: tuple[Pair, ...] = Field(min_length=1)


class LeftOut(Strict):
    """A scenario that is no system, and what it is."""

    scenario: str = Field(min_length=1)
    why: str = Field(min_length=1)


class Spec(Strict):
    """Everything in the file."""

    seeds: int = Field(ge=1)
    settings: tuple[str, ...]
    measures: tuple[Quantity, ...] = Field(min_length=1)
    groups: tuple[Group, ...] = Field(min_length=1)
    left_out: tuple[LeftOut, ...]

    @model_validator(mode="after")
    def _apart(self) -> "Spec":
        if twice := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} given twice. Keep one.")
        return self

    @property
    def names(self) -> list[str]:
        """Of groups and pairs."""
        return [name for group in self.groups for name in (group.id, *(pair.id for pair in group.pairs))]


@cache
def load() -> Spec:
    """The shipped ones."""
    return Spec.model_validate(yaml.safe_load((files("analysis.effects") / "effects.yaml").read_text("utf-8")))
