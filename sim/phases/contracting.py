"""What tenants and landlords settle between them: prepayments at signing, renegotiations, claims when one of them fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.markets import contracts
from sim.phases.regulating import barred_labs
from sim.phases.renting import spot
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy


def tenants_of(economy: Economy, region: str, sponsors: np.ndarray, months: np.ndarray, channel: np.ndarray) -> list[int]:
    """Tenants (n,) of contracts signed in ``months`` (n,) on deals of ``sponsors`` (n,): each deal has a draw of its own."""
    operators, able = economy.all("operator", region), ~barred_labs(economy, region)
    labs = [lab.party for lab, may in zip(economy.all("lab", region), able, strict=True) if may and lab.weight > 0.0]
    size = {lab.party: lab.weight for lab in economy.all("lab", region)}
    unequal = economy.params.sim.markets.tenants.concentration > 0.0
    place, found = economy.places("operator", region, sponsors), []
    chances = economy.streams.uniform("tenant", months, economy.keys("operator", region)[place], channel)
    for at, chance in zip(place.tolist(), chances.tolist(), strict=True):
        sponsor = operators[at]
        others = [party for party in labs if party != sponsor.tenant]
        sizes = [size[party] for party in others] if unequal else []
        found.append(sponsor.let_to(chance, others, sizes))
    return found


def renegotiate(economy: Economy, region: str) -> None:
    """Tenants press landlords, the harder the faster they burn cash; where both meet, contracts above spot give way."""
    p, cover = economy.params.sim.markets.contracts, economy.params.sim.markets.compute.cover
    if p.renegotiation == 0.0:
        return
    rows = economy.rows(region, BUILDING, OPERATING)
    rows = rows[economy.are("lab", region, economy.contracts["tenant"][rows]) & (economy.deals["pledge"][rows] == 0.0)]
    landlord = economy.places("operator", region, economy.deals["sponsor"][rows])
    tenant = economy.places("lab", region, economy.contracts["tenant"][rows])
    rows = rows[_meet(economy, region)[landlord, tenant]]
    rent, vintage = economy.contracts["rent"], economy.fleet.deals["vintage"][rows]
    given = contracts.conceded(p, rent[rows], spot(economy, region, vintage))
    rows, given = rows[given > 0.0], given[given > 0.0]
    rent[rows] -= given
    yearly = economy.fleet.deals["gpus"][rows] * cover * given
    economy.note(region, renegotiations=float(len(rows)), rent_conceded=total(yearly))
    if len(rows):
        economy.happens("renegotiation", region, deal=rows, party="deal", amount=yearly, text="rent cut towards spot")


def _meet(economy: Economy, region: str) -> np.ndarray:
    """Whether each landlord and each tenant (operator, lab) renegotiate this month; every pair has its own draw."""
    labs, landlords = economy.all("lab", region), economy.keys("operator", region)
    burn, cash = np.array([lab.burn for lab in labs]), economy.ledger.cash(economy.parties("lab", region))
    chance = contracts.renegotiation_chance(economy.params.sim.markets.contracts, burn, cash)
    pairs = np.repeat(landlords, len(labs)), np.tile([lab.number for lab in labs], len(landlords))
    return economy.streams.uniform("renegotiation", economy.clock, *pairs).reshape(len(landlords), -1) < chance


# -- prepayments: a claim of the tenant on the deal until rents have used it up ------------------------------------------


def owed(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """USD (n,) that deals have been prepaid and not yet earned."""
    return -economy.ledger.balance(economy.deals["party"][rows], "prepaid")


def worth(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Rents (n,) of contracts from now to their end, USD."""
    contract, cover = economy.contracts, economy.params.sim.markets.compute.cover
    return economy.fleet.deals["gpus"][rows] * cover * contract["rent"][rows] * contract["months"][rows] / MONTHS


def prepay(economy: Economy, region: str, rows: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Tenants of new deals pay part of their contracts at signing; USD (n,) that sponsors, who need ``own``, save."""
    p, labs = economy.params.sim.markets.contracts, economy.parties("lab", region)
    if p.prepayment == 0.0:
        return np.zeros(len(rows))
    paid, let = np.zeros(len(rows)), economy.are("lab", region, economy.contracts["tenant"][rows])  # clouds prepay nothing
    tenant = economy.places("lab", region, economy.contracts["tenant"][rows[let]])
    paid[let] = contracts.prepaid(p, worth(economy, rows[let]), own[let], tenant, economy.ledger.cash(labs))
    economy.ledger.pay("prepayment", labs[tenant], economy.deals["party"][rows[let]], paid[let])
    economy.note(region, prepayments=total(paid))
    return paid


def usual_prepayment(economy: Economy, region: str) -> float:
    """Part of their contracts that tenants of the deals under construction have prepaid."""
    rows = economy.rows(region, BUILDING)
    value = total(worth(economy, rows))
    return total(owed(economy, rows)) / value if value > 0.0 else 0.0


def use_up(economy: Economy, rows: np.ndarray, amounts: np.ndarray) -> None:
    """Rents of ``amounts`` (n,) USD are earned out of prepayments; no cash moves."""
    if amounts.any():
        economy.ledger.post(economy.deals["party"][rows], "prepaid", "profit", amounts)
        economy.ledger.post(economy.contracts["tenant"][rows], "profit", "prepaid", amounts)


def pass_on(economy: Economy, old: np.ndarray, heirs: np.ndarray) -> None:
    """Refinanced deals hand prepayments on with the contracts."""
    amounts, party = owed(economy, old), economy.deals["party"]
    economy.ledger.post(party[old], "prepaid", "equity", amounts)
    economy.ledger.post(party[heirs], "equity", "prepaid", amounts)


def refund(economy: Economy, rows: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Deals just sold repay tenants before their sponsors, out of the ``residual`` (n,); USD (n,) repaid."""
    repaid = np.where(economy.deals["state"]["sold"][rows], np.minimum(residual, owed(economy, rows)), 0.0)
    tenant = economy.contracts["tenant"][rows]
    economy.ledger.pay("prepayment_refund", economy.deals["party"][rows], tenant, repaid)
    return repaid


def lapse(economy: Economy, rows: np.ndarray) -> None:
    """Prepayments that nobody will honour are the tenants' loss."""
    amounts = owed(economy, rows)
    rows, amounts = rows[amounts > 0.0], amounts[amounts > 0.0]
    if not len(rows):
        return
    economy.ledger.forgive("prepaid", economy.deals["party"][rows], economy.contracts["tenant"][rows], amounts)
    for i, region in enumerate(economy.regions):
        economy.note(region, prepayments_lost=total(amounts[economy.deals["region"][rows] == i]))


def forfeit(economy: Economy, region: str, tenants: np.ndarray) -> None:
    """Failed tenants lose what they prepaid to their landlords."""
    rows = economy.rows(region, BUILDING, OPERATING)
    lapse(economy, rows[np.isin(economy.contracts["tenant"][rows], tenants)])
