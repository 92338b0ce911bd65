"""``make test-cluster``: two hundred runs through kills and under a reader's eyes; some through a full disk, and two at once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.dataset as ds
import pytest

import analysis
from sim.columns import COLUMNS
from sim.folders import differences

RUNS, FEW = 200, 20
TINY = ("-m", "size=class", "horizon_years=1", "sim.build.burn_in=1", "scenario=us_only")
POINTS = (*TINY, "sim.markets.primary.spread_cap=0.15,0.22")
SWEPT, SOME = (*POINTS, f"seed=range(0,{RUNS // 2})"), (*POINTS, f"seed=range(0,{FEW // 2})")
BETWEEN = 4  # runs from one killing to the next


@pytest.fixture(scope="module")
def calm(tmp_path_factory) -> Path:
    """The undisturbed sweep's folder."""
    root = tmp_path_factory.mktemp("calm")
    done = subprocess.run([sys.executable, "-m", "sim", *SWEPT, f"outputs.root={root}"], capture_output=True, text=True)
    assert done.returncode == 0 and f"{RUNS} done" in done.stderr, done.stderr
    return the_sweep(root)


def the_sweep(root: Path) -> Path:
    """The folder of the only sweep."""
    (plan,) = root.glob("sweeps/*/plan.parquet")
    return plan.parent


def same(calm: Path, other: Path, runs: int) -> None:
    """As in the undisturbed sweep: runs byte by byte, tables row by row; nothing half done beside them."""
    first, second = analysis.load(calm), analysis.load(other)
    names = second.runs["run"].to_pylist()
    assert len(names) == runs == len(list(second.root.glob("*/manifest.json"))) and not list(second.root.glob(".tmp-*"))
    assert not [name for name in names if differences(first.root / name, second.root / name)]
    for name in COLUMNS:
        rows = first.table(name).to_table(filter=ds.field("run").isin(names))
        assert rows.equals(second.table(name).to_table())


def workers(command: int) -> list[int]:
    """Processes that a command started."""
    return [int(pid) for pid in Path(f"/proc/{command}/task/{command}/children").read_text().split()]


def test_two_hundred_runs_killed_three_times_are_those_of_an_undisturbed_sweep(calm, tmp_path):
    """A worker after every few runs, the command itself three times. A reader sees more and more runs, all of them whole."""
    dice, seen = random.Random(200), [0]
    line = [sys.executable, "-m", "sim", *SWEPT, f"outputs.root={tmp_path}"]
    for goal in (RUNS // 5, RUNS // 2, 4 * RUNS // 5, RUNS + 1):
        with subprocess.Popen(line, stdout=-3, stderr=subprocess.PIPE, text=True) as command:
            while command.poll() is None and seen[-1] < goal:
                time.sleep(dice.uniform(0.0, 0.5))
                done = whole(tmp_path)
                if done >= seen[-1] + BETWEEN and (crew := workers(command.pid)):
                    seen.append(done)
                    os.kill(dice.choice(crew), signal.SIGKILL)
            if goal <= RUNS:
                command.kill()
            said = command.communicate()[1]
    assert command.returncode == 0 and "0 failed, 0 missing" in said, said
    assert len(seen) > RUNS // BETWEEN // 3
    same(calm, the_sweep(tmp_path), RUNS)


def whole(root: Path) -> int:
    """Runs that a reader of an unfinished sweep finds, with all their rows."""
    try:
        rows = analysis.load(the_sweep(root)).frame("monthly", ["run"])["run"].value_counts()
    except ValueError:  # no plan, or no run yet
        return 0
    assert (rows == rows.iloc[0]).all()
    return len(rows)


def test_two_sweeps_at_once_into_one_folder_do_every_run_once(calm, tmp_path):
    line = [sys.executable, "-m", "sim", *SOME, f"outputs.root={tmp_path}", "hydra.launcher.workers=1"]
    both = [subprocess.Popen(line, stdout=-3, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [command.communicate()[1] for command in both]
    assert [command.returncode for command in both] == [0, 0] and all("0 failed, 0 missing" in words for words in said), said
    same(calm, the_sweep(tmp_path), FEW)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert not done.returncode, f"a small disk is mounted as root: run make test-cluster as root, in a container. {done.stderr}"
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_a_sweep_which_goes_on_when_there_is_room(calm, small_disk):
    line = [sys.executable, "-m", "sim", *SOME, f"outputs.root={small_disk}"]
    stopped = subprocess.run(line, capture_output=True, text=True)
    assert stopped.returncode == 2 and "No space left" in stopped.stderr and "Traceback" not in stopped.stderr, stopped.stderr
    there = list(small_disk.glob("*/manifest.json"))
    assert there and not [path for path in there if differences(path.parent, calm.parents[1] / path.parent.name)]
    subprocess.run(["mount", "-o", "remount,size=500m", str(small_disk)], check=True)
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0 and f"{FEW - len(there)} done, {len(there)} complete before" in done.stderr, done.stderr
    same(calm, the_sweep(small_disk), FEW)
