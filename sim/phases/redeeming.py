"""Redeeming: savers ask funds for their money; gates, bank lines and sales under pressure, which hit unrelated loans too.

A fund shows a value that follows the market's late. Who leaves at the value shown leaves the loss to those who stay, so requests
rise with what is hollow in it, and with the queue before the gate. What the gate lets out is paid from cash, then from the line
that banks have committed, then by selling the same share of everything the fund holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.books.funds import Funds
from sim.books.ledger import DUST
from sim.books.lending import lend
from sim.markets import funds as market
from sim.phases.selling import notes_of, sell
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def open_funds(economy: Economy, region: str) -> Funds:
    """A region's funds whose savers may ask back; none where no kind of investor has promised it."""
    p, people = economy.params.sim.markets.funds, economy.all("investor", region)
    places = [i for i, agent in enumerate(people) if agent.weight > 0.0 and p.terms(agent.style.name) is not None]
    parties = np.array([people[i].party for i in places], dtype=np.int64)
    borrowers = economy.ledger.enroll("borrowers", region, "") if places else -1
    return Funds(economy.ledger, np.array(places, dtype=np.int64), parties, borrowers)


def runs(economy: Economy, region: str) -> bool:
    """Whether there are funds to run on; nothing of them before the record begins."""
    return len(economy.funds[region]) > 0 and economy.month >= 0


def flows(economy: Economy, region: str, place: int, money: float, capital: float, trend: float) -> float:
    """Money that savers bring (take out, below zero) unasked, USD: ``money`` for what is locked in, arrivals for what is not.

    Parameters
    ----------
    place : of the investor in its region
    money : USD that would come to all of it
    capital : USD, its own for notes
    trend : 1/year, by which savers' money grows of itself
    """
    book = economy.funds[region]
    if not runs(economy, region) or place not in book.places:
        return money
    p, at = economy.params.sim.markets.funds, int(np.flatnonzero(book.places == place)[0])
    liquid, most = float(_rules(economy, region).liquid[at]), economy.params.agents.investors.inflow_cap
    came = capital * market.arrivals(p, float(book.trailing[at]), trend, most)
    unasked = (1.0 - liquid) * money + liquid * came
    book.moved[at] += unasked
    return unasked


def earn(economy: Economy, region: str) -> None:
    """Before the month's carry: prices heal; unrelated loans pay the base rate to funds and what is above it to their savers."""
    if not runs(economy, region):
        return
    p, book = economy.params.sim.markets.funds, economy.funds[region]
    before = book.prices[1]
    book.fall = [(1.0 - p.heal) * fall for fall in book.fall]
    economy.note(region, unrelated_losses=total(book.unrelated) * (before - book.prices[1]))
    base = book.unrelated * economy.tape[region].base_rate / MONTHS
    above = book.unrelated * p.unrelated_yield / MONTHS
    book.collect(base + above)
    economy.ledger.pay("payout", book.parties, economy.outside["savers", region], above)
    economy.earned[economy.slots(region)[book.places]] += base


def redeem(economy: Economy, region: str) -> None:
    """A month of requests: asked, let out by the gate, paid; funds without requests keep their mix."""
    if not runs(economy, region):
        return
    book, worth = economy.funds[region], economy.ledger.net_worth(economy.funds[region].parties)
    if economy.month == 0:
        _found(economy, region, worth)
    capital, value = total(np.maximum(book.shown, 0.0)), _show(economy, region)
    asked = _ask(economy, region, value)
    waits = np.minimum(book.queue + asked, _rules(economy, region).liquid * np.maximum(value, 0.0))
    _repaid(economy, region)
    paid = _pay(economy, region, value, waits)
    left = np.where(waits - paid > DUST, waits - paid, 0.0)
    gated, book.queue = (book.queue == 0.0) & (left > 0.0), left
    _remember(economy, region, value - paid + _refill(economy, region))
    _report(economy, region, gated, asked, paid, capital)


def _rules(economy: Economy, region: str) -> market.Rules:
    """Terms of the region's funds."""
    p, people = economy.params.sim.markets.funds, economy.all("investor", region)
    return market.Rules.of([getattr(p, people[i].style.name) for i in economy.funds[region].places.tolist()])


def _found(economy: Economy, region: str, worth: np.ndarray) -> None:
    """With the record, funds begin to hold unrelated loans, for which savers pay; they show what they are worth."""
    book = economy.funds[region]
    book.seen = _unrealised(economy, region)
    book.trailing[:] = economy.params.sim.markets.funds.expected
    book.shown = worth + _refill(economy, region)


