"""One writer a run: a lock on a small file, which the system lets go when its holder dies, however it dies."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sim.folders import writing

CLAIMS = ".tmp-claims"


@contextmanager
def claim(root: Path, name: str, wait: bool = True, sitting: str = "") -> Iterator[int | None]:
    """Hold ``root/name`` for this process while the block lasts.

    Parameters
    ----------
    wait : until whoever holds it is done; otherwise yield None at once
    sitting : common to all processes that one command started

    Yields
    ------
    how many of this sitting have died holding it

    Raises
    ------
    Unwritable
    """
    path = root / CLAIMS / name
    try:
        handle = locked(path, wait)
    except BaseException:  # interrupted, it may be, between the folder and the file
        with suppress(OSError):
            path.parent.rmdir()
        raise
    if handle is None:
        yield None
        return
    counts = False
    try:
        yield succeed(handle, sitting)
    except SystemExit:  # told to end, as by what guards a machine's memory: a death like any other
        counts = bool(sitting)
        raise
    finally:
        if not counts:
            path.unlink(missing_ok=True)
        os.close(handle)
        with suppress(OSError):
            path.parent.rmdir()  # succeeds for the last one


def succeed(handle: int, sitting: str) -> int:
    """Write this process over the holder that died, if any; returns how many of this sitting have died in a row."""
    before = os.pread(handle, 1000, 0).decode(errors="replace").split()
    deaths = int(before[-1]) + 1 if len(before) == 5 and before[3] == (sitting or "-") else 0
    with suppress(OSError):  # on a full disk the run itself says so
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{socket.gethostname()} {os.getpid()} {time.time():.0f} {sitting or '-'} {deaths}\n".encode(), 0)
    return deaths


def locked(path: Path, wait: bool) -> int | None:
    """An open file with the lock on it, or None where another process has it."""
    while True:
        handle = opened(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:
            pass  # a file system without locks: two may do the same run, and the same bytes appear twice in one place
        with suppress(FileNotFoundError):
            if os.fstat(handle).st_ino == path.stat().st_ino:  # else its last holder removed it meanwhile
                return handle
        os.close(handle)


def opened(path: Path) -> int:
    """The file of a claim; its folder may vanish with the last claim in it."""
    while True:
        with writing(path.parent.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def held(root: Path) -> dict[str, str]:
    """Runs that some process is at: name -> host, process and time since 1970."""
    found = {}
    for path in sorted((root / CLAIMS).glob("*")):
        with suppress(OSError), path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found[path.name] = file.read().strip()
    return found
