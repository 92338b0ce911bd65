"""Histories of the classroom page: a change acts from its month on, with the same luck, and on nothing before."""

import math

import numpy as np
from pytest import approx, fixture, mark, raises

from analysis.app import changes, pours
from analysis.app.changes import Change, Refused
from analysis.app.history import Futures
from analysis.app.life import MEMORY
from sim.arrows import ARROWS
from sim.build import build
from sim.compose import resolve

SMALL = ("size=class", "horizon_years=2", "sim.build.burn_in=6", "agents.operators.least=0")
MONTH, END = 8, 13  # of the changes, and up to which futures are lived


def lived(future, end=END):
    while future.end < end:
        future.step()
    return future


@fixture(scope="module")
def futures():
    """A history of a year and a month."""
    found = Futures(resolve(SMALL))
    lived(found.history)
    return found


def column(futures, rows, name):
    return [row["values"][futures.fields.index(name)] for row in rows]


def test_the_page_lives_the_economy_of_a_run(futures):
    """Watching changes nothing: figures are those of the same economy under its own recorder, to the digits drawn."""
    economy = build(resolve(SMALL))
    for _ in range(6 + END):
        economy.step()
    recorded = economy.recorder.table("monthly").to_pandas()
    for region in ("us", "china"):
        own = recorded[recorded["region"] == region]
        for name in ("capex", "spread", "rent", "debt"):
            assert column(futures, futures.history.rows, f"{region}.{name}") == approx(own[name].tolist(), rel=1e-3)


def test_every_row_has_a_number_or_none_for_every_field(futures):
    assert {len(row["values"]) for row in futures.history.rows} == {len(futures.fields)}
    assert [row["month"] for row in futures.history.rows] == list(range(END))


def test_a_slider_put_where_it_stands_changes_nothing(futures):
    """The fork has the same luck: every figure, event and pay date repeats."""
    held = Change(month=MONTH, kind="slider", name="agents.regulators.ltv_cap", value=futures.params.agents.regulators.ltv_cap)
    other = lived(futures.what_if([held]))
    assert other.first == MONTH
    assert other.rows == futures.history.rows[MONTH:]


def test_a_month_between_forks_is_reached_again_as_it_was(futures):
    """Month 8 is lived on from the fork of month 0."""
    assert futures.history.at(MONTH).fork().step() == futures.history.rows[MONTH]


@mark.parametrize("arrow", [arrow.replace(">", "_") for arrow in ARROWS])
def test_a_cut_arrow_transmits_its_mean_over_the_months_before(futures, arrow):
    """Whatever is live, what arrives is the mean signal of three years, or of all months if they are fewer."""
    twin = changes.apply(futures.history.at(MONTH), Change(month=MONTH, kind="cut", name=arrow))
    usual = {key: value for key, value in twin.usual().items() if changes.arrow_of(key[0]) == arrow}
    assert usual and len(twin.memory) == min(6 + MONTH, MEMORY)
    for (signal, region), value in usual.items():
        live = 2.0 * np.ones(value.shape[1:])
        assert twin.economy.transmit(signal, region, live) == approx(np.broadcast_to(value[0], live.shape))


def test_a_cut_arrow_is_flat_and_the_others_are_not(futures):
    what_if = lived(futures.what_if([Change(month=MONTH, kind="cut", name="valuation_credit")]))
    spread = column(futures, what_if.rows, "us.spread")
    assert len(set(spread)) == 1 and len(set(column(futures, futures.history.rows[MONTH:], "us.spread"))) > 1
    mean = np.mean(column(futures, futures.history.rows[:MONTH], "us.spread"))
    assert spread[0] == approx(mean, rel=0.3)  # burn-in is part of the mean too


def test_an_arrow_that_is_cut_and_healed_is_live_again(futures):
    made = [
        Change(month=MONTH, kind="cut", name="valuation_credit"),
        Change(month=MONTH + 2, kind="cut", name="valuation_credit", value=1.0),
    ]
    assert len(set(column(futures, lived(futures.what_if(made)).rows, "us.spread"))) > 1


def test_changes_add_up_and_each_holds_from_its_own_month(futures):
    first = Change(month=MONTH, kind="cut", name="cobweb")
    second = Change(month=MONTH + 3, kind="shock", name="launch")
    one, both = lived(futures.what_if([first])), lived(futures.what_if([first, second]))
    assert both.first == MONTH + 3
    cost = column(futures, both.rows, "us.unit_cost")
    assert cost[0] == approx(column(futures, one.rows[3:], "us.unit_cost")[0] * math.exp(-0.6), rel=1e-3)


def test_the_history_is_untouched_by_its_what_ifs(futures):
    fresh = lived(Futures(resolve(SMALL)).history)
    assert fresh.rows == futures.history.rows


