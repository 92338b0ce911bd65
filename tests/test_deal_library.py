"""Every template of the library is paid, under base and stress, and every bad deal is refused with the way out."""

import copy
import csv
import io
import math
import re
import shlex
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from sim.deal import main
from sim.deal_library import templates
from sim.deal_reader import BadDeal, check, read, schema
from sim.deal_risk import collateral

README = Path(__file__).resolve().parents[1] / "README.md"
BAD = sorted((Path(__file__).parent / "bad_deals").glob("*.yaml"))
TEMPLATES = templates()
WANTED = {
    "us_data_centre_abs", "gpu_term_loan_ig", "gpu_term_loan_non_ig", "equipment_abs", "spv_residual_guarantee", "receivables_abs",
    "china_data_centre_abs", "china_creit", "china_equipment_lease", "venture_debt", "model_weights_loan",
}  # fmt: skip
NOTE = {"name": "A", "balance": 80, "coupon": 0.05, "rank": 1}
RENTED = {
    "periods": 24,
    "deal": {"period_years": "1/12", "pool_at_closing": 100, "revenue": 4, "market_value": [[24, 90, 60]], "notes": [NOTE]},
    "risk": {
        "ageing": 0.5,
        "base_depreciation": 0.4,
        "operating_cost": 1,
        "tenants": [{"name": "Lab", "share": 0.6, "default_probability": 0.02, "contract_end": 12}],
    },
}


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def variant(tree, **terms):
    return check(tree | {"deal": tree["deal"] | terms})


# -- the library -----------------------------------------------------------------------------------------------------


def test_the_library_holds_the_markets_deals_one_line_each(capsys):
    assert set(TEMPLATES) == WANTED
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(WANTED)
    assert all(f"{read(TEMPLATES[line.split()[0]]).periods} periods" in line and line.endswith(".") for line in lines)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_the_base_case_repays_every_class_and_the_stress_collects_less(name, capsys):
    received = {}
    for scenario in ("base", "stress"):
        assert main([name, *(["--scenario", scenario] if scenario == "stress" else [])]) == 0
        table = rows(capsys.readouterr().out)
        received[scenario] = sum(float(row["revenue"]) for row in table)
        notes = read(TEMPLATES[name]).deal.notes
        if scenario == "base":
            assert all(float(table[-1][f"balance_{note.name}"]) == 0.0 for note in notes)
            assert all(float(row[f"write_off_{note.name}"]) == 0.0 for row in table for note in notes)
    assert received["stress"] < received["base"]


@pytest.mark.parametrize("name", sorted(WANTED))
def test_every_template_runs_monthly_with_description_risk_and_stress(name):
    file = read(TEMPLATES[name])
    assert file.deal.period_years == pytest.approx(1 / 12)
    assert file.description.endswith(".") and file.risk is not None and "stress" in (file.scenarios or {})


def test_one_name_is_one_obligor_throughout_the_library():
    odds = defaultdict(set)
    for path in TEMPLATES.values():
        risk = read(path).risk
        for obligor in [*risk.tenants, *([risk.guarantor] if risk.guarantor else [])]:
            odds[obligor.name].add(obligor.default_probability)
    assert odds and all(len(found) == 1 for found in odds.values())


def test_a_campus_sold_at_a_loss_is_made_whole_by_its_guarantor_unless_that_fails_too(capsys):
    """Sold for 12.0bn in month 54, guaranteed at 25.9bn: 13.9bn from the guarantor, nothing once it has failed."""
    paid = {}
    for scenario in ("stress", "guarantor_fails"):
        assert main(["spv_residual_guarantee", "--scenario", scenario]) == 0
        table = rows(capsys.readouterr().out)
        paid[scenario] = sum(float(row["guarantee_proceeds"]) for row in table), float(table[-1]["balance_Notes"])
        paid[scenario] += (sum(float(row["write_off_Notes"]) for row in table),)
    assert paid["stress"] == (pytest.approx(13.9e9), 0.0, 0.0)
    assert paid["guarantor_fails"][0] == 0.0 and sum(paid["guarantor_fails"][1:]) > 1e10


