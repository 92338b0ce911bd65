"""Results by what they follow from: the same experiment on the same sources is done once, whoever asks, and whatever was killed."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from sim.folders import replacing
from sim.manifest import sources_hash

Arrays = dict[str, np.ndarray]


class Store:
    """A folder of small files of named arrays.

    Parameters
    ----------
    root : the folder of runs' folders; results go to ``experiments`` below it
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / "experiments"

    def __contains__(self, name: str) -> bool:
        return self._path(name).is_file()

    def get(self, name: str) -> Arrays | None:
        """What was kept under a name; None where nothing is, or what is there cannot be read."""
        try:
            with np.load(self._path(name), allow_pickle=False) as found:
                return {key: found[key] for key in found.files}
        except OSError:
            return None
        except (ValueError, EOFError, KeyError, BadZipFile, zlib.error):
            with suppress(OSError):
                self._path(name).unlink()  # it is damaged, and made again
            return None

    def put(self, name: str, arrays: Mapping[str, Any]) -> None:
        """Keep: whole or not at all."""
        with replacing(self._path(name)) as path, path.open("wb") as file:
            named: dict[str, Any] = {key: np.asarray(value) for key, value in arrays.items()}
            np.savez_compressed(file, **named)

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / f"{name}.npz"


def digest(*parts: Any) -> str:
    """A name for what follows from these parts and from the sources of the model."""
    text = json.dumps([sources_hash(), *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
