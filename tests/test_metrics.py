"""Metrics of targets on tables made by hand: the answer is known before the metric is asked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest import approx

from analysis.metrics import METRICS, credit, cycles, levels
from analysis.metrics.runs import NoValue, Run

CLASSES = ("senior", "mezzanine")
STEADY = {"rate_step": 0.0, "rate_month": 0}
PARAMS: dict[str, Any] = {
    "start": "2023-01-01",
    "sim": {
        "markets": {
            "primary": {"spread_cap": 0.22, "us": {"base_rate": 0.04} | STEADY, "china": {"base_rate": 0.02} | STEADY},
            "secondary": {
                "turnover": 0.1,
                "sale_rate": 0.14,
                "sale_years": 5.0,
                "parity": 0.9,
                "fire_sale": 0.25,
                "fire_sale_impact": 1.5,
                "fire_sale_cap": 0.9,
                "fire_sale_memory": 0.3,
            },
        }
    },
    "agents": {"regulators": {"tolerance": 0.02}},
}


def dates(months: Sequence[int] | np.ndarray) -> list[Any]:
    return [pd.Timestamp(2023 + m // 12, m % 12 + 1, 1).date() for m in months]


def world(years: int, region: str = "us", **columns: Any) -> Run:
    """A run whose monthly table has these columns in one region; old chips' rents lag by half of the frontier's gain."""
    months = np.arange(12 * years)
    columns = {"vintage_discount": 0.5, **columns}
    return Run({"monthly": pd.DataFrame({"month": months, "date": dates(months), "region": region, **columns})}, PARAMS)


def beside(run: Run, **tables: pd.DataFrame) -> Run:
    return Run({**run.tables, **tables}, PARAMS)


def flows(*rows: tuple[int, str, str, str, float]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["month", "flow", "payer", "payee", "usd"])
    return found.assign(date=dates(found["month"]))


def deals(*rows: dict[str, Any]) -> pd.DataFrame:
    common: dict[str, Any] = dict.fromkeys((f"{of}_{tranche}" for of in ("notional", "coupon") for tranche in CLASSES), 0.0)
    common |= {"region": "us", "channel": "private", "sold_as": "private", "purpose": "build"}
    common |= {"refinances": None, "issued": 0, "template": "loan", "loss": 0.0}
    return pd.DataFrame([{"deal": n, **common, **row} for n, row in enumerate(rows)])


def tranches(*rows: tuple[int, int, str, float, str]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["month", "deal", "tranche", "balance", "rating"])
    return found.assign(date=dates(found["month"]))


def events(*rows: tuple[int, str, int, float]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["month", "kind", "deal", "amount"])
    return found.assign(date=dates(found["month"]), region="us", text="LTV cap tightened")


def hill(years: int = 10, peak: int = 60, trough: int = 84) -> np.ndarray:
    """Capital spending that doubles every two years to its peak, halves to its trough, and stays."""
    months = np.arange(12 * years)
    top = 2.0 ** (peak / 24.0)
    down = top * 2.0 ** (-(months - peak) / (trough - peak))
    return 1e9 * np.where(months <= peak, 2.0 ** (months / 24.0), np.maximum(down, top / 2.0))


def test_growth_compares_calendar_years():
    """12 x 1 then 12 x 1.5."""
    assert levels.growth(world(2, capex=np.repeat([1.0, 1.5], 12)), "capex", 2024) == approx(0.5)


def test_a_year_the_run_does_not_cover_has_no_growth():
    with pytest.raises(NoValue, match="does not cover"):
        levels.growth(world(1, capex=1.0), "capex", 2024)


def test_levels_and_changes_are_means_and_differences():
    run = world(2, x=np.arange(24.0))
    assert levels.level(run, "x", "2023", "2023") == approx(5.5)
    assert levels.change(run, "x", "2023-06", "2024-06") == approx(12.0)


def test_a_ratio_is_of_sums_and_may_subtract():
    run = world(1, ebitda=6.0, wear=5.0, revenue=10.0)
    assert levels.ratio(run, "ebitda", "revenue", "2023", "2023") == approx(0.6)
    assert levels.ratio(run, "ebitda", "revenue", "2023", "2023", less="wear") == approx(0.1)


def test_a_backlog_counts_in_years_of_revenue():
    assert levels.years_covered(world(1, backlog=96.0, revenue=1.0), "backlog", "revenue", "2023-12") == approx(8.0)


def test_the_largest_fall_is_over_as_many_months_as_asked():
    """0.9 falls by 0.05 a month for ten months."""
    share = np.concatenate([np.full(6, 0.9), 0.9 - 0.05 * np.arange(1, 11), np.full(8, 0.4)])
    assert levels.largest_fall(world(2, share=share), "share", 9, "2023", "2024") == approx(-0.45)


def test_a_series_leads_its_copy_by_the_quarters_between_them():
    steps = np.repeat(np.cumsum(np.random.default_rng(1).normal(size=40)), 3)
    run = world(10, leader=steps, follower=np.roll(steps, 9))
    assert levels.lead(run, "leader", "follower", "2024", "2032") == 3.0
    assert levels.lead(run, "follower", "leader", "2024", "2031") == -3.0


def test_a_series_that_stands_still_leads_nothing():
    with pytest.raises(NoValue, match="does not move"):
        levels.lead(world(3, leader=1.0, follower=np.arange(36.0)), "leader", "follower", "2023", "2025")


@pytest.mark.parametrize(("front", "changed"), [([0] * 24, 0.0), ([0] * 12 + [1] * 12, 1.0), ([0] * 22 + [1] * 2, 0.0)])
def test_a_lead_changes_when_another_is_mostly_in_front_for_half_a_year(front, changed):
    assert levels.leader_changes(world(2, lab=front), "lab", "2023", "2024") == changed


@pytest.mark.parametrize(("top", "seen"), [(1.2, 0.0), (1.8, 1.0), (3.0, 0.0)])
def test_a_scare_is_a_jump_of_some_size_and_no_more(top, seen):
    spread = np.concatenate([np.full(12, 0.04), np.linspace(0.04, 0.04 * top, 4), np.full(8, 0.04)])
    assert levels.jump(world(2, spread=spread), "spread", 6, 1.4, 2.2, "2023", "2024") == seen


def test_external_funds_are_new_debt_and_outside_equity():
    """(46 drawn from investors and 4 from banks - 10 that replaced debt + 12 of bonds + 8 of equity) / 96: 60 / 96."""
    paid = flows((0, "drawdown", "investor", "deal", 46.0), (0, "drawdown", "banks", "deal", 4.0))
    paid = pd.concat([paid, flows((1, "takeout", "deal", "deal", 10.0))])
    paid = pd.concat([paid, flows((2, "equity", "savers", "operator", 8.0), (2, "equity", "savers", "lab", 99.0))])
    run = beside(world(1, capex=8.0, issuance_bonds=1.0), flows=paid)
    assert levels.external_share(run, "2023", "2023") == approx(60.0 / 96.0)


def test_channels_share_new_funds_without_refinancing():
    """60 private, 7 of securities and 3 of a take-out by them, 30 of equity; the refinancing of 900 stays out."""
    book = deals(
        {"notional_senior": 60.0},
        {"channel": "abs", "sold_as": "securities", "notional_senior": 4.0, "notional_mezzanine": 3.0},
        {"channel": "cmbs", "sold_as": "securities", "purpose": "take_out", "refinances": 0, "notional_senior": 3.0},
        {"notional_senior": 900.0, "refinances": 0, "purpose": "refinancing"},
    )
    paid, names = flows((3, "equity", "savers", "operator", 30.0)), ("private", "securities", "equity", "bonds")
    run = beside(world(1, issuance_bonds=0.0), deals=book, flows=paid)
    assert [levels.channel_share(run, name, "2023", "2023") for name in names] == approx([0.6, 0.1, 0.3, 0.0])
    assert levels.channel_order(run, "2023", "2023") == 1.0
    run = beside(world(1, issuance_bonds=0.5), deals=book, flows=paid)  # 6 of bonds, fewer than securities
    assert levels.channel_share(run, "bonds", "2023", "2023") == approx(6.0 / 106.0)
    assert levels.channel_order(run, "2023", "2023") == 0.0


def test_an_old_vintages_rent_falls_with_the_newests_and_with_the_frontier():
    """-0.2 a year of the newest and 0.5 x 0.4 for the frontier: -33 % a year."""
    t = np.arange(36) / 12.0
    run = world(3, rent=2.0 * np.exp(-0.2 * t), frontier=1.0 + 0.4 * t)
    assert levels.vintage_rent_decline(run, "2023", "2025-06") == approx(np.expm1(-0.4))


def test_a_used_unit_is_worth_its_rents_but_no_more_than_new_capacity():
    """exp(-0.5 x 0.4) x 0.9 of a new unit that costs 80 of the old one's 100 where rent is high; nothing where it is nil."""
    t = np.arange(24) / 12.0
    same = {"frontier": 0.4 * t, "running_cost": 0.0, "depreciation_seen": 0.3, "unit_cost": np.where(t < 1, 100.0, 80.0)}
    assert credit.resale_value(world(2, rent=9.0, **same), 2023, 12) == approx(0.9 * 0.8 * np.exp(-0.2))
    assert credit.resale_value(world(2, rent=0.0, **same), 2023, 12) == 0.0
    with pytest.raises(NoValue, match="36 months old"):
        credit.resale_value(world(2, rent=9.0, **same), 2023, 36)


