"""Rules in stages, slices that sponsors keep, closed markets, dates that sponsors know, bodies that only warn."""

import math

import numpy as np
from pytest import approx, fixture, mark, raises

from sim.books import audit
from sim.books.deals import CLOSED
from sim.phases import placing
from sim.phases.building import _in_time
from sim.phases.closing import cloud_parties
from sim.phases.deliberating import bind
from sim.phases.issuing import issue
from sim.phases.regulating import regulate
from sim.phases.retaining import keep
from tests.phases.economies import economy_of

US = "agents.regulators.process.us"
STAGED = (f"{US}.staged=true", f"{US}.dispersion=0", "agents.regulators.tolerance=0.02")
STAGES = {"proposal": 2, "consultation": 3, "phase_in": 4, "hold": 2}
QUICK = (*STAGED, *(f"{US}.{stage}={months}" for stage, months in STAGES.items()))
SLICE = "sim.markets.regulation.retention"
BAN = "sim.markets.regulation.ban"


def quick(**changed: float) -> tuple[str, ...]:
    """The same with other times."""
    times = {"dispersion": 0, **STAGES, **changed}
    return f"{US}.staged=true", "agents.regulators.tolerance=0.02", *(f"{US}.{stage}={months}" for stage, months in times.items())


def regulator_of(*overrides: str):
    return economy_of(*overrides).all("regulator", "us")[0]


def months_of(regulator, losses, lobby: float = 0.0, noise: float = 0.0) -> dict[str, int]:
    """Month in which each piece of news first came."""
    found: dict[str, int] = {}
    for month, loss in enumerate(losses):
        for news in regulator.deliberate(loss, lobby, noise):
            found.setdefault(news, month)
    return found


# -- stages ------------------------------------------------------------------------------------------------------------


def test_a_rule_is_called_for_proposed_announced_bound_and_diluted_in_its_time():
    """Losses in month 5 alone: proposed 2 months later, final after 3, in effect after 4, diluted after 2."""
    regulator = regulator_of(*QUICK)
    found = months_of(regulator, [0.0] * 5 + [0.03] + [0.0] * 20)
    assert found == {
        "a rule is called for": 5,
        "rule proposed": 7,
        "rule announced": 10,
        "rule takes effect": 14,
        "rule begins to be diluted": 16,
    }
    assert regulator.force == approx(math.exp(-9 / regulator.params.rollback))


def test_losses_within_tolerance_call_for_nothing():
    assert months_of(regulator_of(*QUICK), [0.02] * 60) == {}


def test_losses_that_last_call_once_keep_the_rule_in_force_and_never_dilute_it():
    regulator = regulator_of(*QUICK)
    assert "rule begins to be diluted" not in months_of(regulator, [0.03] * 60)
    assert regulator.stage == "bind" and regulator.force == 1.0


def test_a_rule_is_repealed_when_little_is_left_of_it_and_losses_call_for_another():
    """With a rollback in 2 months, exp(-5 / 2) is the first below a tenth: five months after dilution begins in 9 + 2."""
    regulator = regulator_of(*QUICK, "agents.regulators.rollback=2")
    found = months_of(regulator, [0.03] + [0.0] * 30)
    assert found["rule begins to be diluted"] == 11 and found["rule repealed"] == 16
    assert (regulator.stage, regulator.force) == ("watch", 0.0)
    assert months_of(regulator, [0.03] + [0.0] * 9)["rule takes effect"] == 9


def test_losses_stop_dilution_and_bring_the_whole_rule_back():
    regulator = regulator_of(*QUICK)
    months_of(regulator, [0.03] + [0.0] * 20)
    left = regulator.force
    assert left < 1.0 and months_of(regulator, [0.03] * 9 + [0.0])["rule takes effect"] == 9
    assert regulator.force == 1.0


