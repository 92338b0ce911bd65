"""Use: users pay labs, labs raise and pay rent, train, and fail when they run dry."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.markets import contracts, tokens
from sim.phases import clearing, upgrading, venturing
from sim.phases.anchoring import pay_rents
from sim.phases.borrowing import borrow, claimed, collect, fail
from sim.phases.contracting import forfeit, owed, renegotiate, use_up
from sim.phases.failing import fail_by_script, reset, show, traced
from sim.phases.leasing import pay_sites, settle_leases
from sim.phases.pledging import set_aside
from sim.phases.regulating import barred_labs
from sim.phases.renting import spot
from sim.phases.supporting import back, buy_back
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


@dataclass
class Rents:
    """One month's rents in a region, USD: by deal row (n,), by cloud (c,), by lab (l,)."""

    rows: np.ndarray
    tenant: np.ndarray  # (n,) column of the tenant among labs and clouds
    contracted: np.ndarray
    spot: np.ndarray
    cost: np.ndarray
    prepaid: np.ndarray  # part of the contracted rents that was paid at signing
    used: np.ndarray  # market value of the contracted units in use
    clouds: np.ndarray
    cloud_cost: np.ndarray  # to run them and to manage them, no more than they earn
    leased: np.ndarray  # (o,) by operator, what units earn that it leases
    leased_cost: np.ndarray  # the same of them

    @property
    def bill(self) -> float:
        """Market value of all compute used."""
        return total(self.used) + total(self.spot) + total(self.clouds) + total(self.leased)

    def by_tenant(self, amounts: np.ndarray, labs: int) -> np.ndarray:
        """Sums (l,) of (n,) amounts by lab."""
        return np.bincount(self.tenant, amounts, labs)[:labs]


def use(economy: Economy) -> None:
    """Contracts give way; users pay labs, labs raise, compute and running costs are paid; dry labs fail, their contracts reset."""
    for region in economy.regions:
        gone = fail_by_script(economy, region)
        _compete(economy, region)
        borrow(economy, region)
        renegotiate(economy, region)
        rents = _rents(economy, region)
        rents = _settle_labs(economy, region, rents, gone)
        _collect(economy, region, rents)


def _compete(economy: Economy, region: str) -> None:
    """Quality and training budgets move; each lab learns its part of users and what investors offer."""
    p, market, life = economy.params.sim.markets.tokens, economy.tape[region], economy.tape.half_life
    labs = economy.all("lab", region)
    noise = economy.draw("quality", economy.keys("lab", region))
    quality = np.array([lab.quality for lab in labs])
    weight = np.where(barred_labs(economy, region), 0.0, [lab.weight for lab in labs])
    quality = tokens.improve(p, quality, np.array([lab.training / lab.size for lab in labs]), life, noise)
    share = tokens.shares(p, quality, weight)
    worth = economy.transmit("model_worth", region, tokens.model_worth(p, life))
    offered = economy.transmit("raise_multiple", region, labs[0].appetite(market, worth))
    margin = tokens.mark_up(p, life) / p.margin if p.margin > 0.0 else 0.0
    for lab, q, s in zip(labs, quality, share, strict=True):
        lab.quality = float(q)
        lab.bill = float(s) * market.inference
        raised = back(economy, region, lab, offered)
        lab.plan(lab.bill, margin, raised + lab.net_borrowing)
        lab.offered = lab.raise_equity(lab.bill, raised)
    economy.note(region, raise_multiple=offered, concentration=total(share**2), leading_lab=float(np.argmax(share)))


def _rents(economy: Economy, region: str) -> Rents:
    """What every deal and cloud earns this month."""
    p, market, fleet = economy.params.sim.markets.compute, economy.tape[region], economy.fleet
    i, rows = economy.regions.index(region), economy.rows(region, OPERATING)
    vintage, gpus = fleet.deals["vintage"][rows], fleet.deals["gpus"][rows]
    worth = spot(economy, region, vintage) * market.utilisation / MONTHS
    contracted = gpus * p.cover * economy.contracts["rent"][rows] / MONTHS
    open_market = gpus * (1.0 - p.cover) * worth
    cost = gpus * fleet.running_cost[i, vintage] / MONTHS
    runs = contracted + open_market > cost
    vintages = np.arange(len(fleet.frontier))
    rent, running = spot(economy, region, vintages), fleet.running_cost[i]
    clouds = np.array([c.slot for c in economy.all("cloud", region)])
    held = fleet.gpus[clouds] * (rent > running) / MONTHS
    let = np.array([total(h) for h in held * rent * market.utilisation])
    ran = np.minimum([total(h) for h in held * running], let)
    leased, leased_cost = upgrading.earned(economy, region)
    free = (1.0 - p.overhead) * (contracted + open_market - cost) * runs
    return Rents(
        rows=rows,
        tenant=economy.tenant_places(region, economy.contracts["tenant"][rows]),
        contracted=contracted * runs,
        spot=open_market * runs,
        cost=cost * runs,
        prepaid=contracts.drawn_down(owed(economy, rows), economy.contracts["months"][rows], contracted * runs, free),
        used=gpus * p.cover * worth * runs,
        clouds=let,
        cloud_cost=ran + p.overhead * (let - ran),
        leased=leased,
        leased_cost=leased_cost,
    )


