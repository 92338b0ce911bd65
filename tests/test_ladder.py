"""When debt is due, as the month records it."""

from pytest import approx, fixture

from sim.books.deals import BUILDING, OPERATING
from sim.build import build
from sim.compose import resolve
from sim.regional import _ladder

SMALL = ("size=class", "horizon_years=1", "regions=[us]", "sim.build.burn_in=0")


@fixture
def economy():
    """A small economy at its start."""
    return build(resolve(SMALL))


def due_between(economy, row: int, first: int, last: int) -> float:
    """USD of a deal due in months ``first`` to ``last`` from now, month by month along its schedule until it is refinanced."""
    deals, library = economy.deals, economy.deals.library
    state, kind = deals["state"][row], deals["kind"][row]
    building = deals["stage"][row] == BUILDING
    wait = int(deals["delivery"][row]) - economy.clock if building else 0
    notes = (state["balance"] if building else deals["scheduled"][row]).copy()
    left, due = state["balance"].copy(), 0.0
    for ahead in range(1, last + 1):
        month = int(state["age"]) + ahead - wait
        if ahead <= wait:
            continue
        after = notes * (library.target[kind, month] if month < library.due[kind] else 0.0)
        paid = (left - after).clip(min=0.0)
        left -= paid
        due += paid.sum() if ahead >= first else 0.0
    return float(due)


def test_debt_due_follows_schedules_and_falls_due_in_full_at_the_end(economy):
    """Against a walk along each deal's schedule, those under construction from their delivery on."""
    rows = economy.rows("us", BUILDING, OPERATING)
    found = _ladder(economy, rows)
    for year in (1, 2, 3):
        walked = sum(due_between(economy, int(row), 12 * year - 11, 12 * year) for row in rows)
        assert found[f"debt_due_{year}y"] == approx(walked) and walked > 0.0


def test_no_more_is_due_than_is_owed_and_a_deal_in_default_owes_all_now(economy):
    rows = economy.rows("us", OPERATING)
    owed = economy.deals["state"]["balance"][rows].sum()
    assert sum(_ladder(economy, rows).values()) <= owed * (1.0 + 1e-12)
    economy.deals["state"]["in_default"][rows] = True
    assert _ladder(economy, rows) == approx({"debt_due_1y": owed, "debt_due_2y": 0.0, "debt_due_3y": 0.0})


def test_arrears_of_principal_are_due_within_the_year(economy):
    """A deal that owes 5,000,000 USD more than its schedule leaves has that much more due in the first year."""
    row = economy.rows("us", OPERATING)[-1:]
    before = _ladder(economy, row)
    economy.deals["state"]["balance"][row, 0] += 5e6
    after = _ladder(economy, row)
    assert after["debt_due_1y"] == approx(before["debt_due_1y"] + 5e6)
    assert after["debt_due_2y"] == approx(before["debt_due_2y"]) and after["debt_due_3y"] == approx(before["debt_due_3y"])
