"""Mandates: offers, choices, what investors ask for letters, and what a perfect agency knows."""

import math

import numpy as np
from pytest import approx, fixture, mark, raises

from sim.compose import resolve
from sim.markets import mandates as market
from sim.mistakes import Mistakes


def terms(*overrides: str) -> market.Params:
    found: market.Params = resolve(
        ["scenario=rating_shopping", *(f"sim.markets.mandates.{o}" for o in overrides)]
    ).sim.markets.mandates
    return found


@fixture(scope="module")
def one_letter() -> market.Params:
    return terms()


@mark.parametrize("more", [0.0, 0.03, 0.1])
def test_of_two_agencies_the_better_offer_wins_by_the_odds_of_what_it_brings(more):
    """Odds exp(40 * 0.03): 3.3 to 1."""
    p = terms("asked=2")
    found = market.outcomes(p, 2)
    chance = market.probabilities(p, found, np.array([[0.6 + more], [0.6]]))
    assert found == [((0, 1), (0,)), ((0, 1), (1,))]
    assert chance[:, 0] == approx([1.0 / (1.0 + math.exp(-40.0 * more)), 1.0 / (1.0 + math.exp(40.0 * more))])


@mark.parametrize(("asked", "letters"), [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2)])
def test_chances_of_all_outcomes_sum_to_one_in_every_channel(asked, letters):
    p = terms(f"asked={asked}", f"letters={letters}")
    chance = market.probabilities(p, market.outcomes(p, 3), np.array([[0.6, 0.5, 0.0], [0.7, 0.5, 0.0], [0.65, 0.9, 0.0]]))
    assert chance.sum(axis=0) == approx(1.0) and (chance > 0.0).all()
    assert chance[:, 2] == approx(1.0 / len(chance))  # without offers all are alike


def test_who_is_asked_is_chance_and_only_the_asked_compete():
    """Two of three asked: an agency with next to no offer wins only against nobody, so the best wins both of its two pairs."""
    p = terms("asked=2", "eagerness=4000")
    found = market.outcomes(p, 3)
    chance = market.probabilities(p, found, np.array([[0.7], [0.6], [0.1]]))[:, 0]
    won = [sum(c for c, (_, order) in zip(chance, found, strict=True) if order[0] == agency) for agency in range(3)]
    assert won == approx([2.0 / 3.0, 1.0 / 3.0, 0.0], abs=1e-12)


def test_the_second_letter_is_chosen_among_those_left():
    """Odds 4:2:1 in order: 4/7 then 2/3, and so on."""
    p = terms("letters=2")
    found = market.outcomes(p, 3)
    chance = market.probabilities(p, found, np.log([[4.0], [2.0], [1.0]]) / p.eagerness)[:, 0]
    by = {order: c for c, (_, order) in zip(chance, found, strict=True)}
    assert [by[0, 1], by[0, 2], by[2, 1]] == approx([4 / 7 * 2 / 3, 4 / 7 * 1 / 3, 1 / 7 * 2 / 6])


def test_a_letter_that_investors_distrust_is_worth_less_to_sponsors(one_letter):
    """Two notches a year cost 0.4 %, of three years: 1.2 % of the debt; the premium is capped, and never below nothing."""
    asks = market.premium(one_letter, np.array([2.0, 1000.0, -1.0]))
    assert asks == approx([0.004, 0.02, 0.0])
    assert market.proceeds(one_letter, np.full((3, 1), 0.5), asks)[:, 0] == approx([0.5 * 0.988, 0.5 * 0.94, 0.5])


def test_true_depreciation_is_technology_and_the_return_of_rents(one_letter):
    """At usual rents (1 + 0.3) * 0.25; rents a tenth above fall by a third of it a year."""
    truth = one_letter.truth
    assert market.decline(truth, 0.25, 0.3, truth.rent) == approx(0.325)
    assert market.decline(truth, 0.25, 0.3, 1.1 * truth.rent) == approx(0.325 + math.log(1.1) / 3.0)


@mark.parametrize(
    ("overrides", "word"),
    [(("asked=4",), "more than the 3"), (("asked=1", "letters=2"), "more than asked 1")],
)
def test_nobody_asks_agencies_that_do_not_exist(overrides, word):
    with raises(Mistakes, match=word):
        terms(*overrides)
