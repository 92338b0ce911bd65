"""Tables: what goes in by column comes out by column, with units, and always as the same bytes."""

import copy
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.columns import COLUMNS
from sim.record import Recorder
from sim.summary import episodes, plain, summarise

START = date(2023, 1, 1)


def recorder() -> Recorder:
    rec = Recorder(START)
    for month in (-1, 0, 1):
        rec.add("monthly", month=month, region=["us", "china"], capex=np.array([1.0, 2.0]) * (month + 2), defaults=month + 1)
        rec.add("agents", month=month, agent=list("abc"), kind="lab", cash=np.ones(3))
    return rec


def test_scalars_hold_for_all_rows_and_dates_follow_months():
    table = recorder().table("monthly").to_pandas()
    assert list(table["month"]) == [-1, -1, 0, 0, 1, 1]
    assert list(table["date"].astype(str))[::2] == ["2022-12-01", "2023-01-01", "2023-02-01"]
    assert list(table["region"]) == ["us", "china"] * 3
    assert table["capex"].sum() == 18.0


def test_columns_left_out_are_null_and_numbers_unknown_too():
    rec = Recorder(START)
    rec.add("events", month=0, kind="failure", party="lab 7", deal=-1)
    rec.add("events", month=0, kind="default", deal=3, amount=np.nan)
    rec.add("events", month=0, kind="rule")
    table = rec.table("events")
    assert table["party"].to_pylist() == ["lab 7", None, None]
    assert table["deal"].to_pylist() == [None, 3, None]
    assert table["amount"].null_count == table["text"].null_count == 3


def test_what_is_not_declared_is_refused():
    rec = Recorder(START)
    with pytest.raises(KeyError, match=r"monthly: \['capx'\] not declared"):
        rec.add("monthly", month=0, capx=1.0)
    with pytest.raises(KeyError, match="weekly"):
        rec.add("weekly", month=0)


def test_columns_of_different_lengths_are_refused():
    rec = Recorder(START)
    with pytest.raises(ValueError, match=r"agents: columns of different lengths \[2, 3\]"):
        rec.add("agents", month=0, agent=["a", "b"], cash=np.ones(3))
    with pytest.raises(ValueError, match="one-dimensional"):
        rec.add("agents", month=0, cash=np.ones((2, 2)))
    assert rec.table("agents").num_rows == 0


def test_a_count_must_be_whole():
    rec = Recorder(START)
    rec.add("monthly", month=0, defaults=0.5)
    with pytest.raises(ValueError, match="defaults: holds numbers that are not whole"):
        rec.table("monthly")


def test_later_changes_of_an_array_are_not_recorded():
    rec, cash = Recorder(START), np.ones(2)
    rec.add("agents", month=0, agent=["a", "b"], cash=cash)
    cash[:] = 9.0
    assert rec.table("agents")["cash"].to_pylist() == [1.0, 1.0]


def test_a_fork_records_for_itself():
    rec = recorder()
    fork = copy.deepcopy(rec)
    fork.add("monthly", month=2, region="us")
    assert fork.table("monthly").num_rows == rec.table("monthly").num_rows + 1 == 7


def test_every_table_is_written_with_units_and_the_same_bytes_each_time(tmp_path):
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        recorder().write(tmp_path / place)
    for name, columns in COLUMNS.items():
        one, two = ((tmp_path / place / f"{name}.parquet") for place in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        for field in pq.read_schema(one):
            unit, meaning = columns[field.name]
            assert field.metadata == {b"unit": unit.encode(), b"meaning": meaning.encode()}


@given(st.lists(st.lists(st.floats(-1e12, 1e12), min_size=0, max_size=5), max_size=6))
def test_every_number_added_comes_back(batches):
    rec = Recorder(START)
    for month, batch in enumerate(batches):
        rec.add("agents", month=month, cash=np.array(batch))
    assert rec.table("agents")["cash"].to_pylist() == [x for batch in batches for x in batch]


def series(*levels: float) -> pd.Series:
    """Six months at each level, so that the six-month mean reaches it."""
    index = pd.date_range(START, periods=6 * len(levels), freq="MS")
    return pd.Series(np.repeat(levels, 6), index=index, dtype=float)


def test_an_episode_is_a_fall_by_22_percent_and_ends_with_a_rise_by_28():
    """ln(78/100) = -0.248 is no episode; ln(77/100) = -0.261 is. ln(100/77) = 0.261 ends it."""
    assert not list(episodes(series(100, 78, 100)))
    (fall,) = episodes(series(100, 77, 100))
    assert fall["depth"] == pytest.approx(0.23) and fall["over"]
    assert fall["peak"] == "2023-06-01" and fall["trough"] == "2023-12-01"


def test_a_second_fall_counts_only_after_a_recovery():
    assert len(list(episodes(series(100, 60, 70, 40)))) == 1
    assert len(list(episodes(series(100, 60, 90, 60)))) == 2


def test_an_unfinished_fall_is_an_episode_that_is_not_over():
    (fall,) = episodes(series(100, 50))
    assert not fall["over"]


def test_the_summary_adds_up_years_and_leaves_burn_in_out():
    rec = Recorder(START)
    for month in range(-6, 36):
        loss = 10.0 if month == 30 else 0.0
        rec.add(
            "monthly",
            month=month,
            region=["us", "china"],
            capex=[1.0, 2.0],
            loss=loss,
            debt=100.0,
            spread=0.03,
            audit_gap=0.0,
        )
    found = summarise(rec.table("monthly").to_pandas())
    assert found["capex_by_year"]["world"] == {"2023": 36.0, "2024": 36.0, "2025": 36.0}
    assert found["losses"]["rate_by_year"] == {"2023": 0.0, "2024": 0.0, "2025": 0.1}
    assert found["losses"]["quiet_years"] == pytest.approx(2 / 3)
    assert found["losses"]["three_worst_years"] == 1.0
    assert found["peak_spread"] == {"china": 0.03, "us": 0.03}


def test_a_run_without_debt_or_losses_has_a_summary():
    rec = Recorder(START)
    rec.add("monthly", month=np.arange(24), region="us", capex=0.0)
    found = summarise(rec.table("monthly").to_pandas())
    assert found["losses"]["three_worst_years"] is None and found["episodes"]["us"] == []
    assert summarise(Recorder(START).table("monthly").to_pandas()) == {}


def test_plain_turns_everything_into_json():
    numbers = {"a": np.float64(1.5), 2: [np.int64(3), np.nan, None], "b": np.True_}
    assert plain(numbers) == {"a": 1.5, "2": [3, None, None], "b": True}
