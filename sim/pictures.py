"""The picture of a run, drawn by a process of its own: it loads what draws while the months pass."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PAINTER = ("-m", "analysis.painter")  # one floor up; draws the folder that its standard input names, and ends where none is named


class Picture:
    """``overview.png`` of a run; a context, at whose end no process is left.

    Parameters
    ----------
    painter : what Python runs
    """

    def __init__(self, painter: tuple[str, ...] = PAINTER) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *painter],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # a key that interrupts the run is not its business
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def begin(self, folder: Path) -> None:
        """Have it drawn, once the tables are in the folder."""
        with suppress(OSError):  # it has ended; why, ``end`` says
            print(folder.resolve(), file=self._process.stdin, flush=True)

    def end(self) -> None:
        """Wait until it is. The tables outlive a picture that cannot be drawn."""
        _, said = self._process.communicate()
        if self._process.returncode != 0:
            print(f"overview.png could not be drawn; the tables are complete.\n{said}", file=sys.stderr)
