"""What holds for every deal in every period: conservation, seniority, homogeneity, par."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from sim.kernels.yields import present_value
from tests.kernels.deals import FLAGS, MODES, paid, random_deal

FILES = st.builds(random_deal, st.integers(0, 10**6), st.sampled_from(MODES), st.booleans(), st.just(5))
NEAR = 1e-9
quick = settings(max_examples=150)


def size_of(file):
    return float(sum(note["balance"] for note in file["deal"]["notes"]))


def by_class(file, table, column):
    """A column of every class, (t, k), in the file's order."""
    return np.stack([table[f"{column}_{note['name']}"] for note in file["deal"]["notes"]], axis=1)


def before(values, first):
    """The column a period earlier."""
    return np.concatenate([[first], values[:-1]])


def without(file, *names):
    """The deal with these terms at their defaults."""
    return file | {"deal": {name: value for name, value in file["deal"].items() if name not in names}}


@quick
@given(file=FILES)
def test_cash_in_is_cash_out_and_change_of_accounts(file):
    """C1."""
    table, deal = paid(file), file["deal"]
    sources = ("revenue", "scheduled", "recovery", "reserve_income", "principal_cash", "facility_drawn")
    uses = ("fees", "fees_over_cap", "facility_interest_paid", "facility_repaid", "paid_for_collateral")
    uses += ("subordinated_fees", "residual")
    cash_in = sum(table[name] for name in sources) + np.array(deal.get("other_cash", [0] * file["periods"]), float)
    cash_out = sum(table[name] for name in uses)
    cash_out = cash_out + sum(by_class(file, table, name).sum(axis=1) for name in ("interest", "principal"))
    cash_out += by_class(file, table, "deferred_paid").sum(axis=1)
    opening = before(table["reserve"], float(deal.get("reserve_at_closing", 0))) + before(table["trap"], 0.0)
    assert cash_in + opening == approx(cash_out + table["reserve"] + table["trap"], abs=NEAR * size_of(file))


@quick
@given(file=FILES)
def test_balances_and_pool_roll_and_accounts_stay_positive(file):
    """C2 to C5."""
    table, near = paid(file), NEAR * size_of(file)
    balance, principal, pik, lost = (by_class(file, table, c) for c in ("balance", "principal", "pik", "write_off"))
    notes = np.array([float(note["balance"]) for note in file["deal"]["notes"]])
    opening = np.vstack([notes, balance[:-1]])
    assert balance == approx(opening - principal + pik - lost, abs=near)
    assert notes + pik.sum(axis=0) == approx(principal.sum(axis=0) + balance[-1] + lost.sum(axis=0), abs=near)
    pool = before(table["pool"], float(file["deal"]["pool_at_closing"]))
    gone = table["scheduled"] + table["defaulted"] + table["pool_sold"]
    assert table["pool"] == approx(pool - gone + table["bought"], abs=near)
    roll = before(table["facility"], 0.0) + table["facility_drawn"] - table["facility_repaid"]
    assert table["facility"] == approx(roll - table["facility_write_off"], abs=near)
    for column, values in table.items():
        assert column.startswith(("coupon", "dscr")) or (values >= 0.0).all(), column


@quick
@given(seed=st.integers(0, 10**6), mode=st.sampled_from(MODES[:2]))
def test_the_ledger_explains_notes_over_pool(seed, mode):
    """C6: notes - pool = PDL - over-collateralisation at closing + PIK, while nothing but principal due is paid."""
    names = ("ard", "dscr_rapid", "sweep_share", "oc_triggers", "purchase_price")
    file = without(random_deal(seed, mode), *names)
    table, deal = paid(file), file["deal"]
    notes = by_class(file, table, "balance").sum(axis=1)
    pik = by_class(file, table, "pik").sum(axis=1).cumsum()
    cushion = float(deal["pool_at_closing"]) - size_of(file)
    live = notes[:-1] > NEAR * size_of(file)
    gap = notes - table["pool"] - (table["pdl"] - cushion + pik)
    assert gap[:-1][live] == approx(0.0, abs=NEAR * size_of(file))


