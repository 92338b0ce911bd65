"""Leases of units: lessors order and own, operators pay rent out of what units earn, and may swap them when the frontier has moved.

What comes back is sold to clouds; what it was booked at beyond the price is the lessor's loss. A lessee that cannot pay its rent
gives back as many units as it cannot pay for. Leased units are let at spot, and need no site of those built ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.fleet import BEFORE
from sim.books.lending import collect, lend
from sim.markets import upgrades
from sim.markets.compute import effective
from sim.phases.funding import fund_cloud
from sim.phases.paying import pay_bills, whole_bill
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import rent_factor, used_prices

if TYPE_CHECKING:
    from sim.economy import Economy


def leased(economy: Economy) -> bool:
    """Whether units are leased."""
    return economy.params.sim.markets.upgrades.share > 0.0


# -- signing and works ---------------------------------------------------------------------------------------------------


def lease(economy: Economy, region: str, operator: Any, amount: float, rate: float, own: float) -> float:
    """An operator leases part of a plan of ``amount`` USD; USD left to own, at ``rate`` (1/year) and ``own`` equity of cost."""
    p, market = economy.params.sim.markets.upgrades, economy.tape[region]
    lessors = economy.all("lessor", region)
    if not lessors or economy.month < 0:
        return amount
    lessor = lessors[operator.number % len(lessors)]
    rent = _asked(economy, region, lessor)
    years = upgrades.years_held(p, economy.tape.frontier_growth)
    kept, entry = 1.0 - economy.params.sim.markets.compute.overhead, economy.entry_rent[region]
    terms = (rent, operator.owning(rate, years), kept * operator.earning(market, entry, rate, years))
    lacks = operator.lacking(own, float(economy.ledger.cash(operator.party))) / own
    part = operator.leases(p.share * lessor.offers() * amount, *terms, lacks)
    if part <= 0.0:
        return amount
    _order(economy, region, (lessor.party, operator.party), part / market.unit_cost, rent, economy.params.agents.operators.build)
    economy.note(region, leased=part)
    return amount - part


def _asked(economy: Economy, region: str, lessor: Any) -> float:
    """Yearly rent per USD of cost that a lessor asks now."""
    p, market = economy.params.sim.markets, economy.tape[region]
    kept = 1.0 - p.secondary.fire_sale
    return upgrades.asked(p.upgrades, lessor.rate(market), lessor.depreciation, economy.tape.frontier_growth, kept, lessor.returned)


def _order(economy: Economy, region: str, pair: tuple[int, int], gpus: float, rent: float, months: int) -> None:
    """A lessor orders units for a lessee, to come in ``months``."""
    lessor, lessee = pair
    price, i = gpus * economy.tape[region].unit_cost, economy.regions.index(region)
    begins = {"vintage": BEFORE + economy.clock, "ordered": economy.clock, "delivery": economy.clock + months}
    economy.fleet.equipment.add(1, region=i, lessor=lessor, lessee=lessee, gpus=gpus, price=price, rent=rent * price, **begins)
    economy.fleet.bought += gpus


def pay_works(economy: Economy, region: str) -> None:
    """Lessors pay for what is under construction."""
    if not leased(economy):
        return
    book, i = economy.fleet.equipment, economy.regions.index(region)
    rows = book.live(i)
    _buy(economy, region, book["lessor"][rows], book.works(rows, economy.clock))


def _buy(economy: Economy, region: str, lessors: np.ndarray, amounts: np.ndarray) -> None:
    """Lessors (n,) pay vendor and builders; banks lend their part, owners pay in what is missing."""
    for lessor in economy.all("lessor", region):
        due = amounts[lessors == lessor.party]
        _finance(economy, region, lessor, total(due))
        pay_bills(economy, region, lessor.party, whole_bill(economy, total(due)))
        economy.note(region, capex_lessors=total(due))


def _finance(economy: Economy, region: str, lessor: Any, need: float) -> None:
    """Bring a lessor's cash to ``need`` USD, which buys units that are in its book already."""
    ledger = economy.ledger
    short = max(need - float(ledger.cash(lessor.party)), 0.0)
    owed = -float(ledger.balance(lessor.party, "loans"))
    (book,) = economy.fleet.equipment.owned(np.array([lessor.party]))
    lent = min(max(lessor.borrows(float(book), owed), 0.0) * economy.tape[region].ration, short)
    lend(ledger, economy.outside["banks", region], np.array([lessor.party]), np.array([lent]))
    _pay_in(economy, region, lessor, need - float(ledger.cash(lessor.party)))


