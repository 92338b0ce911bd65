"""Where a run came from: configuration, code, versions, machine."""

import hashlib
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sim.params import Params, config_hash, reference_hash

HOUSE = Path(__file__).resolve().parents[1]
PARTS = ("sim", "agents", "configs")  # what a run's numbers depend on
LIBRARIES = ("mesa", "numpy", "numba", "scipy", "pandas", "pyarrow", "hydra-core", "pydantic")


def manifest(
    params: Params, reference: str | None, files: dict[str, str], seconds: dict[str, float], started: str
) -> dict[str, Any]:
    """Everything needed to run it again; what differs between two runs is under ``this_run``.

    Parameters
    ----------
    reference : hash of what its cut arrows transmit
    files : name -> hash of every other file but pictures
    """
    return {
        "scenario": params.scenario,
        "seed": params.seed,
        "config": config_hash(params),
        "reference": reference_hash(params),
        "transmitted": reference,
        "sources": sources_hash(),
        "files": files,
        "versions": versions(),
        "configuration": params.model_dump(mode="json", exclude={"outputs"}),
        "this_run": {
            "started": started,
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
            "revision": revision(),
            "platform": platform.platform(),
            "command": ["python", "-m", "sim", *sys.argv[1:]] if Path(sys.argv[0]).name == "__main__.py" else [],
        },
    }


def versions() -> dict[str, str]:
    """Of this package, Python and the libraries that numbers pass through."""
    return {"caploop": release(), "python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def release() -> str:
    """Version of this package, installed or not."""
    try:
        return version("caploop")
    except PackageNotFoundError:
        return "not installed"


@cache
def sources_hash() -> str:
    """One hash over every module and configuration file, as they were when this process first asked."""
    digest = hashlib.sha256()
    for part in PARTS:
        for path in sorted((HOUSE / part).rglob("*")):
            if path.suffix in (".py", ".yaml"):
                digest.update(f"{path.relative_to(HOUSE).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def revision() -> str | None:
    """Commit of the code, with ``+`` when files were changed since; None outside a clone."""
    if not (HOUSE / ".git").exists():
        return None
    commit = git("rev-parse", "HEAD")
    return commit and commit + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def git(*arguments: str) -> str | None:
    """Output of a git command that changes nothing."""
    command = ["git", "--no-optional-locks", "-C", str(HOUSE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
