"""Redeeming: queues, gates, lines and sales of funds on which savers run, with books that close."""

import numpy as np
from pytest import approx, fixture, mark

from sim.books.ledger import ACCOUNT
from sim.books.lending import lend, repay
from sim.build import build
from sim.compose import resolve
from sim.phases import pricing, redeeming, selling
from sim.phases.marking import book_marks
from tests.phases.economies import SMALL, economy_of

FUND = "sim.markets.funds"
ON = f"{FUND}.private_credit.liquid=0.5"
RUN = (ON, f"{FUND}.run.region=us", f"{FUND}.run.share=1")


@fixture
def founded():
    """A small economy after its first month, whose one fund holds unrelated loans."""
    economy = build(resolve([*SMALL, ON]))
    economy.step()
    economy.facts = {"us": {"loss": 0.0}}
    return economy, economy.funds["us"]


def lived(*overrides: str, months: int):
    """What the record of an economy holds after some months; the audit has looked at each."""
    economy = build(resolve([*SMALL, *overrides]))
    for _ in range(months):
        economy.step()
    return economy, economy.recorder.table("monthly").to_pandas()


def redeem(economy) -> dict[str, float]:
    """One month of requests, alone; its figures."""
    economy.facts = {"us": {}}
    redeeming.redeem(economy, "us")
    return economy.facts["us"]


def take(economy, amount: float) -> None:
    """Savers take ``amount`` USD from the fund, its cash first; banks lend it the rest."""
    book, bank = economy.funds["us"], economy.outside["banks", "us"]
    short = max(amount - float(economy.ledger.cash(book.parties)[0]), 0.0)
    lend(economy.ledger, bank, book.parties, np.array([short]))
    economy.ledger.pay("payout", int(book.parties[0]), economy.outside["savers", "us"], amount)


# -- savers --------------------------------------------------------------------------------------------------------------


def test_funds_begin_with_their_mix_and_a_debtor_who_owes_it(founded):
    """65 of 100 of own money is lent elsewhere; outside borrowers owe it, savers have paid for it, nobody waits."""
    economy, book = founded
    own = economy.ledger.net_worth(book.parties)
    assert book.unrelated / own == approx(0.65, rel=1e-3)
    assert economy.ledger.balance(book.borrowers, "claims") == approx(-book.unrelated.sum())
    assert economy.ledger.cash(book.borrowers) == approx(0.0, abs=0.01)
    assert pricing.capital(economy, "us")[book.places[0]] == approx(own[0] - book.unrelated[0])
    assert not book.queue.any() and len(book) == 1


def test_the_queue_is_what_waited_and_what_came_less_what_was_paid():
    _, months = lived(*RUN, f"{FUND}.run.month=2", months=14)
    queue, asked, paid = (months[name].to_numpy() for name in ("redemption_queue", "redemption_requests", "redemptions_paid"))
    gone = np.r_[0.0, queue[:-1]] + asked - paid - queue
    capped = 0.5 * months["fund_value"].to_numpy()
    assert queue[2] > 0.0 and (gone >= -1.0).all()
    assert np.abs(gone[queue < 0.9 * capped]).max() < 1.0  # USD; requests lapse only where the fund is worth less than they are


def test_no_more_leaves_in_a_quarter_than_the_gate_lets_out():
    """A twentieth of the value at its start, from which the months of the quarter count."""
    economy, months = lived(*RUN, f"{FUND}.run.month=3", months=12)
    paid, shown = months["redemptions_paid"].to_numpy(), months["fund_value"].to_numpy()
    start = shown[3] + paid[3]
    assert paid[3:6].sum() == approx(0.05 * start, rel=0.02)
    assert paid[3] > 0.0 and months["redemption_queue"][11] > 0.0
    assert economy.recorder.table("events").to_pandas().kind.isin(["run", "gate"]).sum() == 2


def test_without_a_gate_all_that_is_asked_is_paid():
    _, months = lived(*RUN, f"{FUND}.run.month=3", f"{FUND}.private_credit.gate=1", months=8)
    assert months["redemption_requests"][3] > 0.4 * months["fund_value"][2]
    assert months["redemptions_paid"].to_numpy() == approx(months["redemption_requests"].to_numpy())
    assert not months["redemption_queue"].any()


