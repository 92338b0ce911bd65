"""One run: build the economy, step it, leave a folder."""

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from sim import references, signals
from sim.claims import claim
from sim.columns import COLUMNS
from sim.folders import appearing, differences, hashes
from sim.manifest import manifest, sources_hash
from sim.params import Params, config_hash
from sim.pictures import Picture
from sim.summary import summarise

Progress = Callable[[Iterable[int], int], Iterable[int]]  # (months, how many) -> the same months, shown as they pass
Draw = Callable[[], Picture]  # begins to load what draws

FILES = (*(f"{table}.parquet" for table in COLUMNS), "summary.json", "config.yaml", "overview.png", "manifest.json")  # of a run
AGAIN = "-again"  # ends the name of a forced run's folder, beside the first


class Obtained(NamedTuple):
    """A run's folder, how it came about, and the files in which a repetition differs from the first."""

    folder: Path
    how: Literal["new", "reused", "repeated"] = "new"
    differs: tuple[str, ...] = ()


def obtain(params: Params, progress: Progress | None = None, draw: Draw | None = None, force: bool = False) -> Obtained:
    """The run of a configuration: the complete one, or a new one if there is none. One process a run: others wait.

    Parameters
    ----------
    force : run again beside the complete one and compare; the second is kept only if it differs

    Raises
    ------
    as ``simulate``
    """
    root, name = outputs(params), folder_name(params)
    if complete(params) and not force:
        return reuse(root / name, draw)
    with claim(root, name):
        return perform(params, progress, draw, force)


def perform(params: Params, progress: Progress | None = None, draw: Draw | None = None, force: bool = False) -> Obtained:
    """``obtain`` for whoever holds the claim."""
    if not complete(params):
        return Obtained(simulate(params, progress, draw))
    return repeat(params, progress) if force else reuse(outputs(params) / folder_name(params), draw)


def complete(params: Params) -> bool:
    """Whether the run of a configuration by these sources is there, whole."""
    try:
        found = json.loads((outputs(params) / folder_name(params) / "manifest.json").read_text(encoding="utf-8"))
        return (found["config"], found["sources"]) == (config_hash(params), sources_hash())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def reuse(folder: Path, draw: Draw | None) -> Obtained:
    """A complete run; sweeps leave no picture, so it may still have to be drawn."""
    if draw is not None and not (folder / "overview.png").exists() and os.access(folder, os.W_OK):
        with draw() as picture:
            picture.begin(folder)
            picture.end()
    return Obtained(folder, "reused")


def repeat(params: Params, progress: Progress | None = None) -> Obtained:
    """Run again beside the complete run; what is the same to the bit is removed."""
    first = outputs(params) / folder_name(params)
    second = simulate(params, progress, beside=True)
    differs = differences(first, second)
    if not differs:
        shutil.rmtree(second)
    return Obtained(second if differs else first, "repeated", tuple(differs))


def simulate(params: Params, progress: Progress | None = None, draw: Draw | None = None, beside: bool = False) -> Path:
    """Run a configuration and write ``<root>/<scenario>-seed<seed>-<hash>``, whole or not at all.

    Parameters
    ----------
    params : validated configuration
    progress : wraps the months as they pass
    draw : begins what adds a picture to the folder
    beside : write to a folder of its own, beside the complete run

    Returns
    -------
    the run's folder

    Raises
    ------
    Unwritable
        before anything is simulated
    BooksDoNotBalance
        in the month in which an identity fails; no folder is left
    """
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter
    root, name = outputs(params), folder_name(params) + (AGAIN if beside else "")
    reference = references.fingerprint(params)
    with appearing(root, name, FILES) as folder, draw() if draw else nullcontext() as picture:
        begin = clock()
        economy = assemble(params)
        built = clock()
        months = range(economy.months_total)
        for _ in progress(months, len(months)) if progress else months:
            economy.step()
            signals.heed()
        stepped = clock()
        write_config(folder, params)
        economy.recorder.write(folder)
        if picture:
            picture.begin(folder)
        write_summary(economy.recorder, folder)
        files = hashes(folder)
        if picture:
            picture.end()
        seconds = {"build": built - begin, "step": stepped - built, "write": clock() - stepped}
        write_json(folder / "manifest.json", manifest(params, reference, files, seconds, started))
    return root / name


def outputs(params: Params) -> Path:
    """The folder of runs' folders."""
    return Path(os.path.expanduser(params.outputs.root))


def folder_name(params: Params) -> str:
    """One configuration and one state of the sources, one folder: ``us_only-seed3-1a2b3c4d5e6f``."""
    parts = (config_hash(params), sources_hash(), references.fingerprint(params) or "")
    return f"{params.scenario}-seed{params.seed}-{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:12]}"


def assemble(params: Params, recording: bool = False) -> Any:
    """The economy at its first month; ``recording`` keeps every signal of its arrows.

    Raises
    ------
    NoReference
        An arrow is cut and what it should transmit has not been made for this configuration.
    """
    warm_cache()
    from sim.build import build  # pulls in Mesa and numba, which a wrong configuration need not wait for

    logging.getLogger("MESA").setLevel(logging.WARNING)
    arrows = params.sim.arrows
    return build(params, {} if arrows.live else references.load(params), recording)


def write_config(folder: Path, params: Params) -> None:
    """Resolved configuration."""
    resolved = params.model_dump(mode="json", exclude={"outputs"})
    (folder / "config.yaml").write_text(yaml.safe_dump(resolved, sort_keys=False), encoding="utf-8")


def write_summary(recorder: Any, folder: Path) -> None:
    """What the months say, and what the run says of itself."""
    recorder.summary = summarise(recorder.table("monthly").to_pandas()) | recorder.summary
    write_json(folder / "summary.json", recorder.summary)


def write_json(path: Path, tree: dict[str, Any]) -> None:
    """Readable, and the same bytes for the same numbers."""
    path.write_text(json.dumps(tree, indent=2, default=float, allow_nan=False) + "\n", encoding="utf-8")


def warm_cache() -> None:
    """Let numba keep what it compiled: beside the sources, or where this user may write. Before numba is imported."""
    if "NUMBA_CACHE_DIR" in os.environ or "numba" in sys.modules or os.access(Path(__file__).parent, os.W_OK):
        return
    for place in (lambda: os.environ.get("XDG_CACHE_HOME") or "~/.cache", tempfile.gettempdir):
        try:
            folder = Path(place()).expanduser() / f"caploop-numba-{os.getuid() if hasattr(os, 'getuid') else 0}"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            os.environ["NUMBA_CACHE_DIR"] = str(folder)
            return
