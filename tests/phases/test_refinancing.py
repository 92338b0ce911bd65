"""Take-outs: which loans on running units securities replace, for how much, and what becomes of both deals."""

import numpy as np
from pytest import approx, fixture, mark

from sim.books.deals import CLOSED, OPERATING
from sim.build import build
from sim.compose import resolve
from sim.phases import refinancing
from sim.phases.dealing import coupons, kinds
from sim.units import MONTHS

MENU = ("sim.books.channels.us.open=[abs,private,data_centre_abs]",)
WORLD = ("size=class", "horizon_years=4", "regions=[us]", "sim.build.burn_in=0")
ABS = 2  # place of the channel on the menu


@fixture
def economy():
    """At its start: a mix beside which one channel takes out, and all sponsors close every month."""
    found = build(resolve([*WORLD, *MENU, "agents.operators.closing=1"]))
    found.facts = {"us": {}}
    return found


@fixture(scope="module")
def lived():
    """Four years in which spreads fall from what the first loans paid."""
    found = build(resolve([*WORLD, *MENU, "sim.books.channels.us.terms=own", "sim.build.coupon_spread=0.08"]))
    for _ in range(48):
        found.step()
    return found


def stabilised(economy) -> np.ndarray:
    """Deals that the channel could take out."""
    return refinancing.stabilised(economy, "us", ABS, refinancing.settled(economy, "us"))


