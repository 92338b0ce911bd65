"""Statements as data, what is run for them, and the words that they get."""

import json
import math

import numpy as np
import pytest
import yaml
from pytest import approx

from analysis.__main__ import main as command
from analysis.metrics.pooled import Pooled, share
from analysis.settings import over
from analysis.statements import plan as planning
from analysis.statements.judging import UNRUN, alone, compared, judge, measure, verdict
from analysis.statements.page import machine, page
from analysis.statements.plan import Plan, World, make
from analysis.statements.spec import Check, Statement, load, read
from analysis.targets import BadTarget
from sim.params import Params
from tests.test_metrics import world

MINE = """
- id: M1
  says: Spreads revert within a year.
  checks: [{metric: slope_ahead, args: {of: spread, by: spread, months: 12, how: change}, high: 0, unit: "1"}]
  source: my own reading
"""
BAND = Check(metric="persistence", args={"column": "spread"}, low=0.2, high=0.4, unit="1")
SIGN = Check(metric="persistence", args={"column": "spread"}, high=0.0, unit="1", over="mean")
SEEDS = tuple(range(401, 409))


def test_every_statement_on_monthly_series_is_there():
    ids = [statement.id for statement in load()]
    shipped = "V01 V03 V04 V05 V08 V09 V11 V13 V14 V14a V16 V17 V18 V21 V24 V25 V27"
    assert sorted(ids) == shipped.split()
    assert all(statement.source and statement.block != "own" for statement in load())


def test_a_statement_of_ones_own_takes_five_lines_in_a_file_of_ones_own(tmp_path):
    (file := tmp_path / "mine.yaml").write_text(MINE)
    mine = load(str(file))[-1]
    assert (mine.id, mine.block, mine.horizon, mine.checks[0].low) == ("M1", "own", 40.0, -math.inf)


