"""Which applications lenders fund, and which a planner would: exact on small lists, bounded on all."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, mark, raises
from scipy.special import ndtri
from scipy.stats import spearmanr

from sim.compose import resolve
from sim.markets import applications as market
from sim.mistakes import Mistakes
from sim.streams import Streams

P = resolve([]).sim.markets.applications
SOME = st.integers(1, 40)
RATE, RATION = st.floats(0.0, 0.4), st.just(0.0) | st.floats(1e-6, 1.0)


def drawn(count: int, seed: int = 1, **others: float) -> tuple[market.Params, market.Traits]:
    """Parameters, and that many applications drawn under them."""
    p, keys, streams = P.model_copy(update=others), np.arange(count, dtype=np.uint64), Streams(seed)
    normals = np.stack([streams.draw("application", 0, keys, index) for index in range(3)])
    return p, market.traits(p, normals, streams.uniform("value", 0, keys), 1e3, 1.26)


def outcome(p: market.Params, found: market.Traits, rate: float, ration: float) -> market.Outcome:
    funded = market.fund(p, found, rate, ration)
    return market.judge(found, funded, market.plan(found, float((found.size * funded).sum())))


def best(found: market.Traits, budget: float) -> float:
    """Most social value of a budget by trying all: any set served in full, and any other application in part."""
    places, value = range(len(found.size)), found.size * found.social
    tried = [0.0]
    for count in range(len(found.size) + 1):
        for full in map(list, combinations(places, count)):
            left = budget - found.size[full].sum()
            if left >= -1e-12:
                extra = [min(max(left, 0.0) / found.size[j], 1.0) * value[j] for j in places if j not in full]
                tried.append(value[full].sum() + max(extra, default=0.0))
    return max(tried)


def test_lenders_ask_that_pledged_cash_repays_what_they_lend():
    """0.7 lent for three years at 10 % is 0.91, of a cash flow of 1.5: 0.6067 of it must be contractible."""
    p = P.model_copy(update={"own": 0.3, "worth": 1.5, "years": 3.0})
    assert market.hurdle(p, 0.10) == approx(0.91 / 1.5)
    assert market.hurdle(p, 0.20) > market.hurdle(p, 0.10) and market.hurdle(p.model_copy(update={"own": 1.0}), 0.2) == 0.0


def test_who_clears_a_hurdle_of_three_quarters_is_a_quarter():
    """Contractibility is uniform from 0 to 1: of its hundredths, 0.755 to 0.995 clear 0.75. No interest, own money or surplus."""
    p = P.model_copy(update={"own": 0.25, "worth": 1.0, "least_contractible": 0.0, "most_contractible": 1.0})
    normals = np.stack([ndtri((np.arange(100) + 0.5) / 100), np.zeros(100), np.zeros(100)])
    found = market.traits(p, normals, np.full(100, 0.5), 1.0, 2.0)
    assert found.contractible == approx((np.arange(100) + 0.5) / 100)
    assert np.flatnonzero(market.fund(p, found, 0.0, 1.0)).tolist() == list(range(75, 100))


@mark.parametrize(("ration", "shares"), [(1.0, [1, 0, 1, 1]), (0.5, [0, 0, 1, 0.5]), (0.0, [0, 0, 0, 0])])
def test_short_lenders_fund_the_most_contractible_first(ration, shares):
    """Of 2, 1 and 4 units that clear, half are 3.5: 1 for the most contractible, 2.5 of the next one's 5 units."""
    found = market.Traits(np.array([1.0, 9.0, 1.0, 5.0]), np.array([0.7, 0.1, 0.9, 0.8]), np.ones(4), np.ones(4))
    p = P.model_copy(update={"own": 0.3, "worth": 1.5})
    assert market.fund(p, found, 0.05, ration) == approx(shares)


@given(st.integers(1, 7), st.integers(0, 99), st.floats(0.0, 1.1))
def test_the_planner_does_as_well_as_any_choice_within_its_budget(count, seed, part):
    _, found = drawn(count, seed)
    budget = part * float(found.size.sum())
    planned = market.plan(found, budget)
    assert float((found.size * planned).sum()) == approx(min(part, 1.0) * float(found.size.sum()))
    assert float((found.size * found.social * planned).sum()) == approx(best(found, budget))


