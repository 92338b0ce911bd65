"""Sponsors seek no deal below a least size: orders wait until they are large enough, small remainders are paid in cash."""

import numpy as np
from pytest import approx, fixture

from sim.books.deals import OPERATING
from sim.build import build
from sim.compose import resolve
from sim.phases import refinancing
from sim.phases.issuing import issue
from tests.phases.economies import economy_of

SET = "agents.operators.least=2.0e8"
LEAST = 2.0e7  # USD


@fixture(scope="module")
def lived():
    """Four years in which spreads fall from what the first loans paid, so that securities take them out."""
    menu = ["sim.books.channels.us.open=[abs,private,data_centre_abs]", "sim.build.coupon_spread=0.08"]
    world = ["size=class", "horizon_years=4", "regions=[us]", "sim.build.burn_in=0", f"agents.operators.least={LEAST}"]
    found = build(resolve([*world, *menu]))
    for _ in range(48):
        found.step()
    return found


def test_no_deal_is_smaller_than_sponsors_seek(lived):
    """New deals by their order, those that replace others by their notes; others follow."""
    deals = lived.deals
    own = np.flatnonzero(deals["issued"] >= 0)
    order, notes, replaces = deals["housed"][own], deals["commitment"][own].sum(axis=1), deals["predecessor"][own] >= 0
    assert order[~replaces].min() >= LEAST and notes[replaces].min() >= LEAST * (1.0 - 1e-12)
    assert (~replaces).sum() > 50 and replaces.any()


def test_an_order_too_small_for_a_deal_waits_until_it_is_large_enough():
    """150 of 200 bring no request and stay in line; another 60 do, and then all 210 are sought at once."""
    operator = economy_of(SET).all("operator", "us")[0]
    operator.plans = {channel: [0.0] * 12 for channel in operator.plans}
    operator.ready = dict.fromkeys(operator.ready, 0.0) | {"private": 1.5e8}
    assert operator.request(1e12) == []
    operator.queue(dict.fromkeys(operator.plans, 0.0), dict.fromkeys(operator.plans, 1))
    assert operator.ready["private"] == 1.5e8
    operator.ready["private"] += 0.6e8
    (request,) = operator.request(1e12)
    assert request.amount == 2.1e8 and request.equity == approx(0.9e12)


def test_own_money_is_for_the_deals_that_are_sought_alone():
    """Of 300 and 100 ready, the smaller waits: all that prudence allows backs the larger."""
    operator = economy_of(SET).all("operator", "us")[0]
    operator.ready = dict.fromkeys(operator.ready, 0.0) | {"private": 3e8, "abs": 1e8}
    (request,) = operator.request(1e8)
    assert (request.channel, request.equity) == ("private", approx(0.9e8))


def test_an_order_that_rationing_makes_too_small_closes_nothing(monkeypatch):
    economy = economy_of(SET)
    for operator in economy.all("operator", "us"):
        operator.ready = dict.fromkeys(operator.ready, 0.0) | {"private": 3e8}
    monkeypatch.setattr("sim.phases.issuing._funded_share", lambda *_: _wanted(economy, 0.6))
    issue(economy)
    assert economy.facts["us"]["wanted"] > 0.0 and economy.facts["us"]["funded"] == 0.0


def _wanted(economy, share: float) -> tuple[np.ndarray, np.ndarray]:
    """3e8 USD in one channel by operator, of which ``share`` is paid for."""
    wanted = np.zeros((len(economy.all("operator", "us")), len(economy.menus["us"])))
    wanted[:, 1] = 3e8
    return wanted, np.where(wanted > 0.0, share, np.nan)


def test_a_small_remainder_is_paid_by_its_sponsor_and_not_refinanced():
    """1 % of a deal is left at maturity: its sponsor pays all that is owed and nobody lends."""
    economy = economy_of(SET)
    deals, rows = economy.deals, economy.rows("us", OPERATING)
    row, sponsor, count = rows[-1:], int(deals["sponsor"][rows[-1]]), len(deals["issued"])
    deals["state"]["balance"][row] *= 0.01
    deals["due"][rows] = 999
    deals["due"][row] = 0
    economy.ledger.provide("income", sponsor, 1e12)
    owed = float(refinancing.owed_by(economy, row)[0])
    refinancing.refinance(economy, "us")
    assert economy.facts["us"]["refinancing"] == 0.0 and economy.facts["us"]["support"] == approx(owed)
    assert len(deals["issued"]) == count and owed > 0.0
