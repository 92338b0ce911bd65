"""The loop command finds gain, sign and delay where they were planted, none where there is none, and says when it cannot tell."""

import json
import math
import time
from unittest.mock import Mock

import numpy as np
from pytest import approx, fixture, mark, raises

from analysis.experiments.jobs import LEAD, Branch, Branches, Constants
from analysis.experiments.spec import Effort, load
from analysis.experiments.store import Store
from analysis.experiments.toy import DELAY
from analysis.experiments.worlds import World
from analysis.loop import command, page
from analysis.loop.plan import Plan, opened
from analysis.loop.statements import Statement, untold
from analysis.statistics.gains import closed_loop
from sim.arrows import ARROWS
from sim.mistakes import Mistakes

TEN_YEARS = ("scenario=us_only", "size=class", "horizon_years=10", "sim.build.burn_in=6")
SIGNALS = ("half_life", "spread")
FOREVER = math.inf


def plan(folder, gain: float | None, swings: float = 0.0, lines=TEN_YEARS, **effort) -> Plan:
    """The quick plan with two wires and one arrow."""
    spec = load()
    few = {"wires": tuple(w for w in spec.wires if w.signal in SIGNALS), "arrows": spec.arrows[:1], "calibration_seeds": 6}
    usual = {"runs": 6, "branches": 6, "dates": 1, "hours": 1.0} | effort
    return Plan(spec.model_copy(update=few), World(lines, gain, swings), Store(folder), Effort(**usual), quick=True)


def carried_out(plan: Plan) -> Plan:
    """With all its work done, here and now."""
    for stage in plan.stages():
        for job in stage.make():
            job(FOREVER)
    return plan


def statements(plan: Plan) -> dict[str, Statement]:
    return {one.id: one for one in command.measured(plan)[0]}


@fixture(scope="module")
def planted(tmp_path_factory):
    return carried_out(plan(tmp_path_factory.mktemp("planted"), 0.5))


@fixture(scope="module")
def found(planted):
    return statements(planted)


@fixture(scope="module")
def opposed(tmp_path_factory):
    return statements(carried_out(plan(tmp_path_factory.mktemp("opposed"), -0.5)))


@fixture(scope="module")
def passing(tmp_path_factory):
    """An arrow that passes swings of its own on, and nothing comes back."""
    return statements(carried_out(plan(tmp_path_factory.mktemp("passing"), 0.0, swings=0.1)))


# -- the instrument ----------------------------------------------------------------------------------------------------


@mark.parametrize("signal", SIGNALS)
def test_a_planted_loop_is_found_at_every_wire_with_its_gain_sign_and_delay(found, signal):
    """Months 1 to 12 hold nothing until the delay of three and the gain from then on: 0.5 * 10 / 12."""
    there = found[f"gain {signal}"]
    assert (there.word, there.estimate) == ("holds", approx(0.5)) and f"largest after {DELAY}" in there.note
    assert (found[f"leg {signal}"].word, found[f"leg {signal}"].estimate) == ("holds", approx(0.5 * (13 - DELAY) / 12))
    assert found[f"reversal {signal}"].word == "does not hold"


def test_a_planted_loop_closes_as_a_linear_loop_of_its_gain_does(found):
    closed = found["closed spread"]
    assert closed.estimate == approx(closed_loop(0.5), rel=1e-3) and "inside" in closed.note


def test_a_planted_loop_amplifies_by_what_its_gain_allows(found):
    """Less than 1 / (1 - 0.5), for a cycle of years sees three months of delay."""
    assert found["A"].word == found["loop"].word == "holds" and 1.5 < found["A"].estimate < closed_loop(0.5)
    assert found["total spread to raise_multiple"].estimate < found["direct spread to raise_multiple"].estimate < 0.0


def test_a_balancing_loop_opposes_and_calms(opposed):
    assert opposed["gain spread"].estimate == approx(-0.5)
    assert [opposed[name].word for name in ("leg spread", "reversal spread", "A", "loop")] == [
        *("does not hold", "holds", "does not hold", "does not hold")
    ]


def test_an_amplifier_without_a_way_back_is_no_loop(passing):
    """A is above 2 and every wire returns exactly nothing: that there is a loop, nobody can tell from A."""
    assert passing["A"].word == "holds" and passing["A"].estimate > 2.0
    assert [passing[f"gain {signal}"].word for signal in SIGNALS] == ["does not hold"] * 2
    assert passing["loop"].word == "cannot tell"


def reinforcing(folder, gain: float, swings: float = 0.0) -> dict[str, Statement]:
    """What whole runs and open wires say, with seeds enough to ask both windows of both wires at once."""
    toy = plan(folder, gain, swings, branches=8)
    for stage in toy.stages()[:3]:
        for job in stage.make():
            job(FOREVER)
    return statements(toy)


