"""Deliberate: rules in stages, bans by script, and warnings; what of them binds, and what is known to come, goes on the tape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.markets.regulation import lobbying
from sim.phases.retaining import held_by_sponsors
from sim.sums import total
from sim.tape import Rules
from sim.units import MONTHS

if TYPE_CHECKING:
    from sim.economy import Economy

BINDS = ("rule takes effect", "market closed")


def deliberate(economy: Economy, region: str, regulator: Any) -> None:
    """A regulator's month, once recording has begun: losses call for a rule, lobbies soften it."""
    debt = _debt(economy, region)
    regulator.see(debt)
    if economy.month < 0:
        return
    issued = _issued(economy, region)
    pressure = lobbying(issued, debt, regulator.process.most_lobbying)
    noise = float(economy.draw("rule", economy.keys("regulator", region))[regulator.number])
    for news in regulator.deliberate(economy.tape[region].loss_rate, pressure, noise):
        force = regulator.force if news in BINDS else regulator.draft
        kind = "rule" if news in BINDS else "stage"
        economy.happens(kind, region, party="regulator", amount=force, text=news)
    economy.publish(region, ltv_addon=regulator.process.tools.ltv_cut * regulator.force)
    economy.note(region, lobbying=pressure)


def bind(economy: Economy, region: str) -> None:
    """Publish what holds for deals from next month on, and what sponsors know to come."""
    p, month = economy.params.sim.markets.regulation, economy.month + 1
    standing = getattr(p.retention, region)
    rules = Rules(kept=standing, alarm=_warn(economy, region))
    for regulator in economy.all("regulator", region):
        if regulator.process.staged:
            rules = _decided(economy, region, regulator, rules)
    if p.ban.closes(region, month):
        closed = tuple(dict.fromkeys([*rules.closed, *p.ban.channels]))
        rules = _changed(rules, closed=closed, barred=closed if p.closure.refinancing == "barred" else ())
    elif ahead := p.ban.ahead(region, month):
        rules = _changed(rules, ahead=ahead, coming=p.ban.channels)
    _announce_ban(economy, region)
    economy.publish(region, rules=rules)
    _note(economy, region, rules)


def _decided(economy: Economy, region: str, regulator: Any, rules: Rules) -> Rules:
    """Rules as a regulator has them in force or has announced them."""
    p, tools, force = economy.params.sim.markets.regulation, regulator.process.tools, regulator.force
    closed = p.closure.channels if regulator.closed else ()
    builds = [channel.name for channel in economy.menus[region] if channel.use == "build"]
    coming = {*(p.closure.channels if tools.closure else ()), *(p.retention.channels if tools.retention else ())}
    coming |= {*builds} if tools.ltv_cut or tools.charge else set()
    return _changed(
        rules,
        kept=max(rules.kept, tools.retention * force),
        charge=tools.charge * force,
        disclosed=tools.disclosure and force > 0.0,
        closed=closed,
        barred=closed if p.closure.refinancing == "barred" else (),
        ahead=regulator.ahead,
        coming=tuple(sorted(coming)) if regulator.ahead else (),
    )


def _changed(rules: Rules, **facts: Any) -> Rules:
    return Rules(**{**vars(rules), **facts})


def _warn(economy: Economy, region: str) -> float:
    """A month of a body that only warns; what investors add to the losses they expect, 1/year."""
    alarm = 0.0
    for body in economy.all("watchdog", region):
        capital = total(economy.ledger.net_worth(economy.parties("investor", region)))
        if body.watch(_debt(economy, region), capital):
            economy.happens("warning", region, party="watchdog", amount=body.alarm, text="credit grows too fast or on too little")
        alarm += body.alarm
        economy.note(region, warning=float(body.warns))
    return alarm


def _announce_ban(economy: Economy, region: str) -> None:
    """A ban by script is announced, closes its channels, and ends."""
    ban, month = economy.params.sim.markets.regulation.ban, economy.month
    if region != ban.region or not ban.months:
        return
    for when, news in (
        (ban.announced, "ban announced"),
        (ban.effective, "ban in effect"),
        (ban.effective + ban.months, "ban ends"),
    ):
        if month == when:
            economy.happens("stage", region, party="script", amount=float(ban.months), text=news)


def _issued(economy: Economy, region: str) -> float:
    """Notes of deals that closed in the last year, refinancings at maturity left out, USD."""
    deals = economy.deals
    fresh = (deals["issued"] > economy.clock - MONTHS) & (deals["region"] == economy.regions.index(region))
    fresh &= deals["kind"] < len(deals.library.names) // 2
    return total(deals["commitment"][fresh].ravel())


def _debt(economy: Economy, region: str) -> float:
    """Notes outstanding, USD."""
    return total(economy.deals["state"]["balance"][economy.rows(region)].ravel())


def _note(economy: Economy, region: str, rules: Rules) -> None:
    """This month's rules, for the record."""
    economy.note(
        region,
        retention=rules.kept,
        retained=held_by_sponsors(economy, region),
        capital_charge=rules.charge,
        market_closed=float(len(rules.closed) > 0),
        rule_ahead=float(rules.ahead),
    )
