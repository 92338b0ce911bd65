"""How clouds find cash: their other business, then bonds, sold to savers as needed or to investors for years.

And how failed operators do: new owners.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.ledger import WORLD
from sim.books.lending import borrow
from sim.markets.guarantees import room
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def fund_cloud(economy: Economy, region: str, cloud: Any, need: float) -> None:
    """Bring a cloud's cash to ``need`` USD by selling bonds."""
    short = need - float(economy.ledger.cash(cloud.party))
    if short > 0.0:
        issue_bonds(economy, region, cloud, short)


def other_business(economy: Economy, region: str, cloud: Any) -> float:
    """What a cloud's other business earns, USD/year."""
    p = cloud.params
    return float(getattr(p, region).core_earnings * math.exp(p.core_growth * economy.month / MONTHS) * cloud.weight)


def owed_with_orders(economy: Economy, cloud: Any) -> float:
    """A cloud's bonds and what its orders will still cost, USD."""
    return _unpaid(economy, cloud) - float(economy.ledger.balance(cloud.party, "bonds"))


def _unpaid(economy: Economy, cloud: Any) -> float:
    """What a cloud's orders will still cost, USD."""
    return total((economy.fleet.order_value - economy.fleet.paid)[cloud.slot])


def credit(economy: Economy, region: str, cloud: Any) -> float:
    """USD that a cloud can still borrow, as its debts are seen; no end without a limit."""
    owed = _known(economy, cloud) - float(economy.ledger.balance(cloud.party, "bonds"))
    return room(economy.params.sim.markets.guarantees, owed, other_business(economy, region, cloud))


def affords(economy: Economy, region: str, cloud: Any) -> float:
    """USD that a cloud can order this month: what its credit leaves beside unpaid orders, and what its other business brings."""
    left = max(credit(economy, region, cloud) - _unpaid(economy, cloud), 0.0)
    return left + other_business(economy, region, cloud) / MONTHS


def issue_bonds(economy: Economy, region: str, cloud: Any, amount: float) -> None:
    """A cloud sells bonds of ``amount`` USD at the spread that its leverage asks."""
    p, ledger = cloud.params, economy.ledger
    owed = -float(ledger.balance(cloud.party, "bonds"))
    spread = cloud.spread(owed + amount + _known(economy, cloud), other_business(economy, region, cloud))
    if p.bond_holders == "savers":
        ledger.provide("income", economy.outside["savers", region], amount)
    if p.bond_tenor == 0:
        ledger.pay("bond_issue", economy.outside["savers", region], cloud.party, amount)
    else:
        shares = _buyers(economy, region, cloud)
        slots, bank = economy.slots(region), economy.outside["banks", region]
        borrow(ledger, bank, economy.deals.investors[slots], amount * shares[slots])
        place, months = economy.regions.index(region), (economy.clock, economy.clock + p.bond_tenor)
        economy.bonds.issue(cloud.party, place, months, amount, economy.tape[region].base_rate + spread, shares)
    economy.note(region, issuance_bonds=amount, bond_spread=spread * amount)


def _known(economy: Economy, cloud: Any) -> float:
    """USD that a cloud stands behind beside its balance sheet, as far as its bondholders look and know."""
    disclosed = economy.tape[cloud.region].rules.disclosed
    return float(cloud.shown) if disclosed or economy.params.sim.markets.guarantees.seen == "all" else 0.0


def _buyers(economy: Economy, region: str, cloud: Any) -> np.ndarray:
    """Shares (i,) in which the holders of bonds take new ones: investors as they hold seniors, or savers."""
    shares = np.zeros(len(economy.bonds.holders))
    if cloud.params.bond_holders == "investors":
        shares[economy.slots(region)] = economy.allotment[region][0]
    else:
        shares[economy.bonds.holders == economy.outside["savers", region]] = 1.0
    return shares


def earn(economy: Economy, region: str, cloud: Any) -> None:
    """A month of the cloud's other business, and what its bonds ask."""
    p = cloud.params
    economy.ledger.pay("core_earnings", WORLD, cloud.party, other_business(economy, region, cloud) / MONTHS)
    if p.bond_tenor > 0:
        _service_bonds(economy, region, cloud)
        return
    owed = -float(economy.ledger.balance(cloud.party, "bonds"))
    spread = cloud.spread(owed + _known(economy, cloud), other_business(economy, region, cloud))
    coupon = owed * (economy.tape[region].base_rate + spread) / MONTHS
    fund_cloud(economy, region, cloud, coupon)
    economy.ledger.pay("coupon", cloud.party, economy.outside["savers", region], coupon)


def _service_bonds(economy: Economy, region: str, cloud: Any) -> None:
    """Coupons, and principal at the end; new bonds repay old ones where cash does not. Investors' coupons are income."""
    coupons, principal = economy.bonds.owed(cloud.party, economy.clock)
    fund_cloud(economy, region, cloud, total(coupons) + total(principal))
    economy.bonds.service(cloud.party, economy.clock, coupons, principal)
    economy.earned[economy.slots(region)] += coupons[economy.slots(region)]


def borrow_for(economy: Economy, region: str, cloud: Any, spending: float) -> None:
    """Bonds for part of a month's capital ``spending``, USD, that is much for other business; then for what cash lacks."""
    p = cloud.params
    beyond = spending - p.bond_from * other_business(economy, region, cloud) / MONTHS
    if (amount := min(p.bond_share * beyond, credit(economy, region, cloud))) > 0.0:
        issue_bonds(economy, region, cloud, amount)
    fund_cloud(economy, region, cloud, spending)


def rescue(economy: Economy, region: str, operator: Any, needed: float, text: str) -> None:
    """A failed operator changes hands: its owners lose all and new ones bring ``needed`` USD."""
    if operator.party not in economy.owners.held:
        return
    economy.owners.wipe_out(operator.party)
    economy.save(operator.party, region, needed)
    economy.note(region, operator_failures=1.0)
    economy.happens("failure", region, party=f"operator {operator.name}", amount=needed, text=text)


def distribute(economy: Economy, region: str, cloud: Any, spending: float) -> None:
    """Spare cash repays bonds that can be called first, then goes to savers; ``spending`` is USD/year of capital spending."""
    savers = economy.outside["savers", region]
    spare = cloud.spare(float(economy.ledger.cash(cloud.party)), spending)
    owed = -float(economy.ledger.balance(cloud.party, "bonds")) if cloud.params.bond_tenor == 0 else 0.0
    repaid = min(spare, cloud.params.bond_repayment * owed)
    economy.ledger.pay("bond_repaid", cloud.party, savers, max(repaid, 0.0))
    economy.ledger.pay("payout", cloud.party, savers, max(spare - max(repaid, 0.0), 0.0))


def weight_of_bonds(economy: Economy, region: str) -> float:
    """USD of investors' capacity that clouds' bonds take up."""
    weight = economy.params.agents.clouds.bond_weight
    return float(weight * total(economy.bonds.held()[economy.slots(region)])) if weight > 0.0 else 0.0
