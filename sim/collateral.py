"""Collateral laid out for rating: deals' base cases as one book of arrays, their tenants as one list of obligors."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from scipy.special import ndtri

from sim.kernels.rating import Book
from sim.kernels.scenarios import Obligors
from sim.units import MONTHS

LISTS = {  # per deal and period: what an absent list holds
    "contract": 0.0,
    "market": 0.0,
    "cost": 0.0,
    "value": 0.0,
    "appraisal": np.nan,
    "disposal": np.nan,
    "threshold": -np.inf,
    "recovery": 0.0,
    "pool_yield": 0.0,
    "amortisation_rate": 0.0,
    "rate_index": 0.0,
}


def obligors(keys: Sequence[int] | np.ndarray, default_probability: Sequence[float] | np.ndarray, horizon: float) -> Obligors:
    """Tenants and guarantors; one key is one obligor, in whatever deal and book.

    Parameters
    ----------
    keys : (o,) 32-bit words, such as ``crc32`` of a name or a row of a table
    default_probability : (o,) 1/year, below 1
    horizon : year, by which rare paths make defaults likelier
    """
    hazard = -np.log1p(-np.asarray(default_probability, dtype=float)) / MONTHS
    return Obligors(np.array(keys, dtype=np.uint64), hazard, ndtri(-np.expm1(-hazard * MONTHS * horizon)))


def own(values: Any, kind: type, shape: tuple[int, ...]) -> np.ndarray:
    """A writable array of its own, the values' own if it is one; the compiled kernels know only such."""
    if isinstance(values, np.ndarray) and values.dtype == kind and values.shape == shape and values.flags.carray:
        return values
    filled: np.ndarray = np.empty(shape, dtype=kind)
    filled[...] = values
    return filled


def make_book(
    periods: np.ndarray,
    target: np.ndarray,
    tenant: np.ndarray,
    share: np.ndarray,
    contract_end: np.ndarray,
    *,
    months: Any = 1.0,
    delay: Any = 0.0,
    guarantor: Any = -1,
    vacancy: Any = 0,
    ageing: Any = 1.0,
    default_rate: np.ndarray | None = None,
    **lists: np.ndarray,
) -> Book:
    """Collateral of ``n`` deals over up to ``t`` periods.

    Parameters
    ----------
    periods : (n,) periods to pay
    target : (n, t, k) USD, scheduled balance by class; NaN none. Its shape sets ``t`` and ``k``
    tenant, share, contract_end : (n, i) place among the obligors (-1 none), share of rent, last period of the contract
    months, delay, guarantor, vacancy, ageing : as ``Book``, one for all or (n,)
    default_rate : (n, t) 1/period, share of a granular pool that defaults
    lists : any of LISTS, each (n, t)
    """
    n, t, _ = target.shape
    if default_rate is not None:
        lists["threshold"] = ndtri(-np.expm1(np.cumsum(np.log1p(-np.minimum(default_rate, 1.0 - 1e-15)), axis=1)))
    absent = {blank: own(blank, float, (n, t)) for blank in set(LISTS.values())}  # lists may share one: kernels only read
    filled = {name: own(lists[name], float, (n, t)) if name in lists else absent[blank] for name, blank in LISTS.items()}
    kinds, kind = np.unique(np.broadcast_to(np.asarray(ageing, float), n), return_inverse=True)
    whole = {"periods": periods, "guarantor": guarantor, "vacancy": vacancy, "kind": kind}
    let = np.zeros(n, dtype=bool)
    for values in (filled[name] for name in ("market", "value", "appraisal", "disposal") if name in lists):
        let |= ((values == values) & (values != 0.0)).any(axis=1)  # NaN is none
    return Book(
        **filled,
        let=let,
        **{name: own(value, np.int64, (n,)) for name, value in whole.items()},
        months=own(months, float, (n,)),
        delay=own(delay, float, (n,)),
        target=own(target, float, target.shape),
        tenant=own(tenant, np.int64, tenant.shape),
        share=own(np.where(tenant < 0, 0.0, share), float, tenant.shape),
        contract_end=own(contract_end, np.int64, tenant.shape),
        ageing=kinds,
    )


def select(book: Book, rows: np.ndarray | slice) -> Book:
    """Some deals of a book, or one of them many times."""
    return Book(**{name: values if name == "ageing" else values[rows] for name, values in book._asdict().items()})


class Described(NamedTuple):
    """A book and the obligors its deals name."""

    book: Book
    obligors: Obligors


def describe(collaterals: Sequence[Any], periods: Sequence[Mapping[str, np.ndarray] | np.ndarray], horizon: float) -> Described:
    """Book of deals from their files' collateral (``sim.deal_risk.Collateral``) and period records, (t,) each."""
    chance: dict[str, float] = {}
    for c in collaterals:
        chance.update(zip(c.tenants, c.default_probability, strict=True))
        if c.guarantor is not None:
            chance.setdefault(c.guarantor, c.guarantor_default_probability)
    names = list(chance)
    n, t, i = len(collaterals), max(len(c.cost) for c in collaterals), max(1, *(len(c.tenants) for c in collaterals))
    inputs = {name: np.full((n, t), blank) for name, blank in LISTS.items() if name != "threshold"}
    inputs["default_rate"] = np.zeros((n, t))
    target = np.full((n, t, max(p["target"].shape[1] for p in periods)), np.nan)
    tenant, share, end = np.full((n, i), -1), np.zeros((n, i)), np.zeros((n, i), np.int64)
    for d, (c, p) in enumerate(zip(collaterals, periods, strict=True)):
        for name, values in inputs.items():
            values[d, : len(p)] = getattr(c, name) if hasattr(c, name) else p["index" if name == "rate_index" else name]
        target[d, : len(p), : p["target"].shape[1]] = p["target"]
        count = len(c.tenants)
        tenant[d, :count], share[d, :count], end[d, :count] = [names.index(x) for x in c.tenants], c.share, c.contract_end
    book = make_book(
        np.array([len(p) for p in periods]),
        target,
        tenant,
        share,
        end,
        months=[c.months for c in collaterals],
        guarantor=[-1 if c.guarantor is None else names.index(c.guarantor) for c in collaterals],
        vacancy=[c.vacancy for c in collaterals],
        ageing=[c.ageing for c in collaterals],
        **inputs,
    )
    return Described(book, obligors([crc32(name.encode()) for name in names], [chance[name] for name in names], horizon))
