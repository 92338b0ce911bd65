"""One run: build the economy, step it, leave a folder."""

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sim import references
from sim.folders import appearing
from sim.manifest import manifest
from sim.params import Params, config_hash
from sim.summary import summarise

Progress = Callable[[Iterable[int], int], Iterable[int]]  # (months, how many) -> the same months, shown as they pass
Draw = Callable[[Path], object]  # (folder of a run) -> overview.png in it

log = logging.getLogger(__name__)


def simulate(params: Params, progress: Progress | None = None, draw: Draw | None = None) -> Path:
    """Run a configuration and write ``<root>/<scenario>-seed<seed>-<hash>``, whole or not at all.

    Parameters
    ----------
    params : validated configuration
    progress : wraps the months as they pass
    draw : adds a picture to the folder

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
    root = Path(os.path.expanduser(params.outputs.root))
    with appearing(root, folder_name(params)) as folder:
        begin = clock()
        economy = assemble(params)
        built = clock()
        months = range(economy.months_total)
        for _ in progress(months, len(months)) if progress else months:
            economy.step()
        stepped = clock()
        write(economy.recorder, folder, params)
        if draw is not None:
            picture(draw, folder)
        seconds = {"build": built - begin, "step": stepped - built, "write": clock() - stepped}
        write_json(folder / "manifest.json", manifest(params, seconds, started))
    return root / folder_name(params)


def folder_name(params: Params) -> str:
    """One configuration, one folder: ``us_only-seed3-1a2b3c4d``."""
    return f"{params.scenario}-seed{params.seed}-{config_hash(params)[:8]}"


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


def write(recorder: Any, folder: Path, params: Params) -> None:
    """Tables, summary and resolved configuration."""
    recorder.write(folder)
    recorder.summary = summarise(recorder.table("monthly").to_pandas()) | recorder.summary
    write_json(folder / "summary.json", recorder.summary)
    resolved = params.model_dump(mode="json", exclude={"outputs"})
    (folder / "config.yaml").write_text(yaml.safe_dump(resolved, sort_keys=False), encoding="utf-8")


def write_json(path: Path, tree: dict[str, Any]) -> None:
    """Readable, and the same bytes for the same numbers."""
    path.write_text(json.dumps(tree, indent=2, default=float, allow_nan=False) + "\n", encoding="utf-8")


def picture(draw: Draw, folder: Path) -> None:
    """The tables outlive a picture that cannot be drawn."""
    try:
        draw(folder)
    except Exception:
        log.exception("overview.png could not be drawn; the tables are complete")


def warm_cache() -> None:
    """Let numba keep what it compiled: beside the sources, or where this user may write. Before numba is imported."""
    if "NUMBA_CACHE_DIR" in os.environ or "numba" in sys.modules or os.access(Path(__file__).parent, os.W_OK):
        return
    for place in (os.environ.get("XDG_CACHE_HOME") or "~/.cache", tempfile.gettempdir()):
        folder = Path(place).expanduser() / f"caploop-numba-{os.getuid() if hasattr(os, 'getuid') else 0}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            os.environ["NUMBA_CACHE_DIR"] = str(folder)
            return
