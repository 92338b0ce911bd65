"""From scenarios as typed to their stored runs, over paired seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.validate import FIRST, announce
from sim.compose import CONFIGS, resolve, resolve_sweep
from sim.mistakes import Mistake, Mistakes
from sim.params import Params
from sim.plain import Unreadable, read_plain
from sim.run import complete, folder_name, outputs
from sim.sweep import quoted
from sim.terminal import carry_out, headline


@dataclass(frozen=True)
class Regime:
    """A scenario over seeds: as it was given, what it is called here, and one configuration a seed."""

    given: str
    label: str
    params: tuple[Params, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """Where it plays."""
        return self.params[0].regions

    @property
    def seeds(self) -> list[int]:
        """Seeds, in order."""
        return [params.seed for params in self.params]

    @property
    def folders(self) -> list[Path]:
        """Runs' folders, in the order of seeds."""
        return [outputs(params) / folder_name(params) for params in self.params]

    @property
    def file(self) -> Path:
        """The file of its values."""
        shipped = CONFIGS / "scenario" / f"{self.given}.yaml"
        return shipped if shipped.is_file() else Path(self.given).expanduser()

    @property
    def says(self) -> str:
        """The first comment line of its file; nothing where it has none."""
        first = headline(self.file)
        return first if self.file.read_text(encoding="utf-8").startswith("#") else ""

    @property
    def values(self) -> dict[str, Any]:
        """What its file sets."""
        try:
            return read_plain(self.file)
        except Unreadable:  # it was read before
            return {}


def regimes(given: Sequence[str], seeds: int, settings: Sequence[str]) -> list[Regime]:
    """All scenarios over seeds, checked; those of one name and different values are told apart by a number.

    Raises
    ------
    Mistakes
        of all scenarios together
    """
    found: list[Regime] = []
    mistakes: dict[str, Mistake] = {}
    for name in dict.fromkeys(given):
        try:
            params = resolve([f"scenario={quoted(name)}", *settings, f"seed={FIRST}"])
        except Mistakes as wrong:
            mistakes |= {str(mistake): mistake for mistake in wrong.found}
            continue
        taken = [regime.label for regime in found]
        label = params.scenario if params.scenario not in taken else f"{params.scenario}_{len(taken) + 1}"
        runs = tuple(params.model_copy(update={"seed": FIRST + n}) for n in range(seeds))
        found.append(Regime(name, label, runs))
    if mistakes:
        raise Mistakes(mistakes.values())
    by_name = {regime.given: regime for regime in found}
    return [by_name[name] for name in given]


def provide(wanted: Sequence[Regime], settings: Sequence[str]) -> int:
    """Make the runs that are not stored, in one sweep; returns the exit code: 4 if some failed."""
    runs = {folder: params for regime in wanted for folder, params in zip(regime.folders, regime.params, strict=True)}
    todo = [params for params in runs.values() if not complete(params)]
    announce(len(runs), todo)
    if not todo:
        return 0
    short = [regime for regime in wanted if any(params in todo for params in regime.params)]
    names = ",".join(quoted(name) for name in dict.fromkeys(regime.given for regime in short))
    seeds = ",".join(str(seed) for seed in sorted({params.seed for params in todo}))
    lines = [f"scenario={names}", *settings, f"seed={seeds}"]
    return carry_out(lines, resolve_sweep(lines), retry=True)[1]