def test_a_tenant_that_fails_has_lost_its_users_for_its_contracts_cost_most(futures):
    life = futures.history.at(MONTH)
    twin = changes.apply(life, Change(month=MONTH, kind="shock", name="tenant_failure"))
    before, after = ([lab.quality for lab in each.economy.all("lab", "us")] for each in (life, twin))
    moved = np.flatnonzero(np.subtract(after, before))
    rows, deals = life.economy.rows("us"), life.economy.fleet.deals["gpus"]
    rent = life.economy.contracts["rent"][rows] * deals[rows]
    tenants = [rent[life.economy.contracts["tenant"][rows] == lab.party].sum() for lab in life.economy.all("lab", "us")]
    assert moved.tolist() == [int(np.argmax(tenants))]


ENDS = [(slider["key"], slider["low" if low else "high"]) for slider in changes.sliders(resolve(SMALL)) for low in (True, False)]


@mark.parametrize(("key", "value"), ENDS)
def test_every_slider_can_be_dragged_to_both_ends(futures, key, value):
    """A month goes on, and books balance, for the audit would stop them."""
    lived(futures.what_if([Change(month=MONTH, kind="slider", name=key, value=value)]), MONTH + 1)


@mark.parametrize("shock", [shock["name"] for shock in changes.menu()["shocks"]])
def test_every_shock_moves_something(futures, shock):
    what_if = lived(futures.what_if([Change(month=MONTH, kind="shock", name=shock)]))
    assert what_if.rows != futures.history.rows[MONTH:]


# -- what cannot be ----------------------------------------------------------------------------------------------------


@mark.parametrize(
    ("change", "words"),
    [
        (Change(month=MONTH, kind="slider", name="agents.regulators.ltv_cap", value=2.0), ["ltv_cap", "out of range", "0.1 to 1"]),
        (Change(month=MONTH, kind="slider", name="seed", value=3.0), ["no such slider"]),
        (Change(month=MONTH, kind="cut", name="seed"), ["no arrow seed"]),
        (Change(month=MONTH, kind="shock", name="flood"), ["no shock flood"]),
        (Change(month=24, kind="cut", name="cobweb"), ["0 to 23"]),
        (Change(month=-1, kind="cut", name="cobweb"), ["0 to 23"]),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(futures, change, words):
    with raises(Refused) as refused:
        futures.what_if([change])
    assert all(word in str(refused.value) for word in words) and "\n" not in str(refused.value)


def test_two_changes_that_clash_are_refused_with_the_way_out(futures):
    """A base rate of 25 % cannot rise by three points."""
    made = [
        Change(month=2, kind="slider", name="sim.markets.primary.us.base_rate", value=0.25),
        Change(month=3, kind="shock", name="rate_rise"),
    ]
    with raises(Refused, match=r"takes the base rate to 0\.28") as refused:
        futures.what_if(made)
    assert str(refused.value).endswith("Nothing was changed.")


@mark.parametrize("items", [[{"kind": "cut"}], [3], None, [{"month": 1, "kind": "burn", "name": "x"}]])
def test_what_the_page_never_sends_is_refused(items):
    with raises(Refused, match="not on offer"):
        changes.read(items)


def test_sliders_carry_unit_and_range_of_their_fields():
    found = {slider["key"]: slider for slider in changes.sliders(resolve(SMALL))}
    rate = found["sim.markets.primary.china.base_rate"]
    assert (rate["low"], rate["high"], rate["unit"], rate["value"], rate["region"]) == (0.0, 0.25, "1/year", 0.02, "china")
    for slider in found.values():
        assert slider["low"] <= slider["value"] <= slider["high"] and slider["unit"] and slider["says"].endswith(".")


# -- one deal ----------------------------------------------------------------------------------------------------------


def test_what_comes_in_on_a_pay_date_goes_out_or_stays_in_the_deals_accounts(futures):
    """Month by month and deal by deal: kept is what reserve and cash trap grow by, interest on the reserve apart."""
    life = futures.history.at(MONTH).fork()
    seen = 0
    for _ in range(5):
        states = life.economy.deals["state"]
        before = {row: float(states["reserve"][row] + states["trap"][row]) for row in life.followed.deals}
        for row, (_, amounts, _, stage) in life.step()["deals"].items():
            if stage != "running" or int(row) not in before:
                continue
            paid, state = life.economy.deals["payment"][int(row)], life.economy.deals["state"][int(row)]
            grown = float(state["reserve"] + state["trap"]) - before[int(row)] - float(paid["reserve_income"])
            assert amounts[pours.PAID.index("kept")] == approx(grown, rel=1e-2, abs=1e-3 * amounts[0] + 1.0)
            seen += 1
    assert seen
