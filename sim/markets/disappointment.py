"""Demand that disappoints: the boom comes late or never, or better software makes the same service of less compute."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from sim.markets import tokens
from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """How demand departs from its promised path, the one in ``sim.markets.tokens``."""

    delay: int = quantity("month", 0, 2400, "by which the boom comes late, growth being that of the long run in between; 0: none")
    delay_month: int = quantity("month", 0, 2400, "when it stops, after recording begins")
    saving: float = quantity(
        "share", 0.0, 0.99, "of the compute of a unit of service that better software no longer needs; 0: none"
    )
    saving_month: int = quantity("month", 0, 2400, "when that software begins to spread, after recording begins")
    saving_length: int = quantity("month", 1, 240, "in which it has spread")
    saving_elasticity: float = quantity("1", 0.0, 5.0, "of the use of service to its cheapness, once users have adapted")
    saving_response: float = quantity("year", 0.05, 20.0, "half-life of users' adaptation")
    memory: float = quantity(
        "month", 0.0, 240.0, "over which demand's growth is averaged by who extrapolates it, once it disappoints; 0: as promised"
    )

    def conflicts(self, params: Any) -> Iterator[str]:
        """What stops must have begun."""
        begins = params.sim.markets.tokens.growth_month
        if self.delay and self.delay_month < begins:
            yield f"delay_month {self.delay_month} must not be before sim.markets.tokens.growth_month {begins}"


def delayed(p: Params, path: tokens.Params, month: int, half_life: float) -> float:
    """Log of demand at a given rent over the promised path, for its growth beyond the long run's came late.

    That growth halves every ``half_life`` years, month by month: a geometric sum of what was promised since the stop, less what
    has come since the end of it.
    """
    passed = max(month - p.delay_month, 0)
    resumed = max(passed - p.delay, 0)
    fade = 2.0 ** (-1.0 / (MONTHS * half_life))
    missed = fade ** (p.delay_month - path.growth_month) * (fade**resumed - fade**passed) / (1.0 - fade)
    return -(path.growth_start - path.growth_end) / MONTHS * missed if p.delay else 0.0


def saved(p: Params, month: int) -> float:
    """Log of service per unit of compute, 0 before better software."""
    return -math.log(1.0 - p.saving) * min(max(month - p.saving_month, 0), p.saving_length) / p.saving_length


def spared(p: Params, month: int) -> float:
    """Log of demand for compute at a given rent over the promised path: the same service needs less, cheap service is used more.

    Service that costs 1/e is used e^elasticity as much, of 1/e the compute (Jevons 1865). Each month's part of the saving finds
    its users by and by: a geometric sum over the months in which it spread.
    """
    if not p.saving:
        return 0.0
    spread = min(max(month - p.saving_month, 0), p.saving_length)
    fade = 2.0 ** (-1.0 / (MONTHS * p.saving_response))
    late = fade ** max(month - p.saving_month - spread, 0) * (1.0 - fade**spread) / (1.0 - fade)
    part = -math.log(1.0 - p.saving) / p.saving_length
    return part * (p.saving_elasticity * (spread - late) - spread)


def delivered(p: Params, path: tokens.Params, month: int, half_life: float) -> float:
    """Demand at a given rent over the promised path, a setback left out."""
    return math.exp(delayed(p, path, month, half_life) + spared(p, month))


def met(p: Params, path: tokens.Params, month: int, half_life: float) -> float:
    """The same with the setback."""
    return delivered(p, path, month, half_life) * tokens.kept(path, month)


def begins(p: Params, path: tokens.Params) -> int | None:
    """Month, after recording begins, of the first disappointment; None where there is none."""
    starts = ((p.delay, p.delay_month), (p.saving, p.saving_month), (path.setback, path.setback_month))
    return min((month for size, month in starts if size), default=None)


def realised(p: Params, path: tokens.Params, month: int, half_life: float) -> float:
    """Growth of demand at a given rent from last month to this, 1/year; shocks, which pass, left out."""
    promised = tokens.growth(path, (month - 1 - path.growth_month) / MONTHS, half_life)
    then, now = (met(p, path, m, half_life) for m in (month - 1, month))
    return promised + MONTHS * math.log(now / then)


def extrapolated(
    p: Params, path: tokens.Params, month: int, half_life: float, believed: float, promised: float, brake: float = 0.0
) -> float:
    """Growth of demand, 1/year, that is expected after ``month``: what is promised, and what was seen once that has disappointed.

    ``believed`` was expected before; users' means ``brake`` what the path holds. Nobody knows what is to come, and nobody trusts
    a promise again.
    """
    first = begins(p, path)
    if p.memory == 0.0 or first is None or month <= first:
        return promised
    return believed + (realised(p, path, month, half_life) - brake - believed) / max(p.memory, 1.0)
