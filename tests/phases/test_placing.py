"""Which channels sponsors choose, on what terms and up to what amount; who lends; what closed channels leave behind."""

import dataclasses

import numpy as np
from pytest import approx, fixture, mark

from sim.books import audit
from sim.build import build
from sim.compose import resolve
from sim.orders import CapexOrder, Offer
from sim.phases import issuing, placing, pricing
from sim.phases.closing import cloud_parties
from sim.phases.dealing import coupons, kinds
from tests.phases.economies import SMALL, economy_of

WEST, EAST = ("scenario=free_choice",), ("scenario=free_choice", "regions=[china]")
OFFERS = [
    Offer("private", debt=0.7, rate=0.09, months=5, room=1e12),
    Offer("spv", debt=0.9, rate=0.07, months=5, room=200.0),
    Offer("bank", debt=0.7, rate=0.07, months=3, room=0.0),
]


def economy_in(region: str, *overrides: str):
    """A small economy of one region at its start."""
    found = build(resolve([*SMALL[:2], f"regions=[{region}]", "sim.build.burn_in=0", *overrides]))
    found.facts = {region: {}}
    return found


@fixture
def west():
    return economy_of(*WEST, "agents.operators.equity_cost=0.175")


# -- choice ------------------------------------------------------------------------------------------------------------


def test_a_channels_cost_counts_debt_equity_and_waiting(west):
    """0.9 x 7 % + 0.1 x 17.5 % + five months of 17.5 % over six years of rent: 6.3 + 1.75 + 1.215 %."""
    operator = west.all("operator", "us")[0]
    assert operator.all_in(OFFERS[1]) == approx(0.063 + 0.0175 + 0.175 * 5 / 12 / 6)


@mark.parametrize("room", [1e12, 40.0])
def test_the_cheapest_channel_is_filled_first_and_the_rest_waits_for_the_dearest(west, room):
    """A quarter of the room is this sponsor's: 50 of 200, 20 of 80; 30 go to private, though 10 of 40 are all there is."""
    operator = west.all("operator", "us")[0]
    order = CapexOrder(operator.party, 100.0, 0.1)
    offers = [dataclasses.replace(OFFERS[0], room=room), OFFERS[1], dataclasses.replace(OFFERS[2], room=80.0)]
    parts = placing.parts(west, "us", operator, order, offers)
    assert operator.weight == 0.25
    assert {name: part for name, part in parts.items() if part > 0.0} == approx({"spv": 50.0, "bank": 20.0, "private": 30.0})


def test_what_is_cheaper_than_the_usual_channels_comes_before_the_mix():
    """A quarter of 200 in one-campus companies; banks are dearer than securities; 50 are left, 4 in 10 of them securities."""
    economy = economy_of()
    operator = economy.all("operator", "us")[0]
    dear = dataclasses.replace(OFFERS[2], rate=0.2, room=1e12)
    offers = [OFFERS[0], OFFERS[1], dear, dataclasses.replace(OFFERS[0], channel="abs", rate=0.085)]
    parts = placing.parts(economy, "us", operator, CapexOrder(operator.party, 100.0, 0.4), offers)
    assert {name: part for name, part in parts.items() if part > 0.0} == approx({"spv": 50.0, "abs": 20.0, "private": 30.0})


def test_a_mix_is_placed_as_the_region_has_it():
    economy = economy_of("scenario=two_channels")
    operator = economy.all("operator", "us")[0]
    order = operator.want(economy.tape["us"], 1.0, 0.5)
    parts = placing.parts(economy, "us", operator, order, placing.offers(economy, "us"))
    assert parts == approx({"abs": order.amount * 0.16, "private": order.amount * 0.84}) and placing.offers(economy, "us") == []


def test_offers_leave_out_what_is_in_line_and_what_takes_out(west):
    """Two billion a year of bank loans at the start, 0.65 of cost: 3.08 bn of cost, less 1 bn in line."""
    west.all("operator", "us")[0].plans["bank"][3] += 1e9
    found = {offer.channel: offer for offer in placing.offers(west, "us")}
    assert list(found) == ["private", "bank", "spv"]
    assert found["bank"].room == approx(2e9 / found["bank"].debt - 1e9)


# -- terms -------------------------------------------------------------------------------------------------------------