def test_a_spread_at_issue_is_weighted_by_notional():
    """(1 x 8 % + 3 x 12 %) / 4 - 4 % = 700 bp."""
    book = deals({"notional_senior": 1.0, "coupon_senior": 0.08}, {"notional_senior": 3.0, "coupon_senior": 0.12})
    run = beside(world(1, capex=1.0), deals=book)
    assert credit.issue_spread(run, "2023", "2023", template="loan") == approx(700.0)
    with pytest.raises(NoValue, match="no lease deal closed"):
        credit.issue_spread(run, "2023", "2023", template="lease")


def test_volumes_count_burn_in_by_calendar_year():
    """Month -1 is December 2022."""
    book = deals(*({"sold_as": "securities", "issued": m, "notional_senior": n * 1e9} for m, n in ((-1, 2.0), (0, 3.0), (12, 6.0))))
    run = beside(world(2, capex=1.0), deals=book)
    assert credit.deal_volume(run, "2018", "2023") == approx(5.0)
    assert credit.volume_multiple(run, 2024) == approx(2.0)


def test_stocks_of_two_regions_are_compared_at_one_date():
    book = deals({"sold_as": "securities"}, {"sold_as": "securities", "region": "china"}, {"region": "china"})
    owed = tranches(*((m, d, "senior", b, "A1") for m in (0, 1) for d, b in ((0, 50.0 + m), (1, 1.02), (2, 9.0))))
    assert credit.stock_ratio(beside(world(1), deals=book, tranches=owed), "2023-02") == approx(0.02)


