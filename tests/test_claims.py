"""Claims: one process a run, and none outlives its holder."""

import os
import signal
import subprocess
import sys
import time

from sim.claims import CLAIMS, claim, held

HOLD = """
import sys, time
from pathlib import Path
from sim.claims import claim
with claim(Path(sys.argv[1]), "run"):
    time.sleep(60)
"""


def test_a_claim_is_held_by_one_process_and_lost_when_it_is_killed(tmp_path, environment):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], env=environment)
    while not held(tmp_path).get("run"):
        time.sleep(0.01)
    assert held(tmp_path)["run"].split()[1] == str(holder.pid)
    with claim(tmp_path, "run", wait=False) as mine:
        assert not mine
    holder.send_signal(signal.SIGKILL)
    with claim(tmp_path, "run") as mine:  # waits for the kill to take effect
        assert mine and held(tmp_path)["run"].split()[1] == str(os.getpid())
    holder.wait()
    assert not (tmp_path / CLAIMS).exists()
