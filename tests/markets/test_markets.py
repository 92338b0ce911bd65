"""Markets: prices solve their equations, shares add up to one, discounts stay within bounds."""

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx, mark
from scipy.integrate import quad
from scipy.stats import pareto

from sim.compose import resolve
from sim.kernels.rents import rent_value
from sim.markets import compute, hardware, primary, secondary, tokens
from sim.orders import Book

MARKETS = resolve([]).sim.markets
SHARE = st.floats(0.0, 1.0)
USD = st.floats(1.0, 1e12)
RATE = st.just(0.0) | st.floats(1e-6, 1.0)  # 1/year
COST = st.just(0.0) | st.floats(1e-6, 1.0)  # of rent


@st.composite
def books(draw) -> Book:
    """One to eight investors with capital."""
    count = draw(st.integers(1, 8))

    def column(low: float, high: float) -> np.ndarray:
        return np.array(draw(st.lists(st.floats(low, high), min_size=count, max_size=count)))

    return Book(
        column(1e6, 1e12),
        column(0.0, 0.1),
        column(0.0, 0.1),
        column(1e-3, 1.0),
        column(0.5, 10.0),
        column(0.0, 1.0),
        np.ones(count),
    )


# -- compute -----------------------------------------------------------------------------------------------------------


@given(USD, st.floats(1.01, 5.0), st.floats(0.0, 1e12), st.floats(1.0, 1e8), st.floats(1.0, 1e6))
def test_the_clearing_rent_fills_capacity(scale, elasticity, training, capacity, guess):
    """scale x rent^-elasticity + training / rent = capacity, from any guess."""
    rent = compute.clearing_rent(scale, elasticity, training, capacity, guess)
    assert scale * rent**-elasticity + training / rent == approx(capacity, rel=1e-9)


def test_without_training_the_clearing_rent_has_a_closed_form():
    """800 x rent^-3 = 100: rent is 2."""
    assert compute.clearing_rent(800.0, 3.0, 0.0, 100.0, 50.0) == approx(2.0, rel=1e-12)


@given(st.floats(10.0, 1e5), st.floats(10.0, 1e5))
def test_posted_rents_stop_between_the_old_and_the_clearing_one(rent, clearing):
    posted = compute.approach(MARKETS.compute, rent, clearing)
    assert min(rent, clearing) * (1 - 1e-12) <= posted <= max(rent, clearing) * (1 + 1e-12)


def test_a_buyer_expects_todays_rent_less_what_the_pipeline_adds():
    """No pipeline and no growth: 7,000. A pipeline as large as capacity, elasticity 2: 7,000 / sqrt(2). Growth 20 %: exp(0.1)."""
    assert compute.expected_rent(7_000.0, 0.0, 1e6, 2.0, 0.0, 1.0) == 7_000.0
    assert compute.expected_rent(7_000.0, 1e6, 1e6, 2.0, 0.0, 1.0) == approx(7_000.0 / math.sqrt(2.0))
    assert compute.expected_rent(7_000.0, 0.0, 1e6, 2.0, 0.2, 1.0) == approx(7_000.0 * math.exp(0.1))


@given(st.floats(0.0, 5.0))
def test_an_old_unit_counts_for_less_but_loses_no_more_capacity_than_rent(lag):
    factor = compute.vintage_factor(MARKETS.compute.vintage_discount, lag)
    effective = compute.effective(MARKETS.compute, 1.0, lag)
    assert 0.0 < factor <= effective <= 1.0


@given(st.floats(0.1, 10.0))
def test_scarcity_shrinks_the_discount_of_old_chips_and_a_glut_widens_it(tightness):
    """At elasticity 1 twice the demand halves the discount; at elasticity 0 nothing moves it, to the bit."""
    rigid = MARKETS.compute.model_copy(update={"scarcity": 0.0})
    elastic = MARKETS.compute.model_copy(update={"scarcity": 1.0})
    assert compute.discount(rigid, tightness) == rigid.vintage_discount
    assert compute.discount(elastic, 2.0) == approx(0.5 * elastic.vintage_discount)
    assert (compute.discount(elastic, tightness) < elastic.vintage_discount) == (tightness > 1.0)


