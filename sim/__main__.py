"""``python -m sim``.

Exit codes: 0 done, 2 wrong configuration, 3 books do not balance, 4 a repetition differs or runs of a sweep failed,
130 and 143 interrupted.
"""

import gc
import sys
from collections.abc import Sequence

from sim import signals


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate everything, then run it."""
    gc.set_threshold(1_000_000, 50, 100)  # a run makes few cycles: looking for them as often as usual takes 3 % of its time
    signals.listen()
    try:
        from sim.run import warm_cache

        warm_cache()  # before anything imports numba
        from sim.pictures import Picture
        from sim.terminal import command

        return command(sys.argv[1:] if arguments is None else list(arguments), Picture)
    except KeyboardInterrupt:
        print("Interrupted; nothing of the unfinished run was kept.", file=sys.stderr)
        return 130
    finally:
        gc.freeze()  # the end of the process frees all: looking once more for cycles among a million objects takes half a second


if __name__ == "__main__":
    sys.exit(main())