def test_unit_holders_of_the_creit_receive_their_projected_yield(capsys):
    """5.07 % a year on units of 2.4bn RMB at 7.2: 1.41m USD a month."""
    assert main(["china_creit"]) == 0
    month = float(rows(capsys.readouterr().out)[0]["residual"])
    assert month == pytest.approx(0.0507 * 2.4e9 / 7.2 / 12, rel=0.01)


# -- names, scenarios, short forms -----------------------------------------------------------------------------------


def test_a_scenario_replaces_fields_of_the_deal(tmp_path):
    tree = RENTED | {"scenarios": {"stress": {"revenue": 2}, "boom": {"fee_fixed": 1, "revenue": [[24, 5, 6]]}}}
    assert check(tree).deal.revenue[0] == 4.0
    assert check(tree, "stress").deal.revenue == (2.0,) * 24
    assert check(tree, "boom").deal.fee_fixed == 1.0 and check(tree, "boom").deal.revenue[-1] == 6.0


def test_a_scenario_may_bring_its_own_csv(tmp_path):
    (tmp_path / "rent.csv").write_text("revenue\n" + "2\n" * 24)
    path = tmp_path / "deal.yaml"
    path.write_text(
        "periods: 24\ndeal: {period_years: 1/12, pool_at_closing: 9, revenue: 4, notes: [{name: A, balance: 8, rank: 1}]}\n"
        "scenarios: {stress: {collateral: rent.csv, revenue: null}}\n"
    )
    assert read(path).deal.revenue[0] == 4.0 and read(path, "stress").deal.revenue == (2.0,) * 24


def test_short_forms_say_what_the_list_says():
    """3 periods of 5, then 5 down to 1 in a straight line."""
    assert variant(RENTED, revenue=[[3, 5], [21, "1/2"]]).deal.revenue == (5.0,) * 3 + (0.5,) * 21
    line = variant(RENTED, revenue=[[19, 5], [5, 5, 1]]).deal.revenue
    assert line[19:] == (5.0, 4.0, 3.0, 2.0, 1.0)
    assert variant(RENTED, revenue="7/2").deal.revenue == (3.5,) * 24
    sold = variant(RENTED, disposal=[[23, None], [1, 70]]).deal.disposal
    assert sold == (None,) * 23 + (70.0,)
    schedule = variant(RENTED, notes=[NOTE | {"target_balance": [[25, 80, 0]]}]).deal.notes[0].target_balance
    assert len(schedule) == 25 and schedule[0] == 80.0 and schedule[-1] == 0.0


def test_the_schema_shows_every_form_of_a_list():
    forms = schema()["properties"]["deal"]["properties"]["revenue"]["anyOf"]
    assert [form["type"] for form in forms] == ["array", "null", "number", "array"]
    assert "[periods, first, last]" in forms[-1]["description"]


def test_stated_slices_follow_balances():
    """80 of 100: attaches at 0.2; classes of one rank share a slice."""
    halves = [NOTE | {"name": name, "balance": 40, "attachment": 0.2, "detachment": 1.0} for name in "AB"]
    assert variant(RENTED, notes=halves).deal.notes[1].attachment == 0.2


def test_the_readmes_deal_is_paid_in_both_scenarios(tmp_path, capsys):
    path = tmp_path / "deal.yaml"
    path.write_text(README.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0])
    losses = []
    for arguments in ([], ["--scenario", "stress"]):
        assert main([str(path), "--summary", *arguments]) == 0
        losses.append(float(capsys.readouterr().out.splitlines()[-1].split()[-1]))
    assert losses[0] == 0.0 < losses[1] < 1.0 and collateral(read(path)).tenants == ("Lab",)


def test_an_unknown_template_is_refused_with_the_nearest_name(capsys):
    assert main(["us_data_center_abs"]) == 2
    assert "Did you mean us_data_centre_abs?" in capsys.readouterr().err