@quick
@given(file=FILES)
def test_write_downs_are_what_collateral_and_accounts_do_not_cover(file):
    """C7: max(0, notes - (pool + reserve + trap)), from the bottom rank up."""
    file["deal"]["writes_down"] = True
    table = paid(file)
    balance, down = by_class(file, table, "balance"), by_class(file, table, "write_down")
    cover = table["pool"] + table["reserve"] + table["trap"]
    uncovered = np.minimum(np.maximum(0.0, balance.sum(axis=1) - cover), balance.sum(axis=1))
    near = NEAR * size_of(file)
    assert down.sum(axis=1) == approx(uncovered, abs=near)
    ranks = np.array([note["rank"] for note in file["deal"]["notes"]])
    for rank in ranks:
        senior = down[:, ranks == rank].sum(axis=1) > near
        junior = ranks > rank
        assert down[senior][:, junior] == approx(balance[senior][:, junior], abs=near)


@quick
@given(file=FILES)
def test_no_junior_interest_while_senior_interest_is_unpaid(file):
    table, near = paid(file), NEAR * size_of(file)
    interest = by_class(file, table, "interest")
    unpaid = by_class(file, table, "arrears") + by_class(file, table, "pik")
    ranks = np.array([note["rank"] for note in file["deal"]["notes"]])
    for rank in ranks:
        short = unpaid[:, ranks == rank].sum(axis=1) > near
        assert (interest[short][:, ranks > rank] <= near).all()


@quick
@given(seed=st.integers(0, 10**6))
def test_sequential_principal_reaches_no_class_before_its_seniors_are_paid(seed):
    file = random_deal(seed, "sequential", extended=bool(seed % 2))
    table, near = paid(file), NEAR * size_of(file)
    principal = by_class(file, table, "principal")
    left = by_class(file, table, "balance") - by_class(file, table, "pik") + by_class(file, table, "write_off")
    ranks = np.array([note["rank"] for note in file["deal"]["notes"]])
    for rank in ranks:
        open_ = left[:, ranks == rank].sum(axis=1) > near
        assert (principal[open_][:, ranks > rank] <= near).all()


USD_TERMS = ("fee_fixed", "fee_cap", "reserve_at_closing", "facility_limit", "pool_at_closing", "guarantee_strike")
USD_TERMS += ("guarantee_cap", "revenue", "other_cash", "principal_cash", "disposal", "appraisal", "market_value")


def scaled(value, factor):
    if isinstance(value, list):
        return [scaled(below, factor) for below in value]
    return value if value is None else value * factor


@quick
@given(file=FILES)
def test_a_deal_eight_times_as_large_pays_eight_times_as_much_to_the_bit(file):
    """Eight is a power of two: rounding, dust and thresholds scale with it."""
    deal = {name: scaled(value, 8) if name in USD_TERMS else value for name, value in file["deal"].items()}
    deal["notes"] = [
        {name: scaled(value, 8) if name in ("balance", "target_balance") else value for name, value in note.items()}
        for note in deal["notes"]
    ]
    if deal.get("reserve_target", ["months"])[0] == "fixed":
        deal["reserve_target"] = ["fixed", deal["reserve_target"][1] * 8]
    small, large = paid(file), paid(file | {"deal": deal})
    plain = ("period", "dscr_average", *FLAGS)
    for column, values in small.items():
        factor = 1 if column in plain or column.startswith("coupon_") else 8
        assert np.array_equal(large[column], factor * values), column


def total(file, table, names, column):
    return sum(table[f"{column}_{name}"] for name in names)