def test_one_who_reacts_at_once_binds_in_the_month_of_the_losses():
    regulator = regulator_of(*STAGED, *(f"{US}.{stage}=0" for stage in ("proposal", "consultation", "phase_in")))
    assert set(months_of(regulator, [0.0, 0.03]).values()) == {1} and regulator.force == 1.0


def test_lobbying_softens_the_draft_down_to_what_it_must_leave():
    """A year of consultation at lobbying of a half: exp(-0.4 * 0.5) of the proposal; at 100, the least, 0.3; none, all of it."""
    line = (*quick(consultation=12), f"{US}.softening=0.4", f"{US}.least=0.3")
    for lobby, force in ((0.0, 1.0), (0.5, math.exp(-0.2)), (100.0, 0.3)):
        regulator = regulator_of(*line)
        months_of(regulator, [0.03] + [0.0] * 18, lobby)
        assert regulator.stage == "bind" and regulator.force == approx(force)


def test_lobbying_speeds_the_rollback():
    line = (*QUICK, f"{US}.softening=0", f"{US}.erosion=0.6", "agents.regulators.rollback=48")
    regulator = regulator_of(*line)
    months_of(regulator, [0.03] + [0.0] * 23, 0.5)
    assert regulator.force == approx(math.exp(-12 * (1 / 48 + 0.6 * 0.5 / 12)))


def test_stages_last_longer_or_shorter_by_chance():
    """One standard deviation of 0.5: 20 months become 33, or 12."""
    line = quick(proposal=20, dispersion=0.5)
    assert months_of(regulator_of(*line), [0.03] + [0.0] * 40, noise=1.0)["rule proposed"] == 33
    assert months_of(regulator_of(*line), [0.03] + [0.0] * 40, noise=-1.0)["rule proposed"] == 12


def test_credit_that_grows_too_fast_calls_for_a_rule_where_heat_says_so():
    """Notes double in a year and a bit more."""
    for heat, called in ((1.0, True), (1.5, False), (0.0, False)):
        regulator = regulator_of(*QUICK, f"{US}.heat={heat}")
        for month in range(13):
            regulator.see(100.0 + 10.0 * month)
        assert bool(months_of(regulator, [0.0])) == called


@mark.parametrize(("last", "longest", "closed"), [(0, 48, 36), (40, 48, 48), (100, 48, 48), (100, 40, 40)])
def test_a_moratorium_is_evaluated_prolonged_while_losses_last_and_never_longer_than_allowed(last, longest, closed):
    """Losses until month ``last``: three years, a year more if they last, but no longer than allowed."""
    line = (*STAGED, *(f"{US}.{stage}=0" for stage in ("proposal", "consultation", "phase_in")), f"{US}.tools.closure=36")
    regulator = regulator_of(*line, f"{US}.tools.retention=0", f"{US}.longest={longest}")
    found = months_of(regulator, [0.03] * (last + 1) + [0.0] * (120 - last))
    assert found["market closed"] == 0 and found["market reopens"] == closed
    assert (regulator.stage, regulator.force) == ("watch", 0.0)


# -- what binds --------------------------------------------------------------------------------------------------------


def test_tools_bind_as_far_as_the_rule_does():
    """Half in force: half of the cut, of the slice and of the charge; disclosure is whole."""
    tools = {"ltv_cut": 0.2, "retention": 0.1, "charge": 0.4, "disclosure": "true"}
    economy = economy_of(*QUICK, *(f"{US}.tools.{name}={value}" for name, value in tools.items()))
    regulator = economy.all("regulator", "us")[0]
    regulator.stage, regulator.left, regulator.force = "bind", 9, 0.5
    regulate(economy)
    market = economy.tape["us"]
    assert (market.ltv_addon, market.rules.kept, market.rules.charge, market.rules.disclosed) == approx((0.1, 0.05, 0.2, True))
    assert market.rules.closed == () and market.rules.ahead == 0


