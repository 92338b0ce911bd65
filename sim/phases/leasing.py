"""Site leases: signed with new deals, paid by the month by whoever uses the room and else by the operator, who may fail of them.

Deals pay their part of the rent out of what they earn, ahead of their notes; what they lack, and the rent of room that stands
empty, falls on their sponsor. A sponsor that fails rejects the leases of its empty room: the landlord's claim is capped, shares
in the cash that is left, and the rest is the landlord's loss. Off while ``leases.share`` is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.markets.leases import claim, own_share
from sim.phases.funding import rescue
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import site_rents

if TYPE_CHECKING:
    from sim.economy import Economy


def leasing(economy: Economy) -> bool:
    """Whether operators rent sites."""
    return economy.params.sim.markets.leases.share > 0.0


def paid_by_operators(economy: Economy) -> float:
    """Share of new capacity's cost that operators pay; landlords pay the rest."""
    p = economy.params.sim.markets
    return own_share(p.leases, p.hardware.hardware_share) if leasing(economy) else 1.0


def sign(economy: Economy, region: str, rows: np.ndarray) -> None:
    """New deals move into room that their sponsors rent and do not use; for the rest these rent more, and landlords build it."""
    if not leasing(economy):
        return
    p, deals, leases, i = economy.params.sim.markets, economy.deals, economy.leases, economy.regions.index(region)
    site, build = 1.0 - p.hardware.hardware_share, economy.params.agents.operators.build
    for row in rows.tolist():
        operator, needed = int(deals["sponsor"][row]), p.leases.share * float(deals["housed"][row])
        more = max(needed - _empty(economy, operator), 0.0)
        deals["leased"][row] = needed
        new = more - leases.take(i, more)
        rent, end = p.leases.rent * site * more, deals["delivery"][row] + p.leases.term
        begins = {"deal": row, "signed": economy.clock, "end": end, "works": site * new / build}
        leases.add(1, operator=operator, region=i, room=more, rent=rent, **begins)
        economy.note(region, leases_signed=rent)


def begin_leases(economy: Economy) -> None:
    """Leases begin with the delivery of what they are for."""
    economy.leases.begin(economy.clock, economy.deals["delivery"], economy.params.sim.markets.leases.term)


