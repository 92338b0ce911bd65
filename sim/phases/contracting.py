"""What tenants and landlords settle between them before the month's rents are paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.markets import contracts
from sim.phases.renting import spot
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


def renegotiate(economy: Economy, region: str) -> None:
    """Tenants press landlords, the harder the faster they burn cash; where both meet, contracts above spot give way."""
    p, cover = economy.params.sim.markets.contracts, economy.params.sim.markets.compute.cover
    if p.renegotiation == 0.0:
        return
    rows = economy.rows(region, BUILDING, OPERATING)
    rows = rows[_meet(economy, region)[_places(economy, region, rows)]]
    rent, vintage = economy.contracts["rent"], economy.fleet.deals["vintage"][rows]
    given = contracts.conceded(p, rent[rows], spot(economy, region, vintage))
    rows, given = rows[given > 0.0], given[given > 0.0]
    rent[rows] -= given
    yearly = economy.fleet.deals["gpus"][rows] * cover * given
    economy.note(region, renegotiations=float(len(rows)), rent_conceded=total(yearly))
    if len(rows):
        economy.happens("renegotiation", region, deal=rows, party="deal", amount=yearly, text="rent cut towards spot")


def _places(economy: Economy, region: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Landlord among the operators and tenant among the labs of each of ``rows`` (n,)."""
    found = []
    for kind, column in (("operator", economy.deals["sponsor"]), ("lab", economy.contracts["tenant"])):
        people = economy.parties(kind, region)
        order = np.argsort(people)
        found.append(order[np.searchsorted(people, column[rows], sorter=order)])
    return found[0], found[1]


def _meet(economy: Economy, region: str) -> np.ndarray:
    """Whether each landlord and each tenant (operator, lab) renegotiate this month; every pair has its own draw."""
    labs, landlords = economy.all("lab", region), economy.keys("operator", region)
    burn, cash = np.array([lab.burn for lab in labs]), economy.ledger.cash(economy.parties("lab", region))
    chance = contracts.renegotiation_chance(economy.params.sim.markets.contracts, burn, cash)
    draws = [economy.streams.uniform("renegotiation", economy.clock, landlords, lab.number) for lab in labs]
    return np.stack(draws, axis=1) < chance
