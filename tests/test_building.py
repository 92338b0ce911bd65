"""Stages of building, leases of sites and parts of units together, in both regions."""

import numpy as np
from pytest import approx, fixture, raises

from sim.books import audit
from sim.books.deals import OPERATING
from sim.build import build
from sim.compose import resolve
from sim.phases.building import _distress
from sim.phases.closing import cloud_parties

ALL = (
    *("size=class", "horizon_years=3", "sim.build.burn_in=0", "scenario=separate_parts"),
    *("sim.markets.construction.shell=21", "sim.markets.leases.share=0.7"),
)


@fixture(scope="module")
def run():
    """Two years of it."""
    economy = build(resolve(ALL))
    for _ in range(24):
        economy.step()
    return economy


def checked(economy) -> float:
    landlords = [economy.outside["landlords", region] for region in economy.regions]
    books = (economy.ledger, economy.deals, economy.fleet, cloud_parties(economy))
    return audit.check(audit.gaps(*books, economy.bonds, landlords, economy.leases.book))


def test_the_books_close_with_stages_leases_and_parts_on(run):
    monthly = run.recorder.table("monthly").to_pandas()
    used = ["sites_begun", "site_rents", "capex_landlords", "sites_sold"]
    assert monthly["audit_gap"].max() < 1e-9 and checked(run) < 1e-9
    assert (monthly.groupby("region")[used].sum() > 0.0).all(axis=None)


def test_a_fork_takes_sites_leases_and_parts_along(run):
    """Six months on, the fork and its original agree in every flow of money, and neither has touched the other."""
    fork = run.fork()
    before = [len(run.sites), len(run.leases), run.leases.book.copy().tolist()]
    for _ in range(6):
        fork.step()
    assert [len(run.sites), len(run.leases), run.leases.book.tolist()] == before
    twin = run.fork()
    for _ in range(6):
        twin.step()
    for table in ("flows", "monthly", "agents"):
        assert twin.recorder.table(table) == fork.recorder.table(table)
    assert (twin.sites.ready == fork.sites.ready).all() and (twin.leases["room"] == fork.leases["room"]).all()


def test_a_site_or_a_part_that_is_in_no_books_is_found(run):
    landlord = run.fork()
    landlord.leases.book[0] += 1e6
    with raises(audit.BooksDoNotBalance, match="what landlords and lessors own is in their books: us landlords"):
        checked(landlord)
    deal = run.fork()
    deal.fleet.deals["part_book"][deal.rows("us")[-1], 0] += 1e6
    with raises(audit.BooksDoNotBalance, match="a deal's parts are its hardware"):
        checked(deal)


def test_each_operators_distress_is_what_its_own_running_deals_owe_and_of_it_what_is_in_default(run):
    deals, people = run.deals, run.parties("operator", "us")
    rows = run.rows("us", OPERATING)
    before = deals["state"]["in_default"][rows].copy()
    deals["state"]["in_default"][rows] = np.arange(len(rows)) % 3 == 0
    owed, broken = _distress(run, "us")
    for place, party in enumerate(people):
        own = rows[deals["sponsor"][rows] == party]
        assert owed[place] == approx(deals["state"]["balance"][own].sum())
        assert broken[place] == approx(deals["state"]["balance"][own][deals["state"]["in_default"][own]].sum())
    assert len(set(owed)) == len(people) and 0.0 < sum(broken) < sum(owed)
    deals["state"]["in_default"][rows] = before
