"""Price: investors earn, lose, learn and are funded; the spread clears; notes are marked and change hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.lending import borrow, repay
from sim.kernels.holders import exchange
from sim.markets import primary, tokens
from sim.markets.secondary import note_price, trades
from sim.orders import Book
from sim.phases.borrowing import expected
from sim.phases.funding import weight_of_bonds
from sim.phases.governing import buy_notes
from sim.phases.hedging import covered, hedge
from sim.phases.insuring import bids_within, restrain, sell_down
from sim.phases.marking import book_marks, hand_over, unrelated
from sim.phases.placing import usual_debt
from sim.phases.redeeming import earn, flows, redeem
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def price(economy: Economy) -> None:
    """Carry and losses reach investors; savers come and go; bids clear the stock of debt; holdings move to bidders."""
    for region in economy.regions:
        earn(economy, region)
        excess = _carry(economy, region)
        exposure = economy.deals.exposure(economy.regions.index(region))  # notes stay where they are until the trade
        _flows(economy, region, excess, exposure)
        sought = requested(economy, region)
        _bids(economy, region, exposure, sought)
        _clear(economy, region, exposure, sought)
        _mark(economy, region)
        _trade(economy, region, exposure)
        if sell_down(economy, region):
            book_marks(economy, region)
        restrain(economy, region, sought)
        buy_notes(economy, region)
        hedge(economy, region, exposure)
        redeem(economy, region)
        repay(economy.ledger, economy.outside["banks", region], economy.parties("investor", region))


def _lean(economy: Economy, region: str) -> float:
    """ABS share over the one at which parameters hold as configured."""
    return economy.tape[region].abs_share - economy.params.sim.markets.primary.neutral_abs_share


def _carry(economy: Economy, region: str) -> np.ndarray:
    """Interest on loans and deposits, the base rate credited to savers, managers' fees; USD of excess return (i,)."""
    ledger, p = economy.ledger, economy.params.agents.investors
    people, bank = economy.parties("investor", region), economy.outside["banks", region]
    savers, managers = economy.outside["savers", region], economy.outside["suppliers", region]
    slots, base = economy.slots(region), economy.tape[region].base_rate
    last = economy.earned[slots].copy()
    economy.earned[slots] = 0.0
    cost = np.maximum(-ledger.balance(people, "loans"), 0.0) * (base + p.borrowing_spread) / MONTHS
    deposits = np.maximum(ledger.cash(people), 0.0) * base / MONTHS
    capital = np.maximum(ledger.net_worth(people), 0.0)
    credited = capital * base / MONTHS
    excess = last + deposits - cost - credited
    fee = p.fee * np.maximum(excess, 0.0)
    ledger.provide("income", bank, total(deposits))
    ledger.pay("deposit_interest", bank, people, deposits)
    borrow(ledger, bank, people, cost + credited + fee)
    ledger.pay("loan_interest", people, bank, cost)
    ledger.pay("crediting", people, savers, credited)
    ledger.pay("fee", people, managers, fee)
    return excess - fee


def capital(economy: Economy, region: str) -> np.ndarray:
    """Investors' capital for notes by their own accounting, USD (i,): those who carry at cost count part of unrealised marks."""
    ledger, people = economy.ledger, economy.parties("investor", region)
    slots, lean = economy.slots(region), _lean(economy, region)
    p = economy.params.agents.investors
    weight = np.array([a.style.marking for a in economy.all("investor", region)])
    weight = np.clip(weight * (1.0 + p.abs_marking * lean), 0.0, 1.0)
    unrealised = ledger.balance(people, "marks") - economy.basis[slots]
    return ledger.net_worth(people) - (1.0 - weight) * unrealised - unrelated(economy, region)


def _flows(economy: Economy, region: str, excess: np.ndarray, exposure: np.ndarray) -> None:
    """Savers chase returns and flee losses; an investor without capital fails and is replaced."""
    ledger, p, market = economy.ledger, economy.params.agents.investors, economy.tape[region]
    bank, savers = economy.outside["banks", region], economy.outside["savers", region]
    markets = economy.params.sim.markets
    growth = tokens.nominal_growth(markets.tokens, market.demand_growth, markets.hardware.performance_growth)
    held = exposure.sum(axis=0)[economy.slots(region)]
    own = capital(economy, region)
    for place, (agent, gained, has, holds) in enumerate(zip(economy.all("investor", region), excess, own, held, strict=True)):
        if agent.style.committed > 0.0:
            money = agent.call(float(has), float(holds))
        else:
            room = max(float(has), 0.0)
            money = agent.flow(float(gained), room, market.loss_rate, growth)
            money = flows(economy, region, place, money, room, p.trend_flow * growth)
        if money > 0.0:
            economy.save(agent.party, region, money)
        elif money < 0.0:
            one = np.array([agent.party])
            borrow(ledger, bank, one, np.array([-money]))
            economy.owners.redeem(agent.party, savers, -money)
        economy.note(region, flows=money)
        if float(ledger.net_worth(agent.party)) < p.failure * float(holds):
            _replace(economy, region, agent, p.restart * float(holds))


def _replace(economy: Economy, region: str, agent, needed: float) -> None:
    """A failed investor: owners lose all, the bank loses what is not covered, new owners bring ``needed`` USD."""
    ledger, bank = economy.ledger, economy.outside["banks", region]
    economy.owners.wipe_out(agent.party)
    hole = -float(ledger.net_worth(agent.party))
    forgiven = min(max(hole, 0.0), -float(ledger.balance(agent.party, "loans")))
    ledger.forgive("loans", agent.party, bank, forgiven)
    economy.basis[economy.deals.investors == agent.party] = float(ledger.balance(agent.party, "marks"))
    economy.save(agent.party, region, needed)
    economy.funds[region].forget(agent.party)
    economy.note(region, investor_failures=1.0, bank_losses=forgiven)
    economy.happens(
        "failure",
        region,
        party=f"investor {agent.name}",
        amount=max(hole, 0.0),
        text=agent.style.name,
    )


