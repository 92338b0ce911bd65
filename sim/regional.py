"""One region's month: what phases noted, what the tape says, and what books hold, as one row of the record."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.deals import BUILDING, OPERATING
from sim.breakdowns import gpus_by_age
from sim.columns import HOLDERS
from sim.grants import region_figures
from sim.markets import disappointment, tokens
from sim.sums import mean, total
from sim.units import MONTHS, YEAR_HOURS
from sim.valuing import units

if TYPE_CHECKING:
    from sim.economy import Economy

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
STATED = {  # figures that phases note every month: column -> name
    **{name: name for name in ("protection_grade", "protection_operators", "protection_junior")},
    **{name: name for name in ("cost_of_capital", "raise_multiple", "leading_lab")},
    "lab_concentration": "concentration",
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


def region_row(economy: Economy, region: str) -> dict[str, Any]:
    """One region's month."""
    market, facts, tape = economy.tape[region], economy.facts[region], economy.tape
    row: dict[str, Any] = {name: facts.get(name, 0.0) for name in COUNTED}
    row |= {name: facts.get(name, np.nan) for name in MEASURED}
    viable, debts = _applications(economy, region), _debts(economy, region)
    row |= {column: facts[name] for column, name in STATED.items()}
    row |= {column: getattr(market, name) for column, name in QUOTED.items()}
    row |= {
        "rent": market.rent / YEAR_HOURS,
        "rent_to_cost": market.rent / market.unit_cost,
        "frontier": tape.frontier,
        "frontier_growth": tape.frontier_growth,
        "model_half_life": tape.half_life,
        "training": market.training / MONTHS,
        "applications": viable,
        "applications_funded": viable * facts.get("funded_number", np.nan),
        "demand_met": _demand_met(economy),
        "audit_gap": economy.residual,
    }
    row |= rules_in_force(economy, region) | region_figures(economy, region) | gpus_by_age(economy, region)
    row |= debts | _investors(economy, region, debts["debt"]) | _customers(economy, region)
    return row | _ladder(economy, economy.rows(region))


def _debts(economy: Economy, region: str) -> dict[str, float]:
    """What deals, clouds, labs and operators owe and have, and what part of what was sought was found."""
    facts, ledger, index = economy.facts[region], economy.ledger, economy.regions.index(region)
    deals, rows, sites = economy.deals, economy.rows(region), economy.sites
    debt, ebitda = total(deals["state"]["balance"][rows].ravel()), facts.get("ebitda", 0.0)
    liquidated = facts.get("liquidation_value", 0.0) + facts["loss"]
    return {
        "debt": debt,
        "undrawn": total(deals["undrawn"][rows].ravel()),
        "ebitda": ebitda / MONTHS,
        "operator_revenue": facts.get("revenue", 0.0) / MONTHS,
        "debt_to_ebitda": _share(debt, ebitda),
        "prepaid": -total(ledger.balance(deals["party"][rows], "prepaid")),
        "funded_share": _share(facts["funded"], facts["wanted"]),
        "circular_share": _share(facts.get("circular_orders", 0.0), facts["funded"] + facts["orders_clouds"]),
        "recovery_rate": 1.0 - _share(facts["loss"], liquidated) if facts.get("liquidations") else np.nan,
        "securities": facts.get("issuance_abs", 0.0) + facts.get("take_outs", 0.0),
        "bonds": -total(ledger.balance(economy.parties("cloud", region), "bonds")),
        "bond_spread": _share(facts.get("bond_spread", 0.0), facts.get("issuance_bonds", 0.0)),
        "venture_debt": -total(ledger.balance(economy.parties("lab", region), "loans")),
        "lab_cash": total(ledger.cash(economy.parties("lab", region))),
        "operator_cash": total(ledger.cash(economy.parties("operator", region))),
        "sites_ready": float(sites.ready[index]),
        "sites_underway": total(sites["size"][sites.unpowered(index)]),
        "delivery_delay": _share(facts.get("lateness", 0.0), facts.get("delivered", 0.0)),
        "lease_obligations": economy.leases.obligations(index, economy.clock, economy.params.sim.markets.leases.term),
    }


def _investors(economy: Economy, region: str, debt: float) -> dict[str, float]:
    """Investors' capital and loans, and what they believe and promise; ``debt`` is all deals', USD."""
    people, ledger = economy.parties("investor", region), economy.ledger
    worth = total(ledger.net_worth(people)) - total(economy.funds[region].unrelated)
    active = [agent for agent in economy.all("investor", region) if agent.weight > 0.0]
    return {
        "investor_capital": worth,
        "investor_loans": -total(ledger.balance(people, "loans")),
        "investor_leverage": debt / worth if worth > THIN * debt else np.nan,
        "loss_belief": mean(agent.loss_belief for agent in active),
        "promised_yield": mean(agent.promised for agent in active),
        "loss_volatility": mean(agent.loss_volatility for agent in active),
    }


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
