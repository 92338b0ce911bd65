"""A session's own process: it lives the histories that its page asks for, and answers between months."""

from __future__ import annotations

import contextlib
import logging
import signal
from multiprocessing.connection import Connection
from typing import Any, Final

from analysis.app import changes
from analysis.app.changes import Refused
from analysis.app.history import Futures, History
from sim.compose import resolve
from sim.mistakes import Mistakes

BATCH: Final = 12  # months sent at once, at most
BROKEN: Final = "The economy cannot go on from here: {}. Undo the last change, or start again."

log = logging.getLogger(__name__)


def work(pipe: Connection, settings: list[str]) -> None:
    """Serve one page until it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server stops its workers
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the page's session is over
        Worker(pipe, settings).run()


class Worker:
    """What one page sees.

    Parameters
    ----------
    pipe : to the server; takes requests, sends messages
    settings : overrides of the configuration, as typed on the command line
    """

    def __init__(self, pipe: Connection, settings: list[str]) -> None:
        self.pipe = pipe
        self.settings = settings
        self.wanted = 0
        self.begin(None)

    def begin(self, seed: int | None) -> None:
        """A new economy, with another seed if one is given."""
        lines = [line for line in self.settings if seed is None or not line.startswith("seed=")]
        self.futures = Futures(resolve([*lines, *([] if seed is None else [f"seed={seed}"])]))
        self.shown: dict[str, History] = {"history": self.futures.history}
        self.sent = {"history": 0}
        self.wanted = 0

    def run(self) -> None:
        """Answer what is asked; in between, live one month at a time."""
        while True:
            late = self.late()
            while self.pipe.poll(0.0 if late else None):
                self.answer(self.pipe.recv())
                late = self.late()
            if late:
                self.advance(late)

    def late(self) -> str | None:
        """The future that is furthest behind what its page wants to see."""
        behind = {n: self.shown[n].first + self.sent[n] for n in self.shown if self.shown[n].first + self.sent[n] < self.wanted}
        return min(behind, key=lambda name: behind[name]) if behind else None

    def advance(self, name: str) -> None:
        """Live a month of a future, or send months lived before."""
        future = self.shown[name]
        try:
            if self.sent[name] == len(future.rows):
                future.step()
        except Exception as error:  # whatever an economy at the end of a slider may raise: the page says so and goes on
            log.exception("a month could not be lived")
            self.wanted = 0
            self.send(do="refused", text=BROKEN.format(first_line(error)))
            return
        at = self.sent[name]
        rows = future.rows[at : at + BATCH]
        self.sent[name] = at + len(rows)
        self.send(do="rows", future=name, rows=rows)

    def answer(self, asked: dict[str, Any]) -> None:
        """One request of the page."""
        if asked["do"] == "want":
            self.wanted = min(int(asked["to"]), self.futures.params.months)
        elif asked["do"] == "again":
            self.sent = dict.fromkeys(self.sent, 0)
        elif asked["do"] == "change":
            self.change(asked)
        elif asked["do"] == "reset":
            self.reset(asked)

    def change(self, asked: dict[str, Any]) -> None:
        """Show the future that these changes lead to, or say why there is none."""
        try:
            made = changes.read(asked["changes"])
            future = self.futures.what_if(made)
        except Refused as refused:
            self.send(do="refused", id=asked["id"], text=str(refused))
            return
        except Exception as error:
            log.exception("a change could not be made")
            self.send(do="refused", id=asked["id"], text=BROKEN.format(first_line(error)))
            return
        self.shown.pop("what_if", None)
        self.sent.pop("what_if", None)
        if made:
            self.shown["what_if"], self.sent["what_if"] = future, 0
        self.send(do="made", id=asked["id"], first=future.first if made else None)

    def reset(self, asked: dict[str, Any]) -> None:
        """Another economy, or the same from its start."""
        try:
            self.begin(asked["seed"])
        except Mistakes as mistakes:
            self.send(do="refused", id=asked["id"], text=changes.plainly(mistakes.found))
            return
        self.send(do="begun", id=asked["id"], seed=self.futures.params.seed)

    def send(self, **message: Any) -> None:
        """A message to the page."""
        self.pipe.send(message)


def first_line(error: Exception) -> str:
    """What an error says, in one line without a full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
