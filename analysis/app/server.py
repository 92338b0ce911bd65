"""The page over HTTP, and its economy over a socket; nobody but this machine's own pages is answered, unless asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from analysis.app.sessions import FULL, Session, Sessions

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
GONE: Final = "The economy of this page has stopped. Start again to get a new one."
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LONGEST: Final = 2**16  # characters of a request


class OnlyFriends:
    """Answers only requests whose Host is this server, and whose Origin, if any, is its own page.

    A page elsewhere could otherwise talk to a server on loopback through its visitor's browser, or under a name of its own.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not friendly(Headers(scope=scope), self.hosts):
            refuse = PlainTextResponse("This server answers its own page only. Open it under the address it printed.", 403)
            await refuse(scope, receive, send) if scope["type"] == "http" else await WebSocket(scope, receive, send).close(1008)
            return
        await self.app(scope, receive, send)


def friendly(headers: Headers, hosts: frozenset[str]) -> bool:
    """Whether a request names this server as its host and, if it names an origin, that one."""
    host = headers.get("host", "")
    origin = headers.get("origin")
    own = urlsplit(f"//{host}")
    try:
        name, _ = own.hostname, own.port
    except ValueError:
        return False
    return name in hosts and (origin is None or urlsplit(origin)[:2] == ("http", host))


def hosts(address: str) -> frozenset[str]:
    """Names under which the page may be asked for."""
    names = {*LOOPBACK, address}
    if address not in LOOPBACK:
        own = socket.gethostname()
        names |= {own.lower(), socket.getfqdn().lower()}
        with contextlib.suppress(OSError):
            names |= {str(found[4][0]) for found in socket.getaddrinfo(own, None)}
    return frozenset(names)


def application(sessions: Sessions, catalog: dict[str, Any], address: str) -> ASGIApp:
    """The whole page."""
    script = f"caploop.catalog = {json.dumps(catalog)};"

    async def menu(_: Any) -> Response:
        return Response(script, media_type="text/javascript", headers=HEADERS)

    async def talk(socket: WebSocket) -> None:
        await serve(socket, sessions)

    @contextlib.asynccontextmanager
    async def life(_: Any) -> AsyncIterator[None]:
        yield
        sessions.close()

    pages = Files(directory=str(files("analysis.app").joinpath("static")), html=True)
    routes = [Route("/data/catalog.js", menu), WebSocketRoute("/economy", talk), Mount("/", pages)]
    return OnlyFriends(Starlette(routes=routes, lifespan=life), hosts(address))


class Files(StaticFiles):
    """Static files that are not kept by browsers and run nothing from elsewhere."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As Starlette's."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response


async def serve(page: WebSocket, sessions: Sessions) -> None:
    """Connect a page to its session, old or new."""
    await page.accept()
    session = sessions.find(page.query_params.get("session", ""))
    again = session is not None
    session = session or sessions.begin()
    if session is None:
        await page.send_json({"do": "full", "text": FULL.format(sessions.most)})
        await page.close()
        return
    session.page = page
    try:
        await page.send_json({"do": "hello", "session": session.name, "again": again})
        if again:
            session.ask({"do": "again"})
        await both(tell(page, session), hear(page, session))
    finally:
        session.page, session.left = None, asyncio.get_running_loop().time()


async def both(*ways: Awaitable[None]) -> None:
    """Run until one ends."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    _, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def tell(page: WebSocket, session: Session) -> None:
    """From the economy to the page."""
    while (message := await session.queue.get()) is not None:
        await page.send_text(json.dumps(message, separators=(",", ":")))
    await page.send_json({"do": "gone", "text": GONE})


async def hear(page: WebSocket, session: Session) -> None:
    """From the page to the economy, which may be busy: a change is acknowledged here. What is no request is left unheard."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        while True:
            request = read(await page.receive_text())
            if request is None:
                continue
            session.ask(request)
            if request["do"] == "change":
                await page.send_json({"do": "heard", "id": request["id"]})


def read(text: str) -> dict[str, Any] | None:
    """A request, if it is one."""
    try:
        asked: Any = json.loads(text) if len(text) < LONGEST else None
        checks: dict[str, Callable[[], bool]] = {
            "want": lambda: isinstance(asked["to"], int),
            "again": lambda: True,
            "change": lambda: isinstance(asked["changes"], list),
            "reset": lambda: asked["seed"] is None or isinstance(asked["seed"], int),
        }
        return {"id": 0, **asked} if checks[asked["do"]]() else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
