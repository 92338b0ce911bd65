"""A run's folder appears whole or not at all."""

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PREFIX = ".tmp-"
VARYING = ("this_run",)  # fields of a manifest that differ between two runs of one configuration


class Unwritable(OSError):
    """The outputs cannot be written where they are wanted."""


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """What the disk refuses while the block lasts is one error, which says the way out.

    Raises
    ------
    Unwritable
    """
    try:
        yield
    except Unwritable:
        raise
    except (OSError, ValueError) as error:
        raise Unwritable(f"{root} cannot be written: {error}. Set outputs.root=FOLDER.") from None


@contextmanager
def appearing(root: Path, name: str, own: Sequence[str] = ()) -> Iterator[Path]:
    """A hidden folder beside ``root/name``: takes its place when the block ends well, vanishes when it does not.

    Parameters
    ----------
    own : names of files; a folder without a manifest is replaced if it has no others, as a copy or a removal may have left it

    Raises
    ------
    Unwritable
        before the block starts
    """
    final, hidden = root / name, root / hidden_name(name)
    with writing(root):
        if final.exists() and not ((final / "manifest.json").is_file() or part_of_a_run(final, own)):
            raise Unwritable(f"{final} exists and is not the folder of a run. Move it, or set outputs.root=FOLDER.")
        root.mkdir(parents=True, exist_ok=True)
        sweep_up(root, name)
        hidden.mkdir()
    try:
        yield hidden
        settle(hidden)
        take_place(hidden, final)
        sync(root)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def part_of_a_run(folder: Path, own: Sequence[str]) -> bool:
    """Whether a folder holds nothing but files of these names, or what a copy calls them until they are whole."""
    return bool(own) and folder.is_dir() and all(path.name.lstrip(".").startswith(tuple(own)) for path in folder.iterdir())


def whole(folder: Path) -> bool:
    """Whether a run's folder is complete: its manifest is written last."""
    return os.path.isfile(f"{folder}/manifest.json")


def hidden_name(name: str, pid: int | None = None) -> str:
    """Where this process, or another of this machine, prepares what will be called ``name``."""
    return f"{PREFIX}{name}-{socket.gethostname()}-{pid or os.getpid()}"


def sweep_up(root: Path, name: str) -> None:
    """Remove what killed runs of the same name left on this machine."""
    for what in (name, f"{name}-old"):
        for left in root.glob(f"{PREFIX}{what}-{socket.gethostname()}-*"):
            if not running(left.name.rpartition("-")[2]):
                shutil.rmtree(left, ignore_errors=True)


def running(pid: str) -> bool:
    """Whether a process of that number is alive."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return int(pid) != os.getpid()


def settle(folder: Path) -> None:
    """Wait until everything is on the disk."""
    for path in [*folder.iterdir(), folder]:
        sync(path)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden file beside ``path`` that takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.parent / f"{hidden_name(path.stem)}{path.suffix}"
    try:
        yield hidden
        sync(hidden)
        hidden.replace(path)
        sync(path.parent)
    finally:
        hidden.unlink(missing_ok=True)


def take_place(hidden: Path, final: Path) -> None:
    """Rename into place; what was there is set aside first and removed after."""
    aside = hidden.with_name(hidden_name(f"{final.name}-old"))
    while True:
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(FileNotFoundError):
            final.rename(aside)
        try:
            hidden.rename(final)
            break
        except OSError:
            if not final.exists():
                raise  # else a second process was faster with the same run, and is set aside in turn
        finally:
            if aside.exists() and not final.exists():
                aside.rename(final)
    shutil.rmtree(aside, ignore_errors=True)


def differences(one: Path, other: Path) -> list[str]:
    """Files in which two runs differ; their pictures, and what manifests hold under ``this_run``, are not compared."""
    names = {path.name for folder in (one, other) for path in folder.iterdir() if path.suffix != ".png"}
    return sorted(name for name in names if content(one / name) != content(other / name))


def hashes(folder: Path) -> dict[str, str]:
    """Name -> hash of a run's files but its manifest and pictures."""
    paths = sorted(path for path in folder.iterdir() if path.suffix != ".png" and path.name != "manifest.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def content(path: Path) -> bytes | dict[str, Any] | None:
    """What must be equal in two runs of one configuration; None for a file that is not there."""
    if not path.is_file():
        return None
    if path.name != "manifest.json":
        return path.read_bytes()
    return {name: value for name, value in json.loads(path.read_text(encoding="utf-8")).items() if name not in VARYING}
