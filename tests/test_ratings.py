"""Ratings of deals simple enough to work out by hand; letters, surveillance, shopping and structuring."""

from multiprocessing import get_context

import numpy as np
import pytest
from pytest import approx
from scipy.special import ndtr

from sim.collateral import make_book, obligors, select
from sim.kernels import rating
from sim.kernels.clauses import SCHEDULED
from sim.kernels.layouts import layout
from sim.kernels.scenarios import STRATA, Beliefs
from sim.rating_engine import TOGETHER
from sim.rating_files import configured
from sim.ratings import LETTERS, letters_by_default, letters_by_loss, rate_book, review, sample, shop
from sim.structuring import Sought, resize, structure

P = configured()
CALM = Beliefs(0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
NOBODY = obligors([], [], P.horizon)
BOTH = pytest.mark.parametrize("plain", [False, True], ids=["importance", "plain"])


def lay_out(balance, periods, tenants=(), coupon=0.0, sweep=1.0, legal_final=0, **collateral):
    """A deal of one class, repaid from whatever comes in; ``tenants`` are places, shares and ends of contracts."""
    shape = layout(1)
    terms, state = shape.blank("terms", 1), shape.blank("state", 1)
    terms["classes"], terms["notional"][0, 0], state["balance"][0, 0] = 1, balance, balance
    terms["coupon"][0, 0], terms["sweep_share"], terms["legal_final"] = coupon, sweep, legal_final
    state["pool"] = terms["pool_at_closing"] = balance
    place, share, end = np.array(list(tenants) or [(-1, 0.0, 0)]).T
    for name in ("contract", "market", "cost", "value", "appraisal", "disposal"):
        if name in collateral:
            collateral[name] = np.atleast_2d(collateral[name])
    target = np.full((1, periods, shape.classes), np.nan)
    book = make_book(np.array([periods]), target, place[None].astype(int), share[None], end[None].astype(int), **collateral)
    return terms, state, book


def at(month, amount, periods, otherwise=0.0):
    """A list that holds ``amount`` in one month."""
    found = np.full(periods, otherwise)
    found[month - 1] = amount
    return found


def rate(deal, tenants=NOBODY, beliefs=CALM, paths=16384, **options):
    return rate_book(P, *deal, tenants, beliefs, paths=paths, **options).estimates


def close(value, error, truth):
    """Within four standard errors, and these are worth something."""
    return abs(value - truth) <= 4.0 * error + 1e-12 and error <= 0.1 * truth


@BOTH
@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_a_deal_on_one_tenant_loses_its_default_probability_times_the_loss(plain, correlation):
    """All rent is due in month 12; the tenant fails before with 5 %, then a sale fetches 0.5 * 60: loss 0.7, EL 0.035."""
    contract = at(12, 100.0, 14)
    deal = lay_out(100.0, 14, [(0, 1.0, 14)], legal_final=12, contract=contract, value=np.full(14, 60.0))
    beliefs = CALM._replace(correlation=correlation, recovery=0.5)
    e = rate(deal, obligors([7], [0.05], P.horizon), beliefs, plain=plain)
    assert close(e.default[0, 0], e.default_error[0, 0], 0.05) and close(e.loss[0, 0], e.loss_error[0, 0], 0.035)


def test_a_class_repaid_with_interest_on_its_terms_loses_exactly_nothing():
    """100 at 6 % and 105 collected in each of three months: present value at the coupon is par, whatever the timing."""
    e = rate(lay_out(100.0, 3, [(0, 1.0, 3)], coupon=0.06, contract=np.full(3, 50.0)), obligors([7], [0.0], P.horizon), paths=64)
    assert e.loss[0, 0] == e.loss_error[0, 0] == e.default[0, 0] == 0.0
    assert e.life[0, 0] == approx((49.5 + 2 * 49.7475 + 3 * 0.7525) / 100.0 / 12.0, abs=1e-4)


def test_collateral_is_worth_less_the_faster_it_ages():
    """Sold after a year for 100 exp(-ageing * depreciation), owing 90: at 0.3 the loss is 1 - 74.08 / 90 = 0.1769."""
    for depreciation, ageing in ((0.3, 1.0), (0.5, 1.0), (0.3, 0.1), (0.3, 2.0)):
        deal = lay_out(90.0, 12, disposal=at(12, 100.0, 12, np.nan), ageing=ageing)
        loss = max(0.0, 1.0 - 100.0 * np.exp(-ageing * depreciation) / 90.0)
        assert rate(deal, beliefs=CALM._replace(depreciation=depreciation), paths=64).loss[0, 0] == approx(loss, abs=1e-12)


@BOTH
def test_a_dispersed_depreciation_costs_what_a_put_costs(plain):
    """Value after a year is 100 exp(-0.3 - 0.2 W) against 60 owed: EL is a put over 60 (Black and Scholes 1973), 0.0152."""
    deal = lay_out(60.0, 12, disposal=at(12, 100.0, 12, np.nan))
    e = rate(deal, beliefs=CALM._replace(depreciation=0.3, dispersion=0.2), plain=plain)
    gap = (np.log(60.0 / 100.0) + 0.3) / 0.2
    put = ndtr(gap) - 100.0 / 60.0 * np.exp(-0.3 + 0.02) * ndtr(gap - 0.2)
    assert close(e.loss[0, 0], e.loss_error[0, 0], put) and close(e.default[0, 0], e.default_error[0, 0], ndtr(gap))


@BOTH
@pytest.mark.parametrize("ageing", [0.2, 1.0])
def test_what_ages_less_feels_less_of_the_rents_shocks(plain, ageing):
    """Value after a year is 100 exp(-ageing * (0.3 + 0.25 Z)); owing its median, EL is a put at the money of that volatility."""
    owed, spread = 100.0 * np.exp(-0.3 * ageing), 0.25 * ageing
    deal = lay_out(owed, 12, disposal=at(12, 100.0, 12, np.nan), ageing=ageing)
    e = rate(deal, beliefs=CALM._replace(depreciation=0.3, rent_volatility=0.25), plain=plain)
    put = 0.5 - np.exp(0.5 * spread**2) * ndtr(-spread)
    assert close(e.loss[0, 0], e.loss_error[0, 0], put) and close(e.default[0, 0], e.default_error[0, 0], 0.5)


@BOTH
def test_shocks_and_launches_move_rents_as_far_as_believed(plain):
    """After a year the log index has mean -0.3 and variance 0.1^2 + 0.4 * 0.5^2 * (1 - 0.4 / 12); loss 1 - index is small."""
    beliefs = CALM._replace(depreciation=0.3, rent_volatility=0.1, launch_rate=0.4, launch_step=0.5)
    e = rate(lay_out(100.0, 12, disposal=at(12, 100.0, 12, np.nan)), beliefs=beliefs, plain=plain, paths=65536)
    jumps = (1.0 + 0.4 / 12.0 * (np.exp(-0.5) - 1.0)) ** 12
    assert close(e.loss[0, 0], e.loss_error[0, 0], 1.0 - np.exp(-0.3 + 0.2 + 0.005) * jumps) or e.default[0, 0] < 1.0


@pytest.mark.parametrize("vacancy", [0, 3])
def test_at_the_end_of_a_contract_rent_falls_to_what_the_market_then_pays(vacancy):
    """Ten a month for a year; then, after the vacancy, 10 exp(-0.5 t / 12), the rent of that path's market."""
    deal = lay_out(240.0, 24, [(0, 1.0, 12)], contract=np.full(24, 10.0), market=np.full(24, 10.0), vacancy=vacancy)
    paid = 120.0 + sum(10.0 * np.exp(-0.5 * t / 12.0) for t in range(13 + vacancy, 25))
    e = rate(deal, obligors([7], [0.0], P.horizon), CALM._replace(depreciation=0.5), paths=64)
    assert e.loss[0, 0] == approx(1.0 - paid / 240.0, abs=1e-12)


@pytest.mark.parametrize("other", [7, 8])
def test_one_tenant_of_two_deals_fails_on_the_same_paths(other):
    """Sums over defaults agree to the bit, cell by cell, if and only if the tenant is the same: joint default is its default."""
    deals = [lay_out(100.0, 12, [(place, 1.0, 12)], contract=at(12, 100.0, 12)) for place in (0, 1)]
    terms, state = (np.concatenate([d[i] for d in deals]) for i in (0, 1))
    pairs = zip(rating.Book._fields, deals[0][2], deals[1][2], strict=True)
    book = rating.Book(*(a if name == "ageing" else np.concatenate([a, b]) for name, a, b in pairs))
    sums = np.zeros((8, 2, state["balance"].shape[1], STRATA, rating.SUMS))
    beliefs = CALM._replace(correlation=0.2)
    rating.rate_cells(0, sums, 0, terms, state, book, obligors([7, other], [0.05, 0.05], P.horizon), beliefs, sample(P, beliefs))
    hits = sums[:, :, 0, :, rating.WD].sum(axis=2)
    assert (hits > 0.0).any() and (hits[:, 0] == hits[:, 1]).all() == (other == 7)


@BOTH
def test_a_residual_value_guarantee_is_worth_what_its_guarantor_is(plain):
    """Sold for 50 against 80 owed and guaranteed; the guarantor has failed within the year with 10 %: EL 0.1 * 30 / 80."""
    terms, state, book = lay_out(80.0, 12, disposal=at(12, 50.0, 12, np.nan), guarantor=0)
    terms["guarantee_strike"] = 80.0
    e = rate((terms, state, book), obligors([7], [0.1], P.horizon), plain=plain)
    assert close(e.default[0, 0], e.default_error[0, 0], 0.1) and close(e.loss[0, 0], e.loss_error[0, 0], 0.0375)


@BOTH
def test_a_forced_sale_fetches_less_the_more_must_sell(plain):
    """Recovery 0.8 - 0.5 * share sold, whose mean is 0.1: a deal with no other income loses 1 - 0.75 on average."""
    share = P.market_default
    beliefs = CALM._replace(correlation=0.3, recovery=0.8, fire_sale_slope=0.5)
    e = rate(lay_out(100.0, 3, legal_final=1, value=np.full(3, 100.0)), beliefs=beliefs, plain=plain)
    assert close(e.loss[0, 0], e.loss_error[0, 0], 1.0 - (0.8 - 0.5 * share))
    deal = lay_out(100.0, 14, [(0, 1.0, 14)], legal_final=12, contract=at(12, 100.0, 14), value=np.full(14, 100.0))
    e = rate(deal, obligors([7], [0.05], P.horizon), beliefs, plain=plain)
    assert e.loss[0, 0] - 4.0 * e.loss_error[0, 0] > 0.05 * (1.0 - (0.8 - 0.5 * share))  # tenants fail when many sell


@BOTH
def test_a_granular_pool_loses_what_its_default_rates_say(plain):
    """Two per cent default in each of 12 months, nothing is recovered: on average 1 - 0.98^12 of the pool, the class with it."""
    rates = np.full((1, 12), 0.02)
    deal = lay_out(100.0, 12, contract=np.full(12, np.nan), default_rate=rates, amortisation_rate=at(12, 1.0, 12)[None])
    e = rate(deal, beliefs=CALM._replace(correlation=0.2), plain=plain)
    assert close(e.loss[0, 0], e.loss_error[0, 0], 1.0 - 0.98**12)


def test_neither_threads_nor_chunks_nor_other_deals_change_a_bit():
    tenants, beliefs = obligors([7], [0.05], P.horizon), Beliefs(0.3, 0.1, 0.2, 0.8, 0.6, 0.1, 1.0, 0.1)
    deal = lay_out(
        60.0, 36, [(0, 0.8, 24)], contract=np.full(36, 3.0), market=np.full(36, 3.0), legal_final=34, value=np.full(36, 50.0)
    )
    one, two = rate(deal, tenants, beliefs, 1280, threads=1), rate(deal, tenants, beliefs, 1280, threads=2)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True)) and one.loss[0, 0] > 0.0
    terms, state, book = deal
    rows = np.zeros(2 * TOGETHER, dtype=int)
    many = rate((terms[rows], state[rows], select(book, rows)), tenants, beliefs, 64, threads=2)
    alone = rate(deal, tenants, beliefs, 64)
    assert (many.loss == alone.loss).all() and len(many.loss) == len(rows)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_rates_with_threads_of_its_own():
    """It has none of those that rated here."""
    terms, state, book = lay_out(60.0, 12, [(0, 1.0, 12)], contract=np.full(12, 4.0))
    rows, tenants = np.zeros(2 * TOGETHER, dtype=int), obligors([7], [0.05], P.horizon)
    book = (terms[rows], state[rows], select(book, rows))
    here = rate(book, tenants, paths=64, threads=2)
    with get_context("fork").Pool(1) as pool:
        there = pool.apply_async(rate, (book, tenants), {"paths": 64, "threads": 2}).get(timeout=30)
    assert (here.loss == there.loss).all() and here.loss[0, 0] > 0.0


