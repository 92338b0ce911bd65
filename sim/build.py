"""Composition root: agents, books and tape of a new economy, on its balanced path. The only module of sim that knows agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from pydantic import model_validator

from agents.agencies import Agency
from agents.clouds import Cloud
from agents.investors import Investor
from agents.labs import Lab
from agents.lessors import Lessor
from agents.operators import Operator
from agents.regulators import Regulator, Watchdog
from agents.sellers import Seller
from agents.sovereigns import Sovereign
from agents.vendors import Vendor
from sim import start as starts
from sim.arrows import Arrows
from sim.books.bonds import Bonds
from sim.books.contracts import Contracts
from sim.books.deals import DealBook
from sim.books.fleet import ABROAD, Fleet
from sim.books.leases import Leases
from sim.books.ledger import Ledger
from sim.books.owners import Owners
from sim.books.sites import Sites
from sim.economy import Economy
from sim.markets import primary
from sim.phases.applying import open_places
from sim.phases.hedging import open_book
from sim.phases.leasing import paid_by_operators
from sim.phases.library import read_library
from sim.phases.placing import start_rates
from sim.phases.redeeming import open_funds
from sim.phases.retaining import may_retain
from sim.phases.siting import break_ground, staged
from sim.record import Recorder
from sim.seating import anchor, lab_shares
from sim.start import Start
from sim.tape import Market, Rules, Tape
from sim.units import MONTHS, Frozen, quantity

OUTSIDERS = ("users", "savers", "banks", "suppliers", "exchange", "utilities", "landlords")
KINDS: dict[str, type] = {
    "lab": Lab,
    "operator": Operator,
    "cloud": Cloud,
    "agency": Agency,
    "regulator": Regulator,
    "investor": Investor,
    "sovereign": Sovereign,
    "seller": Seller,
    "lessor": Lessor,
    "watchdog": Watchdog,
}


class Scale(Frozen):
    """A region's size."""

    orders: float = quantity("USD/year", 1e6, 1e15, "of spending in January 2023, on the path before the boom")


class Params(Frozen):
    """Initial conditions."""

    burn_in: int = quantity("month", 0, 120, "simulated before recording begins")
    debt_share: float = quantity("share", 0.0, 0.95, "debt over cost of units at the start")
    senior_share: float = quantity("share", 0.0, 1.0, "of that debt that is senior")
    coupon_spread: float = quantity("1/year", 0.0, 0.3, "over the base rate on deals closed before the start")
    start_spread: float = quantity("1/year", 0.0, 0.3, "market spread at the start, novelty apart")
    start_senior: float = quantity("share", 0.0, 0.95, "advance rate to the senior class at the start")
    start_mezzanine: float = quantity("share", 0.0, 0.95, "advance rate to both classes at the start")
    capital_dispersion: float = quantity("1", 0.0, 2.0, "log standard deviation over seeds of investors' capital")
    equity_dispersion: float = quantity("1", 0.0, 2.0, "the same of operators' equity")
    belief_dispersion: float = quantity("1", 0.0, 2.0, "the same of beliefs; half of it for depreciation")
    demand_dispersion: float = quantity("1", 0.0, 2.0, "the same of the half-life of demand's growth")
    quality_dispersion: float = quantity("1", 0.0, 2.0, "standard deviation of labs' quality at the start")
    us: Scale
    china: Scale

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.start_senior > self.start_mezzanine:
            raise ValueError(f"start_senior {self.start_senior} must not exceed start_mezzanine {self.start_mezzanine}")
        return self


def build(
    params: Any,
    reference: dict[tuple[str, str], np.ndarray] | None = None,
    recording: bool = False,
    arrange: Callable[[list[tuple]], Sequence[tuple]] = list,
    idle: Sequence[tuple[str, str]] = (),
) -> Economy:
    """A new economy at the start of burn-in.

    Parameters
    ----------
    params : sim.params.Params
    reference : what cut arrows transmit, (signal, region) -> array; needed when a gain is not 1
    recording : keep every signal, for references
    arrange : order in which agents are created; changes no result
    idle : (kind, region) of agents without business to add; change no other result
    """
    economy = Economy(params, Recorder(params.start), lambda other: build(other, reference, recording, arrange, idle))
    economy.ledger = Ledger()
    economy.owners = Owners(economy.ledger)
    economy.contracts = Contracts()
    economy.arrows = Arrows(params.sim.arrows, reference or {}, recording, params.sim.build.burn_in)
    paths = {region: Start.of(economy, region) for region in economy.regions}
    economy.tape = _tape(economy, paths)
    for region in economy.regions:
        for kind in OUTSIDERS:
            economy.outside[kind, region] = economy.ledger.enroll(kind, region, "")
    _people(economy, paths, arrange, idle)
    _books(economy)
    for region, path in paths.items():
        starts.record_vintages(economy, path, region)
        starts.place_deals(economy, path, region)
        starts.endow_clouds(economy, path, region)
        starts.endow_operators(economy, path, region)
        starts.endow_labs(economy, path, region)
        starts.endow_investors(economy, path, region)
        economy.allotment[region] = starts.first_holders(economy, region)
        if staged(economy):
            break_ground(economy, region, path.orders)
    return economy


