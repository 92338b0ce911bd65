"""A run's folder appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".tmp-"


class Unwritable(OSError):
    """The outputs cannot be written where they are wanted."""


@contextmanager
def appearing(root: Path, name: str) -> Iterator[Path]:
    """A hidden folder beside ``root/name``: takes its place when the block ends well, vanishes when it does not.

    Raises
    ------
    Unwritable
        before the block starts
    """
    final, hidden = root / name, root / f"{PREFIX}{name}-{os.getpid()}"
    try:
        if final.exists() and not (final / "manifest.json").is_file():
            raise Unwritable(f"{final} exists and is not the folder of a run. Move it, or set outputs.root=FOLDER.")
        root.mkdir(parents=True, exist_ok=True)
        sweep_up(root, name)
        hidden.mkdir()
    except (OSError, ValueError) as error:
        if isinstance(error, Unwritable):
            raise
        raise Unwritable(f"{root} cannot be written: {error}. Set outputs.root=FOLDER.") from None
    try:
        yield hidden
        settle(hidden)
        take_place(hidden, final)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def sweep_up(root: Path, name: str) -> None:
    """Remove what killed runs of the same name left."""
    for left in root.glob(f"{PREFIX}{name}-*"):
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
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def take_place(hidden: Path, final: Path) -> None:
    """Rename into place; what was there is set aside first and removed after."""
    aside = hidden.with_name(f"{PREFIX}{final.name}-old-{os.getpid()}")
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