def test_the_market_matters_to_a_deal_with_some_market_rent_or_value():
    """Nothing, none (NaN) and rents under contract say no; one USD of rent, value, appraisal or disposal says yes."""
    none = {"market": [0.0, 0.0], "value": [np.nan, 0.0], "contract": [1.0, 1.0]}
    assert not lay_out(1.0, 2)[2].let.any() and not lay_out(1.0, 2, **none)[2].let.any()
    for name in ("market", "value", "appraisal", "disposal"):
        assert lay_out(1.0, 2, **{name: [np.nan, 1.0]})[2].let.all()


def test_letters_are_the_best_that_the_tables_allow():
    """Loss 0.0055 % over ten years is Aaa, a hair more Aa1; 0.000028 % over one; beyond the last row Ca."""
    losses, lives = np.array([5.5e-5, 5.6e-5, 2.8e-7, 3e-7, 0.0, 0.9]), np.array([10.0, 12.0, 0.5, 1.0, np.nan, 3.0])
    assert [LETTERS[i] for i in letters_by_loss(P, losses, lives)] == ["Aaa", "Aa1", "Aaa", "Aa1", "Aaa", "Ca"]


def test_default_letters_compare_ten_years_with_ten_years():
    """1.2 % in ten years is A2; in five it is 2.39 % in ten, Baa1."""
    assert [LETTERS[i] for i in letters_by_default(P, np.array([0.012, 0.012]), np.array([10.0, 5.0]))] == ["A2", "Baa1"]


