"""Measures that no column holds: models of two regions on one scale, and losses that a shared tenant's failure passes on."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.decisions.indirect import leads, training_labs
from analysis.decisions.quantities import load
from analysis.metrics.runs import Run
from sim.columns import COLUMNS
from sim.compose import resolve
from sim.markets import tokens

KNOWN = {quantity.id: quantity for quantity in load()}
PARAMS = resolve(["size=class"]).model_dump(mode="json", exclude={"outputs"})
P = tokens.Params(**PARAMS["sim"]["markets"]["tokens"])
PLACES = ("us", "china")


def run(quality: np.ndarray, training: np.ndarray, rent=(2.0, 2.0), life: float = 1.5, worth=(1.0, 1.0)) -> Run:
    """A run with (months, regions, labs) of quality and training."""
    months = np.arange(len(quality))
    rows = [
        {"month": m, "region": region, "kind": "lab", "quality": quality[m, r, n], "training": training[m, r, n]}
        for m in months
        for r, region in enumerate(PLACES)
        for n in range(quality.shape[2])
    ]
    rows += [{"month": m, "region": "us", "kind": "cloud", "quality": np.nan, "training": np.nan} for m in months]
    monthly = [
        {"month": m, "date": pd.Timestamp("2023-01-01") + pd.DateOffset(months=int(m)), "region": region}
        | {"rent": rent[r], "token_quality": worth[r], "model_half_life": life}
        for m in months
        for r, region in enumerate(PLACES)
    ]
    return Run({"agents": pd.DataFrame(rows), "monthly": pd.DataFrame(monthly)}, PARAMS)


def shares(of: Run) -> list[float]:
    return [KNOWN["frontier_share"].measure(of, place) for place in PLACES]


def test_alike_regions_have_half_of_the_frontier_each_and_the_better_model_more():
    """Best of four labs ahead by log 3: 3 + 1 of 3 + 1 + 1 + 1 is two thirds."""
    alike = np.zeros((14, 2, 2))
    better = alike.copy()
    better[:, 1, 0] = math.log(3.0) / P.choice
    assert shares(run(alike, np.ones_like(alike))) == pytest.approx([50.0, 50.0])
    assert shares(run(better, np.ones_like(alike))) == pytest.approx([100 / 3, 200 / 3])


@pytest.mark.parametrize("cheaper", [{"rent": (1.0, 2.0)}, {"worth": (1.0, 0.5)}, {"training": 2.0}])
def test_twice_the_training_compute_leads_by_what_the_law_of_training_has_at_rest(cheaper):
    """Ahead by effect x log 2 over decay (log 2 / 1.5 years), however the compute is had: dearer, worse or less of it."""
    quality, training = np.zeros((14, 2, 3)), np.ones((14, 2, 3))
    training[:, 0] *= cheaper.pop("training", 1.0)
    lead = P.choice * P.training_effect * math.log(2.0) / (math.log(2.0) / 1.5)
    expected = 100.0 / (1.0 + math.exp(-lead))
    assert shares(run(quality, training, **cheaper)) == pytest.approx([expected, 100.0 - expected])


def test_labs_on_one_scale_move_as_if_the_model_trained_them_all_in_one_region():
    rng, life = np.random.default_rng(3), 1.2
    training = np.exp(rng.normal(size=(30, 2, 3)))
    quality, pooled = np.zeros((30, 2, 3)), np.zeros((30, 6))
    of = run(quality, training, life=life)
    ahead = leads(P, training_labs(of, of.months), of.months)[list(PLACES)].to_numpy()
    pooled[0] = np.repeat(ahead[0], 3)
    for month in range(1, 30):
        noise = rng.normal(size=(2, 3))
        for r in range(2):
            quality[month, r] = tokens.improve(P, quality[month - 1, r], training[month - 1, r], life, noise[r])
        pooled[month] = tokens.improve(P, pooled[month - 1], training[month - 1].ravel(), life, noise.ravel())
    assert np.allclose(pooled.reshape(30, 2, 3), quality + ahead[:, :, None], atol=1e-12)


def test_a_lab_that_has_stopped_training_has_no_users_to_win():
    quality, training = np.zeros((14, 2, 2)), np.ones((14, 2, 2))
    training[:, 0, 0] = 0.0
    assert shares(run(quality, training)) == pytest.approx([100 / 3, 200 / 3])


def test_one_region_has_no_share_of_a_frontier():
    both = run(np.zeros((14, 2, 2)), np.ones((14, 2, 2)))
    alone = Run({name: table[table["region"] == "us"] for name, table in both.tables.items()}, PARAMS)
    assert np.isnan(KNOWN["frontier_share"].measure(alone, "us"))


# -- contagion ---------------------------------------------------------------------------------------------------------


def deal(sponsor: str, loss: float, issued: int, default: int, tenant: str = "lab 01", **more) -> dict:
    kept = {"region": "us", "sponsor": sponsor, "tenant": tenant, "purpose": "build", "issued": issued, "loss": loss * 1e9}
    return kept | {"notional_senior": 1.0, "notional_mezzanine": 0.0, "default": default} | more


def passed_on(deals: list[dict], failures=((5, "us", "lab 01"),), region: str = "us") -> float:
    table = pd.DataFrame(deals).assign(deal=range(len(deals)))
    events = [{"month": d["default"], "kind": "default", "region": d["region"], "deal": n} for n, d in enumerate(deals)]
    events += [{"month": m, "kind": "failure", "region": r, "party": p, "deal": -1} for m, r, p in failures]
    monthly = pd.DataFrame([{"month": 0, "date": pd.Timestamp("2023-01-01"), "region": place} for place in PLACES])
    tables = {
        "deals": table.drop(columns="default"),
        "events": pd.DataFrame(events, columns=list(COLUMNS["events"])),
        "monthly": monthly,
    }
    return KNOWN["contagion"].measure(Run(tables, PARAMS), region)


HIT = [deal("00", 3.0, 0, 8), deal("01", 4.0, 1, 5)]


def test_what_sponsors_lose_after_a_tenant_that_they_share_has_failed_is_passed_on():
    assert passed_on(HIT) == pytest.approx(7.0) and passed_on(HIT, region="world") == pytest.approx(7.0)
    assert passed_on(HIT, region="china") == 0.0 and passed_on(HIT, failures=()) == 0.0


@pytest.mark.parametrize(
    "other",
    [
        deal("02", 9.0, 0, 4),  # lost before the failure
        deal("02", 9.0, 6, 9),  # closed after it
        deal("02", 9.0, 0, 8, tenant="lab 02"),  # another tenant, which has not failed
        deal("02", 9.0, 0, 8, region="china"),  # a namesake abroad
        deal("02", 9.0, 0, 8, purpose="borrow"),  # the lab's own debt
        deal("02", 9.0, 0, 8, tenant=None),
    ],
)
def test_other_losses_are_not(other):
    assert passed_on([*HIT, other]) == pytest.approx(7.0)


def test_one_sponsor_alone_has_nobody_to_share_a_loss_with():
    assert passed_on([deal("00", 3.0, 0, 8), deal("00", 4.0, 0, 9)]) == 0.0


def test_a_second_failure_counts_for_deals_that_closed_after_the_first():
    assert passed_on([deal("00", 3.0, 6, 12), deal("01", 4.0, 7, 13)], [(5, "us", "lab 01"), (10, "us", "lab 01")]) == 7.0