def test_tightness_is_demand_at_the_normal_rent_over_capacity():
    """Unit cost 20,000, half of it a year is normal: 10,000. 3e8 / 10,000 users and 1e8 / 10,000 labs on 20,000 GPU: 2."""
    p = MARKETS.compute.model_copy(update={"rent_start": 0.5})
    assert compute.tightness(p, 3e8, 1.0, 1e8, 2e4, 2e4) == approx(2.0)


@given(st.floats(0.05, 20.0), st.floats(1.05, 4.0))
def test_the_number_of_viable_applications_is_those_worth_more_than_the_price(ratio, elasticity):
    """100 at the first price; the count is the survival function of a Pareto law, whose tail starts at the lower price."""
    p = MARKETS.tokens.model_copy(update={"applications": 100.0, "elasticity": elasticity})
    assert tokens.viable(p, 3e3, 3e3) == 100.0
    least = min(ratio, 1.0)
    law = pareto(elasticity, scale=least)
    assert tokens.viable(p, ratio * 3e3, 3e3) / 100.0 == approx(law.sf(ratio) / law.sf(1.0))


def test_the_price_of_inference_is_rent_and_margin():
    """5,000 of rent and an undisturbed margin of 0.55: 7,750; nothing is counted where nothing is to be."""
    assert tokens.price(MARKETS.tokens, 5e3, MARKETS.tokens.half_life) == approx(5e3 * (1.0 + MARKETS.tokens.margin))
    assert tokens.viable(MARKETS.tokens.model_copy(update={"applications": 0.0}), 1.0, 2.0) == 0.0


# -- what hardware is worth --------------------------------------------------------------------------------------------


@given(st.floats(1.0, 1e5), COST, st.floats(0.02, 2.0), RATE, st.floats(0.25, 15.0))
def test_rent_value_is_the_integral_of_rent_less_cost(rent, cost, decline, rate, years):
    """Discounted rent x exp(-decline t) less running cost, as long as it is above zero, against ``scipy.integrate.quad``."""
    running = cost * rent
    assume(cost < 0.999)
    end = min(years, math.log(1.0 / cost) / decline) if cost > 0.0 else years
    value, _ = quad(lambda t: (rent * math.exp(-decline * t) - running) * math.exp(-rate * t), 0.0, end, epsrel=1e-12)
    assert rent_value(rent, running, decline, rate, years) == approx(value, rel=1e-7, abs=1e-7 * rent)


def test_a_unit_that_earns_less_than_it_costs_to_run_is_worth_nothing():
    assert rent_value(100.0, 100.1, 0.3, 0.1, 5.0) == rent_value(0.0, 0.0, 0.3, 0.1, 5.0) == 0.0


def test_rent_value_without_cost_or_end_is_rent_over_decline_plus_rate():
    """1,000 / (0.3 + 0.1) = 2,500."""
    assert rent_value(1_000.0, 0.0, 0.3, 0.1, 500.0) == approx(2_500.0)


@given(st.floats(1.0, 1e5), COST, st.floats(0.0, 2.0), st.floats(100.0, 1e6), SHARE, st.floats(0.0, 0.95))
def test_a_used_unit_never_fetches_more_than_its_capacity_bought_new(rent, cost, decline, unit_cost, factor, discount):
    value = secondary.sale_value(MARKETS.secondary, rent, cost * rent, decline, unit_cost, factor, discount)
    assert 0.0 <= value <= MARKETS.secondary.parity * unit_cost * factor * (1.0 - discount) * (1.0 + 1e-12)


# -- credit ------------------------------------------------------------------------------------------------------------


