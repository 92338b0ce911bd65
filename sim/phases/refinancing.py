"""Refinance: what matures is rolled over, and loans on units that have run for a while are taken out by cheaper channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import OPERATING
from sim.books.fleet import BEFORE
from sim.books.tables import Rows
from sim.markets.parts import SITE
from sim.phases import mandating
from sim.phases.dealing import coupons, engaged, holders, kinds, replace
from sim.phases.placing import advance, room
from sim.phases.pledging import advances, backings
from sim.phases.renewing import outlived, redeem
from sim.phases.renting import spot
from sim.phases.retaining import asked, keep
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import own_site_rents, units, used_value

if TYPE_CHECKING:
    from sim.economy import Economy

DUST = 1.0  # USD of debt below which nothing is refinanced


# -- at maturity -------------------------------------------------------------------------------------------------------


def _maturing(economy: Economy, region: str) -> np.ndarray:
    """Deals at their ARD or maturity, and those that found nobody to refinance them when they were."""
    rows = economy.rows(region, OPERATING)
    deals, state = economy.deals, economy.deals["state"]
    rows = rows[(state["age"][rows] + 1 >= deals["due"][rows]) | outlived(economy, rows)]
    return rows[(state["balance"][rows].sum(axis=1) > DUST) & ~state["in_default"][rows]]


def owed_by(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """USD that repays everything: notes, and this month's interest and fee beyond what the deal has."""
    deals = economy.deals
    state, terms = Rows(deals["state"], rows), Rows(deals["terms"], rows)
    interest, _ = deals.due_now(rows)
    fee = state["fee_arrears"] + terms["fee_fixed"] + terms["fee_rate"] * state["pool"] / MONTHS
    has = deals["collected"][rows] + state["reserve"] + state["trap"]
    margin = terms["ard_margin"] * ((terms["ard"] >= 0) & (state["age"] >= terms["ard"]))[:, None]
    deferred = state["deferred"] * (1.0 + (terms["coupon"] + margin) / MONTHS) + margin * state["balance"] / MONTHS
    due = interest.sum(axis=1) + deferred.sum(axis=1) + np.minimum(fee, terms["fee_cap"])
    return state["balance"].sum(axis=1) + np.maximum(due - has, 0.0)


def refinance(economy: Economy, region: str) -> None:
    """Lenders roll over what matures as far as what backs it carries it; sponsors fill the gap or let the deal default."""
    rows = _maturing(economy, region)
    if not len(rows):
        return
    market, p, deals = economy.tape[region], economy.params.sim.books.deals, economy.deals
    owed, ends = owed_by(economy, rows), outlived(economy, rows)
    redeem(economy, region, rows[ends], owed[ends])
    rows, owed = rows[~ends], owed[~ends]
    rate = advances(economy, region, market.advance_senior, market.advance_mezzanine)[:, 1]
    advanced = market.refinancing * rate * p.refinancing_advance
    unit = used_value(economy, region, rows, p.refinancing_stress, p.refinancing_years)
    lent = np.minimum(advanced[deals["channel"][rows]] * economy.fleet.deals["gpus"][rows] * unit, owed)
    lent[barred(economy, region)[deals["channel"][rows]]] = 0.0
    lent[lent < np.maximum(p.refinancing_least * owed, economy.params.agents.operators.least)] = 0.0
    gap = owed - lent
    paid = np.zeros(len(rows), dtype=bool)
    needed = gap + lent * asked(economy, region)[deals["channel"][rows]]
    for operator in economy.all("operator", region):
        own = deals["sponsor"][rows] == operator.party
        if own.any() and float(needed[own].sum()) <= operator.params.payoff * float(economy.ledger.cash(operator.party)):
            paid |= own
    rows, lent, gap = rows[paid], lent[paid], gap[paid]
    economy.ledger.pay("cure", deals["sponsor"][rows], deals["party"][rows], gap)
    again = lent > 0.0
    _roll(economy, region, rows[again], lent[again])
    deals.repay(rows, lent + gap)
    economy.note(region, refinancing=float(lent.sum()), support=float(gap.sum()))


