"""Every value has a unit and a source, every field a value, and every scenario composes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from sim.compose import CONFIGS, names, resolve
from sim.params import GROUPS, Params, block_of, fields, model
from sim.plain import read_plain

FILES = sorted(path for path in CONFIGS.rglob("*.yaml") if path.parent.name != "deals")
NUMBER = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
COMMENT = re.compile(r"#\s*(?P<unit>\S.*?)\s{2,}(?P<source>\S.*)$")


def numbers(path: Path) -> Iterator[tuple[str, int]]:
    """Dotted key (places in lists left out) and line, from 0, of every number of a file."""

    def below(node: yaml.Node, key: str) -> Iterator[tuple[str, int]]:
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                yield from below(value, f"{key}.{name.value}" if key else name.value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from below(value, key)
        elif node.tag in NUMBER or re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", node.value):
            yield key, node.end_mark.line

    node = yaml.compose(path.read_text(), yaml.SafeLoader)
    return below(node, prefix(path)) if node else iter(())


def prefix(path: Path) -> str:
    """Where a file's keys lie: at the root, or at its group."""
    parts = path.relative_to(CONFIGS).parent.parts
    return "" if not parts or parts[0] in ("size", "scenario") else ".".join(parts)


def units() -> dict[str, str]:
    """Dotted key -> unit."""
    found = {}
    for key, info, _ in fields(model()):
        extra = info.json_schema_extra
        if isinstance(extra, dict) and "unit" in extra:
            found[key] = str(extra["unit"])
    return found


def keys_of(value: object, key: str) -> Iterator[str]:
    """Dotted keys of plain values, places in lists left out."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield f"{key}.{name}"
            yield from keys_of(below, f"{key}.{name}")
    elif isinstance(value, list):
        for below in value:
            yield from keys_of(below, key)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONFIGS).as_posix())
def test_every_number_has_the_unit_of_its_field_and_a_source(path):
    lines, known = path.read_text().splitlines(), units()
    for key, line in numbers(path):
        comment = COMMENT.search(lines[line])
        assert comment, f"{path.name}:{line + 1}: {key} needs '# unit  source', two blanks between"
        assert key in known, f"{path.name}:{line + 1}: {key} is no field with a unit"
        assert comment["unit"] == known[key], f"{path.name}:{line + 1}: {key} is in {known[key]}"


@pytest.mark.parametrize("group", GROUPS)
def test_every_field_has_a_value_and_every_value_a_field(group):
    values = read_plain(CONFIGS / group.replace(".", "/") / "default.yaml")
    field = model()
    for part in group.split("."):
        found = block_of(field.model_fields[part].annotation)
        assert found is not None
        field = found
    declared = {f"{group}.{key}" for key, _, _ in fields(field)}
    assert set(keys_of(values, group)) == declared


def test_every_number_among_the_parameters_has_unit_bounds_and_meaning():
    for key, info, block in fields(model()):
        if info.annotation in (int, float):
            bounds = {name for rule in info.metadata for name in ("ge", "le") if getattr(rule, name, None) is not None}
            assert bounds == {"ge", "le"} and info.description and key in units(), key
        assert block is None or issubclass(block, BaseModel)


def test_every_group_has_a_default_and_every_default_a_group():
    found = {path.parent.relative_to(CONFIGS).as_posix().replace("/", ".") for path in CONFIGS.rglob("default.yaml")}
    assert found == set(GROUPS)
    listed = re.findall(r"^  - (?!override)([a-z/_]+): default", (CONFIGS / "config.yaml").read_text(), re.M)
    assert {line.replace("/", ".") for line in listed} == set(GROUPS)


@pytest.mark.parametrize("size", names("size"))
@pytest.mark.parametrize("scenario", names("scenario"))
def test_every_scenario_composes_at_every_size(scenario, size):
    params = resolve([f"scenario={scenario}", f"size={size}"])
    assert isinstance(params, Params) and (params.scenario, params.size) == (scenario, size)


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name in ("scenario", "size")], ids=lambda path: path.stem)
def test_every_scenario_and_size_says_in_its_first_line_what_it_is(path):
    assert re.match(r"# [A-Z].{10,100}\.$", path.read_text().splitlines()[0])


def test_no_two_scenarios_are_the_same():
    values = [read_plain(CONFIGS / "scenario" / f"{name}.yaml") for name in names("scenario") if name != "baseline"]
    assert all(values) and all(a != b for i, a in enumerate(values) for b in values[:i])
