"""``make test-cluster``: two hundred runs through kills, a disk that is full, two sweeps at once and a reader."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import analysis
from analysis.dataset import NoRuns
from sim.columns import COLUMNS
from sim.folders import differences

RUNS = 200
TINY = ("-m", "size=class", "horizon_years=1", "sim.build.burn_in=1", "scenario=us_only", "seed=range(0,100)")
SWEPT = (*TINY, "sim.markets.primary.spread_cap=0.15,0.22")


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


def same(one: Path, other: Path) -> None:
    """The same runs, byte by byte; the same tables, row by row; nothing half done beside them."""
    first, second = analysis.load(one), analysis.load(other)
    assert first.runs == second.runs and first.runs.num_rows == RUNS
    names = first.runs["run"].to_pylist()
    assert not [name for name in names if differences(first.root / name, second.root / name)]
    assert all(first.table(name).to_table().equals(second.table(name).to_table()) for name in COLUMNS)
    assert not list(second.root.glob(".tmp-*")) and len(list(second.root.glob("*/manifest.json"))) == RUNS


def workers(command: int) -> list[int]:
    """Processes that a command started."""
    return [int(pid) for pid in Path(f"/proc/{command}/task/{command}/children").read_text().split()]


def test_two_hundred_runs_killed_three_times_are_those_of_an_undisturbed_sweep(calm, tmp_path):
    """Workers at random all the time; the command itself three times, each time further on. Read while it runs."""
    dice, read = random.Random(200), []
    line = [sys.executable, "-m", "sim", *SWEPT, f"outputs.root={tmp_path}"]
    for goal in (RUNS // 5, RUNS // 2, 4 * RUNS // 5, RUNS):
        with subprocess.Popen(line, stdout=-3, stderr=subprocess.PIPE, text=True) as command:
            while command.poll() is None and (goal == RUNS or len(list(tmp_path.glob("*/manifest.json"))) < goal):
                time.sleep(dice.uniform(0.5, 4.0))
                for pid in workers(command.pid) if command.poll() is None and dice.random() < 0.5 else []:
                    if dice.random() < 0.5:
                        os.kill(pid, signal.SIGKILL)
                try:
                    read.append(analysis.load(the_sweep(tmp_path)).frame("monthly", ["run"])["run"].nunique())
                except (NoRuns, ValueError):
                    read.append(0)
            if goal < RUNS:
                command.kill()
            said = command.communicate()[1]
    assert command.returncode == 0 and "0 failed, 0 missing" in said, said
    assert read == sorted(read) and 0 < max(read) <= RUNS
    same(calm, the_sweep(tmp_path))


def test_two_sweeps_at_once_into_one_folder_do_every_run_once(calm, tmp_path):
    line = [sys.executable, "-m", "sim", *SWEPT, f"outputs.root={tmp_path}", "hydra.launcher.workers=1"]
    both = [subprocess.Popen(line, stdout=-3, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [command.communicate()[1] for command in both]
    assert [command.returncode for command in both] == [0, 0] and all("0 failed, 0 missing" in words for words in said), said
    same(calm, the_sweep(tmp_path))


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert not done.returncode, f"a small disk is mounted as root: run make test-cluster as root, in a container. {done.stderr}"
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_a_sweep_which_goes_on_when_there_is_room(calm, small_disk):
    line = [sys.executable, "-m", "sim", *SWEPT, f"outputs.root={small_disk}"]
    stopped = subprocess.run(line, capture_output=True, text=True)
    assert stopped.returncode == 2 and "No space left" in stopped.stderr and "Traceback" not in stopped.stderr, stopped.stderr
    whole = list(small_disk.glob("*/manifest.json"))
    assert whole and not [path for path in whole if differences(path.parent, calm.parents[1] / path.parent.name)]
    subprocess.run(["mount", "-o", "remount,size=500m", str(small_disk)], check=True)
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0 and f"{RUNS - len(whole)} done, {len(whole)} complete before" in done.stderr, done.stderr
    same(calm, the_sweep(small_disk))
