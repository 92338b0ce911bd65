"""What every recorded column holds: unit and meaning. The unit decides the type in Parquet.

``index``, ``id`` and ``count`` are whole numbers (an id below zero is none); ``text``, ``date`` and ``flag`` are what
they say; the rest are floats. A missing number is null.
"""

from typing import Final

Columns = dict[str, tuple[str, str]]

WHEN: Final[Columns] = {
    "month": ("index", "month of the run, 0 is the start date, negative during burn-in"),
    "date": ("date", "first day of the month"),
}

MONTHLY: Final[Columns] = {
    **WHEN,
    "region": ("text", "region"),
    # what is built
    "capex": ("USD", "capital spending of the month"),
    "capex_clouds": ("USD", "of which by clouds, out of cash flow"),
    "capex_operators": ("USD", "of which by operators"),
    "capex_landlords": ("USD", "of which by landlords, on sites that operators rent"),
    "orders": ("USD", "hardware ordered in the month"),
    "vendor_revenue": ("USD", "hardware delivered and paid in the month"),
    "support": ("USD", "put in by sponsors to keep their deals whole, in the month"),
    # what it is financed with
    "issuance": ("USD", "notional of deals closed in the month"),
    "issuance_abs": ("USD", "of which securities"),
    "issuance_private": ("USD", "of which private credit"),
    "issuance_bank": ("USD", "of which banks' construction loans"),
    "issuance_spv": ("USD", "of which by companies that own one campus, its residual value guaranteed"),
    "issuance_lease": ("USD", "of which leases of chips"),
    "issuance_policy_bank": ("USD", "of which policy banks' loans"),
    "securities": ("USD", "notional placed as securities in the month, take-outs included"),
    "take_outs": ("USD", "notional of securities that repaid loans on running units, beside issuance"),
    "issuance_data_centre_abs": ("USD", "of which data-centre ABS"),
    "issuance_cmbs": ("USD", "of which CMBS"),
    "issuance_quasi_reit": ("USD", "of which building-backed ABS with an equity class"),
    "issuance_creit": ("USD", "of which listed trusts"),
    "issuance_bonds": ("USD", "bonds issued by clouds"),
    "bonds": ("USD", "clouds' bonds outstanding"),
    "bond_spread": ("1/year", "over the base rate, of bonds issued in the month, mean; null without any"),
    "private_equity": ("USD", "put into operators by private equity, in the month"),
    "anchor_rent": ("USD", "contract rent that clouds paid operators, in the month"),
    "guarantees": ("USD", "paid by clouds for residual values they had guaranteed, in the month"),
    "refinancing": ("USD", "notional of deals that replace maturing ones"),
    "debt": ("USD", "balance of all deals outstanding"),
    "debt_due_1y": ("USD", "of it due within a year: by schedule, at the end of deals, in arrears or in default"),
    "debt_due_2y": ("USD", "of it due in the second year"),
    "debt_due_3y": ("USD", "of it due in the third year"),
    "undrawn": ("USD", "committed and not yet drawn"),
    "interest": ("USD", "interest paid in the month"),
    "principal": ("USD", "principal repaid in the month"),
    "residual": ("USD", "paid to sponsors after all classes, in the month"),
    "ebitda": ("USD", "operators' earnings before interest and depreciation in the month"),
    "operator_revenue": ("USD", "operators' rents in the month"),
    "operator_depreciation": ("USD", "straight-line, of operators' units, by part where units are parts, in the month"),
    "debt_to_ebitda": ("1", "debt over twelve months of ebitda"),
    "investor_capital": ("USD", "investors' net worth"),
    "investor_loans": ("USD", "what investors owe to their lenders"),
    "investor_leverage": ("1", "debt over investors' net worth; null when that is below 2 % of debt"),
    "promised_yield": ("1/year", "yield that investors have promised to savers, mean"),
    "abs_share": ("share", "part of the year's issuance placed as securities"),
    # terms
    "base_rate": ("1/year", "risk-free rate"),
    "spread": ("1/year", "spread over the base rate at issue"),
    "advance_rate_senior": ("share", "loan over value that lenders give on senior tranches"),
    "advance_rate_mezzanine": ("share", "loan over value that lenders give on mezzanine tranches"),
    "ltv_addon": ("share", "loan to value that regulators or fashion add or take off"),
    "ration": ("share", "part of new requests that capital can carry"),
    "refinancing_availability": ("share", "part of maturing debt that can be rolled"),
    "funded_share": ("share", "part of wanted orders that was financed"),
    "cost_of_capital": ("1/year", "rate at which labs and operators decide"),
    "raise_multiple": ("1", "labs' equity raised, relative to its trend"),
    # compute
    "rent": ("USD/GPU-hour", "posted rent of the newest vintage"),
    "unit_cost": ("USD/GPU", "cost of an installed GPU, shell and power included"),
    "running_cost": ("USD/GPU/year", "of the newest vintage; it stays with the unit"),
    "token_quality": ("share", "what a token is worth to users, of one made on the frontier's chips"),
    "rent_to_cost": ("1/year", "a year's rent over unit cost"),
    "utilisation": ("share", "part of the capacity in use"),
    "capacity": ("GPU", "installed capacity in H100-equivalents"),
    "tightness": ("1", "demand at the rent over cost of the start, over capacity"),
    "vintage_discount": ("1", "log fall of a vintage's rent below the newest's per log gain of the frontier"),
    "backlog": ("USD", "rents that operators have under contract and not yet earned"),
    "renegotiations": ("count", "contracts whose rent was renegotiated in the month"),
    "rent_conceded": ("USD", "a year's contract rent given up in them"),
    "prepayments": ("USD", "paid by tenants at signing, in the month"),
    "prepaid": ("USD", "of it not yet used up by rents"),
    "prepayments_lost": ("USD", "forfeited by tenants who failed, or not refunded by deals that did, in the month"),
    "sites_begun": ("USD", "sites that builders began in the month, by the spending they can house; none unless built by stage"),
    "sites_ready": ("USD", "powered sites without an order"),
    "sites_underway": ("USD", "shells under construction or without power"),
    "orders_waiting": ("USD", "orders without a powered site"),
    "delivery_delay": ("month", "by which what was delivered in the month came late, mean; null when nothing was"),
    "leases_signed": ("USD", "a year's rent of site leases signed in the month"),
    "renewals": ("USD", "spent by deals on parts past their life, in the month; part of capex_operators"),
    "sites_sold": ("USD", "paid by builders for sites of deals' units that retired in the month"),
    "site_rents": ("USD", "rents of sites paid to landlords in the month, those overdue left out"),
    "site_rents_empty": ("USD", "of the month's rents, what deals did not pay: for room that stands empty or earns too little"),
    "lease_obligations": ("USD", "rents that operators owe to the end of their site leases, at today's index"),
    "lease_failures": ("count", "operators that failed of rents in the month"),
    "lease_claims": ("USD", "landlords' claims on operators that failed in the month, as capped, rents overdue included"),
    "lease_claims_paid": ("USD", "of them paid"),
    "rents_rejected": ("USD", "rents to come of the leases rejected in the month"),
    "top_customer": ("share", "largest tenant's part of the largest operator's rents"),
    "top_customer_backlog": ("share", "largest tenant's part of the largest operator's backlog"),
    # the frontier
    "frontier": ("1", "log performance per dollar of the best chip, 0 at the start"),
    "frontier_growth": ("1/year", "growth of the frontier"),
    "model_half_life": ("year", "time in which a model's lead halves"),
    "training": ("USD", "labs' spending on training compute in the month"),
    "inference_revenue": ("USD", "users' payments for inference in the month"),
    "applications": ("1", "viable at the price of inference; 100 at the start of burn-in unless configured otherwise"),
    "lab_raise": ("USD", "raised by labs in the month"),
    "venture_lent": ("USD", "of it lent by banks"),
    "venture_debt": ("USD", "what labs owe banks"),
    "venture_losses": ("USD", "banks' losses on labs that failed in the month"),
    "lab_concentration": ("1", "Herfindahl index of labs' revenue"),
    "leading_lab": ("index", "lab with the largest revenue"),
    # opinions
    "depreciation_seen": ("1/year", "six-month mean of a vintage's rent decline"),
    "depreciation_belief": ("1/year", "mean believed decline of a vintage's rent"),
    "belief_dispersion": ("1/year", "standard deviation of that belief over agents"),
    "recovery_belief": ("share", "of market value that agencies expect of a forced sale, mean"),
    "structured_senior": ("share", "of cost, largest senior class of a new deal that reaches its letter, after shopping"),
    "structured_debt": ("share", "of cost, the same of all its classes"),
    "loss_belief": ("1/year", "mean believed loss rate on debt"),
    "loss_volatility": ("1/year", "believed standard deviation of the loss rate"),
    # losses
    "loss": ("USD", "principal lost by holders in the month"),
    "loss_senior": ("USD", "of which on senior tranches"),
    "loss_mezzanine": ("USD", "of which on mezzanine tranches"),
    "loss_rate": ("1/year", "twelve-month mean of losses over debt, as regulators see it"),
    "defaults": ("count", "deals that defaulted in the month"),
    "liquidations": ("count", "deals whose collateral was sold in the month"),
    "recovery_rate": ("share", "recovered part of the balance of deals liquidated in the month"),
    "downgrades": ("count", "tranches downgraded in the month"),
    "operator_cash": ("USD", "operators' cash"),
    "operator_failures": ("count", "operators that failed in the month"),
    "investor_failures": ("count", "investors that failed in the month"),
    "bank_losses": ("USD", "banks' losses on loans to investors in the month"),
    "lab_cash": ("USD", "labs' cash"),
    "lab_failures": ("count", "labs that failed in the month"),
    # the books
    "audit_gap": ("share", "largest gap of the month's accounting identities, of total assets"),
}