def taken(economy) -> np.ndarray:
    """Deals that take others out."""
    deals = economy.deals
    return np.flatnonzero((deals["channel"] == ABS) & (deals["kind"] < len(deals.library.names) // 2))


@mark.parametrize(
    ("asks", "gap", "cash", "chosen"),
    [
        (6.0, 20.0, 40.0, True),
        (6.0, 25.0, 50.0, False),
        (6.0, 20.0, 39.0, False),
        (12.0, -20.0, 0.0, True),
        (12.0, 0.0, 0.0, False),
    ],
)
def test_a_sponsor_weighs_interest_and_its_own_return_on_the_gap(economy, asks, gap, cash, chosen):
    """10 of interest now. 6 + 17.5 % of 20 = 9.5; of 25 it is 10.375. Half the cash may go. 20 set free are worth 3.5: 12 - 3.5."""
    operator = economy.all("operator", "us")[0]
    operator.params = operator.params.model_copy(update={"equity_cost": 0.175})
    assert operator.takes_out(np.array([10.0]), np.array([asks]), np.array([gap]), cash).tolist() == [chosen]


def test_gaps_are_paid_in_turn_while_cash_lasts(economy):
    """Half of 60 pays the first gap of 20 and not the second."""
    operator, two = economy.all("operator", "us")[0], np.ones(2)
    assert operator.takes_out(10.0 * two, 6.0 * two, 20.0 * two, 60.0).tolist() == [True, False]


def test_a_debut_takes_longer_than_a_repeat(economy):
    """A year of operation and five months to close the first; one month once the sponsor is known."""
    deals, (debut, repeat) = economy.deals, (12 + 5, 12 + 1)
    assert deals["state"]["age"][stabilised(economy)].min() >= debut
    deals["channel"][deals["stage"] == CLOSED] = ABS
    deals["channel"][economy.rows("us", OPERATING)[-1]] = ABS
    found = stabilised(economy)
    known = np.isin(deals["sponsor"][found], deals["sponsor"][deals["channel"] == ABS])
    assert repeat <= deals["state"]["age"][found[known]].min() < debut <= deals["state"]["age"][found[~known]].min()


@mark.parametrize("fault", ["in_default", "trapped"])
def test_only_undisturbed_deals_are_stabilised(economy, fault):
    found = stabilised(economy)
    economy.deals["state"][fault][found[0]] = True
    assert found[0] not in stabilised(economy) and len(found) > 1


def test_notes_are_no_more_than_rents_cover_with_room(economy, monkeypatch):
    """Lenders who would advance all value are held to rent / (1.35 x (half repaid in the first of two years + interest))."""
    ones = np.ones(len(economy.menus["us"]))
    monkeypatch.setattr(refinancing, "advance", lambda *_: (ones, 1e3 * ones))
    rows = stabilised(economy)
    coupon = coupons(economy, "us", np.repeat(kinds(economy, "us")[ABS : ABS + 1], len(rows)))
    notes = refinancing.offered(economy, "us", ABS, rows, coupon)
    senior, junior = notes.T
    repaid = 1.0 - economy.deals.library.target[kinds(economy, "us")[ABS], MONTHS]
    service = senior * (coupon[:, 0] + repaid[0]) + junior * (coupon[:, 1] + repaid[1])
    assert service * 1.35 == approx(refinancing._net_rent(economy, "us", rows, economy.deals["backing"][rows]))


def test_contract_rents_above_spot_count_in_the_value_of_let_units(economy):
    """A year at 100 above spot on 0.882 of a unit, discounted from its middle."""
    rows = stabilised(economy)[:1]
    market, contracts, gpus = economy.tape["us"], economy.contracts, economy.fleet.deals["gpus"]
    spot = float(refinancing.spot(economy, "us", economy.fleet.deals["vintage"][rows])[0]) * market.utilisation
    contracts["months"][rows], contracts["rent"][rows] = 12, spot
    free = refinancing._let_value(economy, "us", rows, economy.deals["backing"][rows])
    contracts["rent"][rows] = spot + 100.0
    premium = 0.882 * 100.0 * np.exp(-0.5 * (market.base_rate + market.spread))
    assert (refinancing._let_value(economy, "us", rows, economy.deals["backing"][rows]) - free) / gpus[rows] == approx(premium)


def test_what_is_taken_out_is_repaid_whole_and_its_units_and_tenant_move_on(lived):
    deals, fresh = lived.deals, taken(lived)
    old = deals["predecessor"][fresh]
    assert len(fresh) > 3 and (deals["stage"][old] == CLOSED).all() and not deals["lost"][old].any()
    assert np.abs(deals["state"]["balance"][old]).max() < 0.01
    assert (lived.fleet.deals["vintage"][fresh] == lived.fleet.deals["vintage"][old]).all()
    assert (lived.contracts["tenant"][fresh] == lived.contracts["tenant"][old]).all()
    assert (deals["sponsor"][fresh] == deals["sponsor"][old]).all() and len(set(old.tolist())) == len(old)


def test_take_outs_cost_less_than_the_loans_they_repay(lived):
    """Interest on the new notes is below that on what was owed by schedule, where they bring no money beyond it."""
    deals, fresh = lived.deals, taken(lived)
    old = deals["predecessor"][fresh]
    new_rate = (deals["terms"]["coupon"][fresh] * deals["commitment"][fresh]).sum(axis=1) / deals["commitment"][fresh].sum(axis=1)
    months = deals["issued"][fresh] - deals["delivery"][old]
    owed = deals["commitment"][old] * deals.library.target[deals["kind"][old], months]
    old_rate = (deals["terms"]["coupon"][old] * owed).sum(axis=1) / owed.sum(axis=1)
    alone = deals["commitment"][fresh].sum(axis=1) <= owed.sum(axis=1)
    assert alone.any() and (new_rate < old_rate)[alone].all()


def test_sponsors_take_loans_out_when_they_close_deals(lived):
    sponsors = {operator.party: operator for operator in lived.all("operator", "us")}
    fresh = taken(lived)
    assert len(fresh) > 10
    assert all(
        sponsors[int(party)].closes(int(month))
        for party, month in zip(lived.deals["sponsor"][fresh], lived.deals["issued"][fresh], strict=True)
    )


def test_a_year_of_take_outs_stays_within_the_channels_room(lived):
    """But for the last, for a loan is replaced whole."""
    deals, fresh = lived.deals, taken(lived)
    capacity = lived.menus["us"][ABS].capacity
    for month in range(12, 48):
        year = fresh[(deals["issued"][fresh] > month - 12) & (deals["issued"][fresh] <= month)]
        assert deals["commitment"][year[:-1]].sum() <= capacity.at(month / 12.0) * (1.0 + 1e-9)


def test_take_outs_are_recorded_beside_issuance(lived):
    months, table = (lived.recorder.table(name).to_pandas() for name in ("monthly", "deals"))
    out = table[table["purpose"] == "take_out"]
    notional = (out["notional_senior"] + out["notional_mezzanine"]).sum()
    assert months["securities"].sum() == approx(notional + months["issuance_abs"].sum()) and months[
        "issuance_data_centre_abs"
    ].sum() == approx(notional)
    assert set(out["channel"]) == {"data_centre_abs"} and set(out["sold_as"]) == {"securities"}
    assert (out["refinances"] >= 0).all()
