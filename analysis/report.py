"""One HTML file about a run, a sweep or a comparison: ``python -m analysis report RUN|SWEEP|COMPARISON [--out FILE]``."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from analysis.dataset import NoRuns, Sweep
from analysis.decisions import comparing
from analysis.pages import building, page
from analysis.pages.digest import OldRun
from analysis.pages.gather import gather
from analysis.pages.words import counted, listing

FILE: Final = "report.html"
FEW: Final = 3  # scenarios that are introduced one by one
READ: Final = 25  # runs between two words on how far it is


class Unreportable(ValueError):
    """The folder holds nothing that can be reported; the message says what was looked for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 done, 2 nothing there."""
    parser = argparse.ArgumentParser(prog="python -m analysis report", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="of a run, a sweep (outputs/sweeps/HASH), runs, or a comparison"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"default {FILE} in the folder")
    chosen = parser.parse_args(arguments)
    try:
        print(report(chosen.folder.expanduser(), chosen.out and chosen.out.expanduser()))
    except (Unreportable, NoRuns, OldRun, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def report(folder: Path, out: Path | None = None) -> Path:
    """Write the page of whatever a folder holds; returns the file.

    Raises
    ------
    Unreportable, NoRuns
    """
    if out is not None and (out.is_dir() or out.suffix != ".html" or not out.parent.is_dir()):
        raise Unreportable(f"--out {out}: name an .html file in a folder that exists.")
    if (folder / comparing.PAGE).is_file():
        return comparison(folder, out)
    if (folder / "manifest.json").is_file() and (folder / "monthly.parquet").is_file():
        return single(folder, out)
    if not folder.is_dir():
        raise Unreportable(f"{folder} is no folder. Name that of a run, a sweep, or a comparison.")
    return sweep(folder, out)


def single(folder: Path, out: Path | None = None) -> Path:
    """The page of one run."""
    manifest = manifest_of(folder)
    side = gather(manifest["scenario"], [folder])
    config = manifest["configuration"]
    subtitle = f"One run, seed {manifest['seed']}, {span(config)}, size {config['size']}."
    made = building.of_runs(side, f"{manifest['scenario']}: one run", subtitle, provenance([manifest], [folder.name]))
    return page.write(made, out or folder / FILE)


def sweep(folder: Path, out: Path | None = None) -> Path:
    """The page of many runs, read one at a time.

    Raises
    ------
    NoRuns
    """
    found = Sweep.of(folder)
    names = found.runs["run"].to_pylist()
    scenarios = sorted(set(found.runs["scenario"].to_pylist()))
    vary = [name for name in found.runs.schema.names if name not in ("run", "scenario", "size", "seed")]
    side = gather(listing(scenarios), (found.root / name for name in names), said(len(names)))
    first = manifest_of(found.root / names[0])
    over = [counted(len(set(found.runs["seed"].to_pylist())), "seed"), *vary]
    number = counted(len(names), "run")
    subtitle = f"{number[0].upper()}{number[1:]} over {listing(over)}, {span(first['configuration'])}."
    subtitle += f" All scenarios are taken together: {listing(scenarios)}; compare holds them apart." if len(scenarios) > 1 else ""
    subtitle += " Numbers in sentences are medians; brackets hold four of five runs." * (len(names) > 1)
    called = listing(scenarios) if len(scenarios) <= FEW else f"{len(scenarios)} scenarios"
    made = building.of_runs(side, f"{called}: {counted(len(names), 'run')}", subtitle, provenance([first], names))
    return page.write(made, out or found.folder / FILE)


def comparison(folder: Path, out: Path | None = None) -> Path:
    """The page of a comparison, from the files in its folder alone."""
    found, sides = comparing.read(folder)
    scenarios = found["scenarios"]
    what = (
        ""
        if len(scenarios) > FEW
        else "; ".join(f"{each['label']}: {each['says'].rstrip('.')}" for each in scenarios if each["says"])
    )
    sizes = listing(sorted({each["size"] for each in scenarios}))
    number = counted(len(found["seeds"]), "paired seed")
    subtitle = (
        f"{number[0].upper()}{number[1:]}, {years(scenarios[0]['years'])} from 2023 on, size {sizes}. {what}{bool(what) * '.'}"
    )
    origin = [
        f"Made by caploop {found['versions']['caploop']}, sources {found['sources'][:12]}, {versions(found['versions'])}.",
        f"Command: {command(found)}",
        f"Runs: {listing([run for each in scenarios for run in each['runs']])}.",
    ]
    return page.write(building.of_comparison(found, sides, subtitle, origin), out or folder / FILE)


def command(found: Mapping[str, Any]) -> str:
    """How to make a comparison again."""
    names = " ".join(each["given"] for each in found["scenarios"])
    settings = " ".join(f"--set {line}" for line in found["settings"])
    return f"python -m analysis compare {names} --seeds {len(found['seeds'])} {settings}".strip() + "."


def manifest_of(folder: Path) -> dict[str, Any]:
    """Where a run came from."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def span(config: Mapping[str, Any]) -> str:
    """The time that runs cover."""
    return f"{years(config['horizon_years'])} from {config['start'][:4]} on"


def years(number: float) -> str:
    """``20 years``."""
    return f"{number:g} year{'' if number == 1 else 's'}"


def versions(found: Mapping[str, str]) -> str:
    """Libraries through which numbers pass."""
    return ", ".join(f"{name} {number}" for name, number in found.items() if name != "caploop")


def provenance(manifests: Sequence[Mapping[str, Any]], runs: Sequence[str]) -> list[str]:
    """Code, libraries and runs."""
    first = manifests[0]
    shown = listing(list(runs)) if len(runs) <= 20 else f"{', '.join(runs[:20])} and {len(runs) - 20} more"
    made = f"Made by caploop {first['versions']['caploop']}, sources {first['sources'][:12]}, {versions(first['versions'])}."
    return [made, f"Configuration {first['config'][:12]}; the full one is in config.yaml of the run's folder.", f"Runs: {shown}."]


def said(many: int) -> Any:
    """Says how many of many runs are read."""

    def tell(number: int) -> None:
        if many > READ and (number % READ == 0 or number == many):
            print(f"{number} of {many} runs read.", file=sys.stderr, flush=True)

    return tell
