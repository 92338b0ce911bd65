"""The page of a run: always drawn, never blank, always the same."""

import shutil
from datetime import date
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from analysis.overview import bands, blank, draw, main
from analysis.panels import PANELS, marks, read, title
from sim.columns import MONTHLY
from sim.record import Recorder

START = date(2023, 1, 1)
LEVEL = {
    "rent": 2.5,
    "spread": 0.04,
    "debt": 4e11,
    "investor_capital": 9e10,
    "frontier_growth": 0.5,
    "model_half_life": 0.7,
}


def walk(rng: np.random.Generator, months: int, level: float) -> np.ndarray:
    return level * np.exp(np.cumsum(rng.normal(0.0, 0.05, months)))


def months_of(rng: np.random.Generator, region: str, months: int, losses: bool) -> dict:
    row: dict = {"month": np.arange(months), "region": region}
    for name, (unit, _) in MONTHLY.items():
        if unit == "count":
            row[name] = rng.poisson(0.3, months)
        elif unit == "index" and name != "month":
            row[name] = rng.integers(0, 3, months)
        elif unit == "flag":
            row[name] = rng.random(months) < 0.5
        elif unit == "text" and name != "region":
            row[name] = rng.choice(["", "some", "others"], months)
        elif name not in ("month", "date", "region"):
            row[name] = walk(rng, months, LEVEL.get(name, 1e10 if unit == "USD" else 0.6))
    for name in ("loss", "loss_senior", "loss_mezzanine"):
        row[name] = row["debt"] * 0.01 * (rng.random(months) < 0.1) * losses
    for name in ("frontier_growth", "model_half_life"):  # the world's
        row[name] = walk(np.random.default_rng(0), months, LEVEL[name])
    row["debt_to_ebitda"][: months // 4] = np.nan
    return row


def run(folder: Path, regions: tuple[str, ...] = ("us", "china"), years: int = 20, eventful: bool = True) -> Path:
    """Made-up tables in the form of a run's."""
    rng, recorder, months = np.random.default_rng(1), Recorder(START), 12 * years
    for at, region in enumerate(regions):
        recorder.add("monthly", **months_of(rng, region, months, losses=eventful))
        if not eventful:
            continue
        recorder.add("deals", deal=np.arange(3) + 3 * at, region=region)
        for month in range(months):
            letters = rng.choice(["Aaa", "Baa2", "Ba2"], 3)
            recorder.add("tranches", month=month, deal=np.arange(3) + 3 * at, balance=rng.random(3) * 1e9, rating=letters)
        recorder.add("events", month=rng.integers(-5, months, 9), kind="default", region=region, deal=1)
        recorder.add("events", month=0, kind="downgrade", region=region, deal=1, text="Aa2 to A2")
    recorder.write(folder)
    return folder


def inked(folder: Path) -> float:
    """Share of pixels that are not white."""
    return float((imread(folder / "overview.png")[..., :3].min(axis=2) < 0.9).mean())


@pytest.mark.parametrize("regions", [("us", "china"), ("us",), ("china",)], ids="+".join)
def test_every_choice_of_regions_has_its_page(tmp_path: Path, regions: tuple[str, ...]):
    draw(run(tmp_path, regions, years=3))
    assert imread(tmp_path / "overview.png").shape == (2400, 1800, 4)
    assert inked(tmp_path) > 0.02


def test_a_year_without_deals_events_and_losses_has_its_page(tmp_path: Path):
    draw(run(tmp_path, years=1, eventful=False))
    assert inked(tmp_path) > 0.02


def test_columns_that_are_null_leave_their_panels_empty(tmp_path: Path):
    recorder = Recorder(START)
    recorder.add("monthly", month=np.arange(12), region="us", capex=1.0)
    recorder.write(tmp_path)
    draw(tmp_path)
    assert inked(tmp_path) > 0.005


def test_the_same_tables_give_the_same_bytes_whatever_the_user_prefers(tmp_path: Path):
    draw(run(tmp_path, years=2))
    first = (tmp_path / "overview.png").read_bytes()
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0}):
        draw(tmp_path)
        assert matplotlib.rcParams["lines.linewidth"] == 9.0
    assert (tmp_path / "overview.png").read_bytes() == first


def test_a_page_laid_out_before_gives_the_same_bytes(tmp_path: Path):
    sheet = blank()
    draw(run(tmp_path, years=2))
    first = (tmp_path / "overview.png").read_bytes()
    with matplotlib.rc_context({"font.size": 30.0}):
        draw(tmp_path, sheet)
    assert (tmp_path / "overview.png").read_bytes() == first


def test_every_column_of_the_page_is_recorded_or_made_for_it(tmp_path: Path):
    months = read(run(tmp_path, years=1))["china"]
    wanted = {column for strips in PANELS.values() for strip in strips for column in strip.lines}
    assert len(PANELS) == 12 and wanted <= set(months.columns)


def test_loss_rates_are_the_losses_of_twelve_months_over_their_mean_debt(tmp_path: Path):
    """1 a month on a debt of 100: 1 % after a month, 12 % after a year, and no more after that."""
    recorder = Recorder(START)
    recorder.add("monthly", month=np.arange(14), region="us", loss_senior=1.0, loss_mezzanine=0.0, debt=100.0)
    recorder.write(tmp_path)
    months = read(tmp_path)["us"]
    assert months["rate_senior"].iloc[[0, 11, 13]].tolist() == pytest.approx([0.01, 0.12, 0.12])
    assert (months["rate_mezzanine"] == 0.0).all()


def test_investment_grade_is_the_share_of_the_balance_rated_baa_or_better(tmp_path: Path):
    """60 of A2 and 20 of Baa2 in 100."""
    recorder = Recorder(START)
    recorder.add("monthly", month=0, region="us")
    recorder.add("deals", deal=[0, 1, 2], region=["us", "us", "us"])
    recorder.add("tranches", month=0, deal=[0, 1, 2], balance=[60.0, 20.0, 20.0], rating=["A2", "Baa2", "Ba2"])
    recorder.write(tmp_path)
    assert read(tmp_path)["us"]["investment_grade"].tolist() == pytest.approx([0.8])


def test_defaults_before_the_record_begins_are_not_marked(tmp_path: Path):
    recorder = Recorder(START)
    recorder.add("events", month=[-3, 4, 4], kind="default", region="us", deal=[0, 1, 2])
    recorder.write(tmp_path)
    assert marks(tmp_path)["month"].tolist() == [4]


def test_bands_lie_over_falls_of_joint_capital_spending(tmp_path: Path):
    recorder = Recorder(START)
    capex = np.r_[np.full(12, 100.0), np.full(12, 50.0)]
    recorder.add("monthly", month=np.arange(24), region="us", capex=capex)
    recorder.write(tmp_path)
    ((peak, trough),) = bands(read(tmp_path))
    assert peak < trough


def test_the_title_names_scenario_and_seed(tmp_path: Path):
    assert title(tmp_path) == tmp_path.name
    (tmp_path / "manifest.json").write_text('{"scenario": "rest", "seed": 2}')
    assert title(tmp_path) == "rest, seed 2"
    (tmp_path / "config.yaml").write_text("scenario: us_only\nseed: 3\n")
    assert title(tmp_path) == "us_only, seed 3"


def test_the_command_draws_again_and_refuses_other_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "made"
    folder.mkdir()
    run(folder, years=1)
    assert main([str(folder)]) == 0 and (folder / "overview.png").is_file()
    shutil.rmtree(folder)
    assert main([str(folder)]) == 2 and "no monthly.parquet" in capsys.readouterr().err