@pytest.mark.parametrize(
    ("old", "new", "faults"),
    [
        ("slope_ahead", "slope_ahed", ["M1: checks.0: metric 'slope_ahed' is not known. Did you mean slope_ahead?", "Known: "]),
        ("of: spread", "of: spred", ["args of slope_ahead: of = 'spred': no such series. Did you mean spread?", "low_grade_share"]),
        ("months: 12", "month: 12", ["args of slope_ahead: ", "months"]),
        ("months: 12", "months: a year", ["args of slope_ahead: months = 'a year': ", "integer"]),
        ("how: change", "how: chnge", ["args of slope_ahead: how = 'chnge': ", "'sum' or 'change'"]),
        ("high: 0", "hihg: 0", ["M1: checks.0.hihg: no such key. Did you mean high?", "against"]),
        ("says:", "sais:", ["M1: ", "says"]),
        (" high: 0,", "", ["are no band"]),
        ('unit: "1"', 'unit: "1", set: [seed=3]', ["seeds are chosen by --seeds"]),
        ('unit: "1"', 'unit: "1", set: [build]', ["'build' is not KEY=VALUE"]),
        ('unit: "1"', 'unit: "1", over: pool', ["slope_ahead gives one number a seed and cannot be pooled"]),
        ("id: M1", "id: V01", ["V01 given twice"]),
        ("id: M1", "id: [", ["is not YAML"]),
    ],
)
def test_a_typo_is_refused_with_file_entry_fault_and_what_is_known(tmp_path, capsys, old, new, faults):
    (file := tmp_path / "mine.yaml").write_text(MINE.replace(old, new))
    assert command(["validate", "--facts", str(file), "--plan"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(str(file)) and said.count("\n") == 1
    assert all(fault in said for fault in faults)


def test_a_file_that_is_no_list_or_is_not_there_is_refused(tmp_path, capsys):
    with pytest.raises(BadTarget, match=r"mine\.yaml: is not a list of statements"):
        read("only: text", "mine.yaml")
    with pytest.raises(BadTarget, match=r"mine\.yaml: is not a list of statements"):
        read("- text", "mine.yaml")
    assert command(["validate", "--facts", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: cannot be read" in capsys.readouterr().err


def test_a_setting_that_does_not_exist_is_refused_before_anything_is_run(tmp_path, capsys):
    (file := tmp_path / "mine.yaml").write_text(MINE.replace('unit: "1"', 'unit: "1", set: [agents.operators.bild=9]'))
    assert command(["validate", "--facts", str(file), "--only", "M1", "--set", f"outputs.root={tmp_path}"]) == 2
    assert "agents.operators.bild" in (said := capsys.readouterr().err) and "Did you mean agents.operators.build?" in said
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


def test_an_id_that_nothing_has_is_refused(capsys):
    assert command(["validate", "--only", "V01,V99"]) == 2
    assert "--only = 'V99': no such statement." in capsys.readouterr().err


def test_an_interval_inside_the_band_passes_one_outside_fails_and_others_do_not_tell():
    assert judge(BAND, [alone(0.3 + 0.001 * n) for n in range(8)]).word == "pass"
    assert judge(BAND, [alone(0.7 + 0.001 * n) for n in range(8)]).word == "fail"
    astride = judge(BAND, [alone(0.4 + 0.03 * (n - 4)) for n in range(8)])
    assert astride.word == "cannot tell" and astride.low < 0.4 < astride.high
    assert astride.share == approx(0.625)


def test_an_effect_of_zero_has_no_sign():
    assert judge(SIGN, [alone(0.0)] * 8).word == "fail"
    assert judge(SIGN, [alone(-1.0 - 0.1 * n) for n in range(8)]).word == "pass"


def test_noise_around_zero_passes_neither_way():
    values = np.random.default_rng(1).normal(size=16)
    assert judge(SIGN, [alone(float(v)) for v in values]).word == "cannot tell"


def test_few_seeds_have_a_value_and_no_interval():
    found = judge(BAND, [alone(0.3)] * 3)
    assert (found.word, found.value, found.low, found.seeds) == ("cannot tell", 0.3, None, 3)
    assert found.reason == "3 seeds; an interval needs 6"


def test_what_was_not_run_cannot_be_told_and_what_is_missing_is_not_measurable():
    assert (judge(BAND, [None] * 8).word, judge(BAND, [None] * 8).reason) == ("cannot tell", UNRUN)
    missing = Check(missing="nobody records it", low=0.0, unit="1")
    assert (judge(missing, []).word, judge(missing, []).reason) == ("not measurable", "nobody records it")


def test_seeds_that_were_not_run_are_said():
    found = judge(BAND, [*[alone(0.3)] * 6, None])
    assert (found.word, found.seeds, found.reason) == ("pass", 6, "1 of 7 seeds not run")


def test_without_a_value_in_half_the_seeds_the_reason_is_given():
    found = judge(BAND, [alone(0.3), "no bust", "no bust", "no bust"])
    assert (found.word, found.value, found.reason) == ("cannot tell", None, "no bust (3 of 4 seeds)")


def test_pooled_shares_add_tries_up_before_they_divide():
    """Seven seeds of 1 in 1 and one of 0 in 13: 7 of 20, where the mean of shares is 7 / 8."""
    check = Check(metric="bust_chance", over="pool", low=0.0, high=1.0, unit="share")
    found = judge(check, [share(1.0, 1.0)] * 7 + [share(0.0, 13.0)])
    assert found.value == approx(0.35) and found.word == "pass"


def test_a_pooled_number_that_some_draws_of_seeds_do_not_have_gets_no_interval():
    """One of six seeds has all the tries: without it there is nothing to divide by."""
    check = Check(metric="bust_chance", over="pool", low=0.0, high=1.0, unit="share")
    found = judge(check, [share(1.0, 2.0, why="there is no boom")] + [share(0.0, 0.0, why="there is no boom")] * 5)
    assert (found.word, found.value, found.low) == ("cannot tell", 0.5, None)
    assert found.reason == "no interval, for in some draws of seeds there is no boom"


def test_other_runs_of_a_seed_are_subtracted_or_divided_by():
    less = BAND.model_copy(update={"against": ()})
    times = less.model_copy(update={"compare": "ratio"})
    assert float(compared(less, alone(0.5), alone(0.2))) == approx(0.3)
    assert float(compared(times, alone(0.5), alone(0.2))) == approx(2.5)
    assert compared(times, alone(0.5), alone(0.0)) == "there is nothing to divide by"
    assert compared(less, alone(0.5), "no bust") == "no bust"


def test_pooled_numbers_are_read_off_both_means_before_they_are_compared():
    """Half of the tries here, a fifth there, from seeds of unequal tries."""
    check = Check(metric="bust_chance", over="pool", against=(), compare="ratio", high=3.0, unit="1")
    both = [compared(check, share(1.0, 1.0), share(0.0, 4.0)), compared(check, share(0.0, 1.0), share(1.0, 1.0))]
    assert all(isinstance(part, Pooled) for part in both)
    assert judge(check, both).value == approx(0.5 / 0.2)


def test_a_run_in_which_fewer_months_are_known_is_left_out_of_a_mean_path():
    short, long = (Pooled(np.ones(n), lambda mean, seeds: float(mean[0])) for n in (3, 5))
    check = Check.model_construct(metric="trough_month", over="pool", low=0.0, high=2.0, unit="1")
    found = judge(check, [long] * 7 + [short])
    assert (found.seeds, found.reason) == (7, "fewer months are known (1 of 8 seeds)")


def test_one_check_that_fails_fails_its_statement():
    statement = Statement(id="M1", says="x", source="x", checks=(BAND, BAND))
    good, bad = [alone(0.3)] * 8, [alone(0.9)] * 8
    assert verdict(statement, {0: good, 1: good}).word == "pass"
    found = verdict(statement, {0: good, 1: bad})
    assert found.word == "fail" and found.decisive.value == approx(0.9)
    assert verdict(statement, {0: good}).word == "cannot tell"


def test_a_metric_that_a_run_does_not_give_says_why():
    assert measure(BAND, world(3, spread=1.0)) == "spread is known in 36 months, or does not move"


@pytest.mark.parametrize("change", [{"horizon": 0.0}, {"args": {"of": "spread", "by": "spread", "months": -5}}])
def test_what_would_fail_on_a_run_is_refused_before(change):
    """No run for a number of runs; months that are not ahead."""
    check = {"metric": "slope_ahead", "args": {"of": "spread", "by": "spread", "months": 12}, "high": 0.0, "unit": "1"}
    entry = {"id": "M1", "says": "x", "source": "y", "horizon": change.get("horizon", 20.0)}
    checks = [check | ({"args": change["args"]} if "args" in change else {})]
    with pytest.raises(BadTarget):
        read(yaml.safe_dump([entry | {"checks": checks}]), "mine.yaml")


def test_statements_that_need_no_run_are_judged_without_one():
    plan = Plan(tuple(one for one in load() if not one.horizon), (), SEEDS)
    assert plan.worlds == []
    assert [one.word for one in plan.judged()] == ["pass", "pass"]


def test_settings_of_a_check_replace_those_of_the_command_line():
    assert over(["size=class", "seed=1"], ["size=full"]) == ("seed=1", "size=full")


def test_runs_that_statements_share_are_asked_for_once_and_all_settings_can_be_had():
    plan = Plan(tuple(load()), ("size=class", "scenario=us_only"), SEEDS)
    lines = [world.lines for world in plan.worlds]
    assert len(lines) == len(set(lines)) and ("size=class", "scenario=us_only", "horizon_years=40") in lines
    wanted = [world.wanted for world in plan.worlds]
    assert all([params.seed for params in one] == list(SEEDS) for one in wanted)
    assert {one[0].horizon_years for one in wanted} == {20.0, 40.0}


def test_a_horizon_that_the_user_gives_is_not_exceeded():
    plan = Plan(tuple(load()), ("horizon_years=30",), SEEDS)
    assert {world.wanted[0].horizon_years for world in plan.worlds} == {20.0}
    word = {one.statement.id: (one.word, one.decisive.reason) for one in plan.judged() if one.statement.horizon == 40.0}
    assert word["V04"] == ("cannot tell", "needs 40 years; --set gives 30")


class Clock:
    """Time that only runs do take."""

    def __init__(self) -> None:
        self.now, self.made = 0.0, []

    def time(self) -> float:
        return self.now


@pytest.mark.parametrize(("slower", "made"), [(1.0, 12), (2.0, 6), (40.0, 2)])
def test_no_run_begins_that_would_not_end_by_the_deadline(monkeypatch, slower, made):
    """Two worlds of eight runs of 24 s, two at once: first two runs to learn the pace, then what fits into 150 s."""
    clock = Clock()

    def run(self: World, todo: list[Params], retry: bool) -> int:
        assert not retry
        clock.now += 24.0 * slower * math.ceil(len(todo) / 2)
        clock.made += todo
        return 0

    monkeypatch.setattr(planning.time, "time", clock.time)
    monkeypatch.setattr(planning, "cores", lambda: 2)
    monkeypatch.setattr(World, "make", run)
    monkeypatch.setattr(World, "missing", lambda self: [params for params in self.wanted if params not in clock.made])
    worlds = [World(("size=class", f"horizon_years={years}"), SEEDS) for years in (40, 41)]
    assert make(worlds, 150.0) == 0
    assert len(clock.made) == made
    assert clock.now <= 150.0 or made == 2


def test_the_page_says_block_by_block_what_passes_and_machines_read_the_same(tmp_path):
    statements = [*load()[:2], *read(MINE, "mine.yaml")]
    judgements = Plan(tuple(statements), (f"outputs.root={tmp_path}", "size=class"), SEEDS).judged()
    text = "\n".join(page(judgements))
    assert "Verification: algebra and the linear mode, no run needed: 2 of 2 pass." in text
    assert "Validation: of one's own: 0 of 1 pass, 1 cannot be told." in text and UNRUN in text
    told = json.loads(json.dumps(machine(judgements), allow_nan=False))
    assert [(one["id"], one["word"], one["pass"]) for one in told] == [
        ("V27", "pass", True),
        ("V14a", "pass", True),
        ("M1", "cannot tell", False),
    ]
    assert told[2]["low"] is None and told[2]["high"] == 0.0 and told[2]["interval"] is None
