"""Investors who have promised a yield: they reach for it, within their mandates."""

import itertools
import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, fixture, raises

from agents.investors import Population
from sim.books.lending import lend
from sim.build import build
from sim.compose import resolve
from sim.markets import primary
from sim.mistakes import Mistakes
from sim.phases.pricing import junior_letter
from sim.phases.regulating import regulate
from sim.sums import total

SMALL = ("size=class", "horizon_years=1", "regions=[us]", "sim.build.burn_in=0")
SEEKING = "agents.investors.seeking"


def investors(*overrides: str) -> tuple[Any, list[Any]]:
    """A small economy at its start and its investors: insurers and banks, real money, private credit."""
    economy = build(resolve([*SMALL, *overrides]))
    return economy, economy.all("investor", "us")


def market(economy, **facts: float) -> Any:
    """The tape's page with other facts."""
    return economy.tape.publish("us", **facts)["us"]


def test_a_promise_is_sticky_and_the_rest_is_a_shortfall():
    """Promised 4 % + 3 %; then 2 % + 3 % - 1 % is on offer: a quarter of the gap of 3 % is given up, 2.25 % stay short."""
    economy, (_, real_money, *_) = investors(f"{SEEKING}.memory=4")
    real_money.promised = 0.07
    assert real_money.shortfall(market(economy, base_rate=0.02, spread=0.03), 0.01) == approx(0.0225)
    assert real_money.promised == approx(0.0625)
    assert real_money.shortfall(market(economy, base_rate=0.02, spread=0.10), 0.01) == 0.0


def test_the_first_promise_is_the_base_rate_and_the_styles_target():
    economy, people = investors(f"{SEEKING}.memory=600")
    for agent in people:
        page = market(economy, base_rate=0.05, spread=agent.style.target)
        assert agent.shortfall(page, 0.0) == approx(0.0, abs=1e-15) and agent.promised == approx(0.05 + agent.style.target)


def test_the_appetite_for_the_junior_class_grows_with_the_shortfall_and_falls_with_the_charge():
    """exp(40 x (0.02 - 0.1 x (0.1 - 0.01))): insurers, 1.1 % of whose reach the charge takes; none below their mandate."""
    terms = (f"{SEEKING}.junior=40", f"{SEEKING}.capital_cost=0.1", f"{SEEKING}.mandates=kept")
    _, (insurer, *_) = investors(*terms)
    assert insurer.junior_appetite(0.02, 9.0) == approx(insurer.style.mezzanine * math.exp(40.0 * 0.011))
    assert insurer.junior_appetite(0.02, 9.5) == 0.0


def test_a_shortfall_makes_bolder_and_a_charge_dearer():
    """15 a year x 2 % short: exp(-0.3) of the price of risk. 10 % on the capital of a 1 % charge: 0.1 % more spread."""
    plain, bold = (investors(f"{SEEKING}.aversion={a}", f"{SEEKING}.capital_cost={c}") for a, c in ((0, 0), (15, 0.1)))
    bids = []
    for economy, (insurer, *_) in (plain, bold):
        page = market(economy, base_rate=0.02, spread=0.03)
        insurer.promised = 0.05 + 0.02 * insurer.params.seeking.memory / (insurer.params.seeking.memory - 1.0)
        bids.append(insurer.bid(page, 1e9, 0.1, 0.0, 0.03, 0.0, 9.0))
    assert bids[1].price_of_risk / bids[0].price_of_risk == approx(math.exp(-0.3))
    assert bids[1].hurdle - bids[0].hurdle == approx(0.001)


def test_switched_off_a_bid_knows_neither_promise_nor_mandate():
    """To the bit: the configured aversion, hurdle, appetite, and no limit, however short the yield and poor the letter."""
    economy, people = investors()
    for agent in people:
        agent.promised = 0.5
        page = market(economy, base_rate=0.05, spread=0.01)
        bid, p = agent.bid(page, 1e9, 0.1, 0.0, 0.03, 0.0, 20.0), agent.params
        assert bid.price_of_risk == p.risk_aversion * agent.style.aversion * (0.03**2 + (p.ambiguity * 0.1) ** 2)
        assert (bid.hurdle, bid.mezzanine, bid.limit) == (
            p.us.hurdle + agent.style.hurdle + page.novelty,
            agent.style.mezzanine,
            1.0,
        )


@given(st.lists(st.tuples(st.floats(0.0, 1e9), st.floats(0.01, 1.0)), min_size=1, max_size=8))
def test_limits_move_the_excess_to_those_who_have_room(people):
    """The sum stays, nobody holds more than allowed, and who held too little to be limited does not lose."""
    wanted, limit = np.array(people).T
    limit = limit / min(total(limit), 1.0)  # together they may hold all
    most = limit * total(wanted)
    held = primary.within(wanted, most)
    assert total(held) == approx(total(wanted)) and (held <= most * (1 + 1e-9) + 1e-3).all()
    assert (held >= np.minimum(wanted, most) * (1 - 1e-12)).all()


