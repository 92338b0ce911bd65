"""Borrow: labs sell part of what users will pay, or of their models' margin, to companies that investors fund; rated as all deals.

A company buys for its notes; its lab fills the reserve. What is pledged comes in with users' payments, ahead of the lab's compute,
and goes through the waterfall; the rest returns. Once the lab has failed users pay less, and weights earn nothing. In a liquidation
the lab's owners buy the pledge back for what it fetches. What the lab owes the company is always what the company owes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import BUILDING, Receipts
from sim.books.fleet import BEFORE
from sim.markets.borrowing import pace
from sim.markets.parts import RECEIVABLES, WEIGHTS
from sim.phases import mandating, tenancy
from sim.phases.dealing import coupons, draw, engaged, holders, kinds
from sim.phases.placing import room
from sim.phases.pledging import backings, shopped
from sim.phases.receiving import beaten, incoming, lend_on, monthly, pledged_rows, remaining, values
from sim.sums import by_row, total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy

ENDLESS = 1 << 20  # months: no contract of a company's own ends


def borrow(economy: Economy, region: str) -> None:
    """Labs whose turn it is borrow through each channel whose price they accept; the money is theirs at once."""
    which = np.flatnonzero(lend_on(economy, region)).tolist()
    for lab in economy.all("lab", region) if which else []:
        lab.remember(economy.params.sim.markets.borrowing.open_lag)
    if which:
        economy.note(region, models_overtaken=float(beaten(economy, region).sum()))
    for c in which if region in economy.sized else []:
        _lend(economy, region, c)


def advance(economy: Economy, region: str, c: int) -> tuple[float, float]:
    """What agencies, the channel and the regulator let a channel's lenders advance: on seniors, and on all."""
    channel, addon = economy.menus[region][c], economy.tape[region].ltv_addon
    senior, debt = shopped(economy, region)[c]
    most = max(min(float(debt), channel.most - addon), 0.0)
    return max(min(float(senior), channel.most_senior - addon, most), 0.0), most


def worth(economy: Economy, region: str, c: int) -> np.ndarray:
    """Pools (l,) that labs could form of all they may still pledge, USD, and the shares (l,) that these take."""
    kind, tokens = int(backings(economy, region)[c] == WEIGHTS), economy.params.sim.markets.tokens
    earned = monthly(economy, region, np.array([lab.paid for lab in economy.all("lab", region)]))[kind]
    whole = earned * (MONTHS / pace(tokens, economy.tape.half_life) if kind else economy.menus[region][c].tenor)
    return np.stack([whole * remaining(economy, region)[kind], remaining(economy, region)[kind]])


def wanted(economy: Economy, region: str, c: int, month: int) -> np.ndarray:
    """Notes (l,) USD that labs seek through a channel in ``month``: their need, as far as their pledges carry."""
    _, debt = advance(economy, region, c)
    kind = kinds(economy, region)[c : c + 1]
    rate = float(coupons(economy, region, kind)[0, 0])
    most = worth(economy, region, c)[0] * debt
    labs = economy.all("lab", region)
    return np.array([lab.borrows(month, rate, float(cap)) for lab, cap in zip(labs, most, strict=True)])


def expected(economy: Economy, region: str) -> float:
    """Notes, USD, that labs will ask investors for next month."""
    if region not in economy.sized:
        return 0.0
    which = np.flatnonzero(lend_on(economy, region)).tolist()
    banks = [channel.lender == "banks" for channel in economy.menus[region]]
    return total(total(wanted(economy, region, c, economy.clock + 1)) for c in which if not banks[c])


def _lend(economy: Economy, region: str, c: int) -> None:
    channel, asked = economy.menus[region][c], wanted(economy, region, c, economy.clock)
    carried = 1.0 if channel.lender == "banks" else economy.tape[region].ration
    if channel.name not in getattr(economy.params.sim.books.channels, region).open or total(asked) <= 0.0:
        return
    lent = asked * carried * min(float(room(economy, region)[c]) / total(asked), 1.0)
    at = np.flatnonzero(lent > 0.0)
    senior, debt = advance(economy, region, c)
    pool, (whole, left) = lent[at] / debt, worth(economy, region, c)[:, at]
    kind = np.repeat(kinds(economy, region)[c : c + 1], len(at))
    rows = _open(economy, region, (c, at), kind, pool, pool[:, None] * economy.deals.library.sizes(kind, senior, debt))
    economy.deals["pledge"][rows], economy.deals["collects"][rows] = pool / whole * left, 1.0
    _pay(economy, region, rows, [economy.all("lab", region)[place] for place in at.tolist()])
    mandating.pay(economy, region, rows)
    economy.note(region, **{f"issuance_{channel.name}": total(lent[at])})


