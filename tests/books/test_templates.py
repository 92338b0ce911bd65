"""Templates: shares of notes and pool that hold at any size."""

import numpy as np
from pytest import approx, fixture

from sim.books.deals import RECORDS
from sim.books.templates import Library, Template, amortise_straight, average_life, by_rank
from sim.kernels.clauses import FIXED, MONTHS_OF_INTEREST


@fixture
def template() -> Template:
    """Two classes, all due in month 4; a fee of 1 % of the pool a month; a reserve of 2 % of the notes, half of it there."""
    terms = RECORDS.blank("terms", 1)
    terms["fee_fixed"], terms["reserve_target_kind"], terms["reserve_target"] = 0.01, FIXED, 0.02
    left = np.array([[1.0, 1.0]] * 4 + [[0.0, 0.0]])
    return Template("plain", 2, terms, 0.5, 4, left, left)


def test_the_senior_class_is_repaid_first():
    """Of 100 notes, 80 senior: with 60 left 40 of 80 are senior, with 10 left half of the 20 junior ones."""
    assert by_rank(np.array([1.0, 0.6, 0.1]), 0.8) == approx(np.array([[1.0, 1.0], [0.5, 1.0], [0.0, 0.5]]))


def test_notes_of_one_class_all_run_off_alike():
    assert by_rank(np.array([0.6]), 1.0) == approx(np.array([[0.6, 0.6]]))


def test_a_bullet_lives_until_it_is_due():
    """Four months from delivery, three after a month, and a month at least."""
    life = average_life(np.array([[[1.0], [1.0], [1.0], [1.0], [0.0]]]))
    assert life[0, :, 0] * 12 == approx([4.0, 3.0, 2.0, 1.0, 1.0])


def test_a_straight_line_lives_half_its_term_and_half_a_month():
    """(1 + 3/4 + 2/4 + 1/4) months."""
    life = average_life(np.array([[[1.0], [0.75], [0.5], [0.25], [0.0]]]))
    assert life[0, 0, 0] * 12 == approx(2.5)


def test_a_refinancing_keeps_the_tests_and_repays_in_equal_parts(template):
    """Over 2 months with 80 % senior: half is left after one, 30 of 80 and 20 of 20."""
    again = amortise_straight(template, 2, 0.8)
    assert again.target[:3] == approx(np.array([[1.0, 1.0], [0.375, 1.0], [0.0, 0.0]]))
    assert again.due == again.terms["legal_final"][0] == 2 and again.terms["fee_fixed"] == template.terms["fee_fixed"]


def test_amounts_grow_with_the_deal(template):
    """A pool of 200 pays 2 a month; notes of 100 aim at a reserve of 2 and start with 1."""
    library, kind, notes = Library([template]), np.array([0]), np.array([[80.0, 20.0]])
    terms = library.scaled(kind, np.array([200.0]), notes)
    assert (terms["fee_fixed"][0], terms["reserve_target"][0]) == approx((2.0, 2.0)) and np.isinf(terms["fee_cap"][0])
    assert library.reserve(kind, notes, np.zeros((1, 2)))[0] == approx(1.0)


def test_a_reserve_of_months_follows_the_coupons(template):
    """Half of 6 months of 80 x 6 % + 20 x 12 %: 3/12 x 7.2."""
    template.terms["reserve_target_kind"], template.terms["reserve_target"] = MONTHS_OF_INTEREST, 6.0
    reserve = Library([template]).reserve(np.array([0]), np.array([[80.0, 20.0]]), np.array([[0.06, 0.12]]))
    assert reserve[0] == approx(1.8)


def test_a_template_of_one_class_puts_all_in_the_senior(template):
    library = Library([template, template._replace(classes=1)])
    assert library.sizes(np.array([0, 1]), 0.5, 0.7) == approx(np.array([[0.5, 0.2], [0.7, 0.0]]))
