"""Features are what differs, each can be switched alone, and their parts add up to the difference."""

import numpy as np
import pytest

from analysis.decisions.asking import regimes
from analysis.decisions.differing import Difference
from analysis.decisions.features import MOST, Feature, between, features, mixed, short
from analysis.decisions.mechanism import Plan, parts, plan
from sim.compose import resolve
from sim.mistakes import Mistakes

SMALL = ["size=class", "horizon_years=1"]
KEY = ("losses", "us")


def pair(*names: str):
    return regimes(names, 2, SMALL)


def test_scenarios_differ_in_the_keys_that_they_set():
    one, other = pair("baseline", "china_first")
    found = {feature.keys: feature for feature in features(one.params[0], other.params[0])}
    assert {keys[0].removeprefix("sim.markets.primary.") for keys in found} == {
        "us.abs_share",
        "china.abs_share",
        "china.closing_abs",
    }
    assert all(len(keys) == 1 for keys in found)
    assert "0.0 → 0.8" in found["sim.markets.primary.china.abs_share",].says()


def test_a_scenario_does_not_differ_from_itself():
    one, other = pair("baseline", "baseline")
    assert features(one.params[0], other.params[0]) == []


def test_many_keys_are_taken_together_by_block():
    one, other = pair("baseline", "rest")
    found = features(one.params[0], other.params[0])
    assert 1 < len(found) <= MOST and sum(len(feature.keys) for feature in found) > MOST


def test_a_mixed_scenario_has_one_feature_of_the_other_and_all_else_of_its_own(tmp_path):
    one, other = pair("baseline", "china_first")
    chosen = features(one.params[0], other.params[0])[1]
    path = mixed(one, other, chosen, tmp_path)
    made = resolve([f"scenario={path}", *SMALL])
    assert made.sim.markets.primary.china.abs_share == 0.8 and made.sim.markets.primary.china.closing_abs == 4
    assert path == mixed(one, other, chosen, tmp_path) and path.read_text().startswith("# baseline, but china.abs_share as in")
    back = resolve([f"scenario={mixed(other, one, chosen, tmp_path)}", *SMALL])
    assert back.sim.markets.primary.china.abs_share == 0.0 and back.sim.markets.primary.china.closing_abs == 1


def test_features_that_cannot_be_had_alone_are_taken_together(tmp_path):
    """A playbook copies mixes, so a region that chooses what is cheapest must not copy; each alone is refused."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("sim: {books: {channels: {us: {choice: cheapest}}}, markets: {primary: {playbook: {copier: ''}}}}\n")
    one, other = pair("west_copies_china", str(mine))
    found = between(one, other, features(one.params[0], other.params[0]), tmp_path, SMALL)
    tied = [feature for feature in found if len(feature.keys) > 1]
    assert len(tied) == 1 and {"sim.books.channels.us.choice", "sim.markets.primary.playbook.copier"} <= set(tied[0].keys)


def test_names_are_as_short_as_tells_them_apart():
    assert short("a.b.us.share", ["a.b.us.share", "a.c.us.share"]) == "b.us.share"
    assert short("a.b.us.share", ["a.b.us.share", "a.b.china.share"]) == "us.share"


def test_one_feature_needs_no_runs_and_a_budget_is_kept(tmp_path):
    one, only = pair("baseline", "china_only")
    assert "one feature only" in plan(one, only, tmp_path, SMALL, 100).why
    one, other = pair("baseline", "china_first")
    assert "3 features one at a time takes 6 runs, the budget is 5" in plan(one, other, tmp_path, SMALL, 5).why
    skipped = plan(one, other, tmp_path / "nothing", SMALL, 0)
    assert "--budget 0" in skipped.why and len(skipped.features) == 3 and not (tmp_path / "nothing").exists()
    tight, wide = (plan(one, other, tmp_path, SMALL, budget) for budget in (6, 12))
    assert (len(tight.on), len(tight.off), tight.seeds) == (3, 0, 2)
    assert (len(wide.on), len(wide.off), wide.seeds) == (3, 3, 2)


def toy(a: float, b: float) -> dict:
    """Two features that add 3 and 5, and 4 more together, in every seed, and a shock of its own."""
    return {KEY: 3.0 * a + 5.0 * b + 4.0 * a * b + np.arange(8.0)}


def gap() -> Difference:
    return Difference(*KEY, 0.0, 0.0, 12.0, 0.0, 0.0, 8, "sure")


def feature(name: str) -> Feature:
    return Feature(name, (name,), (0,), (1,))


def test_parts_of_two_features_share_what_they_do_together_and_add_up():
    """3 + 4 / 2 = 5, and 5 + 4 / 2 = 7; of two features, the second without one is the first with the other."""
    switched = Plan((feature("a"), feature("b")), seeds=8)
    found = parts(switched, gap(), toy(0, 0), toy(1, 1), [toy(1, 0), toy(0, 1)], [toy(0, 1), toy(1, 0)][::1])
    assert [part.share for part in found] == pytest.approx([5.0, 7.0, 0.0])
    assert [part.alone for part in found[:2]] == [3.0, 5.0] and [part.last for part in found[:2]] == [7.0, 9.0]


def test_what_features_do_only_together_is_said_apart_when_they_are_switched_on_only():
    found = parts(Plan((feature("a"), feature("b")), seeds=8), gap(), toy(0, 0), toy(1, 1), [toy(1, 0), toy(0, 1)], [])
    assert [part.share for part in found] == pytest.approx([3.0, 5.0, 4.0]) and found[-1].feature == "all together"


def test_scenarios_of_one_name_are_told_apart_and_mistakes_of_all_are_told_at_once(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.yaml").write_text(f"sim: {{markets: {{primary: {{us: {{abs_share: 0.{ord(folder)}}}}}}}}}\n")
    first, second = pair(*(str(tmp_path / folder / "mine.yaml") for folder in ("a", "b")))
    assert (first.label, second.label) == ("mine", "mine_2")
    with pytest.raises(Mistakes) as refused:
        pair("baselin", "china_onli")
    assert "Did you mean baseline?" in str(refused.value) and "Did you mean china_only?" in str(refused.value)
