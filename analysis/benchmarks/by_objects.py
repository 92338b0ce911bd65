"""The benchmark's deal as Python objects."""

from types import SimpleNamespace

import numpy as np

from analysis.benchmarks.deal_objects import Deal
from analysis.benchmarks.task import CLASSES, Task, periods
from sim.kernels.layouts import PERIOD


def found(work: Task) -> Deal:
    """The benchmark's deal at closing."""
    return Deal(work.terms[0], work.opening[0])


def inputs(period: np.ndarray) -> SimpleNamespace:
    """One record of a period's inputs as plain values."""
    return SimpleNamespace(**{name: period[name].tolist() for name, *_ in PERIOD})


def pay_lives(work: Task) -> tuple[np.ndarray, np.ndarray]:
    """Interest and principal over the life, (k, s) USD, path by path."""
    interest, principal = np.zeros((2, CLASSES, work.revenue.shape[1]))
    months = [inputs(period) for period in periods(work)]
    for s, (revenue, default_rate) in enumerate(zip(work.revenue.T.tolist(), work.default_rate.T.tolist(), strict=True)):
        deal = found(work)
        for now, rent, defaults in zip(months, revenue, default_rate, strict=True):
            now.revenue, now.default_rate = rent, defaults
            deal.pay(now)
            for k, note in enumerate(deal.notes):
                interest[k, s] += note.arrears.paid
                principal[k, s] += note.balance.paid
    return interest, principal