DEALS: Final[Columns] = {
    "deal": ("id", "number of the deal"),
    "region": ("text", "region"),
    "sponsor": ("text", "operator that sold the pool"),
    "channel": ("text", "name of the channel"),
    "sold_as": ("text", "securities or private credit"),
    "purpose": ("text", "to build, to take_out a loan on running units, or refinancing at maturity"),
    "refinances": ("id", "deal whose balloon it repaid; null for new capacity"),
    "issued": ("index", "month of closing, negative during burn-in"),
    "notional_senior": ("USD", "at closing"),
    "notional_mezzanine": ("USD", "at closing"),
    "coupon_senior": ("1/year", "at closing"),
    "coupon_mezzanine": ("1/year", "at closing"),
    "budget": ("USD", "cost of what it financed"),
    "backing": ("text", "what backs it: whole units, their equipment or their site"),
    "template": ("text", "template of the deal library whose terms it has"),
    "tenor": ("month", "from delivery to the ARD, or to maturity where there is none"),
    "stage": ("text", "building, operating or closed"),
    "liquidated": ("flag", "its collateral was sold"),
    "loss": ("USD", "principal lost by holders"),
    "balance": ("USD", "outstanding at the end of the run"),
}

TRANCHES: Final[Columns] = {
    **WHEN,
    "deal": ("id", "number of the deal"),
    "tranche": ("text", "class: A is the most senior"),
    "balance": ("USD", "outstanding"),
    "rating": ("text", "letter of the mandated agency; empty before the first"),
    "price": ("share", "mark over par"),
    "coupon": ("1/year", "interest rate"),
    **{
        f"held_by_{kind}": ("share", f"part held by {kind.replace('_', ' ')}")
        for kind in (
            *("insurers_banks", "real_money", "private_credit"),
            *("wealth_products", "insurers", "securities_firms", "distressed_funds"),
        )
    },
}