@given(SOME, st.integers(0, 99), st.floats(-1.0, 1.0), RATE, RATION)
def test_distortion_lies_between_none_and_all_and_the_planner_is_never_below_lenders(count, seed, correlation, rate, ration):
    p, found = drawn(count, seed, correlation=correlation)
    seen = outcome(p, found, rate, ration)
    if market.fund(p, found, rate, ration).any():
        assert 0.0 <= seen.distortion <= 1.0 and seen.planned_social >= seen.funded_social - 1e-12
        assert seen.distortion == approx(1.0 - seen.funded_social / seen.planned_social, abs=1e-12)
    else:
        assert np.isnan(seen.distortion) and seen.funded_number == seen.funded_compute == seen.funded_social == 0.0


@given(SOME, st.integers(0, 99), RATE, RATION)
def test_nothing_is_distorted_where_what_can_be_contracted_is_what_is_good_for_all(count, seed, rate, ration):
    p, found = drawn(count, seed, correlation=1.0)
    assert outcome(p, found, rate, ration).distortion in (approx(0.0, abs=1e-12), approx(np.nan, nan_ok=True))


@given(SOME, st.integers(0, 99), RATE, RATION)
def test_who_has_the_money_needs_no_lender_and_all_that_pays_is_done(count, seed, rate, ration):
    p, found = drawn(count, seed, own=1.0, correlation=-1.0)
    assert market.fund(p, found, rate, ration).tolist() == [1.0] * count
    assert outcome(p, found, rate, ration) == approx((1.0, 1.0, 1.0, 1.0, 0.0), abs=1e-12)


def test_distortion_grows_as_social_value_can_be_contracted_less():
    """The same draws of 4,000 at correlations from 1 to -1; dearer money leaves less of social value and distorts more."""
    found = [outcome(*drawn(4000, correlation=rho), 0.1, 1.0).distortion for rho in (1.0, 0.5, 0.0, -0.5, -1.0)]
    assert found == sorted(found) and found[0] == approx(0.0, abs=1e-12) and found[-1] > 0.8
    dear, cheap = (outcome(*drawn(4000), rate, 1.0) for rate in (0.2, 0.05))
    assert dear.funded_social < cheap.funded_social and dear.distortion > cheap.distortion


@mark.parametrize("correlation", [-0.8, -0.3, 0.6])
def test_the_rank_correlation_drawn_is_that_of_two_normals(correlation):
    """6 / pi asin(rho / 2), Pearson (1907), within three standard errors of 20,000."""
    _, found = drawn(20_000, correlation=correlation)
    ranks = market.rank_correlation(found.contractible, found.social)
    assert ranks == approx(spearmanr(found.contractible, found.social).statistic)
    assert ranks == approx(6 / np.pi * np.arcsin(correlation / 2), abs=3 / np.sqrt(20_000))


def test_one_application_has_no_correlation_and_none_has_no_outcome():
    assert np.isnan(market.rank_correlation(np.ones(1), np.ones(1)))
    none = market.Traits(*[np.zeros(0)] * 4)
    assert np.isnan(market.judge(none, np.zeros(0), market.plan(none, 0.0))).all()


def test_whatever_is_begun_pays_and_half_of_it_is_worth_a_bit_more():
    """Pareto with a tail of 2: the middle one is worth sqrt(2) times the price."""
    found = market.traits(P, np.zeros((3, 3)), np.array([1.0 - 1e-12, 0.5, 0.01]), 7.0, 2.0)
    assert found.unit_value == approx([7.0, 7.0 * 2**0.5, 70.0])


@given(st.floats(0.0, 0.95), st.floats(0.0, 1.0), st.floats(0.01, 1.0))
def test_demand_is_as_calibrated_on_calm_terms_and_moves_with_its_funded_part(share, now, calm):
    p = P.model_copy(update={"share": share})
    assert market.pull(p, calm, calm) == 1.0 == market.pull(p, now, 0.0)
    assert market.pull(p, now, calm) == approx(1.0 - share + share * now / calm)


def test_a_world_in_which_nothing_is_funded_in_calm_markets_is_refused():
    line = "sim.markets.applications."
    with raises(Mistakes, match=r"at calm_spread 0.06 lenders in us ask that 0.914 of cash flow be contractible"):
        resolve([f"{line}share=0.3", f"{line}worth=1", f"{line}most_contractible=0.9"])
    assert resolve([f"{line}worth=1", f"{line}most_contractible=0.9"]).sim.markets.applications.share == 0.0
    with raises(Mistakes, match=r"least_contractible 0.9 must be below most_contractible 0.9"):
        resolve([f"{line}least_contractible=0.9", f"{line}most_contractible=0.9"])
