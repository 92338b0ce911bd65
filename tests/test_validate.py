"""Targets, their verdicts, and the command that prints them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis import validate
from analysis.__main__ import main as command
from analysis.metrics.runs import Run
from analysis.scoring import judge, score, survey
from analysis.targets import BadTarget, Check, load, read

CHECK = Check(metric="growth", args={"column": "capex", "year": 2024}, low=0.2, high=0.4, unit="1/year")
SHARE = CHECK.model_copy(update={"over": "mean", "low": 0.5, "high": 1.0})
FIVE_LINES = """
- id: V01
  says: Spending grows.
  checks: [{metric: growth, args: {column: capex, year: 2024}, low: 0.2, high: 0.4, unit: 1/year}]
  source: "CX-02"
  claims: [levels]
"""
TINY = ["--set", "size=class", "--set", "horizon_years=1", "--seeds", "1"]


def test_all_twenty_eight_targets_are_there():
    targets = load()
    assert {t.id for t in targets} == {f"T{n:02d}" for n in range(1, 29)}
    assert {t.id for t in targets if t.block == "cycles"} == {f"T{n}" for n in range(21, 29)}
    assert not any(t.fitted for t in targets if t.block == "cycles")


def test_a_statement_takes_five_lines():
    (target,) = read(FIVE_LINES, "levels", "mine.yaml")
    assert (target.id, target.fitted, target.checks[0]) == ("V01", False, CHECK)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("low: 0.2", "low: 0.9", "low 0.9 is above high 0.4"),
        ("metric: growth", "metric: grwth", "metric 'grwth' is not one of growth"),
        ("year: 2024", "yeer: 2024", "args of growth: "),
        ("metric: growth,", "", "give either a metric, or what is missing"),
        ("source:", "sauce:", "source: Field required"),
    ],
)
def test_a_wrong_statement_is_refused_with_file_entry_and_fault(old, new, fault):
    with pytest.raises(BadTarget, match=r"mine\.yaml: V01: ") as refused:
        read(FIVE_LINES.replace(old, new), "levels", "mine.yaml")
    assert fault in str(refused.value)


def test_a_statement_on_busts_is_never_fitted():
    with pytest.raises(BadTarget, match="may not be fitted"):
        read(FIVE_LINES + "  fitted: true\n", "cycles", "mine.yaml")


def test_the_median_over_seeds_decides():
    """0.1, 0.3, 0.3: two of three seeds inside."""
    found = score(CHECK, [0.1, 0.3, 0.3])
    assert (found.value, found.passed, found.seeds, found.share) == (0.3, True, 3, pytest.approx(2 / 3))
    assert not score(CHECK, [0.1, 0.1, 0.3]).passed


def test_without_a_value_in_half_the_seeds_nothing_is_measured():
    found = score(CHECK, [0.3, "no bust", "no bust"])
    assert (found.value, found.passed, found.reason) == (None, False, "no bust (2 of 3 seeds)")
    half = score(CHECK, [0.3, "no bust"])
    assert half.passed and half.share == 0.5


def test_an_event_must_be_seen_in_more_than_its_share_of_seeds():
    assert not score(SHARE, [1.0, 0.0]).passed
    assert score(SHARE, [1.0, 1.0, 0.0]).passed


def test_what_is_missing_does_not_pass_and_a_failing_number_speaks_for_its_target():
    unmeasured = FIVE_LINES.replace("checks: [", "checks: [{missing: no bonds, low: 0, high: 1, unit: share}, ")
    targets = read(unmeasured, "levels", "mine.yaml")
    good, bad = (judge(targets, [["no bonds", value]])[0] for value in (0.3, 0.9))
    assert not good.passed and not good.measured and good.decisive.reason == "no bonds"
    assert not bad.passed and bad.decisive.value == 0.9


def test_a_run_is_surveyed_check_by_check():
    days = pd.date_range("2023-01-01", periods=24, freq="MS")
    monthly = pd.DataFrame({"date": days, "region": "us", "capex": [1.0] * 12 + [1.3] * 12})
    assert survey(read(FIVE_LINES, "levels", "mine.yaml"), Run({"monthly": monthly}, {})) == [pytest.approx(0.3)]


@pytest.mark.parametrize("seeds_given", ["0", "1001", "-3", "two", "1.5"])
def test_a_wrong_number_of_seeds_is_refused_with_its_range(capsys, seeds_given):
    assert command(["validate", f"--seeds={seeds_given}"]) == 2
    assert f"--seeds = {seeds_given!r}: out of range. Give a whole number from 1 to 1000." in capsys.readouterr().err


def test_the_first_seed_may_be_another(capsys):
    assert command(["validate", "--first=0"]) == 2
    assert "--first = '0': out of range. Give a whole number from 1 to 1000000." in capsys.readouterr().err
    assert command(["validate", "--first=77", "--only=T01", "--plan", *TINY]) == 0


def test_a_seed_among_the_settings_and_a_wrong_key_are_refused(capsys):
    assert command(["validate", "--set", "seed=3"]) == 2
    assert "seeds are chosen by --seeds" in capsys.readouterr().err
    assert command(["validate", "--set", "sizes=class"]) == 2
    assert "Did you mean size?" in capsys.readouterr().err


@pytest.mark.slow
def test_a_tiny_run_is_made_once_and_judged_twice(tmp_path: Path, capsys):
    """Most of a year's run cannot be measured; the table and the figures for machines agree. A statement shares the run."""
    (mine := tmp_path / "mine.yaml").write_text(FIVE_LINES.replace("  claims: [levels]", "  horizon: 1").replace("V01", "M1"))
    options = [*TINY, "--set", f"outputs.root={tmp_path}", "--facts", str(mine)]
    assert validate.main(options) == 0
    first = capsys.readouterr()
    assert "1 runs, 0 of them stored; 1 to make" in first.err
    assert "T19" in first.out and "does not cover" in first.out
    assert validate.main([*options, "--json", "--quick"]) == 0
    second = capsys.readouterr()
    assert "1 runs, 1 of them stored." in second.err
    told = {one["id"]: one for one in json.loads(second.out)["statements"]}
    assert told["M1"]["word"] == "cannot tell" and "does not cover" in told["M1"]["reason"]
    assert told["V04"]["reason"] == "needs 40 years; --set gives 1" and told["V27"]["pass"]
    targets = json.loads(second.out)["targets"]
    assert [t["id"] for t in targets] == [f"T{n:02d}" for n in range(1, 29)]
    assert all(set(t) == {"id", "value", "low", "high", "pass", "seeds"} for t in targets)
    assert sum(t["pass"] for t in targets) == sum(line[5:9] == "pass" and line[0] == "T" for line in first.out.splitlines())