AGENTS: Final[Columns] = {
    **WHEN,
    "agent": ("text", "name, unique within kind and region"),
    "kind": ("text", "lab, operator, cloud, vendor or investor"),
    "region": ("text", "region"),
    "cash": ("USD", "deposits"),
    "net_worth": ("USD", "assets less debts"),
    "loans": ("USD", "owed to banks"),
    "bonds": ("USD", "owed to bondholders"),
    "notes": ("USD", "tranches held"),
    "fleet": ("USD", "GPUs and shells, book value"),
    "stakes": ("USD", "equity held in deals and labs"),
}

FLOWS: Final[Columns] = {
    **WHEN,
    "flow": ("text", "what was paid for"),
    "payer": ("text", "kind of the payer"),
    "payee": ("text", "kind of the payee"),
    "usd": ("USD", "paid in the month"),
}

EVENTS: Final[Columns] = {
    **WHEN,
    "kind": ("text", "issuance, downgrade, upgrade, trigger, default, liquidation, failure, renegotiation or rule"),
    "region": ("text", "region"),
    "deal": ("id", "deal concerned"),
    "party": ("text", "agent or class concerned"),
    "amount": ("USD", "size"),
    "text": ("text", "what happened"),
}

COLUMNS: Final[dict[str, Columns]] = {
    "monthly": MONTHLY,
    "deals": DEALS,
    "tranches": TRANCHES,
    "agents": AGENTS,
    "flows": FLOWS,
    "events": EVENTS,
}
