"""Service: the waterfall of every deal, sponsors' cures, defaults and liquidations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import OPERATING, Receipts
from sim.books.fleet import BEFORE
from sim.breakdowns import losses_by_holder
from sim.markets.compute import effective
from sim.markets.secondary import fire_sale
from sim.phases.anchoring import honour
from sim.phases.borrowing import amortise, redeem, value_pledges
from sim.phases.contracting import lapse, pass_on, refund
from sim.phases.exposing import look
from sim.phases.failing import check_guarantors
from sim.phases.funding import fund_cloud
from sim.phases.governing import bids, buy_units
from sim.phases.renewing import renew, sell_sites
from sim.phases.siting import free_sites
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import market_values, unpledged_values, used_value

if TYPE_CHECKING:
    from sim.economy import Economy


def service(economy: Economy) -> None:
    """Collect, renew, cure, pay every deal through the waterfall, sell what defaulted, retire what is over."""
    look(economy)
    deals = economy.deals
    rows = deals.live(OPERATING)
    renew(economy)
    for region in economy.regions:
        _prepare(economy, region, economy.rows(region, OPERATING))
        value_pledges(economy, region)
        check_guarantors(economy, region)
    receipts = deals.pay_date(rows)
    deals["collected"][rows] = 0.0
    _sell(economy, receipts)
    redeem(economy, receipts)
    receipts = receipts._replace(residual=receipts.residual - refund(economy, rows, receipts.residual))
    regions = deals["region"][rows]
    servicers = np.array([economy.outside["suppliers", r] for r in economy.regions])[regions]
    deals.settle(receipts, servicers)
    deals["period"]["principal_cash"][rows] = 0.0
    deals["period"]["last"][rows] = False
    _earn(economy, receipts)
    amortise(economy, receipts)
    for i, region in enumerate(economy.regions):
        _account(economy, region, receipts, regions == i)
        _pay_out(economy, region, receipts, regions == i)
    _hand_over(economy, rows)


def _prepare(economy: Economy, region: str, rows: np.ndarray) -> None:
    """Fill in the period's inputs: rent collected, targets, cures, appraisals and what a sale would fetch."""
    deals = economy.deals
    period, state = deals["period"], deals["state"]
    interest, target = deals.due_now(rows)
    period["revenue"][rows] = deals["collected"][rows]
    period["target"][rows] = target
    life = economy.params.sim.markets.compute.service_life / MONTHS
    period["appraisal"][rows] = economy.fleet.deals["gpus"][rows] * used_value(economy, region, rows, 0.0, life)
    period["market_value"][rows] = market_values(economy, region, rows)
    due = interest.sum(axis=1) + np.maximum(state["balance"][rows] - target, 0.0).sum(axis=1)
    has = deals["collected"][rows] + state["reserve"][rows] + state["trap"][rows]
    short = np.maximum(due - has - period["principal_cash"][rows], 0.0)
    short[state["in_default"][rows] | (state["age"][rows] + 1 >= deals["due"][rows])] = 0.0
    cured = np.zeros(len(rows))
    for operator in economy.all("operator", region):
        own = deals["sponsor"][rows] == operator.party
        share = operator.cures(float(short[own].sum()), float(economy.ledger.cash(operator.party)))
        cured[own] = share * short[own]
    economy.ledger.pay("cure", deals["sponsor"][rows], deals["party"][rows], cured)
    period["other_cash"][rows] = cured
    economy.note(region, support=float(cured.sum()))


def _sell(economy: Economy, receipts: Receipts) -> None:
    """Clouds, in proportion to their fleets, buy the units of deals in liquidation."""
    deals, fleet = economy.deals, economy.fleet
    over = receipts.rows[deals["state"]["sold"][receipts.rows] & (fleet.deals["gpus"][receipts.rows] > 0.0)]
    for i, region in enumerate(economy.regions):
        rows = over[deals["region"][over] == i]
        p = economy.params.sim.markets
        price, spare = deals["payment"]["sale_proceeds"][rows], unpledged_values(economy, region, rows)
        lag = fleet.lag(economy.tape.frontier, fleet.deals["vintage"][rows])
        shares = bids(economy, region, total(price + spare))
        kept = 1.0 - sum(shares)  # what sovereigns take comes to no market
        sold = kept * float(effective(p.compute, fleet.deals["gpus"][rows], lag).sum()) + fleet.equipment.released.pop(i, 0.0)
        share = sold * MONTHS / economy.tape[region].capacity
        economy.publish(region, fire_sale=fire_sale(p.secondary, economy.tape[region].fire_sale, share), liquidated=share)
        if not len(rows):
            continue
        honour(economy, region, rows)
        gpus, vintage, _, book = fleet.hand_over(rows)
        buy_units(economy, region, shares, (gpus, vintage, price + spare), deals["party"][rows])
        for cloud in economy.all("cloud", region):
            part = kept * cloud.weight
            fund_cloud(economy, region, cloud, part * total(price + spare))
            economy.ledger.pay("used_gpus", cloud.party, deals["party"][rows], part * (price + spare))
            fleet.take(cloud.slot, vintage, part * gpus, part * (price + spare))
        economy.ledger.post(deals["party"][rows], "profit", "fleet", book - price - spare)
        economy.ledger.pay("unpledged", deals["party"][rows], deals["sponsor"][rows], spare)
        economy.note(region, liquidations=float(len(rows)), liquidation_value=float(price.sum()))
        _events(economy, "liquidation", region, rows, price)


