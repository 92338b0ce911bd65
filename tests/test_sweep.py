"""Sweeps: each run once, whatever happens to the processes that run them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from analysis import status
from sim import sweep as sweeps
from sim import terminal
from sim.claims import claim, held
from sim.compose import Point, resolve_sweep
from sim.folders import Unwritable, differences
from sim.launcher import Stopped
from sim.manifest import manifest, sources_hash
from sim.mistakes import Mistakes
from sim.plans import LEFT_OUT, Plan, failure, failures
from sim.run import folder_name, outputs
from tests import fatal

SHORT = ("size=class", "horizon_years=1", "sim.build.burn_in=1")
SWEPT = ("-m", *SHORT, "scenario=us_only,china_only", "seed=range(0,2)")


def children(pid: int) -> list[int]:
    """Workers of a sweep."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def runs(folder: Path, root: str = "outputs") -> dict[str, Path]:
    """Complete runs by name."""
    return {path.parent.name: path.parent for path in (folder / root).glob("*/manifest.json")}


def at_work(parent: subprocess.Popen, root: Path, but: int = 0) -> int:
    """A worker that is at a run, once there is one."""
    while True:
        assert parent.poll() is None, "the sweep ended too early"
        for words in filter(None, held(root).values()):  # empty until its holder has written to it
            if (pid := int(words.split()[1])) != but:
                return pid
        time.sleep(0.01)


@pytest.mark.slow
def test_a_sweep_whose_worker_and_parent_are_killed_is_finished_by_the_same_command(sim, here, tmp_path, environment):
    """The workers end with their parent; what they left is the same, byte by byte, as in an undisturbed sweep."""
    assert sim(*SWEPT, "outputs.root=calm").returncode == 0
    line = [sys.executable, "-m", "sim", *SWEPT]
    with subprocess.Popen(line, cwd=here, env=environment, stdout=-3, stderr=-3) as parent:
        lost = at_work(parent, here / "outputs")
        os.kill(lost, signal.SIGKILL)
        at_work(parent, here / "outputs", but=lost)
        workers = children(parent.pid)
        parent.kill()
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers and not any(map(alive, workers))
    done = sim(*SWEPT)
    assert done.returncode == 0 and "0 failed, 0 missing" in done.stderr
    first, second = runs(here, "calm"), runs(here)
    assert len(first) == 4 and first.keys() == second.keys()
    assert not [name for name in first if differences(first[name], second[name])]
    assert not list((here / "outputs").glob(".tmp-*"))


@pytest.fixture
def begun(monkeypatch) -> list[str]:
    """Names of the runs that were begun, which are stubs."""
    names: list[str] = []

    def perform(params, force=False):
        names.append(folder_name(params))
        return fatal.perform(params, force)

    monkeypatch.setattr(sweeps, "perform", perform)
    monkeypatch.setattr(sys, "argv", sys.argv[:])
    return names


@pytest.fixture
def points(tmp_path, begun) -> list[Point]:
    """Two points with two seeds each."""
    return resolve_sweep(["scenario=us_only,china_only", "seed=1,2", f"outputs.root={tmp_path / 'outputs'}"])


def job(point: Point, lines: list[str]) -> list[str]:
    """What a launcher hands to a worker."""
    own = {"seeds": str(list(point.seeds)), "sources": sources_hash(), "folder": os.getcwd(), "force": "false", "sitting": "one"}
    own["command"] = json.dumps(["seed=1,2", *lines])
    return [
        *lines,
        *(f"++sweep.{key}={value if key in ('seeds', 'force') else sweeps.quoted(value)}" for key, value in own.items()),
    ]


def test_a_failing_run_is_recorded_and_the_next_one_begins(points, begun, tmp_path):
    """Seed 2 fails; the job goes on, the error is kept, and it is not tried again unless asked for."""
    root = tmp_path / "outputs"
    plan = sweeps.plan_of(points)
    for point in points:
        for _ in range(2):
            sweeps.work(job(point, [f"scenario={point.params.scenario}", f"outputs.root={root}"]))
    progress = plan.progress()
    assert len(begun) == 4 and len(progress.done) == len(progress.failed) == 2 and not progress.to_do
    found = failure(root, progress.failed[0])
    assert found is not None and found["error"] == "ValueError" and "no price clears" in found["traceback"]
    sweeps.forget_failures(root, plan.runs, all_kinds=False)
    assert len(plan.progress().failed) == 2
    sweeps.forget_failures(root, plan.runs, all_kinds=True)
    assert len(plan.progress().to_do) == 2