def test_spreads_of_a_cycle_and_a_peak_at_the_cap_is_no_peak():
    spread = np.where(np.arange(120) == 70, 0.12, 0.03)
    run = world(10, capex=hill(), spread=spread)
    assert cycles.spread_trough(run) == approx(300.0)
    assert (cycles.spread_peak(run), cycles.spread_range(run)) == approx((1200.0, 4.0))
    with pytest.raises(NoValue, match="cap of 2200 bp"):
        cycles.spread_peak(world(10, capex=hill(), spread=np.where(spread > 0.1, 0.2199999, spread)))


def test_without_a_bust_nothing_of_a_bust_is_measured():
    with pytest.raises(NoValue, match="no bust"):
        cycles.capex_fall(world(5, capex=1e9))


def test_capital_spending_falls_from_peak_to_trough_and_is_undone():
    """The six-month mean halves, a little less at its rounded peak; 2030 is at half the peak, 2027 was near it."""
    run = world(10, capex=hill())
    assert cycles.capex_fall(run) == approx(-0.5, abs=0.05)
    assert cycles.capex_undone(run) < 0.0


def test_default_rates_are_of_deals_outstanding_at_the_start_of_a_year():
    """Ten outstanding at each year's end; one defaults in a calm year, three in the bust's worst, one of them twice."""
    book = deals(*({} for _ in range(10)))
    owed = tranches(*((12 * y + 11, d, c, 1.0, "B1") for y in range(10) for d in range(10) for c in CLASSES))
    hit = events((20, "default", 0, 1.0), (75, "default", 1, 1.0), (76, "default", 2, 1.0), (77, "default", 3, 1.0))
    hit = pd.concat([hit, events((78, "default", 3, 1.0))])
    run = beside(world(10, capex=hill()), deals=book, tranches=owed, events=hit)
    assert cycles.default_rates(run, "us").loc[[2024, 2029]].tolist() == approx([0.1, 0.3])
    assert cycles.default_peak(run) == approx(0.3)
    assert cycles.default_normal(run) == 0.0


def test_recoveries_in_and_out_of_a_bust():
    """20 of 100 in the bust, 60 of 100 before it."""
    book = deals({"loss": 40.0}, {"loss": 80.0})
    run = beside(world(10, capex=hill()), deals=book, events=events((30, "liquidation", 0, 60.0), (70, "liquidation", 1, 20.0)))
    assert cycles.recovery_in_bust(run) == approx(0.2)
    assert cycles.recovery_shortfall(run) == approx(0.4)


