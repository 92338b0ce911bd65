"""The page with computed runs: a folder that opens from a memory stick or any web host, without Python."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import as_file, files
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Any

from rich.progress import track

from analysis.app.catalog import catalog
from analysis.app.changes import Change, Kind, Refused, menu
from analysis.app.history import Futures, History
from sim.folders import appearing
from sim.params import Params


class Occupied(Exception):
    """The folder is there already."""


def write(folder: Path, params: Params, at: Sequence[int]) -> None:
    """Write the site, whole or not at all; cuts and shocks ``at`` these months, where there are such.

    Raises
    ------
    Occupied
    """
    folder = folder.expanduser().absolute()
    if folder.exists():
        raise Occupied(f"{folder} is there already. Name a folder that is not, or remove it.")
    months = sorted({month for month in at if 0 <= month < params.months})
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
    """Every run as a script, by name: the history, and each cut and shock at each month; none for what cannot be."""
    jobs = [*offered(months), None]
    context, processes = get_context("forkserver"), min(len(jobs), cpu_count() or 1)
    with ProcessPoolExecutor(processes, context, initializer=begin, initargs=(params,)) as pool:
        for name, script in track(pool.map(one, jobs), "Computing runs", len(jobs)):
            if script:
                yield name, script


def offered(months: list[int]) -> list[Change]:
    """All cuts and shocks of a static site, early ones first."""
    named: list[tuple[Kind, str]] = [("cut", arrow["name"]) for arrow in menu()["arrows"]]
    named += [("shock", shock["name"]) for shock in menu()["shocks"]]
    return [Change(month=month, kind=kind, name=name) for month in months for kind, name in named]


OWN: list[Futures] = []  # of this process, which lives the history once for all its runs


def begin(params: Params) -> None:
    """Start a process's own economy."""
    OWN[:] = [Futures(params, apart=0)]


def one(change: Change | None) -> tuple[str, str]:
    """One run as a script."""
    (futures,) = OWN
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
