"""Issue: maturing debt is refinanced and ready plans become deals, on the terms of the last clearing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING, CHANNELS, OPERATING
from sim.books.fleet import BEFORE
from sim.books.lending import borrow
from sim.markets.parts import pledged
from sim.phases.contracting import prepay
from sim.phases.leasing import sign
from sim.phases.pledging import advances, backings, pledges
from sim.phases.renewing import outlived, redeem
from sim.phases.siting import staged
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import used_value

if TYPE_CHECKING:
    from sim.economy import Economy

DUST = 1.0  # USD of debt below which nothing is refinanced


def issue(economy: Economy) -> None:
    """Close deals: refinance what matures, fund what is ready; investors commit, sponsors put equity in escrow."""
    running = np.array([economy.tape[r].running_cost for r in economy.regions])
    economy.fleet.record(economy.clock, economy.tape.frontier, running)
    for region in economy.regions:
        _refinance(economy, region)
        _fund(economy, region)


def coupons(economy: Economy, region: str, kind: np.ndarray) -> np.ndarray:
    """Senior and mezzanine coupons (n, 2) of deals that follow templates ``kind`` and close now, 1/year."""
    market = economy.tape[region]
    middle = market.base_rate + market.spread
    return np.maximum(middle + economy.deals.margins(economy.params.sim.books.deals, kind), 0.0)


# -- refinancing -------------------------------------------------------------------------------------------------------


def _maturing(economy: Economy, region: str) -> np.ndarray:
    """Deals at their ARD or maturity, and those that found nobody to refinance them when they were."""
    rows = economy.rows(region, OPERATING)
    deals, state = economy.deals, economy.deals["state"]
    rows = rows[(state["age"][rows] + 1 >= deals["due"][rows]) | outlived(economy, rows)]
    return rows[(state["balance"][rows].sum(axis=1) > DUST) & ~state["in_default"][rows]]


def _owed(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """USD that repays everything: notes, and this month's interest and fee beyond what the deal has."""
    deals = economy.deals
    state, terms = deals["state"][rows], deals["terms"][rows]
    interest, _ = deals.due_now(rows)
    fee = state["fee_arrears"] + terms["fee_fixed"] + terms["fee_rate"] * state["pool"] / MONTHS
    has = deals["collected"][rows] + state["reserve"] + state["trap"]
    margin = terms["ard_margin"] * ((terms["ard"] >= 0) & (state["age"] >= terms["ard"]))[:, None]
    deferred = state["deferred"] * (1.0 + (terms["coupon"] + margin) / MONTHS) + margin * state["balance"] / MONTHS
    due = interest.sum(axis=1) + deferred.sum(axis=1) + np.minimum(fee, terms["fee_cap"])
    return state["balance"].sum(axis=1) + np.maximum(due - has, 0.0)


def _refinance(economy: Economy, region: str) -> None:
    rows = _maturing(economy, region)
    if not len(rows):
        return
    market, p, deals = economy.tape[region], economy.params.sim.books.deals, economy.deals
    rate = advances(economy, region, market.advance_senior, market.advance_mezzanine)[:, 1]
    advance = market.refinancing * rate * p.refinancing_advance
    unit = used_value(economy, region, rows, p.refinancing_stress, p.refinancing_years)
    owed, ends = _owed(economy, rows), outlived(economy, rows)
    redeem(economy, region, rows[ends], owed[ends])
    rows, unit, owed = rows[~ends], unit[~ends], owed[~ends]
    lent = advance[deals["channel"][rows]] * economy.fleet.deals["gpus"][rows] * unit
    lent = np.where(lent >= p.refinancing_least * owed, np.minimum(lent, owed), 0.0)
    gap = owed - lent
    paid = np.zeros(len(rows), dtype=bool)
    for operator in economy.all("operator", region):
        own = deals["sponsor"][rows] == operator.party
        if own.any() and float(gap[own].sum()) <= operator.params.payoff * float(economy.ledger.cash(operator.party)):
            paid |= own
    rows, lent, gap = rows[paid], lent[paid], gap[paid]
    economy.ledger.pay("cure", deals["sponsor"][rows], deals["party"][rows], gap)
    deals["period"]["principal_cash"][rows] = lent + gap
    deals["period"]["last"][rows] = True  # the old deal ends: its accounts pay what is owed
    again = lent > 0.0
    _take_out(economy, region, rows[again], lent[again])
    economy.note(region, refinancing=float(lent.sum()), support=float(gap.sum()))


