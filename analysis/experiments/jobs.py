"""What is done to a world: whole runs, records of what cut arrows transmit, and branches of one history."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.experiments.store import Arrays, Store, digest
from analysis.experiments.worlds import World, constants, transmitted
from analysis.statistics.intervals import mean_known
from sim.arrows import ADDITIVE, ARROW_OF, Arrows, Pulse
from sim.summary import FALL, WINDOW, episodes

LEAD: Final = 2  # months that a branch lives before anything is done to it: they show that nothing else differs
FLOWS: Final = ("capex", "issuance", "loss", "debt")  # added up over regions
LEVELS: Final = ("orders", "spread", "debt_to_ebitda", "capacity")  # of the first region


class Single(ABC):
    """A run from start to end that leaves one result."""

    store: Store
    units = 1

    @property
    @abstractmethod
    def name(self) -> str:
        """Of its result."""

    @abstractmethod
    def begun(self) -> Any:
        """The economy at its start."""

    @abstractmethod
    def kept(self, economy: Any) -> Arrays:
        """What is kept of the economy at its end."""

    def stored(self) -> int:
        """Of one result, how many are there."""
        return int(self.name in self.store)

    def __call__(self, deadline: float) -> int:
        if self.name in self.store:
            return 0
        begin, economy = time.perf_counter(), self.begun()
        lived(economy, economy.months_total)
        self.store.put(self.name, self.kept(economy) | timed(begin, economy.months_total))
        return 1


@dataclass(frozen=True)
class Constants(Single):
    """Record a run's signals and keep their means: a part of what cut arrows transmit."""

    world: World
    seed: int
    store: Store

    @property
    def name(self) -> str:
        """Of its result."""
        return digest("constants", self.world.identity(), self.seed)

    def begun(self) -> Any:
        """All its signals are recorded."""
        return self.world.economy(self.world.params(self.seed, recording=True), recording=True)

    def kept(self, economy: Any) -> Arrays:
        """Means of signals."""
        return {f"signal {key}": np.array(value) for key, value in constants(economy).items()}


@dataclass(frozen=True)
class Whole(Single):
    """A run from start to end with some arrows cut to constants."""

    world: World
    seed: int
    arrows: tuple[str, ...]  # that are cut
    constants: Mapping[str, float] | None
    store: Store

    @property
    def name(self) -> str:
        """Of its result."""
        return digest("whole", self.world.identity(), self.seed, self.arrows, self.constants)

    def begun(self) -> Any:
        """Some arrows are cut."""
        return self.world.economy(self.world.params(self.seed, self.arrows), self.constants)

    def kept(self, economy: Any) -> Arrays:
        """What experiments measure."""
        return outcomes(table(economy))


@dataclass(frozen=True)
class Branch:
    """What is done on a branch: arrows that are fed the path of the branch to which nothing is done, and a push.

    ``months`` of 0 push to the end.
    """

    replayed: tuple[str, ...] = ()
    signal: str = ""
    size: float = 0.0
    months: int = 0


@dataclass(frozen=True)
class Branches:
    """One seed's history, forked at some months, and all that is done on its branches."""

    world: World
    seed: int
    at: Mapping[int, tuple[Branch, ...]]  # month, after recording begins -> what is done there
    length: int  # months
    store: Store
    constants: Mapping[str, float] | None = None  # what arrows transmit that the world's own lines cut

    def named(self, month: int, branch: Branch) -> str:
        """Of the result of a branch."""
        return digest("branch", self.world.identity(), self.seed, month, asdict(branch), self.length, self.constants)

    def missing(self) -> dict[int, list[Branch]]:
        """What is still to be done."""
        found = {m: [b for b in every if self.named(m, b) not in self.store] for m, every in sorted(self.at.items())}
        return {month: branches for month, branches in found.items() if branches}

    @property
    def units(self) -> int:
        """Results."""
        return sum(map(len, self.at.values()))

    def stored(self) -> int:
        """Of all results, how many are there."""
        return self.units - sum(map(len, self.missing().values()))

    def __call__(self, deadline: float) -> int:
        todo, done = self.missing(), 0
        if not todo:
            return 0
        economy = self.world.economy(self.world.params(self.seed), self.constants)
        history: list[pd.DataFrame] = []
        for month, branches in todo.items():
            lived(economy, month - LEAD - economy.month)
            history = [table(economy)]
            base, path = self._base(economy, month, history[0])
            for branch in branches:
                if time.time() >= deadline:
                    return done
                done += self._branch(economy, month, branch, base, path)
        return done

    def _base(self, economy: Any, month: int, history: pd.DataFrame) -> tuple[pd.DataFrame, dict[tuple[str, str], np.ndarray]]:
        """The branch to which nothing is done, and the path of its signals by the clock."""
        begin = time.perf_counter()
        twin = recording(economy.fork())
        lived(twin, LEAD + self.length)
        shown = table(twin)
        kept = outcomes(shown) | self._heard(twin) | state(history, shown)
        if self.named(month, Branch()) not in self.store:
            self.store.put(self.named(month, Branch()), kept | timed(begin, LEAD + self.length))
        return shown, {key: after(values, economy.clock) for key, values in self._passed(twin).items()}

    def _branch(self, economy: Any, month: int, branch: Branch, base: pd.DataFrame, path: dict[tuple[str, str], np.ndarray]) -> int:
        if branch == Branch():
            return 1
        begin = time.perf_counter()
        push = Pulse(signal=branch.signal, size=branch.size, month=month, months=branch.months or self.length)
        twin = economy.fork(self.world.params(self.seed, branch.replayed, push))
        fed = {key: values for key, values in path.items() if ARROW_OF[key[0]] in branch.replayed}
        twin.arrows.reference = transmitted(self.constants) | fed
        lived(recording(twin), LEAD + self.length)
        shown = table(twin)
        kept = outcomes(shown) | self._heard(twin) | changed(shown, base) | timed(begin, LEAD + self.length)
        self.store.put(self.named(month, branch), kept)
        return 1

    def _passed(self, twin: Any) -> dict[tuple[str, str], list[np.ndarray]]:
        """What its live signals make arrows transmit that are as the world's lines say: themselves, or what a cut leaves."""
        usual = Arrows(self.world.params(self.seed).sim.arrows, transmitted(self.constants))
        first = twin.clock - LEAD - self.length
        return {
            (signal, region): [np.asarray(usual.passed(signal, region, first + at, value)) for at, value in enumerate(values)]
            for (signal, region), values in twin.arrows.recorded.items()
        }

    def _heard(self, twin: Any) -> Arrays:
        """The same by month, mean over agents: logs of positive ones. Of the first region, or the world's."""
        found = {}
        for (signal, region), values in self._passed(twin).items():
            if region in ("", twin.regions[0]):
                means = np.array([mean_known(v) for v in values])
                found[f"signal {signal}"] = means if signal in ADDITIVE else np.log(means)
        return found