def test_savers_who_leave_at_the_value_shown_leave_the_loss_to_the_others(founded):
    """A fund that shows 110 and is worth 100 pays 5 at par: 95 for a shown 105 is less than 100 for 110."""
    economy, book = founded
    economy.params = resolve([*SMALL, ON, f"{FUND}.private_credit.smoothing=0"])
    worth = float(economy.ledger.net_worth(book.parties)[0])
    book.seen = redeeming._unrealised(economy, "us") + 0.1 * worth
    book.queue[:] = 0.2 * worth
    paid = redeem(economy)["redemptions_paid"]
    left = float(economy.ledger.net_worth(book.parties)[0])
    assert paid > 0.0 and book.queue[0] > 0.0
    assert left / redeeming._value(economy, "us")[0] == approx((worth - paid) / (1.1 * worth - paid)) and left / worth < 1.0


def test_a_promise_holds_until_the_market_is_too_far_below_and_never_again(founded):
    """Carried at cost, buck of 2 %: a loss of 1 % does not show, one of 5 % shows at once, and so do all later ones."""
    economy, book = founded
    own = float(economy.ledger.net_worth(book.parties)[0])
    economy.params = resolve([*SMALL, ON, f"{FUND}.private_credit.smoothing=0", f"{FUND}.private_credit.buck=0.02"])

    def after_loss(part: float) -> float:
        economy.ledger.post(book.parties, "marks", "profit", -part * own)
        return float(redeeming._show(economy, "us")[0] / economy.ledger.net_worth(book.parties)[0])

    book.seen = redeeming._unrealised(economy, "us")
    assert after_loss(0.01) == approx(1.0 / 0.99) and not book.broken[0]
    assert after_loss(0.04) == approx(1.0) and book.broken[0]
    assert after_loss(0.005) == approx(1.0)


def test_values_shown_go_part_of_the_way_to_the_markets(founded):
    economy, book = founded
    book.seen = redeeming._unrealised(economy, "us")
    economy.ledger.post(book.parties, "marks", "profit", -100.0)
    assert redeeming._show(economy, "us") - economy.ledger.net_worth(book.parties) == approx(75.0, abs=1e-3)


# -- cash, line, sales ---------------------------------------------------------------------------------------------------


def test_a_fund_pays_from_its_line_before_it_sells(founded):
    """Without cash, 4 % of its value are drawn, but for the little that is repaid of its loans; nothing is sold."""
    economy, book = founded
    economy.params = resolve([*SMALL, ON, f"{FUND}.unrelated_life=360"])
    take(economy, float(economy.ledger.cash(book.parties)[0]))
    book.queue[:] = 0.04 * book.shown
    facts = redeem(economy)
    assert facts["redemptions_paid"] >= 0.04 * book.start[0] * 0.9
    assert facts["fund_lines"] == approx(facts["redemptions_paid"], rel=0.05) == -economy.ledger.balance(book.parties, "loans")[0]
    assert facts.get("forced_sales", 0.0) == 0.0


def test_a_fund_without_a_line_sells_the_same_share_of_all_it_holds_and_all_who_hold_the_like_lose(founded):
    economy, book = founded
    economy.params = resolve([*SMALL, ON, f"{FUND}.private_credit.line=0"])
    take(economy, float(economy.ledger.cash(book.parties)[0]))
    book.queue[:] = 0.04 * book.shown
    notes, lent = economy.ledger.balance(book.parties, "notes")[0], book.unrelated[0]
    others = np.delete(economy.parties("investor", "us"), book.places)
    worth, before = economy.ledger.net_worth(others), book.shown[0]
    facts = redeem(economy)
    assert facts["forced_sales"] > 0.0 and facts["forced_sales_unrelated"] > 0.0
    repaid = lent / economy.params.sim.markets.funds.unrelated_life
    sold = 1.0 - economy.ledger.balance(book.parties, "notes")[0] / notes
    assert 1.0 - book.unrelated[0] / lent == approx(sold, abs=repaid / lent)
    assert facts["note_discount"] > 0.0 and facts["unrelated_discount"] > 0.0
    left = (1.0 - facts["unrelated_discount"]) * (lent - repaid)
    assert facts["unrelated_losses"] == approx(lent - repaid - left, rel=0.05)
    assert facts["contagion"] == approx(facts["unrelated_losses"] / before)
    assert (economy.ledger.net_worth(others)[worth > 0.0] <= worth[worth > 0.0]).all()


