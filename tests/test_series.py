"""Metrics of statements on series made by hand: what was planted is found, and where nothing was planted nothing is."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest import approx

from analysis.metrics import booms, exact, letters, named, relations, shapes
from analysis.metrics.runs import NoValue, Run
from analysis.statements.judging import Pooled, judge, measure
from analysis.statements.spec import Check
from tests.test_metrics import PARAMS, beside, dates, deals, events, hill, tranches, world

YEARS = 40
MONTHS = 12 * YEARS
LIFE = {**PARAMS, "agents": {**PARAMS["agents"], "operators": {"life": 6, "build": 12}}}


def noise(seed: int, months: int = MONTHS) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=months)


def lived(**columns: Any) -> Run:
    """Forty years of some columns, with what metrics read of the configuration."""
    return Run(world(YEARS, **columns).tables, LIFE)


def unrelated(x: np.ndarray, seed: int) -> np.ndarray:
    """Noise of mean zero in all months but the first, uncorrelated with the month before of x."""
    e = noise(seed)[1:]
    base = np.column_stack([np.ones(len(e)), x[:-1]])
    return np.concatenate([[0.0], e - base @ np.linalg.lstsq(base, e, rcond=None)[0]])


def word(check: Check, runs: list[Run]) -> str:
    return judge(check, [measure(check, run) for run in runs]).word


def test_a_planted_slope_of_a_change_is_found_exactly():
    """x(t + 24) - x(t) = -0.5 x(t)."""
    x = noise(1)
    for t in range(24, MONTHS):
        x[t] = 0.5 * x[t - 24]
    assert relations.slope_ahead(lived(x=x), "x", "x", 24, "change") == approx(-0.5)


def test_a_planted_r2_is_found_exactly():
    """y(t + 1) = 2 x(t) + e, with e unrelated to x: 4 var x / (4 var x + var e)."""
    x = noise(2)
    e = unrelated(x, 3)
    run = lived(x=x, y=2.0 * np.roll(x, 1) + e)
    known = 4.0 * x[:-1].var()
    assert relations.slope_ahead(run, "y", "x", 1) == approx(2.0)
    assert relations.r2_ahead(run, "y", "x", 1) == approx(known / (known + e[1:].var()))


def test_a_sum_ahead_starts_a_month_after_what_predicts_it():
    """A rise of x foretells the sum of the three months after it, and not its own month."""
    x = noise(4)
    y = sum(np.roll(x, k) for k in (1, 2, 3))
    coming = relations.ahead(pd.Series(y), 3, "sum")
    assert coming[10] == approx(y[11] + y[12] + y[13])
    assert np.isnan(coming.iloc[-1])


def test_where_nothing_is_planted_no_slope_is_found():
    """Sixteen seeds of unrelated noise: neither sign can be told."""
    runs = [lived(x=noise(100 + n), spread=noise(200 + n)) for n in range(16)]
    for bound in ({"low": 0.0}, {"high": 0.0}):
        check = Check.model_construct(metric="slope_ahead", args={"of": "spread", "by": "x", "months": 24}, unit="1", **bound)
        assert word(check, runs) == "cannot tell"


def test_overlapping_months_do_not_make_a_t_value_large():
    """Of 40 unrelated pairs few exceed 2.6 with errors of Newey and West; by plain errors most sums of 24 months would."""
    over = [abs(relations.t_ahead(lived(x=np.cumsum(noise(n)) * 0.1, y=noise(500 + n)), "y", "x", 12)) > 3.5 for n in range(40)]
    assert sum(over) <= 6
    x = noise(7)
    assert relations.t_ahead(lived(x=x, y=np.roll(x, 1) + unrelated(x, 8)), "y", "x", 1) > 10.0


def test_months_that_foretell_a_loss_are_counted():
    """y(t + 1) = x(t), below zero in a quarter of the months."""
    x = np.tile([-1.0, 1.0, 2.0, 3.0], MONTHS // 4)
    assert relations.below_zero_ahead(lived(x=x, y=np.roll(x, 1)), "y", "x", 1) == approx(0.25, abs=0.01)


def test_leverage_that_goes_with_assets_by_an_elasticity_has_that_slope():
    assets = np.exp(np.cumsum(0.05 * noise(9)))
    assert relations.moves_with(lived(assets=assets, leverage=3.0 * assets**0.8), "leverage", "assets") == approx(0.8)


def test_a_predictor_that_stands_still_or_too_few_months_give_no_slope():
    with pytest.raises(NoValue, match="does not move"):
        relations.slope_ahead(lived(x=1.0, y=noise(1)), "y", "x", 12)
    with pytest.raises(NoValue, match="fewer than 60"):
        relations.slope_ahead(world(4, x=noise(1, 48), y=noise(2, 48)), "y", "x", 12)


def issued(low: np.ndarray) -> dict[str, pd.DataFrame]:
    """A deal a month whose junior class, rated Ba2, is a share ``low`` of it; the senior is Aaa."""
    book = deals(*({"issued": m, "notional_senior": 1.0 - s, "notional_mezzanine": s} for m, s in enumerate(low)))
    rated = tranches(*((m, m, c, 1.0, r) for m in range(len(low)) for c, r in (("senior", "Aaa"), ("mezzanine", "Ba2"))))
    return {"deals": book, "tranches": rated}


def test_low_grade_issuance_is_a_years_share_of_what_was_rated_below_investment_grade():
    low = np.concatenate([np.full(12, 0.2), np.full(12, 0.5)])
    found = named.series(beside(world(2, capex=1.0), **issued(low)), "low_grade_share")
    assert np.isnan(found.iloc[10]) and found.iloc[11] == approx(0.2) and found.iloc[17] == approx(0.35)


def test_sentiment_that_turns_into_spreads_and_spending_is_found():
    """A year's change of the spread is 0.1 log share two years before; spending shrinks by twice that change."""
    low = 0.3 + 0.2 * np.random.default_rng(5).random(MONTHS)
    share = np.log(named.series(beside(world(YEARS, capex=1.0), **issued(low)), "low_grade_share").to_numpy())
    spread, capex = 0.05 * noise(6), 0.1 * noise(7)
    for t in range(35, MONTHS):
        spread[t] = spread[t - 12] + 0.1 * share[t - 24]
        capex[t] = capex[t - 12] - 2.0 * (spread[t] - spread[t - 12])
    run = beside(world(YEARS, capex=np.exp(capex), spread=spread), **issued(low))
    assert relations.sentiment_slope(run) == approx(-2.0)