def test_investors_ask_for_the_capital_that_a_regulator_charges_and_expect_the_losses_that_they_are_warned_of():
    """A charge of 0.4 a year on the senior charge of the investor's kind; an alarm of half a per cent."""
    economy = economy_of("agents.investors.seeking.junior=40")
    investor = economy.all("investor", "us")[0]
    usual = {"capital": 1.0, "dispersion": 0.0, "loss": 0.01, "volatility": 0.02, "lean": 0.0, "letter": 0.0}
    before = investor.bid(economy.tape["us"], **usual)
    rules = type(economy.tape["us"].rules)(charge=0.4, alarm=0.005)
    after = investor.bid(economy.tape.publish("us", rules=rules)["us"], **usual)
    assert after.hurdle - before.hurdle == approx(0.4 * investor.style.charge_senior) and investor.style.charge_senior > 0.0
    assert after.loss_belief - before.loss_belief == approx(0.005)
    assert after.mezzanine < before.mezzanine


def test_disclosure_by_rule_shows_lenders_at_once_what_stands_beside():
    economy = economy_of(*QUICK, f"{US}.tools.disclosure=true", "sim.markets.guarantees.lag=24")
    operator, regulator = economy.all("operator", "us")[0], economy.all("regulator", "us")[0]
    economy.deals["channel"][economy.deals["sponsor"] == operator.party] = [c.name for c in economy.menus["us"]].index("spv")
    regulate(economy)
    assert operator.beside > 0.0 and operator.shown == 0.0
    regulator.stage, regulator.left, regulator.force = "bind", 9, 1.0
    regulate(economy)
    regulate(economy)
    assert operator.shown == operator.beside


# -- slices ------------------------------------------------------------------------------------------------------------


def months_on(economy, count: int) -> None:
    for _ in range(count):
        economy.step()


@fixture(scope="module", params=["vertical", "first_loss"])
def keeping(request):
    """Sponsors have kept a tenth of everything for a year and a half."""
    channels = "[abs,private,bank,spv,data_centre_abs,cmbs]"
    economy = economy_of(f"{SLICE}.us=0.1", f"{SLICE}.form={request.param}", f"{SLICE}.channels={channels}")
    months_on(economy, 18)
    return economy


def new_deals(economy) -> np.ndarray:
    """Deals of operators that closed under the rule."""
    rows = np.flatnonzero((economy.deals["issued"] >= 0) & (economy.deals["stage"] != CLOSED))
    return economy.sponsored("operator", "us", rows)


def slices(economy, rows: np.ndarray) -> np.ndarray:
    """Parts (n, 2) that sponsors hold of their own deals."""
    place = {party: i for i, party in enumerate(economy.deals.investors.tolist())}
    columns = [place[party] for party in economy.deals["sponsor"][rows].tolist()]
    return economy.deals["shares"][rows, :, columns]


def test_each_sponsor_holds_exactly_the_share_of_its_own_new_deals_and_nothing_of_others(keeping):
    rows, deals = new_deals(keeping), keeping.deals
    assert len(rows) > 5
    own, notes = slices(keeping, rows), deals["commitment"][rows]
    assert (own * notes).sum(axis=1) == approx(0.1 * notes.sum(axis=1))
    if keeping.params.sim.markets.regulation.retention.form == "first_loss":
        enough = notes[:, 1] > 0.1 * notes.sum(axis=1)
        assert enough.any() and not own[enough, 0].any() and (own[enough, 1] > 0.1).all()
    sponsors = np.isin(deals.investors, keeping.parties("operator", "us"))
    others = deals["shares"][rows][:, :, sponsors].sum(axis=2) - own
    assert not others.any() and deals["shares"][rows].sum(axis=2) == approx(1.0)