@quick
@given(file=FILES)
def test_splitting_a_class_pari_passu_changes_nothing(file):
    """Its halves together get what it got."""
    first, *rest = file["deal"]["notes"]
    half = {"balance": first["balance"] / 2} | (
        {"target_balance": [value / 2 for value in first["target_balance"]]} if "target_balance" in first else {}
    )
    split = [first | half | {"name": "left"}, first | half | {"name": "right"}, *rest]
    one, two = paid(file), paid(file | {"deal": file["deal"] | {"notes": split}})
    near = NEAR * size_of(file)
    for column in ("interest", "principal", "pik", "arrears", "deferred_paid", "write_down", "balance", "write_off"):
        halves = two[f"{column}_left"] + two[f"{column}_right"]
        assert halves == approx(one[f"{column}_{first['name']}"], abs=near)
    assert two["residual"] == approx(one["residual"], abs=near)


@quick
@given(file=FILES, rank=st.integers(1, 3))
def test_a_class_without_balance_changes_nothing(file, rank):
    ghost = {"name": "ghost", "balance": 0, "coupon": 0.1, "rank": rank}
    one, two = paid(file), paid(file | {"deal": file["deal"] | {"notes": [ghost, *file["deal"]["notes"]]}})
    for column, values in one.items():
        assert two[column] == approx(values, abs=NEAR * size_of(file)), column


@quick
@given(seed=st.integers(0, 10**6), mode=st.sampled_from(MODES))
def test_present_value_at_its_own_coupon_is_par_for_a_class_repaid_and_below_par_otherwise(seed, mode):
    """Interest on interest at the coupon, or PIK; no write-down, no margin after the ARD."""
    file = without(random_deal(seed, mode), "writes_down")
    for note in file["deal"]["notes"]:
        note.update(interest_on_interest=1, ard_margin=0)
    table, years = paid(file), float(file["deal"]["period_years"])
    for note in file["deal"]["notes"]:
        name, par = note["name"], float(note["balance"])
        value = present_value(table[f"interest_{name}"] + table[f"principal_{name}"], float(note["coupon"]), years)
        owed = table[f"balance_{name}"][-1] + table[f"arrears_{name}"][-1]
        if owed == 0.0:
            assert value == approx(par, rel=1e-9, abs=NEAR * size_of(file))
        else:
            assert value < par


def test_a_deal_without_notes_or_cash_pays_nothing_for_ever():
    """One class repaid in period 1; 59 periods later every column but the clock is still zero."""
    deal = {"period_years": 1 / 12, "notes": [{"name": "A", "balance": 100, "coupon": 0.12, "rank": 1}]}
    deal |= {"pool_at_closing": 100, "pool_yield": [0.12] * 60, "amortisation_rate": [1.0] * 60}
    table = paid({"periods": 60, "deal": deal})
    assert table["principal_A"][0] == 100.0 and table["interest_A"][0] == approx(1.0)
    still = ("period", "dscr_average", "coupon_A")
    assert all((values[1:] == 0).all() for column, values in table.items() if column not in still)


def test_once_the_notes_are_gone_all_revenue_is_the_sponsors():
    deal = {"period_years": 1 / 12, "notes": [{"name": "A", "balance": 100, "coupon": 0.12, "rank": 1}]}
    deal |= {"pool_at_closing": 100, "revenue": [200.0] + [7.0] * 9, "reserve_at_closing": 5, "sweep_share": 1}
    deal |= {"reserve_target": ["fixed", 5], "mode": "interest_only"}
    table = paid({"periods": 10, "deal": deal})
    assert table["residual"].tolist() == [104.0] + [7.0] * 9


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e12])
def test_dust_is_measured_in_original_notes(unit):
    """A third of the notes paid three times leaves nothing, in any unit of money."""
    deal = {"period_years": 0.25, "notes": [{"name": "A", "balance": unit, "coupon": 0.0, "rank": 1}]}
    deal |= {"pool_at_closing": unit, "pool_yield": [0.0] * 4, "principal_cash": [unit / 3] * 4}
    assert paid({"periods": 4, "deal": deal})["balance_A"][2:].tolist() == [0.0, 0.0]
