"""RESULTS.md says what is stored, that nothing is where nothing is, and which numbers other sources made."""

import json

from pytest import fixture, mark, raises

from analysis import results
from analysis.loop.statements import Statement, untold
from analysis.statements.judging import Finding, Judgement
from analysis.statements.spec import load as load_statements
from sim.manifest import sources_hash
from sim.mistakes import Mistakes


def leave(root, name: str, facts: dict) -> None:
    """One output, as a command leaves it."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / f"{name.split('/')[0].removesuffix('s')}.json").write_text(json.dumps(facts))


@fixture
def root(tmp_path):
    claims = [Statement("A", "Amplification", "a|b <i>", "holds", 1.5, 1.2, 1.9, "times", 6), untold("x", "Cuts", "More.")]
    page = {
        "world": ["scenario=us_only"],
        "seeds": 6,
        "branch_seeds": 6,
        "dates": [12],
        "hours": 0.5,
        "quick": True,
        "sources": "old",
    }
    statements = [vars(one) | {"number": one.number} for one in claims]
    leave(tmp_path, "loop/us_only", page | {"toy": None, "statements": statements})
    leave(tmp_path, "loop/toy", page | {"toy": 0.5, "statements": [statements[0] | {"says": "of a toy"}]})
    outcome = {"outcome": "capex", "unit": "log", "estimate": 0.1, "low": 0.05, "high": 0.2, "after": 7, "anywhere": True}
    shock = {"shock": "launch", "says": "A leap.", "month": 48, "region": "us", "seeds": 6, "world": ["size=class"]}
    leave(tmp_path, "shocks/launch", shock | {"sources": sources_hash(), "outcomes": [outcome]})
    return tmp_path


def written(root) -> str:
    assert results.main(["--root", str(root), "--out", str(root / "RESULTS.md")]) == 0
    return (root / "RESULTS.md").read_text()


def test_what_is_stored_is_quoted_with_its_budget_and_its_word(root):
    text = written(root)
    assert "| holds | a\\|b &lt;i> | 1.5 (1.2 to 1.9) times | 6 |" in text and "budget of 30 minutes (a quick look)" in text
    assert "1 holds; 0 does not hold; 1 cannot tell." in text
    assert "| capex | 0.1 (0.05 to 0.2) | log | 7 | yes |" in text


def test_what_other_sources_made_is_said_and_what_these_made_is_not(root):
    text = written(root)
    assert text.count("made by other sources") == 1 and "made by other sources, old" in text


def test_toys_are_no_results(root):
    assert "of a toy" not in written(root)


def test_nothing_stored_is_nothing_told(tmp_path):
    text = written(tmp_path)
    assert "nothing can be told" in text and "No run of `python -m analysis validate` by these sources is stored." in text


def test_the_same_outputs_give_the_same_file(root):
    assert written(root) == written(root)


def test_a_root_that_is_not_there_is_refused(tmp_path):
    with raises(Mistakes, match="no such folder"):
        results.act(results.options().parse_args(["--root", str(tmp_path / "none")]))


def test_a_statement_on_series_is_quoted_by_the_number_that_decides(root, monkeypatch):
    """Of two checks the one that fails, with its interval and its band."""
    statement = next(one for one in load_statements(None) if len(one.checks) > 1)
    words = ["fail", *["pass"] * (len(statement.checks) - 1)]
    findings = tuple(Finding(check, word, 0.25, 0.125, 0.5, 8, 0.75) for check, word in zip(statement.checks, words, strict=True))
    monkeypatch.setattr(results.Plan, "judged", lambda plan: [Judgement(statement, findings)])
    text = written(root)
    unit = statement.checks[0].unit
    assert f"| {statement.id} | " in text and f"| fail | 0.25 (0.125 to 0.5) {unit} |" in text and "| 75% | 8 |" in text
    assert "0 pass; 1 fail; 0 cannot tell; 0 not measurable." in text


def test_a_first_seed_out_of_range_is_refused(tmp_path):
    with raises(Mistakes, match="--first"):
        results.act(results.options().parse_args(["--root", str(tmp_path), "--first", "0"]))


@mark.parametrize("text", ["", "{", "{}", "[1]"])
def test_half_an_output_is_named_and_the_rest_is_told(root, capsys, text):
    leave(root, "loop/half", {})
    (root / "loop" / "half" / "loop.json").write_text(text)
    assert "1.5 (1.2 to 1.9) times" in written(root) and "half/loop.json is left out" in capsys.readouterr().err


def test_a_quick_look_gives_way_to_a_whole_one(root):
    path = root / "loop" / "us_only" / "loop.json"
    whole = json.loads(path.read_text()) | {"quick": False, "seeds": 24}
    leave(root, "loop/whole", whole)
    assert "24 seeds of whole runs" in written(root) and "(a quick look)" not in written(root)
