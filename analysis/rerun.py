"""Repeat a run from its manifest alone and compare bit for bit: ``python -m analysis rerun RUN``."""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from sim.folders import hashes
from sim.manifest import sources_hash, versions
from sim.mistakes import Mistakes
from sim.params import validate
from sim.run import simulate

ROOT = "outputs.root="


def place(run: Path, given: str | None) -> Path:
    """The folder to repeat a run in: as given, else beside the run, or beside its manifest if that is alone."""
    if given is not None:
        return Path(given.removeprefix(ROOT)).expanduser()
    alone = not run.is_dir() and not run.with_name("config.yaml").is_file()
    return run.resolve().parent if run.is_dir() or alone else run.resolve().parents[1]


def causes(manifest: dict[str, Any]) -> list[str]:
    """What is not as it was when the run was made."""
    found = []
    if manifest["sources"] != sources_hash():
        found.append(f"The sources are not those of the run; its revision was {manifest['this_run']['revision']}.")
    now = versions()
    changed = [f"{name} {was}, now {now.get(name)}" for name, was in manifest["versions"].items() if now.get(name) != was]
    return found + ([f"Other versions: {'; '.join(changed)}."] if changed else [])


def repeat(manifest: dict[str, Any], root: Path) -> tuple[list[str], Path | None]:
    """Names of files that differ from those the manifest tells of, and where below ``root`` the repetition is kept if any do."""
    again = simulate(validate(manifest["configuration"] | {"outputs": {"root": str(root)}}), beside=True)
    found, wanted = hashes(again), manifest["files"]
    differs = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if not differs:
        shutil.rmtree(again)
    return differs, again if differs else None


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code: 0 the same, 4 not the same."""
    parser = argparse.ArgumentParser(prog="python -m analysis rerun", description=__doc__)
    parser.add_argument("run", type=Path, help="a run's folder, or its manifest.json")
    parser.add_argument("root", nargs="?", metavar=f"{ROOT}FOLDER", help="where to repeat it, if not beside the run")
    chosen = parser.parse_args(arguments)
    if chosen.root is not None and not (chosen.root.startswith(ROOT) and chosen.root != ROOT):
        print(f"{chosen.root}: give {ROOT}FOLDER.", file=sys.stderr)
        return 2
    path = chosen.run / "manifest.json" if chosen.run.is_dir() else chosen.run
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        reasons = causes(manifest)
        print(*reasons, sep="\n", end="\n" if reasons else "", file=sys.stderr)
        differs, again = repeat(manifest, place(chosen.run, chosen.root))
    except (Mistakes, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except (ValueError, KeyError, TypeError) as error:
        print(f"{path} is no manifest of a run: {error!r}.", file=sys.stderr)
        return 2
    print(f"Differs in {', '.join(differs)}; see {again}." if differs else "The same, bit for bit.")
    return 4 if differs else 0
