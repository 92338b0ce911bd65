"""Policies by cost and benefit: compute that is not built, losses that are avoided, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import yaml
from pydantic import Field

from analysis.decisions import quantities
from analysis.decisions.differing import Difference, difference
from analysis.pages.gather import Gathered
from analysis.statistics.intervals import TooFewSeeds, bootstrap, mean
from analysis.targets import Strict

SAVED: Final = ("compute", "spending", "losses", "depth")  # less of the first two is a cost, of the others a benefit
RESCUED: Final = 1000.0  # USD of spending forgone to which losses avoided are related


class Policy(Strict):
    """A policy and the scenario that stands for it."""

    scenario: str = Field(min_length=1)
    says: str = Field(min_length=1)


class Missing(Strict):
    """A policy without a mechanism, and why."""

    says: str = Field(min_length=1)
    why: str = Field(min_length=1)


class Policies(Strict):
    """What is tried against what, and what cannot be."""

    base: str
    policies: tuple[Policy, ...] = Field(min_length=1)
    missing: tuple[Missing, ...] = ()

    @property
    def scenarios(self) -> list[str]:
        """All scenarios, the base first."""
        return [self.base, *(policy.scenario for policy in self.policies)]


@cache
def load() -> Policies:
    """The shipped ones."""
    return Policies.model_validate(yaml.safe_load((files("analysis.decisions") / "policies.yaml").read_text("utf-8")))


@dataclass(frozen=True)
class Effect:
    """One policy in one region: what it forgoes and avoids (both as gains of the other sign), and their ratio.

    ``ratio`` is USD of losses avoided per 1,000 USD of spending forgone; NaN where spending is not surely forgone.
    """

    policy: Policy
    region: str
    not_built: Difference
    forgone: Difference
    avoided: Difference
    shallower: Difference
    ratio: float = np.nan
    low: float = np.nan
    high: float = np.nan


def effects(found: Policies, sides: Sequence[Gathered]) -> list[Effect]:
    """Every policy in every region that it and the base have."""
    base, known = sides[0], {quantity.id: quantity for quantity in quantities.load()}
    rows = []
    for policy, side in zip(found.policies, sides[1:], strict=True):
        for region in dict.fromkeys(where for _, where in base.values):
            if ("compute", region) not in side.values:
                continue
            family = len(SAVED) * len(found.policies) * len(quantities.PLACES)
            not_built, forgone, avoided, shallower = (saving(known[key], region, base, side, family) for key in SAVED)
            ratio, low, high = rate(base, side, region, forgone)
            rows.append(Effect(policy, region, not_built, forgone, avoided, shallower, ratio, low, high))
    return rows


def saving(quantity: Any, region: str, base: Gathered, side: Gathered, family: int) -> Difference:
    """How much less of a quantity there is: the base less the policy."""
    key = (quantity.id, region)
    return difference(quantity, region, side.values[key], base.values[key], family)


def rate(base: Gathered, side: Gathered, region: str, forgone: Difference) -> tuple[float, float, float]:
    """Losses avoided per 1,000 USD of spending forgone over the run, with bounds; NaN unless spending is surely forgone."""
    unknown = (np.nan, np.nan, np.nan)
    if not (forgone.certain and forgone.difference > 0.0):
        return unknown
    pairs = np.column_stack([base.values[key, region] - side.values[key, region] for key in ("losses", "spending")])
    years = base.of("spread")["at"].max() - base.of("spread")["at"].min() + 0.25
    pairs[:, 1] *= years

    def ratio(sample: np.ndarray) -> np.ndarray:
        means = mean(sample)
        with np.errstate(all="ignore"):
            return RESCUED * means[..., :1] / means[..., 1:]

    try:
        one = bootstrap(ratio, pairs).at(0)
    except (TooFewSeeds, ValueError):
        return unknown
    return float(one.estimate), float(one.low), float(one.high)
