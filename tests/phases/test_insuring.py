"""Insurers: capital by letter, what downgrades make them sell, at what price, and what they may buy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx, fixture, mark, raises

from sim import ratings
from sim.books import audit
from sim.books.deals import CLASSES
from sim.compose import resolve
from sim.markets import insurers as market
from sim.mistakes import Mistakes
from sim.phases import insuring, pricing
from sim.phases.closing import cloud_parties
from sim.phases.rating import rate
from tests.phases.economies import economy_of

ON = ("sim.markets.insurers.floor=2", "sim.markets.insurers.target=2.5")
DEEP = "sim.markets.insurers.price_impact=0.1"  # a market in which insurers are not half of all holders


@fixture(scope="module")
def rules() -> market.Params:
    found: market.Params = resolve([*ON]).sim.markets.insurers
    return found


@fixture
def rated():
    """A small economy whose notes have letters, of every second deal single B, which insurers have counted."""
    economy = economy_of(*ON, DEEP)
    rate(economy)
    letters = economy.deals["rating"]
    letters[::2] = np.where(letters[::2] >= 0, ratings.LETTERS.index("B1"), -1)
    economy.facts = {region: {} for region in economy.regions}
    economy.deals["counted"][:] = economy.deals["rating"]
    economy.facts["us"]["loss"] = 0.0
    pricing._bids(economy, "us", economy.deals.exposure(0), 0.0)
    return economy


def ratio(economy) -> np.ndarray:
    """Capital over charges of those whom the rules are for."""
    who = insuring.insurers(economy, "us")
    return insuring.statutory(economy, "us")[who] / insuring.holdings(economy, "us").required[who]


# -- charges -------------------------------------------------------------------------------------------------------------


def test_there_is_one_charge_for_each_letter():
    assert len(ratings.LETTERS) == market.LETTERS


@mark.parametrize(("letter", "charge"), [("Aaa", 0.00158), ("A2", 0.00816), ("Baa2", 0.01523), ("Ba2", 0.04537), ("Ca", 0.3)])
def test_the_charge_of_a_note_is_that_of_its_letter(rules, letter, charge):
    assert market.charges(rules, np.array([ratings.LETTERS.index(letter)])) == approx([charge])


def test_a_note_without_a_letter_is_charged_like_the_worst(rules):
    assert market.charges(rules, np.array([-1])) == approx([rules.factors[-1]])


@mark.parametrize(
    ("line", "words"),
    [
        ("sim.markets.insurers.target=1", "target 1 must not lie below floor 2"),
        ("sim.markets.insurers.factors=[0.1,0.2]", "20"),
        ("sim.markets.insurers.kinds=[banks]", "kinds"),
    ],
)
def test_rules_that_make_no_sense_are_refused(line, words):
    with raises(Mistakes, match=words):
        resolve([ON[0], line])


# -- how much is sold ----------------------------------------------------------------------------------------------------


def test_the_highest_charges_go_first_and_the_last_note_in_part():
    """Relief 3 of the worst, then 1 of the 2 that the next offers."""
    assert market.shares_sold(4.0, np.array([5.0, 3.0, 2.0]), np.array([0.01, 0.3, 0.1])) == approx([0.0, 1.0, 0.5])


def test_a_note_whose_loss_outweighs_its_charge_is_kept():
    assert market.shares_sold(9.0, np.array([-1.0, 2.0]), np.array([0.3, 0.1])) == approx([0.0, 1.0])


def test_the_fall_of_prices_is_that_of_what_is_sold_at_it(rules):
    """One insurer, one note of 100 at par: (2.5 * 0.3 - fall) * sold = 15, and fall = 0.9 * sold / 200."""
    sold, fall = market.forced_sale(
        rules,
        np.array([15.0]),
        np.full((1, 1), 100.0),
        np.full((1, 1), 100.0),
        np.array([0.3]),
        lambda f: np.full((1, 1), f),
        200.0,
    )
    amount = float(sold[0, 0]) * 100.0
    assert fall == approx(0.9 * amount / 200.0, rel=1e-12) and (2.5 * 0.3 - fall) * amount == approx(15.0, rel=1e-12)


def test_prices_fall_no_further_than_to_where_a_sale_costs_the_capital_that_it_frees(rules):
    """A hundredth of the market's depth: 2.5 * 0.05 of relief is gone at a fall of 0.125, which 0.9 * sold / 10 causes."""
    face = np.full((1, 1), 100.0)
    sold, fall = market.forced_sale(rules, np.array([50.0]), face, face, np.array([0.05]), lambda f: np.full((1, 1), f), 10.0)
    assert fall == approx(0.125, rel=1e-9) and 0.9 * float(sold[0, 0]) * 100.0 / 10.0 == approx(0.125, rel=1e-9)