def test_surveillance_waits_for_reviews_that_agree():
    """Two in a row, on one side, move a letter; one against starts anew; a new class takes what is found."""
    two = P.model_copy(update={"reviews": 2})
    letter, streak = review(two, np.array([5, 5, 5, -1]), np.array([8, 3, 5, 4]), np.zeros(4, int))
    assert letter.tolist() == [5, 5, 5, 4] and streak.tolist() == [1, -1, 0, 0]
    letter, streak = review(two, letter, np.array([7, 9, 6, 4]), streak)
    assert letter.tolist() == [7, 5, 5, 4] and streak.tolist() == [0, 1, 1, 0]


def test_shopping_takes_the_laxest():
    agency, letter = shop(np.array([[3, 9], [2, 9], [5, 8]]))
    assert agency.tolist() == [1, 2] and letter.tolist() == [2, 8]


def test_structuring_gives_smaller_classes_for_better_letters_and_they_reach_them():
    tenants, beliefs = obligors([7, 8], [0.02, 0.05], P.horizon), Beliefs(0.3, 0.1, 0.2, 0.8, 0.6, 0.1, 1.0, 0.1)
    deal = lay_out(
        60.0, 40, [(0, 0.5, 24), (1, 0.5, 24)], contract=np.full(40, 3.0), market=np.full(40, 3.0), value=np.full(40, 40.0)
    )
    places = [LETTERS.index(letter) for letter in ("Aa2", "A2", "Baa2", "B2")]
    sought = [Sought(*deal, tenants, beliefs, np.array([[place]]), np.array([100.0])) for place in places]
    sizes = [structure(P, [one], paths=256)[0, 0] for one in sought]
    assert sizes == sorted(sizes) and 0.0 < sizes[0] < sizes[-1] < 100.0