def test_a_balancing_loop_behind_an_amplifier_does_not_reinforce(tmp_path):
    """Spending swings more with the arrows live, something comes back, and it opposes what was pushed."""
    both = reinforcing(tmp_path, -0.3, swings=0.1)
    assert [both[name].word for name in ("A", "loop", "reinforces")] == ["holds", "holds", "does not hold"]


def test_a_planted_loop_reinforces_and_no_loop_does_not(tmp_path):
    assert reinforcing(tmp_path / "loop", 0.5)["reinforces"].word == "holds"
    assert reinforcing(tmp_path / "none", 0.0)["reinforces"].word == "does not hold"


def test_with_few_seeds_nobody_can_tell_whether_it_reinforces(found):
    assert found["reinforces"].word == "cannot tell" and "takes 8 seeds" in found["reinforces"].note


def test_before_a_push_no_bit_differs(found):
    assert found["zero before"].word == "holds"


@fixture(scope="module")
def severed(tmp_path_factory):
    """The planted loop in a world in which credit is deaf to valuations."""
    deaf = (*TEN_YEARS, "sim.arrows.valuation_credit.gain=0")
    return statements(carried_out(plan(tmp_path_factory.mktemp("severed"), 0.5, lines=deaf)))


def test_with_one_arrow_severed_nothing_comes_back_and_the_others_still_act(severed):
    assert [severed[f"gain {signal}"].word for signal in SIGNALS] == ["does not hold"] * 2
    assert severed["A"].estimate == approx(1.0) and "holds" not in (severed["A"].word, severed["loop"].word)
    assert severed["direct spread to raise_multiple"].word == "holds" and severed["zero before"].word == "holds"
    assert severed["total spread to raise_multiple"].estimate == approx(severed["direct spread to raise_multiple"].estimate)


def test_what_rounding_leaves_is_no_effect(severed):
    """A cut of the arrow that is deaf anyway changes nothing but the order of sums."""
    words = {one.word for name, one in severed.items() if name.startswith("cut valuation>credit")}
    assert words == {"does not hold"} and severed["cut valuation>credit losses"].estimate == 0.0


def test_elasticity_is_that_of_the_world(tmp_path):
    own = plan(tmp_path, None, lines=(*TEN_YEARS, "sim.markets.hardware.cadence_elasticity=0.5"))
    assert own.elasticities[0.5] == own.world and set(own.elasticities) == {0.0, 0.25, 0.5}
    assert own.elasticities[0.0].params(1).sim.markets.hardware.cadence_elasticity == 0.0


def test_a_push_of_the_users_own_is_refused():
    lines = ["sim.arrows.pulse={signal: spread, size: 0.3, month: 0, months: 240}"]
    chosen = command.options().parse_args([part for line in lines for part in ("--set", line)])
    with raises(Mistakes, match="pushes signals itself"):
        command.planned(load(), chosen)


def test_other_settings_and_quick_looks_have_pages_of_their_own():
    spec, lines = load(), [[], ["--quick"], ["--set", "horizon_years=30"]]
    homes = {command.home(command.planned(spec, command.options().parse_args(line))).name for line in lines}
    assert len(homes) == 3 and "us_only-class" in homes and "us_only-class-quick" in homes


@mark.parametrize("damage", [b"", b"no archive", b"half"])
def test_a_damaged_result_is_made_again(planted, tmp_path, damage):
    store = Store(tmp_path)
    store.put("ab12", {"x": np.arange(1000.0)})
    path = store._path("ab12")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage == b"half" else damage)
    assert "ab12" in store and store.get("ab12") is None and "ab12" not in store


def test_a_result_that_the_disk_does_not_give_now_stays(tmp_path, monkeypatch):
    """Too many open files, say: nothing is wrong with what is stored."""
    store = Store(tmp_path)
    store.put("ab12", {"x": np.arange(3.0)})
    with monkeypatch.context() as broken:
        broken.setattr(np, "load", Mock(side_effect=OSError("too many open files")))
        assert store.get("ab12") is None
    assert (store.get("ab12") or {})["x"].tolist() == [0.0, 1.0, 2.0]


# -- what is not run, and what was ----------------------------------------------------------------------------------------


def test_what_was_not_run_cannot_be_told(tmp_path):
    found = [one for one in command.measured(plan(tmp_path, 0.5))[0] if one.word]
    assert found and {one.word for one in found} == {"cannot tell"} and {one.estimate for one in found} == {None}


def test_work_done_is_used_again(planted):
    """The same plan adds nothing; one more seed adds its own."""
    assert [job(FOREVER) for stage in planted.stages() for job in stage.make()] == [0] * (6 + 12 + 6 + 24 + 12)
    more = plan(planted.store.folder.parent, 0.5, branches=7)
    assert {stage.name: stage.units - stage.stored() for stage in more.stages()}["branches"] == 11