def test_a_sale_under_pressure_moves_notes_and_money_and_nothing_else(founded):
    """Each investor's notes are its shares, every row of the books sums to zero, and what the fund got is what buyers paid."""
    economy, book = founded
    cash = economy.ledger.cash(book.parties)[0]
    need = 0.3 * selling.notes_of(economy, "us")
    raised = selling.sell(economy, "us", need)
    deals, ledger = economy.deals, economy.ledger
    assert raised == approx(need) and ledger.cash(book.parties)[0] - cash == approx(need[0])
    rows = np.flatnonzero(deals.among())
    held = deals.by_holder(rows, deals["state"]["balance"][rows])
    assert ledger.balance(deals.investors, "notes") == approx(held, abs=1.0)
    assert deals["shares"][rows].sum(axis=2) == approx(1.0)
    books = ledger.balances[: len(ledger.members)]
    assert np.abs(books.sum(axis=1)).max() < 1.0 and abs(books[:, ACCOUNT["claims"]].sum()) < 1.0
    assert book.gaps() == approx(0.0, abs=1.0) and book.elsewhere > 0.0


def test_banks_call_what_they_have_lent_when_haircuts_rise_and_funds_sell_for_it(founded):
    """It has borrowed 7 of 10 of its notes: nothing at a tenth of haircut, 2 of 10 at a half, and half of these at once."""
    economy, book = founded
    notes = selling.notes_of(economy, "us")[0]
    take(economy, float(economy.ledger.cash(book.parties)[0]) + 0.7 * notes)
    assert redeeming._over(economy, "us")[0] == 0.0
    before = economy.ledger.balance(book.parties, "loans")[0]
    economy.bids["us"].leverage[book.places] = 2.0
    over = redeeming._over(economy, "us")[0]
    assert over == approx(0.2 * notes)
    facts = redeem(economy)
    repay(economy.ledger, economy.outside["banks", "us"], book.parties)
    assert facts["forced_sales"] > 0.0
    assert economy.ledger.balance(book.parties, "loans")[0] - before >= 0.5 * over - 1.0


def test_a_sale_under_pressure_marks_down_all_notes_and_unrelated_loans_until_prices_heal(founded):
    """Every price falls by the same part, at once and at the next marking; the fund's unrelated loans are marked too."""
    economy, book = founded
    rows = economy.rows("us")
    before = economy.deals["price"][rows]
    selling.sell(economy, "us", 0.3 * selling.notes_of(economy, "us"))
    left, other = book.prices
    assert left < 1.0 and economy.deals["price"][rows] == approx(before * left)
    face = economy.deals.by_holder(rows, economy.deals["state"]["balance"][rows] * (economy.deals["price"][rows] - 1.0))
    marks = face[economy.slots("us")[book.places]] + book.unrelated * (other - 1.0)
    assert economy.ledger.balance(book.parties, "marks") == approx(marks)
    book.fall, same = [0.0, 0.0], book.fall
    pricing._mark(economy, "us")
    whole = economy.deals["price"][rows]
    book.fall = same
    pricing._mark(economy, "us")
    assert economy.deals["price"][rows] == approx(whole * left)


def test_what_is_sold_shows_no_more_gains(founded):
    """After half of all notes is sold, half of what they had gained is left to show."""
    economy, book = founded
    book.seen[:] = 10.0
    book.realise(np.array([0.5]))
    assert book.seen == approx([5.0])
    share = 0.3 * selling.notes_of(economy, "us")
    held = economy.ledger.balance(book.parties, "notes")
    selling.sell(economy, "us", share)
    sold = 1.0 - economy.ledger.balance(book.parties, "notes") / held
    assert sold[0] > 0.01 and book.seen == approx(5.0 * (1.0 - sold))


