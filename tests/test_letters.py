"""Whether over-granted letters fall, measured on tables in which that was planted."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pytest import approx, fixture, mark

from analysis import letters
from sim.ratings import LETTERS


def written(folder: Path, over: np.ndarray, lost: np.ndarray) -> Path:
    """A run of one class a deal: deal ``i`` closes in month ``i``, first rated Baa1, and ``lost[i]`` notches worse two years on."""
    folder.mkdir()
    count = len(over)
    first = LETTERS.index("Baa1")
    deals = pd.DataFrame({"deal": range(count), "issued": range(count), "notional_senior": 1e8, "notional_mezzanine": 0.0})
    deals["letter_senior"], deals["letter_mezzanine"] = LETTERS[first], None
    deals["letter_true_senior"] = [LETTERS[first + n] for n in over]
    deals["letter_model_senior"] = deals["letter_best_senior"] = LETTERS[first]
    deals[[f"letter_{kind}_mezzanine" for kind in ("true", "model", "best")]] = None
    deals["liquidated"], deals["loss"] = False, 0.0
    deals.to_parquet(folder / "deals.parquet")
    held = [
        {"deal": i, "tranche": "senior", "month": month, "rating": LETTERS[first + (n if month == i + letters.AHEAD else 0)]}
        for i, n in enumerate(lost)
        for month in range(i, count + letters.AHEAD)
        if month != i + 1 + letters.AHEAD
    ]
    pd.DataFrame(held).to_parquet(folder / "tranches.parquet")
    months = np.arange(count + letters.AHEAD)
    rises = (months > 20) * (months < 40) * 0.01
    fell = 5.0 * np.roll(rises / 0.01, 6)
    pd.DataFrame({"region": "us", "month": months, "spread": 0.05 + np.cumsum(rises), "downgrades": fell}).to_parquet(
        folder / "monthly.parquet"
    )
    (folder / "config.yaml").write_text(yaml.safe_dump({"sim": {"markets": {"mandates": {"top": 9}}}}))
    return folder


@fixture
def run(tmp_path):
    """Sixty deals over-granted by 0 to 4 notches, each losing twice as many and one more on every other."""
    over = np.arange(60) % 5
    return written(tmp_path / "run", over, 2 * over + np.arange(60) // 5 % 2)


def test_notches_lost_are_those_between_the_first_letter_and_that_of_two_years_later(run):
    found = letters.classes(run)
    assert len(found) == 60 and (found["lost"] == 2 * found["over"] + found["issued"] // 5 % 2).all()
    assert (found["beyond_model"] == 0).all()


def test_the_slope_is_what_was_planted(run):
    """Lost = 2 over + what has nothing to do with it."""
    line = letters.fit(letters.classes(run), "classes")
    assert line.startswith("classes: 60, slope 2.00 (")


def test_a_class_sold_at_a_loss_has_lost_all_its_notches_and_one_repaid_keeps_its_last_letter(run):
    deals, tranches = (pd.read_parquet(run / f"{name}.parquet") for name in ("deals", "tranches"))
    tranches[~(tranches["deal"].isin([3, 4]) & (tranches["month"] > 10))].to_parquet(run / "tranches.parquet")
    deals.assign(liquidated=deals["deal"] == 3, loss=1.0 * (deals["deal"] == 3)).to_parquet(run / "deals.parquet")
    lost = letters.classes(run).set_index("deal")["lost"]
    assert lost[3] == LETTERS.index("Ca") - LETTERS.index("Baa1") and lost[4] == 0


def test_a_deals_over_granted_part_counts_what_perfect_knowledge_puts_below_the_top():
    """Of 300 of top grade, 100 is over-granted; the class below the top does not count."""
    rows = {"run": "r", "deal": 1, "issued": 0, "notes": [200.0, 100.0, 50.0], "letter": [8, 9, 12], "true": [9, 10, 15]}
    (deal,) = letters.by_deal(pd.DataFrame({**rows, "lost": [0, 3, 9]}), top=9).itertuples()
    assert (deal.over, deal.lost) == approx((1 / 3, 1.0))


def test_spreads_that_move_before_letters_are_found_to_lead(run):
    busiest, lead, close = letters.clustering(pd.read_parquet(run / "monthly.parquet"))
    assert busiest == approx(8 / 19) and 0 < lead < 12 and close > 0.8


def test_a_page_and_a_picture_come_of_it(run, tmp_path, capsys):
    assert letters.main([str(run), "--plot", str(tmp_path / "lost.png")]) == 0
    assert "slope 2.00" in capsys.readouterr().out and (tmp_path / "lost.png").stat().st_size > 5000


@mark.parametrize(("column", "word"), [("none", "rating_shopping"), ("missing", "before letters were kept"), ("", "nothing")])
def test_runs_without_letters_or_tables_are_an_error_in_words(run, column, word, capsys, tmp_path):
    deals = pd.read_parquet(run / "deals.parquet")
    deals = deals.drop(columns="letter_senior") if column == "missing" else deals.assign(letter_senior=None)
    deals.to_parquet(run / "deals.parquet")
    assert letters.main([str(run if column else tmp_path / "nothing")]) == 2
    assert word in capsys.readouterr().err


def test_letters_that_are_all_alike_say_nothing(run):
    assert "too few to tell" in letters.fit(letters.classes(run).assign(over=1.0), "classes")
