"""What a rating needs to know of a deal's collateral: its lists at constant technology, and who pays the rent.

The lists of a deal file already hold the decline of market rents and values that its author expects,
``risk.base_depreciation``. Here that decline is taken out again, so that each path of a scenario can put in its own:
a list at constant technology times ``exp(-ageing * depreciation * years)`` is the list of a path that declines at
``depreciation``, and the file's own list when that is ``base_depreciation``. Cures and refinancings in the file
(``other_cash``, ``principal_cash``) are left out: a rating counts on neither.
"""

from typing import Any, NamedTuple

import numpy as np

from sim.deal_files import DealFile
from sim.deal_obligors import Risk
from sim.units import MONTHS

MISSING = (
    "risk: missing, and a rating needs it. Describe the collateral, at least `risk: {ageing: 1.0}`; "
    "`python -m sim.deal --schema` lists its fields, configs/deals has examples."
)


class Collateral(NamedTuple):
    """Base case of a deal's collateral; entry ``t`` of a list is period ``t + 1``, USD a period unless said."""

    contract: np.ndarray  # (t,) gross rent if every unit is under today's contracts; NaN: a pool that earns pool_yield
    market: np.ndarray  # (t,) gross rent if every unit is let at market, constant technology; NaN as above
    cost: np.ndarray  # (t,) running cost
    value: np.ndarray  # (t,) USD, what a sale fetches in a calm market, constant technology
    appraisal: np.ndarray  # (t,) USD, constant technology; NaN none
    disposal: np.ndarray  # (t,) USD, proceeds of a sale of the whole pool, constant technology; NaN none
    default_rate: np.ndarray  # (t,) 1/period, share of a granular pool that defaults
    recovery: np.ndarray  # (t,) share of defaulted assets' balance that a calm market pays
    tenants: tuple[str, ...]  # (i,) names; one name in two deals is one obligor
    share: np.ndarray  # (i,) of the gross contracted rent; what is left of 1 is let at market
    contract_end: np.ndarray  # (i,) int64, last period under contract
    default_probability: np.ndarray  # (i,) 1/year
    vacancy: int  # periods without rent between a contract and the next at market
    ageing: float  # share of market obsolescence that this collateral suffers: GPUs 1, buildings about 0.1
    base_depreciation: float  # 1/year, already taken out of market, value, appraisal and disposal
    guarantor: str | None  # name of the residual-value guarantor
    guarantor_default_probability: float  # 1/year; 0 without a guarantor
    months: float  # length of a period


def collateral(file: DealFile) -> Collateral:
    """Describe the collateral of a deal that has a risk block.

    Raises
    ------
    ValueError
        without a risk block
    """
    if file.risk is None:
        raise ValueError(MISSING)
    risk, deal, periods = file.risk, file.deal, file.periods
    years = deal.period_years * np.arange(1, periods + 1)
    undo = np.exp(risk.ageing * risk.base_depreciation * years)
    cost = listed(risk.operating_cost, periods, 0.0)
    rent = listed(deal.revenue, periods, np.nan) + cost
    return Collateral(
        contract=listed(risk.contract_revenue, periods, rent),
        market=listed(risk.market_revenue, periods, rent) * undo,
        cost=cost,
        value=listed(deal.market_value, periods, 0.0) * undo,
        appraisal=listed(deal.appraisal, periods, np.nan) * undo,
        disposal=listed(deal.disposal, periods, np.nan) * undo,
        default_rate=listed(deal.default_rate, periods, 0.0),
        recovery=listed(deal.recovery_price, periods, deal.recovery_rate),
        months=deal.period_years * MONTHS,
        **obligors(risk),
    )


def obligors(risk: Risk) -> dict[str, Any]:
    """Who pays: the fields of the collateral that come from the risk block alone."""
    guarantor = risk.guarantor
    return {
        "tenants": tuple(tenant.name for tenant in risk.tenants),
        "share": np.array([tenant.share for tenant in risk.tenants], dtype=float),
        "contract_end": np.array([tenant.contract_end for tenant in risk.tenants], dtype=np.int64),
        "default_probability": np.array([tenant.default_probability for tenant in risk.tenants], dtype=float),
        "vacancy": risk.vacancy,
        "ageing": risk.ageing,
        "base_depreciation": risk.base_depreciation,
        "guarantor": guarantor.name if guarantor else None,
        "guarantor_default_probability": guarantor.default_probability if guarantor else 0.0,
    }


def listed(values: Any, periods: int, otherwise: Any) -> np.ndarray:
    """A list by period (t,), or what stands for it where there is none."""
    return np.array(values[:periods], dtype=float) if values else np.full(periods, otherwise, dtype=float)
