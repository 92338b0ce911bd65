"""In which features two regimes differ, and the regimes in between: one feature switched on in the first, or off in the second."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.decisions.asking import Regime
from sim.compose import resolve
from sim.folders import replacing
from sim.mistakes import Mistakes, leaves
from sim.params import Params
from sim.sweep import quoted

MOST: Final = 6  # features that are switched one at a time; more are taken together by the block in which they stand
LONGEST: Final = 40  # characters of a key in the name of a scenario


@dataclass(frozen=True)
class Feature:
    """Keys that are switched together, with their values in both regimes."""

    name: str
    keys: tuple[str, ...]
    here: tuple[Any, ...]
    there: tuple[Any, ...]

    def says(self) -> str:
        """Keys and values, shortened."""
        return "; ".join(
            f"{key}: {brief(here)} → {brief(there)}" for key, here, there in zip(self.keys, self.here, self.there, strict=True)
        )


def brief(value: Any) -> str:
    """A value in few characters."""
    text = json.dumps(value, default=str) if isinstance(value, list | dict) else "none" if value in ("", None) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def features(one: Params, other: Params) -> list[Feature]:
    """What differs, key by key; where that is too many, block by block."""
    first, second = (flat(params) for params in (one, other))
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    groups = next(grouped for depth in range(9, 0, -1) if len(grouped := grouping(keys, depth)) <= MOST or depth == 1)
    return [feature(short(name, groups), tuple(own), first, second) for name, own in groups.items()]


def feature(name: str, keys: tuple[str, ...], first: Mapping[str, Any], second: Mapping[str, Any]) -> Feature:
    """Keys with their values on both sides."""
    return Feature(name, keys, tuple(first.get(key) for key in keys), tuple(second.get(key) for key in keys))


def flat(params: Params) -> dict[str, Any]:
    """Dotted keys and values of a configuration, but for names, seed and places."""
    tree = params.model_dump(mode="json", exclude={"outputs", "scenario", "seed", "size"})
    return dict(leaves("", tree))


def grouping(keys: Sequence[str], depth: int) -> dict[str, list[str]]:
    """Keys by their first parts."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(".".join(key.split(".")[:depth]), []).append(key)
    return groups


def short(name: str, groups: Mapping[str, Any]) -> str:
    """The end of a dotted name that still tells it from the others."""
    parts = name.split(".")
    for length in range(2, len(parts)):
        end = ".".join(parts[-length:])
        if sum(other == end or other.endswith(f".{end}") for other in groups) == 1:
            return end
    return name


def between(one: Regime, other: Regime, found: Sequence[Feature], home: Path, settings: Sequence[str]) -> list[Feature]:
    """Features that can be switched alone, in both directions; those that cannot are taken together as one."""
    apart: list[Feature] = []
    tied: list[Feature] = []
    for candidate in found:
        able = all(allowed(mixed(*pair, candidate, home), settings) for pair in ((one, other), (other, one)))
        (apart if able else tied).append(candidate)
    return [*apart, *([together(tied)] if tied else [])]


def together(tied: Sequence[Feature]) -> Feature:
    """Several features as one."""
    parts: list[tuple[Any, ...]] = [
        tuple(value for each in tied for value in getattr(each, name)) for name in ("keys", "here", "there")
    ]
    return Feature(" with ".join(each.name for each in tied), *parts)


def allowed(path: Path, settings: Sequence[str]) -> bool:
    """Whether a mixed regime can be had."""
    try:
        resolve([f"scenario={quoted(str(path))}", *settings])
    except Mistakes:
        return False
    return True


def mixed(one: Regime, other: Regime, switched: Feature, home: Path) -> Path:
    """A scenario file: ``one`` with a feature of ``other``; the same content has the same name."""
    tree = deepcopy(one.values)
    tree.pop("scenario", None)
    for key, value in values_of(other, switched):
        put(tree, key.split("."), value)
    text = yaml.safe_dump(tree, sort_keys=True)
    slug = re.sub(r"\W+", "_", switched.name)[:LONGEST]
    path = home / f"{one.label}-with-{slug}-{hashlib.sha256(text.encode()).hexdigest()[:6]}.yaml"
    if not path.is_file():
        with replacing(path) as hidden:
            hidden.write_text(f"# {one.label}, but {switched.name} as in {other.label}.\n{text}", encoding="utf-8")
    return path


def values_of(regime: Regime, switched: Feature) -> Iterator[tuple[str, Any]]:
    """A feature's keys with their values in a regime."""
    values = flat(regime.params[0])
    return ((key, values[key]) for key in switched.keys if key in values)


def put(tree: dict[str, Any], parts: Sequence[str], value: Any) -> None:
    """Set a nested value; a block that was none becomes one."""
    *above, name = parts
    for part in above:
        if not isinstance(tree.get(part), dict):
            tree[part] = {}
        tree = tree[part]
    tree[name] = value
