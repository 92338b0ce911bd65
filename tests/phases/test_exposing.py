"""The network of exposures: what it takes from the books, who fails in it, and what goes on record."""

import numpy as np
from pytest import approx, fixture, raises

from sim.books import audit
from sim.books.deals import BUILDING, OPERATING
from sim.books.lending import lend
from sim.markets import exposures as market
from sim.phases import exposing, hedging
from sim.phases.failing import largest_tenant, recovered, reset
from sim.phases.funding import issue_bonds
from sim.sums import total
from tests.phases.economies import economy_of

ON = "sim.markets.exposures.interval=3"


@fixture(scope="module")
def lived():
    """A small economy after some months, its network taken every month; banks have lent to investors."""
    economy = economy_of(ON, "sim.markets.failures.region=us", "sim.markets.failures.month=4")
    for _ in range(4):
        economy.step()
    people = economy.parties("investor", "us")
    lend(economy.ledger, economy.outside["banks", "us"], people, 1e9 + 1e8 * np.arange(len(people)))
    issue_bonds(economy, "us", economy.all("cloud", "us")[0], 1e8)
    return economy


@fixture(scope="module")
def shot(lived):
    return exposing.snapshot(lived, "us")


def owed(shot: exposing.Snapshot, kind: int) -> float:
    """USD of all claims of a kind."""
    return total(shot.claims.amount[shot.kind == kind])


def table(economy):
    return economy.recorder.table("exposures").to_pandas()


# -- what it takes from the books ----------------------------------------------------------------------------------------


def test_its_notes_are_all_notes_and_its_loans_all_loans_to_investors(lived, shot):
    balance, people = lived.deals["state"]["balance"], lived.parties("investor", "us")
    assert owed(shot, exposing.NOTES) == approx(balance.sum(), rel=1e-12)
    assert owed(shot, exposing.LOANS) == approx(-total(lived.ledger.balance(people, "loans")), rel=1e-12)
    assert owed(shot, exposing.LOANS) > 4e9


def test_a_loan_to_whomever_the_ledger_knows_is_in_it():
    """Lines of funds, loans to labs: whatever the ledger books as a loan."""
    economy = economy_of(ON)
    bank, operator = economy.outside["banks", "us"], int(economy.parties("operator", "us")[0])
    economy.ledger.provide("wholesale_funding", bank, 7e6)
    economy.ledger.pay("loan", bank, operator, 7e6)
    shot = exposing.snapshot(economy, "us")
    mine = (shot.claims.payer == operator) & (shot.kind == exposing.LOANS)
    assert shot.claims.amount[mine] == approx([7e6]) and (shot.claims.payee[mine] == bank).all()


def test_bonds_are_owed_to_those_who_hold_them(lived, shot):
    """To each investor what the book of bonds says, and to savers none; nobody counts them as means besides."""
    mine, owed = shot.kind == exposing.BONDS, lived.bonds.held()
    assert owed.sum() > 0.0
    for holder, amount in zip(lived.bonds.holders, owed, strict=True):
        assert total(shot.claims.amount[mine & (shot.claims.payee == holder)]) == approx(amount)
    people = lived.parties("investor", "us")
    assert shot.going[people] == approx(np.maximum(lived.ledger.cash(people), 0.0))


def test_bonds_without_a_tenor_are_owed_to_savers():
    economy = economy_of(ON, "scenario=two_channels")
    cloud = economy.all("cloud", "us")[0]
    issue_bonds(economy, "us", cloud, 100.0)
    payer, payee, _, amount, _ = exposing._bonds(economy, "us")
    assert payer.tolist() == [cloud.party] and payee.tolist() == [economy.outside["savers", "us"]] and amount.tolist() == [100.0]


def test_seniors_come_before_juniors(lived, shot):
    for k in range(2):
        mine = (shot.kind == exposing.NOTES) & (shot.claims.rank == k)
        assert total(shot.claims.amount[mine]) == approx(lived.deals["state"]["balance"][:, k].sum(), rel=1e-9, abs=1.0)