def _pay_in(economy: Economy, region: str, lessor: Any, amount: float) -> None:
    """Owners pay in capital."""
    lessor.paid_in += max(amount, 0.0)
    economy.save(lessor.party, region, amount)


def _spot(economy: Economy, region: str, vintage: np.ndarray) -> np.ndarray:
    """Spot rent of vintages (n,), USD/GPU/year."""
    return np.asarray(economy.tape[region].rent * rent_factor(economy, region, vintage))


# -- rents ---------------------------------------------------------------------------------------------------------------


def capacity(economy: Economy, region: str) -> tuple[float, float]:
    """Effective GPU that are leased and run, and GPU on order."""
    book, i, fleet = economy.fleet.equipment, economy.regions.index(region), economy.fleet
    rows = book.running(i, economy.clock)
    vintage = book["vintage"][rows]
    runs = _spot(economy, region, vintage) > fleet.running_cost[i, vintage]
    lag = fleet.lag(economy.tape.frontier, vintage)
    run = total(effective(economy.params.sim.markets.compute, book["gpus"][rows], lag) * runs)
    return run, total(book["gpus"][book.live(i)]) - total(book["gpus"][rows])


def earned(economy: Economy, region: str) -> tuple[np.ndarray, np.ndarray]:
    """What leased units earn this month by lessee, and what it costs to run and manage them, USD (o,) each."""
    book, i, p = economy.fleet.equipment, economy.regions.index(region), economy.params.sim.markets.compute
    people, rows = economy.parties("operator", region), economy.fleet.equipment.running(i, economy.clock)
    vintage, gpus = book["vintage"][rows], book["gpus"][rows]
    rent, running = _spot(economy, region, vintage), economy.fleet.running_cost[i, vintage]
    let = gpus * rent * economy.tape[region].utilisation / MONTHS * (rent > running)
    ran = np.minimum(gpus * running / MONTHS, let) * (rent > running)
    place = economy.places("operator", region, book["lessee"][rows])
    costs = np.bincount(place, ran + p.overhead * (let - ran), len(people))
    return np.bincount(place, let, len(people)).astype(float), costs.astype(float)


def run(economy: Economy, region: str, costs: np.ndarray) -> None:
    """Lessees pay what leased units cost to run and manage, ``costs`` (o,) USD, out of what these have just earned."""
    people, suppliers = economy.parties("operator", region), economy.outside["suppliers", region]
    economy.ledger.pay("running_cost", people, suppliers, costs)


def pay_rents(economy: Economy, region: str, let: np.ndarray, costs: np.ndarray) -> None:
    """Lessees, who have ``run`` their units, pay rents; who lacks cash gives units back."""
    if not leased(economy):
        return
    book, ledger, i = economy.fleet.equipment, economy.ledger, economy.regions.index(region)
    rows = book.running(i, economy.clock)
    paid = np.zeros(len(rows))
    for operator in economy.all("operator", region):
        own = book["lessee"][rows] == operator.party
        due = book["rent"][rows[own]] / MONTHS
        cash, whole = max(float(ledger.cash(operator.party)), 0.0), total(due)
        paid[own] = due * (min(cash / whole, 1.0) if whole > 0.0 else 1.0)
    ledger.pay("equipment_rent", book["lessee"][rows], book["lessor"][rows], paid)
    left = total(let) - total(costs) - total(paid)
    economy.note(region, equipment_rents=total(paid), ebitda=MONTHS * left, revenue=MONTHS * total(let))
    owed = book["rent"][rows] / MONTHS
    unpaid = np.divide(owed - paid, owed, out=np.zeros_like(owed), where=owed > 0.0)
    for lessor in economy.all("lessor", region):
        gpus = np.where(book["lessor"][rows] == lessor.party, book["gpus"][rows], 0.0)
        lessor.count(total(gpus * unpaid), total(gpus))
    _release(economy, region, rows[unpaid > 1e-9], unpaid[unpaid > 1e-9])


