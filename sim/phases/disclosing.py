"""Disclose: what sponsors owe on their balance sheets and beside them, who knows of it, and what lenders ask for it.

A company that owns one campus is on nobody's balance sheet where its tenant guarantees a value: neither the operator that owns its
equity nor the cloud that rents it shows its notes. Both stand behind them, the one by its cures, the other by rent and guarantee.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.markets import guarantees
from sim.phases import mandating, tenancy
from sim.phases.funding import other_business
from sim.sums import by_row
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


class Accounts(NamedTuple):
    """A region's sponsors of one kind, USD (s,) each; earnings are a year's."""

    earnings: np.ndarray
    reported: np.ndarray
    beside: np.ndarray
    guaranteed: np.ndarray


def disclose(economy: Economy) -> None:
    """Sponsors file a month's accounts; what they stand behind beside their balance sheets is known some time later."""
    for region in economy.regions:
        lag = 0 if economy.tape[region].rules.disclosed else economy.params.sim.markets.guarantees.lag
        for kind, accounts in (("operator", operators(economy, region)), ("cloud", clouds(economy, region))):
            for sponsor, *amounts in zip(economy.all(kind, region), *(a.tolist() for a in accounts), strict=True):
                sponsor.file(*amounts, lag)


def operators(economy: Economy, region: str) -> Accounts:
    """Operators report the notes of deals that are theirs alone; companies with a guaranteed value and site leases are beside."""
    people, deals = economy.parties("operator", region), economy.deals
    rows = economy.sponsored("operator", region, economy.rows(region, BUILDING, OPERATING))
    place, owed = economy.places("operator", region, deals["sponsor"][rows]), notes(economy, rows)
    apart = _apart(economy, region, rows)

    def by_sponsor(amounts: np.ndarray) -> np.ndarray:
        return np.bincount(place, amounts, len(people))

    leases = economy.leases
    rent = np.where(leases["region"] == economy.regions.index(region), leases["rent"], 0.0)
    rents = present_value(economy, region, rent, leases["end"] - economy.clock)
    sites = np.array([float(rents[leases["operator"] == party].sum()) for party in people])
    return Accounts(
        by_sponsor(deals["collected"][rows]) * MONTHS,
        by_sponsor(owed * ~apart),
        by_sponsor(owed * apart) + sites,
        np.zeros(len(people)),
    )


def clouds(economy: Economy, region: str) -> Accounts:
    """Clouds report their bonds; notes of companies whose value they guarantee, and rents of what else they let, are beside."""
    people, rows = economy.all("cloud", region), economy.rows(region, BUILDING, OPERATING)
    deals, contract, cover = economy.deals, economy.contracts, economy.params.sim.markets.compute.cover
    strike = np.where(deals["state"]["guarantee_called"][rows], 0.0, deals["terms"]["guarantee_strike"][rows])
    rent = economy.fleet.deals["gpus"][rows] * cover * contract["rent"][rows]
    rents = present_value(economy, region, rent, contract["months"][rows])
    behind = np.where(strike > 0.0, notes(economy, rows), rents)
    own = [contract["tenant"][rows] == cloud.party for cloud in people]
    return Accounts(
        np.array([other_business(economy, region, cloud) for cloud in people]),
        np.array([-float(economy.ledger.balance(cloud.party, "bonds")) for cloud in people]),
        np.array([float(behind[let].sum()) for let in own]),
        np.array([float(strike[let].sum()) for let in own]),
    )


def notes(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Notes (n,) that deals owe or may still draw, USD."""
    return by_row(economy.deals["state"]["balance"][rows] + economy.deals["undrawn"][rows])


def _apart(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """Whether deals (n,) are companies of their own, with a guaranteed value."""
    kept = np.array([channel.guarantee > 0.0 for channel in economy.menus[region]])
    return kept[economy.deals["channel"][rows]]


def present_value(economy: Economy, region: str, rent: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Worth (n,) of ``rent`` (n,) USD/year that is due for ``months`` (n,), at the region's cost of debt; USD."""
    rate = (economy.tape[region].base_rate + economy.tape[region].spread) / MONTHS
    left = np.maximum(months, 0)
    annuity = -np.expm1(-left * np.log1p(rate)) / rate if rate > 0.0 else left.astype(float)
    return rent / MONTHS * annuity


# -- who looks ---------------------------------------------------------------------------------------------------------


def looked_at(economy: Economy, region: str) -> str:
    """What a region's agencies and lenders look at: all, where a rule makes sponsors say it."""
    seen: str = economy.params.sim.markets.guarantees.seen
    return "all" if economy.tape[region].rules.disclosed else seen


def seen(economy: Economy, kind: str, region: str) -> np.ndarray:
    """Debts over a year's earnings (s,) of sponsors, as far as others know of them."""
    whole, people = looked_at(economy, region) == "all", economy.all(kind, region)
    owed = [sponsor.reported + (sponsor.shown if whole else 0.0) for sponsor in people]
    years: np.ndarray = guarantees.leverage(owed, [sponsor.earnings for sponsor in people])
    return years


def default_probabilities(economy: Economy, region: str) -> np.ndarray:
    """Of a region's clouds (c,) as agencies see them, 1/year."""
    p, usual = economy.params.sim.markets.guarantees, economy.params.sim.books.channels.anchor_default
    count = len(economy.all("cloud", region))
    if looked_at(economy, region) == "nothing":
        return np.full(count, usual)
    return guarantees.default_probability(p, usual, seen(economy, "cloud", region))


def charge(economy: Economy, region: str, rows: np.ndarray) -> None:
    """Lenders add to coupons of new deals what they ask for sponsors' debts, tenants' credit and agencies' letters."""
    p, deals, added = economy.params.sim.markets.guarantees, economy.deals, tenancy.premium(economy, region, rows)
    added += mandating.distrust(economy, region, rows)
    if looked_at(economy, region) != "nothing":
        premium = guarantees.premium(p, seen(economy, "operator", region))
        added += premium[economy.places("operator", region, deals["sponsor"][rows])]
    deals["surcharge"][rows] += added
    deals["terms"]["coupon"][rows] += added[:, None]
