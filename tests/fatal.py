"""Work of a sweep in which runs are manifests, seed 2's error is kept, and seed 3 kills whoever runs it."""

import json
import os
import signal

from sim import sweep
from sim.manifest import sources_hash
from sim.params import Params, config_hash
from sim.run import Obtained, folder_name, outputs


def perform(params: Params, force: bool = False) -> Obtained:
    """A run that takes no time."""
    if params.seed == 2:
        raise ValueError("no price clears")
    if params.seed == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    folder = outputs(params) / folder_name(params)
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"config": config_hash(params), "sources": sources_hash()}))
    return Obtained(folder)


def work(lines: list[str]) -> None:
    """What a worker is given in place of ``sim.sweep.work``, which it calls."""
    sweep.perform = perform
    true_work(lines)


def stillborn(lines: list[str]) -> None:
    """Work during which a worker is killed before it is at a run."""
    os.kill(os.getpid(), signal.SIGKILL)


true_work = sweep.work
