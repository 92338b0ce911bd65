"""Shared by all tests."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from sim.run import warm_cache

warm_cache()  # before anything imports numba
settings.register_profile("compiled", deadline=None)  # the first example may compile
settings.load_profile("compiled")

HOUSE = Path(__file__).resolve().parents[1]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment() -> dict[str, str]:
    """This environment, with the checkout importable from any folder."""
    path = os.pathsep.join(filter(None, [str(HOUSE), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path}


@pytest.fixture
def sim(tmp_path: Path, environment: dict[str, str]) -> Command:
    """``python -m sim`` in an empty folder: ``sim("seed=1").returncode``."""
    folder = tmp_path / "here"
    folder.mkdir()

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        line: Sequence[str] = [sys.executable, "-m", "sim", *arguments]
        return subprocess.run(
            line, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600
        )

    return command


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder in which the fixture ``sim`` works."""
    return tmp_path / "here"
