"""``python -m sim``.

Exit codes: 0 done, 2 wrong configuration, 3 books do not balance, 4 a repetition differs or runs of a sweep failed,
130 and 143 interrupted.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sim import signals


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate everything, then run it."""
    gc.set_threshold(1_000_000, 50, 100)  # a run makes few cycles: looking for them as often as usual takes 3 % of its time
    signals.listen()
    try:
        from sim.run import warm_cache

        warm_cache()  # before anything imports numba
        from sim.terminal import command

        return command(sys.argv[1:] if arguments is None else list(arguments), overview)
    except KeyboardInterrupt:
        print("Interrupted; nothing of the unfinished run was kept.", file=sys.stderr)
        return 130
    finally:
        gc.freeze()  # the end of the process frees all: looking once more for cycles among a million objects takes half a second


def overview(folder: Path) -> None:
    """``overview.png``, drawn one floor up."""
    with without("scipy.stats"):  # optional to seaborn; it takes half as long to load as the page to draw, which needs none of it
        page = import_module("analysis.overview")
    page.draw(folder)


@contextmanager
def without(module: str) -> Iterator[None]:
    """Who imports a module that is not loaded yet is told, meanwhile, that it is not there."""
    absent = module not in sys.modules
    if absent:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules[module]


if __name__ == "__main__":
    sys.exit(main())