def _roll(economy: Economy, region: str, old: np.ndarray, lent: np.ndarray) -> None:
    """New deals of the same channel repay ``old`` ones with ``lent`` USD."""
    if not len(old):
        return
    deals, p = economy.deals, economy.params.sim.books.deals
    kind = deals.kind(economy.regions.index(region), deals["channel"][old], refinancing=True)
    notes = lent[:, None] * deals.library.sizes(kind, p.refinancing_senior, 1.0)
    given = {"kind": kind, **{name: deals[name][old] for name in ("channel", "agency", "second", "backing")}}
    given["shares"] = keep(
        economy, region, holders(economy, region, None, len(old)), deals["sponsor"][old], given["channel"], notes
    )
    rows = replace(economy, region, old, notes, coupons(economy, region, kind), **given)
    economy.ledger.pay("takeout", deals["party"][rows], deals["party"][old], lent)


def barred(economy: Economy, region: str) -> np.ndarray:
    """Whether a rule keeps each channel (c,) from refinancing what matures."""
    closed = economy.tape[region].rules.barred
    return np.array([channel.name in closed for channel in economy.menus[region]])


# -- take-outs ---------------------------------------------------------------------------------------------------------


def take_out(economy: Economy, region: str) -> None:
    """Sponsors replace loans on units that have run for a while where a take-out is cheaper and repays all, by channel."""
    rows = settled(economy, region)
    for c, channel in enumerate(economy.menus[region]):
        if channel.use == "take_out" and len(rows):
            _take_out(economy, region, c, stabilised(economy, region, c, rows))


def settled(economy: Economy, region: str) -> np.ndarray:
    """Undisturbed deals of sponsors who close this month, none a take-out itself."""
    rows, deals = economy.rows(region, OPERATING), economy.deals
    closing = np.zeros(len(economy.ledger.members), dtype=bool)
    closing[[operator.party for operator in economy.all("operator", region) if operator.closes(economy.clock)]] = True
    rows = rows[closing[deals["sponsor"][rows]] & (deals["predecessor"][rows] < 0)]
    state = Rows(deals["state"], rows)
    good = (state["age"] + 1 < deals["due"][rows]) & ~state["in_default"] & ~state["trapped"]
    return rows[good]


def stabilised(economy: Economy, region: str, c: int, rows: np.ndarray) -> np.ndarray:
    """Of ``settled`` deals those whose units have run for long enough, let, with enough of their lives left for a take-out."""
    deals, service, channel = economy.deals, economy.params.sim.markets.compute.service_life, economy.menus[region][c]
    state, ordered = Rows(deals["state"], rows), economy.fleet.deals["vintage"][rows] - BEFORE
    known = np.zeros(len(economy.ledger.members), dtype=bool)
    known[deals["sponsor"][deals["channel"] == c]] = True
    wait = np.where(known[deals["sponsor"][rows]], channel.closing, channel.debut)
    ready = state["age"] >= channel.seasoning + wait
    ready &= service - (economy.clock - ordered) > deals.library.due[kinds(economy, region)[c]]
    return rows[ready & (state["balance"].sum(axis=1) > DUST) & ~deals["period"]["last"][rows]]


def _take_out(economy: Economy, region: str, c: int, rows: np.ndarray) -> None:
    deals, channel, left = economy.deals, economy.menus[region][c], room(economy, region)[c] if len(rows) else 0.0
    if left <= 0.0:
        return
    kind = np.repeat(kinds(economy, region)[c : c + 1], len(rows))
    coupon = coupons(economy, region, kind)
    notes, owed = offered(economy, region, c, rows, coupon), owed_by(economy, rows)
    kept = asked(economy, region)[c] * notes.sum(axis=1)
    good = _cheaper(economy, region, rows, notes, coupon, owed + kept)
    taken = np.where(good, notes.sum(axis=1), 0.0)
    good &= np.cumsum(taken) - taken < left  # the last may be more than a small market has room for
    rows, notes, coupon, kind, owed = rows[good], notes[good], coupon[good], kind[good], owed[good]
    if not len(rows):
        return
    lent, which = notes.sum(axis=1), np.full(len(rows), c)
    gap = np.maximum(owed - lent, 0.0)
    economy.ledger.pay("cure", deals["sponsor"][rows], deals["party"][rows], gap)
    given = {"kind": kind, "channel": which, **engaged(economy, region, deals["sponsor"][rows], which)}
    given["backing"] = backings(economy, region)[which]
    given["shares"] = keep(economy, region, holders(economy, region, which, len(rows)), deals["sponsor"][rows], which, notes)
    fresh = replace(economy, region, rows, notes, coupon, **given)
    economy.ledger.pay("takeout", deals["party"][fresh], deals["party"][rows], lent)
    deals.repay(rows, lent + gap)
    mandating.pay(economy, region, fresh)
    economy.note(region, support=total(gap), take_outs=total(lent), **{f"issuance_{channel.name}": total(lent)})


