"""The Monte Carlo engine of pools against losses that others computed exactly."""

import csv
from functools import cache
from pathlib import Path

import numba
import numpy as np
from pytest import approx, mark, raises

from sim.pools import TrancheLoss, joint_tranche_losses, pool_tranche_loss

FOLDER = Path(__file__).parent / "reference"
PATHS = 100_000
FEWER = (1_000_000 / PATHS) ** 0.5  # standard errors against those of a million paths
LUMPY = {  # exposures, default probabilities, loss given default
    "one_tenant_60pct": ([60, 15, 10, 8, 7], [0.02, 0.05, 0.05, 0.08, 0.10], 0.5),
    "top5_equal": ([20] * 5, [0.05] * 5, 0.5),
    "single_tenant": ([1], [0.02], 0.5),
    "vantage_like": (
        [56.4, 10, 8, 6, 4.4, 5, 4, 3, 2, 1.2],
        [0.005, 0.02, 0.02, 0.03, 0.03, 0.08, 0.08, 0.08, 0.1, 0.1],
        0.45,
    ),
}
BONDS = [0.2, 0.2, 0.06, 0.3, 0.4, 0.65, 0.3, 0.23, 0.02, 0.12, 0.134, 0.21, 0.08, 0.1, 0.1, 0.02, 0.3, 0.015, 0.2, 0.03]


def rows(name: str) -> list[dict]:
    """Rows of a reference table, numbers as numbers."""
    with (FOLDER / name).open(encoding="utf-8") as file:
        return [{key: number(text) for key, text in row.items()} for row in csv.DictReader(file)]


def number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def deviation(found: float, error: float, exact: float) -> float:
    """Standard errors between an estimate and the truth; below 1e-12 there is nothing to tell."""
    return 0.0 if abs(found - exact) <= 1e-12 else (found - exact) / max(error, 1e-12)


@cache
def answers(name: str) -> list[tuple[dict, TrancheLoss]]:
    return [(row, ANSWER[name](row)) for row in rows(name)]


def fine(row: dict) -> TrancheLoss:
    return pool_tranche_loss(row["pd"], row["rho"], row["lgd"], row["attach"], row["detach"], paths=PATHS)


def equal(row: dict) -> TrancheLoss:
    weights = np.full(int(row["n"]), 1.0)
    return pool_tranche_loss(row["pd"], row["rho"], row["lgd"], row["attach"], row["detach"], weights, PATHS)


def lumpy(row: dict) -> TrancheLoss:
    weights, pd, lgd = LUMPY[row["set"]]
    return pool_tranche_loss(pd, row["rho"], lgd, row["attach"], row["detach"], weights, PATHS)


ANSWER = {"lhp_tranche_el.csv": fine, "finite_pool_tranche.csv": equal, "lumpy_pool.csv": lumpy}


@mark.parametrize("name", list(ANSWER))
def test_losses_of_a_table_are_within_four_standard_errors(name):
    for row, found in answers(name):
        assert abs(deviation(found.el, found.se, row["tranche_el"])) < 4.0, row


@mark.parametrize("name", list(ANSWER))
def test_a_million_paths_know_a_loss_to_one_percent(name):
    for row, found in answers(name):
        assert found.se <= FEWER * max(0.01 * row["tranche_el"], 1e-6), row


@mark.parametrize("name", list(ANSWER))
def test_probabilities_of_a_loss_are_those_of_the_table(name):
    """To six binomial standard errors: importance sampling may not spoil what plain paths would know."""
    for row, found in answers(name):
        exact = row["prob_any_loss"]
        assert abs(found.p_hit - exact) <= 6.0 * (max(exact * (1.0 - exact), 0.0) / PATHS) ** 0.5 + 1e-9, row


def test_the_error_of_a_probability_is_neither_too_small_nor_too_large():
    """Within four and a half of a hundred rows, none of them exact; |z| of a normal has mean 0.80."""
    found = [(row["prob_any_loss"], loss) for name in ANSWER for row, loss in answers(name)]
    sizes = [abs(deviation(loss.p_hit, loss.p_hit_se, exact)) for exact, loss in found if 0.0 < exact < 1.0]
    assert max(sizes) < 4.5 and 0.6 < np.mean(sizes) < 1.0