def test_without_excess_holdings_stay_as_they_are():
    wanted = np.array([3.0, 2.0])
    assert primary.within(wanted, np.array([3.0, 5.0])) is wanted


@fixture(scope="module")
def kept():
    """A year of the scenario in which investors reach within their mandates, from its first month."""
    economy, people = investors("scenario=reach_for_yield")
    for _ in range(12):
        economy.step()
    return economy, people


def test_allotments_keep_to_mandates(kept):
    """No kind holds more than its limit; of those who buy, whose mandate ends above the junior class's letter holds none of it."""
    economy, people = kept
    exposure = economy.deals.exposure(0)
    senior, junior = economy.allotment["us"]
    held = (senior * exposure[0].sum() + junior * exposure[1].sum()) / exposure.sum()
    letter = junior_letter(economy, "us")
    allowed = [letter <= agent.style.lowest for agent in people]
    assert [bool(share > 0.0) for share in junior[held > 0.0]] == list(itertools.compress(allowed, held > 0.0))
    assert all(share <= agent.style.limit + 1e-9 for share, agent in zip(held, people, strict=True))


def test_the_base_rate_steps_once():
    """0.042 - 0.025 from month 24 on."""
    economy, _ = investors("scenario=rate_cut")
    for month, rate in ((23, 0.042), (24, 0.017), (60, 0.017)):
        economy.clock, economy.facts = month, {"us": {}}
        regulate(economy)
        assert economy.tape["us"].base_rate == approx(rate)


def test_a_step_out_of_bounds_and_limits_that_cannot_hold_all_are_refused():
    """Four kinds with 0.2 each leave 0.2 of the notes to nobody."""
    styles = tuple(agent.style.model_copy(update={"limit": 0.2}) for agent in investors()[1])
    with raises(ValueError, match=r"limits of all kinds add up to 0\.8 of the notes"):
        Population(hurdle=0.01, kinds=styles)
    with raises(Mistakes, match=r"us\.rate_step takes the base rate to -0\.008"):
        resolve(["sim.markets.primary.us.rate_step=-0.05"])


def test_distressed_funds_call_what_they_hold_and_return_it():
    """Savers pay in what a fund's notes cost beyond its capital, and get back what it no longer needs."""
    _, (*_, fund) = investors()
    assert fund.style.committed > 0.0 and fund.call(2e9, 5e9) == 3e9 and fund.call(5e9, 2e9) == -3e9


def test_distressed_funds_bid_with_their_promises_and_only_when_spreads_are_wide():
    """A market of 40 at twice the half that is promised: nothing up to loss and both hurdles, then the more the wider."""
    economy, people = investors()
    fund = people[-1]
    page = market(economy, base_rate=0.04, spread=0.03, novelty=0.0)
    bid = fund.bid(page, fund.style.committed * 40e9, 0.1, 0.01, 0.03, 0.0, 9.0)
    book = primary.Book.of([bid])
    floor = 0.01 + fund.params.us.hurdle + fund.style.hurdle
    held = [float(primary.holdings(book, floor + gap)[0]) for gap in (-0.01, 0.0, 0.02, 0.04)]
    assert held[:2] == [0.0, approx(0.0, abs=1e3)] and held[3] == approx(2.0 * held[2]) and held[2] > 0.0


def test_a_crisis_that_pays_enough_brings_distressed_funds_in_and_calm_sends_them_off():
    """Others lose nine tenths of their capital: funds end up with notes paid for by savers, and no loans. Others hold the bonds."""
    economy, people = investors("agents.clouds.bond_holders=savers")
    economy.step()
    fund, banks, savers = people[-1], economy.outside["banks", "us"], economy.outside["savers", "us"]

    def held() -> float:
        return float(economy.ledger.balance(fund.party, "notes"))

    before = held()
    for agent in people[:-1]:
        lost = 0.95 * max(float(economy.ledger.net_worth(agent.party)), 0.0)
        lend(economy.ledger, banks, np.array([agent.party]), np.array([lost]))
        economy.ledger.pay("payout", agent.party, savers, lost)
    for _ in range(8):
        economy.step()
    owed = -float(economy.ledger.balance(fund.party, "loans"))
    assert held() > before + 1e8 and float(economy.ledger.net_worth(fund.party)) > 0.8 * held() and owed < 0.2 * held()


def test_losses_on_few_old_notes_say_little_of_new_ones():
    """40 % a year lost on a tenth of next year's notes and 1 % expected of the rest: 4.9 % are learned from."""
    _, (agent, *_) = investors("agents.investors.loss_learning=0.5", "agents.investors.start_loss_belief=0.01")
    agent.loss_belief = 0.009
    agent.learn(0.4, 0.1)
    assert agent.loss_belief == approx(0.009 + 0.5 * (0.049 - 0.009))
