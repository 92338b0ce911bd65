"""Quantities are data, and what they measure is checked on runs of a few rows."""

import numpy as np
import pandas as pd
import pytest

from analysis.decisions.quantities import BadQuantity, load, read, survey
from analysis.metrics.runs import Run
from sim.columns import COLUMNS
from sim.compose import resolve

MINE = """
- {id: mine, topic: Mine, short: mine, says: rent paid by clouds, unit: USD mn a year,
   metric: yearly, args: {columns: [anchor_rent]}, scale: 1.0e-6, better: lower, matters: 2}
"""


def run(months: int = 24, regions: tuple[str, ...] = ("us", "china"), **columns) -> Run:
    """A run with one row a month and region; a column is a number, or a number by region."""
    days = pd.date_range("2022-12-01", periods=months + 1, freq="MS")  # a month of burn-in, which never counts
    parts = []
    for at, region in enumerate(regions):
        values = {name: value[at] if isinstance(value, tuple) else value for name, value in columns.items()}
        part = pd.DataFrame({"month": np.arange(-1, months), "date": days, "region": region, **values})
        part.loc[0, list(values)] = 1e3 * part.loc[0, list(values)].astype(float)  # burn-in is another world
        parts.append(part)
    return Run({"monthly": pd.concat(parts)}, {})


def measure(text: str, of: Run, region: str) -> float:
    return read(text)[0].measure(of, region)


def test_all_shipped_quantities_are_read_and_all_can_be_measured():
    assert len(load()) > 30
    assert not [q.id for q in load() if q.missing]


def test_a_quantity_of_five_lines_measures():
    """Two regions pay 3 and 5 USD mn a month: 36, 60 and together 96 a year, whatever burn-in paid."""
    paid = run(anchor_rent=(3e6, 5e6))
    assert [measure(MINE, paid, place) for place in ("us", "china", "world")] == pytest.approx([36.0, 60.0, 96.0])


def test_a_region_that_is_not_there_has_no_number():
    assert np.isnan(measure(MINE, run(regions=("china",), anchor_rent=1e6), "us"))


@pytest.mark.parametrize(
    ("instead", "fault"),
    [
        (("[anchor_rent]", "[anchor_rents]"), "anchor_rents is no column"),
        (("metric: yearly", "metric: yearling"), "is not one of"),
        (("matters: 2", "matters: 0"), "greater than 0"),
        (("matters: 2", "matters: 2, matters_share: 0.1"), "either matters or matters_share"),
        (("args: {columns", "args: {column"), "args of yearly"),
        (("metric: yearly", "missing: no record, metric: yearly"), "either a metric, or what is missing"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused_by_name_and_fault(instead, fault):
    with pytest.raises(BadQuantity, match="mine") as refused:
        read(MINE.replace(*instead))
    assert fault in str(refused.value)


def test_a_quantity_given_twice_is_refused():
    with pytest.raises(BadQuantity, match="mine given twice"):
        read(MINE + MINE)


def test_rates_of_the_world_are_weighted_and_shares_add_up():
    """Spreads of 100 and 500 bp on debts of 3 and 1: 200 bp. Payments of 3 and 1: 75 and 25 %."""
    found = run(spread=(0.01, 0.05), debt=(3.0, 1.0), inference_revenue=(3.0, 1.0))
    known = {q.id: q for q in load()}
    assert known["spread"].measure(found, "world") == pytest.approx(200.0)
    assert [known["share_of_users"].measure(found, place) for place in ("us", "china")] == pytest.approx([75.0, 25.0])


def test_leverage_is_debt_over_a_years_ebitda_and_losses_are_yearly():
    found = run(debt=24.0, ebitda=0.5, loss=0.02, loss_senior=0.0, loss_mezzanine=0.02)
    known = {q.id: q for q in load()}
    assert known["debt_to_ebitda"].measure(found, "us") == pytest.approx(4.0)
    assert known["loss_rate"].measure(found, "us") == pytest.approx(1.0)


def test_true_leverage_counts_what_stands_beside_the_balance_sheet():
    """Last year two earned 2 and 4, reported 6 and 12, stood behind 3 and 0 more: 3 and 3.5; a cloud does not count."""
    rows = [
        {"month": month, "kind": kind, "region": "us", "earnings": earned, "debt_reported": owed, "debt_beside": beside}
        for month in range(24)
        for kind, earned, owed, beside in [("operator", 2.0, 6.0, 3.0), ("operator", 4.0, 12.0, 0.0), ("cloud", 1.0, 9.0, 9.0)]
    ]
    agents = pd.DataFrame(rows)
    agents.loc[agents["month"] < 12, "debt_beside"] = 1e6
    found = Run({"agents": agents}, {})
    known = {q.id: q for q in load()}
    assert [known[name].measure(found, "us") for name in ("reported_leverage", "true_leverage")] == pytest.approx([3.0, 3.5])


def test_distortion_is_weighted_by_what_users_pay_and_absent_where_nobody_asks_lenders():
    """30 and 10 %, by payments of 3 and 1: 25. Null throughout: no number."""
    known = {q.id: q for q in load()}
    found = run(distortion=(0.3, 0.1), inference_revenue=(3.0, 1.0))
    assert [known["distortion"].measure(found, place) for place in ("us", "china", "world")] == pytest.approx([30.0, 10.0, 25.0])
    assert np.isnan(known["distortion"].measure(run(distortion=np.nan, inference_revenue=1.0), "us"))


def test_the_deepest_fall_is_of_the_six_month_mean_from_any_peak():
    """Spending halves for good: the mean falls by a half, and that is one episode."""
    known = {q.id: q for q in load()}
    halved = run(months=24, regions=("us",), capex=np.r_[np.full(13, 2.0), np.full(12, 1.0)])
    assert known["depth"].measure(halved, "us") == pytest.approx(50.0)
    assert known["episodes"].measure(halved, "us") == 1.0
    assert known["depth"].measure(run(capex=1.0), "us") == 0.0


def test_a_survey_asks_only_where_a_quantity_can_be():
    columns = {name: 1.0 for name in COLUMNS["monthly"] if name not in ("month", "date", "region")}
    params = resolve(["size=class"]).model_dump(mode="json", exclude={"outputs"})
    empty = {
        table: pd.DataFrame({name: pd.Series(dtype=float) for name in COLUMNS[table]}) for table in ("deals", "agents", "events")
    }
    tables = {"monthly": run(**columns).tables["monthly"], **empty}
    found = survey(Run(tables, params), ["us", "world"])
    assert ("share_of_users", "us") in found and ("share_of_users", "world") not in found