def _unrealised(economy: Economy, region: str) -> np.ndarray:
    """Gains (f,) on what funds hold since they bought it, USD; losses below zero."""
    book = economy.funds[region]
    basis = economy.basis[economy.slots(region)[book.places]]
    return np.asarray(economy.ledger.balance(book.parties, "marks") - basis)


def _show(economy: Economy, region: str) -> np.ndarray:
    """Values (f,) that funds show, USD: late, until the market is too far below; their returns are remembered."""
    p, book, rules = economy.params.sim.markets.funds, economy.funds[region], _rules(economy, region)
    worth, gains = economy.ledger.net_worth(book.parties), _unrealised(economy, region)
    book.seen += rules.smoothing * (gains - book.seen)
    hollow = book.seen - gains
    book.broken |= (rules.buck < 1.0) & (hollow > rules.buck * np.maximum(worth + hollow, 0.0))
    book.seen = np.where(book.broken, gains, book.seen)
    value = _value(economy, region)
    before = book.shown + book.moved
    made = value - before + book.unrelated * p.unrelated_yield / MONTHS
    rate = np.divide(made * MONTHS, before, out=np.zeros_like(before), where=before > 0.0)
    book.trailing += (np.clip(rate, -2.0, 1.0) - book.trailing) / p.memory
    return value


def _ask(economy: Economy, region: str, value: np.ndarray) -> np.ndarray:
    """New requests (f,), USD, those of a script among them."""
    p, book, rules = economy.params.sim.markets.funds, economy.funds[region], _rules(economy, region)
    asked = market.requests(p, rules, value, book.queue, book.trailing, economy.ledger.net_worth(book.parties))
    if region == p.run.region and economy.month == p.run.month:
        at = p.run.investor
        free = rules.liquid[at] * max(float(value[at]), 0.0) - book.queue[at]
        asked[at] = max(asked[at], p.run.share * free)
        name = economy.all("investor", region)[int(book.places[at])].name
        economy.happens("run", region, party=f"investor {name}", amount=float(asked[at]), text="by script")
    return asked


# -- paying ------------------------------------------------------------------------------------------------------------


class Needs(NamedTuple):
    """What funds (f,) must find this month, USD."""

    own: np.ndarray  # for savers, from cash
    drawn: np.ndarray  # for savers, from the line
    short: np.ndarray  # for savers, by sales
    margin: np.ndarray  # called by banks, of what they lent on notes
    banks: np.ndarray  # called by banks, of that and of the line, by sales


def _repaid(economy: Economy, region: str) -> None:
    """What is repaid of unrelated loans is lent again, unless they are more than the mix asks."""
    book = economy.funds[region]
    due = book.unrelated / economy.params.sim.markets.funds.unrelated_life
    book.repay(np.minimum(due, np.maximum(book.unrelated - _mix(economy, region), 0.0)))


def _mix(economy: Economy, region: str) -> np.ndarray:
    """Unrelated loans (f,), USD, that are their part of a fund's own money beside what it has for notes."""
    book, part = economy.funds[region], _rules(economy, region).unrelated
    own = np.maximum(economy.ledger.net_worth(book.parties) - book.unrelated, 0.0)
    return np.asarray(part / (1.0 - part) * own)


def _pay(economy: Economy, region: str, value: np.ndarray, waits: np.ndarray) -> np.ndarray:
    """Pay what the gate lets out and banks call, as far as it can be found, banks first; USD paid to savers (f,)."""
    book = economy.funds[region]
    needs = _needs(economy, region, value, waits)
    raised = sell(economy, region, needs.short + needs.banks)
    sold = np.minimum(needs.short, np.maximum(raised - needs.banks, 0.0))
    most = np.maximum(economy.ledger.net_worth(book.parties), 0.0)
    paid = np.minimum(needs.own + needs.drawn + sold, most)
    drawn = np.maximum(paid - needs.own - sold, 0.0)
    lend(economy.ledger, economy.outside["banks", region], book.parties, drawn)
    for party, amount in zip(book.parties.tolist(), paid.tolist(), strict=True):
        economy.owners.redeem(party, economy.outside["savers", region], amount)
    book.drawn += drawn
    idle = np.maximum(economy.ledger.cash(book.parties) - needs.margin, 0.0)
    book.drawn -= np.minimum(book.drawn, idle)  # what is idle repays loans at the end of the month, the line first
    book.paid += paid
    return paid