def test_a_response_is_found_with_its_size_and_its_trough():
    """Growth of -0.1 in the month of a push and the eleven after it, +0.1 in each of the next twelve: -1.2 after eleven months."""
    runs = []
    for seed in range(6):
        x = noise(20 + seed)
        path = [*[-0.1] * 12, *[0.1] * 12]
        growth = sum(c * np.roll(x, k) for k, c in enumerate(path))
        runs.append(lived(x=x, y=np.exp(np.cumsum(growth + 0.01 * noise(40 + seed)))))
    assert np.mean([relations.response(run, "y", "x", 10, 12) for run in runs]) == approx(-1.13, abs=0.25)
    assert np.mean([relations.response(run, "y", "x", 0, 0) for run in runs]) == approx(-0.1, abs=0.03)
    troughs = [relations.trough_month(run, "y", "x", 36) for run in runs]
    mean = np.mean([trough.part for trough in troughs], axis=0)
    assert abs(troughs[0].read(mean, 6) - 11.0) <= 2.0


def test_where_nothing_is_planted_no_response_is_found():
    args = {"of": "capex", "to": "x", "first": 6, "last": 24}
    check = Check.model_construct(metric="response", args=args, unit="log", high=0.0, over="mean")
    runs = [lived(x=noise(60 + n), capex=np.exp(0.05 * np.cumsum(noise(80 + n)))) for n in range(12)]
    assert word(check, runs) == "cannot tell"


