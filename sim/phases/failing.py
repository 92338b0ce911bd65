"""Fail: a cloud that cannot pay what it guaranteed, or a tenant by script. Every deal that counted on it shows it.

A failed cloud's contracts fall to spot and its guarantees are void. Its units are booked at what they would fetch, its bonds cut to
what it then has, or to a least share, and its owners lose the rest; new owners run on what is left. Labs fail in ``using``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.books.tables import Rows
from sim.phases.funding import credit
from sim.phases.renting import spot
from sim.sums import total
from sim.valuing import used_prices

if TYPE_CHECKING:
    from sim.economy import Economy


def rented(economy: Economy, region: str, tenants: np.ndarray) -> np.ndarray:
    """Rows of deals that ``tenants`` rent."""
    rows = economy.rows(region, BUILDING, OPERATING)
    return rows[np.isin(economy.contracts["tenant"][rows], tenants)]


def check_guarantors(economy: Economy, region: str) -> None:
    """Clouds that lack the cash and the credit for the guarantees that this month's sales call fail before they pay any."""
    p = economy.params.sim.markets.guarantees
    for cloud in economy.all("cloud", region) if p.limit > 0.0 else []:
        due = calls(economy, rented(economy, region, np.array([cloud.party])))
        able = max(float(economy.ledger.cash(cloud.party)), 0.0) + credit(economy, region, cloud)
        if due > able:
            fail_cloud(economy, region, cloud, "guarantees called beyond its means; contracts reset to spot")


def calls(economy: Economy, rows: np.ndarray) -> float:
    """What deals that are sold at the next pay date will claim of their guarantor, USD."""
    deals = economy.deals
    state, terms = Rows(deals["state"], rows), Rows(deals["terms"], rows)
    sold = state["in_default"] & (state["periods_to_sale"] <= 1) & ~state["guarantee_called"]
    short = np.maximum(terms["guarantee_strike"] - deals["period"]["market_value"][rows], 0.0)
    return total(np.where(sold & (terms["guarantee_strike"] > 0.0), np.minimum(short, terms["guarantee_cap"]), 0.0))


def fail_cloud(economy: Economy, region: str, cloud: Any, text: str) -> None:
    """A cloud fails: tenant, guarantor and debtor at once."""
    deals, rows = economy.deals, rented(economy, region, np.array([cloud.party]))
    void = np.where(deals["state"]["guarantee_called"][rows], 0.0, deals["terms"]["guarantee_strike"][rows])
    deals["terms"]["guarantee_strike"][rows] = 0.0
    fall, worth = reset(economy, region, rows), float(economy.ledger.net_worth(cloud.party))
    _start_afresh(economy, region, cloud)
    economy.note(region, cloud_failures=1.0, guarantees_void=total(void), bond_losses=_cut_bonds(economy, region, cloud))
    economy.owners.wipe_out(cloud.party)
    lost = max(worth - float(economy.ledger.net_worth(cloud.party)), 0.0)
    economy.happens("failure", region, party=f"cloud {cloud.name}", amount=lost, text=text)
    show(economy, region, rows, f"cloud {cloud.name}", fall)
    hit = rows[void > 0.0]
    if len(hit):
        words = {"party": f"cloud {cloud.name}", "text": "its guarantee is void"}
        economy.happens("failure", region, deal=hit, amount=void[void > 0.0], **words)


