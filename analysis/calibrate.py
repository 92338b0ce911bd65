"""Fit parameters to facts by simulated moments: ``python -m analysis calibrate [--trials N] [--seeds N] [--set KEY=VALUE]``.

What is fitted, and with what, stands in ``analysis/facts/calibration.yaml``; nothing in ``configs/`` is changed. Trials are kept
beside the runs and used again. A moment in the middle half of its band costs nothing; beyond it, the squared distance in halves
of the band.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import Field, ValidationError, model_validator

from analysis.metrics.runs import Run
from analysis.scoring import measure
from analysis.settings import over
from analysis.targets import BadTarget, Check, Strict, load
from analysis.validate import count
from sim.columns import COLUMNS
from sim.compose import resolve
from sim.launcher import cores
from sim.manifest import sources_hash
from sim.params import select
from sim.run import assemble, outputs
from sim.terminal import judged

MOST_MOMENTS = 8
FREE = 0.5  # of half a band, about its middle, within which a moment costs nothing
UNKNOWN = 9.0  # cost of a moment that no seed shows
FIRST = 1  # seed; those of validation are apart

Moments = Mapping[str, float]  # name -> median over seeds


class Moment(Strict):
    """A number of a target."""

    target: str
    says: str = ""


class Spec(Strict):
    """What is fitted, with which parameters, on what runs."""

    settings: tuple[str, ...]
    moments: tuple[Moment, ...] = Field(min_length=1, max_length=MOST_MOMENTS)
    parameters: dict[str, tuple[float, float]] = Field(min_length=1)

    @model_validator(mode="after")
    def _ranges(self) -> "Spec":
        for key, (low, high) in self.parameters.items():
            if not low < high:
                raise ValueError(f"{key}: the range {low:g} to {high:g} is empty")
        return self


def read(text: str) -> tuple[Spec, dict[str, Check]]:
    """The specification, and the checks its moments name.

    Raises
    ------
    BadTarget
    """
    try:
        spec = Spec.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadTarget(f"calibration.yaml: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    known = {target.id: target for target in load()}
    checks = {}
    for moment in spec.moments:
        target = known.get(moment.target)
        if target is None or not target.fitted:
            raise BadTarget(
                f"calibration.yaml: {moment.target} is no target marked `fitted`. Mark it in levels.yaml, or leave it out."
            )
        found = [check for check in target.checks if check.says == moment.says and check.metric]
        if len(found) != 1:
            raise BadTarget(f"calibration.yaml: {moment.target} has no number {moment.says!r} that can be measured.")
        checks[f"{moment.target} {moment.says}".strip()] = found[0]
    return spec, checks


def held_out(fitted: Mapping[str, Check]) -> dict[str, Check]:
    """All other numbers of targets that can be measured; none of them moves a parameter."""
    others = {f"{target.id} {check.says}".strip(): check for target in load() for check in target.checks if check.metric}
    return {name: check for name, check in others.items() if name not in fitted}


def cost(checks: Mapping[str, Check], moments: Moments) -> float:
    """Sum of squared distances beyond the middle of the bands, in halves of them."""
    total = 0.0
    for name, check in checks.items():
        half = 0.5 * (check.high - check.low)
        away = abs(moments[name] - (check.low + half)) / half
        total += max(away - FREE, 0.0) ** 2 if np.isfinite(away) else UNKNOWN
    return total


def live(overrides: Sequence[str], checks: Mapping[str, Check]) -> dict[str, float]:
    """Moments of one run, which leaves nothing on disk; not a number where the run shows none."""
    params = resolve(list(overrides))
    economy = assemble(params)
    for _ in range(economy.months_total):
        economy.step()
    run = Run({name: economy.recorder.table(name).to_pandas() for name in COLUMNS}, params.model_dump(mode="json"))
    found = {name: measure(run, check) for name, check in checks.items()}
    return {name: value if isinstance(value, float) else np.nan for name, value in found.items()}


def middle(seeds: Sequence[Moments]) -> dict[str, float]:
    """Medians over the seeds that have a number."""
    columns = {name: np.array([one[name] for one in seeds]) for name in seeds[0]}
    return {name: float(np.nanmedian(column)) if np.isfinite(column).any() else np.nan for name, column in columns.items()}


def search(
    ranges: Mapping[str, tuple[float, float]],
    simulate: Callable[[dict[str, float]], Moments],
    price: Callable[[Moments], float],
    trials: int,
    store: Path | None = None,
    report: Callable[[Any, Any], None] | None = None,
) -> Any:
    """An optuna study of ``trials`` trials, those in ``store`` counted: tree-structured Parzen estimators, always seeded alike."""
    import optuna  # slow to load, and only needed here
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: Any) -> float:
        moments = simulate({key: float(f"{trial.suggest_float(key, *ends):.4g}") for key, ends in ranges.items()})
        trial.set_user_attr("moments", {name: value if np.isfinite(value) else None for name, value in moments.items()})
        return price(moments)

    kept = JournalStorage(JournalFileBackend(str(store))) if store else None
    study = optuna.create_study(storage=kept, study_name="calibration", load_if_exists=True)
    done = len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    study.sampler = optuna.samplers.TPESampler(seed=done, multivariate=True)  # a search that goes on draws points of its own
    study.optimize(objective, n_trials=max(trials - done, 0), callbacks=[report] if report else [])
    return study


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0, or 2 for wrong options."""
    found = argparse.ArgumentParser(prog="python -m analysis calibrate", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--trials", default="200", metavar="N", help="points tried, stored ones counted; default 200")
    found.add_argument("--seeds", default="4", metavar="N", help=f"how many seeds, from {FIRST} on; default 4")
    found.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in python -m sim: size=full")
    chosen = found.parse_args(arguments)
    return judged(lambda: act(chosen))


def act(chosen: argparse.Namespace) -> int:
    """Check everything, search, and print the best point beside what configs/ has."""
    try:
        spec, checks = read((files("analysis") / "facts" / "calibration.yaml").read_text("utf-8"))
    except BadTarget as error:
        print(error, file=sys.stderr)
        return 2
    settings, seeds = list(over(spec.settings, chosen.set)), count(chosen.seeds, chosen.set)
    trials = count(chosen.trials, [], "--trials")
    start = resolve(settings)
    for key, ends in spec.parameters.items():
        for end in ends:
            resolve([*settings, f"{key}={end}"])
    store = outputs(start) / "calibration" / f"{fingerprint(spec, settings, seeds)}.log"
    store.parent.mkdir(parents=True, exist_ok=True)
    print(f"{trials} points of {seeds} runs each on {cores()} cores; kept in {store}.", file=sys.stderr)
    others = held_out(checks)
    with ProcessPoolExecutor(min(cores(), seeds)) as pool:

        def simulate(values: dict[str, float]) -> dict[str, float]:
            point = [*settings, *(f"{key}={value}" for key, value in values.items())]
            jobs = [pool.submit(live, [*point, f"seed={FIRST + n}"], checks | others) for n in range(seeds)]
            return middle([job.result() for job in jobs])

        study = search(spec.parameters, simulate, lambda moments: cost(checks, moments), trials, store, progress)
    print("\n".join(page(spec, checks, others, study.best_trial, start)))
    return 0


def fingerprint(spec: Spec, settings: Sequence[str], seeds: int) -> str:
    """Sources, specification and seeds: trials of others are not mixed in."""
    whole = json.dumps([sources_hash(), spec.model_dump(mode="json"), list(settings), seeds])
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def progress(study: Any, trial: Any) -> None:
    """A word after every tenth point."""
    if (trial.number + 1) % 10 == 0:
        print(f"{trial.number + 1} points; least cost {study.best_value:.3g}", file=sys.stderr, flush=True)


def page(spec: Spec, checks: Mapping[str, Check], others: Mapping[str, Check], best: Any, start: Any) -> list[str]:
    """Parameters and moments of the best point, those that were held out last."""
    line = "{:<44}{:>12}{:>12}  {}"
    lines = [f"Best of the points tried: cost {best.value:.3g}.", "", line.format("parameter", "best", "in configs", "searched")]
    for key, (low, high) in spec.parameters.items():
        now = f"{select(start, key):.4g}"
        lines.append(line.format(key, f"{best.params[key]:.4g}", now, f"{low:g} to {high:g}"))
    for title, some in (("fitted", checks), ("held out, not fitted", others)):
        lines += ["", line.format(title, "median", "unit", "band")]
        for name, check in some.items():
            value = best.user_attrs["moments"][name]
            shown = "-" if value is None else f"{value:.4g}"
            lines.append(line.format(name, shown, check.unit, f"{check.low:g} to {check.high:g}"))
    return lines