def _take_out(economy: Economy, region: str, old: np.ndarray, lent: np.ndarray) -> None:
    """New deals repay ``old`` ones with ``lent`` USD; the units follow once the old notes are gone."""
    if not len(old):
        return
    deals, p = economy.deals, economy.params.sim.books.deals
    kind = deals.kind(economy.regions.index(region), deals["channel"][old], refinancing=True)
    notes = lent[:, None] * deals.library.sizes(kind, p.refinancing_senior, 1.0)
    rows = deals.close(
        region,
        kind,
        coupons(economy, region, kind),
        _pool(economy, region, old),
        sponsor=deals["sponsor"][old],
        region=deals["region"][old],
        channel=deals["channel"][old],
        agency=deals["agency"][old],
        predecessor=old,
        backing=deals["backing"][old],
        housed=deals["housed"][old],
        issued=economy.clock,
        delivery=-1,
        stage=BUILDING,
        commitment=notes,
        shares=_shares(economy, region, len(old)),
    )
    economy.fleet.deals.add(len(old), vintage=economy.fleet.deals["vintage"][old])
    economy.contracts.add(len(old))
    draw(economy, region, rows, notes)
    economy.ledger.pay("takeout", deals["party"][rows], deals["party"][old], lent)


def _pool(economy: Economy, region: str, rows: np.ndarray) -> np.ndarray:
    """Cost (n,) of what backs deals, USD."""
    hardware, own = economy.params.sim.markets.hardware.hardware_share, economy.tape[region].own_share
    return pledged(economy.deals["backing"][rows], hardware, own) * economy.fleet.deals["cost"][rows]


# -- new deals ---------------------------------------------------------------------------------------------------------


def _fund(economy: Economy, region: str) -> None:
    market, deals = economy.tape[region], economy.deals
    senior = economy.transmit("leverage_senior", region, market.advance_senior)
    debt = economy.transmit("leverage_mezzanine", region, market.advance_mezzanine)
    kind = deals.kind(economy.regions.index(region), np.arange(len(CHANNELS)))
    pledge, lent = pledges(economy, region), advances(economy, region, senior, debt)
    sizes, coupon = pledge[:, None] * deals.library.sizes(kind, *lent.T), coupons(economy, region, kind)
    own_share = market.own_share * (1.0 - pledge * lent[:, 1] + deals.library.reserve(kind, sizes, coupon))
    wanted, share = _funded_share(economy, region, pledge * lent[:, 1], own_share)
    amounts = np.where(np.isnan(share), 0.0, wanted * share)
    operators = economy.all("operator", region)
    for operator, row, was in zip(operators, amounts, wanted, strict=True):
        for channel, amount, sought in zip(CHANNELS, row, was, strict=True):
            if sought > 0.0:
                operator.funded(channel, float(amount))
    sponsor, placed = np.nonzero(amounts)
    cost = amounts[sponsor, placed]
    economy.note(region, wanted=total(wanted.ravel()), funded=float(cost.sum()))
    if not len(cost):
        return
    parties = economy.parties("operator", region)[sponsor]
    notes = market.own_share * cost[:, None] * sizes[placed]
    rows = deal_rows(economy, region, parties, placed, notes, cost, coupon[placed])
    sign(economy, region, rows)
    own = cost * own_share[placed]
    prepaid = prepay(economy, region, rows, own)
    put_in = own - prepaid
    for operator in operators:
        need = float(put_in[parties == operator.party].sum())
        economy.save(operator.party, region, need - float(economy.ledger.cash(operator.party)))
    economy.ledger.pay("escrow", parties, economy.deals["party"][rows], put_in)
    economy.deals["escrow"][rows] = own
    economy.note(
        region,
        issuance=float(notes.sum()),
        issuance_abs=float(notes[placed == 0].sum()),
        issuance_private=float(notes[placed == 1].sum()),
    )


