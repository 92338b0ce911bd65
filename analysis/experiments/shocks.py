"""Scripted shocks as data, and the pair of branches that shows what one did."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, ValidationError

from analysis.experiments.jobs import lived, table, timed
from analysis.experiments.store import Arrays, Store, digest
from analysis.experiments.worlds import World
from sim.compose import resolve
from sim.mistakes import Mistake, Mistakes, suggestion
from sim.params import Params
from sim.units import Frozen

MONTH = "{month}"  # in a line: the month of the shock


class Shock(Frozen):
    """What is different on one of two branches, from the month of the shock on."""

    says: str
    lines: tuple[str, ...] = Field(min_length=1)

    def at(self, month: int) -> tuple[str, ...]:
        """Its overrides."""
        return tuple(line.replace(MONTH, str(month)) for line in self.lines)


class Book(Frozen):
    """All shocks, and what is usual."""

    settings: tuple[str, ...]
    seeds: int = Field(ge=2)
    quick_seeds: int = Field(ge=2)
    first_seed: int
    month: int = Field(ge=1)
    length: int = Field(ge=1)
    outcomes: tuple[str, ...]
    shocks: dict[str, Shock]


def book() -> Book:
    """As shipped."""
    return Book.model_validate(yaml.safe_load((files("analysis.experiments") / "shocks.yaml").read_text("utf-8")))


def find(name: str, known: Mapping[str, Shock]) -> tuple[str, Shock]:
    """A shock by its name, or of a file of one's own.

    Raises
    ------
    Mistakes
    """
    if name in known:
        return name, known[name]
    if not name.endswith((".yaml", ".yml")):
        way_out = f"{suggestion(name, list(known))} Give one of {', '.join(known)}, or the path of a .yaml file."
        raise Mistakes([Mistake(f"shock {name}", f": no such shock. {way_out.strip()}")])
    try:
        return Path(name).stem, Shock.model_validate(yaml.safe_load(Path(name).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Mistakes([Mistake(f"shock {name}", f": cannot be read: {error}")]) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise Mistakes(
            [Mistake(f"shock {name}", f": {where}: {first['msg']}. Give says: a sentence, lines: [KEY=VALUE, ...].")]
        ) from None


@dataclass(frozen=True)
class Pair:
    """One seed's history, and two branches of it from the month of the shock on: all that both record."""

    world: World
    seed: int
    shock: Shock
    month: int
    length: int  # months
    store: Store

    @cached_property
    def names(self) -> tuple[str, str]:
        """Of the results: without, which all shocks of a month share, and with."""
        common = ("pair", self.world.identity(), self.seed, self.month, self.length)
        return digest(*common), digest(*common, self.shock.at(self.month))

    @property
    def shocked(self) -> Params:
        """Of the branch with the shock.

        Raises
        ------
        Mistakes
        """
        found = resolve([*self.world.lines, *self.shock.at(self.month), f"seed={self.seed}"])
        return found

    def stored(self) -> int:
        """Whether both branches are there."""
        return int(all(name in self.store for name in self.names))

    def __call__(self, deadline: float) -> int:
        if self.stored():
            return 0
        begin = time.perf_counter()
        economy = lived(self.world.economy(self.world.params(self.seed)), 0)
        lived(economy, self.month - economy.month)
        for name, params in zip(self.names, (None, self.shocked), strict=True):
            if name not in self.store:
                twin = lived(economy.fork(params), self.length)
                self.store.put(name, recorded(table(twin)) | timed(begin, economy.months_total))
        return 1

    def read(self) -> tuple[Arrays, Arrays] | None:
        """Without and with the shock, if both are there."""
        found = [self.store.get(name) for name in self.names]
        return (found[0], found[1]) if found[0] is not None and found[1] is not None else None


def recorded(monthly: pd.DataFrame) -> Arrays:
    """Every number by month, a column a region: ``us capex``."""
    found: Arrays = {}
    for region, rows in monthly.groupby("region"):
        numbers = rows.select_dtypes("number").drop(columns=["month"])
        found |= {f"{region} {name}": numbers[name].to_numpy(dtype=np.float64) for name in numbers}
    return found
