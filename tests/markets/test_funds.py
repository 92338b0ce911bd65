"""Funds' rules: what savers ask back, what gates let out, where the money comes from, what sales under pressure cost."""

import numpy as np
from pytest import approx, fixture, mark, raises

from sim.compose import resolve
from sim.markets import funds as market
from sim.mistakes import Mistakes

FUND = "sim.markets.funds"
ON = f"{FUND}.private_credit.liquid=0.5"


@fixture(scope="module")
def terms() -> market.Params:
    found: market.Params = resolve([ON]).sim.markets.funds
    return found


def rules(**values: float) -> market.Rules:
    """Terms of one fund: half may be asked back, behind a gate of a twentieth a quarter."""
    usual = {"liquid": 0.5, "gate": 0.05, "period": 3, "smoothing": 0.25, "buck": 1.0, "line": 0.3, "fear": 0.3, "unrelated": 0.5}
    return market.Rules.of([market.Terms(**{**usual, **values})])


def asked(p: market.Params, of: market.Rules, **at: float) -> float:
    """Requests of one fund that shows 100, is worth it, and earns what is expected, unless said otherwise."""
    usual = {"value": 100.0, "waits": 0.0, "trailing": p.expected, "worth": 100.0}
    return float(market.requests(p, of, *(np.array([value]) for value in {**usual, **at}.values()))[0])


# -- requests ------------------------------------------------------------------------------------------------------------


def test_content_savers_of_a_sound_fund_ask_for_nothing(terms):
    assert asked(terms, rules()) == 0.0


def test_savers_flee_losses_faster_than_they_chase_gains(terms):
    """A tenth above: 0.8 of it a year; a tenth below: 1.6 of it, and of the half that may be asked back: 50 * 0.16 / 12."""
    gain, loss = terms.expected + 0.1, terms.expected - 0.1
    assert asked(terms, rules(), trailing=loss) == approx(50.0 * 0.16 / 12.0)
    assert market.arrivals(terms, gain, 0.0, 1.0) == approx(np.expm1(0.08 / 12.0))
    assert market.arrivals(terms, loss, 0.0, 1.0) == 0.0 == asked(terms, rules(), trailing=gain)


def test_what_is_hollow_in_the_value_shown_brings_requests(terms):
    """20 of 100 are not there: 0.3 * 0.2 of 50. A value below the market's frightens nobody."""
    assert asked(terms, rules(), worth=80.0) == approx(3.0)
    assert asked(terms, rules(), worth=120.0) == 0.0


def test_a_queue_brings_more_requests_from_those_who_are_not_in_it(terms):
    """30 of 100 wait: 0.1 * 0.3 of the 20 that are left."""
    assert asked(terms, rules(), waits=30.0) == approx(0.6)


def test_no_more_is_asked_than_may_be_and_than_savers_who_look(terms):
    assert asked(terms, rules(fear=20.0), worth=-1e6) == approx(terms.most * 50.0)
    assert asked(terms, rules(fear=20.0), worth=-1e6, waits=50.0) == 0.0
    assert asked(terms, rules(), value=-5.0, worth=-5.0) == 0.0


# -- gates and sources ---------------------------------------------------------------------------------------------------


def test_a_gate_lets_out_its_share_of_the_value_at_the_start_less_what_has_gone():
    assert market.room(rules(), np.array([200.0]), np.array([4.0])) == approx([6.0])
    assert market.room(rules(), np.array([200.0]), np.array([40.0])) == approx([0.0])
    assert market.room(rules(gate=1.0), np.array([200.0]), np.array([400.0])) == np.inf


@mark.parametrize(
    ("due", "found"), [(5.0, (5.0, 0.0, 0.0)), (15.0, (10.0, 5.0, 0.0)), (50.0, (10.0, 20.0, 20.0)), (0.0, (0.0, 0.0, 0.0))]
)
def test_cash_comes_first_then_the_line_then_sales(due, found):
    parts = market.sources(np.array([due]), np.array([10.0]), np.array([20.0]))
    assert tuple(float(part[0]) for part in parts) == approx(found)