@given(books(), SHARE)
def test_the_clearing_spread_equates_what_investors_want_and_what_is_needed(book, part):
    """Holdings rise with the spread, so demand at a hair less is at most the need, at a hair more at least."""
    p = MARKETS.primary
    low, high = (primary.holdings(book, s).sum() for s in (p.spread_floor, p.spread_cap))
    need = low + part * (high - low)
    spread = primary.clearing_spread(p, book, need)
    assert p.spread_floor <= spread <= p.spread_cap
    assert primary.holdings(book, spread - 1e-9).sum() <= need * (1 + 1e-9)
    assert primary.holdings(book, spread + 1e-9).sum() >= need * (1 - 1e-9)


@given(books())
def test_the_spread_stops_at_its_cap_when_capital_cannot_carry_the_debt(book):
    p = MARKETS.primary
    need = 2.0 * primary.holdings(book, p.spread_cap).sum() + 1.0
    assert primary.clearing_spread(p, book, need) == approx(p.spread_cap, abs=1e-9)


@given(books(), st.floats(0.0, 1e13), st.floats(0.0, 1e12), SHARE, SHARE)
def test_rationing_and_refinancing_are_shares(book, debt, requested, ration, rolled):
    quotes = {"spread": 0.03, "ration": ration, "refinancing": rolled}
    terms = primary.clear(MARKETS.primary, quotes, book, debt, requested)
    assert 0.0 <= terms["ration"] <= 1.0 + 1e-12 and 0.0 <= terms["refinancing"] <= 1.0 + 1e-12
    assert min(0.03, terms["clearing"]) - 1e-15 <= terms["spread"] <= max(0.03, terms["clearing"]) + 1e-15


@given(books(), st.floats(0.0, 0.5), st.floats(1e3, 1e12), st.floats(0.0, 0.9))
def test_allotted_shares_add_up_to_one_and_to_what_each_investor_wants(book, spread, debt, part):
    """Senior x 90 + junior x 10 of a debt of 100 is each investor's clearing share of 100."""
    junior = part * debt
    senior, mezzanine = primary.allot(book, spread, debt, junior)
    assert senior.sum() == approx(1.0) and (senior >= 0.0).all() and (mezzanine >= 0.0).all()
    assume(junior > 1.0)
    assert mezzanine.sum() == approx(1.0)
    wanted = primary.holdings(book, spread)
    wanted = wanted if wanted.sum() > 0.0 else book.capital
    assert senior * (debt - junior) + mezzanine * junior == approx(wanted / wanted.sum() * debt, abs=1e-6 * debt)


@given(st.floats(0.0, 0.5), st.floats(0.0, 30.0))
def test_a_note_at_its_own_yield_is_worth_par(coupon, wal):
    assert secondary.note_price(coupon, coupon, wal) == 1.0


@given(st.floats(0.0, 0.3), st.floats(0.001, 0.3), st.floats(0.01, 15.0))
def test_a_note_is_worth_its_coupons_and_par_discounted(coupon, rate, wal):
    """coupon x (1 - exp(-rate wal)) / rate + exp(-rate wal), and 1 + coupon x wal at a rate of zero."""
    discount = math.exp(-rate * wal)
    assert secondary.note_price(coupon, rate, wal) == approx(coupon * (1.0 - discount) / rate + discount, rel=1e-9)
    assert secondary.note_price(coupon, 0.0, wal) == approx(1.0 + coupon * wal)


@given(SHARE, st.floats(0.0, 100.0))
def test_the_fire_sale_discount_stays_within_its_bounds(part, sold):
    p = MARKETS.secondary
    start = p.fire_sale + part * (p.fire_sale_cap - p.fire_sale)
    assert p.fire_sale - 1e-15 <= secondary.fire_sale(p, start, sold) <= p.fire_sale_cap + 1e-15
    assert secondary.fire_sale(p, start, sold) >= secondary.fire_sale(p, start, 0.0)


@given(st.lists(st.tuples(st.floats(0.0, 1e9), st.floats(0.0, 1e9)), min_size=1, max_size=8), SHARE)
def test_nobody_sells_what_it_wants_and_buyers_shares_add_up_to_one(pairs, turnover):
    held, wanted = np.array(pairs).T
    sells, buys = secondary.trades(held, wanted, turnover)
    assert (sells >= 0.0).all() and (sells <= turnover).all() and not (sells * buys).any()
    assert buys.sum() == approx(1.0) or not (sells.any() or buys.any())


