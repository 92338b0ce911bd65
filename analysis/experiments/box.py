"""The box of parameters that a study of sensitivity varies, from a file; what they mean, and in which units."""

from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from sim.mistakes import Mistake, Mistakes, suggestion, wrong
from sim.params import fields, model
from sim.units import Frozen

MOST_PARAMETERS = 12


class Effort(Frozen):
    """How much is done."""

    trajectories: int = Field(ge=2)
    points: int = Field(ge=2)
    seeds: int = Field(ge=1)
    hours: float = Field(gt=0.0)


class Spec(Frozen):
    """The file."""

    settings: tuple[str, ...]
    first_seed: int
    effort: dict[Literal["quick", "default"], Effort]
    selected: int = Field(ge=1)
    amplifies: float
    parameters: dict[str, tuple[float, float]] = Field(min_length=2, max_length=MOST_PARAMETERS)


def load(path: str | None) -> Spec:
    """As shipped, or of one's own.

    Raises
    ------
    Mistakes
    """
    try:
        text = (
            Path(path).read_text(encoding="utf-8")
            if path
            else (files("analysis.experiments") / "sensitivity.yaml").read_text("utf-8")
        )
        spec = Spec.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Mistakes([Mistake("--parameters", f": cannot be read: {error}")]) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Mistakes([Mistake("--parameters", f": {'.'.join(map(str, first['loc']))}: {first['msg']}.")]) from None
    known = words()
    found = [
        wrong("--parameters", key, f"no such key. {suggestion(key, known)}".strip()) for key in spec.parameters if key not in known
    ]
    found += [
        wrong(key, f"{low:g} to {high:g}", "an empty range.") for key, (low, high) in spec.parameters.items() if not low < high
    ]
    if found:
        raise Mistakes(found)
    return spec


def words() -> dict[str, tuple[str, str]]:
    """Key -> what it means, and its unit, of every number of the configuration."""
    found = {}
    for key, info, _ in fields(model()):
        extra = info.json_schema_extra
        if isinstance(extra, dict) and "unit" in extra:
            found[key] = (f"{' '.join(key.split('.')[-2:]).replace('_', ' ')}: {info.description}", str(extra["unit"]))
    return found