def test_a_contract_is_worth_what_it_brings_beyond_a_declining_spot(lived):
    """One contract at spot: over its years spot falls by what is believed, the contract does not. Summed day by day."""
    rows = lived.rows("us", OPERATING)
    row, tape, contract = rows[0], lived.tape["us"], lived.contracts
    rent = float(exposing.spot(lived, "us", lived.fleet.deals["vintage"][row : row + 1])[0])
    kept = contract["rent"][row]
    contract["rent"][row] = rent
    payer, payee, _, amount, _ = exposing._contracts(lived, "us")
    contract["rent"][row] = kept
    at = np.flatnonzero(payee == lived.deals["party"][row])
    years, rate, fall = contract["months"][row] / 12, tape.base_rate + tape.spread, tape.depreciation_belief
    t = (np.arange(20000) + 0.5) / 20000 * years
    above = rent * float(((1.0 - np.exp(-fall * t)) * np.exp(-rate * t)).mean()) * years
    expected = lived.fleet.deals["gpus"][row] * lived.params.sim.markets.compute.cover * above
    assert amount[at] == approx([expected], rel=1e-6) and payer[at] == contract["tenant"][row]


def test_who_has_not_failed_goes_on_paying(lived, shot):
    cleared, _, _ = exposing.clear(shot, [])
    tenants = np.concatenate([lived.parties("lab", "us"), lived.parties("cloud", "us")])
    theirs = np.isin(shot.claims.payer, tenants)
    assert theirs.any() and cleared.paid[theirs] == approx(shot.claims.amount[theirs])


def test_a_tenant_that_fails_pays_nothing_of_its_contracts_and_takes_deals_down_with_it(lived, shot):
    calm, _, _ = exposing.clear(shot, [])
    hit, going, sale = exposing.clear(shot, [shot.largest])
    own = (shot.claims.payer == shot.largest) & (shot.kind == exposing.CONTRACT)
    assert shot.largest == largest_tenant(lived, "us", ("lab", "cloud")) and own.any()
    assert hit.paid[own] == approx(0.0, abs=1e-9) and hit.beyond > calm.beyond and hit.rounds >= 2
    assert max(market.breaches(shot.claims, going, sale, hit).values()) <= 1e-9 * total(hit.owed)


def test_a_failed_cloud_pays_what_bondholders_recover(lived, shot):
    cloud = int(lived.parties("cloud", "us")[0])
    mine = shot.claims.payer == cloud
    cleared, _, _ = exposing.clear(shot, [cloud])
    share = recovered(lived, "us", lived.all("cloud", "us")[0])
    bonds = total(shot.claims.amount[mine & (shot.kind == exposing.BONDS)])
    assert total(cleared.paid[mine]) == approx(min(share * bonds, total(shot.claims.amount[mine])), rel=1e-9, abs=1.0)


def test_deals_have_what_their_units_earn_while_they_pay_and_what_a_sale_fetches_once_they_do_not(lived, shot):
    rows = lived.rows("us", OPERATING)
    party = lived.deals["party"][rows]
    assert (shot.sale <= shot.going + 1e-6).all() and (shot.sale[party] < shot.going[party]).any()
    works = lived.rows("us", BUILDING)
    accounts, book = lived.ledger.cash(lived.deals["party"][works]), lived.fleet.deals["book"][works]
    for means in (shot.going, shot.sale):
        assert means[lived.deals["party"][works]] == approx(accounts + book)
    assert (book > 0.0).any()


# -- what goes on record -------------------------------------------------------------------------------------------------


def test_months_at_the_interval_are_on_record_and_what_they_say_is_what_was_cleared(lived):
    found, monthly = table(lived), lived.recorder.table("monthly").to_pandas()
    assert sorted(found["month"].unique()) == [0, 3]
    for scene, name in (("month", "network"), ("largest tenant", "stress")):
        sums = found[found["scene"] == scene].groupby("month")[["amount", "paid"]].sum()
        for month, row in sums.iterrows():
            here = monthly[monthly["month"] == month].iloc[0]
            assert row["amount"] == approx(here["network_owed"], rel=1e-12)
            assert row["amount"] - row["paid"] == approx(here[f"{name}_short"], rel=1e-9, abs=1.0)
            first, short = here[f"{name}_first"], here[f"{name}_short"]
            assert 0.0 <= first <= short + 1.0
            assert first == 0.0 or here[f"{name}_contagion"] == approx((short - first) / first, rel=1e-6)


