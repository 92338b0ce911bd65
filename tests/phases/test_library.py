"""Every template of the deal library as the economy reads it: terms without scale, in months."""

import numpy as np
from pytest import approx, mark, raises

from sim.books.channels import LIBRARY
from sim.compose import resolve
from sim.deal_reader import BadDeal
from sim.kernels.clauses import MONTHS_OF_INTEREST
from sim.mistakes import Mistakes
from sim.phases import library
from sim.phases.library import channel_template, read_template

LIFE, LENGTH = 75, 76
NAMES = sorted(path.stem for path in LIBRARY.glob("*.yaml"))
QUARTERLY = """
periods: 4
deal:
  period_years: 1/4
  pool_at_closing: 200
  notes:
    - {name: A, balance: 60, coupon: 0.06, rank: 1, target_balance: [60, 30, 30, 0, 0]}
    - {name: B, balance: 20, coupon: 0.06, rank: 2, target_balance: [20, 20, 10, 0, 0], ard_margin: 0.01}
    - {name: C, balance: 20, coupon: 0.10, rank: 3, pik: true}
  revenue: [1, 1, 1, 1]
  market_value: [1, 1, 1, 1]
  mode: scheduled
  fee_fixed: 6
  reserve_at_closing: 1
  reserve_target: [fixed, 2]
  reserve_covers_rank: 2
  dscr_trap: 1.2
  dscr_window: 1
  default_periods: 1
  legal_final: 4
  liquidation_lag: 2
"""


def read(monkeypatch, tmp_path, text: str):
    (tmp_path / "mine.yaml").write_text(text)
    monkeypatch.setattr(library, "LIBRARY", tmp_path)
    return read_template("mine", LIFE, LENGTH)


@mark.parametrize("name", NAMES)
def test_every_template_runs_off_by_its_legal_final_within_the_life_of_the_units(name):
    template = read_template(name, LIFE, LENGTH)
    final = int(template.terms["legal_final"][0])
    assert 0 < template.due <= final <= LIFE and template.classes in (1, 2)
    for path in (template.target, template.left):
        assert path[0] == approx(1.0) and not path[final:].any()
        assert (np.diff(path, axis=0) <= 1e-12).all() and (path >= 0.0).all()
    assert not template.left[template.due :].any() and 0.0 <= template.funded <= 1.0


def test_a_quarterly_deal_is_read_in_months(monkeypatch, tmp_path):
    """A fee of 6 a quarter on 200 is 1 % a month; two quarters to the sale are six months, a year to the legal final twelve."""
    terms = read(monkeypatch, tmp_path, QUARTERLY).terms[0]
    assert terms["fee_fixed"] == approx(0.01) and terms["reserve_target"] == approx(0.02)
    assert [int(terms[n]) for n in ("dscr_window", "default_periods", "liquidation_lag", "legal_final")] == [3, 3, 6, 12]


def test_classes_above_the_last_rank_are_senior(monkeypatch, tmp_path):
    """A and B together: 80, 50, 40, 0 at the quarters' ends. C has no schedule and falls due at the legal final."""
    template = read(monkeypatch, tmp_path, QUARTERLY)
    assert template.classes == 2 and template.funded == approx(0.5)
    assert template.target[[0, 3, 6, 9, 12], 0] == approx([1.0, 50 / 80, 40 / 80, 0.0, 0.0])
    assert template.target[[0, 11, 12], 1] == approx([1.0, 1.0, 0.0])
    assert template.terms["pik"][0].tolist() == [0, 1] and template.terms["reserve_covers_rank"][0] == 1


def test_the_terms_of_a_group_are_those_of_its_largest_class(monkeypatch, tmp_path):
    """A is larger than B, which alone has a margin after the ARD."""
    assert read(monkeypatch, tmp_path, QUARTERLY).terms["ard_margin"][0].tolist() == [0.0, 0.0]


def test_a_pool_that_runs_off_becomes_a_schedule_of_the_notes(monkeypatch, tmp_path):
    """A tenth of 200 a quarter once, after a quarter of revolving: 20 of 80 senior notes at the end of the second."""
    text = QUARTERLY.replace("mode: scheduled", "mode: sequential\n  amortisation_rate: [0.1, 0.1, 0, 0]\n  revolving_end: 1")
    template = read(monkeypatch, tmp_path, text)
    assert template.target[[3, 6, 11], 0] == approx([1.0, 0.75, 0.75]) and template.target[11, 1] == approx(1.0)


def test_no_note_outlives_the_units():
    """A master trust with 30 years to its legal final, on units that serve 75 months; its ARD after five years stays."""
    template = read_template("us_data_centre_abs", LIFE, LENGTH)
    assert template.terms["legal_final"][0] == LIFE and template.due == template.terms["ard"][0] == 60
    assert template.terms["dscr_trap"][0] == 1.35 and template.terms["reserve_target_kind"][0] == MONTHS_OF_INTEREST


def test_a_take_out_is_repaid_within_what_is_left_of_its_units():
    """75 months of service less 12 of seasoning and 1 to close: 62 for a master trust of 30 years; a tenor of its own is kept."""
    catalogue = {channel.name: channel for channel in resolve([]).sim.books.channels.us.catalogue}
    channel = catalogue["data_centre_abs"]
    long = channel_template(channel.model_copy(update={"tenor": 0}), LIFE, LENGTH)
    assert long.terms["legal_final"][0] == LIFE - 12 - 1 and long.due == 60
    short = channel_template(channel, LIFE, LENGTH)
    assert short.terms["legal_final"][0] == short.due == 30 and short.terms["dscr_trap"][0] == 1.35
    assert short.target[12] == approx([0.6 * 0.837 / 0.70 - (0.837 - 0.70) / 0.70, 1.0]) and short.follows == channel.follows


def test_periods_that_are_not_whole_months_are_refused(monkeypatch, tmp_path):
    with raises(BadDeal, match=r"mine: period_years = 0\.1: the economy pays by the month\. Give 1/12"):
        read(monkeypatch, tmp_path, QUARTERLY.replace("1/4", "1/10"))


def test_an_unknown_template_is_refused_with_the_names_there_are():
    with raises(Mistakes, match=r"sim\.books\.deals\.us\.abs = 'equipment_ab': no such template\. Did you mean equipment_abs\?"):
        resolve(["sim.books.deals.us.abs=equipment_ab"])
