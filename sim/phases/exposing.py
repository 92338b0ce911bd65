"""Expose: who owes whom at the start of a month, and what would be paid if all of it were settled, whoever fails in the month.

The network is taken before anything is paid. Once the month is over the tenants that have failed in it are known; they pay nothing
of their contracts beyond spot. It is cleared a second time as if the largest tenant had failed. This is a measure beside the books:
no cash moves. Off while ``sim.markets.exposures.interval`` is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.books.audit import Gap
from sim.books.bonds import by_holder
from sim.books.deals import BUILDING, CLASSES, OPERATING
from sim.kernels.rents import rent_value
from sim.markets import exposures as market
from sim.markets.parts import RECEIVABLES
from sim.phases.failing import largest_tenant, recovered
from sim.phases.receiving import pledged_rows, values
from sim.phases.renting import spot
from sim.sums import total
from sim.units import MONTHS
from sim.valuing import market_values, used_value

if TYPE_CHECKING:
    from sim.economy import Economy

PLEDGE, NOTES, GUARANTEE, CONTRACT, PREPAID, BONDS, LOANS, RENTS, PROTECTION = range(9)
NAMES = np.array(
    [
        "pledge",
        "notes",
        "guarantee",
        "contract above spot",
        "prepaid rent",
        "bonds",
        "loans",
        "site rents",
        "protection",
    ]
)
FAILURES = ("lab", "cloud", "operator", "investor", "seller", "lessor")
SCENES = ("month", "largest tenant")  # whose failure is looked at


class Snapshot(NamedTuple):
    """A region's claims between parties, and what each party has beside them, USD; by their numbers in the ledger."""

    claims: market.Claims
    kind: np.ndarray  # (e,) place in NAMES
    going: np.ndarray  # (p,) as long as it pays
    sale: np.ndarray  # (p,) once it does not
    saved: np.ndarray  # (p,) what is left of a tenant that fails
    largest: int  # tenant that owes most contract rent


def exposes(economy: Economy) -> bool:
    """Whether the network is cleared this month."""
    return economy.params.sim.markets.exposures.interval > 0 and economy.month >= 0


def look(economy: Economy) -> None:
    """Take the network of each region as it stands now."""
    if exposes(economy):
        economy.snapshots = {region: snapshot(economy, region) for region in economy.regions}


def snapshot(economy: Economy, region: str) -> Snapshot:
    """A region's network."""
    parts = [part for part in _claims(economy, region) if len(part[0])]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    payer, payee, rank, amount, kind = columns
    some = amount > 0.0
    claims = market.Claims(*(column[some] for column in (payer, payee, rank, amount)))
    going, sale = _means(economy, region)
    tenants = np.concatenate([economy.parties("lab", region), economy.parties("cloud", region)])
    saved, owed = np.zeros_like(going), np.bincount(claims.payer, claims.amount, len(going))
    for cloud in economy.all("cloud", region):
        saved[cloud.party] = -recovered(economy, region, cloud) * float(economy.ledger.balance(cloud.party, "bonds"))
    rows = pledged_rows(economy, region)
    kept = (1.0 - economy.params.sim.markets.borrowing.haircut) * (economy.deals["backing"][rows] == RECEIVABLES)
    np.add.at(saved, economy.deals["sponsor"][rows], kept * (values(economy, region, rows) if len(rows) else 0.0))
    going[tenants] = sale[tenants] = owed[tenants]  # who has not failed goes on paying
    return Snapshot(claims, kind[some], going, sale, saved, largest_tenant(economy, region, ("lab", "cloud")))


# -- who owes what -------------------------------------------------------------------------------------------------------

Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # payer, payee, rank, USD, kind


def _part(payer: np.ndarray, payee: np.ndarray, rank: int, amount: np.ndarray, kind: int) -> Part:
    payer, payee, amount = np.broadcast_arrays(payer, payee, amount)
    return payer, payee, np.full(len(payer), rank), amount, np.full(len(payer), kind)