def test_a_kill_loses_no_branch_that_was_done(planted, tmp_path):
    """Out of time after each branch, as if killed: the sum of what is added is all there is to add."""
    job = plan(tmp_path, 0.5)._branches([20], (Branch(), opened(load().wires[0], 0.1), opened(load().wires[0], -0.1)))[0]
    assert job(time.time() - 1.0) == 0 and job.stored() == 1  # the twin, without which there is no branch
    assert job(FOREVER) == 2 and job.stored() == 3 and job(FOREVER) == 0


def test_results_of_another_world_are_not_used(planted):
    assert all(stage.stored() == 0 for stage in plan(planted.store.folder.parent, 0.4).stages())


# -- the economy ---------------------------------------------------------------------------------------------------------

SMALL = ("scenario=us_only", "size=class", "horizon_years=2", "sim.build.burn_in=6")


@fixture(scope="module")
def branches(tmp_path_factory):
    """A history of the economy, forked at month 8: all arrows replayed, one wire open, one pushed."""
    what = (Branch(), Branch(tuple(ARROWS)), Branch(("valuation>credit",), "spread", 0.1), Branch((), "spread", 0.1, 2))
    job = Branches(World(SMALL), 5, {8: what}, 6, Store(tmp_path_factory.mktemp("economy")))
    assert job(FOREVER) == 4
    return [job.store.get(job.named(8, one)) for one in what]


def test_a_branch_fed_its_own_path_is_its_twin_to_the_bit(branches):
    base, replayed, *_ = branches
    assert (replayed["changed"] == -1).all() and np.array_equal(base["outcome capex"], replayed["outcome capex"])


def test_an_open_wire_carries_the_path_and_the_push_alone(branches):
    """What the credit market answers is heard but not carried: the spread on the tape is the twin's, pushed by 0.1."""
    base, _, opened, _ = branches
    carried = np.log(opened["outcome spread"]) - np.log(base["outcome spread"])
    assert carried == approx(np.r_[np.zeros(LEAD), np.full(6, 0.1)], abs=1e-12)
    assert not np.allclose(opened["signal spread"], base["signal spread"], atol=1e-9)


def test_a_push_of_a_live_wire_begins_and_ends(branches):
    base, *_, pushed = branches
    live = pushed["signal spread"] - base["signal spread"]
    carried = np.log(pushed["outcome spread"]) - np.log(base["outcome spread"])
    assert carried - live == approx(np.r_[np.zeros(LEAD), 0.1, 0.1, np.zeros(4)], abs=1e-12)


def test_a_replayed_branch_of_a_world_with_a_cut_is_its_twin_too(tmp_path):
    """What the world's own lines cut stays at its constant; all else is fed the twin's path."""
    record = Constants(World(SMALL), 1000, Store(tmp_path))
    assert record(FOREVER) == 1
    found = {key.removeprefix("signal "): float(value) for key, value in record.store.get(record.name).items() if "signal" in key}
    deaf = World((*SMALL, "sim.arrows.valuation_credit.gain=0"))
    job = Branches(deaf, 5, {8: (Branch(), Branch(tuple(ARROWS)))}, 6, record.store, found)
    assert job(FOREVER) == 2 and (job.store.get(job.named(8, Branch(tuple(ARROWS))))["changed"] == -1).all()


# -- what the user sees ----------------------------------------------------------------------------------------------------


def test_the_page_stands_alone_and_escapes_what_it_shows(planted, tmp_path):
    found, tables = command.measured(planted)
    page.write(tmp_path, planted, [*found, untold("x", "<script>", "a < b")], tables, command.done(planted.stages()))
    text = (tmp_path / "loop.html").read_text()
    assert "<script>" not in text and "a &lt; b" in text and "<svg" in text and "src=" not in text
    assert {one["id"] for one in json.loads((tmp_path / "loop.json").read_text())["statements"]} == {one.id for one in found} | {
        "x"
    }
    assert {path.suffix for path in tmp_path.glob("gains.*")} == {".csv", ".parquet"}


def test_runs_hours_and_smallest_effects_are_said_before_anything_starts(tmp_path):
    lines = "\n".join(command.announced(here := plan(tmp_path, 0.5), here.stages()))
    assert "branches" in lines and "stops after 1 hour," in lines and "amplification of" in lines


@mark.parametrize(
    "line, words",
    [
        (["--seeds", "5"], "from 6 to"),
        (["--budget", "nan"], "hours from"),
        (["--toy", "1"], "a gain from"),
        (["--set", "seed=3"], "chosen by --seeds"),
        (["--set", "horizon_years=5"], "too short"),
        (["--set", "size=clas"], "no such size"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(line, words):
    with raises(Mistakes, match=words):
        command.planned(load(), command.options().parse_args(line))