def _funded_share(economy: Economy, region: str, debt: np.ndarray, own_share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """USD wanted (operator, channel), and the share of it that equity and rationed debt can pay; NaN where nothing closes.

    ``debt`` (channel,) and ``own_share`` (channel,) are what lenders and sponsors put in, of cost; the sponsor fills the reserve.
    """
    market = economy.tape[region]
    operators = economy.all("operator", region)
    wanted = np.zeros((len(operators), len(CHANNELS)))
    able = np.zeros_like(wanted)
    for i, operator in enumerate(operators):
        if operator.closes(economy.clock):
            for request in operator.request(float(economy.ledger.cash(operator.party))):
                j = CHANNELS.index(request.channel)
                wanted[i, j] = request.amount
                able[i, j] = request.equity / own_share[j]
    rationed = wanted * (1.0 - debt + debt * market.ration)
    share = np.full_like(wanted, np.nan)
    np.divide(np.minimum(able, rationed), wanted, out=share, where=wanted > 0.0)
    share = economy.transmit("funded_share", region, np.minimum(share, 1.0))
    return wanted, np.where(wanted > 0.0, share, np.nan)


def deal_rows(
    economy: Economy,
    region: str,
    sponsors: np.ndarray,
    channel: np.ndarray,
    notes: np.ndarray,
    cost: np.ndarray,
    coupon: np.ndarray,
) -> np.ndarray:
    """Open the books of new deals that order hardware for ``cost`` USD (n,), landlords' part included."""
    market, p = economy.tape[region], economy.params
    compute, build = p.sim.markets.compute, p.agents.operators.build
    index, own = economy.regions.index(region), market.own_share * cost
    rows = economy.deals.close(
        region,
        economy.deals.kind(index, channel),
        coupon,
        pledges(economy, region)[channel] * own,
        sponsor=sponsors,
        backing=backings(economy, region)[channel],
        region=index,
        channel=channel,
        agency=mandated(economy, region)[channel],
        predecessor=-1,
        issued=economy.clock,
        delivery=economy.clock + build,
        stage=BUILDING,
        commitment=notes,
        budget=own,
        housed=cost,
        waits=staged(economy),
        shares=_shares(economy, region, len(cost)),
    )
    gpus = cost / market.unit_cost
    economy.fleet.deals.add(len(cost), gpus=gpus, vintage=BEFORE + economy.clock)
    economy.fleet.bought += float(gpus.sum())
    tenant = {o.party: o.tenant for o in economy.all("operator", region)}
    tenants = [tenant[int(s)] for s in sponsors]
    economy.contracts.add(len(cost), tenant=tenants, rent=market.expected_rent, months=compute.contract_term)
    return rows


def mandated(economy: Economy, region: str) -> np.ndarray:
    """The agency (channel,) that rates new deals: the one that allows most debt; the first until any has sized them."""
    sizes = economy.sized.get(region)
    return np.zeros(len(CHANNELS), dtype=np.int64) if sizes is None else sizes[:, :, 1].argmax(axis=0)


def _shares(economy: Economy, region: str, count: int) -> np.ndarray:
    """Holders of new notes (n, k, i), as the last clearing allotted them."""
    shares = np.zeros((count, len(economy.allotment[region]), len(economy.deals.investors)))
    shares[:, :, economy.slots(region)] = economy.allotment[region]
    return shares


def draw(economy: Economy, region: str, rows: np.ndarray, amounts: np.ndarray) -> None:
    """Holders pay ``amounts`` (n, k) USD on their notes, borrowing what they lack."""
    slots = economy.slots(region)
    needs = economy.deals.by_holder(rows, amounts)[slots]
    borrow(economy.ledger, economy.outside["banks", region], economy.deals.investors[slots], needs)
    economy.deals.draw(rows, amounts)