def _shares(economy: Economy, region: str) -> tuple[np.ndarray, np.ndarray]:
    """Labs' shares (l,) of all compute used, and the part (l,) of each that serves users."""
    labs = economy.all("lab", region)
    bill = np.array([lab.bill for lab in labs])
    both = bill + np.array([lab.training for lab in labs])
    return both / total(both), np.divide(bill, both, out=np.zeros_like(bill), where=both > 0.0)


def _settle_labs(economy: Economy, region: str, rents: Rents, gone: np.ndarray) -> Rents:
    """Labs raise, are paid by users and pay for compute; those who cannot, or are ``gone`` (l,), fail: their contracts reset."""
    ledger, labs = economy.ledger, economy.all("lab", region)
    p = economy.params.sim.markets.tokens
    share, serving = _shares(economy, region)
    mark_up = tokens.mark_up(p, economy.tape.half_life)
    cash = ledger.cash(economy.parties("lab", region)) + np.array([lab.offered for lab in labs])
    loans = venturing.due(economy, region)
    staff = np.array([lab.params.staff * lab.bill / MONTHS for lab in labs])

    def bills(now: Rents) -> tuple[np.ndarray, np.ndarray]:
        premium = now.by_tenant(now.contracted - now.used, len(labs))
        bill = now.bill
        own = share * bill + premium - now.by_tenant(now.prepaid, len(labs)) + loans.sum(axis=0) + staff
        passed = np.array([lab.params.pass_through for lab in labs]) * np.maximum(premium, 0.0)
        paid = share * bill * serving * (1.0 + mark_up) + passed
        return own + claimed(economy, region, paid), paid

    def cleared(now: Rents, own: np.ndarray, paid: np.ndarray) -> tuple[clearing.Bills, clearing.Parts]:
        has = np.where(dry, ledger.cash(economy.parties("lab", region)), cash)  # a failed lab raises nothing
        due = clearing.bills(now, own, loans.sum(axis=0) + staff, claimed(economy, region, paid), has, paid)
        return due, clearing.clear(due)

    own, revenue = bills(rents)
    dry = (cash + revenue < own) | gone
    fresh = dry
    while fresh.any():  # what one lab no longer pays may take another down
        _default(economy, region, fresh)
        loans[:, fresh] = 0.0
        rents = _rents(economy, region)
        own, revenue = bills(rents)
        fresh = (cash + revenue < own) & ~dry
        if clearing.clears(economy):
            due, parts = cleared(rents, own, revenue)
            fresh = clearing.falls_short(parts) & ~dry
        dry = dry | fresh
    if dry.any():
        if clearing.clears(economy):
            rents, own = clearing.share_out(economy, region, rents, due, parts)
            staff = staff * parts.labs
        _fail(economy, region, dry, own, revenue)
    _raise(economy, region, dry)
    users = economy.outside["users", region]
    ledger.provide("income", users, total(revenue))
    ledger.pay("inference", users, economy.parties("lab", region), revenue)
    _pay(economy, region, rents, own - loans.sum(axis=0) - staff - claimed(economy, region, revenue))  # or are paid for what is let
    ledger.pay("salaries", economy.parties("lab", region), economy.outside["suppliers", region], staff)
    collect(economy, region, revenue)
    venturing.repay(economy, region, loans)
    _look_back(economy, region, own, revenue)
    return rents


def _look_back(economy: Economy, region: str, own: np.ndarray, revenue: np.ndarray) -> None:
    """Labs learn what they burn, having paid ``own`` (l,) USD, and buy back shares with what they cannot use."""
    for lab, burn, paid in zip(economy.all("lab", region), MONTHS * (own - revenue), revenue, strict=True):
        lab.burn, lab.revenue = float(burn), float(paid)
        spare = lab.buy_back(float(economy.ledger.cash(lab.party)), lab.bill)
        economy.ledger.pay("payout", lab.party, economy.outside["savers", region], spare)
    economy.note(region, inference_revenue=total(revenue))


def _default(economy: Economy, region: str, dry: np.ndarray) -> None:
    """Contracts of dry labs fall to spot, what they prepaid is forfeit, and their banks claim what they have."""
    people, rows = economy.parties("lab", region)[dry], economy.rows(region, BUILDING, OPERATING)
    rows = rows[np.isin(economy.contracts["tenant"][rows], people)]
    fall = reset(economy, region, rows)
    for lab in itertools.compress(economy.all("lab", region), dry if traced(economy) else np.zeros_like(dry)):
        own = economy.contracts["tenant"][rows] == lab.party
        show(economy, region, rows[own], f"lab {lab.name}", fall[own])
    forfeit(economy, region, people)
    fail(economy, region, people)
    venturing.claim(economy, region, people)
    _close_barred(economy, region, dry)