def lived(economy: Any, months: int) -> Any:
    """The economy some months later."""
    for _ in range(months):
        economy.step()
    return economy


def recording(economy: Any) -> Any:
    """From now on it keeps its signals."""
    economy.arrows.recording, economy.arrows.recorded = True, {}
    return economy


def table(economy: Any) -> pd.DataFrame:
    """What it has recorded so far, one row a month and region."""
    found: pd.DataFrame = economy.recorder.table("monthly").to_pandas()
    return found


def outcomes(monthly: pd.DataFrame) -> Arrays:
    """What experiments measure, by month: flows added up over regions, levels of the first region."""
    first = monthly[monthly["region"] == monthly["region"].iloc[0]]
    sums = monthly.groupby("month")[list(FLOWS)].sum()
    found = {f"outcome {name}": sums[name].to_numpy() for name in FLOWS}
    return found | {f"outcome {name}": first[name].to_numpy(dtype=np.float64) for name in LEVELS}


def after(values: Sequence[np.ndarray], clock: int) -> np.ndarray:
    """A path recorded from ``clock`` on, by the clock; what came before is not a number."""
    path = np.array(values)
    return np.concatenate([np.full((clock, *path.shape[1:]), np.nan), path])


def changed(shown: pd.DataFrame, base: pd.DataFrame) -> Arrays:
    """By recorded column, the first month of the branch in which any bit differs from its twin; -1 for none."""
    names = [name for name in shown.columns if name not in ("month", "date", "region", "audit_gap")]
    months = (shown["month"] - shown["month"].iloc[0]).to_numpy()
    first = []
    for name in names:
        one, other = shown[name], base[name]
        differs = ((one != other) & ~(one.isna() & other.isna())).to_numpy()
        first.append(months[differs].min() if differs.any() else -1)
    return {"changed": np.array(first), "columns": np.array(names)}


def state(history: pd.DataFrame, shown: pd.DataFrame) -> Arrays:
    """Leverage and age of the boom, months since the last trough of spending, when a branch begins; 0 in a bust."""
    at = shown["month"].iloc[0]
    past = history[history["month"] < at]
    if len(past["month"].unique()) <= WINDOW:
        return {"leverage": shown["debt_to_ebitda"].iloc[0], "boom": float(at)}
    capex = past.groupby("month")["capex"].sum()
    dated = pd.Series(capex.to_numpy(), index=pd.period_range("2000-01", periods=len(capex), freq="M").to_timestamp())
    level = np.log(dated.rolling(WINDOW).mean().dropna().clip(lower=1.0))
    last = [pd.Timestamp(one["trough"]) for one in episodes(dated)][-1:]
    begin = dated.index[0] if not last else last[0]
    falling = bool(level.iloc[-1] < level[begin:].max() - FALL)
    return {"leverage": shown["debt_to_ebitda"].iloc[0], "boom": 0.0 if falling else (dated.index[-1] - begin).days / 30.4}


def timed(begin: float, months: int) -> Arrays:
    """Seconds that a month took."""
    return {"seconds_a_month": np.array((time.perf_counter() - begin) / months)}
