"""What sponsors stand behind beside their balance sheets, who knows of it, and what they make of it."""

import numpy as np
from pytest import approx, fixture, mark

from sim.books.deals import OPERATING
from sim.compose import resolve
from sim.markets import guarantees
from sim.phases import disclosing
from sim.phases.funding import issue_bonds, other_business
from sim.phases.pricing import _mark
from sim.phases.rating import tenants
from tests.phases.economies import economy_of

P = resolve([]).sim.markets.guarantees
TRUE = "sim.markets.guarantees.seen=all"


@fixture
def standing():
    """A small economy: a running deal, of its own, that owes 300 and may draw 100; a guaranteed campus owes 1,000."""
    economy = economy_of(TRUE)
    deals, rows = economy.deals, economy.rows("us", OPERATING)
    deals["state"]["balance"][:], deals["undrawn"][:], deals["collected"][:] = 0.0, 0.0, 0.0
    own, apart = rows[:2]
    operator, cloud = economy.all("operator", "us")[0], economy.all("cloud", "us")[0]
    deals["sponsor"][[own, apart]] = operator.party
    deals["channel"][apart] = [c.name for c in economy.menus["us"]].index("spv")
    deals["state"]["balance"][own, 0], deals["undrawn"][own, 1], deals["state"]["balance"][apart, 0] = 300.0, 100.0, 1_000.0
    deals["terms"]["guarantee_strike"][apart] = 550.0
    economy.contracts["tenant"][apart] = cloud.party
    deals["collected"][[own, apart]] = [4.0, 6.0]
    return economy, operator, cloud, own, apart


def test_an_operator_reports_its_own_deals_and_hides_the_campus(standing):
    """400 of its own are reported, the campus's 1,000 are beside; earnings are twelve months of 4 and 6."""
    economy, operator, *_ = standing
    found = disclosing.operators(economy, "us")
    assert [a[0] for a in found] == approx([120.0, 400.0, 1_000.0, 0.0]) and not found.beside[1:].any()
    assert operator.number == 0


def test_site_leases_stand_beside_at_their_present_value(standing):
    """120 a year for a year at 12 %: 10 a month, an annuity of 11.2551, from a table; the other operator's lease has ended."""
    economy, operator, *_ = standing
    economy.publish("us", base_rate=0.04, spread=0.08)
    for party, end in ((operator.party, 12), (economy.all("operator", "us")[1].party, 0)):
        economy.leases.add(1, operator=party, deal=-1, region=0, room=1.0, rent=120.0, end=end)
    assert disclosing.operators(economy, "us").beside[:2] == approx([1_000.0 + 112.551, 0.0], rel=1e-6)


def test_a_cloud_stands_behind_notes_whose_value_it_guarantees_and_rents_of_the_rest(standing):
    """The campus: its notes, not its rents. Another deal, let for a month: 2 GPUs, half covered, at 1,200 a year: 100 / 1.01."""
    economy, _, cloud, own, apart = standing
    economy.publish("us", base_rate=0.04, spread=0.08)
    economy.contracts["tenant"][own], economy.contracts["rent"][own], economy.contracts["months"][own] = cloud.party, 1_200.0, 1
    economy.fleet.deals["gpus"][own] = 2.0 * 0.5 / economy.params.sim.markets.compute.cover
    found = disclosing.clouds(economy, "us")
    assert found.beside == approx([1_000.0 + 100.0 / 1.01]) and found.guaranteed == approx([550.0])
    assert found.earnings == approx([other_business(economy, "us", cloud)]) and found.reported == approx([0.0])
    economy.deals["state"]["guarantee_called"][apart] = True
    assert disclosing.clouds(economy, "us").guaranteed == approx([0.0])


@mark.parametrize(("lag", "known"), [(0, [10.0, 20.0, 30.0, 40.0]), (1, [0.0, 10.0, 20.0, 30.0]), (3, [0.0, 0.0, 0.0, 10.0])])
def test_what_stands_beside_is_seen_months_later(standing, lag, known):
    cloud, seen = standing[2], []
    for beside in (10.0, 20.0, 30.0, 40.0):
        cloud.file(1.0, 0.0, beside, 0.0, lag)
        seen.append(cloud.shown)
    assert seen == known


def test_a_call_shows_all_at_once_and_for_good(standing):
    cloud = standing[2]
    cloud.file(1.0, 0.0, 70.0, 0.0, 24)
    assert cloud.shown == 0.0
    cloud.call()
    assert cloud.shown == 70.0
    cloud.file(1.0, 0.0, 90.0, 0.0, 24)
    assert cloud.shown == 90.0


