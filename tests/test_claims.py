"""Claims: one process a run, and none outlives its holder."""

import os
import signal
import subprocess
import sys
import time

import pytest

from sim.claims import CLAIMS, claim, held

HOLD = """
import sys, time
from pathlib import Path
from sim import signals
from sim.claims import claim
signals.listen()
with claim(Path(sys.argv[1]), "run", sitting="morning"):
    time.sleep(60)
"""


def test_a_claim_is_held_by_one_process_and_lost_when_it_is_killed(tmp_path, environment):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], env=environment)
    while not held(tmp_path).get("run"):
        time.sleep(0.01)
    assert held(tmp_path)["run"].split()[1] == str(holder.pid)
    with claim(tmp_path, "run", wait=False) as mine:
        assert mine is None
    holder.send_signal(signal.SIGKILL)
    with claim(tmp_path, "run") as mine:  # waits for the kill to take effect
        assert mine == 0 and held(tmp_path)["run"].split()[1] == str(os.getpid())
    holder.wait()
    assert not (tmp_path / CLAIMS).exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_deaths_at_a_run_are_counted_within_one_sitting(tmp_path, environment, number):
    """Two holders of the morning die, or are told to end; the evening begins anew."""
    for _ in range(2):
        holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], env=environment)
        while held(tmp_path).get("run", "").split()[1:2] != [str(holder.pid)]:  # it may be half written
            time.sleep(0.01)
        holder.send_signal(number)
        holder.wait()
    copy = (tmp_path / CLAIMS / "run").read_bytes()
    with claim(tmp_path, "run", sitting="morning") as deaths:
        assert deaths == 2
    (tmp_path / CLAIMS).mkdir()
    (tmp_path / CLAIMS / "run").write_bytes(copy)
    with claim(tmp_path, "run", sitting="evening") as deaths:
        assert deaths == 0
