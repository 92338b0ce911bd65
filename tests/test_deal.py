"""A deal file is paid as its terms say, explained by its schema, or refused with every mistake named."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sim.deal import columns, main
from sim.deal_reader import schema

HOUSE = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((HOUSE / "configs" / "deals").glob("*.yaml"))
REFERENCES = sorted((HOUSE / "tests" / "kernels" / "frozen").glob("reference_*.json"))
GOOD = {
    "periods": 2,
    "deal": {
        "period_years": 0.25,
        "notes": [{"name": "A", "balance": 80, "coupon": "1/20", "rank": 1}],
        "pool_at_closing": 100,
        "revenue": [5, 5],
    },
}


def changed(**terms):
    """The good deal with other terms."""
    return GOOD | {"deal": GOOD["deal"] | terms}


def note(**terms):
    return changed(notes=[GOOD["deal"]["notes"][0] | terms])


@pytest.fixture
def deal(tmp_path, capsys):
    """Write a deal and pay it: ``deal(tree, "--summary")`` gives exit code, output and errors."""

    def pay(tree, *options):
        path = tmp_path / "deal.yaml"
        path.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")
        return main([str(path), *options]), *capsys.readouterr()

    return pay


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


# -- what it prints ------------------------------------------------------------------------------------------------


def test_a_deal_is_printed_period_by_period(deal):
    """80 at 5 % for a quarter: 1 of interest; the other 4 pays no principal until the last period."""
    code, out, errors = deal(changed(mode="interest_only"))
    assert code == 0 and errors == ""
    first, last = rows(out)
    assert (first["period"], first["interest_A"], first["residual"]) == ("1", "1.0", "4.0")
    assert (last["principal_A"], last["balance_A"]) == ("4.0", "76.0")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_paid_and_every_number_has_a_unit_and_a_source(path, capsys):
    assert main([str(path)]) == 0 and rows(capsys.readouterr().out)
    above = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"[ -]*\"?\w+\"?: *\[*(fixed|months_of_interest)?,? *[-.\d]", line):
            comment = line.partition("#")[2]
            assert comment or above.startswith("#"), f"{path.name}: {line.strip()}: say its unit and source"
        above = line.strip()


def test_the_summary_gives_life_yield_and_loss_by_class(deal):
    """20 back of 80: 0.5 years, and 60 lost."""
    code, out, _ = deal(changed(mode="interest_only", principal_cash=[0, 16]), "--summary")
    head, line = out.splitlines()
    assert code == 0 and head.split()[:4] == ["class", "balance", "USD", "WAL"]
    assert head.split()[-6:] == ["principal", "lost", "USD", "share", "of", "balance"]
    assert line.split()[:3] == ["A", "80.00", "0.5000"] and line.split()[-2:] == ["60.00", "0.750000"]


def test_the_table_is_written_whole_or_not_at_all(deal, tmp_path):
    out = tmp_path / "table.csv"
    assert deal(GOOD, "--out", str(out))[:2] == (0, "")
    assert out.read_text() == deal(GOOD)[1]
    before = out.read_text()
    assert deal(changed(revenue=[5]), "--out", str(out))[0] == 2 and out.read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deal.yaml", "table.csv"]
    assert deal(GOOD, "--out", str(tmp_path / "none" / "table.csv"))[0] == 2
    assert deal(GOOD, "--out", str(tmp_path / "deal.yaml"))[0] == 2


@pytest.mark.parametrize("terms", [
    {"notes": [{"name": "Z", "balance": 80, "coupon": 0, "rank": 1}]},
    {"notes": [{"name": f"N{k}", "balance": 10, "coupon": 0.05, "rank": k + 1} for k in range(8)]},
    {"revenue": [0, 0], "fee_fixed": 1},
])  # fmt: skip
def test_edge_deals_are_paid(deal, terms):
    assert deal(changed(**terms))[0] == 0


def test_numbers_may_be_decimals_or_short_text(deal):
    tree = "\n".join([
        "periods: 2", "deal:", "  period_years: 1/4", "  pool_at_closing: 2.0e9", "  revenue: ['3/2', 1e2]",
        "  notes:", "    - {name: A, balance: '2.0e9', coupon: '11/200', rank: '1', target_balance: null}",
    ])  # fmt: skip
    code, out, errors = deal(tree)
    assert code == 0, errors
    assert rows(out)[0]["interest_A"] == "1.5" and rows(out)[0]["balance_A"] == "2000000000.0"


def test_collateral_may_come_from_a_csv_beside_the_deal(deal, tmp_path):
    terms = {name: value for name, value in GOOD["deal"].items() if name != "revenue"}
    (tmp_path / "rent.csv").write_text("period,revenue,disposal\n1,5,\n2,9/2,\n")
    code, out, _ = deal({"periods": 2, "deal": terms | {"collateral": "rent.csv"}})
    assert code == 0 and [row["revenue"] for row in rows(out)] == ["5.0", "4.5"]


# -- what it refuses -----------------------------------------------------------------------------------------------

BAD = {
    "negative balance": (note(balance=-5), ["deal.notes[0].balance = -5", "0 to 1e+15 USD"]),
    "reserve above the deal": (changed(reserve_at_closing=81), ["deal.reserve_at_closing = 81", "0 to 80"]),
    "reserve target above the deal": (changed(reserve_target=["fixed", 99]), ["deal.reserve_target", "0 to 80"]),
    "unknown field": (changed(cupon=1, ads=2), ["deal.cupon = 1: no such field", "deal.ads = 2"]),
    "misspelt field": (changed(fee_fixd=1), ["Did you mean fee_fixed?"]),
    "short revenue": (changed(revenue=[5]), ["deal.revenue = [5]: has 1 entries and needs 2"]),
    "no collateral": (changed(revenue=None), ["neither revenue nor pool_yield"]),
    "no first rank": (note(rank=2), ["no class ranks first (lowest rank 2)"]),
    "rank nought": (note(rank=0), ["deal.notes[0].rank = 0: out of range", "1 to 99"]),
    "maturity before the ARD": (
        changed(ard=20, legal_final=8, market_value=[1, 1]), ["deal.legal_final = 8: maturity before the ARD"],
    ),
    "rapid above trap": (changed(dscr_trap=1.2, dscr_rapid=1.3), ["deal.dscr_rapid = 1.3: above dscr_trap 1.2"]),
    "not a number": (note(coupon=".nan"), ["deal.notes[0].coupon = '.nan': not a number"]),
    "infinite": ("periods: 2\ndeal: {fee_fixed: .inf}", ["deal.fee_fixed = inf"]),
    "nan": ("periods: 2\ndeal: {fee_fixed: .nan}", ["deal.fee_fixed = nan"]),
    "overflowing text": (note(coupon="1e999"), ["deal.notes[0].coupon = inf: not a finite number"]),
    "endless fraction": (note(coupon="1/" + "7" * 50), ["longer than 40 characters"]),
    "division by nought": (note(coupon="1/0"), ["deal.notes[0].coupon = '1/0': not a number"]),
    "yes for a number": (note(coupon=True), ["deal.notes[0].coupon = true: not a number"]),
    "a number for yes": (note(pik=1), ["deal.notes[0].pik = 1: not true or false"]),
    "unknown mode": (changed(mode="SEQ"), ["deal.mode = 'SEQ'", "sequential or pro_rata"]),
    "two classes, one name": (changed(notes=GOOD["deal"]["notes"] * 2), ["two classes share a name"]),
    "colliding columns": (note(name="cash"), ["two columns principal_cash"]),
    "nine classes": (
        changed(notes=[{"name": f"N{k}", "balance": 1, "rank": 1} for k in range(9)]), ["deal.notes"],
    ),
    "no classes": (changed(notes=[]), ["deal.notes"]),
    "no periods": (GOOD | {"periods": 0}, ["periods = 0: out of range", "1 to 1200 period"]),
    "half a period": (GOOD | {"periods": 2.5}, ["periods = 2.5: not a whole number"]),
    "no notes at all": ({"periods": 2, "deal": {"period_years": 1}}, ["deal.notes: missing", "deal.pool_at_closing"]),
    "trigger of no rank": (changed(oc_triggers={"4": 1.1}), ["no class has rank 4"]),
    "trigger without its values": (changed(ltv_trigger=0.8), ["deal.ltv_trigger = 0.8: needs appraisal"]),
    "default rate above one": (changed(default_rate=[0.1, 1.5]), ["deal.default_rate[1] = 1.5", "0 to 1"]),
    "floating without index": (note(floating=True), ["deal.index", "a class floats"]),
    "a list": ("[1, 2]", ["holds no keys"]),
    "python object": ("!!python/object/apply:os.system ['true']", ["deal.yaml"]),
    "pickle": ("\x80\x04K\x01.", ["deal.yaml"]),
    "alias": ("periods: &a 2\ndeal: *a", ["alias"]),
    "given twice": ("periods: 2\nperiods: 3", ["given in line 1"]),
    "absolute CSV": (changed(collateral="/etc/passwd"), ["not a relative path"]),
    "CSV above": (changed(collateral="../rent.csv"), ["outside the deal file's folder"]),
    "CSV behind a link": (changed(collateral="link.csv"), ["outside the deal file's folder"]),
    "no CSV": (changed(collateral="none.csv"), ["no such file"]),
    "CSV given twice": (changed(collateral="rent.csv"), ["column 'revenue' is unknown or given twice"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_deal_is_refused_with_key_value_and_way_out(name, deal, tmp_path):
    (tmp_path / "rent.csv").write_text("revenue\n5\n5\n")
    (tmp_path / "link.csv").symlink_to("/etc/hostname")
    tree, words = BAD[name]
    code, out, errors = deal(tree, "--out", str(tmp_path / "table.csv"))
    assert code == 2 and out == "" and not (tmp_path / "table.csv").exists()
    assert all(word in errors for word in words), errors
    assert "Traceback" not in errors


def test_all_mistakes_are_listed_together(deal):
    tree = changed(mod="IO", revenue=[1], dscr_trap=1, dscr_rapid=2, fee_fixed=-1)
    errors = deal(tree)[2]
    assert "4 mistakes" in errors and len(errors.splitlines()) == 5
    assert all(key in errors for key in ("deal.mod", "deal.revenue", "deal.dscr_rapid", "deal.fee_fixed"))


@pytest.mark.parametrize(("path", "word"), [("missing.yaml", "no such file"), (".", "that is a folder"), ("x" * 999, "too long")])
def test_what_is_not_a_file_is_refused(path, word, tmp_path, capsys):
    assert main([str(tmp_path / path)]) == 2
    errors = capsys.readouterr().err
    assert word in errors and path in errors and "Errno" not in errors


def test_the_command_explains_itself():
    call = [sys.executable, "-m", "sim.deal", "--help"]
    done = subprocess.run(call, cwd=HOUSE, capture_output=True, text=True, check=True)
    assert "configs/deals" in done.stdout and "--schema" in done.stdout


# -- schema and columns carry a foreign deal over mechanically --------------------------------------------------------


def translated(value, node):
    """A reference deal in the house's words, by the schema alone."""
    if isinstance(value, dict) and "properties" in node:
        names = {below.get("reference_name"): (name, below) for name, below in node["properties"].items()}
        return {names[key][0]: translated(below, names[key][1]) for key, below in value.items()}
    if isinstance(value, list):
        return [translated(below, node.get("items", node)) for below in value]
    ours = {theirs: word for word, theirs in node.get("reference_values", {}).items()}
    return ours.get(value, value) if isinstance(value, str) else value


