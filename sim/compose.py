"""Command line -> validated Params: groups' defaults < size < scenario < command line."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from importlib.resources import files
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import OmegaConf

from sim.mistakes import Clash, Mistake, Mistakes, leaves, suggestion, unknown, wrong
from sim.params import Params, fields, model, validate
from sim.plain import Unreadable, read_plain

CONFIGS = Path(str(files("configs")))
LAYERS = ("size", "scenario")  # folders of plain values, merged over the groups in this order
HYDRA_ALLOWED = ("hydra/launcher", "hydra.sweeper.max_batch_size", "hydra.launcher.")
MOST_POINTS, MOST_RUNS = 10_000, 1_000_000  # of one sweep: parameter points, and those times seeds


class Layer(NamedTuple):
    """A chosen size or scenario: its name, and its values."""

    name: str
    values: dict[str, Any]


class Point(NamedTuple):
    """A parameter point of a sweep: its parameters with the first seed, and all its seeds."""

    params: Params
    seeds: tuple[int, ...]

    @classmethod
    def of(cls, lines: Sequence[str], seeds: Sequence[int] | None) -> "Point":
        """From overrides without a seed; seeds may be left to the scenario."""
        params = resolve([*lines, *([f"seed={seeds[0]}"] if seeds else [])])
        return cls(params, tuple(seeds or [params.seed]))

    def runs(self) -> Iterator[Params]:
        """One configuration a seed."""
        return (self.params.model_copy(update={"seed": seed}) for seed in self.seeds)


def resolve(lines: Sequence[str]) -> Params:
    """One point, from overrides as typed: ``["scenario=us_only", "seed=3"]``.

    Raises
    ------
    Mistakes
    """
    found: list[Mistake] = []
    overrides = [o for o in parse(lines, found) if admitted(o, found)]
    found += [Mistake(str(o.input_line), ": several values. Add -m to run a sweep.") for o in overrides if o.is_sweep_override()]
    params = settle([o for o in overrides if not o.is_sweep_override()], found)
    if found or params is None:
        raise Mistakes(found)
    return params


def resolve_sweep(lines: Sequence[str], left_out: list[str] | None = None) -> list[Point]:
    """Every point of a sweep, before the first is run.

    Parameters
    ----------
    left_out : takes the combinations that cannot be had, and why, if there are others

    Raises
    ------
    Mistakes
        of all points together
    """
    found: list[Mistake] = []
    overrides = [o for o in parse(lines, found) if admitted(o, found)]
    for override in overrides:
        if override.key_or_group == "outputs.root" and override.is_sweep_override():
            found.append(Mistake(str(override.input_line), ": one sweep has one folder."))
    overrides = [o for o in overrides if not hollow(o, found)]
    seeds = sweep_seeds([o for o in overrides if o.key_or_group == "seed"], found)
    points: list[Point] = []
    clashing: list[str] = []
    for point in expand([o for o in overrides if o.key_or_group != "seed"], found, len(seeds or [0])):
        try:
            points.append(Point.of(point, seeds))
        except Mistakes as mistakes:
            found += mistakes.found
            clashing.append(f"{' '.join(point)}: {'; '.join(map(str, mistakes.found))}")
    if left_out is not None and points and all(isinstance(mistake, Clash) for mistake in found):
        left_out += clashing
    elif found:
        raise Mistakes(found)
    return points


def sweep_seeds(overrides: list[Override], found: list[Mistake]) -> list[int] | None:
    """The seeds of every point; None where the command line gives none."""
    seeds: dict[int, None] = {}
    for override in overrides:
        words = override.sweep_string_iterator() if override.is_sweep_override() else iter([str(override.value())])
        for word in islice(words, MOST_RUNS + 1):
            if word.isdecimal() and int(word) < 2**63:
                seeds[int(word)] = None
                continue
            try:
                resolve([f"seed={word}"])
            except Mistakes as mistakes:
                found += mistakes.found
    return list(seeds) or None


def parse(lines: Sequence[str], found: list[Mistake]) -> list[Override]:
    """Hydra's own grammar; what it cannot read is a mistake."""
    with hydra_ready():
        parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    overrides: list[Override] = []
    seen: set[str] = set()
    for line in lines:
        if (key := line.partition("=")[0].lstrip("+~")) in seen:
            found.append(Mistake(line, f": {key} was given before. Keep one."))
        seen.add(key)
        if "${" in line or "_target_" in line:
            found.append(Mistake(line, ": interpolation and _target_ are refused. Write the value out."))
            continue
        try:
            overrides += parser.parse_overrides([line])
        except (HydraException, ValueError, RecursionError):
            found.append(Mistake(line, ": cannot be read. Write key=value; quote text that holds ,:[]{}()."))
    return overrides


def admitted(override: Override, found: list[Mistake]) -> bool:
    """Whether an override is of a kind that may be used at all."""
    key, line = override.key_or_group, str(override.input_line)
    if override.type == OverrideType.DEL or override.package is not None:
        found.append(Mistake(line, ": deletions (~) and packages (@) are refused. Set a value instead."))
    elif key.split(".")[0].split("/")[0] == "hydra":
        if key.startswith(HYDRA_ALLOWED) and not override.is_sweep_override():
            return key != "hydra/launcher" or launcher_installed(override, found)
        found.append(Mistake(line, f": of Hydra's settings only {', '.join(HYDRA_ALLOWED)}* may be changed."))
    elif override.is_sweep_override() and not override.is_discrete_sweep():
        found.append(Mistake(line, ": an interval has no first value. Write range(0,4) or a,b,c."))
    else:
        return True
    return False