def test_slices_are_in_the_books_and_the_books_close(keeping):
    """What operators hold on the ledger is their shares of balances; set-aside equity is in escrow, and is used up at delivery."""
    deals = keeping.deals
    rows = new_deals(keeping)
    held = (slices(keeping, rows) * deals["state"]["balance"][rows]).sum()
    assert held > 0.0 and keeping.ledger.balance(keeping.parties("operator", "us"), "notes").sum() == approx(held)
    assert (deals["set_aside"][rows] <= deals["escrow"][rows] + 1e-3).all() and deals["set_aside"][rows].sum() > 0.0
    undrawn = (slices(keeping, rows) * deals["undrawn"][rows]).sum(axis=1)
    assert deals["set_aside"][rows] == approx(undrawn, abs=1.0)
    assert audit.check(audit.gaps(keeping.ledger, deals, keeping.fleet, cloud_parties(keeping))) <= audit.TOLERANCE


def test_a_sponsor_is_paid_its_share_and_bears_its_share_of_losses(keeping):
    """A deal pays 60 and 6 of interest and principal, and writes off 40: the sponsor has its slice of each."""
    economy = keeping.fork()
    rows = new_deals(economy)[:1]
    own, deals, ledger = slices(economy, rows)[0], economy.deals, economy.ledger
    sponsor, party = int(deals["sponsor"][rows[0]]), int(deals["party"][rows[0]])
    cash, notes = float(ledger.cash(sponsor)), float(ledger.balance(sponsor, "notes"))
    worth = float(ledger.net_worth(sponsor))
    for flow, amounts in (("interest", [[40.0, 20.0]]), ("principal", [[4.0, 2.0]])):
        issuers, holders, paid = deals.spread(rows, np.array(amounts))
        ledger.endow_cash(party, paid.sum())
        ledger.pay(flow, issuers, holders, paid)
    got = float(own @ [40.0, 20.0]), float(own @ [4.0, 2.0])
    assert float(ledger.cash(sponsor)) - cash == approx(sum(got), rel=1e-6)
    ledger.forgive("notes", *deals.spread(rows, np.array([[10.0, 30.0]])))
    lost = float(own @ [10.0, 30.0])
    assert notes - float(ledger.balance(sponsor, "notes")) == approx(got[1] + lost, abs=1e-3)
    assert float(ledger.net_worth(sponsor)) - worth == approx(got[0] - lost, abs=1e-3)


def test_a_slice_takes_equity_and_leaves_investors_less():
    """The same plans under the same luck: sponsors put in more of each deal's cost, and investors are asked for less."""
    found = []
    for share in (0.0, 0.2):
        economy = economy_of(f"{SLICE}.us={share}", f"{SLICE}.channels=[abs,private,bank,spv]")
        first = len(economy.deals)
        for operator in economy.all("operator", "us"):
            operator.ready["private"] = 1e9
            economy.save(operator.party, "us", 1e10)
        while len(economy.deals) == first:
            issue(economy)
            economy.clock += 1
        rows = np.arange(first, len(economy.deals))
        rows = rows[economy.deals["predecessor"][rows] < 0]
        deals = economy.deals
        outside = np.isin(deals.investors, economy.parties("investor", "us"))
        external = (deals["commitment"][rows] * deals["shares"][rows][:, :, outside].sum(axis=2)).sum(axis=1)
        found.append((external / deals["budget"][rows], deals["escrow"][rows] / deals["budget"][rows]))
    (before, equity), (after, more) = found
    assert after == approx(0.8 * before) and more - equity == approx(0.2 * before)


def test_a_slice_costs_a_sponsor_its_own_return_less_the_coupon():
    """A tenth of the debt at 20 % of equity less 9 % of debt, in the region's terms; investors are asked for the rest."""
    found = []
    for share in (0.0, 0.1):
        line = (
            "scenario=two_channels",
            f"{SLICE}.us={share}",
            f"{SLICE}.channels=[abs,private]",
            "agents.operators.equity_cost=0.2",
        )
        economy = economy_of(*line)
        economy.publish("us", base_rate=0.04, spread=0.05, advance_mezzanine=0.8)
        found.append((placing.usual_debt(economy, "us"), placing.cost_of_capital(economy, "us", placing.offers(economy, "us"))))
    (debt, cost), (less, more) = found
    assert (debt, less) == approx((0.8, 0.72)) and more - cost == approx(0.08 * 0.11)