def _people(economy: Economy, paths: dict[str, Start], arrange, idle) -> None:
    """Create the agents and open their accounts."""
    plan = [("vendor", "", 0, 1.0)]
    for region in economy.regions:
        for kind in KINDS:
            weights = _weights(economy, kind, region)
            plan += [(kind, region, number, weight) for number, weight in enumerate(weights)]
    for kind, region in idle:
        plan.append((kind, region, sum(p[:2] == (kind, region) for p in plan), 0.0))
    for kind, region, number, weight in arrange(plan):
        agent = _agent(economy, paths, kind, region, number, weight)
        agent.party = economy.ledger.enroll(kind, region, agent.name)
        economy.people.setdefault((kind, region), []).append(agent)
    for group in economy.people.values():
        group.sort(key=lambda agent: agent.number)
    economy.people = dict(sorted(economy.people.items()))
    economy.outside["vendor", ""] = economy.all("vendor", "")[0].party
    for region in economy.regions:
        labs = economy.active("lab", region)
        quality = economy.streams.draw("start quality", 0, economy.keys("lab", region))
        for lab, z in zip(economy.all("lab", region), quality, strict=True):
            lab.quality = economy.params.sim.build.quality_dispersion * float(z)
        anchor(economy, region, labs)


def _weights(economy: Economy, kind: str, region: str) -> list[float]:
    """Shares of each agent of a kind in its kind's business."""
    p = economy.params.agents
    if kind == "investor":
        sizes = [style.size for style in getattr(p.investors, region).kinds for _ in range(style.count)]
        return [size / sum(sizes) for size in sizes]
    if kind == "lab":
        return lab_shares(economy, region)
    if kind == "seller" and economy.params.sim.markets.protection.most == 0.0:
        return []
    if kind == "lessor" and economy.params.sim.markets.upgrades.share == 0.0:
        return []
    if kind == "watchdog" and region not in p.regulators.warnings.regions:
        return []
    counts = {"operator": p.operators, "cloud": p.clouds, "sovereign": p.sovereigns, "seller": p.sellers, "lessor": p.lessors}
    count = counts[kind].count if kind in counts else len(economy.params.sim.ratings.agencies) if kind == "agency" else 1
    return [1.0 / max(count, 1)] * count


def _agent(economy: Economy, paths: dict[str, Start], kind: str, region: str, number: int, weight: float) -> Any:
    p = economy.params.agents
    if kind == "vendor":
        return Vendor(economy, region, number, p.vendors, weight)
    path, common = paths[region], (economy, region, number)
    belief = path.belief(economy)
    if kind == "lab":
        training = path.inference(economy) * p.labs.calm_training * weight
        return Lab(*common, p.labs, weight, training=training)
    if kind == "operator":
        builds = [c.name for c in economy.menus[region] if c.use == "build"]
        straight = MONTHS / economy.params.sim.books.deals.accounting_life
        return Operator(*common, p.operators, weight, depreciation=straight, channels=builds)
    if kind == "agency":
        known = economy.params.sim.ratings.agencies
        own = known[number % len(known)]
        start = belief * path.depreciation
        return Agency(*common, p.agencies, weight, depreciation=start, recovery=own.recovery, speed=own.learning_speed)
    if kind == "investor":
        styles = [s for s in getattr(p.investors, region).kinds for _ in range(s.count)]
        beliefs = (p.investors.start_loss_belief * path.loss_belief, p.investors.start_volatility * path.volatility)
        style = styles[number] if number < len(styles) else styles[-1].model_copy(update={"committed": 0.0})  # one who idles
        return Investor(*common, p.investors, weight, style=style, beliefs=beliefs)
    if kind == "lessor":
        return Lessor(*common, p.lessors, weight, depreciation=belief * path.depreciation)
    params = {
        "cloud": p.clouds,
        "regulator": p.regulators,
        "sovereign": p.sovereigns,
        "seller": p.sellers,
        "watchdog": p.regulators.warnings,
    }[kind]
    return KINDS[kind](*common, params, weight)


