"""Clouds as tenants of operators' deals, and as guarantors of what units fetch."""

import numpy as np
from pytest import approx, fixture, mark

from sim.books.deals import BUILDING, OPERATING
from sim.build import build
from sim.compose import resolve
from sim.phases import anchoring
from sim.phases.collateral import package, package_new
from sim.phases.rating import tenants
from sim.phases.using import _default

SMALL = ("size=class", "horizon_years=3", "sim.build.burn_in=0")


def lived(region: str, scenario: str, months: int):
    economy = build(resolve([*SMALL, f"regions=[{region}]", f"scenario={scenario}"]))
    for _ in range(months):
        economy.step()
    return economy


@fixture(scope="module")
def china():
    return lived("china", "free_choice", 30)


def let(economy, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Budgets (n,) of a channel's deals, and which of them clouds rent."""
    region = economy.regions[0]
    channel = [c.name for c in economy.menus[region]].index(name)
    deals = economy.deals
    rows = np.flatnonzero((deals["channel"] == channel) & (deals["predecessor"] < 0) & (deals["issued"] >= 0))
    return deals["budget"][rows], np.isin(economy.contracts["tenant"][rows], economy.parties("cloud", region))


@mark.parametrize(("name", "share"), [("lease", 0.75), ("policy_bank", 0.25)])
def test_clouds_rent_their_share_of_a_channels_deals(china, name, share):
    """By cost, to the nearest deal: the largest deal is the most by which it can miss."""
    budget, clouds = let(china, name)
    assert len(budget) > 5 and abs(budget[clouds].sum() - share * budget.sum()) <= budget.max()


def test_clouds_pay_their_contracts_and_collect_spot_rents_and_nothing_stays_on_the_exchange(china):
    months, flows = (china.recorder.table(name).to_pandas() for name in ("monthly", "flows"))
    paid = flows[(flows["flow"] == "contract_rent") & (flows["payer"] == "cloud")]["usd"].sum()
    assert months["anchor_rent"].sum() == approx(paid) and paid > 0.0
    assert float(china.ledger.cash(china.outside["exchange", "china"])) == approx(0.0, abs=1.0)


def test_clouds_without_cash_borrow_for_rents_and_keep_what_their_own_units_cost():
    """30 of rent, 12 collected, 5 to keep: bonds of 23 leave 5."""
    economy = build(resolve([*SMALL, "regions=[china]", "scenario=free_choice"]))
    economy.facts, ledger = {"china": {}}, economy.ledger
    cloud, exchange = economy.all("cloud", "china")[0], economy.outside["exchange", "china"]
    ledger.pay("payout", cloud.party, economy.outside["savers", "china"], float(ledger.cash(cloud.party)))
    ledger.provide("income", exchange, 12e9)
    before = float(ledger.balance(cloud.party, "bonds"))
    deal = economy.deals["party"][:1]
    anchoring.pay_rents(economy, "china", np.array([cloud.party]), deal, *np.array([[30e9], [12e9], [0.0], [5e9]]))
    assert float(ledger.cash(cloud.party)) == approx(5e9) and float(ledger.balance(cloud.party, "bonds")) - before == approx(-23e9)


def test_a_labs_failure_leaves_contracts_of_clouds_as_they_are(china):
    """Robbed of its cash, a lab fails; contracts that it holds fall to spot, those of clouds stay."""
    rows = china.rows("china", BUILDING, OPERATING)
    clouds = np.isin(china.contracts["tenant"][rows], china.parties("cloud", "china"))
    china.contracts["rent"][rows] = 1e6
    labs = china.parties("lab", "china")
    china.facts = {"china": {}}
    _default(china, "china", np.ones(len(labs), dtype=bool))
    assert (china.contracts["rent"][rows[clouds]] == 1e6).all() and (china.contracts["rent"][rows[~clouds]] < 1e6).all()


def test_agencies_see_clouds_as_better_tenants(china):
    """Labs fail at 1 % a year, clouds at 0.08 %; a new lease is let three quarters to a cloud."""
    seen = tenants(china, "china")
    count = len(china.all("lab", "china"))
    assert 1.0 - np.exp(-12.0 * seen.hazard) == approx([0.01] * count + [0.0008] * len(china.all("cloud", "china")))
    new = package_new(china, "china", tenant=0)
    lease = [c.name for c in china.menus["china"]].index("lease")
    assert new.tenant[lease].tolist() == [0, count] and new.share[lease] == approx([0.882 * 0.25, 0.882 * 0.75])


@fixture(scope="module")
def us():
    return lived("us", "free_choice", 24)


def spv_row(economy) -> int:
    """A running deal of a single-campus company."""
    channel = [c.name for c in economy.menus["us"]].index("spv")
    rows = economy.rows("us", OPERATING)
    return int(rows[economy.deals["channel"][rows] == channel][0])


def test_the_tenant_guarantees_half_of_cost(us):
    """The strike is 0.5 of the pool at closing, the guarantor the tenant; without a guarantee there is none."""
    row, deals = spv_row(us), us.deals
    assert deals["terms"]["guarantee_strike"][row] == approx(0.5 * deals["terms"]["pool_at_closing"][row])
    both = package(us, "us", np.array([row, us.rows("us", OPERATING)[0]]))
    assert both.guarantor[0] == both.tenant[0, 0] >= len(us.all("lab", "us")) and both.guarantor[1] == -1


def test_a_sale_below_the_guaranteed_value_is_made_good_by_the_cloud():
    """An SPV past its legal final is sold: what the sale lacks of half of cost comes from its tenant, and the books balance."""
    economy = lived("us", "free_choice", 24)
    row = spv_row(economy)
    deals, strike = economy.deals, float(economy.deals["terms"]["guarantee_strike"][row])
    deals["terms"]["legal_final"][row], deals["terms"]["liquidation_lag"][row] = deals["state"]["age"][row] + 1, 1
    while not deals["state"]["sold"][row]:
        economy.step()
    months, flows = (economy.recorder.table(name).to_pandas() for name in ("monthly", "flows"))
    fetched = float(deals["payment"]["sale_proceeds"][row])
    assert 0.0 < fetched < strike and months["guarantees"].iloc[-1] == approx(strike - fetched)
    paid = flows[(flows["flow"] == "guarantee") & (flows["payer"] == "cloud") & (flows["payee"] == "deal")]["usd"]
    assert paid.sum() == approx(strike - fetched)


def test_without_anchored_channels_only_labs_are_tenants():
    economy = build(resolve([*SMALL, "regions=[us]", "scenario=two_channels"]))
    assert not anchoring.anchored(economy, "us") and len(tenants(economy, "us").hazard) == len(economy.all("lab", "us"))
    assert package_new(economy, "us", tenant=0).tenant.shape[1] == 1
