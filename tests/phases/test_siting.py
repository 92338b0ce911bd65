"""Building by stage: sites begun ahead, connected one by one, taken in turn; orders without one slip and are paid by stage."""

import numpy as np
from pytest import approx, fixture, raises

from sim.books.deals import BUILDING
from sim.books.fleet import BEFORE
from sim.compose import resolve
from sim.markets import construction
from sim.mistakes import Mistakes
from sim.phases import siting
from sim.phases.paying import bills, cloud_bills
from tests.phases.economies import economy_of

ON = "sim.markets.construction.shell=21"
P = resolve([ON]).sim.markets.construction


@fixture
def staged():
    """A small economy at its start whose orders wait for sites."""
    return economy_of(ON)


def close_one(economy) -> int:
    """Live months until a deal closes; its row, newest first."""
    while True:
        economy.facts = {region: {} for region in economy.regions}
        economy.step()
        rows = economy.rows("us", BUILDING)
        fresh = rows[economy.deals["issued"][rows] == economy.clock - 1]
        if len(fresh):
            return int(fresh[0])


def test_sites_begun_ahead_keep_up_with_orders_that_grow_as_foreseen():
    """At 30 % a year: sum over ages of exp(-0.3 age) times what gets power then, times the lead, is 1 within a month's growth."""
    age = np.arange(3000)
    power = construction.standing(P, age) - construction.standing(P, age + 1)
    p = P.model_copy(update={"foresight": 1.0})
    reached = (np.exp(-0.3 * age / 12.0) * power).sum() * construction.lead(p, 0.3)
    assert reached == approx(1.0, rel=0.02)
    assert construction.lead(p, 0.3) == approx(np.exp(0.3 * 21 / 12) * (1 + 0.3 / 0.25))
    assert construction.lead(p, -0.1) == 1.0


def test_builders_add_what_is_short_over_their_patience_and_never_tear_down():
    """100 a month without growth, 36 short over 36 months: 101; with 7,200 too many 100 - 200 < 0: nothing."""
    assert construction.begun(P, 100.0, 0.0, 36.0, 0.0) == approx(101.0)
    assert construction.begun(P, 100.0, 0.0, 0.0, 7200.0) == 0.0


def test_who_comes_later_does_not_overtake():
    """Room for 10: 4 and 5 are served, 7 is not, nor the 1 behind it."""
    assert construction.served(np.array([4.0, 5.0, 7.0, 1.0]), 10.0).tolist() == [True, True, False, False]


def test_an_order_is_paid_once_by_stage_on_time_or_late():
    """0.35 to builders over six months, 0.05 to utilities with the first chips, 0.60 to the vendor over three; two late: a gap."""

    def paid(late: int) -> np.ndarray:
        months = np.arange(9 + late)
        until = np.where(months < 6, 9 - months, np.minimum(9 + late - months, 9))
        return construction.installments(P, 9, 0.6, 0.05, months, until)

    for late in (0, 2):
        parts = paid(late)
        assert parts.sum(axis=0) == approx([0.35, 0.05, 0.60])
        assert parts[:6, 0] == approx(0.35 / 6) and (parts[6 : 6 + late] == 0.0).all()
        assert parts[6 + late :, 2] == approx(0.2) and parts[6 + late, 1] == approx(0.05)


def test_no_shell_gets_power_before_it_stands_and_then_one_in_forty_eight_a_month():
    """100,000 shells; the chance is 1 - exp(-0.25 / 12) = 0.0206, its error 0.0004."""
    economy = economy_of(ON)
    economy.sites["size"][:] = 0.0
    economy.sites.begin(0, 0, 1e5, 100_000)
    economy.clock, economy.sites.ready[0] = 20, 0.0
    siting._connect(economy, "us")
    assert economy.sites.ready[0] == 0.0
    economy.clock = 21
    siting._connect(economy, "us")
    assert economy.sites.ready[0] / 1e5 == approx(1.0 - np.exp(-0.25 / 12.0), abs=0.0015)


def test_a_sites_wait_for_power_does_not_depend_on_other_sites(staged):
    """The same month, the same sites, half of them gone: what is left gets power as before."""
    other = economy_of(ON)
    rows = staged.sites.unpowered(0)
    gone = rows[::2]
    other.sites["size"][gone] = 0.0
    for economy in (staged, other):
        economy.clock = 5
        siting._connect(economy, "us")
    left = rows[1::2]
    assert (staged.sites["size"][left] == other.sites["size"][left]).all() and (staged.sites["size"][left] == 0.0).any()


def test_an_order_without_a_site_slips_by_a_month_for_newer_chips_of_the_same_worth(staged):
    """Chips must be begun three months before delivery: from then on each month without a site moves the deal by one."""
    row = close_one(staged)
    deals, units, contracts = staged.deals, staged.fleet.deals, staged.contracts
    deals["waits"][row], delivery = True, int(deals["delivery"][row])
    staged.clock = delivery - 4
    siting._slip(staged, "us")
    assert deals["delivery"][row] == delivery
    staged.clock = delivery - 3
    vintage = int(units["vintage"][row])
    staged.fleet.frontier[vintage + 1] = staged.fleet.frontier[vintage] + 0.02
    gpus, worth = float(units["gpus"][row]), float(units["gpus"][row] * contracts["rent"][row])
    bought, count = staged.fleet.bought, staged.fleet.count()
    siting._slip(staged, "us")
    assert deals["delivery"][row] == delivery + 1 and units["vintage"][row] == vintage + 1
    assert units["gpus"][row] == approx(gpus * np.exp(0.02))
    assert units["gpus"][row] * contracts["rent"][row] == approx(worth)
    assert staged.fleet.bought - bought == approx(staged.fleet.count() - count)