def renamed(column, names):
    """The reference's name of one of our columns, by ``--columns`` alone; None where it has none."""
    for ours, about in columns().items():
        if about["per_note"] and column in [ours + name for name in names]:
            return about.get("reference_name") and about["reference_name"] + column.removeprefix(ours)
    return columns()[column].get("reference_name")


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_a_reference_deal_is_translated_and_paid_mechanically(path, deal):
    """Every field and column of the reference has its place; all its numbers are met."""
    case = json.loads(path.read_text(encoding="utf-8"))
    names = [tranche["name"] for tranche in case["deal"]["tranches"]]
    code, out, errors = deal(translated({"periods": case["periods"], "deal": case["deal"]}, schema()))
    assert code == 0, errors
    found = rows(out)
    ours = {renamed(column, names): column for column in found[0]}
    size = sum(float(tranche["bal"]) for tranche in case["deal"]["tranches"])
    assert set(case["expected"]) <= set(ours)
    for theirs, column in ours.items():
        if theirs:
            wanted = case["expected"].get(theirs, [0.0] * len(found))
            assert [float(row[column]) for row in found] == pytest.approx(wanted, rel=1e-9, abs=1e-9 * size), column


def test_every_field_has_unit_and_meaning():
    def walk(node, path=""):
        for name, below in node.get("properties", {}).items():
            assert below.get("description"), path + name
            assert below.get("unit") or name == "collateral", path + name
            yield path + name
            yield from walk(below, f"{path}{name}.")
            yield from walk(below.get("items", {}), f"{path}{name}.")

    assert len(list(walk(schema()))) > 60
    assert all(about["unit"] and about["meaning"] for about in columns().values())


def test_the_schema_is_printed_as_json(capsys):
    assert main(["--schema"]) == 0 and json.loads(capsys.readouterr().out) == schema()
    assert main(["--columns"]) == 0 and json.loads(capsys.readouterr().out) == columns()


def test_json_and_yaml_are_one_format(deal):
    assert deal(json.dumps(GOOD))[1] == deal(yaml.safe_dump(GOOD))[1]
