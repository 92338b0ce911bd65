"""Being asked to stop: an exception at once, and once more every month, should foreign code have swallowed the first."""

import signal
import sys
from types import FrameType

asked: list[int] = []  # signals heard


def listen() -> None:
    """Stop when the terminal or the system asks."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)


def heed() -> None:
    """Stop if asked before: an exception raised within a compiler's callback is printed and forgotten."""
    if asked:
        _stop(asked[-1])


def hear(number: int, _frame: FrameType | None) -> None:
    """A handler that remembers."""
    asked.append(number)
    _stop(number)


def _stop(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