def _bids(economy: Economy, region: str, exposure: np.ndarray, sought: float) -> None:
    """Beliefs move with the month's losses; each investor states what it would hold at any spread. ``sought``: new notes, USD."""
    market, facts = economy.tape[region], economy.facts[region]
    debt = total(exposure.ravel())
    rate = facts["loss"] / max(debt + facts["loss"], 1.0)
    economy.publish(region, loss_rate=market.loss_rate + (rate * MONTHS - market.loss_rate) / MONTHS)
    agents = economy.all("investor", region)
    for agent in agents:
        agent.learn(rate * MONTHS, debt / max(debt + MONTHS * sought, 1.0))
    loss = economy.transmit("loss_belief", region, np.array([a.loss_belief for a in agents]))
    risk = economy.transmit("loss_volatility", region, np.array([a.loss_volatility for a in agents]))
    own, lean, letter = capital(economy, region), _lean(economy, region), junior_letter(economy, region)
    share, cost = covered(economy, region, exposure)
    loss, risk = loss * (1.0 - share) + cost * share, risk * (1.0 - share)
    market = economy.tape[region]
    bids = [
        agent.bid(
            market,
            max(float(has), agent.style.committed / agent.style.count * debt),
            market.dispersion * float(alone),
            float(mu),
            float(sigma),
            lean,
            letter,
        )
        for agent, has, mu, sigma, alone in zip(agents, own, loss, risk, 1.0 - share, strict=True)
    ]
    economy.bids[region] = Book.of(bids_within(economy, region, bids, debt + sought))


def requested(economy: Economy, region: str) -> float:
    """Notes, USD, that deals of next month will ask investors for."""
    debt, own = usual_debt(economy, region), economy.tape[region].own_share
    banks: list[str] = [channel.name for channel in economy.menus[region] if channel.lender == "banks"]
    banks += economy.tape[region].rules.closed  # nothing is asked there either
    return expected(economy, region) + total(
        operator.expects(economy.clock + 1, float(economy.ledger.cash(operator.party)), debt, banks, own)
        for operator in economy.all("operator", region)
    )


def junior_letter(economy: Economy, region: str) -> float:
    """Mean letter of the junior class outstanding, by balance, notches below Aaa; 0 while none is rated."""
    deals, rows = economy.deals, economy.rows(region)
    letter, owed = deals["rating"][rows, 1], deals["state"]["balance"][rows, 1]
    owed = np.where(letter >= 0, owed, 0.0)
    return total(letter * owed) / total(owed) if total(owed) > 0.0 else 0.0


def _clear(economy: Economy, region: str, exposure: np.ndarray, sought: float) -> None:
    """New terms of credit, through the arrow from valuation to credit; who should hold what. ``sought``: new notes, USD."""
    p = economy.params.sim.markets.primary
    quotes, book = economy.quotes[region], economy.bids[region]
    exposure = exposure[:, economy.slots(region)]  # what others hold asks nothing of investors
    debt = total(exposure.ravel())
    terms = primary.clear(p, quotes, book, debt + weight_of_bonds(economy, region), sought)
    clearing = terms.pop("clearing")
    quotes.update(terms)
    economy.publish(region, **{name: economy.transmit(name, region, value) for name, value in terms.items()})
    junior = max(total(exposure[1]), 1e-9)
    economy.allotment[region] = np.stack(primary.allot(book, clearing, max(debt, 2e-9), junior))
    economy.note(region, clearing_spread=clearing, requested=sought)


def _mark(economy: Economy, region: str) -> None:
    """Price every class at the market's spread; a deal in default at what its units would fetch."""
    deals, market, p = economy.deals, economy.tape[region], economy.params.sim.books.deals
    rows = economy.rows(region)
    state = deals["state"]
    owed = state["balance"][rows] + deals["undrawn"][rows]
    rate = deals.yields(p, deals["kind"][rows], market.base_rate, market.spread) + deals["surcharge"][rows][:, None]
    prices = note_price(deals["terms"]["coupon"][rows], rate, deals.years(rows))
    value = deals["period"]["market_value"][rows][:, None]
    ahead = np.cumsum(owed, axis=1) - owed
    recovered = np.clip(np.divide(value - ahead, owed, out=np.zeros_like(owed), where=owed > 0.0), 0.0, 1.0)
    prices = np.where(state["in_default"][rows][:, None], np.minimum(prices, recovered), prices)
    deals["price"][rows] = prices * economy.funds[region].prices[0]
    book_marks(economy, region)


def _trade(economy: Economy, region: str, exposure: np.ndarray) -> None:
    """Investors who hold more than they want sell slices of all they hold to those who want more, at the marks."""
    deals, slots = economy.deals, economy.slots(region)
    rows = economy.rows(region)
    if not len(rows):
        return
    exposure = exposure[:, slots]
    held = np.array([[total(row)] for row in exposure])
    balance, prices = deals["state"]["balance"][rows], deals["price"][rows]
    sold, (face, paid) = np.empty((2, len(slots), len(rows))), np.zeros((2, len(slots), len(slots)))
    for k in range(exposure.shape[0]):
        wanted = economy.allotment[region][k] * held[k]
        sells, buys = trades(exposure[k], wanted, economy.params.sim.markets.secondary.turnover)
        exchange(*sold, deals["shares"], rows, slots, k, sells, buys, balance, prices)
        face += np.outer(sold[0].sum(axis=1), buys)
        paid += np.outer(sold[1].sum(axis=1), buys)
    hand_over(economy, region, face, paid)
