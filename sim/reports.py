"""What a month leaves in the record: one row a region, deal class, agent and flow."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import ratings
from sim.books.deals import BUILDING, CLASSES, OPERATING
from sim.books.ledger import FLOWS, KINDS
from sim.breakdowns import gpus_by_age, tenants
from sim.columns import HOLDERS
from sim.grants import deal_letters, region_figures
from sim.markets import disappointment, tokens
from sim.markets.parts import BACKINGS
from sim.sums import mean, total
from sim.units import MONTHS, YEAR_HOURS
from sim.valuing import units

if TYPE_CHECKING:
    from sim.economy import Economy

STAGES = np.array(["building", "operating", "closed"])
LADDER = 3  # years of debt's maturities that are recorded
THIN = 0.02  # capital over debt below which leverage says nothing
COUNTED = (  # figures that phases note
    *("capex", "capex_clouds", "capex_operators", "orders", "vendor_revenue", "support", "residual"),
    *("issuance", "issuance_abs", "issuance_private", "refinancing", "interest", "principal"),
    *("issuance_bank", "issuance_spv", "issuance_lease", "issuance_policy_bank"),
    *("issuance_data_centre_abs", "issuance_cmbs", "issuance_quasi_reit", "issuance_creit"),
    *("issuance_receivables", "issuance_weights", "lab_debt", "pledges_sold", "models_overtaken"),
    "issuance_bonds",
    *("take_outs", "private_equity", "anchor_rent", "guarantees"),
    "operator_depreciation",
    *(f"lost_by_{kind}" for kind in (*HOLDERS, "banks")),
    *("capex_lessors", "leased", "swaps", "equipment_rents", "lessor_depreciation", "lessor_losses"),
    *("lessor_equity", "lessor_failures", "bank_losses_lessors"),
    *("protection", "protection_gross", "premiums", "protection_paid", "protection_lost", "seller_failures"),
    *("insurers_sold", "insurers_fall", "bills_unpaid"),
    *("vendor_equity", "vendor_equity_labs", "circular_orders", "unsold", "bought_back"),
    *("loss", "loss_senior", "loss_mezzanine", "defaults", "liquidations", "downgrades", "rating_fees"),
    *("sites_begun", "orders_waiting"),
    *("retention", "retained", "capital_charge", "rule_ahead", "lobbying", "brought_forward"),
    *("renewals", "sites_sold"),
    *("capex_sovereigns", "sovereign_budget", "sovereign_stakes", "sovereign_units", "sovereign_notes", "at_home"),
    *("cloud_failures", "guarantees_void", "bond_losses", "deals_hit", "rent_lost"),
    *("capex_landlords", "leases_signed", "site_rents", "site_rents_empty"),
    *("lease_failures", "lease_claims", "lease_claims_paid", "rents_rejected"),
    *("renegotiations", "rent_conceded", "prepayments", "prepayments_lost"),
    *("redemption_requests", "redemptions_paid", "redemption_queue", "fund_lines", "fund_value", "fund_worth"),
    *("forced_sales", "forced_sales_unrelated", "note_discount", "unrelated_discount"),
    *("unrelated_loans", "unrelated_losses", "contagion"),
    *(
        "inference_revenue",
        "lab_raise",
        "venture_lent",
        "venture_losses",
        "lab_failures",
        "operator_failures",
        "investor_failures",
        "bank_losses",
    ),
)
MEASURED = (  # figures that phases note where they are measured; null elsewhere
    *("funded_compute", "funded_social", "planned_social", "distortion", "contractible_social", "demand_funded"),
    "insurers_ratio",
    *("network_owed", "network_short", "network_first", "network_contagion"),
    *("stress_short", "stress_first", "stress_contagion"),
)
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
QUOTED = {  # facts on the tape: column -> name
    "base_rate": "base_rate",
    "spread": "spread",
    "advance_rate_senior": "advance_senior",
    "advance_rate_mezzanine": "advance_mezzanine",
    "ltv_addon": "ltv_addon",
    "ration": "ration",
    "refinancing_availability": "refinancing",
    "abs_share": "abs_share",
    "unit_cost": "unit_cost",
    "running_cost": "running_cost",
    "token_quality": "quality",
    "utilisation": "utilisation",
    "capacity": "capacity",
    "tightness": "tightness",
    "demand_growth": "demand_growth",
    "vintage_discount": "vintage_discount",
    "depreciation_belief": "depreciation_belief",
    "belief_dispersion": "dispersion",
    "recovery_belief": "recovery_belief",
    "structured_senior": "structured_senior",
    "structured_debt": "structured_debt",
    "depreciation_seen": "depreciation_seen",
    "loss_rate": "loss_rate",
}


def monthly(economy: Economy) -> None:
    """Rows of this month in every table that has months."""
    for region in economy.regions:
        economy.recorder.add("monthly", month=economy.month, region=region, **region_row(economy, region))
    _tranches(economy)
    _agents(economy)
    _flows(economy)
    _issues(economy)


def region_row(economy: Economy, region: str) -> dict[str, Any]:
    """One region's month."""
    market, facts, tape = economy.tape[region], economy.facts[region], economy.tape
    row: dict[str, Any] = {name: facts.get(name, 0.0) for name in COUNTED}
    row |= {column: getattr(market, name) for column, name in QUOTED.items()}
    deals, rows = economy.deals, economy.rows(region)
    debt = total(deals["state"]["balance"][rows].ravel())
    people = economy.parties("investor", region)
    worth = total(economy.ledger.net_worth(people)) - total(economy.funds[region].unrelated)
    loans = -total(economy.ledger.balance(people, "loans"))
    investors, ebitda = economy.all("investor", region), facts.get("ebitda", 0.0)
    liquidated = facts.get("liquidation_value", 0.0) + facts["loss"]
    row |= {
        "debt": debt,
        "undrawn": total(deals["undrawn"][rows].ravel()),
        "ebitda": ebitda / MONTHS,
        "operator_revenue": facts.get("revenue", 0.0) / MONTHS,
        "debt_to_ebitda": debt / ebitda if ebitda > 0.0 else np.nan,
        "prepaid": -total(economy.ledger.balance(deals["party"][rows], "prepaid")),
        "investor_capital": worth,
        "investor_loans": loans,
        "investor_leverage": debt / worth if worth > THIN * debt else np.nan,
        "funded_share": facts["funded"] / facts["wanted"] if facts["wanted"] > 0.0 else np.nan,
        **{name: facts[name] for name in ("protection_grade", "protection_operators", "protection_junior")},
        **{name: facts.get(name, np.nan) for name in MEASURED},
        "circular_share": _share(facts.get("circular_orders", 0.0), facts["funded"] + facts["orders_clouds"]),
        "cost_of_capital": facts["cost_of_capital"],
        **rules_in_force(economy, region),
        "raise_multiple": facts["raise_multiple"],
        "rent": market.rent / YEAR_HOURS,
        "rent_to_cost": market.rent / market.unit_cost,
        "frontier": tape.frontier,
        "frontier_growth": tape.frontier_growth,
        "model_half_life": tape.half_life,
        "training": market.training / MONTHS,
        "applications": _applications(economy, region),
        "applications_funded": _applications(economy, region) * facts.get("funded_number", np.nan),
        "demand_met": _demand_met(economy),
        "lab_concentration": facts["concentration"],
        "leading_lab": facts["leading_lab"],
        "loss_belief": mean(a.loss_belief for a in investors if a.weight > 0.0),
        "promised_yield": mean(a.promised for a in investors if a.weight > 0.0),
        "loss_volatility": mean(a.loss_volatility for a in investors if a.weight > 0.0),
        "recovery_rate": 1.0 - facts["loss"] / liquidated if facts.get("liquidations") and liquidated > 0.0 else np.nan,
        "operator_cash": total(economy.ledger.cash(economy.parties("operator", region))),
        "securities": facts.get("issuance_abs", 0.0) + facts.get("take_outs", 0.0),
        "bonds": -total(economy.ledger.balance(economy.parties("cloud", region), "bonds")),
        "bond_spread": facts["bond_spread"] / facts["issuance_bonds"] if facts.get("issuance_bonds") else np.nan,
        "sites_ready": float(economy.sites.ready[economy.regions.index(region)]),
        "sites_underway": total(economy.sites["size"][economy.sites.unpowered(economy.regions.index(region))]),
        "delivery_delay": facts["lateness"] / facts["delivered"] if facts.get("delivered") else np.nan,
        "lease_obligations": economy.leases.obligations(
            economy.regions.index(region), economy.clock, economy.params.sim.markets.leases.term
        ),
        "venture_debt": -total(economy.ledger.balance(economy.parties("lab", region), "loans")),
        "lab_cash": total(economy.ledger.cash(economy.parties("lab", region))),
        "audit_gap": economy.residual,
    }
    return (
        row | region_figures(economy, region) | gpus_by_age(economy, region) | _customers(economy, region) | _ladder(economy, rows)
    )