def test_a_loss_unpacks_into_four_and_knows_the_error_of_its_probability():
    """100,000 plain paths would know it to sqrt(p (1 - p) / 100,000); importance sampling knows it better."""
    loss = pool_tranche_loss(0.02, 0.2, 0.5, 0.1, 0.2, np.full(40, 1.0), 100_000)
    el, se, sd, p_hit = loss
    assert (el, se, sd, p_hit) == (loss.el, loss.se, loss.sd, loss.p_hit)
    assert 0.0 < loss.p_hit_se < (p_hit * (1.0 - p_hit) / 100_000) ** 0.5


@mark.parametrize("name", ["lhp_tranche_el.csv", "finite_pool_tranche.csv"])
def test_the_deviation_is_that_of_the_loss_and_not_of_the_estimator(name):
    for row, found in answers(name):
        assert found.sd == approx(row["tranche_sd"], rel=0.05, abs=1e-7), row


def test_standard_errors_are_neither_too_small_nor_too_large():
    """|z| of a normal has mean 0.80; rows without chance pull it down."""
    sizes = [abs(deviation(found.el, found.se, row["tranche_el"])) for name in ANSWER for row, found in answers(name)]
    assert 0.6 < np.mean(sizes) < 1.0


@mark.parametrize("row", rows("hetero_pool_coursera.csv"), ids=lambda row: f"{row['rho']}-{row['quantity']}")
def test_twenty_unequal_bonds_lose_what_the_course_published(row):
    """Losses in bonds: a tranche from 2 to 4 bonds is 0.1 to 0.2 of the pool."""

    def lost(first, last):
        return pool_tranche_loss(BONDS, row["rho"], 1.0, first / 20, last / 20, paths=PATHS)

    exact, kind = row["value"], row["quantity"]
    if kind == "mean":
        assert abs(deviation(lost(0, 20).el, lost(0, 20).se, exact / 20)) < 4.0
    elif kind == "variance":
        assert (20.0 * lost(0, 20).sd) ** 2 == approx(exact, rel=0.02)
    elif kind == "p3":
        assert lost(2, 3).p_hit - lost(3, 4).p_hit == approx(exact, abs=0.01)
    else:
        first, last = (int(part) for part in kind.split("_")[1:])
        assert abs(deviation(lost(first, last).el, lost(first, last).se, exact / (last - first))) < 4.0


@mark.parametrize("row", rows("common_tenant_two_deals.csv"))
def test_two_deals_with_a_common_tenant_lose_together(row):
    """One tenant in both deals, four equal ones in each."""
    share = row["shared_share"]
    weights = np.zeros((2, 9))
    weights[:, 0] = share
    weights[0, 1:5] = weights[1, 5:] = (1.0 - share) / 4
    pd = [row["pd_shared"]] + [row["pd_other"]] * 8
    found = joint_tranche_losses(pd, row["rho"], row["lgd"], weights, row["attach"], row["detach"], PATHS)
    for deal in (0, 1):
        assert abs(deviation(found.el[deal], found.se[deal], row["el_each"])) < 4.0
        assert found.p_hit[deal] == approx(row["prob_hit_one"], rel=0.03)
    assert abs(deviation(found.covariance, found.covariance_se, row["covariance"])) < 4.0
    assert abs(deviation(found.p_both, found.p_both_se, row["prob_hit_both"])) < 4.0
    assert found.correlation == approx(row["correlation"], abs=0.02)


def test_what_is_certain_is_exact():
    """No correlation in an infinitely fine pool, or defaults known: (0.6 x 0.05 - 0.02) / 0.02 = 1/2."""
    assert pool_tranche_loss(0.05, 0.0, 0.6, 0.02, 0.04) == approx((0.5, 0.0, 0.0, 1.0), abs=1e-12)
    assert pool_tranche_loss(0.05, 0.0, 0.6, 0.03, 0.04)[:3] == (0.0, 0.0, 0.0)
    assert pool_tranche_loss([1.0, 0.0], 0.3, 1.0, 0.0, 1.0) == (0.5, 0.0, 0.0, 1.0)
    assert pool_tranche_loss([0.0, 0.0], 0.3, 1.0, 0.0, 1.0) == (0.0, 0.0, 0.0, 0.0)
    assert pool_tranche_loss(0.1, 0.3, 0.4, 0.4, 1.0) == (0.0, 0.0, 0.0, 0.0)  # all lost, and the class not reached
    assert pool_tranche_loss(0.1, 0.3, 0.4, 0.0, 1.0).p_hit == 1.0  # of infinitely many some always default