def reset(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """Contracts of failed tenants fall to spot; USD/year (n,) of rent that deals lose."""
    economy.failed.update(economy.contracts["tenant"][rows].tolist())
    cover, before = economy.params.sim.markets.compute.cover, economy.contracts["rent"][rows].copy()
    gpus, vintage = (economy.fleet.deals[name][rows] for name in ("gpus", "vintage"))
    economy.contracts.reset(rows, spot(economy, region, vintage))
    return gpus * cover * (before - economy.contracts["rent"][rows])


def traced(economy: Economy) -> bool:
    """Whether what a lab's failure does to deals goes on record; it always does for a cloud's."""
    p = economy.params.sim.markets
    return bool(p.failures.region) or p.tenants.concentration > 0.0


def show(economy: Economy, region: str, rows: np.ndarray, party: str, fall: np.ndarray) -> None:
    """Deals (n,) of a failed tenant: the rent that each loses goes on record, and agencies watch them."""
    if len(rows):
        economy.deals["streak"][rows] = economy.params.sim.ratings.reviews - 1  # one review that finds less moves the letter
        economy.happens("failure", region, deal=rows, party=party, amount=fall, text="its tenant has failed")
    economy.note(region, deals_hit=float(len(rows)), rent_lost=total(fall))


def _start_afresh(economy: Economy, region: str, cloud: Any) -> None:
    """A failed cloud books its installed units at what they would fetch now."""
    written = economy.fleet.write_down(cloud.slot, _fetched(economy, region, cloud))
    economy.ledger.post(cloud.party, "profit", "fleet", written)


def _fetched(economy: Economy, region: str, cloud: Any) -> np.ndarray:
    """What a cloud's installed units would fetch now, USD (vintage,)."""
    fleet = economy.fleet
    return np.asarray(fleet.gpus[cloud.slot] * used_prices(economy, region, np.arange(len(fleet.frontier))))


def recovered(economy: Economy, region: str, cloud: Any) -> float:
    """Share of a cloud's bonds that it covers by cash, shares of labs, works, and units at today's prices.

    Or ``bond_recovery`` if that is more.
    """
    fleet, ledger = economy.fleet, economy.ledger
    owed, stakes = -float(ledger.balance(cloud.party, "bonds")), float(ledger.balance(cloud.party, "stakes"))
    units = np.minimum(fleet.book[cloud.slot], _fetched(economy, region, cloud))
    has = float(ledger.cash(cloud.party)) + stakes + float(fleet.paid[cloud.slot].sum()) + float(units.sum())
    return max(min(has / owed, 1.0), economy.params.sim.markets.failures.bond_recovery) if owed > 0.0 else 1.0


def _cut_bonds(economy: Economy, region: str, cloud: Any) -> float:
    """Holders lose what is not ``recovered``; USD."""
    ledger, share = economy.ledger, 1.0 - recovered(economy, region, cloud)
    if cloud.params.bond_tenor == 0:
        lost = -share * float(ledger.balance(cloud.party, "bonds"))
        ledger.forgive("bonds", cloud.party, economy.outside["savers", region], lost)
        return lost
    losses = economy.bonds.write_down(cloud.party, share)
    economy.earned[economy.slots(region)] -= losses[economy.slots(region)]
    return total(losses)


# -- by script ---------------------------------------------------------------------------------------------------------


def largest_tenant(economy: Economy, region: str, kinds: tuple[str, ...]) -> int:
    """The party of some ``kinds`` that owes most contract rent; -1 where nobody owes any."""
    rows = economy.rows(region, BUILDING, OPERATING)
    rent = economy.fleet.deals["gpus"][rows] * economy.contracts["rent"][rows]
    people = np.concatenate([economy.parties(kind, region) for kind in kinds])
    owed = [total(rent[economy.contracts["tenant"][rows] == party]) for party in people]
    return int(people[int(np.argmax(owed))]) if max(owed, default=0.0) > 0.0 else -1


def fail_by_script(economy: Economy, region: str) -> np.ndarray:
    """In the month of the script its tenant fails: a cloud here; whether each lab (l,) is the one."""
    p, labs = economy.params.sim.markets.failures, economy.parties("lab", region)
    if region != p.region or economy.month != p.month:
        return np.zeros(len(labs), dtype=bool)
    kinds = {"largest": ("lab", "cloud"), "largest_lab": ("lab",), "largest_cloud": ("cloud",)}[p.tenant]
    party = largest_tenant(economy, region, kinds)
    for cloud in economy.all("cloud", region):
        if cloud.party == party:
            fail_cloud(economy, region, cloud, "by script; contracts reset to spot")
    return labs == party