def test_deals_structured_together_have_the_sizes_that_each_has_alone():
    """To the bit: another deal beside it, of another letter and limit, changes nothing, in one book or in two; at its limit a
    class takes it all.
    """
    tenants, beliefs = obligors([7, 8], [0.02, 0.05], P.horizon), Beliefs(0.3, 0.1, 0.2, 0.8, 0.6, 0.1, 1.0, 0.1)
    curves = {"contract": np.full(40, 3.0), "market": np.full(40, 3.0), "value": np.full(40, 40.0)}
    terms, state, book = lay_out(60.0, 40, [(0, 0.5, 24), (1, 0.5, 24)], **curves)
    twice = (np.repeat(terms, 2), np.repeat(state, 2), select(book, np.zeros(2, np.int64)))
    letters, limit = np.array([[4], [14]]), np.array([100.0, 20.0])
    both = structure(P, [Sought(*twice, tenants, beliefs, letters, limit)], paths=256)
    each = [Sought(terms, state, book, tenants, beliefs, letters[d : d + 1], limit[d : d + 1]) for d in (0, 1)]
    alone = [structure(P, [one], paths=256) for one in each]
    assert structure(P, each, paths=256).tolist() == both.tolist()
    wide = [one._replace(letters=np.repeat(one.letters, 2, axis=1)) for one in each]
    assert structure(P, wide, paths=256).tolist() == [[size, 0.0] for size in both[:, 0]]  # none has a second class
    assert both.tolist() == np.concatenate(alone).tolist() and 0.0 < both[0, 0] < 100.0 and both[1, 0] == 20.0


def test_a_resized_deal_repays_on_its_schedule_whatever_its_size():
    """Twelve equal parts, one a month: a life of 6.5 months at any size, and the deal it was made from is left as it was."""
    terms, state, book = lay_out(90.0, 12, [(0, 1.0, 12)], sweep=0.0, contract=np.full(12, 50.0))
    terms["mode"] = SCHEDULED
    book.target[0, :, 0] = 90.0 * np.arange(11, -1, -1) / 12
    resized = resize(terms, state, book, np.array([[[30.0], [60.0]]]))
    assert resized[2].target[:, 5, 0] == approx([15.0, 30.0])
    assert rate(resized, obligors([7], [0.0], P.horizon), paths=64).life[:, 0] == approx(np.full(2, 6.5 / 12.0))
    assert terms["notional"][0, 0] == state["balance"][0, 0] == 90.0 and book.target[0, 5, 0] == 45.0