def test_coupons_follow_the_market_as_far_as_their_channel_does(west):
    """Base 4.2 and spread 8 %: a loan 12.2; a bank 4.2 + 4 + 1; take-outs 4.2 + 2 + 1.5, seniors 1 % less, the others 3.5 more."""
    west.publish("us", base_rate=0.042, spread=0.08)
    found = dict(zip((c.name for c in west.menus["us"]), coupons(west, "us", kinds(west, "us")), strict=True))
    assert found["private"][0] == approx(0.122) and found["bank"][0] == approx(0.092)
    assert found["data_centre_abs"] == approx([0.067, 0.112])


def test_each_channel_has_the_advance_rates_of_its_own_agencies(west):
    """Three tenths of the way from where it stands to what is sized, within its own limits less what the regulator takes off."""
    west.publish("us", ltv_addon=0.1)
    before, sized = west.rates["us"].copy(), np.full((6, 2), 1.0)
    placing.review(west, "us", sized)
    spv = [c.name for c in west.menus["us"]].index("spv")
    assert west.rates["us"][spv] == approx(before[spv] + 0.3 * (0.8 - before[spv]))
    senior, debt = placing.advance(west, "us")
    assert len(set(debt.round(6))) > 2 and (senior <= debt).all()


def test_regional_terms_are_the_same_in_free_choice():
    economy = economy_of()
    senior, debt = placing.advance(economy, "us")
    assert (senior == economy.tape["us"].advance_senior).all() and (debt == economy.tape["us"].advance_mezzanine).all()


# -- amounts -----------------------------------------------------------------------------------------------------------


def test_requests_beyond_a_channels_room_are_cut(west):
    """Four billion sought of banks who have room for two: half. Private credit has room for all."""
    names = [c.name for c in west.menus["us"]]
    notes = np.array([4e9 if name in ("bank", "private") else 0.0 for name in names])
    fit = dict(zip(names, issuing._fitting(west, "us", notes), strict=True))
    assert fit == approx({"bank": 0.5, **dict.fromkeys((n for n in names if n != "bank"), 1.0)})


@fixture(scope="module")
def east():
    """Three years in which Chinese sponsors choose."""
    economy = economy_in("china", *EAST[:1])
    for _ in range(36):
        economy.step()
    return economy


def test_no_channel_takes_more_in_a_year_than_it_has_room_for(east):
    deals, menu = east.deals, east.menus["china"]
    fresh = deals["kind"] < len(deals.library.names) // 2
    notes = deals["commitment"].sum(axis=1)
    for c, channel in enumerate(menu):
        own = fresh & (deals["channel"] == c) & (deals["issued"] >= 0)
        for month in range(12, 37):
            year = own & (deals["issued"] > month - 12) & (deals["issued"] <= month)
            last = notes[year][-1:].sum() if channel.use == "take_out" else 0.0  # a loan is replaced whole
            assert notes[year].sum() - last <= channel.capacity.at(month / 12.0) * (1.0 + 1e-9)
    assert placed(east, "lease") > 0.0 and placed(east, "policy_bank") > 0.0


def placed(economy, name: str) -> float:
    """Notes of a channel since the start, USD."""
    column = economy.recorder.table("monthly").to_pandas()[f"issuance_{name}"]
    return float(column.sum())


def test_banks_hold_what_policy_banks_lend_and_investors_the_rest(east):
    deals, bank = east.deals, east.outside["banks", "china"]
    lent = np.array([channel.lender == "banks" for channel in east.menus["china"]])[deals["channel"]]
    lent &= deals["kind"] < len(deals.library.names) // 2
    owed = deals["state"]["balance"].sum(axis=1)
    assert owed[lent].sum() > 0.0
    assert east.ledger.balance(bank, "notes") == approx(owed[lent].sum(), rel=1e-9)
    people = east.parties("investor", "china")
    assert east.ledger.balance(people, "notes").sum() == approx(owed[~lent].sum(), rel=1e-9)


def test_what_banks_hold_asks_nothing_of_investors(east):
    """A trillion more in the banks' column of the exposure moves no spread."""
    exposure, spreads = east.deals.exposure(0), []
    for more in (0.0, 1e12):
        exposure[:, east.deals.investors == east.outside["banks", "china"]] += more
        east.facts = {"china": {}}
        pricing._clear(east, "china", exposure, pricing.requested(east, "china"))
        spreads.append(east.facts["china"]["clearing_spread"])
    assert spreads[0] == spreads[1]