def test_who_needs_nothing_sells_nothing_and_changes_no_price(rules):
    """Beside the insurer who must sell stands one who need not: the fall is that of the first alone."""
    face, charge = np.full((2, 1), 100.0), np.array([0.3])
    alone, fall = market.forced_sale(rules, np.array([15.0]), face[:1], face[:1], charge, lambda f: np.full((1, 1), f), 200.0)
    both, same = market.forced_sale(rules, np.array([0.0, 15.0]), face, face, charge, lambda f: np.array([[9.0], [f]]), 200.0)
    none, stays = market.forced_sale(rules, np.zeros(2), face, face, charge, lambda f: np.full((2, 1), f), 200.0)
    assert both.tolist() == [[0.0], alone[0].tolist()] and same == fall and not none.any() and stays == 0.0


@settings(max_examples=50)
@given(st.floats(0.0, 50.0), st.lists(st.tuples(st.floats(0.0, 20.0), st.floats(0.001, 0.3)), min_size=1, max_size=8))
def test_relief_is_what_is_needed_or_all_there_is(need, notes):
    relief, charge = np.array(notes).T
    sold = market.shares_sold(need, relief, charge)
    assert ((sold >= 0.0) & (sold <= 1.0)).all()
    assert float(sold @ relief) == approx(min(need, float(relief.sum())), rel=1e-9, abs=1e-9)
    kept = sold < 1.0
    if kept.any() and (sold > 0.0).any():
        assert charge[sold > 0.0].min() >= charge[kept & (relief > 0.0)].max(initial=0.0)


# -- in the economy ------------------------------------------------------------------------------------------------------


def downgraded(economy, notches: int) -> None:
    """All letters fall, and insurers have yet to count them."""
    letters = economy.deals["rating"]
    letters[:] = np.where(letters >= 0, np.minimum(letters + notches, market.LETTERS - 1), letters)


def starve(economy, wanted: float) -> None:
    """Savers take capital until insurers' ratio is ``wanted``."""
    held, capital = insuring.holdings(economy, "us"), insuring.statutory(economy, "us")
    for agent, required, has, rule in zip(
        economy.all("investor", "us"), held.required, capital, insuring.insurers(economy, "us"), strict=True
    ):
        if rule:
            amount = float(has - wanted * required)
            pricing.borrow(economy.ledger, economy.outside["banks", "us"], np.array([agent.party]), np.array([amount]))
            economy.owners.redeem(agent.party, economy.outside["savers", "us"], amount)


@mark.parametrize("bought", [0.0, -0.04, 0.03])
def test_what_is_sold_after_downgrades_restores_the_ratio_exactly(rated, bought):
    """Bought at par, below or above: what is lost in a sale is what was paid, less the price."""
    rated.basis[:] = bought * rated.ledger.balance(rated.deals.investors, "notes")
    starve(rated, 2.2)
    downgraded(rated, 1)
    before = ratio(rated)
    assert (before < 2.0).all()
    assert insuring.sell_down(rated, "us")
    assert ratio(rated) == approx(2.5, rel=1e-12)
    assert rated.facts["us"]["insurers_sold"] > 0.0 and rated.facts["us"]["insurers_fall"] > 0.0


def test_nothing_is_sold_without_a_downgrade(rated):
    """The ratio is under its floor, but for want of capital alone."""
    starve(rated, 1.0)
    shares = rated.deals["shares"].copy()
    assert not insuring.sell_down(rated, "us")
    assert np.array_equal(rated.deals["shares"], shares) and "insurers_sold" not in rated.facts["us"]


def test_nothing_is_sold_by_insurers_who_stay_above_their_floor(rated):
    starve(rated, 9.0)
    downgraded(rated, 1)
    assert (ratio(rated) > 2.0).all() and not insuring.sell_down(rated, "us")


def test_a_downgrade_is_counted_once(rated):
    starve(rated, 4.0)
    downgraded(rated, 4)
    insuring.sell_down(rated, "us")
    starve(rated, 1.5)
    assert not insuring.sell_down(rated, "us")


def test_a_first_letter_is_no_downgrade(rated):
    starve(rated, 1.0)
    rated.deals["counted"][:] = -1
    assert not insuring.sell_down(rated, "us")


