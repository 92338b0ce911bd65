"""Serve the page, or write it into a folder."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sys
import webbrowser

from analysis.app.catalog import catalog
from analysis.settings import over
from sim.compose import resolve
from sim.mistakes import Mistakes
from sim.params import Params
from sim.run import warm_cache


def settings(given: argparse.Namespace) -> list[str]:
    """Overrides, with the size of a classroom unless another is asked for."""
    return list(over(["size=class"], given.settings))


def read(given: argparse.Namespace) -> Params | None:
    """The configuration, or nothing once its mistakes are printed."""
    try:
        params = resolve(settings(given))
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)
        return None
    if not params.sim.arrows.live:
        print("The page cuts arrows itself. Leave sim.arrows as it is.", file=sys.stderr)
        return None
    return params


def run(given: argparse.Namespace) -> int:
    """Serve until interrupted."""
    params = read(given)
    if params is None:
        return 2
    listener = listen(given.host, given.ports)
    if listener is None:
        print(f"Port {given.ports[0]} of {given.host} cannot be had. Give another with --port N.", file=sys.stderr)
        return 2
    warm_cache()
    address = f"http://{named(given.host)}:{listener.getsockname()[1]}/"
    print(f"The page is at {address} (Ctrl-C ends it)", flush=True)
    if not given.no_browser:
        webbrowser.open(address)
    try:
        asyncio.run(serve(listener, given, params))
    except KeyboardInterrupt:
        return 130
    return 0


def named(host: str) -> str:
    """An address as a browser takes it; every address is this machine's too."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def listen(host: str, ports: range) -> socket.socket | None:
    """A socket that listens on the first of these ports that is free; none if none is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in ports:
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind((host, number))
            listener.listen()
            return listener
        listener.close()
    return None


async def serve(listener: socket.socket, given: argparse.Namespace, params: Params) -> None:
    """Run the server on a socket."""
    import uvicorn

    from analysis.app.server import application
    from analysis.app.sessions import Sessions

    sessions = Sessions(settings(given), given.sessions, given.patience)
    app = application(sessions, catalog(params), given.host)
    config = uvicorn.Config(app, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1)
    await uvicorn.Server(config).serve([listener])


def export(given: argparse.Namespace) -> int:
    """Write the static site."""
    from analysis.app.exporting import Occupied, write
    from sim.folders import Unwritable

    params = read(given)
    if params is None:
        return 2
    try:
        write(given.export, params, given.at)
    except (Occupied, Unwritable) as error:
        print(str(error).replace("Set outputs.root=FOLDER.", "Name another folder."), file=sys.stderr)
        return 2
    print(given.export / "index.html")
    return 0
