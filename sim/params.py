"""Composed configuration -> frozen, validated ``Params``; groups mirror the modules that hold them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib import import_module
from typing import Any, get_args

from pydantic import BaseModel, ValidationError, create_model, field_validator, model_validator
from pydantic.fields import FieldInfo

from sim.mistakes import Mistake, Mistakes, describe
from sim.units import MONTHS, REGIONS, Frozen, quantity

# Each holds `class Params(Frozen)`, fed field for field by configs/<group path>/default.yaml; imported when needed.
GROUPS = (
    *(f"sim.markets.{market}" for market in ("primary", "secondary", "compute", "contracts", "hardware", "tokens", "rules")),
    *("sim.markets.construction", "sim.markets.leases", "sim.markets.parts", "sim.markets.protection", "sim.markets.upgrades"),
    *("sim.markets.guarantees", "sim.markets.failures", "sim.markets.tenants", "sim.markets.borrowing"),
    *("sim.markets.disappointment", "sim.markets.applications", "sim.markets.regulation"),
    *("sim.markets.insurers", "sim.markets.exposures", "sim.markets.funds", "sim.markets.mandates"),
    *("sim.books.deals", "sim.books.channels", "sim.ratings", "sim.arrows", "sim.build"),
    *(f"agents.{kind}" for kind in ("labs", "operators", "clouds", "vendors", "investors", "agencies", "regulators", "sovereigns")),
    *("agents.sellers", "agents.lessors"),
)


OF_THE_RECORD = "after recording begins"  # of every month that counts from there


class Outputs(Frozen):
    """Where runs are written; no part of a run's identity."""

    root: str


class Params(Frozen):
    """All that determines a run. ``sim`` and ``agents`` hold the groups: ``params.sim.markets.primary``."""

    scenario: str
    size: str
    seed: int = quantity("1", 0, 2**63 - 1, "seed of every random draw")
    start: date
    horizon_years: float = quantity("year", 1, 200, "recorded length of a run, in whole months")
    regions: tuple[str, ...]
    outputs: Outputs
    sim: Any
    agents: Any

    @property
    def months(self) -> int:
        """Recorded months, burn-in excluded."""
        return round(self.horizon_years * MONTHS)

    @field_validator("scenario", "size")
    @classmethod
    def _name(cls, name: str) -> str:
        if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError("must be a name of letters, digits, - and _, for it names the folder of the run")
        return name

    @field_validator("horizon_years")
    @classmethod
    def _whole_months(cls, years: float) -> float:
        if abs(years * MONTHS - round(years * MONTHS)) > 1e-6:
            raise ValueError(f"must be whole months; the nearest is {round(years * MONTHS)}/{MONTHS} years")
        return round(years * MONTHS) / MONTHS

    @field_validator("start")
    @classmethod
    def _first_of_month(cls, start: date) -> date:
        if start.day != 1 or not 1990 <= start.year <= 2100:
            raise ValueError("must be the first day of a month between 1990 and 2100, as 2023-01-01")
        return start

    @field_validator("regions")
    @classmethod
    def _known_regions(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        if not regions or len(set(regions)) < len(regions) or not set(regions) <= set(REGIONS):
            raise ValueError(f"must name one or more different regions of {', '.join(REGIONS)}")
        return regions

    @model_validator(mode="after")
    def _combinations(self) -> "Params":
        """A group's optional ``conflicts(params) -> Iterable[str]`` judges it beside the others."""
        conflicts = [
            f"{name}: {conflict}"
            for name in GROUPS
            if (group := select(self, name)) is not None and hasattr(group, "conflicts")
            for conflict in group.conflicts(self)
        ]
        if conflicts:
            raise ValueError("\n".join(conflicts))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as plain values, for the namespaces are built while running."""
        return validate, (self.model_dump(mode="json"),)


@cache
def model() -> type[Params]:
    """``Params`` with its groups' own models in place."""
    tree: dict[str, Any] = {}
    for group in GROUPS:
        *above, name = group.split(".")
        at = tree
        for part in above:
            at = at.setdefault(part, {})
        at[name] = import_module(group).Params
    namespaces: dict[str, Any] = {name: (_namespace(name, at), ...) for name, at in tree.items()}
    return create_model("Params", __base__=Params, **namespaces)


def _namespace(name: str, tree: Mapping[str, Any]) -> type[BaseModel]:
    blocks: dict[str, Any] = {key: (_namespace(key, at) if isinstance(at, dict) else at, ...) for key, at in tree.items()}
    return create_model(name.title(), __base__=Frozen, **blocks)


def validate(tree: Mapping[str, Any], origin: Mapping[str, str] | None = None) -> Params:
    """Plain values -> Params, or every mistake at once.

    Parameters
    ----------
    tree : nested values
    origin : dotted key -> where it was set, for the messages

    Raises
    ------
    Mistakes
    """
    try:
        # JSON: the strict mode in which a list is a tuple and text a date, but neither true nor "1" is a number
        return model().model_validate_json(json.dumps(tree, default=str), strict=True)
    except ValidationError as error:
        raise Mistakes(mistakes(error, origin or {})) from None


def mistakes(error: ValidationError, origin: Mapping[str, str]) -> list[Mistake]:
    """One mistake a wrong key or value."""
    found = {key: info for key, info, _ in fields(model())}
    keys = list(found)
    return [mistake for item in error.errors(include_url=False) for mistake in describe(item, field_at(item["loc"]), keys, origin)]


def fields(of: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo, type[BaseModel] | None]]:
    """Every key below a model: dotted path, field, and the field's own model when it is a block."""
    for name, info in of.model_fields.items():
        block = block_of(info.annotation)
        yield prefix + name, info, block
        if block is not None:
            yield from fields(block, f"{prefix}{name}.")


def block_of(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation, if there is one: ``Block``, ``Block | None``, ``tuple[Block, ...]``."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def field_at(loc: tuple[int | str, ...]) -> FieldInfo | None:
    """The field that ``loc`` names; places in a list are passed over."""
    at: type[BaseModel] | None = model()
    info = None
    for part in loc:
        if isinstance(part, int):
            continue
        if at is None or part not in at.model_fields:
            return None
        info = at.model_fields[part]
        at = block_of(info.annotation)
    return info


def select(params: Any, dotted: str) -> Any:
    """``select(params, "sim.markets.primary")``; None where nothing is."""
    for name in dotted.split("."):
        params = getattr(params, name, None)
    return params


def too_late(params: Params, usual: Params) -> list[str]:
    """Months of the record beyond its end, where they are not the ``usual`` ones: what was set for them does not come."""
    others = {f".{region}." for region in REGIONS if region not in params.regions}
    keys = [key for key, info, _ in fields(model()) if OF_THE_RECORD in (info.description or "")]
    keys = [key for key in keys if not any(region in key for region in others)]
    months = [(key, select(params, key)) for key in keys if select(params, key) != select(usual, key)]
    last = params.months - 1
    return [
        f"{key} = {month} lies beyond the last month, {last}: it does not come."
        for key, month in months
        if isinstance(month, int) and month > last
    ]


def config_hash(params: Params) -> str:
    """Identity of a run: everything but where it is written."""
    return _digest(params.model_dump(mode="json", exclude={"outputs"}))


def reference_hash(params: Params) -> str:
    """Identity of the world whose signals a cut arrow transmits: any seed, any arrows, under whatever name."""
    tree = params.model_dump(mode="json", exclude={"outputs", "seed", "scenario"})
    del tree["sim"]["arrows"]
    return _digest(tree)


def _digest(tree: Mapping[str, Any]) -> str:
    canonical = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
