"""One point of a parameter space: runs of some seeds, live and with arrows cut to what the live ones transmitted on average."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.experiments.jobs import lived, outcomes, table, timed
from analysis.experiments.store import Arrays, Store, digest
from analysis.experiments.worlds import World, constants
from analysis.loop.reading import severities
from analysis.statistics.bands import LONGEST, swing
from analysis.statistics.intervals import mean_known

SHORTEST = 36  # months in which there is a severity
STATISTICS: dict[str, Callable[[np.ndarray], Any]] = {"mean": np.nanmean, "least": np.nanmin, "most": np.nanmax, "swing": np.nanstd}


@dataclass(frozen=True)
class Point:
    """Values of some parameters, and what is asked there.

    ``cut`` are arrows; none where the outcome needs no second run. References are means over this point's own live runs.
    """

    world: World
    lines: tuple[str, ...]
    seeds: tuple[int, ...]
    cut: tuple[str, ...]
    store: Store

    @property
    def name(self) -> str:
        """Of the result."""
        return digest("point", self.world.identity(), self.lines, self.seeds, self.cut)

    def stored(self) -> int:
        """Whether it is there."""
        return int(self.name in self.store)

    def __call__(self, deadline: float) -> int:
        if self.stored():
            return 0
        begin = time.perf_counter()
        try:
            found = self._found()
        except (RuntimeError, ArithmeticError, ValueError) as error:  # a world that cannot be lived in is a finding too
            found = {"failed": np.array(f"{type(error).__name__}: {error}")}
        self.store.put(self.name, found | timed(begin, 1))
        return 1

    def _found(self) -> Arrays:
        world = replace(self.world, lines=(*self.world.lines, *self.lines))
        live, known = [], []
        for seed in self.seeds:
            economy = world.economy(world.params(seed), recording=bool(self.cut))
            lived(economy, economy.months_total)
            live.append(seen(economy))
            known += [constants(economy)] if self.cut else []
        kept = {f"live {name}": np.array([one[name] for one in live]) for name in live[0]}
        if self.cut:
            means = {name: mean_known([one[name] for one in known]) for name in known[0]}
            cut = [seen(lived(e, e.months_total)) for e in (world.economy(world.params(s, self.cut), means) for s in self.seeds)]
            kept |= {f"cut {name}": np.array([one[name] for one in cut]) for name in cut[0]}
        return kept


def seen(economy: Any) -> dict[str, float]:
    """Statistics of every recorded number of the first region, severities, and the swing of spending."""
    monthly = table(economy)
    first = monthly[monthly["region"] == monthly["region"].iloc[0]].select_dtypes("number").drop(columns="month")
    found = {}
    for name in first:
        values = first[name].to_numpy(dtype=np.float64)
        for word, statistic in STATISTICS.items():
            found[f"{name}:{word}"] = float(statistic(values)) if np.isfinite(values).any() else np.nan
    flows = outcomes(monthly)
    if len(flows["outcome capex"]) >= SHORTEST:
        found |= {f"severity:{name}": value for name, value in severities(flows).items()}
    if len(flows["outcome capex"]) >= LONGEST:
        found["log swing"] = float(np.log(swing(np.log(flows["outcome capex"]))[0]))
    return found
