"""Statements as data: ``analysis/facts/statements.yaml`` and files of one's own, checked when read."""

import inspect
import math
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args, get_type_hints

import yaml
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from analysis.metrics import METRICS
from analysis.metrics.pooled import Pooled
from analysis.metrics.runs import Run
from analysis.targets import BadTarget, Strict
from sim.mistakes import suggestion

FILE: Final = "statements.yaml"
Block = Literal["verification", "credit", "investment", "lenders", "defaults", "own"]
TITLES: Final[dict[str, str]] = {
    "verification": "Verification: algebra and the linear mode, no run needed",
    "credit": "Validation: credit, sentiment and booms",
    "investment": "Validation: investment and time to build",
    "lenders": "Validation: lenders' leverage",
    "defaults": "Validation: defaults, recoveries, letters",
    "own": "Validation: of one's own",
}


def setting(line: str) -> str:
    """A line as in python -m sim, but what statements choose themselves."""
    key, equals, value = line.partition("=")
    if not (key and equals and value):
        raise ValueError(f"{line!r} is not KEY=VALUE")
    if key.lstrip("+") in ("seed", "horizon_years"):
        raise ValueError(f"{line!r}: seeds are chosen by --seeds, and the horizon by the statement")
    return line


Setting = Annotated[str, AfterValidator(setting)]


class Check(Strict):
    """One number, its band, and the runs it is measured on."""

    metric: str = Field("", description="a name in analysis/metrics; left out when something is missing")
    args: dict[str, Any] = {}
    missing: str = Field("", description="why nothing can be measured")
    low: float = Field(-math.inf, description="left out: no lower bound")
    high: float = Field(math.inf, description="left out: no upper bound")
    unit: str
    says: str = Field("", description="what tells it from the statement's other checks")
    over: Literal["median", "mean", "pool"] = Field("median", description="how seeds are summed up; pool: one number off the mean")
    set: tuple[Setting, ...] = Field((), description="KEY=VALUE of its runs, over those of the command line")
    against: tuple[Setting, ...] | None = Field(None, description="KEY=VALUE of other runs of the same seeds to compare with")
    compare: Literal["difference", "ratio"] = Field("difference", description="its number and the other runs' number")

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise ValueError(f"low {self.low:g} and high {self.high:g} are no band: give one, or both in order")
        if bool(self.metric) == bool(self.missing):
            raise ValueError("give either a metric, or what is missing for one")
        if self.metric and self.metric not in METRICS:
            near = suggestion(self.metric, METRICS)
            raise ValueError(f"metric {self.metric!r} is not known. {near} Known: {', '.join(METRICS)}")
        if self.metric:
            called(self.metric, self.args)
            if self.over == "pool" and get_type_hints(METRICS[self.metric])["return"] is not Pooled:
                raise ValueError(f"{self.metric} gives one number a seed and cannot be pooled: give median or mean")
        return self

    @property
    def one_sided(self) -> bool:
        """A claim about a sign or a least size, which a number exactly at the bound does not meet."""
        return math.isinf(self.low) or math.isinf(self.high)

    def holds(self, value: float) -> bool:
        """Whether a number lies in the band."""
        return self.low < value < self.high if self.one_sided else self.low <= value <= self.high


def called(metric: str, args: dict[str, Any]) -> None:
    """Refuse arguments that a metric does not take, or of the wrong kind."""
    try:
        inspect.signature(METRICS[metric]).bind(None, **args)
    except TypeError as error:
        raise ValueError(f"args of {metric}: {error}") from None
    hints = get_type_hints(METRICS[metric], include_extras=True)
    for name, value in args.items():
        try:
            TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise ValueError(f"args of {metric}: {name} = {value!r}: {fault}") from None


class Statement(Strict):
    """A statement; it passes when all its checks do."""

    id: str = Field(pattern=r"^[A-Z]+\d+[a-z]?$")
    says: str = Field(min_length=1)
    checks: tuple[Check, ...] = Field(min_length=1)
    source: str = Field(min_length=1)
    block: Block = "own"
    horizon: float = Field(40.0, ge=0.0, le=200.0, description="years of its runs; 0: it needs none")

    @model_validator(mode="after")
    def _runs(self) -> Self:
        for metric in (check.metric for check in self.checks if check.metric and not self.horizon):
            if get_type_hints(METRICS[metric])["run"] is Run:
                raise ValueError(f"horizon 0 leaves {metric} without runs. Give the years that it needs.")
        return self


def read(text: str, name: str) -> list[Statement]:
    """Statements of one file.

    Raises
    ------
    BadTarget
    """
    try:
        entries = yaml.safe_load(text)
        return TypeAdapter(list[Statement]).validate_python(entries)
    except yaml.YAMLError as error:
        raise BadTarget(f"{name}: is not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if not first["loc"] or not isinstance(entries[first["loc"][0]], dict):
            raise BadTarget(f"{name}: is not a list of statements, each a block of keys") from None
        raise BadTarget(f"{name}: {fault(first, entries[first['loc'][0]])}") from None


def fault(first: Any, entry: dict[str, Any]) -> str:
    """Entry, place and fault of the first mistake; a key that is not known is answered with those that are."""
    at, *place = first["loc"]
    text = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = list((Check if "checks" in place else Statement).model_fields)
        text = f"no such key. {suggestion(str(place[-1]), known)} Keys: {', '.join(known)}."
    return f"{entry.get('id', f'entry {int(at) + 1}')}: {'.'.join(map(str, place))}: {text}"


def load(own: str | None = None) -> list[Statement]:
    """All shipped statements, block by block, and those of a file of one's own.

    Raises
    ------
    BadTarget
    """
    found = read((files("analysis") / "facts" / FILE).read_text("utf-8"), FILE)
    if own is not None:
        try:
            found += read(Path(own).read_text("utf-8"), own)
        except (OSError, UnicodeDecodeError) as error:
            raise BadTarget(f"{own}: cannot be read: {error}") from None
    ids = [statement.id for statement in found]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise BadTarget(f"{own or FILE}: {', '.join(twice)} given twice. Give your own another id.")
    return sorted(found, key=lambda one: get_args(Block).index(one.block))
