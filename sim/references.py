"""What cut arrows transmit: references, stored under the hash of the world they came from.

``<outputs.root>/references/<scenario>/`` holds ``reference.json`` (hash, seeds, constants), ``ensemble.npz`` (by month) and
``path-seed<N>.npz`` (one run, by month and agent).
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from sim.mistakes import Mistake, Mistakes
from sim.params import Params, reference_hash

Signals = dict[tuple[str, str], np.ndarray]  # (signal, region) -> by month, or by month and agent


class NoReference(Mistakes):
    """A cut arrow has no reference, or one from another world."""

    def __init__(self, text: str) -> None:
        super().__init__([Mistake("sim.arrows", f": {text}")])


def folder(params: Params) -> Path:
    """Where a scenario's references are kept."""
    return Path(params.outputs.root).expanduser() / "references" / params.scenario


def constants(paths: list[Signals], burn_in: int) -> Signals:
    """Mean of every signal over runs, agents and recorded months: (1,) each."""
    return {key: np.array([np.nanmean([np.nanmean(p[key][burn_in:]) for p in paths])]) for key in paths[0]}


def ensemble(paths: list[Signals]) -> Signals:
    """Mean of every signal over runs and agents, month by month: (t,) each. A month without a value takes the overall mean."""
    out = {}
    for key in paths[0]:
        by_run = [p[key] if p[key].ndim == 1 else _row_means(p[key]) for p in paths]
        out[key] = _row_means(np.stack(by_run, axis=1))
        out[key] = np.where(np.isnan(out[key]), np.nanmean(out[key]), out[key])
    return out


def _row_means(values: np.ndarray) -> np.ndarray:
    values = values.reshape(len(values), -1)
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    return np.divide(np.where(known, values, 0.0).sum(axis=1), count, out=np.full(len(values), np.nan), where=count > 0)


def signals(economy: Any) -> Signals:
    """The live signals a recording economy has kept, as arrays."""
    return {key: np.array(values) for key, values in economy.arrows.recorded.items()}


def save_means(params: Params, paths: list[Signals], seeds: list[int]) -> Path:
    """Store constants and ensemble; returns the folder."""
    home = folder(params)
    home.mkdir(parents=True, exist_ok=True)
    fixed = constants(paths, params.sim.build.burn_in)
    _write_arrays(home / "ensemble.npz", ensemble(paths))
    page = {
        "hash": reference_hash(params),
        "seeds": seeds,
        "constant": {"/".join(key): float(value[0]) for key, value in fixed.items()},
    }
    (home / "reference.json").write_text(json.dumps(page, indent=1, sort_keys=True) + "\n")
    return home


def save_path(params: Params, path: Signals) -> Path:
    """Store one run's signals; returns the file."""
    home = folder(params)
    home.mkdir(parents=True, exist_ok=True)
    file = home / f"path-seed{params.seed}.npz"
    _write_arrays(file, path | {("hash", reference_hash(params)): np.zeros(1)})
    return file


def load(params: Params) -> Signals:
    """References for the arrows that are cut.

    Raises
    ------
    NoReference
        There is none, or the configuration has changed since it was made.
    """
    arrows, home = params.sim.arrows, folder(params)
    way_out = f"Run `python -m analysis reference {params.scenario}` with the same settings."
    if arrows.ref == "path":
        file = home / f"path-seed{arrows.path_seed}.npz"
        if not file.is_file():
            raise NoReference(f"ref is path and there is no recorded run {file}. {way_out} Add path_seed={arrows.path_seed}.")
        found = _read_arrays(file)
        _refuse_stale(next(key[1] for key in found if key[0] == "hash"), params, file, way_out)
        return {key: value for key, value in found.items() if key[0] != "hash"}
    file = home / "reference.json"
    if not file.is_file():
        raise NoReference(f"an arrow is cut and {file} does not exist. {way_out}")
    page = json.loads(file.read_text())
    _refuse_stale(page["hash"], params, file, way_out)
    if arrows.ref == "ensemble":
        return _read_arrays(home / "ensemble.npz")
    return {named(name): np.array([value]) for name, value in page["constant"].items()}


def fingerprint(params: Params) -> str | None:
    """Hash of what a run's cut arrows transmit; None where none is cut."""
    if params.sim.arrows.live:
        return None
    digest = hashlib.sha256()
    for key, values in sorted(load(params).items()):
        digest.update(f"{key}{values.dtype}{values.shape}\0".encode() + values.tobytes())
    return digest.hexdigest()


def _refuse_stale(found: str, params: Params, file: Path, way_out: str) -> None:
    wanted = reference_hash(params)
    if found != wanted:
        raise NoReference(f"{file} was made for configuration {found[:8]}, this one is {wanted[:8]}: it is stale. {way_out}")


def named(name: str) -> tuple[str, str]:
    """Signal and region of a name as it is stored."""
    signal, _, region = name.partition("/")
    return signal, region


def _write_arrays(file: Path, arrays: Signals) -> None:
    names: dict[str, Any] = {"/".join(key): value for key, value in arrays.items()}
    np.savez_compressed(file, **names)


def _read_arrays(file: Path) -> Signals:
    with np.load(file, allow_pickle=False) as arrays:
        return {named(name): arrays[name] for name in arrays.files}
