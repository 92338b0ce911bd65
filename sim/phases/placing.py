"""Place: through which channels a region's plans seek their money, at what advance rate, and how much each still takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.books.channels import USUAL, Capacity, Menu
from sim.markets.regulation import divert
from sim.orders import CapexOrder, Offer
from sim.phases.dealing import coupons, kinds
from sim.phases.pledging import advances, apart, backings, pledges
from sim.phases.retaining import asked
from sim.sums import total
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy

YEAR = 12  # months over which placements count


def rules(economy: Economy, region: str) -> Menu:
    """How a region's sponsors and lenders go about it."""
    found: Menu = getattr(economy.params.sim.books.channels, region)
    return found


def waits(economy: Economy, region: str) -> dict[str, int]:
    """Months from plan to money, by channel that finances what is built."""
    return {channel.name: channel.closing for channel in economy.menus[region] if channel.use == "build"}


def parts(economy: Economy, region: str, operator: Any, order: CapexOrder, offers: list[Offer]) -> dict[str, float]:
    """USD of an order by channel: what is cheaper than the usual ones and has room, then the region's mix; or all by cost."""
    closed, usual_open = economy.tape[region].rules.closed, [c for c in USUAL if c not in economy.tape[region].rules.closed]
    if rules(economy, region).choice == "cheapest":
        found: dict[str, float] = operator.place(order.amount, offers)
        found[operator.ranked(offers)[-1].channel] += order.amount - total(found.values())  # what finds no room waits there
        return found
    ranked = operator.ranked(offers)
    usual = next((i for i, offer in enumerate(ranked) if offer.channel in USUAL), 0)
    found = operator.place(order.amount, ranked[:usual])
    left = order.amount - total(found.values())
    found["abs"], found["private"] = left * order.share_securitised, left * (1.0 - order.share_securitised)
    return divert(found, closed, usual_open, economy.params.sim.markets.regulation.closure.diverted)


def open_now(economy: Economy, region: str) -> np.ndarray:
    """1 for each channel (c,), 0 for those that a rule has closed."""
    closed = economy.tape[region].rules.closed
    return np.array([float(channel.name not in closed) for channel in economy.menus[region]])


# -- advance rates -----------------------------------------------------------------------------------------------------


def advance(economy: Economy, region: str) -> tuple[np.ndarray, np.ndarray]:
    """What lenders advance by channel (c,), of the cost of what backs its deals: on the senior class, and on all."""
    market = economy.tape[region]
    if rules(economy, region).terms == "own":
        return economy.rates[region][:, 0], economy.rates[region][:, 1]
    senior, debt = advances(economy, region, market.advance_senior, market.advance_mezzanine).T
    return senior, debt


def transmitted(economy: Economy, region: str) -> tuple[np.ndarray, np.ndarray]:
    """The same through the arrow from valuation to credit, which bends all channels alike."""
    market = economy.tape[region]
    senior = economy.transmit("leverage_senior", region, market.advance_senior)
    debt = economy.transmit("leverage_mezzanine", region, market.advance_mezzanine)
    if rules(economy, region).terms == "regional":
        by_channel = advances(economy, region, senior, debt)
        return by_channel[:, 0], by_channel[:, 1]
    own_senior, own_debt = advance(economy, region)
    own_debt = np.minimum(own_debt * (debt / market.advance_mezzanine), 1.0)
    return np.minimum(own_senior * (senior / market.advance_senior), own_debt), own_debt


def usual_debt(economy: Economy, region: str) -> float:
    """Others' debt over what operators pay for units: the region's; where channels are not backed alike, their own by use."""
    market, sold = economy.tape[region], 1.0
    if market.rules.kept > 0.0:
        sold -= float(usage(economy, region) @ asked(economy, region))
    if not apart(backings(economy, region)):
        return sold * market.advance_mezzanine
    _, debt = advance(economy, region)
    return sold * float(usage(economy, region) @ (pledges(economy, region) * debt))


def start_rates(economy: Economy, region: str) -> np.ndarray:
    """Each channel's advance rates (c, 2) before agencies have sized anything."""
    p = economy.params.sim.build
    return np.array([(min(p.start_senior, c.most_senior), min(p.start_mezzanine, c.most)) for c in economy.menus[region]])


def review(economy: Economy, region: str, sized: np.ndarray) -> None:
    """Each channel's own rates move towards what its agencies allow (c, 2), less what the regulator takes off."""
    agencies, addon = economy.params.agents.agencies, economy.tape[region].ltv_addon
    most = np.array([(c.most_senior, c.most) for c in economy.menus[region]]) - addon
    target = np.clip(np.minimum(sized, most), 0.0, agencies.most_advance)
    rates = economy.rates[region]
    rates += agencies.terms_speed * (target - rates)
    rates[:, 0] = np.minimum(rates[:, 0], rates[:, 1])