def test_a_run_of_a_sweep_names_the_sweeps_command(points, begun, tmp_path):
    """Whatever process does it: what the launcher was told, and where it works, is no part of it."""
    lines = ["scenario=us_only", f"outputs.root={tmp_path / 'outputs'}"]
    sweeps.work(job(points[0], lines))
    assert manifest(points[0].params, None, {}, {}, "")["this_run"]["command"] == ["python", "-m", "sim", "-m", "seed=1,2", *lines]


def test_a_full_disk_stops_the_job_and_leaves_the_run_to_be_done(points, tmp_path, monkeypatch):
    def full(params, force=False):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sweeps, "perform", full)
    root = tmp_path / "outputs"
    plan = sweeps.plan_of(points)
    with pytest.raises(OSError, match="No space left"):
        sweeps.work(job(points[0], ["scenario=us_only", f"outputs.root={root}"]))
    sweeps.forget_failures(root, plan.runs, all_kinds=False)
    assert len(plan.progress().to_do) == 4 and not list(failures(root).iterdir())


def test_a_run_at_which_workers_die_again_and_again_is_given_up(tmp_path, monkeypatch):
    """Seed 3 kills three workers and is recorded; the others are done, whatever job they were in. Retried, it is the same."""
    monkeypatch.setattr(sweeps, "work", fatal.work)
    lines = ["scenario=us_only", "seed=1,3,4", f"outputs.root={tmp_path / 'outputs'}"]
    points = resolve_sweep(lines)
    plan = sweeps.plan_of(points)
    assert sweeps.sweep(plan, lines, points) == (0, 2, 1, 0)
    (lost,) = plan.progress().failed
    found = failure(plan.root, lost)
    assert found is not None and found["machine"] and "3 workers died at this run" in found["message"]


def test_workers_that_do_not_start_stop_the_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "work", NeverThere())
    lines = ["scenario=us_only", "seed=1", f"outputs.root={tmp_path / 'outputs'}"]
    points = resolve_sweep(lines)
    with pytest.raises(Stopped, match="3 workers in a row did not start"):
        sweeps.sweep(sweeps.plan_of(points), lines, points)


def test_workers_that_die_before_they_are_at_a_run_stop_the_sweep(tmp_path, monkeypatch):
    """As where memory does not suffice to begin one; no claim counts such deaths."""
    monkeypatch.setattr(sweeps, "work", fatal.stillborn)
    lines = ["scenario=us_only", "seed=1", f"outputs.root={tmp_path / 'outputs'}"]
    points = resolve_sweep(lines)
    with pytest.raises(Stopped, match=r"3 workers died .* out of memory\. .*hydra\.launcher\.workers=1"):
        sweeps.sweep(sweeps.plan_of(points), lines, points)