def test_policy_banks_ask_no_more_when_the_market_does(east):
    deals, names = east.deals, [channel.name for channel in east.menus["china"]]
    own = (deals["channel"] == names.index("policy_bank")) & (deals["kind"] < len(deals.library.names) // 2)
    assert np.ptp(deals["terms"]["coupon"][own, 0]) < 1e-12 and deals["terms"]["coupon"][own, 0][0] == approx(0.03)


# -- private equity ----------------------------------------------------------------------------------------------------


@mark.parametrize(("capacity", "worth", "brought"), [(8e9, 1.2, 0.1e9), (0.4e9, 1.2, 0.05e9), (8e9, 0.9, 0.0), (0.0, 1.2, 0.0)])
def test_private_equity_fills_what_sponsors_lack_when_units_earn_what_it_asks(west, monkeypatch, capacity, worth, brought):
    """1 bn ready, a fifth of it equity, 0.9 of 111 million of cash: 100 million short. A quarter of 0.4 bn's half year is 50."""
    operator, of = west.all("operator", "us")[0], placing.rules(west, "us")
    asked = of.private_equity.model_copy(
        update={"capacity": of.private_equity.capacity.model_copy(update={"start": capacity, "ripe": capacity})}
    )
    monkeypatch.setattr(issuing, "rules", lambda *_: of.model_copy(update={"private_equity": asked}))
    monkeypatch.setattr(operator, "worth_to_outsiders", lambda *_: worth)
    operator.ready = dict.fromkeys(operator.ready, 0.0) | {"private": 1e9}
    economy_cash = float(west.ledger.cash(operator.party))
    west.ledger.pay("payout", operator.party, west.outside["savers", "us"], economy_cash - 1e9 / 9.0)
    issuing.invite(west, "us", operator, dict.fromkeys(operator.ready, 0.2))
    assert float(west.ledger.cash(operator.party)) == approx(1e9 / 9.0 + brought, abs=1.0)
    assert west.facts["us"].get("private_equity", 0.0) == approx(brought, abs=1.0)


def test_equity_that_asks_more_finds_units_worth_less(west):
    """At the sponsors' own 17.5 % the worth is their own value; at more it is lower."""
    operator, market = west.all("operator", "us")[0], west.tape["us"]
    debt = market.advance_mezzanine
    own = operator.value(market, market.rent, operator.cost_of_capital(market, debt))
    assert operator.worth_to_outsiders(market, market.rent, debt, 0.175) == approx(own)
    assert operator.worth_to_outsiders(market, market.rent, debt, 0.25) < own


# -- the whole menu ----------------------------------------------------------------------------------------------------


def test_with_free_choice_books_balance_after_every_month_and_a_fork_continues():
    """A year and a half of both regions: every identity, bonds' too, and the same bits after a fork."""
    world = ["size=class", "horizon_years=1", "sim.build.burn_in=6", "scenario=free_choice"]
    economy, other, worst = build(resolve(world)), None, 0.0
    for month in range(18):
        other = economy.fork() if month == 9 else other
        economy.step()
        gaps = audit.gaps(economy.ledger, economy.deals, economy.fleet, cloud_parties(economy), economy.bonds)
        worst = max(worst, *(gap.amount / gap.scale for gap in gaps))
    for _ in range(9):
        other.step()
    assert worst < 1e-12 and other.tape == economy.tape
    assert other.ledger.balances.tobytes() == economy.ledger.balances.tobytes()
    assert other.bonds["balance"].tobytes() == economy.bonds["balance"].tobytes()


@mark.parametrize("kind", ["investor", "operator", "cloud", "lab"])
def test_with_free_choice_an_idle_agent_changes_no_number(kind):
    world = ["size=class", "horizon_years=1", "sim.build.burn_in=6", "scenario=free_choice"]
    runs = [build(resolve(world), idle=idle) for idle in ([], [(kind, "us")])]
    for economy in runs:
        for _ in range(economy.months_total):
            economy.step()
    one, two = (economy.recorder.table("monthly").drop_columns(["audit_gap"]) for economy in runs)
    assert one == two


def test_closed_channels_leave_no_trace():
    economy = economy_of("scenario=two_channels")
    for _ in range(6):
        economy.step()
    months = economy.recorder.table("monthly").to_pandas()
    names = ("bank", "spv", "lease", "policy_bank", "data_centre_abs", "cmbs", "quasi_reit", "creit")
    assert not months[[f"issuance_{name}" for name in names]].any(axis=None)
    assert not months[["take_outs", "private_equity", "anchor_rent", "guarantees"]].any(axis=None)
    assert len(economy.menus["us"]) == 2 and len(economy.deals.library.names) == 4
    assert len(economy.deals.investors) == len(economy.all("investor", "us")) and not len(economy.bonds)