def hollow(override: Override, found: list[Mistake]) -> bool:
    """Whether a list of values to sweep over holds none, as ``range(5,5)``."""
    if not override.is_sweep_override() or any(True for _ in override.sweep_string_iterator()):
        return False
    found.append(Mistake(str(override.input_line), ": holds no value. Write range(0,4), which ends before 4, or a,b,c."))
    return True


def launcher_installed(override: Override, found: list[Mistake]) -> bool:
    """Whether Hydra's plugin for the launcher is there."""
    with hydra_ready():
        known = GlobalHydra.instance().config_loader().get_group_options("hydra/launcher")
    if override.value() not in known:
        found.append(wrong("hydra/launcher", override.value(), f"not installed. Installed: {', '.join(known)}."))
    return override.value() in known


def expand(overrides: list[Override], found: list[Mistake], seeds: int) -> Iterator[list[str]]:
    """All points of a sweep of so many seeds, as lists of overrides, in Hydra's order."""
    choices = []
    for override in overrides:
        lines = [str(override.input_line)]
        if override.is_sweep_override():
            key = override.get_key_element()
            lines = [f"{key}={value}" for value in islice(override.sweep_string_iterator(), MOST_POINTS + 1)]
        choices.append(lines)
    size = 1
    for lines in choices:
        size *= len(lines)
    if size > MOST_POINTS or size * seeds > MOST_RUNS:
        found.append(Mistake("sweep", f": more than {MOST_POINTS:,} points or {MOST_RUNS:,} runs. Split it."))
        return iter(())
    return map(list, product(*choices))


def settle(overrides: list[Override], found: list[Mistake]) -> Params | None:
    """Merge the layers and validate; what is wrong is added to ``found``."""
    groups, values = [], []
    for override in overrides:
        key = override.key_or_group
        if key.startswith("hydra"):
            continue
        if "/" in key or (key in options() and not isinstance(override.value(), dict)):
            groups += [f"{key}={override.value()}"] if option_exists(key, override.value(), found) else []
        else:
            values.append((key, override.value()))
    tree = deepcopy(base(tuple(groups)))
    origin: dict[str, str] = {}
    chosen = dict(values)
    scenario = layer("scenario", chosen.get("scenario", tree["scenario"]), found)
    size = layer("size", chosen.get("size", scenario.values.get("size", tree["size"])), found)
    for kind, (name, plain) in zip(LAYERS, (size, scenario), strict=True):
        merge(tree, plain)
        origin |= {key: f"{kind} {name}" for key, _ in leaves("", plain)}
    tree["size"], tree["scenario"] = size.name, scenario.values.get("scenario", scenario.name)
    for key, value in values:
        if key not in LAYERS:
            put(tree, key, value, found)
            origin |= {name: "command line" for name, _ in leaves(key, value)}
    try:
        return validate(tree, origin)
    except Mistakes as mistakes:
        found += mistakes.found
        return None


def layer(kind: str, choice: Any, found: list[Mistake]) -> Layer:
    """A size or scenario by the name of a shipped file or, a scenario, by the path of one's own."""
    shipped = names(kind)
    if choice in shipped:
        return Layer(str(choice), read_plain(CONFIGS / kind / f"{choice}.yaml"))
    if kind == "scenario" and isinstance(choice, str) and ("/" in choice or choice.endswith((".yaml", ".yml"))):
        path = Path(os.path.expanduser(choice))  # Path's own raises for a user it does not know
        try:
            return Layer(path.stem, read_plain(path))
        except Unreadable as error:
            found.append(Mistake(f"scenario = {choice}", f": {error}"))
    else:
        path_too = ", or the path of a .yaml file" if kind == "scenario" else ""
        way_out = f"{suggestion(str(choice), shipped)} Give one of {', '.join(shipped)}{path_too}."
        found.append(wrong(kind, choice, f"no such {kind}. {way_out.strip()}"))
    return Layer("none", {})


def merge(tree: dict[str, Any], over: dict[str, Any]) -> None:
    """Put nested values over others, block by block."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            merge(tree[key], value)
        else:
            tree[key] = value


def put(tree: dict[str, Any], dotted: str, value: Any, found: list[Mistake]) -> None:
    """Set one key of the command line."""
    *above, name = dotted.split(".")
    for part in above:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            found.append(unknown(dotted, value, [key for key, _, _ in fields(model())]))
            return
    merge(tree, {name: value})


@cache
def base(groups: tuple[str, ...]) -> dict[str, Any]:
    """Config and group defaults, as Hydra composes them."""
    with hydra_ready():
        config = compose("config", overrides=list(groups))
    tree: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    return tree | {"size": "full", "scenario": "baseline"}  # the layers come later, as plain values


@contextmanager
def hydra_ready() -> Iterator[None]:
    """Hydra's composition, within a job of Hydra's own or without."""
    if GlobalHydra().is_initialized():
        yield
        return
    with initialize_config_module("configs", version_base="1.3"):
        yield


@cache
def options() -> dict[str, list[str]]:
    """Group path -> its options."""
    found: dict[str, list[str]] = {}
    for top in ("sim", "agents"):
        for path in sorted((CONFIGS / top).rglob("*.yaml")):
            found.setdefault(path.parent.relative_to(CONFIGS).as_posix(), []).append(path.stem)
    return found


def names(kind: str) -> list[str]:
    """The shipped sizes or scenarios."""
    return sorted(path.stem for path in (CONFIGS / kind).glob("*.yaml"))


def option_exists(group: str, option: Any, found: list[Mistake]) -> bool:
    """Whether the chosen variant of a group is there."""
    known = options()
    if group not in known:
        found.append(unknown(group, option, known))
    elif option not in known[group]:
        way_out = f"{suggestion(str(option), known[group])} Options: {', '.join(known[group])}."
        found.append(wrong(group, option, f"no such option. {way_out.strip()}"))
    else:
        return True
    return False
