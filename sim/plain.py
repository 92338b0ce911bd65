"""Reading a user's YAML file as plain values: no tags, aliases, interpolation or composition, nothing twice."""

import re
from pathlib import Path
from typing import Any

import yaml

LARGEST = 200_000  # bytes
DEEPEST = 20  # levels
FORBIDDEN = {
    "hydra": "settings of Hydra belong on the command line",
    "defaults": "a scenario is plain values; choose groups on the command line",
    "_target_": "nothing can be instantiated from a file",
}


class Unreadable(ValueError):
    """The file is not plain values; the message says where and why."""


class PlainLoader(yaml.SafeLoader):
    """YAML 1.2 scalars (``2.0e9``, ``1e9`` and ``true`` are values; ``NO``, ``on`` and dates are text)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases, tags and interpolations, and bound the depth."""
        event = self.peek_event()
        mark = event.start_mark
        if self.check_event(yaml.AliasEvent):
            raise Unreadable(f"line {mark.line + 1}: an alias (*). Write the value out.")
        if getattr(event, "tag", None) is not None:
            raise Unreadable(f"line {mark.line + 1}: a tag ({event.tag}). Write the plain value.")
        self.depth = getattr(self, "depth", 0) + 1
        if self.depth > DEEPEST:
            raise Unreadable(f"line {mark.line + 1}: more than {DEEPEST} levels deep.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(node, yaml.ScalarNode) and "${" in node.value:
            raise Unreadable(f"line {mark.line + 1}: interpolation (${{...}}) is refused. Write the value out.")
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        """Keys are text, and each is given once."""
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key, str) or key_node.tag != "tag:yaml.org,2002:str":
                word = key if isinstance(key, str) else "of a block"
                raise Unreadable(f"line {line}: the key {word or 'null'} is not text. Write it in quotes, as '{word}'.")
            if key in seen:
                raise Unreadable(f"line {line}: the key {key!r} was given in line {seen[key]} already. Keep one.")
            if key in FORBIDDEN or "@" in key:
                raise Unreadable(f"line {line}: {key!r} is refused: {FORBIDDEN.get(key, 'no packages in a scenario')}.")
            if "." in key:
                raise Unreadable(f"line {line}: write {key!r} as nested blocks, not with dots.")
            seen[key] = line
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9][0-9_]*", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _integer(loader: PlainLoader, node: Any) -> int:
    return int(node.value.replace("_", ""))  # 007 is seven


PlainLoader.add_constructor("tag:yaml.org,2002:int", _integer)


def read_plain(path: Path) -> dict[str, Any]:
    """Nested plain values of a YAML file.

    Raises
    ------
    Unreadable
    """
    try:
        if not path.is_file():
            raise Unreadable("that is a folder. Name a file." if path.is_dir() else "there is no such file.")
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"larger than {LARGEST:,} bytes.")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start + 1} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror}).") from None
    return parse_plain(text)


def parse_plain(text: str) -> dict[str, Any]:
    """Nested plain values of YAML text."""
    try:
        tree = yaml.load(text, PlainLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Unreadable(f"{where}not YAML. Look for open brackets or quotes, tabs, and uneven indents, there or before.") from None
    except RecursionError:
        raise Unreadable(f"more than {DEEPEST} levels deep.") from None
    except (ValueError, OverflowError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("a number of too many digits, or an escape that is no character. Write it out.") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise Unreadable("holds no keys. Write blocks of `key: value`.")
    return tree