def _earn(economy: Economy, receipts: Receipts) -> None:
    """What holders earned and lost at this pay date; discounts at which they bought shrink as notes are repaid."""
    deals, rows = economy.deals, receipts.rows
    hit = receipts.write_off.any(axis=1)
    economy.earned += deals.by_holder(rows, receipts.interest) - deals.by_holder(rows[hit], receipts.write_off[hit])
    gone = deals.by_holder(rows, receipts.principal + receipts.write_off)
    held = economy.ledger.balance(deals.investors, "notes") + gone
    economy.basis *= 1.0 - np.divide(gone, held, out=np.zeros_like(held), where=held > 0.0)


def _account(economy: Economy, region: str, receipts: Receipts, here: np.ndarray) -> None:
    """This month's credit figures of one region."""
    deals = economy.deals
    write_off = receipts.write_off[here]
    fresh = receipts.rows[here][receipts.new_default[here]]
    economy.note(
        region,
        interest=float(receipts.interest[here].sum()),
        principal=float(receipts.principal[here].sum()),
        loss=float(write_off.sum()),
        loss_senior=float(write_off[:, 0].sum()),
        loss_mezzanine=float(write_off[:, 1].sum()),
        defaults=float(len(fresh)),
        defaulted=float(deals["state"]["balance"][fresh].sum()),
        residual=float(receipts.residual[here].sum()),
        trapped=float(receipts.trapped[here].sum()),
        **losses_by_holder(economy, receipts.rows[here], write_off),
    )
    _events(economy, "default", region, fresh, deals["state"]["balance"][fresh].sum(axis=1))
    trap = receipts.rows[here][receipts.trapped[here] & (deals["payment"]["trap_paid_in"][receipts.rows[here]] > 0.0)]
    _events(economy, "trigger", region, trap, deals["payment"]["trap_paid_in"][trap])


def _pay_out(economy: Economy, region: str, receipts: Receipts, here: np.ndarray) -> None:
    """Operators pass a part of their residuals on to shareholders."""
    sponsors = economy.deals["sponsor"][receipts.rows[here]]
    savers = economy.outside["savers", region]
    for operator in economy.all("operator", region):
        received = float(receipts.residual[here][sponsors == operator.party].sum())
        economy.ledger.pay("payout", operator.party, savers, operator.params.payout * received)


def _hand_over(economy: Economy, rows: np.ndarray) -> None:
    """Units of refinanced deals move to their successors; deals that owe and own nothing end."""
    deals, fleet = economy.deals, economy.fleet
    heirs = deals.live(0)
    heirs = heirs[deals["predecessor"][heirs] >= 0]
    old = deals["predecessor"][heirs]
    fleet.pass_parts(old, heirs)
    gpus, vintage, cost, book = fleet.hand_over(old)
    for name, value in {"gpus": gpus, "vintage": vintage, "cost": cost, "book": book}.items():
        fleet.deals[name][heirs] = value
    for name in ("tenant", "rent", "months"):
        economy.contracts[name][heirs] = economy.contracts[name][old]
    deals["leased"][heirs], deals["leased"][old] = deals["leased"][old], 0.0
    pass_on(economy, old, heirs)
    economy.ledger.post(deals["party"][old], "equity", "fleet", book)
    economy.ledger.post(deals["party"][heirs], "fleet", "equity", book)
    deals.start(heirs)
    aged = economy.clock + BEFORE - fleet.deals["vintage"][rows] >= economy.params.sim.markets.compute.service_life
    free = deals["state"]["balance"][rows].sum(axis=1) == 0.0
    ended = rows[free & aged]
    free_sites(economy, ended)
    sold = sell_sites(economy, ended)
    left = fleet.retire(ended) - sold
    economy.ledger.post(deals["party"][ended], "profit", "fleet", left)
    over = rows[free & (fleet.deals["gpus"][rows] == 0.0)]
    lapse(economy, over)
    deals.retire(over)


def _events(economy: Economy, kind: str, region: str, rows: np.ndarray, amounts: np.ndarray) -> None:
    if len(rows):
        economy.happens(kind, region, deal=rows, party="deal", amount=amounts, text="")