def _needs(economy: Economy, region: str, value: np.ndarray, waits: np.ndarray) -> Needs:
    """What is due to savers and to banks, and what of it cash and line bear."""
    p, book, rules = economy.params.sim.markets.funds, economy.funds[region], _rules(economy, region)
    ledger, fresh = economy.ledger, economy.month % rules.period == 0
    book.start, book.paid = np.where(fresh, value, book.start), np.where(fresh, 0.0, book.paid)
    worth, cash = np.maximum(ledger.net_worth(book.parties), 0.0), np.maximum(ledger.cash(book.parties), 0.0)
    due = np.minimum(np.minimum(waits, market.room(rules, book.start, book.paid)), worth)
    book.drawn = np.minimum(book.drawn, np.maximum(-ledger.balance(book.parties, "loans"), 0.0))
    limit = rules.line * np.maximum(value - due, 0.0)
    own, drawn, short = market.sources(due, cash, limit - book.drawn)
    called = p.called * np.maximum(book.drawn - limit, 0.0)
    margin = p.called * _over(economy, region)
    return Needs(own, drawn, short, margin, called + np.maximum(margin - (cash - own), 0.0))


def _over(economy: Economy, region: str) -> np.ndarray:
    """What banks have lent on notes (f,) beyond what today's haircuts allow, USD; bonds are pledged for as much as they owe."""
    book, ledger = economy.funds[region], economy.ledger
    most = 1.0 - 1.0 / np.maximum(economy.bids[region].leverage[book.places], 1.0)
    lent = -ledger.balance(book.parties, "loans") - book.drawn - ledger.balance(book.parties, "bonds")
    return np.maximum(lent - most * notes_of(economy, region), 0.0)


# -- what is left ------------------------------------------------------------------------------------------------------


def _refill(economy: Economy, region: str) -> np.ndarray:
    """Where nobody waits and no line is drawn, savers bring what keeps the mix as funds grow, not what these sold; USD (f,)."""
    book = economy.funds[region]
    book.missing *= 1.0 - 1.0 / economy.params.sim.markets.funds.unrelated_life
    short = np.maximum(_mix(economy, region) - book.unrelated - book.missing, 0.0)
    brought = np.where((book.queue > 0.0) | (book.drawn > 0.0), 0.0, short)
    for party, amount in zip(book.parties.tolist(), brought.tolist(), strict=True):
        economy.save(party, region, amount)
    book.lend(brought)
    return brought


def _value(economy: Economy, region: str) -> np.ndarray:
    """What funds show (f,), USD: what they are worth, and what of their losses they do not show yet."""
    book = economy.funds[region]
    return np.asarray(economy.ledger.net_worth(book.parties) + book.seen - _unrealised(economy, region))


def _remember(economy: Economy, region: str, value: np.ndarray) -> None:
    """The value (f,) after payments, from which next month's return is counted, what sales cost included; agents' rows show it."""
    book = economy.funds[region]
    book.shown, book.moved = value, np.zeros(len(book))
    for place, shown, waits in zip(book.places.tolist(), _value(economy, region).tolist(), book.queue.tolist(), strict=True):
        agent = economy.all("investor", region)[place]
        agent.value_shown, agent.asked_back = shown, waits


def _report(economy: Economy, region: str, gated: np.ndarray, asked: np.ndarray, paid: np.ndarray, capital: float) -> None:
    """The month goes on record."""
    book, losses = economy.funds[region], economy.facts[region].get("unrelated_losses", 0.0)
    for place, waits in zip(book.places[gated].tolist(), book.queue[gated].tolist(), strict=True):
        agent = economy.all("investor", region)[place]
        economy.happens("gate", region, party=f"investor {agent.name}", amount=waits, text="requests wait")
    economy.note(
        region,
        redemption_requests=total(asked),
        redemptions_paid=total(paid),
        redemption_queue=total(book.queue),
        fund_lines=total(book.drawn),
        fund_value=total(_value(economy, region)),
        fund_worth=total(economy.ledger.net_worth(book.parties)),
        note_discount=1.0 - book.prices[0],
        unrelated_discount=1.0 - book.prices[1],
        unrelated_loans=total(book.unrelated),
        contagion=losses / capital if capital > 0.0 else 0.0,
    )
