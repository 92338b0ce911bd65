"""A month of a whole book: the compiled table against deal objects."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.benchmarks import by_objects
from analysis.benchmarks.task import NOTES, RECORDS, task
from sim.kernels.waterfall import pay_book

DEALS = 10_000
OBJECTS = 96  # deals kept as objects; their time is scaled to the book's
MONTH = 24  # of the task's inputs, paid again and again


class Book(NamedTuple):
    """One book twice: as a table of all deals, and its first deals as objects."""

    pay_table: Callable[[], None]  # one month of all deals
    pay_objects: Callable[[], None]  # one month of the first deals
    gap: Callable[[], float]  # largest difference in any column of the last month's payments, share of the notes


def assemble() -> Book:
    """Open the deals, each with the rents and defaults of its own path."""
    work, rows = task(DEALS), np.arange(DEALS)
    terms, state = np.repeat(work.terms, DEALS), np.repeat(work.opening, DEALS)
    period, payment = RECORDS.blank("period", DEALS), RECORDS.blank("payment", DEALS)
    period["revenue"], period["default_rate"] = work.revenue[MONTH], work.default_rate[MONTH]
    period["amortisation_rate"], period["recovery_rate"] = work.amortisation[MONTH], work.recovery_rate
    deals = [(by_objects.found(work), by_objects.inputs(period[d])) for d in range(OBJECTS)]

    def pay_objects() -> None:
        for deal, now in deals:
            deal.pay(now)

    def gap() -> float:
        """Over balances, arrears and what the last month paid."""
        paid = [deal.paid() for deal, _ in deals]
        both = [(np.array([one[name] for one in paid], dtype=float), payment[name][:OBJECTS]) for name in paid[0]]
        return max(float(np.abs(ours - theirs).max()) for ours, theirs in both) / sum(NOTES)

    return Book(lambda: pay_book(rows, terms, state, period, payment), pay_objects, gap)