def _open(
    economy: Economy, region: str, who: tuple[int, np.ndarray], kind: np.ndarray, pool: np.ndarray, notes: np.ndarray
) -> np.ndarray:
    """Rows of labs' new companies; ``who``: the channel, and the places of the labs (n,)."""
    c, at = who
    channel, parties = np.full(len(at), c), economy.parties("lab", region)[at]
    rows = economy.deals.close(
        region,
        kind,
        coupons(economy, region, kind),
        pool,
        sponsor=parties,
        backing=backings(economy, region)[channel],
        region=economy.regions.index(region),
        channel=channel,
        **engaged(economy, region, parties, channel),
        predecessor=-1,
        issued=economy.clock,
        delivery=economy.clock,
        stage=BUILDING,
        commitment=notes,
        budget=pool,
        shares=holders(economy, region, channel, len(at)),
    )
    economy.fleet.deals.add(len(at), vintage=BEFORE + economy.clock)
    economy.contracts.add(len(at), tenant=parties, months=ENDLESS)
    added = tenancy.premium(economy, region, rows) + mandating.distrust(economy, region, rows)
    economy.deals["surcharge"][rows] = added
    economy.deals["terms"]["coupon"][rows] += added[:, None]
    return rows


def _pay(economy: Economy, region: str, rows: np.ndarray, labs: list[Any]) -> None:
    """Investors fund the notes, the companies buy, and labs fill the reserves out of what they get."""
    deals = economy.deals
    notes = deals["commitment"][rows].copy()
    party, sponsor, lent = deals["party"][rows], deals["sponsor"][rows], by_row(notes)
    draw(economy, region, rows, notes)
    economy.ledger.pay("pledge_bought", party, sponsor, lent)
    reserve = np.minimum(deals.library.reserve(deals["kind"][rows], notes, deals["terms"]["coupon"][rows]), lent)
    economy.ledger.pay("escrow", sponsor, party, reserve)
    deals["escrow"][rows] = reserve
    deals.start(rows)
    for lab, amount in zip(labs, (lent - reserve).tolist(), strict=True):
        lab.lent += amount


# -- while notes are out -----------------------------------------------------------------------------------------------


def claimed(economy: Economy, region: str, payments: np.ndarray) -> np.ndarray:
    """What of users' ``payments`` (l,) is labs' lenders', USD (l,)."""
    rows = pledged_rows(economy, region)
    if not len(rows):
        return np.zeros(len(payments))
    place = economy.places("lab", region, economy.deals["sponsor"][rows])
    return np.bincount(place, incoming(economy, region, rows, payments), len(payments))


def collect(economy: Economy, region: str, payments: np.ndarray) -> None:
    """Labs pass on what is their lenders'."""
    for lab, paid in zip(economy.all("lab", region), payments.tolist(), strict=True):
        lab.paid = paid
    rows = pledged_rows(economy, region)
    amounts = incoming(economy, region, rows, payments)
    economy.ledger.pay("collection", economy.deals["sponsor"][rows], economy.deals["party"][rows], amounts)
    economy.deals["collected"][rows] += amounts


def fail(economy: Economy, region: str, failed: np.ndarray) -> None:
    """Labs (n,) have failed: their users pay less of what is pledged, and their models earn nothing."""
    deals, rows = economy.deals, pledged_rows(economy, region)
    rows = rows[np.isin(deals["sponsor"][rows], failed)]
    kept = 1.0 - economy.params.sim.markets.borrowing.haircut
    deals["collects"][rows] *= np.where(deals["backing"][rows] == RECEIVABLES, kept, 0.0)


def value_pledges(economy: Economy, region: str) -> None:
    """What the trustee would get for pledges at this pay date."""
    rows, period = pledged_rows(economy, region), economy.deals["period"]
    if len(rows):
        period["market_value"][rows] = period["appraisal"][rows] = values(economy, region, rows)


def redeem(economy: Economy, receipts: Receipts) -> None:
    """Owners of labs buy back what is sold; what a lab owes its companies becomes what these owe after the pay date."""
    deals, rows = economy.deals, receipts.rows
    for region in economy.regions:
        mine = pledged_rows(economy, region)
        mine = np.intersect1d(rows, mine) if len(mine) else mine
        sold = mine[deals["state"]["sold"][mine]]
        price = deals["payment"]["sale_proceeds"][sold]
        for lab in economy.all("lab", region) if len(sold) else []:
            own = deals["sponsor"][sold] == lab.party
            economy.save(lab.party, region, total(price[own]))
        economy.ledger.pay("pledge_redeemed", deals["sponsor"][sold], deals["party"][sold], price)
        economy.note(region, pledges_sold=total(price))


def amortise(economy: Economy, receipts: Receipts) -> None:
    """Labs' debts to their companies follow the notes; what is repaid or lost ends the pledge."""
    deals, ledger = economy.deals, economy.ledger
    for region in economy.regions:
        if not lend_on(economy, region).any():
            continue
        mine = np.intersect1d(receipts.rows, pledged_rows(economy, region))
        owed, party, sponsor = by_row(deals["state"]["balance"][mine]), deals["party"][mine], deals["sponsor"][mine]
        ledger.forgive("claims", sponsor, party, ledger.balance(party, "claims") - owed)
        deals["pledge"][mine[owed == 0.0]] = 0.0
        at = np.searchsorted(receipts.rows, mine)
        served = receipts.interest[at].sum(axis=1) + receipts.principal[at].sum(axis=1)
        for lab in economy.all("lab", region):
            lab.served = total(served[sponsor == lab.party])
        economy.note(region, lab_debt=total(owed))
