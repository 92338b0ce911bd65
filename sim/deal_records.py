"""A deal file laid out as the kernel's records, and paid."""

from typing import NamedTuple

import numpy as np

from sim.deal_files import MODES, PER_PERIOD, TARGETS, DealFile
from sim.kernels.layouts import TERMS, layout
from sim.kernels.waterfall import pay_book


class Records(NamedTuple):
    """A deal ready for the kernel; ``place[j]`` is where note ``j`` of the file stands by rank."""

    place: list[int]
    terms: np.ndarray
    state: np.ndarray
    period: np.ndarray
    payment: np.ndarray


def records(file: DealFile) -> Records:
    """Lay a deal out as records: terms and opening state (1,), inputs and payments (t,)."""
    deal, periods = file.deal, file.periods
    order = sorted(range(len(deal.notes)), key=lambda j: deal.notes[j].rank)
    notes = [deal.notes[j] for j in order]
    shape = layout(len(notes))
    terms, state = shape.blank("terms", 1), shape.blank("state", 1)
    period, payment = shape.blank("period", periods), shape.blank("payment", periods)
    for name, kind, *_ in TERMS:
        if kind.endswith("k") and hasattr(notes[0], name):
            terms[name][0, : len(notes)] = [getattr(note, name) for note in notes]
        elif getattr(deal, name, None) is not None and name not in ("mode", "reserve_target"):
            terms[name] = getattr(deal, name)
    terms["classes"], terms["mode"] = len(notes), list(MODES).index(deal.mode)
    terms["reserve_target_kind"] = list(TARGETS).index(deal.reserve_target[0])
    terms["reserve_target"] = deal.reserve_target[1]
    for k, note in enumerate(notes):
        terms["notional"][0, k] = state["balance"][0, k] = note.balance
        terms["oc_trigger"][0, k] = (deal.oc_triggers or {}).get(note.rank, np.nan)
        if note.target_balance:
            period["target"][:, k] = note.target_balance[1 : periods + 1]
    state["pool"], state["reserve"] = deal.pool_at_closing, deal.reserve_at_closing
    period["recovery_rate"] = deal.recovery_rate
    for name in PER_PERIOD:
        if values := getattr(deal, name):
            column = "recovery_rate" if name == "recovery_price" else name
            period[column] = np.array(values[:periods], dtype=float)
    if deal.guarantor_fails is not None:
        period["guarantor_failed"][deal.guarantor_fails - 1 :] = True
    period["last"][-1] = True
    return Records([order.index(j) for j in range(len(notes))], terms, state, period, payment)


def pay(file: DealFile) -> Records:
    """Pay every period of a deal."""
    deal = records(file)
    row = np.zeros(1, dtype=np.int64)
    for t in range(file.periods):
        pay_book(row, deal.terms, deal.state, deal.period[t : t + 1], deal.payment[t : t + 1])
    return deal
