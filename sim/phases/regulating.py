"""Regulate: rules follow old losses, and a region may copy another's playbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.markets.primary import copy_playbook, novelty
from sim.markets.rules import barred_models

if TYPE_CHECKING:
    from sim.economy import Economy


def regulate(economy: Economy) -> None:
    """Cut the LTV cap some time after losses, roll it back slowly; adopt the copied channel mix."""
    p = economy.params.sim.markets.primary
    _bar(economy)
    for region in economy.regions:
        market = economy.tape[region]
        for regulator in economy.all("regulator", region):
            before = regulator.addon
            addon = regulator.rule(market.loss_rate)
            economy.publish(region, ltv_addon=addon)
            if addon > before and before < 0.1 * regulator.params.strictness <= addon:
                _announce(economy, region, addon)
        if region == p.playbook.copier:
            share = copy_playbook(p, market.abs_share, economy.month)
            economy.publish(region, abs_share=share)
        economy.publish(region, novelty=novelty(p, economy.month))


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