# -- tokens and hardware -----------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-3.0, 3.0), st.floats(0.01, 1.0)), min_size=1, max_size=10))
def test_labs_shares_add_up_to_one_and_better_labs_have_more_per_weight(labs):
    quality, weight = np.array(labs).T
    share = tokens.shares(MARKETS.tokens, quality, weight)
    assert share.sum() == approx(1.0)
    order = np.argsort(quality, kind="stable")
    assert (np.diff((share / weight)[order]) >= -1e-12).all()


def test_undisturbed_models_have_their_usual_worth_margin_and_life():
    p = MARKETS.tokens
    assert tokens.half_life(p, 0.3, 0.3, 0.0) == p.half_life
    assert tokens.mark_up(p, p.half_life) == p.margin and tokens.model_worth(p, p.half_life) == approx(1.0)


@given(st.floats(0.05, 1.0), st.floats(0.0, 3.0))
def test_a_race_or_faster_hardware_shortens_models_lives(growth, race):
    p = MARKETS.tokens
    life = tokens.half_life(p, growth, 0.3, race)
    assert life <= tokens.half_life(p, growth, 0.3, 0.0) and life <= tokens.half_life(p, 0.05, 0.3, race)


@mark.parametrize(("years", "expected"), [(0.0, 0.5), (2.0, 0.3), (1e6, 0.1)])
def test_demand_growth_halves_its_distance_to_the_long_run(years, expected):
    """From 50 % to 10 % with a half-life of two years: 10 + 40 / 2 = 30 % after two."""
    p = MARKETS.tokens.model_copy(update={"growth_start": 0.5, "growth_end": 0.1})
    assert tokens.growth(p, years, 2.0) == approx(expected)


def test_revenue_on_trend_keeps_the_cadence():
    """Follow: a trend at its level grows at its own pace, 0.6 a year is 0.05 a month."""
    assert hardware.follow(10.0, 10.0, 0.6, 48.0) == approx(10.05)


@mark.parametrize("bill", [0.0, 1e12, 2e12])
def test_spending_grows_as_incomes_do_where_users_pay_all_that_they_can(bill):
    """Demand of 0.4 a year and a frontier of 0.3: at the most spending grows by 0.04; far below it nothing is braked."""
    p = MARKETS.tokens
    growth = tokens.braked(p, 0.4, 0.3, bill, 2e12)
    free = tokens.nominal_growth(p, 0.4, 0.3)
    assert tokens.nominal_growth(p, growth, 0.3) == approx(free - (bill / 2e12) ** p.ceiling.sharpness * (free - p.ceiling.growth))
    assert bill < 2e12 or tokens.nominal_growth(p, growth, 0.3) == approx(p.ceiling.growth)
    assert tokens.braked(p, 0.4, 0.3, bill, 0.0) == 0.4 == tokens.braked(p, 0.4, 0.3, 0.0, 2e12)


def test_no_ceiling_hastens_what_grows_slower_than_incomes():
    assert tokens.braked(MARKETS.tokens, -0.2, 0.1, 1e12, 1e12) == -0.2


def test_what_users_can_pay_grows_from_january_2023():
    ceiling = MARKETS.tokens.ceiling
    assert ceiling.at("us", 0.0) == ceiling.us and ceiling.at("china", 10.0) == approx(
        ceiling.china * math.exp(10 * ceiling.growth)
    )


@mark.parametrize(("excess", "held"), [(0.01, 40.0), (0.0, 0.0), (-0.01, 0.0)])
def test_who_bears_no_risk_holds_all_that_haircuts_allow_or_nothing(excess, held):
    """Capital of 10 and a leverage of 4; a hurdle of 0.02."""
    one = np.array([1.0])
    book = Book(10 * one, 0.0 * one, 0.02 * one, 0.0 * one, 4 * one, one, one)
    assert primary.holdings(book, 0.02 + excess) == approx([held])
