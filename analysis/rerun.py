"""Repeat a run from its manifest alone and compare bit for bit: ``python -m analysis rerun RUN``."""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from sim.folders import Unwritable, hashes
from sim.manifest import sources_hash, versions
from sim.mistakes import Mistakes
from sim.params import validate
from sim.run import simulate


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
    chosen: Path = parser.parse_args(arguments).run
    path = chosen / "manifest.json" if chosen.is_dir() else chosen
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        reasons = causes(manifest)
        print(*reasons, sep="\n", end="\n" if reasons else "", file=sys.stderr)
        differs, again = repeat(manifest, path.resolve().parents[1])
    except (Mistakes, Unwritable) as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{path} is no manifest of a run: {error!r}.", file=sys.stderr)
        return 2
    print(f"Differs in {', '.join(differs)}; see {again}." if differs else "The same, bit for bit.")
    return 4 if differs else 0
