"""Govern: sovereigns build at home, buy shares of operators, and buy used units and notes when these are cheap.

Their taxes come from the world. What they build serves users at home, who then ask less of the region's market; nobody pays
rent for it. Off while ``agents.sovereigns.count`` is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import OPERATING
from sim.markets import compute
from sim.phases.paying import Bill, pay_bills
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def plan(economy: Economy, region: str) -> None:
    """A month's budget: orders at home, whatever chips cost, and shares of the region's operators."""
    spent = economy.tape[region].spent
    for state in economy.all("sovereign", region):
        budget = state.plan(spent) / MONTHS
        amount = state.params.home * budget
        economy.fleet.order(state.slot, economy.clock, amount / _price(economy, region, state), amount)
        put_in = state.params.abroad * budget
        _raise(economy, state, put_in)
        for operator in economy.all("operator", region):
            economy.owners.invest(operator.party, state.party, put_in * operator.weight)
        economy.note(region, sovereign_budget=MONTHS * budget, sovereign_orders=amount, sovereign_stakes=put_in)


def _price(economy: Economy, region: str, state: Any) -> float:
    """USD of a unit as good as the region's newest, of the chips that its rules allow."""
    vendor = getattr(state.params, region).vendor
    return economy.tape[vendor].unit_cost * economy.tape[region].quality / economy.tape[vendor].quality


def _raise(economy: Economy, state: Any, need: float) -> None:
    """Taxes for what its cash lacks."""
    economy.ledger.provide("income", state.party, need)


def pay_states(economy: Economy, region: str, due: list[Bill]) -> None:
    """Progress payments for what sovereigns build, and the cost of running it."""
    fleet, suppliers = economy.fleet, economy.outside["suppliers", region]
    for state in economy.all("sovereign", region):
        bill = due[state.slot]
        running = total(fleet.gpus[state.slot] * fleet.running_cost[economy.regions.index(region)]) / MONTHS
        _raise(economy, state, float(bill.cost) + running)
        pay_bills(economy, region, state.party, bill)
        economy.ledger.pay("running_cost", state.party, suppliers, running)
        economy.note(region, capex_sovereigns=float(bill.cost))


def at_home(economy: Economy, region: str) -> float:
    """Part of a region's demand that home capacity serves: all whose data must stay there, as far as capacity goes."""
    states = economy.all("sovereign", region)
    if not states:
        return 0.0
    p, fleet = economy.params.sim.markets.compute, economy.fleet
    held = fleet.gpus[[state.slot for state in states]].sum(axis=0)
    used = np.flatnonzero(held)
    own = total(compute.effective(p, held[used], fleet.lag(economy.tape.frontier, used)))
    return min(getattr(states[0].params, region).residency, own / economy.tape[region].capacity)


def age_states(economy: Economy, written: np.ndarray) -> None:
    """Depreciation and retirement (cloud,) of what sovereigns own, USD, and what others spent in the month becomes known."""
    for region in economy.regions:
        facts = economy.facts[region]
        economy.publish(region, spent=facts.get("capex", 0.0) - facts.get("capex_sovereigns", 0.0))
        for state in economy.all("sovereign", region):
            economy.ledger.post(state.party, "profit", "fleet", float(written[state.slot]))


# -- in busts ----------------------------------------------------------------------------------------------------------


def bids(economy: Economy, region: str, price: float) -> list[float]:
    """Share of used units of ``price`` USD that each sovereign takes, as far as its chest goes."""
    market = economy.tape[region]
    return [min(state.takes(market), state.kept / price) if price > 0.0 else 0.0 for state in economy.all("sovereign", region)]


def buy_units(
    economy: Economy, region: str, shares: list[float], units: tuple[np.ndarray, np.ndarray, np.ndarray], sellers: np.ndarray
) -> None:
    """Sovereigns take their ``shares`` of deals' ``units``: GPU, vintage and price (n,) USD; ``sellers`` (n,) are the deals."""
    gpus, vintage, price = units
    for state, share in zip(economy.all("sovereign", region), shares, strict=True):
        if share > 0.0:
            cost = share * total(price)
            _raise(economy, state, cost)
            economy.ledger.pay("used_gpus", state.party, sellers, share * price)
            economy.fleet.take(state.slot, vintage, share * gpus, share * price)
            state.kept -= cost
            economy.note(region, sovereign_units=cost)


def buy_notes(economy: Economy, region: str) -> None:
    """Sovereigns buy slices of all that investors hold, at the marks; they carry them at par."""
    for state in economy.all("sovereign", region):
        wanted = state.buys_notes(economy.tape[region])
        if wanted > 0.0:
            state.kept -= _buy_slices(economy, region, state, wanted)


def _buy_slices(economy: Economy, region: str, state: Any, wanted: float) -> float:
    """One sovereign spends up to ``wanted`` USD on the same share of every note; USD spent."""
    deals, slots, rows = economy.deals, economy.slots(region), economy.rows(region, OPERATING)
    people, balance, prices = deals.investors[slots], deals["state"]["balance"][rows], deals["price"][rows]
    mine = int(np.flatnonzero(deals.investors == state.party)[0])
    held = deals["shares"][rows][:, :, slots]
    face = (balance[:, :, None] * held).sum(axis=(0, 1))
    worth = ((balance * prices)[:, :, None] * held).sum(axis=(0, 1))
    share = min(wanted / total(worth), 1.0) if total(worth) > 0.0 else 0.0
    _raise(economy, state, share * total(worth))
    economy.ledger.pay("note_sale", state.party, people, share * worth)
    economy.ledger.post(people, "notes", "marks", share * (worth - face))
    economy.ledger.post(state.party, "notes", "profit", share * (total(face) - total(worth)))
    economy.basis[slots] *= 1.0 - share
    deals["shares"][rows[:, None, None], np.arange(2)[None, :, None], slots[None, None, :]] = held * (1.0 - share)
    deals["shares"][rows[:, None], np.arange(2)[None, :], mine] += share * held.sum(axis=2)
    economy.note(region, sovereign_notes=share * total(worth))
    return share * total(worth)