# -- what has been placed, and what still can be -------------------------------------------------------------------------


def placed(economy: Economy, region: str, months: int = YEAR) -> np.ndarray:
    """Notes (c,) USD that closed by channel in the last ``months``, this one included; without refinancings at maturity."""
    deals, count = economy.deals, len(economy.menus[region])
    rows = np.flatnonzero((deals["issued"] > economy.clock - months) & (deals["region"] == economy.regions.index(region)))
    rows = rows[deals["kind"][rows] < len(deals.library.names) // 2]
    notes, channel = deals["commitment"][rows].sum(axis=1), deals["channel"][rows]
    return np.array([total(notes[channel == c]) for c in range(count)])


def room(economy: Economy, region: str) -> np.ndarray:
    """Notes (c,) USD that each channel's lenders still take."""
    most = np.array([yearly(economy, channel.capacity) for channel in economy.menus[region]])
    return np.maximum(most - placed(economy, region), 0.0) * open_now(economy, region)


def yearly(economy: Economy, capacity: Capacity) -> float:
    """What lenders or owners take this year, USD."""
    return capacity.at(economy.month / MONTHS, economy.params.sim.books.channels.past_growth)


def usage(economy: Economy, region: str) -> np.ndarray:
    """Each channel's share (c,) of what a year's deals built: the mix, or what was placed; all alike before anything was."""
    menu, of = economy.menus[region], rules(economy, region)
    share = economy.tape[region].abs_share
    mix = np.array([share, 1.0 - share, *[0.0] * (len(menu) - 2)])
    if only_usual(economy, region):
        return mix
    builds = np.array([float(c.use == "build" and c.name in of.open) for c in menu])
    notes = placed(economy, region) * builds
    if total(notes) > 0.0:
        return notes / total(notes)
    return mix if of.choice == "mix" else builds / total(builds)


def only_usual(economy: Economy, region: str) -> bool:
    """Whether what is built is financed by the usual two in the region's mix, and by nothing else."""
    builds = {c.name for c in economy.menus[region] if c.use == "build"}
    return rules(economy, region).choice == "mix" and builds == set(USUAL)


def offers(economy: Economy, region: str) -> list[Offer]:
    """What sponsors may choose from for what they build; nothing to choose where the mix is all there is."""
    of, menu = rules(economy, region), economy.menus[region]
    if only_usual(economy, region):
        return []
    kind, (senior, debt) = kinds(economy, region), advance(economy, region)
    sizes, coupon = economy.deals.library.sizes(kind, senior, debt), coupons(economy, region, kind)
    rate = (sizes * coupon).sum(axis=1) / np.maximum(debt, 1e-9)
    lent = pledges(economy, region) * debt  # of what operators pay
    sold = lent * (1.0 - asked(economy, region))
    cost = room(economy, region) / np.maximum(economy.tape[region].own_share * lent, 1e-9)
    operators, found = economy.all("operator", region), []
    for c, channel in enumerate(menu):
        if channel.use == "build" and channel.name in of.open:
            line = total(total(o.plans[channel.name]) + o.ready[channel.name] for o in operators)
            left = max(float(cost[c]) - line, 0.0)
            found.append(Offer(channel.name, float(sold[c]), float(rate[c]), channel.closing, left))
    return found


def cost_of_capital(economy: Economy, region: str, offers: list[Offer]) -> float:
    """At which sponsors judge a unit, 1/year: at the region's terms, or at those of the channels that they use."""
    operator = economy.all("operator", region)[0]
    if not offers or rules(economy, region).terms == "regional":
        return float(operator.cost_of_capital(economy.tape[region], usual_debt(economy, region)))
    used, menu = usage(economy, region), economy.menus[region]
    share: dict[str, float] = {channel.name: float(used[c]) for c, channel in enumerate(menu)}
    return total(share[offer.channel] * operator.all_in(offer) for offer in offers)


def count_securities(economy: Economy, region: str) -> None:
    """Where sponsors choose, the share of securities in a year's deals is what it comes to."""
    if rules(economy, region).choice == "mix":
        return
    menu = economy.menus[region]
    notes = placed(economy, region) * np.array([channel.use != "borrow" for channel in menu])
    sold = np.array([channel.sold_as == "securities" for channel in menu])
    if total(notes) > 0.0:
        economy.publish(region, abs_share=total(notes[sold]) / total(notes))


def opening(economy: Economy, region: str, share: float) -> dict[str, float]:
    """Parts of the plans in line at the start, by channel: in the mix, or all in the first channel that builds."""
    of = rules(economy, region)
    builds: list[str] = [c.name for c in economy.menus[region] if c.use == "build"]
    if of.choice == "mix":
        return dict.fromkeys(builds, 0.0) | {"abs": share, "private": 1.0 - share}
    first = next(name for name in builds if name in of.open)
    return {name: float(name == first) for name in builds}
