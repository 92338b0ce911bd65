"""A shock is the difference between two branches of one history on the same draws."""

import json
import math

import numpy as np
from pytest import approx, fixture, mark, raises

from analysis import shock
from analysis.experiments.shocks import MONTH, Pair, Shock, book, find
from analysis.experiments.store import Store
from analysis.experiments.worlds import World
from sim.compose import resolve
from sim.mistakes import Mistakes

SMALL = ("scenario=us_only", "size=class", "horizon_years=2", "sim.build.burn_in=6")
RATE = Shock(says="Rates rise.", lines=("sim.markets.primary.us.rate_step=0.02", f"sim.markets.primary.us.rate_month={MONTH}"))
NOTHING = Shock(
    says="A launch of nothing.", lines=("sim.markets.hardware.surprise=0", f"sim.markets.hardware.surprise_month={MONTH}")
)
FOREVER = math.inf


@fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("shocks"))


def pair(store, what=RATE, seed=5) -> Pair:
    return Pair(World(SMALL), seed, what, 4, 8, store)


def branches(pair: Pair):
    pair(FOREVER)
    return pair.read()


def test_a_rate_rise_moves_the_base_rate_from_its_month_on_and_nothing_before(store):
    """The rate is read at the end of month 4, so what closes in month 4 is the same and what closes in month 5 is dearer."""
    base, shocked = branches(pair(store))
    assert shocked["us base_rate"] - base["us base_rate"] == approx(np.full(8, 0.02))
    assert shocked["us issuance"][0] == base["us issuance"][0] and shocked["us cost_of_capital"][1] > base["us cost_of_capital"][1]


def test_a_shock_of_nothing_changes_no_bit(store):
    base, shocked = branches(pair(store, NOTHING))
    assert all(np.array_equal(base[name], shocked[name], equal_nan=True) for name in base if name.startswith("us "))


def test_shocks_of_one_month_share_the_branch_without(store):
    assert pair(store).names[0] == pair(store, NOTHING).names[0] and pair(store).names[1] != pair(store, NOTHING).names[1]


def test_pairs_that_are_stored_are_not_made_again(store):
    pair(store)(FOREVER)
    assert pair(store)(FOREVER) == 0 and pair(store).stored() == 1 and pair(store, seed=6).stored() == 0


@mark.parametrize("name", book().shocks)
def test_every_shock_that_ships_is_a_configuration(name):
    lines = book().shocks[name].at(48)
    assert MONTH not in "".join(lines) and resolve([*book().settings, *lines]) != resolve(list(book().settings))


# -- responses -----------------------------------------------------------------------------------------------------------

BASE = np.exp(np.random.default_rng(0).normal(size=(8, 12)))


@mark.parametrize(
    "unit, base, word, size",
    [("USD", BASE, "log", np.log(1.1)), ("1/year", BASE, "1/year", None), ("USD", BASE - BASE.min(), "of its mean without", None)],
)
def test_amounts_respond_in_logs_and_rates_in_points(unit, base, word, size):
    shocked = base * 1.1 if size else base + 0.1
    found, named = shock.respond(base, shocked, unit)
    expected = size or (0.1 if word == unit else (0.1 / base.mean(axis=1)).mean())
    assert named == word and found.height.estimate == approx(expected) and found.anywhere


def test_no_difference_is_told_as_none():
    found, _ = shock.respond(BASE, BASE, "USD")
    assert not found.anywhere and found.height.estimate == 0.0


def test_numbers_and_figure_are_written_and_too_few_seeds_are_said(store, tmp_path):
    found = {"capex": shock.respond(BASE, BASE * 1.1, "USD")}
    facts = shock.summary("rates", RATE, [pair(store)], "us", list(found), found)
    shock.write(tmp_path, facts, found)
    assert json.loads((tmp_path / "shock.json").read_text())["outcomes"][0]["estimate"] == approx(np.log(1.1))
    assert {path.name for path in tmp_path.iterdir()} == {"shock.json", "responses.csv", "responses.parquet", "responses.svg"}
    assert shock.measured([pair(store)], "us", ["capex"]) == {} and "cannot tell" in shock.spoken(facts | {"outcomes": []})[-1]


# -- what is refused -----------------------------------------------------------------------------------------------------


@mark.parametrize(
    "line, words",
    [
        (["lanch"], "no such shock"),
        (["missing.yaml"], "cannot be read"),
        (["launch", "--outcome", "capx"], "capex"),
        (["launch", "--region", "mars"], "not simulated"),
        (["launch", "--month", "0"], "a month from 1"),
        (["launch", "--months", "500"], "more than the 240"),
        (["launch", "--seeds", "2"], "from 6"),
        (["launch", "--set", "sim.arrows.cobweb.gain=0"], "a cut needs references"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_run(line, words):
    with raises(Mistakes, match=words):
        shock.act(book(), shock.options(book()).parse_args(line))


def test_a_file_of_ones_own_is_a_shock(tmp_path):
    (tmp_path / "mine.yaml").write_text("says: Mine.\nlines: [sim.markets.tokens.setback=0.1]\n")
    assert find(str(tmp_path / "mine.yaml"), {})[1].says == "Mine."
    (tmp_path / "bad.yaml").write_text("says: Bad.\n")
    with raises(Mistakes, match="lines"):
        find(str(tmp_path / "bad.yaml"), {})