def test_a_month_in_which_a_tenant_fails_is_on_record_with_what_it_leaves_unpaid():
    """By script, in a month that is not at the interval; before it fails its contracts are those of the month's start."""
    economy = economy_of("sim.markets.exposures.interval=100", "sim.markets.failures.region=us", "sim.markets.failures.month=4")
    for _ in range(5):
        largest = largest_tenant(economy, "us", ("lab", "cloud"))
        economy.step()
    found = table(economy)
    assert sorted(found["month"].unique()) == [0, 4] and economy.failed == {largest}
    member = economy.ledger.members[largest]
    mine = found[(found["month"] == 4) & (found["scene"] == "month") & (found["payer"] == f"{member.kind} {member.name}")]
    contracts = mine[mine["kind"] == "contract above spot"]
    assert contracts["amount"].sum() > 0.0 and contracts["paid"].sum() == approx(0.0, abs=1.0)
    unpaid = found[(found["month"] == 4) & (found["scene"] == "month")]
    assert (unpaid["amount"] - unpaid["paid"]).sum() > contracts["amount"].sum()


def test_payments_that_do_not_settle_stop_the_run(lived, monkeypatch):
    def wrong(*arguments):
        cleared = clear(*arguments)
        return cleared._replace(paid=cleared.paid * 1.0001)

    clear = market.clear
    monkeypatch.setattr(market, "clear", wrong)
    lived.snapshots = {"us": exposing.snapshot(lived, "us")}
    lived.facts["us"].setdefault("defaults", 0.0)
    with raises(audit.BooksDoNotBalance, match="exposures: nobody pays more than"):
        audit.check(exposing.settle(lived))


def test_nothing_is_looked_at_while_it_is_off():
    economy = economy_of()
    economy.step()
    assert not economy.snapshots and table(economy).empty
    assert np.isnan(economy.recorder.table("monthly").to_pandas()["network_owed"]).all()


def test_the_network_moves_nothing():
    """The same months with and without: a measure beside the books."""
    lives = [economy_of(), economy_of(ON)]
    for economy in lives:
        for _ in range(4):
            economy.step()
    a, b = (economy.ledger.balances for economy in lives)
    assert np.array_equal(a, b)


def test_a_fork_clears_what_the_original_does():
    lines = ("sim.markets.exposures.interval=1", "sim.markets.exposures.rents=cleared", "sim.markets.insurers.floor=2")
    economy = economy_of(*lines)
    for _ in range(3):
        economy.step()
    fork = economy.fork()
    for life in (economy, fork):
        for _ in range(3):
            life.step()
    found = table(economy)
    assert found[found["month"] >= 3].reset_index(drop=True).equals(table(fork)) and len(table(fork)) > 0


def test_failed_tenants_are_known_until_the_month_is_over(lived):
    rows = lived.rows("us", OPERATING)[:1]
    reset(lived, "us", rows)
    assert lived.failed == {int(lived.contracts["tenant"][rows[0]])}


def test_sellers_of_protection_pay_what_the_network_clears_to():
    """The one settlement of the month in which debtors may lack cash: two sellers, three investors, a loss beyond one's means."""
    economy = economy_of("sim.markets.protection.most=0.8")
    economy.clock = economy.burn_in
    hedging._found(economy, "us", hedging._debts(economy, "us"))
    book = economy.protection["us"]
    amounts = np.zeros_like(book.net)
    amounts[:3, 0, 0], amounts[0, 1, 0] = (4e9, 2e9, 1e9), 3e6
    book.trade(amounts, np.zeros(amounts.shape[2]))
    has = economy.ledger.cash(book.sellers[:2])
    rows = economy.sponsored("operator", "us", economy.rows("us"))
    first = rows[economy.deals["sponsor"][rows] == economy.parties("operator", "us")[0]]
    economy.deals["lost"][first, 0] += economy.deals["state"]["balance"][first, 0]
    before = economy.ledger.cash(book.investors[:3])
    loans = economy.ledger.balance(book.investors[:3], "loans")
    hedging._settle(economy, "us")
    owed = amounts[:3, :2, 0] / 2.0
    payee, payer = (side.ravel() for side in np.meshgrid(range(3), (3, 4), indexing="ij"))
    claims = market.Claims(payer, payee, np.zeros(6, dtype=int), owed.ravel())
    means = np.concatenate([np.zeros(3), has])
    cleared = market.clear(claims, means, means)
    got = economy.ledger.cash(book.investors[:3]) - before + economy.ledger.balance(book.investors[:3], "loans") - loans
    assert cleared.short > 1e9
    assert got == approx(np.bincount(payee, cleared.paid, 5)[:3], rel=1e-9, abs=1.0)
