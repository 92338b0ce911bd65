"""What rules do to deals: slices, diverted plans, bans by script, lobbying."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, mark, raises

from sim.compose import resolve
from sim.markets import regulation
from sim.mistakes import Mistakes

USD = st.floats(0.0, 1e9)
BAN = "sim.markets.regulation.ban"


def test_a_vertical_slice_is_the_same_share_of_every_class():
    found = regulation.kept("vertical", np.array([0.05, 0.0]), np.array([[80.0, 20.0], [10.0, 0.0]]))
    assert found.tolist() == [[0.05, 0.05], [0.0, 0.0]]


def test_the_first_loss_is_the_same_usd_of_the_junior_class_and_more_only_where_that_is_smaller():
    """5 of 100: a quarter of 20 junior; of 98 senior and 2 junior, all junior and 3 of the senior; with no junior, 5 of 100."""
    notes = np.array([[80.0, 20.0], [98.0, 2.0], [100.0, 0.0]])
    found = regulation.kept("first_loss", np.full(3, 0.05), notes)
    assert found == approx(np.array([[0.0, 0.25], [3.0 / 98.0, 1.0], [0.05, 0.0]]))


@given(st.sampled_from(["vertical", "first_loss"]), st.floats(0.0, 0.5), USD, USD)
def test_either_form_keeps_the_share_of_all_notes_and_no_more_than_there_is(form, share, senior, junior):
    notes = np.array([[senior, junior]])
    found = regulation.kept(form, np.array([share]), notes)
    assert ((found >= 0.0) & (found <= 1.0)).all()
    assert (found * notes).sum() == approx(share * notes.sum())


def test_plans_for_a_closed_channel_go_where_open_ones_are_used():
    """Half of 80 moves: three quarters of it to the channel with 15 of 20."""
    found = regulation.divert({"abs": 80.0, "private": 15.0, "bank": 5.0}, ("abs",), ("private", "bank"), 0.5)
    assert found == approx({"abs": 40.0, "private": 45.0, "bank": 15.0})
    assert regulation.divert({"abs": 80.0, "private": 0.0}, ("abs",), ("private",), 0.5) == {"abs": 40.0, "private": 40.0}


@given(USD, USD, st.floats(0.0, 1.0))
def test_diverting_neither_makes_nor_loses_plans(abs_, private, share):
    parts = {"abs": abs_, "private": private}
    assert sum(regulation.divert(parts, ("abs",), ("private",), share).values()) == approx(abs_ + private)
    assert regulation.divert(parts, ("abs", "private"), (), share) is parts
    assert regulation.divert(parts, (), ("abs", "private"), share) is parts


@given(USD, USD, st.floats(0.0, 10.0))
def test_lobbying_is_issuance_over_debt_within_its_bound(issued, debt, most):
    found = regulation.lobbying(issued, debt, most)
    assert 0.0 <= found <= most
    assert found == (min(issued / debt, most) if debt else 0.0)


def test_a_ban_is_known_from_its_announcement_and_holds_from_its_date():
    p = resolve([f"{BAN}.region=us", f"{BAN}.announced=6", f"{BAN}.effective=18", f"{BAN}.months=24"]).sim.markets.regulation.ban
    assert [p.ahead("us", month) for month in (5, 6, 17, 18, 41, 42)] == [0, 12, 1, 0, 0, 0]
    assert [p.closes("us", month) for month in (17, 18, 41, 42)] == [False, True, True, False]
    assert not p.closes("china", 20) and not p.ahead("china", 10)


@mark.parametrize(
    ("line", "words"),
    [
        ([f"{BAN}.announced=12"], "announced 12 must not exceed effective 0"),
        ([f"{BAN}.region=us", "regions=[china]"], "ban.region is us, which is not among regions"),
        ([f"{BAN}.region=us", f"{BAN}.channels=[]"], "ban.channels is empty"),
        (["agents.regulators.process.us.tools.ltv_cut=0.9", "agents.regulators.ltv_cap=0.8"], "must lie below ltv_cap 0.8"),
        (["agents.regulators.process.us.tools.closure=60"], "tools.closure 60 must not exceed longest 48"),
    ],
)
def test_rules_that_cannot_be_are_refused(line, words):
    with raises(Mistakes, match=words):
        resolve(line)
