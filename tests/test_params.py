"""A configuration is right as a whole, or everything that is wrong with it is said at once."""

import copy
import pickle
from pathlib import Path

import pytest

from sim import terminal
from sim.compose import base, expand, names, parse, resolve, resolve_sweep
from sim.mistakes import Mistakes, suggestion
from sim.params import GROUPS, config_hash, reference_hash, select, too_late
from sim.plain import Unreadable, parse_plain
from sim.run import Obtained

BAD = Path(__file__).parent / "bad_configs"
CASES = sorted(path for path in BAD.iterdir() if path.suffix in (".yaml", ".txt"))


def never(_: Path) -> None:
    raise AssertionError("nothing may be drawn")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_a_bad_configuration_is_refused_in_the_words_of_its_file(path, tmp_path, monkeypatch, capsys):
    """Exit code 2, nothing on stdout, nothing written."""
    monkeypatch.chdir(tmp_path)
    lines = path.read_text().splitlines()
    words = [line.removeprefix("# must say: ") for line in lines if line.startswith("# must say: ")]
    arguments = [f"scenario='{path}'"] if path.suffix == ".yaml" else [li for li in lines if not li.startswith("#")]
    assert terminal.command(arguments, never) == 2
    said = capsys.readouterr()
    assert words and all(word in said.err for word in words), said.err
    assert said.out == "" and not list(tmp_path.iterdir())