def rules_in_force(economy: Economy, region: str) -> dict[str, Any]:
    """What a region's regulator is doing, and whether a market is closed or a warning stands."""
    facts = economy.facts[region]
    staged = [regulator for regulator in economy.all("regulator", region) if regulator.process.staged]
    return {
        "rule_stage": staged[0].stage if staged else None,
        "rule_force": staged[0].force if staged else 0.0,
        "market_closed": facts["market_closed"] > 0.0,
        "warning": facts.get("warning", 0.0) > 0.0,
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else np.nan


def _ladder(economy: Economy, rows: np.ndarray) -> dict[str, float]:
    """Debt by the year in which it is due: what schedules repay and what falls due at the end; arrears and defaults are due now."""
    deals = economy.deals
    state, building = deals["state"], deals["stage"][rows] == BUILDING
    owed, age, broken = state["balance"][rows], state["age"][rows], state["in_default"][rows, None]
    notes = np.where(building[:, None], owed, deals["scheduled"][rows])
    wait = np.where(building, np.maximum(deals["delivery"][rows] - economy.clock, 0), 0)
    left = [owed]
    for year in range(1, LADDER + 1):
        month = age + np.maximum(year * MONTHS - wait, 0)
        kept = np.minimum(left[-1], notes * deals.library.at("left", deals["kind"][rows], month))
        left.append(np.where(broken, 0.0, kept))
    due = [total((now - then).ravel()) for now, then in itertools.pairwise(left)]
    return {f"debt_due_{year}y": amount for year, amount in enumerate(due, 1)}


def _applications(economy: Economy, region: str) -> float:
    """Applications that pay at today's price of inference, against the path on which the economy started."""
    markets, tape = economy.params.sim.markets, economy.tape
    initial = tokens.price(markets.tokens, markets.compute.rent_start * markets.hardware.cost(region), markets.tokens.half_life)
    return tokens.viable(markets.tokens, tokens.price(markets.tokens, tape[region].rent, tape.half_life), initial)


def _demand_met(economy: Economy) -> float:
    p = economy.params.sim.markets
    return disappointment.met(p.disappointment, p.tokens, economy.month, economy.tape.demand_half_life)


def _customers(economy: Economy, region: str) -> dict[str, float]:
    """What is under contract, and how much of the largest operator's rents and backlog is its largest tenant's."""
    rows, cover = economy.rows(region, BUILDING, OPERATING), economy.params.sim.markets.compute.cover
    unit, contracts = units(economy, region, rows), economy.contracts
    running = economy.deals["stage"][rows] == OPERATING
    contracted = unit.gpus * cover * contracts["rent"][rows]
    rent = running * (contracted + unit.gpus * (1.0 - cover) * unit.rent * economy.tape[region].utilisation)
    backlog = contracted * contracts["months"][rows] / MONTHS
    sponsor, tenant = economy.deals["sponsor"][rows], contracts["tenant"][rows]
    own = sponsor == max(np.unique(sponsor), key=lambda s: total(rent[sponsor == s]), default=-1)
    top = {
        name: _largest(part[own], tenant[own], whole[own])
        for name, part, whole in (
            ("top_customer", running * contracted, rent),
            ("top_customer_backlog", backlog, backlog),
        )
    }
    let = running * contracted
    return {"backlog": total(backlog), "largest_tenant": _largest(let, tenant, let), **top}


def _largest(parts: np.ndarray, groups: np.ndarray, wholes: np.ndarray) -> float:
    """Sum of the largest group over the sum of all."""
    whole = total(wholes)
    return max(total(parts[groups == g]) for g in np.unique(groups)) / whole if whole > 0.0 else np.nan


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
