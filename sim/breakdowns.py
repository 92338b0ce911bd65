"""What the record splits: losses by kind of holder, installed units by age, deals by tenant."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import OPERATING
from sim.books.fleet import BEFORE
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy

AGES = ("gpus_1y", "gpus_2y", "gpus_3y", "gpus_4y", "gpus_5y", "gpus_older")  # since the order: the first, second, ... year


def losses_by_holder(economy: Economy, rows: np.ndarray, write_off: np.ndarray) -> dict[str, float]:
    """Principal of deals ``rows`` (n,) written off, (n, 2) USD, by kind of its holder; holders of no kind are banks."""
    hit = write_off.any(axis=1)
    lost = economy.deals.by_holder(rows[hit], write_off[hit])
    banks = np.ones(len(lost), dtype=bool)
    banks[list(itertools.chain(*economy.styles.values()))] = False
    kinds = {column.replace("held_by", "lost_by"): total(lost[slots]) for column, slots in economy.styles.items()}
    return kinds | {"lost_by_banks": total(lost[banks])}


def gpus_by_age(economy: Economy, region: str) -> dict[str, float]:
    """GPU that deals and clouds of a region have installed, by years since they were ordered."""
    fleet, i = economy.fleet, economy.regions.index(region)
    rows = economy.rows(region, OPERATING)
    vintages = np.add.reduce(fleet.gpus[fleet.cloud_region == i], axis=0)
    np.add.at(vintages, fleet.deals["vintage"][rows], fleet.deals["gpus"][rows])
    years = np.clip((economy.clock + BEFORE - np.arange(len(vintages))) // MONTHS, 0, len(AGES) - 1)
    return {name: total(vintages[years == year]) for year, name in enumerate(AGES)}


def tenants(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Kind and name (n,) of the tenants that deals have, or last had; None where a deal never had one."""
    members, known = economy.ledger.members, economy.contracts["tenant"][rows]
    names = [f"{members[p].kind} {members[p].name}" if p > 0 else None for p in known.tolist()]
    return np.array(names, dtype=object)