@mark.parametrize(("seen", "years"), [("reported", 2.0), ("all", 5.0)])
def test_others_count_what_is_reported_or_what_they_know(seen, years):
    """Earnings of 100, 200 reported, 400 beside of which 300 are known."""
    economy = economy_of(f"sim.markets.guarantees.seen={seen}")
    cloud = economy.all("cloud", "us")[0]
    cloud.earnings, cloud.reported, cloud.beside, cloud.shown = 100.0, 200.0, 400.0, 300.0
    assert disclosing.seen(economy, "cloud", "us") == approx([years])


def test_debts_without_earnings_have_no_end():
    assert guarantees.leverage([0.0, 5.0, 5.0], [0.0, 0.0, 2.0]).tolist() == [0.0, np.inf, 2.5]


def test_agencies_see_more_risk_in_a_cloud_beyond_calm_debts():
    """0.001 at one year of earnings or less; e^(0.4 x 2) times that at three; never more than the cap."""
    p = P.model_copy(update={"calm": 1.0, "sensitivity": 0.4, "most_default": 0.25})
    found = guarantees.default_probability(p, 0.001, np.array([0.0, 1.0, 3.0, 50.0, np.inf]))
    assert found == approx([0.001, 0.001, 0.001 * np.exp(0.8), 0.25, 0.25])


def test_ratings_take_the_tenants_default_probability_from_its_debts():
    """Four years of earnings, three beyond calm: 0.0008 e^1.2; labs stay at 1 %; where nobody looks it is 0.0008."""
    for line, expected in ((TRUE, 0.0008 * np.exp(0.4 * 3.0)), ("sim.markets.guarantees.seen=nothing", 0.0008)):
        economy = economy_of(line, "scenario=free_choice")
        cloud = economy.all("cloud", "us")[0]
        cloud.earnings, cloud.reported, cloud.shown = 100.0, 100.0, 300.0
        labs = len(economy.all("lab", "us"))
        chance = 1.0 - np.exp(-12.0 * tenants(economy, "us").hazard)
        assert chance == approx([0.01] * labs + [expected])


def test_lenders_add_a_premium_for_debts_beyond_the_usual():
    p = P.model_copy(update={"calm_operator": 5.0, "slope": 0.005, "most_premium": 0.07})
    assert guarantees.premium(p, np.array([0.0, 5.0, 7.0, 100.0, np.inf])) == approx([0.0, 0.0, 0.01, 0.07, 0.07])
    assert not guarantees.premium(p.model_copy(update={"slope": 0.0}), np.array([100.0, np.inf])).any()


def test_new_deals_of_an_indebted_sponsor_pay_more_and_are_marked_at_it(standing):
    """Debts of 9 years of earnings, 4 beyond: 2 % more on both classes of its deal, and on no other's."""
    economy, operator, _, own, _ = standing
    operator.earnings, operator.reported, operator.shown = 10.0, 40.0, 50.0
    other = int(economy.rows("us", OPERATING)[economy.deals["sponsor"][economy.rows("us", OPERATING)] != operator.party][0])
    rows, before = np.array([own, other]), economy.deals["terms"]["coupon"][[own, other]].copy()
    disclosing.charge(economy, "us", rows)
    assert economy.deals["terms"]["coupon"][rows] - before == approx(np.array([[0.02, 0.02], [0.0, 0.0]]))
    assert economy.deals["surcharge"][rows] == approx([0.02, 0.0])
    economy.publish("us", base_rate=0.04, spread=0.08)
    yields = economy.deals.yields(economy.params.sim.books.deals, economy.deals["kind"][rows], 0.04, 0.08)
    economy.deals["terms"]["coupon"][rows] = yields + np.array([[0.02], [0.0]])
    _mark(economy, "us")
    assert economy.deals["price"][rows] == approx(np.ones((2, 2)))


def test_bondholders_ask_for_what_they_know_a_cloud_stands_behind(standing):
    """1 bn more known, over a year of other earnings, at the slope of bonds."""
    economy, _, cloud, *_ = standing
    plain = bond_spread(economy, cloud)
    cloud.shown = 1e12
    added = cloud.params.bond_slope * 1e12 / other_business(economy, "us", cloud)
    assert bond_spread(economy, cloud) - plain == approx(added, rel=1e-6)


def bond_spread(economy, cloud) -> float:
    """Of a bond of 1 USD that is sold now, over the base rate."""
    economy.allotment["us"][0] /= economy.allotment["us"][0].sum()
    issue_bonds(economy, "us", cloud, 1.0)
    return float(economy.bonds["coupon"][-1]) - economy.tape["us"].base_rate
