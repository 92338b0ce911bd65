"""Collateral for ratings: today's rents and values, laid out month by month."""

import numpy as np
from pytest import approx, fixture

from sim.books.deals import BUILDING, OPERATING
from sim.build import build
from sim.compose import resolve
from sim.phases.collateral import as_delivered, package, package_new
from sim.units import MONTHS
from sim.valuing import market_values

REGION = "us"


@fixture(scope="module")
def economy():
    """A small economy after two years, at the start of a month."""
    made = build(resolve(["size=class", "horizon_years=3", "sim.build.burn_in=6", "scenario=two_channels"]))
    for _ in range(24):
        made.step()
    return made


def test_every_list_has_a_month_for_every_period(economy):
    rows = economy.rows(REGION)
    found = package(economy, REGION, rows)
    months = found.periods.max()
    for name in ("contract", "market", "cost", "value", "appraisal"):
        values = getattr(found, name)
        assert values.shape == (len(rows), months) and np.isfinite(values).all() and (values >= 0.0).all(), name
    assert found.target.shape == (len(rows), months, 2)
    assert (found.tenant >= 0).all() and (found.tenant < len(economy.all("lab", REGION))).all()


def test_units_only_wear(economy):
    """6 % a year: the second month's lists are 1 - 0.06/12 of the first month's."""
    found = package(economy, REGION, economy.rows(REGION, OPERATING))
    for values in (found.contract, found.market, found.cost, found.value):
        assert values[:, 1] == approx(values[:, 0] * (1.0 - 0.06 / MONTHS))


def test_a_calm_sale_fetches_the_market_value_before_its_discount(economy):
    """After a month of wear; the fire-sale discount is left to the beliefs about recovery."""
    rows = economy.rows(REGION, OPERATING)
    calm = market_values(economy, REGION, rows) / (1.0 - economy.tape[REGION].fire_sale)
    assert package(economy, REGION, rows).value[:, 0] == approx(calm * (1.0 - 0.06 / MONTHS))


def test_contracted_and_spot_rent_less_cost_is_what_deals_collected(economy):
    """Last month's collection of deals whose units run, at last month's rents and units, within what a month has changed."""
    rows = economy.rows(REGION, OPERATING)
    rows = rows[economy.deals["collected"][rows] > 0.0]
    found = package(economy, REGION, rows)
    share = found.share[:, 0]
    net = share * found.contract[:, 0] + (1.0 - share) * found.market[:, 0] - found.cost[:, 0]
    assert net.sum() == approx(economy.deals["collected"][rows].sum(), rel=0.05)


def test_targets_are_the_schedule_and_end_at_the_legal_final(economy):
    """The first is the one the next pay date aims at."""
    rows = economy.rows(REGION, OPERATING)
    found = package(economy, REGION, rows)
    assert found.target[:, 0] == approx(economy.deals.due_now(rows)[1])
    final = economy.deals["terms"]["legal_final"][rows] - economy.deals["state"]["age"][rows]
    for path, month in zip(found.target, final, strict=True):
        assert not path[max(int(month) - 1, 0) :].any()


def test_deals_under_construction_wait_for_delivery_and_are_rated_fully_drawn(economy):
    rows = economy.rows(REGION, BUILDING)
    rows = rows[economy.deals["predecessor"][rows] < 0]
    found = package(economy, REGION, rows)
    _, state = as_delivered(economy, rows)
    build_months = economy.params.agents.operators.build
    assert found.delay.max() > 0 and ((found.delay >= 0) & (found.delay < build_months)).all()  # 0: delivered this month
    drawn = economy.deals["state"]["balance"][rows] + economy.deals["undrawn"][rows]
    assert np.array_equal(state["balance"], drawn) and (state["reserve"] > 0.0).any()


def test_a_new_deal_of_one_dollar_earns_the_expected_rent(economy):
    """First contract's rent over unit cost, a twelfth of it a month, less management's part, after a month of wear."""
    market, p = economy.tape[REGION], economy.params.sim.markets.compute
    found = package_new(economy, REGION, tenant=1)
    spot = market.expected_rent / market.unit_cost / MONTHS * (1.0 - p.overhead) * (1.0 - p.wear / MONTHS)
    assert found.market[:, 0] == approx(spot * market.utilisation) and found.contract[:, 0] == approx(
        (1.0 - p.contract_discount) * spot
    )
    assert (found.tenant == 1).all() and (found.contract_end == p.contract_term).all() and not found.delay.any()
