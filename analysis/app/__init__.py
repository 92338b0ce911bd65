"""The classroom: a page on which the loop runs, arrows are cut, and both futures stay on screen."""

import argparse
import sys
from pathlib import Path

PORT, TRIED = 8765, 20  # unless another is given: the first of so many ports that is free


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 wrong arguments, 130 interrupted."""
    given = parse(arguments)
    from analysis.app.running import export, run  # what a wrong argument need not wait for

    return export(given) if given.export else run(given)


def parse(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    command = argparse.ArgumentParser(prog="python -m analysis app", description=__doc__)
    command.add_argument("settings", nargs="*", metavar="key=value", help="as for python -m sim; size=class unless given")
    command.add_argument("--port", type=int, metavar="N", help=f"port to serve on; {PORT}, or the next that is free, unless given")
    command.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    command.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="serve others than this machine too: 0.0.0.0")
    command.add_argument(
        "--sessions", type=int, default=12, metavar="N", help="pages open at a time, each a process; 12 unless given"
    )
    command.add_argument("--patience", type=float, default=600.0, metavar="S", help="seconds that a closed page's economy is kept")
    command.add_argument("--export", type=Path, metavar="DIR", help="write the page with computed runs into a new folder, and stop")
    command.add_argument(
        "--at", type=months, default=[24, 60, 96], metavar="M,M", help="months of --export's cuts and shocks; 24,60,96"
    )
    found = command.parse_args(arguments)
    if found.port is not None and not 0 <= found.port < 2**16:
        command.error(f"--port {found.port}: no such port. Give 0 to 65535; 0 takes any that is free.")
    if found.sessions < 1:
        command.error(f"--sessions {found.sessions}: a page needs one. Give 1 or more.")
    found.ports = range(PORT, PORT + TRIED) if found.port is None else range(found.port, found.port + 1)
    return found


def months(text: str) -> list[int]:
    """``24,60,96`` as numbers."""
    found = [int(word) for word in text.split(",")]
    if min(found) < 0:
        raise ValueError(text)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