def pay_sites(economy: Economy, region: str, rows: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Rents (n,) that operating deals pay to landlords out of the cash ``free`` (n,) that they have earned, USD."""
    if not leasing(economy):
        return np.zeros(len(rows))
    due = site_rents(economy, rows) / MONTHS
    paid = np.clip(free, 0.0, due)
    economy.ledger.pay("site_rent", economy.deals["party"][rows], economy.outside["landlords", region], paid)
    return paid


def settle_leases(economy: Economy, region: str, sponsors: np.ndarray, paid: np.ndarray) -> None:
    """Sponsors pay what their deals (n,), which ``paid`` USD, left of the month's rents and what is overdue, or fail."""
    if not leasing(economy):
        return
    p, leases, ledger = economy.params.sim.markets.leases, economy.leases, economy.ledger
    landlord = economy.outside["landlords", region]
    for operator in economy.all("operator", region):
        rent = total(leases["rent"][leases.begun(operator.party)]) / MONTHS
        short = max(rent - total(paid[sponsors == operator.party]), 0.0)
        cash = max(float(ledger.cash(operator.party)), 0.0)
        now = min(short, cash)
        overdue = min(_overdue(economy, operator.party), cash - now)
        ledger.pay("site_rent", operator.party, landlord, now)
        ledger.pay("lease_claim", operator.party, landlord, overdue)
        ledger.accrue("claims", operator.party, landlord, short - now)
        economy.note(region, site_rents=rent - short + now, site_rents_empty=short, ebitda=-MONTHS * rent)
        if _overdue(economy, operator.party) > p.grace * rent > 0.0:
            economy.note(region, lease_failures=1.0)
            reject(economy, region, operator)
            size = economy.tape[region].levered_capacity * economy.tape[region].unit_cost * operator.weight
            rescue(economy, region, operator, operator.params.restart * size, "site rents unpaid; new owners")


def reject(economy: Economy, region: str, operator: Any) -> None:
    """A failed operator's empty room goes back; the landlord claims rents overdue and, capped, to come, of its cash."""
    if not leasing(economy):
        return
    leases, ledger, landlord = economy.leases, economy.ledger, economy.outside["landlords", region]
    own = leases.begun(operator.party)
    room = total(leases["room"][own])
    empty = min(max(_empty(economy, operator.party), 0.0) / room, 1.0) if room > 0.0 else 0.0
    left = leases["end"][own] - economy.clock
    damages = total(claim(economy.params.sim.markets.leases, empty * leases["rent"][own], left))
    forgone = total(empty * leases["rent"][own] * left / MONTHS)
    leases.give_back(own, empty)
    ledger.accrue("claims", operator.party, landlord, damages)
    owed = _overdue(economy, operator.party)
    paid = min(owed, max(float(ledger.cash(operator.party)), 0.0))
    ledger.pay("lease_claim", operator.party, landlord, paid)
    ledger.forgive("claims", operator.party, landlord, owed - paid)
    economy.note(region, lease_claims=owed, lease_claims_paid=paid, rents_rejected=forgone)


def age_leases(economy: Economy) -> None:
    """Rents rise and leases end; room still in use when one ends is rented anew; landlords build, write down and pay out."""
    if not leasing(economy):
        return
    p, deals = economy.params.sim.markets.leases, economy.deals
    economy.leases.index(economy.clock, p.term, p.indexation)
    deals["leased"][economy.fleet.deals["gpus"] == 0.0] = 0.0  # units that have gone leave their room empty
    for region in economy.regions:
        _renew(economy, region)
        _run_landlord(economy, region)


def _empty(economy: Economy, operator: int) -> float:
    """Room that an operator rents and no deal of its uses, USD."""
    deals, leases = economy.deals, economy.leases
    used = deals["leased"][(deals["sponsor"] == operator) & deals.among(BUILDING, OPERATING)]
    return total(leases["room"][leases.of(operator)]) - total(used)


def _overdue(economy: Economy, operator: int) -> float:
    return max(-float(economy.ledger.balance(operator, "claims")), 0.0)


def _renew(economy: Economy, region: str) -> None:
    """Leases at their end go back; what is still occupied is rented again, at today's rent for what it houses."""
    p, leases, i = economy.params.sim.markets, economy.leases, economy.regions.index(region)
    over = np.flatnonzero(
        (leases["region"] == i) & (leases["deal"] < 0) & (leases["end"] <= economy.clock) & (leases["room"] > 0.0)
    )
    leases.give_back(over, 1.0)
    for operator in set(leases["operator"][over].tolist()):
        room = leases.take(i, max(-_empty(economy, operator), 0.0))
        rent = p.leases.rent * (1.0 - p.hardware.hardware_share) * room
        end = economy.clock + p.leases.term
        leases.add(1, operator=operator, deal=-1, signed=economy.clock, end=end, region=i, room=room, rent=rent)


def _run_landlord(economy: Economy, region: str) -> None:
    """Rents pay for works first; savers put up what is missing and are paid what is left."""
    p, ledger, landlord = economy.params, economy.ledger, economy.outside["landlords", region]
    months, life = p.agents.operators.build, p.sim.markets.leases.site_life
    works, written = economy.leases.build(economy.regions.index(region), economy.clock, months, life)
    economy.save(landlord, region, works - float(ledger.cash(landlord)))
    ledger.pay("shell", landlord, economy.outside["suppliers", region], works)
    ledger.post(landlord, "profit", "fleet", written)
    ledger.pay("payout", landlord, economy.outside["savers", region], max(float(ledger.cash(landlord)), 0.0))
    economy.note(region, capex=works, capex_landlords=works)
