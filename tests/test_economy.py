"""The economy as a whole: books that balance, runs that repeat, and numbers that do not care who else is there."""

from dataclasses import asdict

import numpy as np
import pyarrow as pa
from pytest import approx, fixture, mark

from sim.books import audit
from sim.books.channels import LIBRARY
from sim.books.deals import BUILDING, CLOSED, OPERATING
from sim.books.ledger import ACCOUNT
from sim.build import build
from sim.columns import COLUMNS
from sim.compose import resolve
from sim.month import PHASES
from sim.phases.closing import cloud_parties

SMALL = ("size=class", "horizon_years=3", "sim.build.burn_in=6")
FORKED = 14  # months before the fork
IN_TRANSIT = "a deal's cash is its accounts"


def lived(economy, months: int | None = None):
    """The economy some months later, or at the end of its horizon."""
    for _ in range(economy.months_total if months is None else months):
        economy.step()
    return economy


def record(economy, *left_out: str) -> dict:
    """Every table; equal tables hold the same bits."""
    tables = {name: economy.recorder.table(name) for name in COLUMNS}
    for column in left_out:
        tables["monthly"] = tables["monthly"].drop_columns([column])
    return tables


def gaps(economy) -> dict[str, float]:
    """Breach of every identity, of its scale."""
    found = audit.gaps(economy.ledger, economy.deals, economy.fleet, cloud_parties(economy))
    return {gap.identity: gap.amount / gap.scale for gap in found}


def stocks(economy) -> list[bytes]:
    """All that the books hold, column by column."""
    deals, fleet = economy.deals, economy.fleet
    columns = [table[name] for table in (deals, economy.contracts, fleet.deals) for name in table._columns]
    arrays = (fleet.gpus, fleet.book, fleet.paid, fleet.on_order, economy.ledger.balances, economy.basis, economy.earned)
    return [plain.tobytes() for column in (*columns, *arrays) for plain in fields(column)]


def fields(column: np.ndarray) -> list[np.ndarray]:
    """A column, or those of its record, without the padding between them."""
    return [column[name] for name in column.dtype.names] if column.dtype.names else [column]


@fixture(scope="module")
def run():
    """A finished run of the small economy."""
    return lived(build(resolve(SMALL)))


# -- books -------------------------------------------------------------------------------------------------------------


@mark.parametrize("seed", [1, 2])
def test_books_balance_after_every_phase(seed):
    """Every identity at every point of the month, but one: what a refinancing or its sponsor brings to a maturing deal in
    ``issue`` is the deal's cash and nobody's account until ``service`` pays it out; it is exactly ``principal_cash``.
    """
    economy, refinanced = build(resolve([*SMALL, f"seed={seed}"])), 0.0
    assert max(gaps(economy).values()) < 1e-12
    for _ in range(economy.months_total):
        economy.facts = {region: {} for region in economy.regions}
        for phase in PHASES:
            phase(economy)
            found = gaps(economy)
            if phase.__name__ == "issue":
                found.pop(IN_TRANSIT)
                found["in transit"] = in_transit(economy)
                refinanced += float(economy.deals["period"]["principal_cash"].sum())
            assert max(found.values()) < audit.TOLERANCE, (economy.month, phase.__name__, found)
    assert refinanced > 0.0


def in_transit(economy) -> float:
    """Breach of a deal's cash, refinancing on its way included, of total assets."""
    deals, state = economy.deals, economy.deals["state"]
    accounts = np.where(deals["stage"] == BUILDING, 0.0, state["reserve"] + state["trap"]) + deals["escrow"]
    known = accounts + deals["collected"] + deals["period"]["principal_cash"]
    return float(np.abs(economy.ledger.cash(deals["party"]) - known).max()) / audit.total_assets(economy.ledger)


@mark.parametrize("name", sorted(path.stem for path in LIBRARY.glob("*.yaml")))
def test_every_template_of_the_library_runs_in_a_channel(name):
    """Half of the US deals follow it for three years: they pay interest, and every month closes with balanced books."""
    mix = ("sim.markets.primary.us.abs_share=0.5", "regions=[us]", f"sim.books.deals.us.abs={name}")
    economy = lived(build(resolve([*SMALL, *mix])))
    deals = economy.deals
    ours = np.flatnonzero((deals["channel"] == 0) & (deals["predecessor"] < 0))
    assert len(ours) > 5 and max(gaps(economy).values()) < audit.TOLERANCE
    assert deals["payment"]["interest"][ours].sum() > 0.0
    assert (deals["stage"][ours] == OPERATING).any() and (deals["state"]["balance"] >= 0.0).all()


@mark.parametrize("name", ["venture_debt", "gpu_term_loan_non_ig", "us_data_centre_abs"])
def test_what_is_refinanced_is_repaid_whole(name):
    """Notes, deferred interest and arrears of a deal are zero once another has taken it out, at maturity or at the ARD."""
    economy = calm(name)
    deals = lived(economy).deals
    old = deals["predecessor"][deals["predecessor"] >= 0]
    assert len(old) and not deals["lost"][old].any()
    for column in ("balance", "deferred", "arrears"):
        assert np.abs(deals["state"][column][old]).max() < 0.01, column


