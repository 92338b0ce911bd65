"""Open pages, each with a process of its own; a page that reconnects in time finds its economy as it left it."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

from analysis.app.worker import work

FULL: Final = "{} pages are open, as many as this server keeps. Close one, and reload this page."
WARM: Final = ["analysis.app.worker", "sim.build"]  # imported once, before the first page is opened


class Session:
    """One page's economy."""

    def __init__(self, process: BaseProcess, pipe: Connection, loop: asyncio.AbstractEventLoop) -> None:
        self.name = secrets.token_urlsafe(16)
        self.queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.page: Any = None  # its socket, while it has one
        self.left = loop.time()  # when it last had one
        self.process = process
        self._pipe = pipe
        self._loop = loop
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, request: dict[str, Any]) -> None:
        """Hand a request to the process."""
        self._pipe.send(request)

    def _listen(self) -> None:
        """Pass on what the process says; None once it is gone."""
        message: dict[str, Any] | None = {}
        while message is not None:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                message = None
            try:
                self._loop.call_soon_threadsafe(self.queue.put_nowait, message)
            except RuntimeError:  # the server has stopped
                return

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        self._pipe.close()


class Sessions:
    """All of them.

    Parameters
    ----------
    settings : overrides of the configuration
    most : sessions at a time
    patience : seconds that a session without a page is kept
    """

    def __init__(self, settings: list[str], most: int, patience: float) -> None:
        self.settings, self.most, self.patience = settings, most, patience
        self.open: dict[str, Session] = {}
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(WARM)

    def find(self, name: str) -> Session | None:
        """The session of a page that comes back; none if it is over, or has a page."""
        session = self.open.get(name)
        return session if session is not None and session.page is None and session.process.is_alive() else None

    def begin(self) -> Session | None:
        """A new session, or none if there are too many."""
        self.sweep()
        if len(self.open) >= self.most:
            return None
        mine, theirs = self._context.Pipe()
        process = self._context.Process(target=work, args=(theirs, self.settings), daemon=True)
        process.start()
        theirs.close()
        session = Session(process, mine, asyncio.get_running_loop())
        self.open[session.name] = session
        return session

    def sweep(self) -> None:
        """End sessions whose pages have been gone for too long; if there is no room, those whose pages are gone at all."""
        now = asyncio.get_running_loop().time()
        gone = [s for s in self.open.values() if s.page is None or not s.process.is_alive()]
        crowded = len(self.open) >= self.most
        for session in gone:
            if crowded or now - session.left > self.patience or not session.process.is_alive():
                self.end(session)

    def end(self, session: Session) -> None:
        """Close one."""
        self.open.pop(session.name, None)
        session.close()

    def close(self) -> None:
        """Close all."""
        for session in list(self.open.values()):
            self.end(session)
