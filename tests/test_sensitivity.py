"""Screening finds what matters and passes over what does not; shares of variance are those that algebra gives."""

import json
import math

import numpy as np
from pytest import approx, fixture, mark, raises

from analysis import sensitivity
from analysis.experiments.box import MOST_PARAMETERS, load, words
from analysis.experiments.points import Point
from analysis.experiments.spec import LOOP
from analysis.experiments.store import Store
from analysis.experiments.worlds import World
from analysis.indices import Problem, floor, morris_points, screen, shares, sobol_points
from sim.compose import resolve
from sim.mistakes import Mistakes

BOX = Problem(("strong", "idle", "weak"), ((0.0, 1.0), (-3.0, 9.0), (2.0, 4.0)))
SMALL = ("scenario=us_only", "size=class", "horizon_years=1", "sim.build.burn_in=6")
TOY = World(("scenario=us_only", "size=class", "horizon_years=10", "sim.build.burn_in=6"), 0.5)
FOREVER = math.inf


def line(points: np.ndarray) -> np.ndarray:
    """5 a + b / 2: over the box, effects of 5, 0 and 1, and shares of 25 / 26, 0 and 1 / 26."""
    return 5.0 * points[:, 0] + 0.5 * points[:, 2]


# -- indices -----------------------------------------------------------------------------------------------------------


def test_screening_finds_effects_over_the_range_and_none_of_what_is_idle():
    points = morris_points(BOX, 8)
    found = screen(BOX, points, line(points))
    assert found.effects == approx([5.0, 0.0, 1.0]) and found.spreads == approx(np.zeros(3), abs=1e-9)
    assert [BOX.names[at] for at in found.order] == ["strong", "weak", "idle"]


def test_shares_of_variance_are_those_of_algebra():
    found = shares(BOX, line(sobol_points(BOX, 256)))
    assert [found[name]["total"] for name in BOX.names] == approx([25 / 26, 0.0, 1 / 26], abs=0.01)
    assert [found[name]["first"] for name in BOX.names] == approx([25 / 26, 0.0, 1 / 26], abs=0.03)


def test_a_point_without_a_value_takes_its_block_along_and_no_other():
    points = morris_points(BOX, 8)
    values = line(points)
    values[5] = np.nan
    found = screen(BOX, points, values)
    assert found.blocks == 7 and found.effects == approx([5.0, 0.0, 1.0])


def test_too_few_blocks_are_no_effects():
    points = morris_points(BOX, 2)
    assert screen(BOX, points, np.where(np.arange(len(points)) < 4, line(points), np.nan)).order == []
    assert shares(BOX, np.full(5, np.nan)) is None and shares(BOX, np.ones(10)) is None


# -- points ------------------------------------------------------------------------------------------------------------


@fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("points"))


def test_a_point_tells_live_from_cut_with_references_of_its_own(store):
    """The planted loop of a half amplifies; what cuts leave is the drive alone."""
    point = Point(TOY, (), (501, 502), LOOP, store)
    assert point(FOREVER) == 1 and point(FOREVER) == 0
    a = np.exp(sensitivity.Outcome("amplification", LOOP).of(point))
    assert 1.5 < a < 2.0
    assert sensitivity.asked("severity:spending").of(point) > 0.1


def test_a_parameter_of_a_point_is_that_of_its_runs(store):
    rates = (("sim.markets.primary.us.base_rate=0.03",), ("sim.markets.primary.us.base_rate=0.05",))
    points = [Point(World(SMALL), lines, (5,), (), store) for lines in rates]
    assert [point(FOREVER) for point in points] == [1, 1]
    assert [sensitivity.asked("base_rate:mean").of(point) for point in points] == approx([0.03, 0.05])


def test_a_world_that_cannot_be_lived_in_has_no_value(store):
    class Broken(World):
        def economy(self, *_, **__):
            raise ValueError("no such world")

    point = Point(Broken(SMALL), ("seed=1",), (1,), (), store)
    assert point(FOREVER) == 1 and np.isnan(sensitivity.asked("capex:mean").of(point))


# -- the command -------------------------------------------------------------------------------------------------------


def test_what_ships_is_a_box_of_configurations_with_words_and_units():
    spec, known = load(None), words()
    for end in (0, 1):
        resolve([*spec.settings, *(f"{key}={ends[end]}" for key, ends in spec.parameters.items())])
    assert len(spec.parameters) == MOST_PARAMETERS and all(known[key][0] for key in spec.parameters)


def test_numbers_and_figure_are_written(tmp_path):
    row = {
        "key": "a.b",
        "words": "b: of something",
        "unit": "1",
        "low": 0.0,
        "high": 1.0,
        "effect": 5.0,
        "half": 0.1,
        "spread": 0.0,
    }
    facts = {"outcome": "capex:mean", "runs": 8, "seeds": 1, "without_value": 1, "trajectories": 2}
    facts["parameters"] = [row | {"total": 0.9, "total_half": 0.1, "first": 0.9, "first_half": 0.1}, row | {"effect": 1.0}]
    sensitivity.write(tmp_path, facts)
    assert json.loads((tmp_path / "sensitivity.json").read_text()) == facts
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".csv", ".parquet", ".svg"}
    assert "b (0 to 1)" in sensitivity.spoken(facts)[3]


@mark.parametrize("name", ["amplificatoin", "capex", "capex:median", "region:mean", "arrow:cobweb"])
def test_an_outcome_that_is_none_is_refused(name):
    with raises(Mistakes, match="no such outcome"):
        sensitivity.asked(name)


@mark.parametrize(
    "text, says",
    [
        ("parameters: {sim.nothing: [0, 1], seed: [1, 2]}", "no such key"),
        ("parameters: {agents.operators.entry: [0.2, 0.1], seed: [1, 2]}", "an empty range"),
        ("parameters: {agents.operators.entry: [0.1, 0.2]}", "parameters"),
        ("[", "cannot be read"),
    ],
)
def test_a_box_that_is_none_is_refused(tmp_path, text, says):
    effort = "{trajectories: 2, points: 2, seeds: 1, hours: 1}"
    rest = f"settings: []\nfirst_seed: 1\nselected: 2\namplifies: 1.1\neffort: {{quick: {effort}, default: {effort}}}\n"
    (tmp_path / "mine.yaml").write_text(rest + text)
    with raises(Mistakes, match=says):
        load(str(tmp_path / "mine.yaml"))


def test_the_floor_is_what_seeds_of_their_own_would_show():
    """Nothing matters, and every point of every trajectory draws anew: means of four seeds of standard deviation 2."""
    problem = Problem(("a", "b", "c"), ((0.0, 1.0), (0.0, 1.0), (0.0, 1.0)))
    rows, rng = morris_points(problem, 400), np.random.default_rng(1)
    each = rng.normal(0.0, 2.0, (len(rows), 4))
    seen = screen(problem, rows, each.mean(axis=1)).effects
    assert seen == approx(np.full(3, floor(each.std(axis=1, ddof=1), 4)), rel=0.1)
    assert np.isnan(floor(np.full(5, np.nan), 1))
