"""What a term does, one fact a test: events of default, LTV, guarantee, floating coupons, triggers met exactly."""

import pytest
from pytest import approx

from tests.kernels.deals import paid

A = {"name": "A", "balance": 100, "coupon": 0.12, "rank": 1}
B = {"name": "B", "balance": 50, "coupon": 0.24, "rank": 2}
DEAL = {"period_years": 1 / 12, "notes": [A, B], "pool_at_closing": 200, "mode": "interest_only"}


def run(periods, **terms):
    """Monthly deal: A is owed 1 a month, B 1."""
    return paid({"periods": periods, "deal": DEAL | terms})


def test_an_event_of_default_pays_all_interest_and_principal_rank_by_rank_from_the_next_period():
    """Nothing for two months. Month 3: 10 + reserve 6; A is owed 1 + 1.01 + 1.0201 = 3.0301, then 12.9699 principal."""
    table = run(
        4, revenue=[0, 0, 10, 10], default_periods=2, liquidation_lag=9, market_value=[0] * 4,
        reserve_at_closing=6, reserve_target=["fixed", 6], reserve_covers_rank=-1,
    )  # fmt: skip
    assert table["in_default"].tolist() == [0, 0, 1, 1]
    assert table["interest_A"][2] == approx(3.0301) and table["principal_A"][2] == approx(12.9699)
    assert table["reserve_drawn"][2] == 6.0 and table["reserve"][2] == 0.0 and table["interest_B"][2] == 0.0


def test_fees_are_uncapped_in_default():
    """Fees of 3 a month under a cap of 1; month 2 is paid in default: 2 carried + 3."""
    table = run(3, revenue=[1, 9, 9], fee_fixed=3, fee_cap=1, default_periods=1, liquidation_lag=9, market_value=[0] * 3)
    assert table["fees"].tolist() == [1.0, 5.0, 3.0]


def test_the_facility_is_repaid_before_notes_and_not_redrawn_in_default():
    """It lends A its 1 in month 1; B misses, A's note goes unpaid at its final month 1; month 2 repays 1 + 0.01."""
    table = run(
        3, revenue=[0, 5, 0], facility_limit=9, facility_rate=0.12, facility_covers_rank=1, legal_final=1,
        liquidation_lag=9, market_value=[0] * 3,
    )  # fmt: skip
    assert table["facility"].tolist() == approx([1.0, 0.0, 0.0])
    assert table["facility_interest_paid"][1] == approx(0.01) and table["interest_A"][2] == 0.0


def test_what_a_sale_leaves_unpaid_is_written_off_in_that_period():
    """Sale in month 3 for 120: A gets 3.0301 and 100, B the other 16.9699, of which 1 + 1.02 + 1.0404 is interest."""
    table = run(5, revenue=[0, 0, 0, 7, 7], default_periods=1, liquidation_lag=2, market_value=[0, 500, 120, 0, 0])
    owed_b = 1 + 1.02 + 1.02**2
    assert table["sale_proceeds"].tolist() == [0, 0, 120.0, 0, 0]
    assert table["interest_A"][2] == approx(3.0301) and table["principal_A"][2] == approx(100.0)
    assert table["interest_B"][2] == approx(owed_b) and table["principal_B"][2] == approx(20 - 3.0301 - owed_b)
    assert table["write_off_B"][2] == approx(50 - table["principal_B"][2]) and table["balance_B"][2:].tolist() == [0] * 3
    assert table["pool"][2:].tolist() == [0] * 3 and table["residual"][3:].tolist() == [7.0, 7.0]


def test_only_the_controlling_class_can_call_a_default():
    """A gets its 1 every month; B gets nothing, for ever."""
    table = run(6, revenue=[1] * 6, default_periods=1, market_value=[0] * 6)
    assert not table["in_default"].any() and table["arrears_B"][-1] > 0


def test_missed_periods_must_follow_each_other():
    """Months 1 and 3 are missed, month 2 is caught up: never two in a row."""
    table = run(5, revenue=[0, 9, 0, 9, 9], default_periods=2, market_value=[0] * 5)
    assert not table["in_default"].any()


def test_notes_left_at_legal_final_are_in_default_and_the_length_of_a_run_is_not_a_maturity():
    late = run(6, revenue=[9] * 6, legal_final=3, liquidation_lag=9, market_value=[0] * 6)
    assert late["in_default"].tolist() == [0, 0, 0, 1, 1, 1]
    assert not run(6, revenue=[9] * 6)["in_default"].any()


def test_a_sale_that_covers_all_leaves_no_loss():
    """Sold for 400 in month 2: 1.01 + 1 and 100, 1.02 + 1 and 50, fees none; the sponsor gets the rest."""
    table = run(3, revenue=[0, 0, 0], default_periods=1, liquidation_lag=1, market_value=[400] * 3)
    assert table["write_off_A"].sum() + table["write_off_B"].sum() == 0.0
    assert table["residual"][1] == approx(400 - 2.01 - 100 - 2.02 - 50)


def test_no_collateral_is_bought_in_default():
    terms = {"mode": "sequential", "pool_yield": [0.0] * 4, "amortisation_rate": [0, 0.1, 0.1, 0.1], "revolving_end": 4}
    table = run(4, default_periods=1, liquidation_lag=9, market_value=[0] * 4, **terms)
    assert not table["bought"].any() and table["principal_A"][1] > 0