def test_moments_and_counts_are_as_computed_by_hand():
    x = np.tile([1.0, 1.0, 1.0, 5.0], MONTHS // 4)
    run = lived(x=x)
    assert shapes.deviation(run, "x") == approx(np.std(x, ddof=1))
    assert shapes.skewness(run, "x") == approx(2.0 / np.sqrt(3.0))
    assert shapes.percentile(run, "x", 0.5) == 1.0 and shapes.mean_level(run, "x") == approx(2.0)
    assert shapes.a_decade(run, "x") == approx(240.0)
    assert shapes.deviation(lived(x=np.arange(MONTHS) % 24.0), "x", 24 - 12) == approx(12.0, abs=0.1)


def test_persistence_is_the_correlation_with_the_month_before():
    x = np.zeros(MONTHS)
    for t, e in enumerate(noise(21)):
        x[t] = 0.95 * x[t - 1] + e if t else e
    assert shapes.persistence(lived(x=x), "x") == approx(0.95, abs=0.05)
    assert shapes.persistence(lived(x=np.tile([1.0, -1.0], MONTHS // 2)), "x") == approx(-1.0)


def test_a_planted_cycle_is_found_in_months_and_in_build_times():
    """48 months, beside noise of the same size; four build times of twelve."""
    wave = np.sin(2.0 * np.pi * np.arange(MONTHS) / 48.0)
    run = lived(capex=np.exp(0.05 * np.arange(MONTHS) + wave + noise(12)))
    assert float(shapes.cycle(run, "capex", 12, 120)) == approx(48.0)
    assert float(shapes.cycle(run, "capex", 12, 120, "agents.operators.build")) == approx(4.0)


def test_where_no_cycle_is_planted_red_noise_is_hardly_ever_taken_for_one():
    """Five in a hundred are allowed."""
    found = 0
    for seed in range(100):
        x = np.zeros(MONTHS)
        for t, e in enumerate(noise(1000 + seed)):
            x[t] = 0.9 * x[t - 1] + e if t else e
        found += bool(np.isfinite(float(shapes.cycle(lived(capex=np.exp(0.1 * x)), "capex", 12, 120))))
    assert found <= 10


def test_a_cycle_too_weak_for_one_run_is_found_in_the_mean_spectrum_of_many():
    wave = 0.22 * np.sin(2.0 * np.pi * np.arange(MONTHS) / 48.0)
    parts = [shapes.cycle(lived(capex=np.exp(wave + noise(300 + n))), "capex", 12, 120) for n in range(24)]
    alone = sum(np.isfinite(float(part)) and float(part) == approx(48.0) for part in parts)
    assert alone < 18 and parts[0].read(np.mean([part.part for part in parts], axis=0), 24) == approx(48.0)


def hot() -> Run:
    """Debt and what units are worth jump in months 130 and 182 of 300; spending has one bust, from about month 150 on."""
    jump = np.exp((np.arange(300) >= 130).astype(float) + (np.arange(300) >= 182))
    return world(25, capex=hill(25, 150, 174), debt=jump, worth=jump)


@pytest.fixture
def planted(monkeypatch) -> None:
    monkeypatch.setitem(named.DERIVED, "unit_value", lambda run, region: run.series("worth", region))


def test_chances_of_a_bust_in_and_out_of_the_red_zone_are_counted(planted):
    """Hot are 36 months from each jump on; a bust follows in the 36 months before its peak."""
    run = hot()
    peak = (run.bust("us").peak - pd.Period("2023-01", "M")).n
    inside, outside = (peak - 130) / 72, (130 - (peak - 36)) / (228 - 72)
    assert float(booms.bust_chance(run)) == approx(inside)
    assert float(booms.bust_chance(run, red=False)) == approx(outside)
    assert float(booms.bust_odds(run)) == approx(inside / outside)


def test_without_a_bust_the_red_zone_has_no_odds(planted):
    jump = np.exp((np.arange(300) >= 130).astype(float) + (np.arange(300) >= 182))
    run = world(25, capex=1e9, debt=jump, worth=jump)
    assert float(booms.bust_chance(run)) == 0.0
    assert np.isnan(float(booms.bust_odds(run)))


def test_of_two_booms_the_one_that_busts_counts():
    """Spending rises by e within 20 months twice, and falls back once."""
    up = np.interp(np.arange(300), [60, 80, 82, 90, 200, 220], [0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    assert float(booms.boom_busts(world(25, capex=1e9 * np.exp(up)))) == approx(0.5)
    assert np.isnan(float(booms.boom_busts(world(25, capex=1e9))))


def test_a_boom_that_wavers_is_one_boom():
    """Growth that falls below what makes a boom, but not below the run's mean, does not end it."""
    growth = np.interp(np.arange(264), [0, 99, 100, 110, 115, 120, 130, 131, 263], [0, 0, 0.6, 0.6, 0.2, 0.6, 0.6, 0, 0])
    log = np.zeros(300)
    for t in range(36, 300):
        log[t] = log[t - 36] + growth[t - 36]
    smooth = world(25, capex=1e9 * np.exp(log))
    assert len(booms.booms(smooth, 0.3, "us")) == 1


def test_prices_and_failures_of_the_deepest_bust():
    """Rents halve twice within two years of the bust; one default a month before it, three in it."""
    months = np.arange(120)
    rent = 0.25 ** (np.clip(months - 64, 0, 24) / 24.0)
    run = world(10, capex=hill(), rent=rent, frontier=0.0, defaults=np.where(months < 64, 1, 3))
    assert booms.price_fall(run) == approx(-0.75)
    peak = (run.bust("us").peak - pd.Period("2023-01", "M")).n
    during = run.series("defaults", "us").iloc[peak:]
    trough = (run.bust("us").trough - pd.Period("2023-01", "M")).n
    expected = during.iloc[: trough + 13 - peak].mean()
    assert float(booms.failure_multiple(run, "defaults")) == approx(expected)


def test_notches_lost_per_share_granted_are_found():
    """Ten notches per unit of cost: a senior class of 0.3 of cost falls from Aaa by three within 24 months, one of 0.9 by nine."""
    shares = [round(0.1 * (1 + n % 9), 1) for n in range(90)]
    book = deals(*({"issued": n, "notional_senior": s, "budget": 1.0} for n, s in enumerate(shares)))
    later = [(n + 24, n, "senior", 1.0, letters.LETTERS[round(10 * s)]) for n, s in enumerate(shares)]
    rated = tranches(*((n, n, "senior", 1.0, "Aaa") for n in range(90)), *later)
    assert letters.granting_slope(beside(world(10, capex=1.0), deals=book, tranches=rated)) == approx(10.0)


def test_downgrades_by_chance_do_not_cluster_and_bunched_ones_do():
    chance = np.random.default_rng(3).poisson(2.0, MONTHS)
    assert letters.downgrade_clustering(lived(downgrades=chance)) == approx(1.0, abs=0.2)
    assert letters.downgrade_clustering(lived(downgrades=np.where(np.arange(MONTHS) % 10, 0, 20))) == approx(18.0, rel=0.02)


def test_downgrades_that_follow_spreads_have_their_delay():
    rise = noise(13)
    spread = np.exp(np.cumsum(0.05 * rise))
    assert float(letters.downgrade_delay(lived(spread=spread, downgrades=10.0 + np.roll(rise, 5)))) == 5.0
    assert float(letters.downgrade_delay(lived(spread=spread, downgrades=10.0 + np.roll(rise, -4)))) == -4.0


def test_recoveries_that_fall_with_defaults_are_perfectly_correlated():
    """Of ten deals k default in a year, and 1 - k / 10 is recovered: -1; in all, what was fetched over what was owed."""
    years = range(1, 10)
    book = deals(*({"loss": 10.0 * k} for k in years), *({} for _ in range(100)))
    owed = tranches(*((12 * y + 11, 9 + d, "senior", 1.0, "B1") for y in range(11) for d in range(10)))
    failed = [(12 * y + 3, "default", 9 + 10 * (y - 1) + n, 1.0) for y in years for n in range(y)]
    sold = [(12 * y + 5, "liquidation", y - 1, 100.0 - 10.0 * y) for y in years]
    run = beside(world(11, capex=1e9), deals=book, tranches=owed, events=events(*failed, *sold))
    assert relations.default_recovery_correlation(run) == approx(-1.0)
    assert float(relations.mean_recovery(run)) == approx(0.5)


def test_a_class_returns_its_coupon_its_price_change_and_no_more_than_it_lost():
    """1 % of coupon and 2 % of price on 100; then half is lost at a price of 0.5 and the rest repaid, over 0 %."""
    owed = tranches(*((m, 0, "mezzanine", b, "Ba2") for m, b in ((0, 100.0), (1, 100.0))))
    owed = owed.assign(price=[1.0, 1.02], coupon=0.12)
    run = beside(world(1, base_rate=0.0, loss_mezzanine=np.where(np.arange(12) == 2, 50.0, 0.0)), deals=deals({}), tranches=owed)
    found = named.series(run, "low_grade_return")
    assert found.iloc[1] == approx(np.log1p(0.03))
    assert found.iloc[2] == approx(np.log1p((1.0 + 50.0 - 102.0) / 102.0))
    assert np.isnan(found.iloc[3])


def test_a_unit_that_is_priced_at_the_markets_rate_returns_that_rate():
    """Rents fall as believed: 12 % a year, whatever the life."""
    t = np.arange(MONTHS) / 12.0
    same = {"running_cost": 0.0, "depreciation_belief": 0.3, "cost_of_capital": 0.12, "unit_cost": 5.0, "frontier": 0.0}
    found = named.series(lived(rent=np.exp(-0.3 * t), **same), "asset_return").dropna()
    assert found.to_numpy() == approx(0.01, rel=0.03)
    assert len(found) == MONTHS - 1


def test_units_that_leave_are_those_that_do_not_grow_older():
    """100 units of each age are there in the first year; a year later 30 of the 300 older than two years are gone."""
    columns = {f"gpus_{n}y": np.full(24, 100.0) for n in range(1, 6)}
    columns |= {"gpus_older": np.where(np.arange(24) < 12, 0.0, 70.0)}
    run = Run(world(2, **columns).tables, LIFE)
    assert named.series(run, "retirement_rate").iloc[12] == approx((300.0 - 270.0) / 500.0)


def test_leverage_is_assets_over_net_worth_and_none_where_that_is_gone():
    run = lived(investor_capital=np.where(np.arange(MONTHS) < 100, 20.0, 0.1), investor_loans=80.0)
    found = named.series(run, "lender_leverage")
    assert found.iloc[0] == approx(5.0) and found.iloc[100:].isna().all()


def test_clouds_sheets_are_added_up():
    agents = pd.DataFrame({"month": 0, "date": dates([0, 0]), "kind": "cloud", "region": "us", "net_worth": [60.0, 20.0]})
    run = beside(world(1, capex=1.0), agents=agents.assign(loans=0.0, bonds=[10.0, 10.0]))
    assert named.series(run, "cloud_leverage").iloc[0] == approx(100.0 / 80.0)


@pytest.mark.parametrize("delay", [6, 9, 18])
def test_the_linear_mode_has_a_period_of_four_delays(delay):
    """On the simulated ring, by its spectrum, not by the root that placed it at the Hopf point; with decay it is shorter."""
    assert exact.linear_period(None, delay) == approx(4.0, abs=1e-9)
    assert exact.linear_period(None, delay, decay=0.05) < 3.9


def test_book_value_exceeds_market_value_at_once_only_if_rents_fall_fast():
    """exp(-d / 12) < 1 - 1 / 72 from d = 0.1678 on; a hair slower, the lines cross later or never."""
    edge = -12.0 * np.log(1.0 - 1.0 / 72.0)
    assert exact.book_above_market(None, edge + 1e-6, 6) == 1.0
    with pytest.raises(NoValue, match="never exceeds"):
        exact.book_above_market(None, edge - 1e-3, 6)
    assert exact.book_above_market(None, 0.29, 6, rate=0.1) == 1.0


def test_a_share_over_seeds_weighs_tries_and_not_seeds():
    """1 of 1 and 0 of 3: a quarter, not a half."""
    from analysis.metrics.pooled import share

    parts = [share(1.0, 1.0), share(0.0, 3.0)]
    assert parts[0].read(np.mean([part.part for part in parts], axis=0), 2) == approx(0.25)
    assert isinstance(parts[0], Pooled) and np.isnan(float(share(0.0, 0.0)))