def test_sites_go_to_the_oldest_order_and_to_clouds_before_deals_of_a_month(staged):
    """A cloud's order of 10 and a deal's of 20 in one month, a deal's of 1 before: room for 12 serves 1 and 10, and 1 is left."""
    row = close_one(staged)
    deals, sites, fleet = staged.deals, staged.sites, staged.fleet
    deals["waits"][:], sites.waits[:] = False, False
    older = int(staged.rows("us", BUILDING)[0])
    deals["waits"][[row, older]], deals["housed"][[row, older]], deals["issued"][[row, older]] = True, [20.0, 1.0], [1, 0]
    sites.waits[0, BEFORE + 1], fleet.order_value[0, BEFORE + 1] = True, 10.0
    sites.ready[0] = 12.0
    assert siting._allot(staged, "us") == approx(20.0)
    assert sites.ready[0] == approx(1.0)
    assert deals["waits"][row] and not deals["waits"][older] and not sites.waits.any()


def test_a_run_by_stage_pays_every_deal_its_budget_and_loses_no_site():
    """Three years with few sites, so that orders wait: deals delivered have cost their budget and interest; sites add up."""
    economy = economy_of(ON, "sim.markets.construction.foresight=0.3")
    began = economy.sites.ready[0] + economy.sites["size"].sum()
    taken = 0.0
    for _ in range(36):
        before = economy.sites.ready[0] + economy.sites["size"].sum()
        economy.step()
        facts = economy.facts["us"]
        taken += before + facts["sites_begun"] + facts["sites_freed"] - economy.sites.ready[0] - economy.sites["size"].sum()
    monthly = economy.recorder.table("monthly").to_pandas()
    flows = economy.recorder.table("flows").to_pandas()
    deals, units = economy.deals, economy.fleet.deals
    kept = units["gpus"] > 0.0  # not with a deal that has taken them out
    done = np.flatnonzero((deals["issued"] >= 0) & (deals["stage"] > BUILDING) & (deals["predecessor"] < 0) & kept)
    late = deals["delivery"][done] - deals["issued"][done] - 9
    before = np.flatnonzero((deals["issued"] < 0) & (deals["delivery"] > 0) & kept)  # under way at the start: paid in equal parts
    assert len(before) > 0 and (units["cost"][before] >= deals["budget"][before] * (1 - 1e-12)).all()
    assert monthly["orders_waiting"].max() > 0.0 and late.max() > 0
    assert (units["cost"][done] >= deals["budget"][done] * (1 - 1e-12)).all() and (deals["undrawn"][done] < 1.0).all()
    assert began + taken > 0.0 and taken > 0.0
    housed = deals["housed"][(deals["issued"] >= 0) & ~deals["waits"]].sum()
    ordered = monthly["orders"].sum()
    assert taken <= ordered and taken > housed
    paid = flows[flows["payer"].isin(["deal", "cloud"])].groupby("flow")["usd"].sum()
    assert paid[["hardware", "shell", "grid"]].sum() == approx(monthly["capex"].sum())
    assert paid["hardware"] == approx(monthly["vendor_revenue"].sum())
    assert monthly["audit_gap"].max() < 1e-9


def test_units_that_retire_leave_room_for_what_their_order_cost_failed_ones_included(staged):
    """1,000 ordered at today's cost; 7 % a year of them have failed over 84 - 9 months: what is left frees all their room."""
    p = staged.params.sim.markets
    row, cost = staged.rows("us", 1)[:1], p.hardware.cost("us")
    staged.fleet.deals["gpus"][row], staged.fleet.deals["vintage"][row] = 1e3 * (1.0 - p.compute.wear / 12.0) ** 75, BEFORE
    ready = float(staged.sites.ready[0])
    siting.free_sites(staged, row)
    assert staged.sites.ready[0] - ready == approx(1e3 * cost) and staged.facts["us"]["sites_freed"] == approx(1e3 * cost)


def test_bills_of_a_month_add_up_to_its_parts(staged):
    row = np.array([close_one(staged)])
    bill, drawn = bills(staged, row)
    cost, commitment = staged.deals["budget"][row], staged.deals["commitment"][row]
    assert bill.cost == approx(cost * 0.35 / 6) and drawn == approx(commitment * 0.35 / 6)
    assert bill.cost == approx(bill.builders + bill.utilities + bill.vendor)
    cloud = cloud_bills(staged)[0]
    assert cloud.cost == approx(cloud.builders + cloud.utilities + cloud.vendor) and cloud.hardware == approx(cloud.vendor)


def test_without_the_shell_stage_nothing_waits_and_no_site_is_begun():
    economy = economy_of()
    for _ in range(12):
        economy.step()
    monthly = economy.recorder.table("monthly").to_pandas()
    flows = economy.recorder.table("flows").to_pandas()
    assert not monthly[["sites_begun", "sites_ready", "sites_underway", "orders_waiting"]].any(axis=None)
    assert len(economy.sites) == 0 and "grid" not in set(flows["flow"])
    assert monthly["delivery_delay"].fillna(0.0).eq(0.0).all()


def test_stages_that_leave_no_time_to_fit_a_shell_out_are_refused():
    with raises(Mistakes, match=r"chips 9 must lie below agents\.operators\.build 9"):
        resolve([ON, "sim.markets.construction.chips=9"])
    with raises(Mistakes, match="exceed all of the cost"):
        resolve([ON, "sim.markets.construction.grid_share=0.45"])