def test_a_branch_cannot_ask_for_slices_for_which_the_run_has_no_place():
    """Holders of notes are fixed at the start; the error names the way out."""
    economy = economy_of()
    rows = np.flatnonzero(economy.deals["region"] == 0)[:2]
    economy.publish("us", rules=type(economy.tape["us"].rules)(kept=0.05))
    terms = (economy.deals["shares"][rows], economy.deals["sponsor"][rows], np.zeros(2, dtype=np.int64), np.ones((2, 2)))
    with raises(ValueError, match=r"has no place among holders of notes(.|\n)*Start the run with retention"):
        keep(economy, "us", *terms)


# -- closed markets, and dates -----------------------------------------------------------------------------------------


@mark.parametrize(
    ("line", "shut_names"),
    [
        ("sim.books.channels.us.choice=mix", ("abs", "private")),
        ("sim.books.channels.us.choice=cheapest", ("abs", "private")),
        ("scenario=two_channels", ("private",)),
    ],
)
def test_a_ban_lets_nothing_through_in_its_channels_and_what_is_open_goes_on(line, shut_names):
    ban = (f"{BAN}.region=us", f"{BAN}.effective=3", f"{BAN}.months=9", f"{BAN}.channels=[{','.join(shut_names)}]")
    economy = economy_of(line, *ban)
    months_on(economy, 15)
    deals, names = economy.deals, [c.name for c in economy.menus["us"]]
    built = np.flatnonzero((deals["issued"] >= 0) & (deals["predecessor"] < 0))
    shut = (deals["issued"][built] >= 3) & (deals["issued"][built] < 12)
    closed = np.isin(deals["channel"][built], [names.index(name) for name in shut_names])
    assert not (shut & closed).any() and (shut & ~closed).any()
    assert (closed & ~shut).any()


def test_a_closed_channel_refinances_only_where_the_rule_lets_it():
    for word, barred in (("allowed", ()), ("barred", ("abs",))):
        economy = economy_of(
            f"{BAN}.region=us", f"{BAN}.months=9", f"{BAN}.channels=[abs]", f"sim.markets.regulation.closure.refinancing={word}"
        )
        bind(economy, "us")
        assert economy.tape["us"].rules.closed == ("abs",) and economy.tape["us"].rules.barred == barred


@mark.parametrize(("ahead", "in_time"), [(6, 5), (5, 2)])
def test_sponsors_who_know_the_date_bring_forward_what_would_close_too_late_and_no_more(ahead, in_time):
    """Sponsor 1 closes in months 2, 5, 8, ...: with a rule for month 6, what is ready by 5 is in time; for month 5, by 2."""
    economy = economy_of("agents.operators.haste=0.5", "agents.operators.closing=3")
    operator = economy.all("operator", "us")[1]
    operator.plans["private"], operator.ready["private"] = [8.0] * 12, 0.0
    late = 12 - in_time
    assert operator.hurry(["private"], 0, ahead) == approx(4.0 * late)
    assert operator.plans["private"] == [8.0] * in_time + [4.0] * late and operator.ready["private"] == approx(4.0 * late)


def test_nobody_hurries_without_a_date_or_when_no_closing_is_left():
    operator = economy_of().all("operator", "us")[1]
    before = [*operator.plans["private"]]
    assert operator.hurry([], 0, 0) == 0.0 and operator.hurry(["private"], 0, 2) == 0.0
    assert operator.plans["private"] == before


def test_sponsors_hurry_from_a_year_before_the_date_on():
    """In a month 13 before the date nothing moves; 12 before, orders in the channel rise by a quarter, and that is on record."""
    economy = economy_of("agents.operators.rush=0.25", "agents.operators.rush_from=12", "agents.operators.haste=0")
    operator, rules = economy.all("operator", "us")[0], type(economy.tape["us"].rules)
    for ahead, placed in ((13, 100.0), (12, 125.0)):
        economy.publish("us", rules=rules(ahead=ahead, coming=("abs",)))
        assert _in_time(economy, "us", operator, {"abs": 100.0, "private": 60.0}) == {"abs": placed, "private": 60.0}
    assert economy.facts["us"]["brought_forward"] == economy.facts["us"]["orders"] == approx(25.0)


