"""Vendor support: equity for orders, and unsold hours bought back until the vendor's own limit; then everybody is alone at once.

What the vendor puts into an operator must go into deals that close now; what it puts into a lab counts as its raise and goes into
compute. Lenders count on hours that the vendor takes back for as long as it has taken all that it agreed to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


def equip(economy: Economy, region: str, operator: Any, needs: dict[str, float]) -> float:
    """The vendor buys shares of an operator that lacks equity for what is ready; USD, which its request must contain.

    ``needs`` is the equity that lenders leave to be found, by channel, per USD of cost.
    """
    taken = 0.0
    for vendor, offer in _offers(economy, region):
        part = operator.params.closing * operator.weight * (1.0 - vendor.params.support.labs) * offer
        short = operator.short_of_equity(needs, float(economy.ledger.cash(operator.party)))
        amount = min(part, short, float(economy.ledger.cash(vendor.party)))
        economy.owners.invest(operator.party, vendor.party, amount)
        economy.note(region, vendor_equity=amount)
        taken += amount
    return taken


def circular(economy: Economy, region: str, tied: np.ndarray, own: np.ndarray, closed: np.ndarray) -> None:
    """Put on record the orders, of those ``closed`` (operator, channel), that vendors' equity carried, with the debt beside it.

    ``tied`` (operator,) is theirs, USD, of what operators could put up, ``own`` (operator,).
    """
    if tied.any():
        part = np.divide(tied, own, out=np.zeros(len(own)), where=own > 0.0)
        economy.note(region, circular_orders=total((part[:, None] * closed).ravel()))


def back(economy: Economy, region: str, lab: Any, raised: float) -> float:
    """What a lab raises a year per unit of its bill, with the vendor's equity beside the ``raised``."""
    offer = sum(vendor.params.support.labs * lab.weight * amount for vendor, amount in _offers(economy, region))
    return float(lab.accept(offer, raised))


def buy_back(economy: Economy, region: str, rows: np.ndarray, spot: np.ndarray) -> np.ndarray:
    """Vendors pay deals ``rows`` (n,) for hours that stand beside those sold at ``spot`` (n,) USD; USD (n,)."""
    paid, use = np.zeros(len(rows)), economy.tape[region].utilisation
    for vendor in economy.all("vendor", ""):
        _end(economy, region, vendor)
        if vendor.params.support.buy_back == 0.0 or not vendor.stands_by(economy.month):
            continue
        unsold = spot * (1.0 - use) / use if use > 0.0 else np.zeros(len(rows))
        amount = vendor.takes_back(region, total(unsold), float(economy.ledger.cash(vendor.party)))
        vendor.remember(region, amount)
        agreed = vendor.params.support.buy_back * total(unsold)
        part = amount / agreed if agreed > 0.0 else 1.0
        _announce(economy, region, vendor, part, agreed - amount)
        mine = part * vendor.params.support.buy_back * unsold
        economy.ledger.pay("buy_back", vendor.party, economy.deals["party"][rows], mine)
        economy.note(region, unsold=total(unsold), bought_back=total(mine))
        paid += mine
    return paid


def let(economy: Economy, region: str) -> float:
    """Share of spot capacity that is paid for, as lenders count it: used, or taken back by a vendor who honours all claims."""
    use = economy.tape[region].utilisation
    for vendor in economy.all("vendor", ""):
        if vendor.honours.get(region, 0.0) == 1.0 and vendor.stands_by(economy.month):
            use += vendor.params.support.buy_back * (1.0 - use)
    return use


def _offers(economy: Economy, region: str) -> list[tuple[Any, float]]:
    """Vendors who support customers, and the equity that each has to offer this month, USD."""
    return [
        (vendor, vendor.offers(region, float(economy.ledger.cash(vendor.party))))
        for vendor in economy.all("vendor", "")
        if vendor.params.support.invested > 0.0 and vendor.stands_by(economy.month)
    ]


def _end(economy: Economy, region: str, vendor: Any) -> None:
    """The end of a vendor's support is an event."""
    p = vendor.params.support
    if economy.month == p.until and max(p.invested, p.buy_back) > 0.0:
        economy.happens("withdrawal", region, party="vendor", amount=0.0, text="all support ends")


def _announce(economy: Economy, region: str, vendor: Any, part: float, short: float) -> None:
    """So is the first month in which it pays less than agreed, by ``short`` USD."""
    before, vendor.honours[region] = vendor.honours.get(region, 1.0), part
    if part < before == 1.0:
        economy.happens("withdrawal", region, party="vendor", amount=short, text="unsold hours beyond the vendor's limit")