def test_the_command_line_beats_the_scenario_which_beats_the_defaults(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("seed: 5\nsim: {markets: {primary: {spread_cap: 0.7, spread_floor: 0.01}}}\n")
    default = resolve([]).sim.markets.primary
    primary = resolve([f"scenario={file}", "sim.markets.primary.spread_cap=0.6"]).sim.markets.primary
    assert (primary.spread_cap, primary.spread_floor) == (0.6, 0.01)
    assert primary.spread_speed == default.spread_speed


def test_a_size_lies_below_the_scenario_and_a_scenario_may_choose_it(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text("size: class\n")
    assert resolve([f"scenario={file}"]).size == "class"
    assert resolve([f"scenario={file}", "size=full"]).size == "full"


def test_a_dict_on_the_command_line_sets_the_keys_it_names():
    params = resolve(["sim.markets.primary={spread_cap: 0.6}"])
    assert params.sim.markets.primary.spread_cap == 0.6
    assert params.sim.markets.primary.us == resolve([]).sim.markets.primary.us


def test_a_whole_number_serves_as_a_float_and_a_date_as_text():
    params = resolve(["horizon_years=3", "start=2024-02-01"])
    assert params.months == 36 and isinstance(params.horizon_years, float)
    assert params.start.isoformat() == "2024-02-01"


def test_a_horizon_may_be_a_fraction_of_whole_months():
    assert resolve(["horizon_years=1.25"]).months == 15
    assert resolve(["horizon_years=1.0833333333"]).months == 13


def test_composing_changes_no_later_composition():
    before = copy.deepcopy(base(()))
    resolve(["scenario=us_only", "sim.markets.primary.spread_cap=0.6"])
    assert base(()) == before


def test_all_points_of_a_sweep_are_judged_and_each_mistake_is_said_once():
    with pytest.raises(Mistakes) as error:
        resolve_sweep(["seed=1,-2,-3", "scenario=us_only,nowhere"])
    said = str(error.value)
    assert "3 mistakes" in said and said.count("seed = -2") == said.count("nowhere") == 1


def test_a_sweep_has_hydras_points_in_hydras_order():
    overrides = parse(["scenario=us_only,china_only", "seed=range(0,2)", "horizon_years=choice(1,2)"], [])
    points = [" ".join(point) for point in expand(overrides, [], seeds=1)]
    assert len(points) == 8
    assert points[:3] == [
        "scenario=us_only seed=0 horizon_years=1",
        "scenario=us_only seed=0 horizon_years=2",
        "scenario=us_only seed=1 horizon_years=1",
    ]


def test_scenarios_can_be_swept_by_glob():
    assert len(resolve_sweep(["scenario=glob(*)", "size=class"])) == len(names("scenario"))


def test_the_hash_names_the_values_and_not_the_folder():
    params = resolve([])
    assert config_hash(params) == config_hash(resolve(["outputs.root=elsewhere"]))
    assert config_hash(params) == config_hash(resolve([f"horizon_years={params.horizon_years:g}"]))
    assert config_hash(params) != config_hash(resolve(["seed=77"]))


def test_the_reference_hash_ignores_seed_and_arrows():
    other = resolve(["seed=77", "sim.arrows.cobweb.gain=0.5"])
    assert reference_hash(other) == reference_hash(resolve([]))
    assert reference_hash(other) != reference_hash(resolve(["sim.markets.primary.spread_cap=0.6"]))


def test_params_cannot_be_changed_and_survive_a_pickle():
    params = resolve(["size=class"])
    with pytest.raises(ValueError, match="frozen"):
        params.sim.markets.primary.spread_cap = 1.0
    assert pickle.loads(pickle.dumps(params)) == params == copy.deepcopy(params)


def test_conflicts_between_groups_are_reported_with_the_groups_name(monkeypatch):
    group = type(select(resolve([]), "sim.markets.primary"))
    monkeypatch.setattr(group, "conflicts", lambda self, params: [f"needs {len(params.regions) + 1} regions"], False)
    with pytest.raises(Mistakes, match=r"sim\.markets\.primary: needs 3 regions"):
        resolve([])


def test_what_is_set_for_a_month_beyond_the_last_is_named():
    """Month 40 is the fifth of the fourth year. What stands in configs/ for months to come is off, and not worth a word."""
    usual, lines = resolve([]), ["scenario=largest_tenant_fails", "size=class"]
    assert not too_late(resolve(["horizon_years=1"]), usual) and not too_late(resolve([*lines, "horizon_years=4"]), usual)
    month = "sim.markets.failures.month"
    assert [len(too_late(resolve([*lines, "horizon_years=3", f"{month}={at}"]), usual)) for at in (35, 36)] == [0, 1]
    assert len(too_late(resolve(["scenario=rate_cut", "horizon_years=1", "regions=[us]"]), usual)) == 1
    (said,) = too_late(resolve([*lines, "horizon_years=3"]), usual)
    assert said.startswith("sim.markets.failures.month = 40 lies beyond the last month, 35")


def test_a_run_says_first_what_it_will_not_live_to_see(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(terminal, "obtain", lambda *_: Obtained(tmp_path))
    assert terminal.run(resolve(["scenario=vendor_withdraws", "horizon_years=4"]), None) == 0
    assert "agents.vendors.support.until = 50 lies beyond the last month, 47" in capsys.readouterr().err


def test_every_group_can_be_selected():
    params = resolve([])
    assert all(select(params, group) is not None for group in GROUPS)
    assert select(params, "sim.nothing.here") is None


def test_plain_yaml_reads_numbers_as_numbers_and_words_as_words():
    """YAML 1.1 would read NO as false, 1e9 as text, 010 as eight and 1:30 as ninety."""
    text = "a: 2.0e9\nb: 1e9\nc: NO\nd: true\ne: 010\nf: 1:30\ng: 2023-01-01\nh: 1_000\ni: ~\nj: -.5\nk: '1'\n"
    assert parse_plain(text) == {
        "a": 2.0e9,
        "b": 1e9,
        "c": "NO",
        "d": True,
        "e": 10,
        "f": "1:30",
        "g": "2023-01-01",
        "h": 1000,
        "i": None,
        "j": -0.5,
        "k": "1",
    }
    assert parse_plain("# nothing\n") == {}


@pytest.mark.parametrize("text", ["a: [", "1: 2", "? [a]\n: 1", "a: !thing 1", "--- 1\n--- 2", "\0", "a: " + "9" * 9999])
def test_whatever_is_not_plain_is_unreadable(text):
    with pytest.raises(Unreadable):
        parse_plain(text)


def test_a_comment_may_mention_an_interpolation():
    assert parse_plain("# as ${this}\na: 1  # not ${that}\n") == {"a": 1}


def test_suggestions_prefer_the_same_word_in_another_block():
    keys = ["sim.markets.primary.spread_cap", "agents.labs.count"]
    assert suggestion("spread_cap.x", ["a"]) == ""
    assert suggestion("agents.vendors.spread_cap", keys) == "Did you mean sim.markets.primary.spread_cap?"