def test_neither_debts_nor_an_overdrawn_line_are_a_source():
    own, drawn, short = market.sources(np.array([5.0]), np.array([-1.0]), np.array([-2.0]))
    assert (own[0], drawn[0], short[0]) == (0.0, 0.0, 5.0)


# -- sales under pressure ------------------------------------------------------------------------------------------------


def test_a_tenth_sold_under_pressure_costs_what_fire_sales_cost(terms):
    """RC-03: 9 to 18 %."""
    assert 0.09 < 1.0 - market.kept(terms, 10.0, 100.0) < 0.18
    assert market.kept(terms, 10.0, 100.0) == approx(np.exp(-terms.impact * 0.1))
    assert market.kept(terms, 0.0, 100.0) == 1.0


def test_a_market_is_deep_as_long_as_its_other_holders_could_take_as_much_again(terms):
    """Two hold 40 and 20; with room for 10 and 200 they bear 10 + 20 of 60: half of the market of 100."""
    held = np.array([40.0, 20.0])
    assert market.depth(terms, 100.0, held, np.array([1e9, 1e9])) == approx(100.0)
    assert market.depth(terms, 100.0, held, np.array([10.0, 200.0])) == approx(50.0)
    assert market.depth(terms, 100.0, held, np.array([-10.0, 0.0])) == approx(terms.thin * 100.0)


def test_sales_raise_what_is_needed_at_the_prices_that_they_leave(terms):
    need, notes, other = np.array([3.0, 0.0, 5.0]), np.array([60.0, 50.0, 40.0]), np.array([40.0, 50.0, 0.0])
    share, left, right = market.sales(terms, need, notes, other, (500.0, 400.0))
    assert share * (notes * left + other * right) == approx(need)
    assert left == approx(np.exp(-terms.impact * (share * notes).sum() / 500.0)) and share[1] == 0.0
    assert right == approx(np.exp(-terms.impact * (share * other).sum() / 400.0))


def test_who_cannot_raise_enough_sells_everything(terms):
    share, left, _ = market.sales(terms, np.array([500.0]), np.array([100.0]), np.array([0.0]), (100.0, 1.0))
    assert share == approx([1.0]) and left == approx(np.exp(-terms.impact))


def test_one_funds_sales_cost_another_that_must_sell_beside_it(terms):
    alone, *_ = market.sales(terms, np.array([5.0]), np.array([100.0]), np.array([0.0]), (200.0, 1.0))
    both, *_ = market.sales(terms, np.array([5.0, 20.0]), np.array([100.0, 100.0]), np.zeros(2), (200.0, 1.0))
    assert both[0] > alone[0]


def test_nobody_sells_more_than_it_has_or_raises_more_than_it_needs(terms):
    draw = np.random.default_rng(1)
    for _ in range(300):
        need, notes, other = draw.uniform(0.0, 60.0, (3, draw.integers(1, 5)))
        share, left, right = market.sales(terms, need, notes, other, (150.0, 150.0))
        raised = share * (notes * left + other * right)
        assert (share >= 0.0).all() and (share <= 1.0).all() and 0.0 < left <= 1.0 and 0.0 < right <= 1.0
        assert raised[share < 1.0] == approx(need[share < 1.0], rel=1e-9)
        assert (raised[share == 1.0] <= need[share == 1.0] * (1.0 + 1e-9)).all()


# -- configuration -------------------------------------------------------------------------------------------------------


@mark.parametrize(
    ("overrides", "words"),
    [
        (["regions=[us]", f"{FUND}.run.region=china"], "run.region is china"),
        ([f"{FUND}.run.region=us"], "us has 0 investors whose savers may ask back"),
        ([ON, "size=class", f"{FUND}.run.region=us", f"{FUND}.run.investor=1"], "run.investor is 1"),
        ([f"{FUND}.private_credit.gate=1.5"], "0 to 1"),
    ],
)
def test_a_run_without_a_fund_to_run_on_is_refused_with_the_way_out(overrides, words):
    with raises(Mistakes, match=words.replace(".", r"\.")):
        resolve(overrides)