def test_locked_money_flows_as_before_and_the_rest_arrives_only(founded):
    """Half may be asked back: of 100 that would leave, 50 do; the other half brings what trend and gains bring."""
    economy, book = founded
    book.trailing[:] = economy.params.sim.markets.funds.expected
    place = int(book.places[0])
    assert redeeming.flows(economy, "us", place, -100.0, 1000.0, 0.0) == approx(-50.0)
    assert redeeming.flows(economy, "us", place, 0.0, 1000.0, 0.12) == approx(500.0 * np.expm1(0.01))
    assert book.moved == approx(-50.0 + 500.0 * np.expm1(0.01))
    others = next(i for i in range(len(economy.all("investor", "us"))) if i != place)
    assert redeeming.flows(economy, "us", others, -100.0, 1000.0, 0.12) == -100.0


def test_savers_keep_the_mix_of_a_fund_that_grows_but_not_while_any_of_them_waits(founded):
    economy, book = founded
    economy.save(int(book.parties[0]), "us", 1e8)
    lent = book.unrelated.copy()
    book.queue[:] = 1.0
    assert redeeming._refill(economy, "us") == approx(0.0) and (book.unrelated == lent).all()
    book.queue[:] = 0.0
    brought = redeeming._refill(economy, "us")
    assert brought[0] > 1e8 and book.unrelated == approx(redeeming._mix(economy, "us"))
    assert book.gaps() == approx(0.0, abs=1.0)


def test_prices_heal(founded):
    economy, book = founded
    book.fall = [0.2, 0.1]
    book_marks(economy, "us")
    redeeming.earn(economy, "us")
    assert book.fall == approx([0.18, 0.09]) and economy.facts["us"]["unrelated_losses"] < 0.0


# -- the whole -----------------------------------------------------------------------------------------------------------


@mark.parametrize(
    "overrides",
    [
        (f"{FUND}.private_credit.gate=1", f"{FUND}.private_credit.line=0"),
        (f"{FUND}.private_credit.gate=1", f"{FUND}.private_credit.line=0", f"{FUND}.impact=20"),
        ("sim.markets.protection.most=0.8", f"{FUND}.private_credit.line=0.05"),
    ],
)
def test_books_close_whatever_runs_cost(overrides):
    """Every month is audited: without lines, where a run takes all that there is, and beside protection on the same account."""
    _, months = lived(*RUN, f"{FUND}.run.month=4", *overrides, months=18)
    assert months["audit_gap"].max() <= 1e-9
    assert months["redemptions_paid"].max() > 0.0


def test_a_fund_that_fails_owes_its_savers_nothing_and_goes_on_with_books_that_close(founded):
    economy, book = founded
    book.queue[:] = 0.1 * book.shown
    own = economy.ledger.net_worth(book.parties)
    take(economy, 0.9 * float(own[0]))
    economy.deals["price"][economy.rows("us")] *= 1e-3
    book_marks(economy, "us")
    assert economy.ledger.net_worth(book.parties)[0] < 0.0 < own[0]
    fund = economy.all("investor", "us")[book.places[0]]
    pricing._replace(economy, "us", fund, 1e9)
    assert not book.queue.any() and book.shown == approx(economy.ledger.net_worth(book.parties))
    economy.step()
    assert economy.residual <= 1e-9


def test_a_fork_goes_on_with_its_own_funds():
    economy = build(resolve([*SMALL, *RUN, f"{FUND}.run.month=1"]))
    for _ in range(3):
        economy.step()
    other = economy.fork()
    for one in (economy, other):
        one.step()
        one.step()
    assert other.funds["us"] is not economy.funds["us"] and other.funds["us"].ledger is other.ledger
    assert (other.funds["us"].queue == economy.funds["us"].queue).all() and economy.funds["us"].queue.any()
    assert (other.ledger.balances == economy.ledger.balances).all()


def test_where_no_savers_may_ask_there_are_no_funds_and_no_borrowers():
    economy = economy_of()
    assert len(economy.funds["us"]) == 0 and ("borrowers", "us") not in [(m.kind, m.region) for m in economy.ledger.members]
    economy.clock = 1
    before = economy.ledger.balances.copy()
    redeeming.earn(economy, "us")
    redeeming.redeem(economy, "us")
    assert (economy.ledger.balances == before).all() and not economy.facts["us"]
