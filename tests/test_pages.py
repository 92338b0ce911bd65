"""Pages: the same bytes for the same numbers, everything escaped, every number in a table, facts with their distance."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis import report
from analysis.decisions import comparing
from analysis.decisions.quantities import load
from analysis.pages import charts, compute, facts, policy, sentences, stories, words
from analysis.pages.digest import COLUMNS, Digest
from analysis.pages.figures import Drawer, titled
from analysis.pages.gather import SHAPE, Gathered, Pile
from analysis.pages.page import Page, Section, render
from analysis.pages.sentences import Sentence
from tests.comparisons import comparison


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return comparison(tmp_path_factory.mktemp("pages") / "made")


@pytest.fixture(scope="module")
def html(home) -> str:
    return report.comparison(home).read_text("utf-8")


def test_the_same_comparison_makes_the_same_bytes(home, html, tmp_path):
    assert report.comparison(home, tmp_path / "again.html").read_text("utf-8") == html


def test_a_page_needs_nothing_else(html):
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", html) and "@import" not in html and "url(http" not in html
    assert html.count("<svg") >= 20 and "nan" not in re.sub(r"<[^>]*>", " ", html).lower().split()


def test_every_colour_of_a_drawing_is_a_variable_of_the_page(html):
    drawings = "".join(re.findall(r"<svg.*?</svg>", html, re.S))
    assert not re.findall(r"#[0-9a-f]{6}", drawings)


def test_five_sentences_lead_to_tables_that_are_there(html):
    links = re.findall(r'<li>[^<]+ <a href="#([^"]+)"', html)
    assert len(links) == 5 and all(f'id="{link}"' in html for link in links)


def test_regimes_that_live_alike_are_the_same_only_if_no_parameter_differs(tmp_path):
    home = comparison(tmp_path, ("baseline", "other"), shift=0.0)
    assert "The two differ in china.abs_share and b, which never acts in these runs." in report.comparison(home).read_text("utf-8")
    page = (home / comparing.PAGE).read_text("utf-8")
    page = re.sub(r'"features": \[[^]]*\]', '"features": []', page)
    (home / comparing.PAGE).write_text(page, "utf-8")
    assert "they are the same world lived twice" in report.comparison(home).read_text("utf-8")


def test_differences_in_the_sentences_stand_in_the_table(home, html):
    page, _ = comparing.read(home)
    said = " ".join(re.findall(r"<li>([^<]+) <a", html))
    shown = {words.digits(abs(gap["difference"])) for one in page["against"] for gap in one["differences"]}
    told = re.findall(r"(?:up|down) by ([0-9.,]+)", said)
    assert told and set(told) <= shown


def test_whatever_a_scenario_is_called_is_escaped(tmp_path):
    nasty = '<img src=x onerror=alert(1)>"&'
    found = report.comparison(comparison(tmp_path, ("baseline", nasty))).read_text("utf-8")
    assert nasty not in found and "<img" not in found and "&lt;img src=x" in found


def test_numbers_are_shown_to_three_digits_and_sorted_in_full():
    found = render(Page("t", "s", [Sentence("a", "t1")], [Section("x", "X", tables=[table([1234.5678, "word", None])])]))
    assert 'data-v="1234.5678">1,235</td>' in found and '<td class="t">word</td>' in found and '<td class="t"></td>' in found


def table(row: list):
    from analysis.pages.figures import Table

    return Table("t1", "c", [f"c{n}" for n in range(len(row))], [row])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234567.0, "1,234,567"), (12.345, "12.3"), (-0.01234, "−0.0123"), (2e-7, "2.0e−07"), (np.nan, "–")],
)
def test_numbers_have_three_significant_digits(value, text):
    assert words.digits(value) == text


def test_amounts_have_handy_units():
    assert [words.usd(bn) for bn in (2500.0, 12.0, 0.0172, 3e-7, 0.0)] == [
        *("USD 2.50 tn", "USD 12.0 bn", "USD 17.2 mn", "USD 0.300 thousand", "nothing")
    ]


def test_a_distance_is_from_the_nearer_edge():
    assert facts.distance(5.0, 4.0, 6.0) == "inside"
    assert facts.distance(9.0, 4.0, 6.0) == "3.00 above (50 %)" and facts.distance(2.0, 4.0, 6.0) == "2.00 below (50 %)"
    assert facts.distance(np.nan, 4.0, 6.0) == "not measurable"


def test_facts_are_of_figures_that_are_drawn_and_lie_in_their_ranges():
    assert {fact.figure for fact in facts.facts()} <= {"spread", "cost", "rent", "stack"}
    assert all(fact.low <= fact.value <= fact.high and fact.source for fact in facts.facts())


def test_names_beside_lines_do_not_touch_and_keep_their_order():
    found = charts.spaced([0.5, 0.5, 0.51, 0.9], 0.075)
    assert found == sorted(found) and min(np.diff(found)) > 0.07 and found[0] > 0.0 and found[-1] < 1.0


def one(*rows: tuple) -> Digest:
    return Digest(pd.DataFrame(rows, columns=COLUMNS), {}, [])


def test_where_a_figure_adds_up_a_run_without_a_number_counts_as_nought_and_elsewhere_not():
    pile = Pile()
    pile.add(one(("issuance", "us", "securities", 2025.0, 8.0), ("spread", "us", "spread", 2025.0, 300.0)))
    pile.add(one(("issuance", "us", "private credit", 2025.0, 6.0)))
    found = pile.table().set_index("series")["value"]
    assert found.to_dict() == {"securities": 4.0, "spread": 300.0, "private credit": 3.0}


def test_the_first_run_stands_for_all_where_a_mean_means_nothing():
    pile = Pile()
    for share in (60.0, 20.0):
        pile.add(one(("race", "us", "lab 00", 2025.0, share), ("holders", "us", "insurers", np.nan, share)))
    found = pile.table().set_index("figure")
    assert found.loc["race", "value"] == 60.0 and found.loc["holders", "value"] == 40.0 and found.loc["holders", "runs"] == 2


def test_regimes_without_a_common_region_are_not_held_against_each_other():
    sides = [Gathered(name, ["r"], pd.DataFrame({"region": [name]})) for name in ("us", "china")]
    assert titled(lambda shown: shown[0].label, sides) == "us under us; china under china"


def gap(quantity: str, relative: float, region: str = "china") -> dict:
    bounds = {"first": 10.0, "second": 10.0 + 10.0 * relative, "difference": 10.0 * relative, "low": 0.0, "high": 0.0}
    return {"quantity": quantity, "region": region, "pairs": 6, "word": "sure", "needed": None} | bounds


def test_a_sentence_tells_the_largest_differences_one_of_each_quantity():
    """Models differ by a third in one region and by a hundredth in the other: the third is told, before compute's tenth."""
    gaps = [gap("frontier_share", -0.01, "us"), gap("compute", 0.1), gap("frontier_share", 0.3), gap("spending", -0.2), WEAK]
    said = sentences.topic("growth", sentences.GROWTH, gaps, "other", {quantity.id: quantity for quantity in load()})
    told = ["share of the best models up by 3.00 points in China", "capital spending down by", "compute installed at the end up by"]
    assert [said.index(text) for text in told] == sorted(said.index(text) for text in told)
    assert said.count("share of the best models") == 1 and "months" not in said


