"""The experiments on the loop as data: ``analysis/experiments/loop.yaml``, checked when read."""

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field, model_validator

from sim.arrows import ARROW_OF, ARROWS
from sim.columns import MONTHLY
from sim.units import Frozen

LOOP = tuple(arrow for arrow in ARROWS if arrow != "cobweb")


class Effort(Frozen):
    """How much is done."""

    runs: int = Field(ge=2)
    branches: int = Field(ge=2)
    dates: int = Field(ge=1)
    hours: float = Field(gt=0.0)


class Wire(Frozen):
    """A signal that stands for its arrow, and how far it is pushed."""

    signal: str
    size: float = Field(gt=0.0, le=1.0)
    words: str
    unit: str

    @property
    def arrow(self) -> str:
        """That carries it."""
        return ARROW_OF[self.signal]


class ArrowTest(Frozen):
    """What an arrow is claimed to do to its target when its source is pushed up."""

    arrow: str
    source: str
    target: str
    sign: Literal[-1, 1]
    window: tuple[int, int]
    says: str

    @property
    def name(self) -> str:
        """Short."""
        return f"{self.source} to {self.target}"


class Zero(Frozen):
    """A column that a push cannot reach within so many months."""

    signal: str
    column: str
    months: int = Field(ge=1)
    because: str


class Control(Frozen):
    """A world without a part of the loop."""

    name: str
    set: tuple[str, ...]


class Spec(Frozen):
    """Everything in the file."""

    settings: tuple[str, ...]
    first_seed: int
    calibration_seeds: int = Field(ge=1)
    effort: dict[Literal["quick", "default"], Effort]
    branch_months: int = Field(ge=60)
    pulse_months: int = Field(ge=1)
    dose: float = Field(gt=1.0)
    dose_dates: int = Field(ge=1)
    seconds_a_month: float = Field(gt=0.0)
    spreads: dict[Literal["amplification", "gain", "response", "severity"], float]
    wires: tuple[Wire, ...]
    arrows: tuple[ArrowTest, ...]
    push: float = Field(gt=0.0, le=1.0)
    zeros: tuple[Zero, ...]
    controls: tuple[Control, ...]
    elasticities: tuple[float, ...]
    elasticity_key: str

    @model_validator(mode="after")
    def _known(self) -> "Spec":
        named = [w.signal for w in self.wires] + [z.signal for z in self.zeros]
        named += [signal for test in self.arrows for signal in (test.source, test.target)]
        strange = sorted({name for name in named if name not in ARROW_OF} | {z.column for z in self.zeros} - MONTHLY.keys())
        strange += sorted({t.arrow for t in self.arrows if ARROW_OF.get(t.target) != t.arrow})
        if strange:
            raise ValueError(f"loop.yaml names {', '.join(strange)}, which no arrow carries or no table holds")
        return self


@cache
def load() -> Spec:
    """As shipped."""
    text = (files("analysis.experiments") / "loop.yaml").read_text("utf-8")
    return Spec.model_validate(yaml.safe_load(text))
