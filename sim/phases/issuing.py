"""Issue: maturing debt is refinanced and ready plans become deals, on the terms of the last clearing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.phases import mandating
from sim.phases.contracting import prepay
from sim.phases.dealing import coupons, deal_rows, kinds
from sim.phases.disclosing import charge
from sim.phases.leasing import sign
from sim.phases.placing import count_securities, open_now, room, rules, transmitted, usual_debt, yearly
from sim.phases.pledging import pledges
from sim.phases.refinancing import refinance, take_out
from sim.phases.retaining import asked
from sim.phases.supporting import circular, equip
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def issue(economy: Economy) -> None:
    """Close deals: refinance what matures, fund what is ready; investors commit, sponsors put equity in escrow."""
    running = np.array([economy.tape[r].running_cost for r in economy.regions])
    economy.fleet.record(economy.clock, economy.tape.frontier, running)
    for region in economy.regions:
        refinance(economy, region)
        take_out(economy, region)
        _fund(economy, region)
        count_securities(economy, region)


def _fund(economy: Economy, region: str) -> None:
    market, deals, menu = economy.tape[region], economy.deals, economy.menus[region]
    pledge, (senior, debt) = pledges(economy, region), transmitted(economy, region)
    kind = kinds(economy, region)
    sizes, coupon = pledge[:, None] * deals.library.sizes(kind, senior, debt), coupons(economy, region, kind)
    own_share = market.own_share * (1.0 - pledge * debt + deals.library.reserve(kind, sizes, coupon))
    slices = market.own_share * asked(economy, region) * pledge * debt  # of cost, notes that sponsors keep
    own_share = own_share + slices
    wanted, share = _funded_share(economy, region, pledge * debt, own_share)
    amounts = np.where(np.isnan(share), 0.0, wanted * share)
    amounts[amounts < economy.params.agents.operators.least] = 0.0
    operators = economy.all("operator", region)
    for operator, row, was in zip(operators, amounts, wanted, strict=True):
        for channel, amount, sought in zip(menu, row, was, strict=True):
            if sought > 0.0:
                operator.funded(channel.name, float(amount))
    sponsor, placed = np.nonzero(amounts)
    cost = amounts[sponsor, placed]
    economy.note(region, wanted=total(wanted.ravel()), funded=float(cost.sum()))
    if not len(cost):
        return
    parties = economy.parties("operator", region)[sponsor]
    notes = market.own_share * cost[:, None] * sizes[placed]
    rows = deal_rows(economy, region, parties, placed, notes, cost, coupon[placed])
    charge(economy, region, rows)
    sign(economy, region, rows)
    own, aside = cost * own_share[placed], cost * slices[placed]
    prepaid = prepay(economy, region, rows, own - aside)
    put_in = own - prepaid
    for operator in operators:
        need = float(put_in[parties == operator.party].sum())
        economy.save(operator.party, region, need - float(economy.ledger.cash(operator.party)))
    economy.ledger.pay("escrow", parties, economy.deals["party"][rows], put_in)
    economy.deals["escrow"][rows], economy.deals["set_aside"][rows] = own, aside
    mandating.pay(economy, region, rows)
    _note_issuance(economy, region, placed, notes)


def _note_issuance(economy: Economy, region: str, placed: np.ndarray, notes: np.ndarray) -> None:
    """This month's new notes (n, k) by channel (n,), and by what they are sold as."""
    menu = economy.menus[region]
    sold = np.array([channel.sold_as == "securities" for channel in menu])[placed]
    economy.note(
        region,
        issuance=float(notes.sum()),
        issuance_abs=float(notes[sold].sum()),
        issuance_private=float(notes[~sold].sum()),
    )
    for c in np.unique(placed[placed > 1]).tolist():
        economy.note(region, **{f"issuance_{menu[c].name}": float(notes[placed == c].sum())})


def _funded_share(economy: Economy, region: str, debt: np.ndarray, own_share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """USD wanted (operator, channel), and the share of it that equity and rationed debt can pay; NaN where nothing closes.

    ``debt`` (channel,) is what lenders put in, of what operators pay; ``own_share`` (channel,) what sponsors put in, of cost: they
    fill the reserve.
    """
    market, menu = economy.tape[region], economy.menus[region]
    operators, place = economy.all("operator", region), {channel.name: j for j, channel in enumerate(menu)}
    carried = np.array([1.0 if channel.lender == "banks" else market.ration for channel in menu])
    sold = debt * (1.0 - asked(economy, region))
    lent = 1.0 - sold + sold * carried
    wanted = np.zeros((len(operators), len(menu)))
    able, tied, own = np.zeros_like(wanted), np.zeros(len(operators)), np.zeros(len(operators))
    for i, operator in enumerate(operators):
        if operator.closes(economy.clock):
            needs: dict[str, float] = {name: float(own_share[j] * lent[j]) for name, j in place.items()}
            tied[i] = equip(economy, region, operator, needs)
            invite(economy, region, operator, needs)
            for request in operator.request(float(economy.ledger.cash(operator.party)), float(tied[i])):
                j = place[request.channel]
                own[i] += request.equity
                wanted[i, j] = request.amount
                able[i, j] = request.equity / own_share[j]
    rationed = wanted * lent
    share = np.full_like(wanted, np.nan)
    np.divide(np.minimum(able, rationed), wanted, out=share, where=wanted > 0.0)
    share = economy.transmit("funded_share", region, np.minimum(share, 1.0))
    notes = np.where(np.isnan(share), 0.0, wanted * share).sum(axis=0) * (market.own_share * debt)
    share = share * _fitting(economy, region, notes) * open_now(economy, region)
    circular(economy, region, tied, own, np.where(np.isnan(share), 0.0, wanted * share))
    return wanted, np.where(wanted > 0.0, share, np.nan)


def _fitting(economy: Economy, region: str, notes: np.ndarray) -> np.ndarray:
    """Part (c,) of the ``notes`` (c,) USD sought that each channel's lenders have room for."""
    if len(notes) == 2:
        return np.ones(2)  # the usual channels are bounded by capital alone
    return np.minimum(np.divide(room(economy, region), notes, out=np.ones(len(notes)), where=notes > 0.0), 1.0)


def invite(economy: Economy, region: str, operator: Any, needs: dict[str, float]) -> None:
    """Private equity fills what a sponsor lacks for deals that are ready, when a unit earns what it asks.

    ``needs`` is the equity that lenders leave to be found, by channel, per USD of cost.
    """
    capacity = yearly(economy, rules(economy, region).private_equity.capacity)
    if capacity <= 0.0:
        return
    required, market = rules(economy, region).private_equity.required, economy.tape[region]
    rent = economy.entry_rent.get(region, market.rent)
    worth = operator.worth_to_outsiders(market, rent, usual_debt(economy, region), required)
    short = operator.short_of_equity(needs, float(economy.ledger.cash(operator.party))) if worth > 1.0 else 0.0
    amount = min(short, capacity * operator.weight * operator.params.closing / MONTHS)
    economy.save(operator.party, region, amount)
    economy.note(region, private_equity=amount)
