"""Close: outside accounts are squared, the books audited, the month recorded; the tape turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim import reports
from sim.books import audit
from sim.books.ledger import WORLD
from sim.phases.exposing import settle
from sim.phases.marking import unrelated
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def close(economy: Economy) -> None:
    """What outsiders earned leaves the region; books are checked; the record is written; the next month begins."""
    _square(economy)
    bonds = economy.bonds if economy.params.agents.clouds.bond_tenor > 0 else None
    lessors = np.concatenate([economy.parties("lessor", region) for region in economy.regions])
    landlords = [*(economy.outside["landlords", region] for region in economy.regions), *lessors.tolist()]
    property_ = np.concatenate([economy.leases.book, economy.fleet.equipment.owned(lessors)])
    books = (economy.ledger, economy.deals, economy.fleet, cloud_parties(economy))
    found = audit.gaps(*books, bonds, landlords, property_)
    found += [audit.contracts_gap(economy.ledger, _claims(economy, region)) for region in economy.regions]
    economy.residual = audit.check(found + settle(economy))
    if economy.month >= 0:
        reports.monthly(economy)
    economy.clock += 1
    if economy.clock == economy.months_total:
        reports.final(economy)
    economy.ledger.turn()
    economy.publish(month=economy.clock, years=max(economy.month, 0) / MONTHS)


def _claims(economy: Economy, region: str) -> np.ndarray:
    """By how much claims differ from contracts of protection and unrelated loans, USD."""
    protection, funds = economy.protection[region], economy.funds[region]
    gaps = protection.gaps()
    gaps[: len(protection.investors)] -= unrelated(economy, region)
    return np.concatenate([gaps, funds.gaps()])


def cloud_parties(economy: Economy) -> np.ndarray:
    """Numbers in the ledger of clouds and sovereigns, in the order of the fleet's rows."""
    clouds = [c for region in economy.regions for kind in ("cloud", "sovereign") for c in economy.all(kind, region)]
    return np.array([c.party for c in sorted(clouds, key=lambda c: c.slot)], dtype=np.int64)


def _square(economy: Economy) -> None:
    """Savers and suppliers spend what they hold, banks pass their margin on: deposits of outsiders return to zero."""
    spent = (("consumption", "savers"), ("consumption", "suppliers"), ("consumption", "utilities"), ("bank_margin", "banks"))
    for flow, kind in spent:
        for region in economy.regions:
            party = economy.outside[kind, region]
            economy.ledger.pay(flow, party, WORLD, max(float(economy.ledger.cash(party)), 0.0))
