"""Hedging: protection on operators' debt and on the junior class; what it costs is known before the spread has moved.

Investors protect part of what they hold, seniors by operator and the junior class as a whole, against sellers who have little
capital. Contracts of an investor and a seller are netted. A seller that cannot pay, or owes more than it has, fails, and
investors are without what they thought they had. Protection on clouds is quoted; they owe investors too little to be hedged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import BUILDING
from sim.books.fleet import BEFORE
from sim.books.lending import borrow
from sim.books.protection import Protection
from sim.kernels.rents import rent_value
from sim.markets import protection as market
from sim.phases.funding import other_business, owed_with_orders
from sim.phases.renting import spot
from sim.sums import by_row, total
from sim.units import MONTHS
from sim.valuing import rent_factor

if TYPE_CHECKING:
    from sim.economy import Economy


def hedges(economy: Economy) -> bool:
    """Whether protection is traded."""
    return economy.params.sim.markets.protection.most > 0.0


def open_book(economy: Economy, region: str) -> Protection:
    """A region's contracts, none so far: operators are the first references, the junior class the last."""
    operators = economy.all("operator", region)
    people = economy.parties("investor", region), economy.parties("seller", region)
    return Protection(economy.ledger, *people, references=len(operators) + 1)


def covered(economy: Economy, region: str, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share (i,) of investors' notes that is protected, and what that costs, 1/year (i,)."""
    book, held = economy.protection[region], by_row(exposure[:, economy.slots(region)].T)
    net, paid = by_row(book.net.sum(axis=1)), by_row(book.net_premium.sum(axis=1))
    share = np.clip(np.divide(net, held, out=np.zeros_like(held), where=held > 0.0), 0.0, 1.0)
    return share, np.divide(paid, net, out=np.zeros_like(net), where=net > 0.0)


def hedge(economy: Economy, region: str, exposure: np.ndarray) -> None:
    """A month of protection: it is quoted; losses and premiums are paid; investors trade; sellers fail, or are paid out."""
    if economy.month < 0:
        return  # nothing of it is on record, and nothing traded
    debt, values, charge = _debts(economy, region), _unit_values(economy, region), 0.0
    hazard = _hazard(economy, region, debt, values)
    if hedges(economy):
        _found(economy, region, debt)
        charge = _charge(economy, region, exposure, debt, hazard)
    quote = hazard.premium + charge * hazard.risk
    _quote(economy, region, quote, charge, debt, _weakest(economy, region, values))
    if hedges(economy):
        _settle(economy, region)
        _trade(economy, region, exposure, debt, hazard, charge)
        economy.protection[region].mark(quote, _years(economy, region))
        _judge(economy, region, debt)


def _quote(economy: Economy, region: str, quote: np.ndarray, charge: float, owed: np.ndarray, weakest: market.Hazard) -> None:
    """What protection costs goes on record: on the weakest cloud, and on operators who owe (o,), their mean."""
    grade = weakest.premium + charge * weakest.risk
    mean = total(quote[:-1] * owed) / total(owed) if total(owed) > 0.0 else np.nan
    economy.note(region, protection_grade=float(grade[0]), protection_operators=mean, protection_junior=float(quote[-1]))


def _found(economy: Economy, region: str, debt: np.ndarray) -> None:
    """Sellers begin with the record, with the capital that they want; what was lost before concerns nobody."""
    if economy.month == 0:
        _losses(economy, region)
        for seller in economy.all("seller", region):
            economy.save(seller.party, region, seller.wants(total(debt)))


def _years(economy: Economy, region: str) -> float:
    """Years for which a contract that runs off is paid, discounted."""
    return 1.0 / (1.0 / economy.params.sim.markets.protection.tenor + economy.tape[region].base_rate)


# -- what protection is worth --------------------------------------------------------------------------------------------


def _debts(economy: Economy, region: str) -> np.ndarray:
    """Notes (o,) of each operator's deals, USD."""
    rows = economy.sponsored("operator", region, economy.rows(region))
    place = economy.places("operator", region, economy.deals["sponsor"][rows])
    return np.bincount(place, by_row(economy.deals["state"]["balance"][rows]), len(economy.all("operator", region)))


def _hazard(economy: Economy, region: str, debt: np.ndarray, values: np.ndarray) -> market.Hazard:
    """What may be lost on each operator's senior notes, and on the junior class of all."""
    p = economy.params.sim.markets.protection
    chance = market.default_chance(p, _assets(economy, region, values), debt, np.full(len(debt), p.unit_volatility))
    owed = total(debt)
    junior = total(economy.deals["state"]["balance"][economy.rows(region), 1]) / owed if owed > 0.0 else 0.0
    mean = total(chance * debt) / owed if owed > 0.0 else 0.0
    senior, first = market.severities(p, junior)
    return market.Hazard(np.append(chance, mean), np.append(np.full(len(debt), senior), first))


def _assets(economy: Economy, region: str, values: np.ndarray) -> np.ndarray:
    """What operators have (o,), USD: units at what they will earn, contracts above spot, works at cost, cash."""
    deals, fleet, rows = economy.deals, economy.fleet.deals, economy.sponsored("operator", region, economy.rows(region))
    building, vintage, gpus = deals["stage"][rows] == BUILDING, fleet["vintage"][rows], fleet["gpus"][rows]
    above = np.maximum(economy.contracts["rent"][rows] - spot(economy, region, vintage), 0.0)
    let = economy.params.sim.markets.compute.cover * above * np.maximum(economy.contracts["months"][rows], 0) / MONTHS
    used = gpus * (values[vintage] + let)
    worth = np.where(building, fleet["book"][rows], used) + economy.ledger.cash(deals["party"][rows])
    place = economy.places("operator", region, deals["sponsor"][rows])
    cash = economy.ledger.cash(economy.parties("operator", region))
    return np.bincount(place, worth, len(cash)) + np.maximum(cash, 0.0)


def _unit_values(economy: Economy, region: str) -> np.ndarray:
    """What a unit of each vintage (v,) will earn, USD/GPU, at the rents that today's pipeline will leave."""
    tape, p, index = economy.tape[region], economy.params.sim.markets.secondary, economy.regions.index(region)
    vintages = np.arange(BEFORE + economy.clock + 1)
    rent = tape.expected_rent * rent_factor(economy, region, vintages)
    running = economy.fleet.running_cost[index, vintages]
    return np.asarray(rent_value(rent, running, tape.depreciation_seen, p.sale_rate, p.sale_years))


def _weakest(economy: Economy, region: str, values: np.ndarray) -> market.Hazard:
    """The cloud most likely to default: its fleet and a little other business stand against its bonds and orders."""
    p, fleet, clouds = economy.params.sim.markets.protection, economy.fleet, economy.all("cloud", region)
    slots = np.array([cloud.slot for cloud in clouds])
    owed = np.array([owed_with_orders(economy, cloud) for cloud in clouds])
    core = p.weakest * p.core_multiple * np.array([other_business(economy, region, cloud) for cloud in clouds])
    units = _exactly(fleet.gpus[slots][:, : len(values)] * values) + _exactly(fleet.paid[slots])
    parts = np.divide(core, core + units, out=np.ones(len(core)), where=core + units > 0.0)
    volatility = parts * p.core_volatility + (1.0 - parts) * p.unit_volatility
    chance = market.default_chance(p, core + units, owed, volatility).max(keepdims=True)
    return market.Hazard(chance, np.array([1.0 - p.recovery]))


def _exactly(amounts: np.ndarray) -> np.ndarray:
    """Sums (n,) of rows that do not depend on how many there are."""
    return np.array([total(row) for row in amounts])


# -- who protects what ---------------------------------------------------------------------------------------------------


def _charge(economy: Economy, region: str, exposure: np.ndarray, debt: np.ndarray, hazard: market.Hazard) -> float:
    """Charge per unit of risk at which protection clears."""
    p, sellers = economy.params.sim.markets.protection, economy.params.agents.sellers
    held, mean_risk = _held(economy, region, exposure, debt, hazard)
    capital = total(np.maximum(economy.ledger.net_worth(economy.parties("seller", region)), 0.0))
    return market.clearing_charge(p, _prices(economy, region, exposure), held, mean_risk, capital, sellers.price, sellers.most)


def _prices(economy: Economy, region: str, exposure: np.ndarray) -> np.ndarray:
    """What risk costs investors (i,), 1/year, at the margin, were nothing protected."""
    bids, held = economy.bids[region], by_row(exposure[:, economy.slots(region)].T)
    return market.own_price(bids.price_of_risk, covered(economy, region, exposure)[0], held, bids.capital)


def _held(economy: Economy, region: str, exposure: np.ndarray, debt: np.ndarray, hazard: market.Hazard) -> tuple[np.ndarray, float]:
    """Notes (i,) that investors hold, USD, and the mean risk of a USD of them."""
    own = exposure[:, economy.slots(region)]
    risks = hazard.risk
    senior = total(risks[:-1] * debt) / total(debt) if total(debt) > 0.0 else 0.0
    classes = np.array([total(own[0]), total(own[1])])
    whole = total(classes)
    return by_row(own.T), total(classes * np.array([senior, risks[-1]])) / whole if whole > 0.0 else 0.0


def _trade(economy: Economy, region: str, exposure: np.ndarray, debt: np.ndarray, hazard: market.Hazard, charge: float) -> None:
    """Investors go part of the way to what they want, with sellers as these have capital; who has enough sells some back."""
    p, book = economy.params.sim.markets.protection, economy.protection[region]
    mean_risk = _held(economy, region, exposure, debt, hazard)[1]
    share = market.protected(p, _prices(economy, region, exposure), charge * mean_risk)
    own = exposure[:, economy.slots(region)]
    by_name = debt / max(total(debt), 1.0)
    wanted = share[:, None] * np.append(np.outer(own[0], by_name), own[1][:, None], axis=1)
    capital = np.maximum(economy.ledger.net_worth(book.sellers), 0.0)
    parts = capital / max(total(capital), 1.0)
    gap = p.pace * (wanted - book.net.sum(axis=1)) * (total(parts) > 0.0)
    book.trade(gap[:, None, :] * parts[None, :, None], hazard.premium + charge * hazard.risk)
    pairs = by_row(book.net.reshape(-1, book.net.shape[2]))
    economy.note(region, protection=total(np.abs(pairs)), protection_gross=total(book.notional.ravel()))


# -- what is paid --------------------------------------------------------------------------------------------------------


def _losses(economy: Economy, region: str) -> np.ndarray:
    """Share (r,) of each reference that was written off since last month."""
    book, own = economy.protection[region], np.flatnonzero(economy.deals["region"] == economy.regions.index(region))
    own = economy.sponsored("operator", region, own)
    place = economy.places("operator", region, economy.deals["sponsor"][own])

    def by_reference(amounts: np.ndarray) -> np.ndarray:
        return np.append(np.bincount(place, amounts[:, 0], len(book.lost) - 1), total(amounts[:, 1]))

    lost, left = by_reference(economy.deals["lost"][own]), by_reference(economy.deals["state"]["balance"][own])
    fresh, book.lost = np.maximum(lost - book.lost, 0.0), lost
    return np.divide(fresh, left + fresh, out=np.zeros(len(fresh)), where=fresh > 0.0)


def _settle(economy: Economy, region: str) -> None:
    """Losses are paid to whoever is protected, premiums to sellers, netted by pair; contracts run off."""
    p, book, ledger = economy.params.sim.markets.protection, economy.protection[region], economy.ledger
    share = _losses(economy, region)
    owes = {"premium": book.due(), "protection": -(book.net * share).sum(axis=2)}  # by investors; below zero, by sellers
    needs = by_row(sum(np.maximum(amounts, 0.0) for amounts in owes.values()))
    borrow(ledger, economy.outside["banks", region], book.investors, needs)
    for flow, amounts in owes.items():
        book.pay(flow, np.maximum(amounts, 0.0))
    asked = sum(np.maximum(-amounts, 0.0) for amounts in owes.values())
    part = _payable(np.maximum(ledger.cash(book.sellers), 0.0), by_row(asked.T))
    for flow, amounts in owes.items():
        book.pay(flow, np.minimum(amounts, 0.0) * part)
    book.unpaid = asked * (1.0 - part)
    received = by_row(asked * part)
    economy.earned[economy.slots(region)] += received - needs
    economy.note(region, premiums=total(np.maximum(owes["premium"], 0.0).ravel()))
    economy.note(region, protection_paid=total((np.maximum(-owes["protection"], 0.0) * part).ravel()))
    book.run_off(1.0 - (1.0 - share) * (1.0 - 1.0 / (MONTHS * p.tenor)))


def _payable(cash: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Part (d,) of what is ``asked`` of sellers that their ``cash`` pays; a hair less where it is all they have."""
    part = np.divide(cash, asked, out=np.ones(len(cash)), where=asked > cash)
    return np.where(part < 1.0, part * (1.0 - 1e-12), 1.0)


def _judge(economy: Economy, region: str, debt: np.ndarray) -> None:
    """Sellers who cannot pay, or owe more than they have, fail; owners of the others bring or take capital."""
    book, ledger, notes = economy.protection[region], economy.ledger, total(debt)
    for seller in economy.all("seller", region):
        capital = float(ledger.net_worth(seller.party))
        if book.notional[:, :, seller.number].any() and seller.fails(capital, total(book.unpaid[:, seller.number])):
            _fail(economy, region, seller)
            continue
        money = seller.call(capital, float(ledger.cash(seller.party)), notes)
        economy.save(seller.party, region, money)
        ledger.pay("payout", seller.party, economy.outside["savers", region], max(-money, 0.0))


def _fail(economy: Economy, region: str, seller: Any) -> None:
    """A seller closes out; its owners lose all, investors what it cannot pay; others may own it from next month on."""
    book = economy.protection[region]
    needs = np.maximum(-book.value[:, seller.number], 0.0)
    borrow(economy.ledger, economy.outside["banks", region], book.investors, needs)
    lost = book.close_out(seller.number)
    economy.owners.wipe_out(seller.party)
    economy.note(region, seller_failures=1.0, protection_lost=lost)
    economy.happens("failure", region, party=f"seller {seller.name}", amount=lost, text="protection is void")