def test_without_a_place_for_temporary_files_the_sweep_says_so(points, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(Stopped, match="Set TMPDIR"):
        sweeps.sweep(sweeps.plan_of(points), ["seed=1,2"], points)


def test_what_lies_beside_a_plan_is_written_when_it_changes_and_refused_in_one_way(points):
    plan = sweeps.plan_of(points)
    plan.leave_out(["a=1  b=2"])
    kept = (plan.folder / LEFT_OUT).stat().st_ino
    plan.leave_out(["a=1 b=2"])
    assert (plan.folder / LEFT_OUT).stat().st_ino == kept
    (plan.folder / LEFT_OUT).unlink()
    for place in (plan.folder / LEFT_OUT, failures(plan.root) / f"{plan.runs[0]}.json"):
        place.mkdir(parents=True)
    with pytest.raises(Unwritable, match=r"Set outputs\.root=FOLDER"):
        plan.leave_out(["a=1"])
    with pytest.raises(Unwritable, match=r"Set outputs\.root=FOLDER"):
        sweeps.forget_failures(plan.root, plan.runs, all_kinds=True)


class NeverThere:
    """Work that no worker can be given."""

    def __reduce__(self):
        return os._exit, (9,)


def test_a_run_that_others_are_at_is_left_to_them(points, tmp_path):
    params = points[0].params
    with claim(outputs(params), folder_name(params)):
        assert not sweeps.attempt(params, force=False, sitting="", wait=False)
    assert sweeps.attempt(params, force=False, sitting="", wait=False)


def test_a_plan_holds_what_varies_and_nothing_else(points):
    plan = sweeps.plan_of(points)
    assert plan.table.column_names == ["run", "scenario", "size", "seed", "regions"]
    assert Plan.read(plan.folder).table == plan.table and len(set(plan.runs)) == 4


def test_sources_that_changed_end_a_job_before_it_begins(points):
    lines = [line.replace(sources_hash(), "0" * 64) for line in job(points[0], ["scenario=us_only"])]
    with pytest.raises(RuntimeError, match="sources have changed"):
        sweeps.work(lines)


def test_seeds_are_dealt_out_in_blocks_so_that_no_core_waits(monkeypatch):
    monkeypatch.setattr(sweeps, "cores", lambda: 2)
    assert sweeps.blocks([1, 2], 1) == "[1],[2]"
    assert sweeps.blocks(range(16), 4) == "[0,1,2,3,4,5,6,7],[8,9,10,11,12,13,14,15]"
    assert sweeps.blocks(range(100), 50).count("[") == 4


def test_a_combination_that_cannot_be_had_is_left_out_and_the_others_are_run(tmp_path, monkeypatch, capsys):
    """China's copier needs China; alone, such a sweep is refused, and so is a mistake in a value."""
    monkeypatch.setattr(sweeps, "work", fatal.work)
    lines = ["seed=1", "sim.markets.primary.playbook.copier=china,''", f"outputs.root={tmp_path / 'outputs'}"]
    assert terminal.command(["-m", *lines, "regions=[us],[us,china]"], print) == 4
    said = capsys.readouterr()
    assert len(said.out.split()) == 3 and "3 runs: 3 done" in said.err
    assert "Left out, for it cannot be had: sim.markets.primary.playbook.copier=china" in said.err and "regions=[us]" in said.err
    (folder,) = (path for path in (tmp_path / "outputs" / "sweeps").iterdir() if path.name != "failures")
    (kept,) = Plan.read(folder).left_out()
    assert (
        "copier=china" in kept
        and "regions=[us]" in kept
        and status.lines(Plan.read(folder), Plan.read(folder).progress())[-1] == f"left out: {kept}"
    )
    assert terminal.command(["-m", "seed=1", "regions=[us]", "sim.markets.primary.playbook.copier=china"], print) == 2
    assert terminal.command(["-m", *lines, "regions=[us],[us,china]", "horizon_years=0"], print) == 2


@pytest.mark.parametrize("setting", ["hydra.launcher.worker=2", "hydra.launcher.workers=0"])
def test_what_a_launcher_cannot_be_told_is_refused(setting):
    with pytest.raises(Mistakes, match=r"hydra\.launcher\.worker"):
        sweeps.check_launcher(["seed=1,2", setting])
    sweeps.check_launcher(["seed=1,2", "hydra.launcher.workers=2"])


def test_a_folder_that_cannot_be_written_is_said_before_anything_starts(sim, here):
    (here / "file").write_text("")
    done = sim("-m", *SHORT, "seed=1,2", "outputs.root=file/below")
    assert done.returncode == 2 and "cannot be written" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ['a "b"', "it's", "a\\b", "end\\", 'q\\"', "\\'", "é\\\\'", "a,b: {c}"])
def test_whatever_is_quoted_comes_out_as_it_was(text):
    """A worker reads the command and its folder from a line of Hydra's grammar."""
    for whole in (text, json.dumps([f"key={text}"])):
        assert sweeps.overrides_of([f"++sweep.x={sweeps.quoted(whole)}"]) == {"sweep.x": whole}


def test_a_sweep_runs_its_own_seeds_however_they_are_given(tmp_path, monkeypatch):
    """With a plus before them, and in a folder with blanks and quotes."""
    monkeypatch.setattr(sweeps, "work", fatal.work)
    lines = ["scenario=us_only", "+seed=5,6", f'outputs.root="{tmp_path}/it\'s here, ü"']
    points = resolve_sweep(lines)
    assert sweeps.sweep(sweeps.plan_of(points), lines, points) == (0, 2, 0, 0)
    assert (
        len(list((tmp_path / "it's here, ü").glob("*-seed[56]-*"))) == len(list((tmp_path / "it's here, ü").glob("*-seed*"))) == 2
    )


@pytest.mark.parametrize("line", ["seed=range(0,0)", "seed=glob(*)", "horizon_years=range(5,5)", "scenario=glob(nothing*)"])
def test_a_sweep_over_no_values_is_refused(line):
    with pytest.raises(Mistakes, match="holds no value"):
        resolve_sweep(["sim.markets.primary.spread_cap=0.2,0.3", line])
