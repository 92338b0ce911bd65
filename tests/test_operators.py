"""Operators: whom they let to, and what their shareholders put in."""

import numpy as np
from pytest import approx, mark

from sim.phases.contracting import tenants_of
from tests.phases.economies import economy_of


def first(*overrides: str):
    economy = economy_of(*overrides)
    return economy, economy.all("operator", "us")[0]


@mark.parametrize(("chance", "tenant"), [(0.0, 5), (0.59, 5), (0.61, 7), (0.79, 7), (0.81, 8), (0.999, 8)])
def test_a_contract_is_the_anchors_or_one_of_the_others(chance, tenant):
    """60 % for the anchor, 20 % for each of two others."""
    _, operator = first("agents.operators.anchor_share=0.6")
    operator.tenant = 5
    assert operator.let_to(chance, [7, 8]) == tenant
    assert operator.let_to(chance, []) == 5


def test_tenants_are_drawn_by_sponsor_month_and_channel():
    """A thousand months: the anchor has its share of the contracts, the others the rest in equal parts; drawn again, the same."""
    economy, operator = first("agents.operators.anchor_share=0.6")
    months, sponsors = np.arange(1000), np.full(1000, operator.party)
    found = tenants_of(economy, "us", sponsors, months, np.zeros(1000, np.int64))
    counts = {party: found.count(party) for party in {lab.party for lab in economy.all("lab", "us")}}
    assert abs(counts.pop(operator.tenant) - 600) < 50 and all(abs(count - 200) < 50 for count in counts.values())
    assert found == tenants_of(economy, "us", sponsors, months, np.zeros(1000, np.int64))
    assert found != tenants_of(economy, "us", sponsors, months, np.ones(1000, np.int64))


@mark.parametrize(
    ("value", "cash", "raised"), [(0.7, 0.0, 0.0), (0.85, 0.0, 60.0), (0.85, 50.0, 30.0), (0.85, 200.0, 0.0), (1.2, 0.0, 100.0)]
)
def test_shareholders_fill_what_plans_lack_the_more_a_unit_is_worth(value, cash, raised):
    """Plans of 400 that need a quarter of equity: 4 x (0.85 - 0.7) of what 100 exceed its cash by, at most all."""
    _, operator = first("agents.operators.outside_from=0.7", "agents.operators.outside_equity=4", "agents.operators.outside_cap=1")
    operator.plans = {"private": [100.0, 200.0]}
    operator.ready = {"private": 100.0}
    assert operator.outside(value, 0.25, cash) == approx(raised)


def test_sponsors_hold_to_straight_line_depreciation():
    """1/6 a year over 72 months, weighted 0.8 beside the 0.4 that is seen: 0.2133, a twelfth of the way in a month."""
    economy, operator = first("agents.operators.anchor=0.8")
    market = economy.tape.publish("us", depreciation_seen=0.4)["us"]
    operator.depreciation = 1.0 / 6.0
    operator.observe(market, 1.0 / 6.0, 0.0)
    assert operator.depreciation == approx(1.0 / 6.0 + (0.8 / 6.0 + 0.2 * 0.4 - 1.0 / 6.0) / 12.0)
