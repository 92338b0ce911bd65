"""What a month leaves in the record: one row a region, deal class, agent and flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim import ratings
from sim.books.deals import CLASSES
from sim.books.ledger import FLOWS, KINDS
from sim.breakdowns import tenants
from sim.grants import deal_letters
from sim.markets.parts import BACKINGS
from sim.regional import region_row

if TYPE_CHECKING:
    from sim.economy import Economy

STAGES = np.array(["building", "operating", "closed"])
FILED = {  # accounts of sponsors and funds, standing of labs and agencies: column -> name
    "quality": "quality",
    "training": "training",
    "earnings": "earnings",
    "debt_reported": "reported",
    "debt_beside": "beside",
    "debt_shown": "shown",
    "guaranteed": "guaranteed",
    "value_shown": "value_shown",
    "asked_back": "asked_back",
    "mandates": "mandates",
    "looseness": "looseness",
    "notches_lost": "lost",
}


def monthly(economy: Economy) -> None:
    """Rows of this month in every table that has months."""
    for region in economy.regions:
        economy.recorder.add("monthly", month=economy.month, region=region, **region_row(economy, region))
    _tranches(economy)
    _agents(economy)
    _flows(economy)
    _issues(economy)


def _tranches(economy: Economy) -> None:
    deals = economy.deals
    rows = deals.live()
    owed = deals["state"]["balance"][rows]
    at, k = np.nonzero(owed > 0.0)
    if not len(at):
        return
    row = rows[at]
    shares = deals["shares"][row, k]
    held = {}
    for column, slots in economy.styles.items():
        held[column] = shares[:, slots].sum(axis=1)
    economy.recorder.add(
        "tranches",
        month=economy.month,
        deal=row,
        tranche=np.array(CLASSES)[k],
        balance=owed[at, k],
        rating=np.array([*ratings.LETTERS, ""])[deals["rating"][row, k]],
        price=deals["price"][row, k],
        coupon=deals["terms"]["coupon"][row, k],
        **held,
    )


def _agents(economy: Economy) -> None:
    ledger = economy.ledger
    agents = [a for group in economy.people.values() for a in group if a.party >= 0]
    parties = np.array([a.party for a in agents])
    economy.recorder.add(
        "agents",
        month=economy.month,
        agent=np.array([a.name for a in agents]),
        kind=np.array([a.kind for a in agents]),
        region=np.array([a.region for a in agents]),
        cash=ledger.cash(parties),
        net_worth=ledger.net_worth(parties),
        loans=-ledger.balance(parties, "loans"),
        bonds=-ledger.balance(parties, "bonds"),
        notes=ledger.balance(parties, "notes"),
        fleet=ledger.balance(parties, "fleet"),
        stakes=ledger.balance(parties, "stakes"),
        revenue=np.array([a.revenue if a.kind == "lab" else np.nan for a in agents]),
        **{column: np.array([getattr(a, name, np.nan) for a in agents]) for column, name in FILED.items()},
    )


def _flows(economy: Economy) -> None:
    flow, payer, payee = np.nonzero(economy.ledger.flows)
    economy.recorder.add(
        "flows",
        month=economy.month,
        flow=np.array(list(FLOWS))[flow],
        payer=np.array(KINDS)[payer],
        payee=np.array(KINDS)[payee],
        usd=economy.ledger.flows[flow, payer, payee],
    )


def _issues(economy: Economy) -> None:
    deals = economy.deals
    rows = np.flatnonzero(deals["issued"] == economy.clock)
    if len(rows):
        economy.happens(
            "issuance",
            np.array(economy.regions)[deals["region"][rows]],
            deal=rows,
            party="deal",
            amount=deals["commitment"][rows].sum(axis=1),
            text=np.where(purposes(economy, rows) == "refinancing", "refinancing", channels(economy, rows)),
        )


def channels(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """Names (n,) of deals' channels."""
    return _of_channel(economy, rows, "name")


def purposes(economy: Economy, rows: np.ndarray) -> np.ndarray:
    """What deals (n,) are for: to build, to take a loan out, or to refinance what matured."""
    anew = economy.deals["kind"][rows] < len(economy.deals.library.names) // 2
    return np.where(anew, _of_channel(economy, rows, "use"), "refinancing")


def _of_channel(economy: Economy, rows: np.ndarray, field: str) -> np.ndarray:
    """A field (n,) of deals' channels, as text."""
    values = [[getattr(channel, field) for channel in economy.menus[region]] for region in economy.regions]
    places = zip(economy.deals["region"][rows].tolist(), economy.deals["channel"][rows].tolist(), strict=True)
    return np.array([values[region][channel] for region, channel in places], dtype=str)


def final(economy: Economy) -> None:
    """One row a deal, at the end of the run."""
    deals = economy.deals
    rows = np.arange(len(deals))
    names = np.array([economy.ledger.members[p].name for p in deals["sponsor"]])
    stage = deals["stage"]
    economy.recorder.add(
        "deals",
        deal=rows,
        region=np.array(economy.regions)[deals["region"]],
        sponsor=names,
        tenant=tenants(economy, rows),
        channel=channels(economy, rows),
        sold_as=_of_channel(economy, rows, "sold_as"),
        purpose=purposes(economy, rows),
        refinances=np.where(deals["predecessor"] >= 0, deals["predecessor"], -1),
        issued=deals["issued"] - economy.burn_in,
        notional_senior=deals["commitment"][:, 0],
        notional_mezzanine=deals["commitment"][:, 1],
        coupon_senior=deals["terms"]["coupon"][:, 0],
        coupon_mezzanine=deals["terms"]["coupon"][:, 1],
        budget=deals["budget"],
        backing=np.array(BACKINGS)[deals["backing"]],
        template=np.array(deals.library.names)[deals["kind"]],
        tenor=deals["due"],
        surcharge=deals["surcharge"],
        **deal_letters(economy),
        stage=STAGES[stage],
        liquidated=deals["state"]["sold"],
        loss=deals["lost"].sum(axis=1),
        balance=deals["state"]["balance"].sum(axis=1),
    )