def _pay(economy: Economy, region: str, rents: Rents, compute: np.ndarray) -> None:
    """Labs pay ``compute`` (l,) USD: contract rents to deals, the rest through the exchange to whoever let at spot."""
    ledger, people, exchange = economy.ledger, economy.parties("lab", region), economy.outside["exchange", region]
    deal, paid, by_lab = economy.deals["party"][rents.rows], rents.contracted - rents.prepaid, rents.tenant < len(people)
    net = compute - rents.by_tenant(paid, len(people))
    ledger.pay("spot_rent", people, exchange, np.maximum(net, 0.0))
    ledger.pay("sublease", exchange, people, np.maximum(-net, 0.0))
    ledger.pay("contract_rent", people[rents.tenant[by_lab]], deal[by_lab], paid[by_lab])
    use_up(economy, rents.rows, rents.prepaid)
    ledger.pay("spot_rent", exchange, deal, rents.spot)
    ledger.pay("spot_rent", exchange, economy.parties("operator", region), rents.leased)
    tenant = economy.contracts["tenant"][rents.rows]
    pay_rents(economy, region, tenant, deal, paid, rents.used, rents.clouds, rents.cloud_cost)


def _close_barred(economy: Economy, region: str, dry: np.ndarray) -> None:
    """Dry labs that a rule bars stop training; what they had rented is let to the others at spot."""
    labs, barred = economy.all("lab", region), barred_labs(economy, region)
    closed = barred & dry
    if not closed.any():
        return
    people, able = economy.parties("lab", region), ~barred & (np.array([lab.weight for lab in labs]) > 0.0)
    economy.contracts.relet(people[closed], people[able])
    for lab in itertools.compress(labs, closed):
        lab.training = 0.0


def _fail(economy: Economy, region: str, dry: np.ndarray, own: np.ndarray, revenue: np.ndarray) -> None:
    """Owners of dry labs lose all; new ones bring cash to pay this month's bill and start again."""
    for lab, failed, bill, income in zip(economy.all("lab", region), dry, own, revenue, strict=True):
        if not failed:
            continue
        lost = economy.owners.wipe_out(lab.party)
        has = float(economy.ledger.cash(lab.party)) + float(income)
        needed = max(float(bill) - has, 0.0) + lab.params.restart_cash * lab.bill
        economy.save(lab.party, region, needed)
        lab.training *= economy.params.sim.markets.failures.training_kept
        economy.note(region, lab_failures=1.0)
        economy.happens(
            "failure",
            region,
            party=f"lab {lab.name}",
            amount=lost,
            text="contracts reset to spot",
        )


def _raise(economy: Economy, region: str, dry: np.ndarray) -> None:
    """Banks lend part of each raise; clouds and the vendor take theirs as far as their cash goes, savers the rest."""
    vendors = economy.all("vendor", "")
    clouds = economy.all("cloud", region)
    for lab, failed in zip(economy.all("lab", region), dry, strict=True):
        if failed or lab.offered <= 0.0:
            continue
        free = lab.offered - lab.tied
        backers = [(c.party, lab.params.from_clouds * c.weight * free) for c in clouds]
        backers += [(v.party, (lab.params.from_vendor * free + lab.tied) / len(vendors)) for v in vendors]
        left = lab.offered - venturing.advance(economy, region, lab)
        for party, part in backers:
            amount = min(part, max(float(economy.ledger.cash(party)), 0.0), left)
            economy.owners.invest(lab.party, party, amount)
            left -= amount
        economy.save(lab.party, region, left)
        economy.note(region, lab_raise=lab.offered, vendor_equity_labs=lab.tied)


def _collect(economy: Economy, region: str, rents: Rents) -> None:
    """Deals and clouds pay running costs, management and rents of sites; what is left waits for the pay date."""
    p, ledger = economy.params.sim.markets.compute, economy.ledger
    suppliers = economy.outside["suppliers", region]
    upgrading.run(economy, region, rents.leased_cost)
    earned = rents.contracted + rents.spot + buy_back(economy, region, rents.rows, rents.spot)
    spent = rents.cost + p.overhead * (earned - rents.cost)
    if clearing.clears(economy):
        spent = np.minimum(spent, earned - rents.prepaid)  # who was paid too little pays suppliers what there is
    ledger.pay("running_cost", economy.deals["party"][rents.rows], suppliers, spent)
    site = pay_sites(economy, region, rents.rows, earned - spent - rents.prepaid)
    left = earned - spent - rents.prepaid - site
    economy.deals["collected"][rents.rows] += left - set_aside(economy, rents.rows, left)
    settle_leases(economy, region, economy.deals["sponsor"][rents.rows], site)
    clouds = economy.parties("cloud", region)
    ledger.pay("running_cost", clouds, suppliers, rents.cloud_cost)
    economy.note(region, ebitda=MONTHS * total(earned - spent), revenue=MONTHS * total(earned))
    upgrading.pay_rents(economy, region, rents.leased, rents.leased_cost)