def test_orders_brought_forward_are_made_up_for():
    """A quarter more for two months of 100 in the channel concerned; then 50 less of what follows."""
    operator = economy_of("agents.operators.rush=0.25").all("operator", "us")[0]
    parts = {"abs": 100.0, "private": 60.0}
    for _ in range(2):
        assert operator.rushed(parts, ["abs"]) == {"abs": 125.0, "private": 60.0}
    assert operator.rushed(parts, []) == approx({"abs": 75.0, "private": 45.0})
    assert operator.rushed(parts, []) == approx({"abs": 100.0 * (1 - 10 / 160), "private": 60.0 * (1 - 10 / 160)})
    assert operator.rushed(parts, []) is parts


def test_an_announced_ban_is_on_the_tape_until_it_holds():
    economy = economy_of(f"{BAN}.region=us", f"{BAN}.announced=2", f"{BAN}.effective=5", f"{BAN}.months=6")
    found = []
    for _ in range(6):
        economy.facts = {"us": {}}
        regulate(economy)
        found.append((economy.tape["us"].rules.ahead, bool(economy.tape["us"].rules.coming), bool(economy.tape["us"].rules.closed)))
        economy.clock += 1
    assert found == [(0, False, False), (3, True, False), (2, True, False), (1, True, False), (0, False, True), (0, False, True)]


# -- bodies that only warn ---------------------------------------------------------------------------------------------


def test_a_body_warns_once_a_boom_and_is_forgotten():
    """Notes grow by 10 of 100 a month: doubled from month 11 on, so that after six months of worry it warns in month 17 or so."""
    line = ("agents.regulators.warnings.regions=[us]", "agents.regulators.warnings.belief=0.004")
    body = economy_of(*line, "agents.regulators.warnings.growth=0.5").all("watchdog", "us")[0]
    said = [body.watch(100.0 * 1.06**month, 1e9) for month in range(40)]
    assert [month for month, now in enumerate(said) if now] == [12 + 5] and body.warns
    assert body.alarm == approx(0.004 * 2.0 ** (-(39 - 17) / body.params.half_life))
    for _ in range(12 + 12):
        assert not body.watch(100.0, 1e9)
    assert not body.warns


def test_a_body_worries_about_leverage_too():
    body = economy_of("agents.regulators.warnings.regions=[us]", "agents.regulators.warnings.leverage=10").all("watchdog", "us")[0]
    assert [body.watch(101.0, 10.0) for _ in range(8)] == [False] * 5 + [True, False, False]


def test_warnings_that_nobody_believes_change_no_deal():
    """The same economy to the bit but for the body's own row and its warnings."""
    line = ("agents.regulators.warnings.patience=1", "agents.regulators.warnings.growth=0", "agents.regulators.warnings.belief=0")
    plain, warned = economy_of(), economy_of(*line, "agents.regulators.warnings.regions=[us]")
    for economy in (plain, warned):
        months_on(economy, 16)
    assert warned.all("watchdog", "us")[0].warns
    for name in ("commitment", "stage", "price"):
        assert np.array_equal(plain.deals[name], warned.deals[name])
    assert vars(plain.tape["us"]) == vars(warned.tape["us"])


def test_no_body_and_no_process_is_the_simple_rule():
    """Nothing is published beyond the cap, no columns are opened for sponsors, and nobody's notes are theirs."""
    economy = economy_of()
    months_on(economy, 3)
    rules = economy.tape["us"].rules
    assert rules == type(rules)() and not economy.all("watchdog", "us")
    assert not np.isin(economy.parties("operator", "us"), economy.deals.investors).any()