def boomed() -> Run:
    """Two classes of 80 and 20 that last owed 60 and 20 and lost 35; and an old deal that is not of the boom."""
    book = deals(
        {"issued": 50, "notional_senior": 80.0, "notional_mezzanine": 20.0, "loss": 35.0},
        {"issued": 2, "notional_senior": 500.0, "loss": 500.0},
    )
    owed = tranches(
        *((50, 0, "senior", 80.0, "Aaa"), (50, 0, "mezzanine", 20.0, ""), (51, 0, "mezzanine", 20.0, "Ba2")),
        *((70, 0, "senior", 60.0, "Caa1"), (70, 0, "mezzanine", 20.0, "Ca")),
    )
    return beside(world(10, capex=hill()), deals=book, tranches=owed)


def test_a_boom_loses_its_own_debt():
    assert cycles.boom_loss(boomed()) == approx(0.35)


def test_losses_fall_on_the_junior_class_first_and_count_by_the_first_letter():
    """Junior 20 of 20, senior 15 of 80."""
    run = boomed()
    assert cycles.class_loss(run, ["Ba1", "Ba2"]) == approx(1.0)
    assert cycles.class_loss(run, ["Aaa"]) == approx(15.0 / 80.0)
    with pytest.raises(NoValue, match="first rated C"):
        cycles.class_loss(run, ["C"])


def test_rents_of_a_glut_fall_faster_than_before_it():
    """-20 % a year for five years, then half a year."""
    t = np.arange(120) / 12.0
    run = world(10, capex=hill(), frontier=0.0, rent=0.8 ** np.minimum(t, 5.0) * 0.5 ** np.clip(t - 5.0, 0.0, 3.0))
    assert cycles.glut_decline(run) == approx(-0.5)
    assert cycles.glut_acceleration(run, "2023", "2025") == approx(-0.3)


def test_a_rules_lag_runs_from_the_first_breach():
    """Breach in month 10, rule in month 34."""
    run = world(10, loss_rate=np.where(np.arange(120) >= 10, 0.03, 0.0))
    assert cycles.rule_lag(beside(run, events=events((34, "rule", 0, 0.1), (5, "rule", 0, 0.1)))) == approx(2.0)
    with pytest.raises(NoValue, match="no rule followed"):
        cycles.rule_lag(beside(run, events=events((5, "rule", 0, 0.1))))
    with pytest.raises(NoValue, match="never exceeded"):
        cycles.rule_lag(beside(world(1, loss_rate=0.0), events=events((5, "rule", 0, 0.1))))


def test_a_deliberate_rules_lag_runs_from_the_call_and_ends_when_it_binds():
    """Called for in month 10, binding in 99: 89 months. Other words, and a later call, do not count."""
    words = ((10, "stage", "a rule is called for"), (22, "stage", "rule proposed"), (73, "stage", "rule announced"))
    words += ((50, "rule", "copies the playbook"), (99, "rule", "rule takes effect"), (110, "stage", "a rule is called for"))
    found = events(*((month, kind, -1, 0.1) for month, kind, _ in words)).assign(text=[text for *_, text in words])
    run = beside(world(10, loss_rate=np.where(np.arange(120) >= 5, 0.03, 0.0)), events=found)
    assert cycles.rule_lag(run) == approx(89 / 12)


def test_a_rule_at_once_has_no_lag():
    run = beside(world(10, loss_rate=0.0), events=events((7, "stage", -1, 0.1), (7, "rule", -1, 0.1)))
    run.tables["events"]["text"] = ["a rule is called for", "market closed"]
    assert cycles.rule_lag(run) == 0.0


def test_a_closed_market_is_measured_once_it_has_reopened():
    """Closed from month 10 to 45 and from 70 to the end: three years, and none while only the second is known."""
    t = np.arange(120)
    assert cycles.closure(world(10, market_closed=((t >= 10) & (t < 46)) | (t >= 70))) == approx(3.0)
    with pytest.raises(NoValue, match="closed and reopened"):
        cycles.closure(world(10, market_closed=t >= 70))


def test_a_warning_counts_from_the_start_of_the_boom():
    """The peak is month 60, so the boom begins in month 24; a warning that stands then has no lag, one after the peak is none."""
    t, capex = np.arange(120), hill()
    peak = (world(10, capex=capex).bust("us").peak - pd.Period("2023-01", "M")).n
    for first, years in ((peak - 26, 10 / 12), (peak - 40, 0.0), (peak, 3.0)):
        assert cycles.warning_lag(world(10, capex=capex, warning=t >= first)) == approx(years)
    with pytest.raises(NoValue, match="nobody warned"):
        cycles.warning_lag(world(10, capex=capex, warning=t > peak))


def test_every_metric_says_what_it_measures():
    assert all(metric.__doc__ for metric in METRICS.values())
