"""Clearing of claims: hand-solved networks, a linear programme, and the rules of Eisenberg and Noe (2001)."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx, mark
from scipy.optimize import linprog

from sim.markets.exposures import Claims, Cleared, Network, breaches, clear


def network(*rows: tuple[int, int, float]) -> Claims:
    """Claims of one rank: payer, payee, USD."""
    payer, payee, amount = np.array(rows).T
    return Claims(payer.astype(int), payee.astype(int), np.zeros(len(rows), dtype=int), amount)


def payments(claims: Claims, has: list[float], sale: list[float] | None = None) -> tuple[list[float], Cleared]:
    """USD that each party pays in all."""
    going = np.array(has, dtype=float)
    cleared = clear(claims, going, going if sale is None else np.array(sale, dtype=float))
    return np.bincount(claims.payer, cleared.paid, len(has)).tolist(), cleared


# -- networks solved by hand -----------------------------------------------------------------------------------------------


def test_a_chain_passes_on_what_it_gets():
    """0 has 5 and owes 1 10; 1 has 2 and owes 2 10: 5 are paid, then 5 + 2."""
    paid, cleared = payments(network((0, 1, 10.0), (1, 2, 10.0)), [5.0, 2.0, 0.0])
    assert paid == approx([5.0, 7.0, 0.0]) and cleared.rounds == 2
    assert cleared.first == approx([5.0, 0.0, 0.0]) and cleared.short == approx(8.0) and cleared.beyond == approx(3.0)


def test_two_banks_that_owe_each_other_settle_what_they_have():
    """0 owes 10 to 1 and 10 outside, and has 5; 1 owes 10 to 0 and 2 outside, and has 4.

    Both fall short: x0 = 5 + x1 10/12, x1 = 4 + x0 10/20, so x0 (1 - 5/12) = 5 + 40/12: x0 = 100/7, x1 = 78/7.
    """
    paid, cleared = payments(network((0, 1, 10.0), (0, 2, 10.0), (1, 0, 10.0), (1, 2, 2.0)), [5.0, 4.0, 0.0])
    assert paid == approx([100.0 / 7.0, 78.0 / 7.0, 0.0], rel=1e-14) and cleared.rounds == 2


def test_a_ring_whose_members_owe_alike_settles_without_any_money():
    paid, cleared = payments(network((0, 1, 7.0), (1, 2, 7.0), (2, 0, 7.0)), [0.0, 0.0, 0.0])
    assert paid == approx([7.0, 7.0, 7.0]) and cleared.rounds == 0


def test_a_loss_goes_round_a_ring_until_capital_stops_it():
    """Each owes the next 10; 0 also owes 6 outside and has 3, 1 has 1, 2 has 2.

    0 gets 10 and pays 13 of 16; 1 gets 8.125 and pays 9.125; 2 has 2 beside and pays in full: nothing comes back to 0.
    """
    paid, cleared = payments(network((0, 1, 10.0), (1, 2, 10.0), (2, 0, 10.0), (0, 3, 6.0)), [3.0, 1.0, 2.0, 0.0])
    assert paid == approx([13.0, 9.125, 10.0, 0.0]) and cleared.rounds == 2


def test_of_the_vectors_that_settle_the_greatest_is_found():
    """Two owe each other 1 and have nothing: to pay nothing settles too."""
    paid, _ = payments(network((0, 1, 1.0), (1, 0, 1.0)), [0.0, 0.0])
    assert paid == approx([1.0, 1.0])


def test_seniors_are_paid_before_juniors_and_pro_rata_among_themselves():
    """A deal with 50 owes 40 and 20 to seniors, 30 to juniors: five sixths of the seniors, nothing below."""
    claims = Claims(np.zeros(3, dtype=int), np.array([1, 2, 3]), np.array([0, 0, 1]), np.array([40.0, 20.0, 30.0]))
    _, cleared = payments(claims, [50.0, 0.0, 0.0, 0.0])
    assert cleared.paid == approx([100.0 / 3.0, 50.0 / 3.0, 0.0])


def test_a_junior_class_that_owes_its_own_debtor_brings_it_down_to_its_seniors():
    """0 has 4, owes 6 to 2 first and then 4 to 1; 1 has nothing and owes 0 3. All of 0's 4 goes to 2, so 1 pays nothing."""
    claims = Claims(np.array([0, 0, 1]), np.array([2, 1, 0]), np.array([0, 1, 0]), np.array([6.0, 4.0, 3.0]))
    paid, cleared = payments(claims, [4.0, 0.0, 0.0])
    assert paid == approx([4.0, 0.0, 0.0]) and cleared.paid == approx([4.0, 0.0, 0.0])


def test_who_falls_short_pays_out_of_a_sale():
    """With 90 in use it could pay 80; its debtor fails, and what is in use fetches 60."""
    claims = network((0, 1, 20.0), (1, 2, 100.0))
    paid, cleared = payments(claims, [0.0, 90.0, 0.0], [0.0, 60.0, 0.0])
    assert paid == approx([0.0, 60.0, 0.0]) and cleared.short == approx(60.0) and cleared.beyond == approx(40.0)


