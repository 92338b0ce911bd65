"""A month of a whole book: the compiled table against deal objects."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.benchmarks import by_objects
from analysis.benchmarks.task import CLASSES, NOTES, RECORDS, task
from sim.kernels.waterfall import pay_book

DEALS = 10_000
OBJECTS = 96  # deals kept as objects; their time is scaled to the book's
MONTH = 24  # of the task's inputs, paid again and again


class Book(NamedTuple):
    """One book twice: as a table of all deals, and its first deals as objects."""

    pay_table: Callable[[], None]  # one month of all deals
    pay_objects: Callable[[], None]  # one month of the first deals
    gap: Callable[[], float]  # largest difference in balances and arrears, share of the notes


def assemble() -> Book:
    """Open the deals, each with the rents and defaults of its own path."""
    work, rows = task(DEALS), np.arange(DEALS)
    terms, state = np.repeat(work.terms, DEALS), np.repeat(work.opening, DEALS)
    period, payment = RECORDS.blank("period", DEALS), RECORDS.blank("payment", DEALS)
    period["revenue"], period["default_rate"] = work.revenue[MONTH], work.default_rate[MONTH]
    period["amortisation_rate"], period["recovery_rate"] = work.amortisation[MONTH], work.recovery_rate
    columns = zip(*(period[name][:OBJECTS].tolist() for name in ("revenue", "default_rate", "amortisation_rate")), strict=True)
    deals = [(by_objects.found(work), *inputs) for inputs in columns]

    def pay_objects() -> None:
        for deal, revenue, default_rate, amortisation in deals:
            deal.pay(revenue, default_rate, amortisation, work.recovery_rate, False)

    def gap() -> float:
        owed = np.array([[(note.balance, note.arrears) for note in deal.notes] for deal, *_ in deals])
        table = np.stack([state["balance"], state["arrears"]], axis=-1)[:OBJECTS, :CLASSES]
        return float(np.abs(owed - table).max()) / sum(NOTES)

    return Book(lambda: pay_book(rows, terms, state, period, payment), pay_objects, gap)