def _books(economy: Economy) -> None:
    investors = [a.party for r in economy.regions for a in economy.all("investor", r)]
    investors += [economy.outside["banks", r] for r in economy.regions if any(c.lender == "banks" for c in economy.menus[r])]
    states = [a for r in economy.regions for a in economy.all("sovereign", r)]
    investors += [state.party for state in states]
    keepers = [a for r in economy.regions if may_retain(economy, r) for a in economy.all("operator", r)]
    investors += [operator.party for operator in keepers]
    economy.deals = DealBook(economy.ledger, investors, read_library(economy.params, economy.regions))
    savers = [economy.outside["savers", region] for region in economy.regions]
    economy.bonds = Bonds(economy.ledger, [*investors, *savers])
    economy.rates = {region: start_rates(economy, region) for region in economy.regions}
    economy.basis, economy.earned = np.zeros(len(investors)), np.zeros(len(investors))
    clouds = [c for r in economy.regions for c in economy.all("cloud", r)]
    owners = [*clouds, *states]
    economy.fleet = Fleet(len(owners), len(economy.regions), economy.months_total)
    build, economy.leases = economy.params.agents.operators.build, Leases(len(economy.regions))
    economy.sites = Sites(len(economy.regions), len(owners), economy.months_total, build)
    for slot, owner in enumerate(owners):
        owner.slot = slot
        economy.fleet.cloud_region[slot] = economy.regions.index(owner.region) if owner.kind == "cloud" else ABROAD
    economy.protection = {region: open_book(economy, region) for region in economy.regions}
    economy.applications = {region: open_places(economy, region) for region in economy.regions}
    economy.funds = {region: open_funds(economy, region) for region in economy.regions}
    people = [a for r in economy.regions for a in economy.all("investor", r)]
    if states:
        first = len(investors) - len(keepers) - len(states)
        economy.styles["held_by_sovereigns"] = list(range(first, first + len(states)))
    if keepers:
        economy.styles["held_by_sponsors"] = list(range(len(investors) - len(keepers), len(investors)))
    for slot, agent in enumerate(people):
        economy.styles.setdefault(f"held_by_{agent.style.name}", []).append(slot)


def _tape(economy: Economy, paths: dict[str, Start]) -> Tape:
    """Public facts on the balanced path."""
    p = economy.params.sim
    training = sum(x.capacity * x.rent - x.inference(economy) for x in paths.values())
    revenue = sum(x.orders for x in paths.values()) * p.markets.hardware.hardware_share
    growth = p.markets.hardware.performance_growth
    return Tape(
        month=0,
        years=0.0,
        frontier=0.0,
        frontier_growth=growth,
        frontier_next=growth,
        frontier_trend=growth,
        frontier_step=growth / MONTHS,
        half_life=p.markets.tokens.half_life,
        race=0.0,
        training_trend=float(np.log(training)),
        revenue_trend=float(np.log(revenue)),
        revenue=float(np.log(revenue)),
        proof=0,
        proven=-1,
        demand_half_life=next(iter(paths.values())).half_life,
        markets={region: _market(economy, path, region) for region, path in paths.items()},
    )


def _market(economy: Economy, path: Start, region: str) -> Market:
    p = economy.params.sim
    regime = getattr(p.markets.primary, region)
    novelty = primary.novelty(p.markets.primary, region, 0)
    belief, tokens = path.belief(economy), p.markets.tokens
    inference = path.inference(economy)
    economy.quotes[region] = {
        "spread": p.build.start_spread + novelty,
        "advance_senior": p.build.start_senior,
        "advance_mezzanine": p.build.start_mezzanine,
        "ration": 1.0,
        "refinancing": 1.0,
    }
    return Market(
        region=region,
        base_rate=regime.base_rate,
        rent=path.rent,
        rent_month_ago=path.rent,
        expected_rent=path.rent,
        utilisation=1.0,
        tightness=1.0,
        vintage_discount=p.markets.compute.vintage_discount,
        vintage_discount_month_ago=p.markets.compute.vintage_discount,
        capacity=path.capacity,
        levered_capacity=path.levered(economy, region),
        own_share=paid_by_operators(economy),
        site_rent=p.markets.leases.rent * (1.0 - paid_by_operators(economy)),
        unit_cost=path.unit_cost,
        running_cost=path.running_cost,
        quality=getattr(p.markets.hardware, region).quality,
        demand=inference * path.rent ** (tokens.elasticity - 1.0),
        demand_shock=0.0,
        path_growth=tokens.growth_before,
        demand_growth=tokens.growth_before,
        inference=inference,
        training=path.capacity * path.rent - inference,
        depreciation_seen=belief,
        **economy.quotes[region],
        liquidated=0.0,
        fire_sale=p.markets.secondary.fire_sale,
        depreciation_belief=belief,
        depreciation_view=belief,
        dispersion=0.1,
        recovery_belief=1.0,
        structured_senior=p.build.start_senior,
        structured_debt=p.build.start_mezzanine,
        loss_rate=0.0,
        abs_share=regime.abs_share,
        spent=0.0,
        ltv_addon=0.0,
        novelty=novelty,
        rules=Rules(kept=getattr(p.markets.regulation.retention, region)),
    )
