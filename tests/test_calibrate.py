"""Calibration: what may be fitted, what a miss costs, and a search that finds what was planted."""

import functools
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import yaml
from pytest import approx, mark, raises

from analysis import calibrate
from analysis.metrics.runs import open_run
from analysis.scoring import measure
from analysis.targets import BadTarget, Check
from sim.compose import CONFIGS, resolve
from sim.run import simulate

TEXT = (files("analysis") / "facts" / "calibration.yaml").read_text("utf-8")
CHECK = Check(metric="level", args={"column": "spread", "first": "2023", "last": "2023"}, low=2.0, high=6.0, unit="1")


def test_at_most_eight_numbers_of_fitted_targets_are_fitted():
    spec, checks = calibrate.read(TEXT)
    assert len(checks) == len(spec.moments) <= 8
    assert all(low < high for low, high in spec.parameters.values())


@mark.parametrize(
    ("change", "words"),
    [
        ({"moments": [{"target": "T22", "says": "normal year"}]}, "T22 is no target marked `fitted`"),
        ({"moments": [{"target": "T99"}]}, "T99 is no target"),
        ({"moments": [{"target": "T01", "says": "2031"}]}, "T01 has no number '2031'"),
        ({"moments": [{"target": "T04"}] * 9}, "moments"),
        ({"parameters": {"agents.clouds.entry": [0.2, 0.1]}}, "the range 0.2 to 0.1 is empty"),
        ({"penalty": 3}, "penalty"),
    ],
)
def test_what_may_not_be_fitted_is_refused(change, words):
    with raises(BadTarget, match=words):
        calibrate.read(yaml.safe_dump(yaml.safe_load(TEXT) | change))


@mark.parametrize(("value", "price"), [(4.0, 0.0), (5.0, 0.0), (3.0, 0.0), (6.0, 0.25), (8.0, 2.25), (np.nan, 9.0)])
def test_a_miss_costs_the_square_of_what_lies_beyond_the_middle_half(value, price):
    """Band 2 to 6, half of it 2: at 8 the number is two halves from the middle, 1.5 beyond the free part: 2.25."""
    assert calibrate.cost({"one": CHECK}, {"one": value}) == approx(price)


def test_a_moment_is_the_median_of_the_seeds_that_show_it():
    found = calibrate.middle([{"a": 1.0, "b": np.nan}, {"a": 5.0, "b": np.nan}, {"a": np.nan, "b": np.nan}])
    assert found["a"] == 3.0 and np.isnan(found["b"])


def planted(values):
    """Two moments of two parameters, crossed."""
    return {"sum": values["x"] + values["y"], "gap": values["x"] - values["y"]}


def squares(moments):
    return (moments["sum"] - 1.1) ** 2 + (moments["gap"] - 0.3) ** 2


def test_the_search_finds_parameters_that_were_planted(tmp_path):
    """x = 0.7 and y = 0.4 give 1.1 and 0.3; trials are kept, and asking for as many again runs none."""
    ranges, store, calls = {"x": (0.0, 1.0), "y": (0.0, 1.0)}, tmp_path / "trials.log", []

    def simulate(values):
        calls.append(values)
        return planted(values)

    best = calibrate.search(ranges, simulate, squares, 120, store).best_trial
    assert best.params == {"x": approx(0.7, abs=0.05), "y": approx(0.4, abs=0.05)} and len(calls) == 120
    again = calibrate.search(ranges, simulate, squares, 120, store).best_trial
    assert again.params == best.params and len(calls) == 120


def test_a_search_that_goes_on_tries_other_points(tmp_path):
    store, ranges = tmp_path / "trials.log", {"x": (0.0, 1.0)}
    for trials in (4, 8):
        study = calibrate.search(ranges, lambda values: values, lambda moments: moments["x"], trials, store)
    tried = [trial.params["x"] for trial in study.trials]
    assert len(tried) == 8 == len(set(tried))


def test_held_out_numbers_are_all_others_that_can_be_measured():
    spec, checks = calibrate.read(TEXT)
    others = calibrate.held_out(checks)
    assert not others.keys() & checks.keys() and {"T24", "T25"} <= {name.split()[0] for name in others}
    moments = dict.fromkeys(checks | others, 0.1)
    best = SimpleNamespace(value=1.0, params=dict.fromkeys(spec.parameters, 0.5), user_attrs={"moments": moments})
    lines = calibrate.page(spec, checks, others, best, resolve([]))
    assert lines.index(next(line for line in lines if line.startswith("held out"))) == len(lines) - len(others) - 1


def test_the_same_search_tries_the_same_points():
    seen = [[], []]
    for points in seen:
        calibrate.search({"x": (0.0, 1.0)}, lambda v, p=points: p.append(v) or {"x": v["x"]}, lambda m: m["x"] ** 2, 15)
    assert seen[0] == seen[1] and len(seen[0]) == 15


@mark.parametrize(
    ("arguments", "words"),
    [
        (["--trials", "0"], "--trials"),
        (["--seeds", "x"], "--seeds"),
        (["--set", "seed=3"], "seed"),
        (["--set", "sise=full"], "sise"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_run(arguments, words, capsys, tmp_path):
    assert calibrate.main([*arguments, "--set", f"outputs.root={tmp_path}"]) == 2
    assert words in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_run_in_memory_has_the_moments_of_the_same_run_on_disk(tmp_path):
    line = ["size=class", "regions=[us]", "horizon_years=1", "sim.build.burn_in=6", f"outputs.root={tmp_path}"]
    assert calibrate.live(line, {"spread": CHECK})["spread"] == measure(open_run(simulate(resolve(line))), CHECK)


def test_the_record_of_the_calibration_holds_the_values_of_the_configuration():
    """Every parameter that may be searched has a row with its value, inside its range."""
    record = (CONFIGS / "CALIBRATION.md").read_text("utf-8")
    spec, _ = calibrate.read(TEXT)
    for key, (low, high) in spec.parameters.items():
        value = functools.reduce(getattr, key.split("."), resolve([]))
        assert f"| `{key}` | {value:g} |" in record and low <= value <= high, key