def test_a_loss_that_ends_at_the_attachment_does_not_hit():
    """Three of ten at 0.1 each are 0.30000000000000004 in floating point: P(more than 3) = 0.0127952."""
    found = pool_tranche_loss(0.1, 0.0, 1.0, 0.3, 0.4, np.full(10, 0.1), PATHS)
    assert found.p_hit == approx(0.0127951984, rel=0.03)


def test_the_mean_of_unequal_obligors_is_their_weighted_mean():
    """Probabilities, losses and correlations of their own: sum w pd lgd, whatever the correlations."""
    rng = np.random.default_rng(4)
    pd, lgd, rho, weights = (
        rng.uniform(1e-4, 0.2, 40),
        rng.uniform(0.2, 0.8, 40),
        rng.uniform(0.0, 0.6, 40),
        rng.uniform(0.1, 5.0, 40),
    )
    found = pool_tranche_loss(pd, rho, lgd, 0.0, 1.0, weights, PATHS)
    assert abs(deviation(found.el, found.se, float(weights @ (pd * lgd) / weights.sum()))) < 4.0


def test_the_order_of_obligors_changes_no_bit():
    pd, weights = [0.01, 0.05, 0.2, 0.05], [4.0, 3.0, 2.0, 1.0]
    assert pool_tranche_loss(pd, 0.2, 0.5, 0.1, 0.3, weights, 10_000) == pool_tranche_loss(
        pd[::-1], 0.2, 0.5, 0.1, 0.3, weights[::-1], 10_000
    )


def test_two_threads_give_the_bits_of_one():
    most, results = numba.get_num_threads(), []
    for threads in (1, most):
        numba.set_num_threads(threads)
        results.append(pool_tranche_loss([0.01, 0.03, 0.1], 0.2, 0.5, 0.1, 0.3, paths=100_001, seed=5))
    assert results[0] == results[1]


def test_another_seed_gives_another_estimate_of_the_same_loss():
    found = [pool_tranche_loss(0.02, 0.2, 0.6, 0.07, 0.1, np.full(50, 1.0), 20_000, seed) for seed in range(40)]
    spread = np.std([each.el for each in found], ddof=1)
    assert spread == approx(np.mean([each.se for each in found]), rel=0.5)  # 40 estimates know it to 11 %


@mark.parametrize("change,words", [
    ({"pd": 1.2}, ["pd = 1.2", "share from 0 to 1"]),
    ({"pd": [0.1, -0.1]}, ["pd[1] = -0.1"]),
    ({"pd": float("nan")}, ["pd = nan"]),
    ({"rho": 1.0}, ["rho = 1.0", "below 1"]),
    ({"lgd": -0.1}, ["lgd = -0.1"]),
    ({"attach": 0.2, "detach": 0.2}, ["attach = 0.2", "detach = 0.2"]),
    ({"detach": 1.5}, ["detach = 1.5"]),
    ({"pd": [0.1, 0.2], "lgd": [0.5] * 3}, ["lengths differ", "'pd': 2", "'lgd': 3"]),
    ({"pd": [0.1, 0.2], "weights": [1.0] * 3}, ["lengths differ", "'weights': 3"]),
    ({"weights": [1.0, -1.0]}, ["weights", "at least 0"]),
    ({"weights": [0.0, 0.0]}, ["weights", "above 0"]),
    ({"pd": []}, ["no obligors"]),
    ({"paths": 1}, ["paths = 1"]),
    ({"seed": -1}, ["seed = -1"]),
])  # fmt: skip
def test_bad_input_is_one_clear_error(change, words):
    given = {"pd": 0.1, "rho": 0.2, "lgd": 0.6, "attach": 0.0, "detach": 0.1} | change
    with raises(ValueError) as error:
        pool_tranche_loss(**given)
    assert all(word in str(error.value) for word in words)


def test_joint_losses_need_two_rows_of_weights():
    with raises(ValueError, match=r"shape \(3,\)"):
        joint_tranche_losses([0.1] * 3, 0.2, 0.6, [1.0, 1.0, 1.0], 0.0, 0.1)
