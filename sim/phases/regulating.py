"""Regulate: rules follow old losses, and a region may copy another's playbook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sim.markets.primary import base_rate, copiers, months_of_proof, novelty
from sim.markets.rules import barred_models
from sim.phases.deliberating import bind, deliberate
from sim.phases.disclosing import disclose
from sim.sums import total

if TYPE_CHECKING:
    from sim.economy import Economy


def regulate(economy: Economy) -> None:
    """Cut the LTV cap some time after losses, roll it back slowly; sponsors copy a channel that works, and file accounts."""
    disclose(economy)
    p = economy.params.sim.markets.primary
    _bar(economy)
    for region in economy.regions:
        economy.publish(region, base_rate=base_rate(getattr(p, region), economy.month))
        market = economy.tape[region]
        for regulator in economy.all("regulator", region):
            if regulator.process.staged:
                deliberate(economy, region, regulator)
                continue
            before = regulator.addon
            addon = regulator.rule(market.loss_rate)
            economy.publish(region, ltv_addon=addon)
            if addon > before and before < 0.1 * regulator.params.strictness <= addon:
                _announce(economy, region, addon)
        bind(economy, region)
        if region == p.playbook.copier and economy.month >= 0:
            _watch(economy, region)
            _copy(economy, region)
        economy.publish(region, novelty=novelty(p, region, economy.month))


def _watch(economy: Economy, copier: str) -> None:
    """The copier waits until the leader's channel has worked for long enough."""
    p, tape = economy.params.sim.markets.primary.playbook, economy.tape
    if tape.proven >= 0:
        return
    leader = next(region for region in economy.regions if region != copier)
    proof = months_of_proof(p, tape.proof, tape[leader])
    complete = proof >= p.proof_months
    economy.publish(proof=proof, proven=economy.month if complete else -1)
    if complete:
        economy.happens("rule", copier, party="sponsors", amount=0.0, text="playbook seen to work")


def _copy(economy: Economy, region: str) -> None:
    """Sponsors copy in turn, the second tier first: those who own least; the region's mix is theirs by weight."""
    p, operators = economy.params.sim.markets.primary, economy.active("operator", region)
    own = getattr(p, region).abs_share
    rest = [operator for operator in operators if operator.abs_share != p.playbook.copied_share]
    months = economy.month - economy.tape.proven - p.playbook.delay
    count = copiers(p.playbook, months, len(operators)) if economy.tape.proven >= 0 else 0
    fresh = sorted(rest, key=lambda o: (_owned(economy, o.party), o.number))[: max(count - len(operators) + len(rest), 0)]
    if not fresh:
        return
    for operator in operators:
        operator.abs_share = own if math.isnan(operator.abs_share) else operator.abs_share
    for operator in fresh:
        operator.abs_share = p.playbook.copied_share
        economy.happens("rule", region, party=f"operator {operator.name}", amount=0.0, text="copies the playbook")
    weight = total(o.weight for o in operators)
    economy.publish(region, abs_share=total(o.weight * o.abs_share for o in operators) / weight)


def _owned(economy: Economy, sponsor: int) -> float:
    """GPU in a sponsor's deals."""
    return total(economy.fleet.deals["gpus"][economy.deals["sponsor"] == sponsor])


def _bar(economy: Economy) -> None:
    """In the month of a rule against models, operators anchor their next deals on labs that may still sell."""
    rules = economy.params.sim.markets.rules
    if economy.month != rules.month:
        return
    for region in economy.regions:
        labs = economy.all("lab", region)
        barred = barred_labs(economy, region)
        able = [lab.party for lab, out in zip(labs, barred, strict=True) if not out and lab.weight > 0.0]
        gone = {lab.party for lab, out in zip(labs, barred, strict=True) if out}
        for operator in economy.all("operator", region):
            if operator.tenant in gone:
                operator.tenant = able[operator.number % len(able)]
        if gone or region == rules.chips_region:
            economy.happens("rule", region, party="regulator", amount=0.0, text="models or chips barred")


def barred_labs(economy: Economy, region: str) -> np.ndarray:
    """Whether a rule keeps each of a region's labs (l,) from selling."""
    return barred_models(economy.params.sim.markets.rules, region, economy.month, len(economy.all("lab", region)))


def _announce(economy: Economy, region: str, addon: float) -> None:
    economy.happens(
        "rule",
        region,
        party="regulator",
        amount=addon,
        text="LTV cap tightened",
    )
