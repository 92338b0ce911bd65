"""Being asked to stop: an exception at once, unless foreign code would swallow it or crash on it: then at the next ``heed``."""

import signal
import sys
from types import FrameType

FOREIGN = "llvmlite"  # calls back from C, where an exception is printed, forgotten, and followed by what was never returned

asked: list[int] = []  # signals heard


def listen() -> None:
    """Stop when the terminal or the system asks."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)


def heed() -> None:
    """Stop if asked before."""
    if asked:
        _stop(asked[-1])


def hear(number: int, frame: FrameType | None) -> None:
    """A handler that remembers, and stops where it may."""
    asked.append(number)
    if not _within(frame):
        _stop(number)


def _within(frame: FrameType | None) -> bool:
    """Whether foreign code waits for this frame to return."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).split(".")[0] == FOREIGN:
            return True
        frame = frame.f_back
    return False


def _stop(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
