"""The picture of a run's network: its data are the table's, and what it says is true of them."""

import pandas as pd
from matplotlib.patches import FancyArrowPatch
from pytest import approx, fixture, mark, raises

from analysis import network

ROWS = [  # month, scene, payer, payee, kind, amount, paid
    (3, "month", "lab 00", "deals of operator 00", "contract above spot", 50e9, 0.0),
    (3, "month", "deals of operator 00", "investor 00 (insurers)", "notes", 80e9, 60e9),
    (3, "month", "deals of operator 00", "banks", "notes", 20e9, 15e9),
    (3, "month", "investor 00 (insurers)", "banks", "loans", 70e9, 70e9),
    (3, "month", "investor 00 (insurers)", "banks", "bonds", 5e9, 4e9),
    (3, "largest tenant", "lab 00", "deals of operator 00", "contract above spot", 50e9, 50e9),
    (6, "month", "lab 00", "deals of operator 00", "contract above spot", 90e9, 90e9),
    (6, "largest tenant", "lab 00", "deals of operator 00", "contract above spot", 90e9, 0.0),
]


@fixture
def run(tmp_path):
    """The two tables of a run that the picture reads."""
    folder = tmp_path / "exposure_network-seed1-abc"
    folder.mkdir()
    names = ["month", "scene", "payer", "payee", "kind", "amount", "paid"]
    table = pd.DataFrame(ROWS, columns=names).assign(region="us", date=pd.Timestamp("2023-04-01"))
    table.to_parquet(folder / "exposures.parquet")
    months = {"month": [3, 6], "region": "us", "network_first": [50e9, 0.0], "stress_first": [0.0, 90e9]}
    pd.DataFrame(months).to_parquet(folder / "monthly.parquet")
    return folder


def test_the_pictures_data_are_the_tables(run):
    """Claims of one pair are one line, whatever their kind."""
    shown = network.picture(run)
    table = pd.read_parquet(run / "exposures.parquet").query("month == 3 and scene == 'month'")
    expected = table.groupby(["payer", "payee"])[["amount", "paid"]].sum()
    assert len(shown.graph.edges) == len(expected) == 4
    for (payer, payee), claim in expected.iterrows():
        assert shown.graph.edges[payer, payee] == {"amount": claim["amount"], "paid": claim["paid"]}
    assert network.total(shown, "amount") == table["amount"].sum()


@mark.parametrize(("scene", "month"), [("month", 3), ("largest tenant", 6)])
def test_the_month_that_is_drawn_is_the_worst_of_the_scene(run, scene, month):
    assert network.picture(run, scene).month == month


def test_its_title_says_what_goes_unpaid_and_what_of_that_is_passed_on(run):
    """225 bn owed, 149 paid; 50 bn short at once."""
    said = network.finding(network.picture(run))
    assert "34% of 225 bn USD" in said and "50 bn USD by debtors short" in said and "26 bn USD by those" in said


def test_lines_are_as_wide_as_claims_and_red_as_far_as_they_go_unpaid(run):
    figure = network.draw(network.picture(run))
    lines = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    red = sorted(line.get_linewidth() for line in lines if line.get_edgecolor()[:3] == approx((0.84, 0.15, 0.16), abs=0.01))
    assert len(lines) == 8
    assert red == approx([0.2, 1.0, 4.0, 10.0])  # of 16 for 80 bn, and 0.2 at least


def test_parties_that_fall_short_say_how_much_they_pay_and_the_others_what_they_owe_or_are_owed(run):
    texts = [text.get_text() for text in network.draw(network.picture(run)).axes[0].texts]
    assert "deals of operator 00\nowes 100 bn USD, pays 75%" in texts and "banks\nis owed 95 bn USD" in texts


def test_parties_stand_in_columns_from_tenants_to_lenders(run):
    at = network.places(network.picture(run).graph)
    assert [at[name][0] for name in ("lab 00", "deals of operator 00", "investor 00 (insurers)", "banks")] == [0, 1, 2, 3]


def test_the_command_writes_the_picture_beside_the_run(run, capsys):
    assert network.main([str(run)]) == 0
    assert capsys.readouterr().out.strip() == str(run / "network.png")
    assert (run / "network.png").read_bytes()[:4] == b"\x89PNG"


@mark.parametrize(
    ("arguments", "words"),
    [(["--month", "4"], "month 4 is not on record. Give one of 3, 6."), (["--region", "eu"], "region eu is not on record")],
)
def test_what_is_not_on_record_is_refused_with_what_is(run, capsys, arguments, words):
    assert network.main([str(run), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_run_without_a_network_says_how_to_get_one(run):
    pd.read_parquet(run / "exposures.parquet").iloc[:0].to_parquet(run / "exposures.parquet")
    with raises(network.NoNetwork, match="scenario=exposure_network"):
        network.picture(run)
    with raises(network.NoNetwork, match="is not there"):
        network.picture(run.parent)