def test_forced_sales_leave_books_and_shares_whole(rated):
    starve(rated, 4.0)
    downgraded(rated, 4)
    insuring.sell_down(rated, "us")
    pricing.book_marks(rated, "us")
    audit.check(audit.gaps(rated.ledger, rated.deals, rated.fleet, cloud_parties(rated), landlords=(), sites=()))
    assert rated.deals["shares"][rated.rows("us")].sum(axis=2) == approx(1.0, rel=1e-12)


def test_other_holders_of_what_is_sold_bear_the_fall_of_its_price(rated):
    starve(rated, 4.0)
    pricing.book_marks(rated, "us")
    downgraded(rated, 4)
    before = rated.deals["price"].copy()
    insuring.sell_down(rated, "us")
    touched = rated.deals["price"] < before
    assert touched.any() and not touched.all()
    fall = rated.facts["us"]["insurers_fall"]
    assert rated.deals["price"][touched] == approx(before[touched] * (1.0 - fall), rel=1e-12)


def bids(economy, sought: float):
    """Bids of insurers (i,), of the others, and what is held and sought, USD."""
    exposure = economy.deals.exposure(0)
    pricing._bids(economy, "us", exposure, sought)
    who, book = insuring.insurers(economy, "us"), economy.bids["us"]
    return book.limit[who], book.mezzanine[who], book.limit[~who], book.mezzanine[~who], exposure.sum() + sought


def test_insurers_without_room_bid_for_what_they_have_and_for_no_junior_notes(rated):
    starve(rated, 2.0)
    own = insuring.holdings(rated, "us").exposure[insuring.insurers(rated, "us")].sum()
    limit, junior, others, others_junior, need = bids(rated, 1e9)
    assert limit == approx([own / need], rel=1e-12) and not junior.any()
    assert (others == 1.0).all() and others_junior.any()


def test_insurers_with_room_bid_for_what_its_charges_fill(rated):
    """At the mean charge of what investors hold."""
    starve(rated, 3.0)
    held, who = insuring.holdings(rated, "us"), insuring.insurers(rated, "us")
    free, mean = insuring.room(rated, "us", held)[who].sum(), held.required.sum() / held.exposure.sum()
    limit, junior, *_, need = bids(rated, 1e12)
    assert limit == approx([(held.exposure[who].sum() + free / mean) / need], rel=1e-9) and junior.all()


def test_insurers_without_room_are_allotted_no_new_notes_and_others_take_them(rated):
    starve(rated, 2.0)
    before, who = rated.allotment["us"].copy(), insuring.insurers(rated, "us")
    insuring.restrain(rated, "us", 1e9)
    after = rated.allotment["us"]
    assert (before[:, who] > 0.0).any() and not after[:, who].any()
    assert after.sum(axis=1) == approx(np.ones(len(CLASSES)), rel=1e-12)


def test_insurers_with_room_for_a_part_are_allotted_that_part(rated):
    """What is sought is so much that the charges of the part they get fill the room to the cent."""
    held, who = insuring.holdings(rated, "us"), insuring.insurers(rated, "us")
    sought = 1e15
    free = insuring.room(rated, "us", held)[who]
    insuring.restrain(rated, "us", sought)
    by_class = held.exposure.sum(axis=0).reshape(-1, 2).sum(axis=0)
    p = rated.params.sim.ratings
    letters = np.array([ratings.LETTERS.index(p.senior_letter), ratings.LETTERS.index(p.junior_letter)])
    charge = sought * by_class / by_class.sum() * market.charges(rated.params.sim.markets.insurers, letters)
    assert charge @ rated.allotment["us"][:, who] == approx(free, rel=1e-9)


def test_rules_that_are_off_change_no_allotment_and_sell_nothing():
    economy = economy_of()
    rate(economy)
    downgraded(economy, 8)
    before = economy.allotment["us"].copy()
    insuring.restrain(economy, "us", 1e12)
    assert np.array_equal(economy.allotment["us"], before) and not insuring.sell_down(economy, "us")


def test_a_month_with_sales_closes_its_books(rated):
    """The audit of every month would stop the run; the second month has no review, and the downgrade stands."""
    rated.step()
    starve(rated, 2.2)
    downgraded(rated, 2)
    rated.step()
    assert rated.facts["us"]["insurers_sold"] > 0.0 and 0.0 <= rated.residual < audit.TOLERANCE
    rated.step()
    assert "insurers_sold" not in rated.facts["us"]
