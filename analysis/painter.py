"""Draw ``overview.png`` of a run that has not ended: ``python -m analysis.painter``, told the folder on standard input."""

import gc
import os
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Load what draws, lay out a page, wait for the name, draw."""
    gc.disable()  # it makes one page
    sys.modules["scipy.stats"] = None  # type: ignore[assignment]  # optional to seaborn; loads half as long as the page is drawn
    page = import_module("analysis.overview")
    import_module("pyarrow.dataset")  # pandas would load it with the first table
    sheet = page.blank()
    if folder := sys.stdin.readline().rstrip("\n"):
        page.draw(Path(folder), sheet)
    os._exit(0)  # nothing is left to do, and to take the libraries down takes a while


if __name__ == "__main__":
    main()
