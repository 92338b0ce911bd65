"""Labs' own debts: what users owe them under contract, and their models' weights, as collateral."""

from typing import Any

import numpy as np

from sim.markets.tokens import Params as Tokens
from sim.markets.tokens import mark_up
from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """What labs may pledge, and what it is worth. Which of it is lent on is ``us.open`` and ``china.open`` of the channels."""

    contracted: float = quantity("share", 0.0, 1.0, "of users' payments that is under contract, and may be pledged")
    haircut: float = quantity("share", 0.0, 1.0, "of pledged payments that users no longer make once the lab has failed")
    licensed: float = quantity("share", 0.0, 1.0, "of the margin on its models that a lab may pledge")
    open_lag: int = quantity("month", 1, 60, "by which open models trail the best lab")
    recovery: float = quantity("share", 0.0, 1.0, "of a model's worth that its weights fetch alone, while none overtakes")


def pace(p: Tokens, life: float) -> float:
    """A model's margin over its worth, 1/year: discount and decay."""
    return float(p.worth_rate + np.log(2.0) / life)


def margins(p: Tokens, payments: Any, life: float) -> Any:
    """Labs' margin in what users pay them."""
    part = mark_up(p, life)
    return payments * (part / (1.0 + part))


def overtaken(quality: np.ndarray, best_before: float, lag: int, life: float) -> np.ndarray:
    """Whether an open model, as good as the best lab's was ``lag`` months ago, is better than each lab's (l,) now.

    ``best_before`` is that lab's quality then; its lead has decayed since.
    """
    return np.asarray(quality < best_before * 2.0 ** (-lag / MONTHS / life))
