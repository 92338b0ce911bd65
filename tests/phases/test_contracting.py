"""Tenants and landlords: contracts above spot give way to tenants who burn cash."""

import numpy as np
from pytest import approx, fixture, mark

from sim.books.deals import BUILDING, OPERATING
from sim.compose import resolve
from sim.markets import contracts
from sim.phases.contracting import _meet, renegotiate
from sim.phases.renting import spot
from sim.phases.using import _default
from tests.phases.economies import economy_of

CONTRACTS = resolve([]).sim.markets.contracts


@fixture
def pressed():
    """One lab burns its cash many times over and must be heard; the others burn nothing. All contracts are far above spot."""
    economy = economy_of(
        "sim.markets.contracts.renegotiation=20", "sim.markets.contracts.concession=0.4", "agents.operators.anchor_share=1"
    )
    labs = economy.all("lab", "us")
    labs[0].burn = 100.0 * float(economy.ledger.cash(labs[0].party))
    economy.contracts["rent"][:] = 4e4
    return economy, labs[0]


def test_each_landlord_and_tenant_have_a_draw_of_their_own(pressed):
    """That of the landlord's key at the tenant's number, whoever else there is."""
    economy, lab = pressed
    lab.burn = 0.3 * float(cash(economy)[0])
    landlords = economy.keys("operator", "us")
    chance = contracts.renegotiation_chance(
        CONTRACTS.model_copy(update={"renegotiation": 20.0}), np.array([lab.burn]), cash(economy)
    )
    met, many = np.zeros((len(landlords), len(economy.all("lab", "us"))), dtype=int), 40
    for economy.clock in range(many):
        drawn = economy.streams.uniform("renegotiation", economy.clock, landlords, lab.number)
        found = _meet(economy, "us")
        assert found[:, 0].tolist() == (drawn < chance[0]).tolist() and not found[:, 1:].any()
        met += found
    assert met[:, 0].min() > 0 and met[:, 0].max() < many


def cash(economy) -> np.ndarray:
    return economy.ledger.cash(economy.parties("lab", "us"))[:1]


def test_the_hazard_is_in_proportion_to_burn_over_cash():
    """Half a renegotiation a year at a year's burn over cash of 2: 1 a year, 1 - exp(-1/12) a month. Who earns is never heard."""
    p = CONTRACTS.model_copy(update={"renegotiation": 0.5})
    chance = contracts.renegotiation_chance(p, np.array([2e9, -2e9]), np.array([1e9, 1e9]))
    assert chance == approx([1.0 - np.exp(-1.0 / 12.0), 0.0])


def test_a_renegotiation_gives_up_part_of_the_rent_above_spot():
    """40 % of 20,000 less spot, for the tenant that burns; the others' contracts stay."""
    p = CONTRACTS.model_copy(update={"concession": 0.4})
    assert contracts.conceded(p, np.array([2e4, 5e3]), np.array([1e4, 1e4])) == approx([4e3, 0.0])


def test_only_the_tenant_that_burns_cash_is_heard_and_the_month_records_it(pressed):
    economy, lab = pressed
    renegotiate(economy, "us")
    rows = economy.rows("us", OPERATING)
    vintage, gpus = economy.fleet.deals["vintage"][rows], economy.fleet.deals["gpus"][rows]
    cut = 0.4 * (4e4 - spot(economy, "us", vintage))
    own = economy.contracts["tenant"][rows] == lab.party
    assert economy.contracts["rent"][rows] == approx(np.where(own, 4e4 - cut, 4e4))
    building = economy.rows("us", 0)
    assert (economy.contracts["rent"][building] < 4e4).any()
    assert economy.facts["us"]["rent_conceded"] >= (cut * gpus * own).sum() * economy.params.sim.markets.compute.cover
    assert economy.facts["us"]["renegotiations"] > own.sum()


def test_each_pair_of_landlord_and_tenant_has_its_own_draw(pressed):
    """A chance of one half a month: none, one or both of the two landlords hear it; the same month draws the same again."""
    economy, lab = pressed
    lab.burn = 12.0 * np.log(2.0) / 20.0 * float(economy.ledger.cash(lab.party))

    def heard(clock: int) -> set[int]:
        economy.clock, economy.contracts["rent"][:] = clock, 4e4
        renegotiate(economy, "us")
        return set(economy.deals["sponsor"][economy.contracts["rent"] < 4e4].tolist())

    found = [heard(clock) for clock in range(24)]
    assert {len(landlords) for landlords in found} == {0, 1, 2}
    assert found == [heard(clock) for clock in range(24)]


@mark.parametrize("coefficient", [0.0, 5.0])
def test_without_a_hazard_contracts_hold(coefficient):
    """Every lab burns its cash in a year: at a coefficient of 0 no rent moves within a year, at 5 some do."""
    economy = economy_of(f"sim.markets.contracts.renegotiation={coefficient}")
    for lab in economy.all("lab", "us"):
        lab.burn = float(economy.ledger.cash(lab.party))
    economy.contracts["rent"][:] = 4e4
    for economy.clock in range(12):
        renegotiate(economy, "us")
    assert (economy.contracts["rent"] == 4e4).all() == (coefficient == 0.0)


def test_contracts_of_a_failed_tenant_fall_to_spot_also_where_the_units_are_not_delivered_yet():
    """Never to nothing; contracts below spot, and those of other tenants, stay."""
    economy = economy_of()
    labs, rows = economy.parties("lab", "us"), economy.rows("us", BUILDING, OPERATING)
    rent, market = economy.contracts["rent"], spot(economy, "us", economy.fleet.deals["vintage"][rows])
    rent[rows] = np.where(np.arange(len(rows)) % 2 == 0, 1.5, 0.5) * market
    before, failed = rent[rows].copy(), np.array([True] + [False] * (len(labs) - 1))
    own = economy.contracts["tenant"][rows] == labs[0]
    _default(economy, "us", failed)
    assert rent[rows] == approx(np.where(own, np.minimum(before, market), before))
    assert own[economy.deals["stage"][rows] == BUILDING].any()