def _cheaper(
    economy: Economy, region: str, rows: np.ndarray, notes: np.ndarray, coupon: np.ndarray, owed: np.ndarray
) -> np.ndarray:
    """Whether a take-out with ``notes`` (n, 2) USD saves its sponsor (n,) money, who has the cash for what it does not repay."""
    deals, good = economy.deals, np.zeros(len(rows), dtype=bool)
    lent, asks = notes.sum(axis=1), (coupon * notes).sum(axis=1)
    pays = (deals["terms"]["coupon"][rows] * deals["state"]["balance"][rows]).sum(axis=1)
    asks, sponsor = asks + economy.params.sim.books.channels.saving * lent, deals["sponsor"][rows]
    for operator in economy.all("operator", region):
        own = np.flatnonzero(sponsor == operator.party)
        if not len(own):
            continue
        gap = owed[own] - lent[own]
        chosen = operator.takes_out(pays[own], asks[own], gap, float(economy.ledger.cash(operator.party)))
        good[own] = chosen & (lent[own] > 0.0) & (lent[own] >= operator.params.least)
    return good


def offered(economy: Economy, region: str, c: int, rows: np.ndarray, coupon: np.ndarray) -> np.ndarray:
    """Notes (n, 2) USD that a channel lends on let units, or the part of them that backs its deals.

    Its advance on their value, no more than rents cover with room.
    """
    channel, deals = economy.menus[region][c], economy.deals
    senior, debt = (rates[c] for rates in advance(economy, region))
    backing = np.repeat(backings(economy, region)[c], len(rows))
    value = _let_value(economy, region, rows, backing)
    kind = np.repeat(kinds(economy, region)[c : c + 1], len(rows))
    notes = value[:, None] * deals.library.sizes(kind, senior, debt)
    repaid = 1.0 - deals.library.target[kind, MONTHS]
    service = (notes * (coupon + repaid)).sum(axis=1)
    if channel.least_dscr > 0.0:
        most = _net_rent(economy, region, rows, backing) / channel.least_dscr
        notes = notes * np.minimum(np.divide(most, service, out=np.ones(len(rows)), where=service > 0.0), 1.0)[:, None]
    return notes * economy.tape[region].refinancing


def _let_value(economy: Economy, region: str, rows: np.ndarray, backing: np.ndarray) -> np.ndarray:
    """What let units (n,) are appraised at: as if free, and what their contracts pay above spot until they end; USD.

    Contracts pay for chips; a site that alone is ``backing`` (n,) has no part in them.
    """
    p, market, contracts = economy.params.sim.markets.compute, economy.tape[region], economy.contracts
    gpus, years = economy.fleet.deals["gpus"][rows], contracts["months"][rows] / MONTHS
    above = contracts["rent"][rows] - spot(economy, region, economy.fleet.deals["vintage"][rows]) * market.utilisation
    premium = p.cover * np.maximum(above, 0.0) * years * np.exp(-(market.base_rate + market.spread) * years / 2.0)
    premium = np.where(backing == SITE, 0.0, premium)
    return gpus * (used_value(economy, region, rows, 0.0, p.service_life / MONTHS, backing) + premium)


def _net_rent(economy: Economy, region: str, rows: np.ndarray, backing: np.ndarray) -> np.ndarray:
    """A year's rent (n,) less running cost, management and rent of sites, contracts and spot as they are now, USD.

    A site that alone is ``backing`` (n,) earns the rent that landlords would ask.
    """
    p, index = economy.params.sim.markets.compute, economy.regions.index(region)
    gpus, vintage = economy.fleet.deals["gpus"][rows], economy.fleet.deals["vintage"][rows]
    worth = spot(economy, region, vintage) * economy.tape[region].utilisation
    rent = p.cover * economy.contracts["rent"][rows] + (1.0 - p.cover) * worth
    net = gpus * np.maximum(rent - economy.fleet.running_cost[index, vintage], 0.0) * (1.0 - p.overhead)
    net = np.maximum(net - gpus * units(economy, region, rows, backing).site_rent, 0.0)
    return np.where(backing == SITE, own_site_rents(economy, rows), net)
