"""The command effects: its list covers all scenarios, its numbers on runs that are made up, its page, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main as command
from analysis.decisions import policies
from analysis.decisions.differing import SURE, VERY_SURE, Difference
from analysis.effects import command as effects_command
from analysis.effects import measuring, page
from analysis.effects.command import options, planned, whole
from analysis.effects.measuring import Plan, effects, measured
from analysis.effects.spec import Group, Pair, Spec, load
from analysis.metrics.runs import Run
from analysis.statements.plan import World
from sim.compose import names

SEEDS = tuple(range(401, 409))
PAIR = Pair(id="hedging", says="investors protect their notes", of=("scenario=hedging",))
GROUP = Group(id="collateral", title="Collateral", pairs=(PAIR,))


def plan(seeds: tuple[int, ...] = SEEDS) -> Plan:
    """One pair, by the usual measures."""
    return Plan((GROUP,), load().measures, ("size=class", "horizon_years=12"), seeds)


def made_up(seed: int, system: bool, effect: bool = True) -> Run:
    """Twelve years of the United States; spending is higher on later seeds, and a system adds the same to each.

    With it spending is a third higher until month 99 and then halves for good, all debt earns 100 bp more, and 1 of 100 is lost in
    each of 24 months. Without it spending stays, and half of that is lost.
    """
    month, acts = np.arange(144), system and effect
    capex = np.full(144, float(seed)) * (4.0 / 3.0 if acts else 1.0)
    capex[100:] *= 0.5 if acts else 1.0
    lost = np.where((month >= 50) & (month < 74), 1.0 if acts else 0.5, 0.0)
    days = pd.date_range("2023-01-01", periods=144, freq="MS")
    spread = 0.07 if acts else 0.06
    rows = {"month": month, "date": days, "region": "us", "capex": capex, "loss": lost, "debt": 100.0, "spread": spread}
    return Run({"monthly": pd.DataFrame(rows)}, {})


@pytest.fixture
def stored(monkeypatch):
    """Makes up the runs that are stored: all but those of some seeds with or without the system."""

    def store(without=(), having=(), effect: bool = True) -> None:
        def there(world: World, seed: int) -> bool:
            return seed not in (having if "scenario=hedging" in world.lines else without)

        def runs(world: World):
            system = "scenario=hedging" in world.lines
            return ((seed, made_up(seed, system, effect)) for seed in world.seeds if there(world, seed))

        monkeypatch.setattr(World, "stored", runs)
        monkeypatch.setattr(measuring, "complete", lambda p: p.seed not in (having if p.scenario == "hedging" else without))

    return store


def by_name(asked: Plan) -> dict[str, Difference]:
    (one,) = effects(asked, measured(asked))
    return {gap.quantity: gap for gap in one.differences}


def test_what_a_system_adds_to_every_seed_is_its_effect_and_its_interval(stored):
    """Log 4/3 of the peak; a fall by a half; 24 of 100 lost against 12; 100 bp. All pairs agree, so bounds are the mean."""
    stored()
    found = by_name(plan())
    expected = {"peak": np.log(4 / 3), "early_peak": np.log(4 / 3), "depth": 0.5, "worst_loss": 0.12, "peak_spread": 100.0}
    assert {name: gap.difference for name, gap in found.items()} == pytest.approx(expected)
    assert all(gap.low == pytest.approx(gap.difference) == gap.high and gap.pairs == 8 for gap in found.values())


def test_a_system_without_an_effect_has_none_to_the_last_bit(stored):
    stored(effect=False)
    asked = plan()
    found = effects(asked, measured(asked))
    assert {page.cell(gap) for gap in found[0].differences} == {"0"}
    assert page.tally(found).startswith("0 intervals") and "; 0 do" in page.tally(found)


def test_a_seed_that_failed_on_one_side_is_paired_with_nothing_and_counted(stored):
    stored(without=(401,), having=(408,))
    asked = plan()
    found = effects(asked, measured(asked))
    assert found[0].pairs == 6 and {gap.pairs for gap in found[0].differences} == {6}
    text = page.render(asked, found, load())
    assert "14 of 16 runs are there, the others failed or were not run" in text and "protect their notes (6 pairs) |" in text


def test_a_pair_of_which_one_side_was_not_run_is_not_run(stored):
    stored(having=SEEDS)
    asked = plan()
    text = page.render(asked, effects(asked, measured(asked)), load())
    assert text.count("not run |") == 5 and "8 of 16 runs" in text and "0 intervals" in text


def test_too_few_seeds_have_an_effect_and_no_interval(stored):
    stored()
    assert page.cell(by_name(plan(SEEDS[:2]))["peak_spread"]) == "+100 (no interval)"


def gap(low: float, high: float, word: str = SURE) -> Difference:
    return Difference("peak", "us", 1.0, 1.2, 0.2, low, high, 8, word)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (gap(0.1, 0.3), "**+0.200 (+0.100 to +0.300)**"),
        (gap(0.1, 0.3, VERY_SURE), "**+0.200 (+0.100 to +0.300)**†"),
        (gap(-0.1, 0.3), "+0.200 (-0.100 to +0.300)"),
    ],
)
def test_bold_is_what_misses_zero(one, text):
    assert page.cell(one).replace("−", "-") == text


def test_as_many_intervals_as_would_miss_zero_by_chance_are_said(stored):
    """Five intervals of 95 %: a quarter of one."""
    stored()
    asked = plan()
    said = page.tally(effects(asked, measured(asked)))
    assert said.startswith("5 intervals of 95 %, of which about 0.25 would miss zero by chance alone; 5 do")


def test_every_scenario_is_a_system_a_policy_or_said_to_be_neither():
    spec = load()
    tried = {line.removeprefix("scenario=") for g in spec.groups for p in g.pairs for line in p.of if line.startswith("scenario=")}
    apart = {one.scenario for one in spec.left_out}
    assert tried | apart | set(policies.load().scenarios) == set(names("scenario"))
    assert not (tried - {"baseline"}) & apart


def test_every_pair_composes_and_differs_and_is_well_named():
    spec = load()
    asked = Plan(spec.groups, spec.measures, spec.settings, (401,))
    assert len(set(spec.names)) == len(spec.names)
    for _, pair in asked.asked():
        without, having = (side.wanted[0] for side in asked.sides(pair))
        assert without.regions == having.regions == pair.regions, pair.id
        assert {without.size, having.size} == {"class"} and without.horizon_years == having.horizon_years == 12
        same = {"scenario": "same"}
        assert without.model_copy(update=same) != having.model_copy(update=same), f"{pair.id} differs in nothing"


def test_a_name_given_twice_is_refused():
    plain = load().model_dump()
    plain["groups"][0]["pairs"][0]["id"] = "hedging"
    with pytest.raises(ValueError, match="hedging given twice"):
        Spec.model_validate(plain)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fund_run"], "Did you mean fund_runs?"),
        (["--seeds", "0"], "Give a whole number from 1 to 1000."),
        (["--size", "huge"], "Give one of class, full."),
        (["hedging", "--set", "scenario=baseline"], "a system's own"),
        (["hedging", "--set", "regions=[us]"], "a system's own"),
        (["hedging", "--set", "sim.markets.nothing=1"], "sim.markets.nothing"),
    ],
)
def test_what_cannot_be_tried_is_refused_before_anything_is_written(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(["effects", *arguments]) == 2
    found = capsys.readouterr().err
    assert said in found and "one mistake" in found and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "is_whole"),
    [
        ([], True),
        (["--seeds", "9"], True),
        (["--size", "class", "--years", "12", "--set", "outputs.root=elsewhere"], True),
        (["--seeds", "7"], False),
        (["--quick"], False),
        (["--years", "4"], False),
        (["hedging"], False),
        (["--set", "sim.markets.primary.spread_cap=0.3"], False),
    ],
)
def test_only_all_systems_by_the_files_own_settings_are_the_whole(arguments, is_whole):
    assert whole(planned(options(load()).parse_args(arguments), load()), load()) == is_whole


def test_a_group_stands_for_its_pairs_and_a_pair_for_itself():
    asked = planned(options(load()).parse_args(["raters", "hedging"]), load())
    assert [group.id for group in asked.groups] == ["collateral", "raters"]
    assert [pair.id for pair in asked.groups[0].pairs] == ["hedging"] and len(asked.groups[1].pairs) > 3


@pytest.mark.parametrize("entire", [True, False])
def test_a_failed_run_stops_nothing_and_the_page_of_the_whole_alone_is_published(stored, capsys, tmp_path, monkeypatch, entire):
    stored(having=(408,))
    monkeypatch.setattr(page, "FILE", tmp_path / "EXPERIMENTS.md")
    monkeypatch.setattr(effects_command, "make", lambda worlds, deadline: 4)
    monkeypatch.setattr(effects_command, "load", lambda: load().model_copy(update={"groups": (GROUP,)}))
    arguments = ["--set", f"outputs.root={tmp_path / 'out'}", *([] if entire else ["--years", "4"])]
    assert effects_command.main(arguments) == 4
    said = capsys.readouterr()
    assert "5 do" in said.out and page.FILE.is_file() == entire
    (home,) = (tmp_path / "out" / "effects").iterdir()
    text = (home / page.PAGE).read_text("utf-8")
    assert "15 of 16 runs are there" in text and (not entire or page.FILE.read_text("utf-8") == text)
    table, seeds = pd.read_csv(home / page.TABLE), pd.read_parquet(home / page.VALUES)
    assert list(table["system"]) == ["hedging"] * 5 and len(seeds) == 2 * 5 * 8 and seeds["value"].isna().sum() == 5