# -- swaps, ends, and lessors' accounts ----------------------------------------------------------------------------------


def upgrade(economy: Economy) -> None:
    """A month of leases: units wear, lessees swap, leases end; lessors service loans, pay out, or fail."""
    if not leased(economy):
        return
    for region in economy.regions:
        _wear(economy, region)
        _swap(economy, region)
        _end(economy, region)
        for lessor in economy.all("lessor", region):
            _settle(economy, region, lessor)


def _wear(economy: Economy, region: str) -> None:
    book, p = economy.fleet.equipment, economy.params.sim
    rows = book.running(economy.regions.index(region), economy.clock)
    lost, written = book.wear(rows, p.markets.compute.wear, p.books.deals.accounting_life)
    economy.fleet.failed += lost
    economy.ledger.post(book["lessor"][rows], "profit", "fleet", written)
    economy.note(region, lessor_depreciation=total(written))


def _swap(economy: Economy, region: str) -> None:
    """Lessees who may and gain by it swap old units for as many new ones, at today's rent, and pay the fee."""
    book, p, i, tape = economy.fleet.equipment, economy.params.sim.markets, economy.regions.index(region), economy.tape
    rows = book.running(i, economy.clock)
    vintage, months = book["vintage"][rows], economy.clock - book["delivery"][rows]
    may = upgrades.swappable(p.upgrades, months, economy.fleet.lag(tape.frontier, vintage))
    rows, vintage, months = rows[may], vintage[may], months[may]
    old = _net(economy, region, _spot(economy, region, vintage), economy.fleet.running_cost[i, vintage])
    new = book["gpus"][rows] * (_net(economy, region, tape[region].rent, tape[region].running_cost) - old)
    for operator in economy.all("operator", region):
        for lessor in economy.all("lessor", region):
            own = np.flatnonzero((book["lessee"][rows] == operator.party) & (book["lessor"][rows] == lessor.party))
            rent = _asked(economy, region, lessor)
            dearer = rent * book["gpus"][rows[own]] * tape[region].unit_cost - book["rent"][rows[own]]
            fee = p.upgrades.fee * book["cost"][rows[own]]
            years = np.maximum(p.upgrades.term - months[own], 0) / MONTHS
            wins = own[operator.swaps(new[own] - dearer, years, fee, float(economy.ledger.cash(operator.party)))]
            _exchange(economy, region, (lessor, operator), rows[wins], rent)


def _net(economy: Economy, region: str, rent: Any, running: Any) -> Any:
    """What a unit earns as it is ``earned``, USD/year: let as others are, less running and managing it."""
    left = np.maximum(economy.tape[region].utilisation * rent - running, 0.0)
    return (1.0 - economy.params.sim.markets.compute.overhead) * left


def _exchange(economy: Economy, region: str, pair: tuple[Any, Any], rows: np.ndarray, rent: float) -> None:
    """Lessee pays the fee; the lessor buys new units, delivered at once, and sells the old ones."""
    book, (lessor, operator) = economy.fleet.equipment, pair
    gpus = total(book["gpus"][rows])
    if gpus <= 0.0:
        return
    fee = economy.params.sim.markets.upgrades.fee * total(book["cost"][rows])
    economy.ledger.pay("swap_fee", operator.party, lessor.party, fee)
    _release(economy, region, rows, np.ones(len(rows)))
    _order(economy, region, (lessor.party, operator.party), gpus, rent, 0)
    price = float(book["price"][-1])
    for name in ("cost", "book"):
        book[name][-1] = price
    _buy(economy, region, np.array([lessor.party]), np.array([price]))
    economy.note(region, swaps=price)