def test_what_hardly_was_there_is_not_told_in_thousands_of_per_cent():
    known = {quantity.id: quantity for quantity in load()}
    assert sentences.change(gap("spending", 9.0), known) == "capital spending up by USD 90.0 bn a year (900 %) in China"
    assert (
        sentences.change(gap("spending", 20.0), known) == "capital spending up by USD 200 bn a year (from next to nothing) in China"
    )


def test_a_policy_is_named_once_with_its_regions():
    rows = [SimpleNamespace(policy=SimpleNamespace(says="a cap"), region=region) for region in ("us", "world")]
    assert policy.where(rows) == ["a cap (the United States and all regions together)"]


WEAK = gap("months_to_money", -0.05)


def test_titles_say_that_regimes_are_alike_where_they_are():
    rows = [("rent", "us", "rent", at, value, value, value, 1) for at, value in ((2023.0, 2.0), (2025.0, 0.5))]
    rows += [("timeline", "us", "capital spending", at, 1.0, 1.0, 1.0, 1) for at in (2023.0, 2024.0, 2025.0)]
    sides = [Gathered(name, ["run-seed1-0"], pd.DataFrame(rows, columns=SHAPE)) for name in ("one", "other")]
    assert compute.rent_title(sides) == "In the United States, rent falls by 50 % a year under one and other alike"
    with charts.drawing():
        calm = stories.timeline(sides, Drawer())
    assert calm is not None
    assert calm.title == (
        "Capital spending never falls by 22 % or more in the United States under one and in the United States under other"
    )


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([0.0, 0.0, 0.0], "No principal is lost in the United States."),
        ([0.0, 0.0, 2.0], "In 1 of 3 runs principal is lost, at most USD 2.00 bn, in the United States."),
    ],
)
def test_what_a_few_of_many_runs_lose_is_not_passed_over(losses, said):
    assert sentences.lost(Gathered("many", ["a", "b", "c"], values={("losses", "us"): np.array(losses)}), "us") == said
