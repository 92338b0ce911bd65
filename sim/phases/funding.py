"""How clouds find cash: their other business, then bonds sold to savers; and how failed operators do: new owners."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.books.ledger import WORLD
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def fund_cloud(economy: Economy, region: str, cloud: Any, need: float) -> None:
    """Bring a cloud's cash to ``need`` USD by selling bonds to savers."""
    short = need - float(economy.ledger.cash(cloud.party))
    if short > 0.0:
        savers = economy.outside["savers", region]
        economy.ledger.provide("income", savers, short)
        economy.ledger.pay("bond_issue", savers, cloud.party, short)
        economy.note(region, bonds=short)


def earn(economy: Economy, region: str, cloud: Any) -> None:
    """A month of the cloud's other business, and the coupon on its bonds."""
    p = cloud.params
    yearly = getattr(p, region).core_earnings * math.exp(p.core_growth * economy.month / MONTHS) * cloud.weight
    economy.ledger.pay("core_earnings", WORLD, cloud.party, yearly / MONTHS)
    owed = -float(economy.ledger.balance(cloud.party, "bonds"))
    coupon = owed * (economy.tape[region].base_rate + p.bond_spread) / MONTHS
    fund_cloud(economy, region, cloud, coupon)
    economy.ledger.pay("coupon", cloud.party, economy.outside["savers", region], coupon)


def rescue(economy: Economy, region: str, operator: Any, needed: float, text: str) -> None:
    """A failed operator changes hands: its owners lose all and new ones bring ``needed`` USD."""
    if operator.party not in economy.owners.held:
        return
    economy.owners.wipe_out(operator.party)
    economy.save(operator.party, region, needed)
    economy.note(region, operator_failures=1.0)
    economy.happens("failure", region, party=f"operator {operator.name}", amount=needed, text=text)


def distribute(economy: Economy, region: str, cloud: Any, spending: float) -> None:
    """Spare cash repays bonds first, then goes to savers; ``spending`` is USD/year of capital spending."""
    savers = economy.outside["savers", region]
    spare = cloud.spare(float(economy.ledger.cash(cloud.party)), spending)
    owed = -float(economy.ledger.balance(cloud.party, "bonds"))
    repaid = min(spare, cloud.params.bond_repayment * owed)
    economy.ledger.pay("bond_repaid", cloud.party, savers, max(repaid, 0.0))
    economy.ledger.pay("payout", cloud.party, savers, max(spare - max(repaid, 0.0), 0.0))