def test_a_file_in_this_folder_beats_a_template_of_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "venture_debt").write_text("periods: 0\n")
    assert main(["venture_debt"]) == 2 and "periods = 0" in capsys.readouterr().err


def test_a_template_beats_a_folder_of_its_name_and_other_folders_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "venture_debt").mkdir()
    (tmp_path / "deals" / "venture_debt").mkdir(parents=True)
    assert main(["venture_debt", "--summary"]) == 0 and capsys.readouterr().out
    for folder in ("deals", "deals/venture_debt"):
        assert main([folder]) == 2 and f"{folder}: that is a folder. Name a deal file" in capsys.readouterr().err


def test_a_missing_folder_is_named_by_its_own_name(tmp_path, capsys):
    assert main(["venture_debt", "--out", str(tmp_path / "none" / "table.csv")]) == 2
    errors = capsys.readouterr().err
    assert f"there is no folder {tmp_path / 'none'}" in errors and ".part" not in errors


# -- bad deals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_deal_of_the_folder_is_refused(path, tmp_path, capsys):
    head = [line[2:].partition(": ") for line in path.read_text().splitlines() if line.startswith("# ")]
    says = [text for key, _, text in head if key == "must say"]
    arguments = [word for key, _, text in head if key == "arguments" for word in shlex.split(text)]
    assert main([str(path), *arguments, "--out", str(tmp_path / "table.csv")]) == 2
    out, errors = capsys.readouterr()
    assert says and all(text in errors for text in says), errors
    assert out == "" and not list(tmp_path.iterdir()) and "Traceback" not in errors


# -- edges -----------------------------------------------------------------------------------------------------------

EDGES = {
    "one class": {},
    "zero coupon": {"notes": [NOTE | {"coupon": 0}]},
    "eight classes": {"notes": [{"name": f"N{k}", "balance": 10, "coupon": 0.05, "rank": k + 1} for k in range(8)]},
    "no cash": {"revenue": 0},
    "no cash and no end": {"revenue": 0, "notes": [NOTE | {"pik": True}]},
    "an empty class": {"notes": [NOTE, {"name": "Z", "balance": 0, "rank": 2}]},
}