def test_no_claims_settle():
    nothing = np.array([], dtype=int)
    assert clear(Claims(nothing, nothing, nothing, np.array([])), np.zeros(3), np.zeros(3)).short == 0.0


def test_the_audit_names_the_rule_that_payments_break():
    claims, has = network((0, 1, 10.0), (1, 2, 10.0)), np.array([5.0, 2.0, 0.0])
    cleared = clear(claims, has, has)
    assert max(breaches(claims, has, has, cleared).values()) == approx(0.0, abs=1e-12)
    for paid, rule in (
        ([11.0, 10.0], "nobody pays more than it owes"),
        ([5.0, 9.0], "nobody pays more than it has"),
        ([5.0, 6.0], "who owes pays all it has, or all it owes"),
    ):
        assert breaches(claims, has, has, cleared._replace(paid=np.array(paid)))[rule] > 0.9
    ranked = Claims(np.array([0, 0]), np.array([1, 2]), np.array([0, 1]), np.array([10.0, 10.0]))
    cleared = clear(ranked, has, has)
    found = breaches(ranked, has, has, cleared._replace(paid=np.array([3.0, 2.0])))
    assert found["no claim is paid before those ahead of it"] == approx(2.0)
    alike = network((0, 1, 10.0), (0, 2, 10.0))
    found = breaches(alike, has, has, clear(alike, has, has)._replace(paid=np.array([5.0, 0.0])))
    assert found["claims of a rank are paid alike"] == approx(2.5)


# -- properties ------------------------------------------------------------------------------------------------------------


@st.composite
def worlds(draw, ranks: int = 1) -> tuple[Claims, np.ndarray]:
    """Claims between a few parties, and what these have."""
    size = draw(st.integers(2, 7))
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, size - 1), st.integers(1, size - 1), st.integers(0, ranks - 1), st.floats(0.01, 10.0)),
            min_size=1,
            max_size=20,
        )
    )
    payer, step, rank, amount = np.array(rows).T
    has = np.array(draw(st.lists(st.floats(0.0, 20.0), min_size=size, max_size=size)))
    return Claims(payer.astype(int), ((payer + step) % size).astype(int), rank.astype(int), amount), has


@settings(max_examples=60)
@given(worlds())
def test_payments_are_the_most_that_a_linear_programme_finds(world):
    """Eisenberg and Noe (2001), lemma 4: the greatest sum of payments within what is owed and what there is."""
    claims, has = world
    network, size = Network(claims, len(has)), len(has)
    shares = np.zeros((size, size))
    np.add.at(shares, (claims.payee, claims.payer), network.part)
    found = linprog(
        -np.ones(size), A_ub=np.eye(size) - shares, b_ub=has, bounds=list(zip(np.zeros(size), network.owed, strict=True))
    )
    paid, _ = payments(claims, has.tolist())
    assert paid == approx(found.x, rel=1e-6, abs=1e-6)


@settings(max_examples=80)
@given(worlds(ranks=3), st.floats(0.0, 1.0))
def test_payments_keep_all_rules_and_are_those_that_steps_from_above_lead_to(world, kept):
    claims, has = world
    network, sale = Network(claims, len(has)), has * kept
    cleared = clear(claims, has, sale)
    assert max(breaches(claims, has, sale, cleared).values()) <= 1e-9 * max(network.owed.sum(), 1.0)
    paid = network.owed.copy()
    for _ in range(3000):
        got = network.received(paid)
        able = has + got >= network.owed * (1.0 - 1e-12)
        before, paid = paid, np.minimum(paid, np.where(able, network.owed, np.minimum(network.owed, sale + got)))
        if np.array_equal(before, paid):
            break
    assert np.bincount(claims.payer, cleared.paid, len(has)) == approx(paid, rel=1e-6, abs=1e-6)


@settings(max_examples=60)
@given(worlds(ranks=2), st.floats(0.0, 10.0), st.integers(0, 6))
def test_who_has_more_never_makes_anybody_get_less(world, more, who):
    claims, has = world
    richer = has.copy()
    richer[who % len(has)] += more
    before, after = clear(claims, has, has), clear(claims, richer, richer)
    assert (after.paid >= before.paid - 1e-9).all()
    assert len(has) >= after.rounds


@settings(max_examples=40)
@given(worlds(), st.permutations(range(7)))
def test_payments_do_not_depend_on_how_parties_are_numbered(world, order):
    claims, has = world
    place = np.array([i for i in order if i < len(has)])
    moved = Claims(place[claims.payer], place[claims.payee], claims.rank, claims.amount)
    other = np.empty_like(has)
    other[place] = has
    assert clear(moved, other, other).paid == approx(clear(claims, has, has).paid, rel=1e-9, abs=1e-9)


@mark.parametrize("part", [0.0, 0.5, 0.999])
def test_a_ring_from_which_nothing_leaks_settles_on_what_a_sale_leaves(part):
    """Two owe each other 10 and a third 1, without which they could not fail: after a sale both pay what the ring holds."""
    claims = network((0, 1, 10.0), (1, 0, 10.0), (0, 2, 1.0))
    has = np.array([0.5, 0.0, 0.0])
    cleared = clear(claims, has, has * part)
    assert max(breaches(claims, has, has * part, cleared).values()) <= 1e-9