def test_past_its_ard_a_deal_that_nobody_refinances_pays_all_excess_to_its_notes():
    """The ARD is month 60 of the master trust; lenders and sponsors pay nothing, and it is in turbo until its legal final."""
    economy, late = calm("us_data_centre_abs", "sim.books.deals.refinancing_least=1.0", payoff=0.0), 0
    for _ in range(economy.months_total):
        economy.step()
        deals, state = economy.deals, economy.deals["state"]
        past = np.flatnonzero((state["age"] >= 60) & (state["balance"].sum(axis=1) > 1.0) & (deals["stage"] == OPERATING))
        assert deals["payment"]["turbo"][past].all()
        late += len(past)
    assert late > 0


def calm(name: str, *overrides: str, payoff: float = 1.0):
    """Eight years in which all deals follow one template, tenants' contracts outlast them and lenders trust used units."""
    names = [f"sim.books.deals.us.{channel}={name}" for channel in ("abs", "private")]
    trust = [
        "sim.markets.compute.contract_term=120",
        "sim.markets.compute.contract_discount=0",
        "sim.books.deals.refinancing_advance=3.0",
        f"agents.operators.payoff={payoff}",
    ]
    world = ["size=class", "horizon_years=8", "sim.build.burn_in=0", "regions=[us]"]
    return build(resolve([*world, *names, *trust, *overrides]))


def test_gpus_are_neither_made_nor_lost(run):
    """Bought since the start, or there at it: on order, installed, failed or retired. Some of each in three years."""
    fleet = run.fleet
    assert min(fleet.failed, fleet.retired, fleet.on_order.sum(), fleet.count()) > 0.0
    assert fleet.failed + fleet.retired + fleet.count() == approx(fleet.bought, rel=1e-12)


def test_a_closed_deal_owns_nothing_and_owes_nothing(run):
    closed = np.flatnonzero(run.deals["stage"] == CLOSED)
    assert len(closed) > 10
    assert np.abs(run.ledger.balances[run.deals["party"][closed]]).max() < 0.01 * len(ACCOUNT)
    assert not run.deals["state"]["balance"][closed].any() and not run.fleet.deals["gpus"][closed].any()


def test_a_run_records_every_month_of_its_horizon_and_none_of_burn_in(run):
    """Three years in two regions: 72 rows of ``monthly``, months 0 to 35."""
    months = run.recorder.table("monthly")["month"].to_pylist()
    assert months == [month for month in range(36) for _ in run.regions]


# -- the same again ----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits(run):
    again = lived(build(resolve(SMALL)))
    assert record(again) == record(run) and stocks(again) == stocks(run)


def test_another_seed_gives_another_run(run):
    other = lived(build(resolve([*SMALL, "seed=2"])))
    for column in ("rent", "spread", "capex", "debt"):
        assert other.recorder.table("monthly")[column] != run.recorder.table("monthly")[column]


def test_a_fork_continues_bit_for_bit(run):
    """Forked after 14 months, 8 of them recorded: its record is what the whole run recorded from then on."""
    fork = lived(build(resolve(SMALL)), FORKED).fork()
    assert fork.recorder.table("monthly").num_rows == 0
    lived(fork, fork.months_total - FORKED)
    assert stocks(fork) == stocks(run) and asdict(fork.tape) == asdict(run.tape)
    before = FORKED - run.burn_in
    for name, table in record(run).items():
        if "month" in table.column_names:
            table = table.filter(pa.array([month >= before for month in table["month"].to_pylist()], pa.bool_()))
        assert table == fork.recorder.table(name), name


def test_a_fork_and_its_original_do_not_touch_each_other(run):
    """A fork lives on, even a fork of the fork, and the original has not moved; then it finishes as if never forked."""
    economy = lived(build(resolve(SMALL)), FORKED)
    before, tape = stocks(economy), economy.tape
    lived(lived(economy.fork(), 5).fork(), 5)
    assert stocks(economy) == before and economy.tape is tape
    lived(economy, economy.months_total - FORKED)
    assert record(economy) == record(run)


# -- who else is there -------------------------------------------------------------------------------------------------


@mark.parametrize("arrange", [lambda plan: plan[::-1], sorted], ids=["reversed", "sorted"])
def test_the_order_in_which_agents_are_created_changes_no_number(run, arrange):
    """In any table; but for the audit's own rounding, whose sums run over parties in the order in which they came."""
    other = lived(build(resolve(SMALL), arrange=arrange))
    assert record(other, "audit_gap") == record(run, "audit_gap")


@mark.parametrize("region", ["us", "china"])
@mark.parametrize("kind", ["operator", "investor", "lab", "cloud", "agency"])
def test_an_idle_agent_changes_no_regional_number(run, kind, region):
    """Sums over agents are exactly rounded, so another zero changes no bit. The audit's own rounding stays out."""
    other = lived(build(resolve(SMALL), idle=[(kind, region)]))
    assert record(other, "audit_gap")["monthly"] == record(run, "audit_gap")["monthly"]