def _claims(economy: Economy, region: str) -> list[Part]:
    """Claims of a region, kind by kind."""
    deals, ledger, rows = economy.deals, economy.ledger, economy.rows(region)
    party, found = deals["party"][rows], []
    for k in range(len(CLASSES)):
        only = np.arange(len(CLASSES)) == k
        issuers, holders, held = deals.spread(rows, deals["state"]["balance"][rows] * only)
        found.append(_part(issuers, holders, k, held, NOTES))
    local = np.array([member.region == region for member in ledger.members])
    debtors = np.flatnonzero(local & (ledger.balance(slice(len(local)), "loans") < 0.0))
    found.append(_part(debtors, np.array(economy.outside["banks", region]), 0, -ledger.balance(debtors, "loans"), LOANS))
    found += [_bonds(economy, region), _contracts(economy, region), _pledges(economy, region), _guarantees(economy, region)]
    prepaid = -ledger.balance(party, "prepaid")
    found.append(_part(party, economy.contracts["tenant"][rows], len(CLASSES), prepaid, PREPAID))
    operators = economy.parties("operator", region)
    late = np.maximum(-ledger.balance(operators, "claims"), 0.0)
    found.append(_part(operators, np.array(economy.outside["landlords", region]), 0, late, RENTS))
    return found + _protection(economy, region)


def _bonds(economy: Economy, region: str) -> Part:
    """What clouds owe the holders of their bonds."""
    people = economy.parties("cloud", region)
    if economy.params.agents.clouds.bond_tenor == 0:
        owed, savers = -economy.ledger.balance(people, "bonds"), np.array(economy.outside["savers", region])
        return _part(people, savers, 0, owed, BONDS)
    book = economy.bonds
    owed = np.concatenate([by_holder(book["shares"][rows], book["balance"][rows]) for rows in map(book.outstanding, people)])
    return _part(np.repeat(people, len(book.holders)), np.tile(book.holders, len(people)), 0, owed, BONDS)


def _contracts(economy: Economy, region: str) -> Part:
    """What tenants owe to the end of their contracts beyond what the same units would earn at spot, as spot is believed to decline.

    Both are discounted at what the market asks of deals.
    """
    rows, contract, tape = economy.rows(region, BUILDING, OPERATING), economy.contracts, economy.tape[region]
    rows = rows[(contract["tenant"][rows] > 0) & (economy.deals["pledge"][rows] == 0.0)]
    years, rate = np.maximum(contract["months"][rows], 0) / MONTHS, max(tape.base_rate + tape.spread, 1e-9)
    fixed = contract["rent"][rows] * -np.expm1(-rate * years) / rate
    market_rent = spot(economy, region, economy.fleet.deals["vintage"][rows])
    above = fixed - rent_value(market_rent, 0.0, tape.depreciation_belief, rate, years)
    units = economy.fleet.deals["gpus"][rows] * economy.params.sim.markets.compute.cover
    return _part(contract["tenant"][rows], economy.deals["party"][rows], 1, units * np.maximum(above, 0.0), CONTRACT)


def _pledges(economy: Economy, region: str) -> Part:
    """What labs owe the companies that hold their pledges: always what these owe."""
    rows = economy.rows(region)
    rows = rows[economy.deals["pledge"][rows] > 0.0]
    owed = economy.deals["state"]["balance"][rows].sum(axis=1)
    return _part(economy.deals["sponsor"][rows], economy.deals["party"][rows], 0, owed, PLEDGE)


def _guarantees(economy: Economy, region: str) -> Part:
    """What the guaranteed value of deals in default exceeds a sale by."""
    deals, rows = economy.deals, economy.rows(region, OPERATING)
    rows = rows[deals["state"]["in_default"][rows] & (deals["terms"]["guarantee_strike"][rows] > 0.0)]
    rows = rows[~deals["state"]["guarantee_called"][rows]]
    short = np.maximum(deals["terms"]["guarantee_strike"][rows] - market_values(economy, region, rows), 0.0)
    due = np.minimum(short, deals["terms"]["guarantee_cap"][rows])
    return _part(economy.contracts["tenant"][rows], deals["party"][rows], 0, due, GUARANTEE)


def _protection(economy: Economy, region: str) -> list[Part]:
    """What contracts of investors and sellers of protection are worth, to whom they are worth something."""
    book = economy.protection.get(region)
    if book is None or not book.value.any():
        return []
    investors, sellers = (side.ravel() for side in np.meshgrid(book.investors, book.sellers, indexing="ij"))
    value = book.value.ravel()
    return [
        _part(sellers, investors, 0, np.maximum(value, 0.0), PROTECTION),
        _part(investors, sellers, 0, np.maximum(-value, 0.0), PROTECTION),
    ]


# -- what there is to pay with -------------------------------------------------------------------------------------------


