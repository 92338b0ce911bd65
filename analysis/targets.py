"""Statements about the world that runs are held against: ``analysis/facts/*.yaml``, one file a block, checked when read."""

import inspect
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from analysis.metrics import METRICS

BLOCKS = {"levels": "Levels and paths, 2023-26", "cycles": "Booms and busts, never fitted"}
Claim = Literal[
    "capital_scaling",
    "scaling_obsolescence",
    "obsolescence_valuation",
    "valuation_credit",
    "cobweb",
    "cycle",
    "levels",
    "playbook",
]


class Strict(BaseModel):
    """Immutable, strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Check(Strict):
    """One number and its band."""

    metric: str = Field("", description="a name in analysis/metrics; left out when something is missing")
    args: dict[str, Any] = {}
    missing: str = Field("", description="why nothing can be measured")
    low: float
    high: float
    unit: str
    says: str = Field("", description="what tells it from the target's other checks")
    over: Literal["median", "mean"] = Field("median", description="how seeds are summed up; the mean of 0 and 1 is a share")

    @model_validator(mode="after")
    def _measurable(self) -> "Check":
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        if bool(self.metric) == bool(self.missing):
            raise ValueError("give either a metric, or what is missing for one")
        if self.metric and self.metric not in METRICS:
            raise ValueError(f"metric {self.metric!r} is not one of {', '.join(METRICS)}")
        if self.metric:
            try:
                inspect.signature(METRICS[self.metric]).bind(None, **self.args)
            except TypeError as error:
                raise ValueError(f"args of {self.metric}: {error}") from None
        return self


class Target(Strict):
    """A statement; it passes when all its checks do."""

    id: str = Field(pattern=r"^[A-Z]+\d+[a-z]?$")
    says: str = Field(min_length=1)
    checks: tuple[Check, ...] = Field(min_length=1)
    source: str = Field(min_length=1)
    fitted: bool = Field(False, description="values of configs/ were chosen with an eye on it")
    claims: tuple[Claim, ...] = Field((), description="what it bears on")
    block: Literal["levels", "cycles"]

    @model_validator(mode="after")
    def _never_fitted(self) -> "Target":
        if self.fitted and self.block == "cycles":
            raise ValueError("a statement on booms and busts may not be fitted")
        return self


class BadTarget(ValueError):
    """A file of targets that cannot be used; the message names file, entry and fault."""


def read(text: str, block: str, name: str) -> list[Target]:
    """Targets of one file.

    Raises
    ------
    BadTarget
    """
    entries = yaml.safe_load(text)
    try:
        return TypeAdapter(list[Target]).validate_python([entry | {"block": block} for entry in entries])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = int(first["loc"][0])
        where = ".".join(map(str, first["loc"][1:]))
        fault = f"{name}: {entries[at].get('id', f'entry {at + 1}')}: {where}: {first['msg']}"
        raise BadTarget(fault) from None
    except (TypeError, AttributeError):
        raise BadTarget(f"{name}: is not a list of targets, each a block of keys") from None


def load() -> list[Target]:
    """All targets, block by block.

    Raises
    ------
    BadTarget
    """
    folder = files("analysis") / "facts"
    found = [t for block in BLOCKS for t in read((folder / f"{block}.yaml").read_text("utf-8"), block, f"{block}.yaml")]
    ids = [target.id for target in found]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise BadTarget(f"analysis/facts: {', '.join(twice)} given twice. Keep one.")
    return found
