"""The page with computed runs: a folder that opens from a memory stick or any web host, without Python."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import as_file, files
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Any, Final

from rich.progress import track

from analysis.app.catalog import catalog
from analysis.app.changes import Change, Refused, menu
from analysis.app.history import Futures, History
from sim.folders import appearing
from sim.params import Params

MONTHS: Final = (24, 60, 96)  # at which arrows are cut and shocks strike


class Occupied(Exception):
    """The folder is there already."""


def write(folder: Path, params: Params) -> None:
    """Write the site, whole or not at all.

    Raises
    ------
    Occupied
    """
    folder = folder.expanduser().absolute()
    if folder.exists():
        raise Occupied(f"{folder} is there already. Name a folder that is not, or remove it.")
    months = [month for month in MONTHS if month < params.months]
    with appearing(folder.parent, folder.name) as place:
        with as_file(files("analysis.app").joinpath("static")) as static:
            shutil.copytree(static, place, dirs_exist_ok=True)
        (place / "data").mkdir(exist_ok=True)
        runs = dict(compute(params, months))
        for name, script in runs.items():
            (place / "data" / f"{name}.js").write_text(script, encoding="utf-8")
        exported = {"months": months, "runs": [name for name in runs if name != "history"]}
        text = f"caploop.catalog = {json.dumps(catalog(params, exported), ensure_ascii=True)};\n"
        (place / "data" / "catalog.js").write_text(text, encoding="utf-8")


def compute(params: Params, months: list[int]) -> Iterator[tuple[str, str]]:
    """Every run as a script, by name: the history, and each cut and shock at each month."""
    jobs = [(params, None), *((params, change) for change in offered(months))]
    with ProcessPoolExecutor(min(len(jobs), cpu_count() or 1), get_context("forkserver")) as pool:
        for name, script in track(pool.map(one, jobs), "Computing runs", len(jobs)):
            if script:
                yield name, script


def offered(months: list[int]) -> list[Change]:
    """All cuts and shocks of a static site."""
    kinds = {"cut": menu()["arrows"], "shock": menu()["shocks"]}
    return [
        Change(month=month, kind=kind, name=item["name"]) for month in months for kind, items in kinds.items() for item in items
    ]  # type: ignore[arg-type]


def one(job: tuple[Params, Change | None]) -> tuple[str, str]:
    """One run as a script; no script for a change that this configuration does not allow."""
    params, change = job
    futures = Futures(params)
    if change is None:
        return "history", script("history", lived(futures.history))
    name = f"{change.kind}-{change.name}-{change.month}"
    try:
        return name, script(name, lived(futures.what_if([change])))
    except Refused:
        return name, ""


def lived(history: History) -> History:
    """To the end."""
    while not history.over:
        history.step()
    return history


def script(name: str, history: History) -> str:
    """Rows as a script, for a page from a file may not fetch anything else."""
    rows: list[dict[str, Any]] = history.rows
    return f"caploop.runs[{json.dumps(name)}] = {json.dumps(rows, separators=(',', ':'))};\n"