def _means(economy: Economy, region: str) -> tuple[np.ndarray, np.ndarray]:
    """What each party (p,) has beside its claims, USD: while it pays, and once it does not."""
    ledger, deals = economy.ledger, economy.deals
    count = len(ledger.members)
    going = np.maximum(ledger.cash(slice(count)), 0.0)
    lessors = economy.parties("lessor", region)
    going[lessors] += ledger.balance(lessors, "fleet")
    works = economy.rows(region, BUILDING)
    going[deals["party"][works]] += economy.fleet.deals["book"][works]
    sale = going.copy()
    rows = economy.rows(region, OPERATING)
    rows = rows[deals["pledge"][rows] == 0.0]
    fetched = market_values(economy, region, rows)
    life = economy.params.sim.markets.compute.service_life / MONTHS
    worth = economy.fleet.deals["gpus"][rows] * used_value(economy, region, rows, 0.0, life)
    worth = np.where(deals["state"]["in_default"][rows], fetched, np.maximum(worth, fetched))
    going[deals["party"][rows]] += worth
    sale[deals["party"][rows]] += fetched
    return going, sale


# -- what would be paid --------------------------------------------------------------------------------------------------


def clear(shot: Snapshot, failed: list[int]) -> tuple[market.Cleared, np.ndarray, np.ndarray]:
    """Payments when tenants ``failed`` have nothing but what is left of them; with what everybody had (p,), going and in a sale."""
    going, sale = shot.going.copy(), shot.sale.copy()
    going[failed] = sale[failed] = np.minimum(shot.saved[failed], going[failed])
    return market.clear(shot.claims, going, sale), going, sale


def settle(economy: Economy) -> list[Gap]:
    """Clear each region's network of this month, put it on record, and return how well it settles."""
    gaps: list[Gap] = []
    if not exposes(economy):
        return gaps
    for region, shot in economy.snapshots.items():
        for scene, failed in zip(SCENES, (sorted(economy.failed), [shot.largest] if shot.largest > 0 else []), strict=True):
            here = [party for party in failed if economy.ledger.members[party].region == region]
            cleared, going, sale = clear(shot, here)
            breaches = market.breaches(shot.claims, going, sale, cleared)
            scale = max(total(cleared.owed), 1.0)
            gaps += [Gap(f"exposures: {rule}", f"{region}, {scene}", amount, scale) for rule, amount in breaches.items()]
            _note(economy, region, scene, cleared)
            if due(economy, region):
                record(economy, region, shot, scene, cleared)
    economy.snapshots = {}
    return gaps


def due(economy: Economy, region: str) -> bool:
    """Whether all claims go on record: at the interval, and when somebody has failed or a deal has defaulted."""
    facts = economy.facts[region]
    failed = any(facts.get(f"{kind}_failures", 0.0) > 0.0 for kind in FAILURES)
    return economy.month % economy.params.sim.markets.exposures.interval == 0 or failed or facts["defaults"] > 0.0


def _note(economy: Economy, region: str, scene: str, cleared: market.Cleared) -> None:
    first = total(cleared.first)
    name = "network" if scene == SCENES[0] else "stress"
    figures = {f"{name}_short": cleared.short, f"{name}_first": first}
    figures[f"{name}_contagion"] = cleared.beyond / first if first > 0.0 else np.nan
    if scene == SCENES[0]:
        figures["network_owed"] = total(cleared.owed)
    economy.note(region, **figures)


def record(economy: Economy, region: str, shot: Snapshot, scene: str, cleared: market.Cleared) -> None:
    """Claims and payments, those of a sponsor's deals together."""
    names = _names(economy)
    pairs = np.stack([names.take(shot.claims.payer), names.take(shot.claims.payee), NAMES[shot.kind]])
    keys, at = np.unique(pairs, axis=1, return_inverse=True)
    amount, paid = (np.bincount(at.ravel(), values, keys.shape[1]) for values in (shot.claims.amount, cleared.paid))
    payer, payee, kind = (column.astype(object) for column in keys)
    economy.recorder.add(
        "exposures",
        month=economy.month,
        region=region,
        scene=scene,
        payer=payer,
        payee=payee,
        kind=kind,
        amount=amount,
        paid=np.minimum(paid, amount),
    )


def _names(economy: Economy) -> np.ndarray:
    """What parties (p,) are called in the record: a deal is one of its sponsor's, an investor of a style."""
    members, deals = economy.ledger.members, economy.deals
    names = np.array([f"{member.kind} {member.name}".strip() for member in members], dtype=object)
    for region in economy.regions:
        for agent in economy.all("investor", region):
            names[agent.party] += f" ({agent.style.name.replace('_', ' ')})"
    names[deals["party"]] = np.array([f"deals of {name}" for name in names[deals["sponsor"]]], dtype=object)
    return names.astype(str)
