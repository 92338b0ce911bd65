"""The commands compare, policies and report: what they refuse, and a comparison of a scenario with itself from end to end."""

import json
from pathlib import Path

import pytest

from analysis import compare, policies, report
from analysis.__main__ import main as command
from analysis.decisions import comparing
from analysis.decisions.asking import Regime
from analysis.decisions.policies import Missing, effects, load
from analysis.pages.policy import untried
from sim.compose import names, resolve
from tests.comparisons import comparison

TINY = ["--size", "class", "--years", "1", "--seeds", "1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["baseline"], "one alone. Give two or more"),
        (["baseline", "chinaonly"], "Did you mean china_only?"),
        (["baseline", "us_only", "--seeds", "0"], "Give a whole number from 1 to 1000."),
        (["baseline", "us_only", "--budget", "-1"], "Give a whole number from 0 to 10,000"),
        (["baseline", "us_only", "--set", "seed=3"], "seeds are chosen by --seeds"),
        (["baseline", "us_only", "--size", "huge"], "Give one of class, full."),
        (["baseline", "missing.yaml"], "missing.yaml"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_written(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(["compare", *arguments]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_else_is_not_written_over(capsys, tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    assert compare.main(["baseline", "us_only", "--out", str(tmp_path)]) == 2
    assert "holds no comparison" in capsys.readouterr().err


@pytest.mark.slow
def test_a_scenario_compared_with_itself_differs_in_nothing_and_the_page_says_so(capsys, tmp_path):
    out = tmp_path / "same"
    options = [*TINY, "--set", f"outputs.root={tmp_path}", "--out", str(out)]
    assert command(["compare", "baseline", "baseline", "--json", *options]) == 0
    found = json.loads(capsys.readouterr().out)["differences"]
    assert {"quantity", "region", "difference", "low", "high"} <= set(found[0])
    assert {gap["word"] for gap in found} <= {"no difference", "not measured"}
    assert all(gap[key] == 0.0 for gap in found if gap["pairs"] for key in ("difference", "low", "high"))
    page = (out / "report.html").read_text("utf-8")
    assert "Every difference between baseline and baseline again is zero, to the last bit." in page
    assert command(["compare", "baseline", "baseline", *options]) == 0
    said = capsys.readouterr()
    assert "1 runs, 1 of them stored." in said.err and "every difference is zero" in said.out
    assert (out / "report.html").read_text("utf-8") == page
    run = next(tmp_path.glob("baseline-seed*"))
    assert command(["report", str(run)]) == 0 and (run / "report.html").is_file()


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_folder_without_runs_cannot_be_reported(folder, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    assert command(["report", str(tmp_path / folder)]) == 2
    assert folder in capsys.readouterr().err


def test_a_report_goes_only_where_a_page_belongs(capsys, tmp_path):
    home = comparison(tmp_path / "made")
    assert report.main([str(home), "--out", str(tmp_path / "page.pdf")]) == 2
    assert "name an .html file" in capsys.readouterr().err
    assert report.main([str(home), "--out", str(tmp_path / "page.html")]) == 0


def test_policies_are_shipped_scenarios_and_what_is_missing_is_named():
    found = load()
    assert {"risk_retention", "moratorium"} < set(found.scenarios) <= set(names("scenario"))
    lacking = found.model_copy(update={"missing": (Missing(says="a tax", why="nobody pays it"),)})
    assert untried(found) == "All 11 policies of the list have a mechanism and were tried."
    assert untried(lacking) == "The model has no mechanism yet for a tax, so these are not tried."


def test_a_policy_that_has_more_of_everything_saves_less_than_nothing(tmp_path):
    """The made-up policies are about 0.3 above the base in everything, so that savings are negative and no rate is named."""
    home = comparison(tmp_path, tuple(load().scenarios), policies=True)
    rows = effects(load(), comparing.read(home)[1])
    assert len(rows) == 3 * len(load().policies)
    assert all(row.not_built.difference < 0.0 and row.avoided.difference < 0.0 and row.ratio != row.ratio for row in rows)
    page = report.comparison(Path(home)).read_text("utf-8")
    assert "Policies by cost and benefit" in page and "policies of the list have a mechanism" in page


def test_a_policy_that_forgoes_spending_and_avoids_losses_has_a_rate(tmp_path):
    """Spending and losses fall alike, by 0.3 of 2 to 3: losses in USD bn over four years, spending in USD bn a year."""
    home = comparison(tmp_path, tuple(load().scenarios), shift=-0.3)
    row = next(row for row in effects(load(), comparing.read(home)[1]) if row.region == "us")
    expected = 1000.0 * row.avoided.difference / (4.0 * row.forgone.difference)
    assert row.ratio == pytest.approx(expected) and row.low < row.ratio < row.high


def test_an_interruption_is_said_without_a_traceback(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "act", interrupted)
    assert command(["compare", "baseline", "us_only"]) == 130
    assert "what is complete stays" in capsys.readouterr().err


def test_policies_take_no_list_of_scenarios(capsys):
    with pytest.raises(SystemExit):
        policies.main(["baseline"])
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("regions", "compared"),
    [
        ([["us", "china"], ["us", "china"]], ("us", "china", "world")),
        ([["us", "china"], ["china"]], ("china",)),  # the world would differ by the United States
        ([["us", "china"], ["us", "china"], ["us"]], ("us",)),
        ([["us"], ["us"]], ("us",)),
        ([["us"], ["china"]], ("world",)),  # one world against the other is all there is
    ],
)
def test_the_world_is_compared_where_it_is_the_same_or_all_there_is(regions, compared):
    base = resolve(["size=class"])
    given = [Regime("x", "x", (base.model_copy(update={"regions": tuple(each)}),)) for each in regions]
    assert comparing.shared(given) == compared
