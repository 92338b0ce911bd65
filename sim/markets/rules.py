"""Rules that bar a lab's models or a class of chips: what may be sold, and what may run."""

from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from sim.units import Frozen, quantity

Place = Literal["", "us", "china"]


class Params(Frozen):
    """What a rule bars; an empty region bars nothing."""

    month: int = quantity("month", 0, 2400, "from which the rule holds, after recording begins")
    labs_region: Place  # whose labs are barred; empty: none
    barred_labs: int = quantity("1", 0, 199, "labs of that region that lose their users, the first ones by number")
    chips_region: Place  # where chips are barred; empty: nowhere
    chips_first: int = quantity("month", -240, 2400, "of order of the oldest chips barred, after recording begins")
    chips_last: int = quantity("month", -240, 2400, "of order of the newest chips barred")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.chips_first > self.chips_last:
            raise ValueError(f"chips_first {self.chips_first} must not exceed chips_last {self.chips_last}")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """Users need a lab, and a rule a region that is simulated."""
        count = params.agents.labs.count
        for name in ("labs_region", "chips_region"):
            place = getattr(self, name)
            if place and place not in params.regions:
                yield f"{name} is {place}, which is not among regions. Add it, or leave {name} empty."
        if self.labs_region and self.barred_labs >= count:
            yield f"barred_labs {self.barred_labs} must lie below agents.labs.count {count}, or users have no lab"


def barred_models(p: Params, region: str, month: int, labs: int) -> np.ndarray:
    """Whether each of ``labs`` (l,) may not sell; ``month`` since recording began."""
    return np.arange(labs) < (p.barred_labs if region == p.labs_region and month >= p.month else 0)


def bars_chips(p: Params, region: str, month: int) -> bool:
    """Whether any may not run; ``month`` since recording began."""
    return region == p.chips_region and month >= p.month


def barred_chips(p: Params, region: str, month: int, ordered: np.ndarray) -> np.ndarray:
    """Whether chips may not run; ``ordered`` (n,) and ``month`` since recording began."""
    if not bars_chips(p, region, month):
        return np.zeros(np.shape(ordered), dtype=bool)
    return (ordered >= p.chips_first) & (ordered <= p.chips_last)