def test_an_ltv_above_its_trigger_sweeps_all_excess_until_it_is_below():
    """150 / 160 > 0.9: the 7 over interest pays A. Then 100 / 160 and 90 / 180 (on), 80 / 180 (off) against 1/2."""
    first = run(1, revenue=[9], ltv_trigger=0.9, appraisal=[160])
    assert first["ltv_sweep"].tolist() == [1] and first["swept"][0] == approx(7.0) and first["residual"][0] == 0.0
    deal = DEAL | {"notes": [A | {"coupon": 0}], "revenue": [10, 10, 10], "ltv_trigger": "1/2"}
    table = paid({"periods": 3, "deal": deal | {"appraisal": [160, 180, 180]}})
    assert table["ltv_sweep"].tolist() == [1, 1, 0] and table["balance_A"][:2].tolist() == [90.0, 80.0]


@pytest.mark.parametrize(("proceeds", "cap", "fails", "guarantee"), [
    (90, None, None, 30), (90, 20, None, 20), (130, None, None, 0), (90, None, 2, 0), (90, None, 3, 30),
])  # fmt: skip
def test_a_guarantor_pays_strike_less_proceeds_up_to_its_cap_unless_it_failed(proceeds, cap, fails, guarantee):
    """Strike 120; sold in month 2."""
    table = run(
        3, revenue=[2] * 3, disposal=[None, proceeds, None], guarantee_strike=120, guarantee_cap=cap,
        guarantor_fails=fails,
    )  # fmt: skip
    assert table["guarantee_proceeds"].tolist() == [0, guarantee, 0]
    paid_out = table["principal_A"][1] + table["principal_B"][1]
    assert paid_out == approx(min(150, proceeds + guarantee))


def test_guarantee_proceeds_are_principal_outside_the_dscr():
    """Revenue 2 covers interest 2: DSCR 1 before and after 120 arrive and pay A 100 and B 20."""
    table = run(2, revenue=[2, 2], disposal=[None, 90], guarantee_strike=120)
    assert table["dscr_average"].tolist() == approx([1.0, 1.0])
    assert (table["principal_A"][1], table["principal_B"][1]) == (100.0, approx(20.0))


def test_a_guarantee_is_called_once():
    """It pays 30 at the disposal; the trustee's sale two months later finds it used."""
    table = run(
        4, revenue=[0] * 4, disposal=[10, None, None, None], guarantee_strike=40, default_periods=1,
        liquidation_lag=2, market_value=[0] * 4,
    )  # fmt: skip
    assert table["guarantee_proceeds"].tolist() == [30, 0, 0, 0]


def test_a_floating_coupon_is_the_floored_index_plus_margin():
    """max(2 %, index) + 4 %: indices 5 %, 1 %, -1 % give 9 %, 6 %, 6 %; on 100 for a month 0.75, 0.5, 0.5."""
    note = A | {"floating": True, "margin": 0.04, "floor": 0.02}
    table = run(3, notes=[note], revenue=[9] * 3, index=[0.05, 0.01, -0.01])
    assert table["coupon_A"].tolist() == approx([0.09, 0.06, 0.06])
    assert table["interest_A"].tolist() == approx([0.75, 0.5, 0.5])


@pytest.mark.parametrize("mode", ["sequential", "pro_rata", "interest_only", "scheduled"])
def test_principal_cash_pays_principal_in_every_mode_and_stays_out_of_the_dscr(mode):
    """30 arrive in month 1, while collections would still buy collateral."""
    terms = {"mode": mode, "revenue": [2, 2], "principal_cash": [30, 0], "revolving_end": 2}
    table = run(2, **terms)
    shares = (20, 10) if mode == "pro_rata" else (30, 0)
    assert (table["principal_A"][0], table["principal_B"][0]) == approx(shares)
    assert table["dscr_average"][0] == approx(1.0) and table["residual"][0] == 0.0


def test_principal_cash_towards_a_schedule_is_not_due_again():
    """Target 70 of 100: 30 from refinancing meet it, and the 5 of rent over interest are the sponsor's."""
    note = A | {"target_balance": [100, 70, 70]}
    table = run(2, notes=[note], mode="scheduled", revenue=[6, 6], principal_cash=[30, 0])
    assert table["principal_A"][0] == 30.0 and table["residual"][0] == approx(5.0)


def test_a_sponsors_cure_is_plain_cash():
    """Rent 1 plus cure 1 pays both classes; the DSCR is 1 / 2."""
    table = run(1, revenue=[1], other_cash=[1])
    assert table["interest_B"][0] == approx(1.0) and table["dscr_average"][0] == approx(0.5)


@pytest.mark.parametrize(("revenue", "trapped"), [(2.5, 0), (2.5 - 1e-13, 0), (2.5 - 1e-9, 1)])
def test_a_ratio_at_its_threshold_passes(revenue, trapped):
    """Debt service 2, trap 1.25: 2.5 passes, and so does less than a relative 1e-12 below."""
    assert run(1, revenue=[revenue], dscr_trap=1.25, dscr_window=1)["trapped"].tolist() == [trapped]


def test_a_dscr_is_not_recorded_without_debt_service():
    table = run(2, notes=[A | {"coupon": 0}], revenue=[9, 9], dscr_trap=2, dscr_window=1)
    assert table["dscr_average"].tolist() == [0, 0] and not table["trapped"].any()
