"""Seating: how large labs are at the start, and which of them operators have for an anchor tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.markets import tenants
from sim.streams import entity

if TYPE_CHECKING:
    from sim.economy import Economy


def lab_shares(economy: Economy, region: str) -> list[float]:
    """Labs' shares of their business at the start: all alike, or drawn."""
    count = economy.params.agents.labs.count
    keys = np.array([entity(f"{region}/lab/{number:02d}") for number in range(count)], dtype=np.uint64)
    drawn = tenants.shares(economy.params.sim.markets.tenants, economy.streams.uniform("lab size", 0, keys))
    return [float(share) for share in drawn]


def anchor(economy: Economy, region: str, labs: list[Any]) -> None:
    """Operators' anchor tenants: labs in turn where all are alike, else as many for each as its share of users says."""
    operators = economy.all("operator", region)
    if economy.params.sim.markets.tenants.concentration == 0.0:
        for operator in operators:
            operator.tenant = labs[operator.number % len(labs)].party
        return
    sizes = np.array([lab.weight for lab in labs])
    for lab in labs:
        lab.size = lab.weight * len(labs)
    for operator, place in zip(operators, tenants.anchored_at(sizes, len(operators)).tolist(), strict=True):
        operator.tenant = labs[place].party