@pytest.mark.parametrize("name", EDGES)
def test_the_summary_is_readable_for_edge_deals(name, tmp_path, capsys):
    """Numbers or a dash, never nan; the loss is what is still owed."""
    path = tmp_path / "deal.yaml"
    terms = {"period_years": "1/12", "pool_at_closing": 100, "revenue": 4, "notes": [NOTE]} | EDGES[name]
    path.write_text(str({"periods": 60, "deal": terms}).replace("True", "true"))
    assert main([str(path), "--summary"]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(terms["notes"])
    assert all("nan" not in line and "inf" not in line for line in lines)
    if name == "no cash":
        assert lines[0].split() == ["A", "80.00", "-", "-", "80.00", "1.000000"]


# -- collateral for ratings ------------------------------------------------------------------------------------------


def test_collateral_takes_out_the_decline_that_its_lists_hold():
    """60 after 24 months at ageing 0.5 and 40 % a year: 60 exp(0.5 * 0.4 * 2) at constant technology."""
    found = collateral(check(RENTED))
    assert found.value[-1] == pytest.approx(60 * math.exp(0.4)) and found.value.shape == (24,)
    assert (found.contract == 5.0).all() and (found.cost == 1.0).all()
    years = np.arange(1, 25) / 12
    assert found.market * np.exp(-0.5 * 0.4 * years) == pytest.approx(np.full(24, 5.0))
    assert np.isnan(found.appraisal).all() and np.isnan(found.disposal).all()
    assert found.tenants == ("Lab",) and found.contract_end.tolist() == [12] and found.share.tolist() == [0.6]
    assert found.guarantor is None and found.months == pytest.approx(1.0)


def test_collateral_of_a_pool_has_no_rent():
    found = collateral(read(TEMPLATES["equipment_abs"]))
    assert np.isnan(found.contract).all() and np.isnan(found.market).all()
    assert (found.default_rate == 0.0015).all() and (found.recovery == 0.35).all() and found.tenants == ()


def test_collateral_counts_on_no_refinancing():
    """Neither cures nor refinancings are among its fields."""
    fields = collateral(read(TEMPLATES["us_data_centre_abs"]))._fields
    assert not {"principal_cash", "other_cash"} & set(fields)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_base_lists_agree_with_the_risk_block_before_the_first_contract_ends(name):
    """Net rent is each tenant's share of the contracts, the rest at market, less cost; within a fifth."""
    file = read(TEMPLATES[name])
    found = collateral(file)
    end = int(min([12, *found.contract_end]))
    if not file.deal.revenue or not end:
        return
    share = found.share.sum()
    undone = np.exp(-found.ageing * found.base_depreciation * np.arange(1, file.periods + 1) / 12)
    rent = share * found.contract + (1.0 - share) * found.market * undone - found.cost
    assert rent[:end] == pytest.approx(np.array(file.deal.revenue[:end]), rel=0.2)


def test_without_a_risk_block_there_is_no_collateral():
    with pytest.raises(ValueError, match=r"risk: missing"):
        collateral(check({key: value for key, value in RENTED.items() if key != "risk"}))


def test_all_mistakes_of_base_and_scenarios_are_listed_once():
    """A mistake of the base case is not repeated by each scenario."""
    tree = RENTED | {"deal": RENTED["deal"] | {"fee_fixed": -1}, "scenarios": {"stress": {"revenue": -1}, "boom": {"revenue": 9}}}
    with pytest.raises(BadDeal) as caught:
        check(tree)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3 and "deal.fee_fixed = -1" in lines[1] and "scenarios.stress: deal.revenue = -1" in lines[2]


WRONG = [
    -1e30,
    1e30,
    10**45,
    True,
    None,
    "",
    "a b!",
    "x" * 300,
    float("nan"),
    [],
    [[]],
    [None],
    ["a"] * 9,
    [True] * 70,
    {},
    {"a": 1},
]
WAYS = ("Give ", "Write ", "Use ", "Begin ", "Follow ", "Lengthen ", "Drop ", "lists every field", "Did you mean")


def places(node, path=()):
    """Every field of a deal file, as a path; the first entry stands for a list of blocks."""
    for option in (node, *node.get("anyOf", ()), *([node["items"]] if "items" in node else [])):
        for name, below in option.get("properties", {}).items():
            yield (*path, name)
            yield from places(below, (*path, name, 0) if below.get("type") == "array" else (*path, name))


@pytest.mark.parametrize("path", list(places(schema())), ids=lambda path: ".".join(map(str, path)))
def test_every_mistake_has_its_key_and_a_way_out_in_our_words(path):
    """Pydantic speaks of inputs, tuples, items and validation; the house does not."""
    refused = 0
    for value in WRONG:
        tree = copy.deepcopy(RENTED | {"deal": RENTED["deal"] | {"index": 0.03}, "scenarios": {"stress": {"revenue": 2}}})
        block = tree
        for part in path[:-1]:
            block = block[part] if isinstance(block, list) else block.setdefault(part, {})
        block[path[-1]] = value
        try:
            check(tree)
        except BadDeal as error:
            refused += 1
            assert path[-1] in str(error)
            for line in str(error).splitlines()[1:]:
                assert any(way in line for way in WAYS), line
                assert not re.search("[Ii]nput|[Tt]uple|validat|pydantic|dictionary|should|str_|_type", line), line
    assert refused >= 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "--paths", "0"], "--paths 0: out of range"),
        (["--paths", "64"], "goes with --rate"),
        (["--scenario", ""], "empty"),
    ],
)
def test_a_refused_option_writes_nothing(arguments, words, tmp_path, capsys):
    table = tmp_path / "table.csv"
    assert main(["equipment_abs", "--out", str(table), *arguments]) == 2
    assert words in capsys.readouterr().err and not table.exists()
