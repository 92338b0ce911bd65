"""The deal library: templates in ``configs/deals``, found by name."""

from collections.abc import Iterator
from pathlib import Path

import configs
from sim.deal_reader import BadDeal, read
from sim.mistakes import suggestion

FOLDER = Path(configs.__file__).parent / "deals"


def templates() -> dict[str, Path]:
    """Name -> file of every template."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def find(file: Path) -> Path:
    """A file as it is, or the template of that name where there is no such file; folders do not count.

    Raises
    ------
    BadDeal
    """
    known, bare = templates(), file.parent == Path() and not file.suffix
    if bare and file.name in known and not file.is_file():
        return known[file.name]
    if file.is_dir():
        raise BadDeal(f"{file}: that is a folder. Name a deal file in it, or a template; `python -m sim.deal --list` lists them.")
    if file.exists() or not bare:
        return file
    hint = suggestion(file.name, known) or "`python -m sim.deal --list` lists the templates."
    raise BadDeal(f"{file}: no such file, nor a template of that name. {hint}")


def listing() -> Iterator[str]:
    """Name, periods, classes and meaning of every template, one a line."""
    known = templates()
    width = max(map(len, known), default=0)
    for name, path in known.items():
        file = read(path)
        classes = len(file.deal.notes)
        size = f"{file.periods:>4} periods {classes} {'class  ' if classes == 1 else 'classes'}"
        yield f"{name:<{width}} {size}  {file.description}"