def _end(economy: Economy, region: str) -> None:
    """Leases at the end of their term: units are the lessor's to sell."""
    book, term = economy.fleet.equipment, economy.params.sim.markets.upgrades.term
    rows = book.running(economy.regions.index(region), economy.clock)
    over = rows[economy.clock - book["delivery"][rows] >= term]
    _release(economy, region, over, np.ones(len(over)))


def _release(economy: Economy, region: str, rows: np.ndarray, share: np.ndarray) -> None:
    """``share`` (n,) of leases' units goes to clouds, at what used units fetch."""
    if not len(rows):
        return
    p, fleet, i = economy.params.sim.markets, economy.fleet, economy.regions.index(region)
    book = fleet.equipment
    vintage, lessor = book["vintage"][rows], book["lessor"][rows]
    gpus, value = book.give_back(rows, share)
    price = gpus * used_prices(economy, region, vintage)
    for cloud in economy.all("cloud", region):
        fund_cloud(economy, region, cloud, cloud.weight * total(price))
        economy.ledger.pay("used_gpus", cloud.party, lessor, cloud.weight * price)
        fleet.take(cloud.slot, vintage, cloud.weight * gpus, cloud.weight * price)
    economy.ledger.post(lessor, "profit", "fleet", value - price)
    lag = fleet.lag(economy.tape.frontier, vintage)
    book.released[i] = book.released.get(i, 0.0) + total(effective(p.compute, gpus, lag))
    economy.note(region, lessor_losses=total(value - price))


def _settle(economy: Economy, region: str, lessor: Any) -> None:
    """Interest, principal beyond what units carry, the rest to owners. Interest on works becomes part of their cost.

    Interest that a lessor has no cash for is lent to it.
    """
    ledger, market, one = economy.ledger, economy.tape[region], np.array([lessor.party])
    lessor.learn(market)
    owed, book = -float(ledger.balance(lessor.party, "loans")), float(economy.fleet.equipment.owned(one)[0])
    cash = max(float(ledger.cash(lessor.party)), 0.0)
    asked, bank = owed * (market.base_rate + lessor.params.spread) / MONTHS, economy.outside["banks", region]
    interest = min(asked, cash)
    principal = min(max(-lessor.borrows(book, owed), 0.0), cash - interest)
    collect(ledger, bank, one, np.array([interest]), np.array([principal]))
    ledger.accrue("loans", lessor.party, bank, asked - interest)
    ledger.post(lessor.party, "fleet", "profit", economy.fleet.equipment.capitalise(lessor.party, economy.clock, asked))
    capital, spare = float(ledger.net_worth(lessor.party)), max(float(ledger.cash(lessor.party)), 0.0)
    lessor.earn(capital, spare)
    ledger.pay("payout", lessor.party, economy.outside["savers", region], spare)
    if lessor.fails(capital):
        _fail(economy, region, lessor)
    economy.note(region, lessor_equity=float(ledger.net_worth(lessor.party)))


def _fail(economy: Economy, region: str, lessor: Any) -> None:
    """A lessor's owners lose all, its bank what its units do not cover at today's prices; new owners bring capital."""
    ledger, book = economy.ledger, economy.fleet.equipment
    economy.owners.wipe_out(lessor.party)
    let = book.running(economy.regions.index(region), economy.clock)
    let = let[book["lessor"][let] == lessor.party]
    written = book.write_down(let, book["gpus"][let] * used_prices(economy, region, book["vintage"][let]))
    ledger.post(lessor.party, "profit", "fleet", written)
    owed = -float(ledger.balance(lessor.party, "loans"))
    lost = min(max(-float(ledger.net_worth(lessor.party)), 0.0), owed)
    ledger.forgive("loans", lessor.party, economy.outside["banks", region], lost)
    needed = lessor.params.restart * float(book.owned(np.array([lessor.party]))[0])
    _pay_in(economy, region, lessor, needed)
    lessor.worth, lessor.paid_in = float(ledger.net_worth(lessor.party)), 0.0
    economy.note(region, lessor_failures=1.0, bank_losses_lessors=lost, lessor_losses=written)
    economy.happens("failure", region, party=f"lessor {lessor.name}", amount=lost, text="new owners")
