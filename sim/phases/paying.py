"""How orders are paid: in equal parts over a fixed time to build, or by stage to builders, utilities and the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.books.fleet import BEFORE
from sim.markets.construction import installments
from sim.phases.leasing import leasing
from sim.phases.siting import staged
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


class Bill(NamedTuple):
    """What is due this month, USD: (n,) by order, or one number."""

    cost: np.ndarray
    builders: np.ndarray
    utilities: np.ndarray
    vendor: np.ndarray
    hardware: float  # USD to the vendor in all


def bills(economy: Economy, rows: np.ndarray) -> tuple[Bill, np.ndarray]:
    """Bills of deals under construction ``rows`` (n,), and what is drawn on their notes (n, 2) for them."""
    deals, months = economy.deals, economy.params.agents.operators.build
    budget, commitment, hardware = deals["budget"][rows], deals["commitment"][rows], vendor_share(economy, rows)
    if not staged(economy):
        return _equal(economy, budget / months, hardware), commitment / months
    clock, issued = economy.clock, deals["issued"][rows]
    parts = _shares(economy, hardware, clock - issued, deals["delivery"][rows] - clock)
    parts[issued < 0] = np.array(_split(economy)) / months  # under way at the start: in equal parts
    return _by_stage(budget[:, None] * parts), commitment * parts.sum(axis=1)[:, None]


def cloud_bills(economy: Economy) -> list[Bill]:
    """Bills of clouds, in the order of the fleet's rows; books what is paid on their orders."""
    fleet, months, whole = economy.fleet, economy.params.agents.operators.build, economy.params.sim.markets.hardware.hardware_share
    if not staged(economy):
        return [_equal(economy, due, whole) for due in fleet.progress(months)]
    ordered, clock = np.arange(len(fleet.frontier)) - BEFORE, economy.clock
    found = []
    for cloud, delivery in enumerate(economy.sites.delivery):
        parts = _shares(economy, whole, clock - ordered, delivery - clock)
        parts[ordered < 0] = np.array(_split(economy)) / months
        due = fleet.order_value[cloud][:, None] * parts
        fleet.paid[cloud] += due.sum(axis=1)
        found.append(_by_stage(due.sum(axis=0)))
    return found


def whole_bill(economy: Economy, cost: float) -> Bill:
    """A bill of ``cost`` USD for units that are all their buyer's."""
    return _equal(economy, np.asarray(cost), economy.params.sim.markets.hardware.hardware_share)


def pay_bills(economy: Economy, region: str, payers, bill: Bill) -> None:
    """Pay vendor, builders and utilities for hardware, shells and power."""
    economy.ledger.pay("hardware", payers, economy.outside["vendor", ""], bill.vendor)
    economy.ledger.pay("shell", payers, economy.outside["suppliers", region], bill.builders)
    if staged(economy):
        economy.ledger.pay("grid", payers, economy.outside["utilities", region], bill.utilities)
    economy.note(region, capex=float(np.sum(bill.cost)), vendor_revenue=bill.hardware)


def vendor_share(economy: Economy, rows: np.ndarray) -> Any:
    """The vendor's share of deals' own budgets: more where landlords pay for the site; one number where they never do."""
    share = economy.params.sim.markets.hardware.hardware_share
    if not leasing(economy):
        return share
    housed, budget = economy.deals["housed"][rows], economy.deals["budget"][rows]
    return share * np.where(housed > 0.0, housed / budget, 1.0)


def _equal(economy: Economy, cost: np.ndarray, hardware: Any) -> Bill:
    vendor = hardware * cost
    paid = hardware * float(np.sum(cost)) if np.ndim(hardware) == 0 else total(vendor)
    return Bill(cost, (1.0 - hardware) * cost, np.zeros_like(cost), vendor, paid)


def _split(economy: Economy) -> tuple[float, float, float]:
    """Shares of all cost that go to builders, utilities and the vendor."""
    p = economy.params.sim.markets
    hardware, grid = p.hardware.hardware_share, p.construction.grid_share
    return 1.0 - hardware - grid, grid, hardware


def _shares(economy: Economy, hardware: Any, since: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Shares (n, 3) of orders' cost that are due to builders, utilities and the vendor, who gets ``hardware`` in all."""
    _, grid, usual = _split(economy)
    build, p = economy.params.agents.operators.build, economy.params.sim.markets.construction
    return installments(p, build, hardware, (1.0 - hardware) * grid / max(1.0 - usual, 1e-12), since, until)


def _by_stage(due: np.ndarray) -> Bill:
    """A bill of what is ``due`` (..., 3) to builders, utilities and the vendor."""
    builders, utilities, vendor = np.moveaxis(due, -1, 0)
    return Bill(due.sum(axis=-1), builders, utilities, vendor, total(np.atleast_1d(vendor)))
