"""What the record splits adds up to what is split."""

import numpy as np
import pytest

from sim.books.deals import BUILDING, OPERATING
from sim.breakdowns import AGES, gpus_by_age, losses_by_holder, tenants
from sim.build import build
from sim.columns import HOLDERS
from sim.compose import resolve

LOST_BY = [f"lost_by_{kind}" for kind in (*HOLDERS, "banks")]


@pytest.fixture(scope="module")
def economy():
    found = build(resolve(["size=class", "horizon_years=3"]))
    for _ in range(70):
        found.step()
    return found


def test_losses_by_holder_add_up_to_the_loss(economy):
    rows = economy.deals.live()
    write_off = np.random.default_rng(0).random((len(rows), 2)) * (economy.deals["shares"][rows].sum(axis=2) > 0.5)
    found = losses_by_holder(economy, rows, write_off)
    assert sum(found.values()) == pytest.approx(write_off.sum(), rel=1e-9)
    assert set(found) <= set(LOST_BY) and sum(value > 0.0 for value in found.values()) > 3


def test_units_by_age_are_all_units_installed(economy):
    found = [gpus_by_age(economy, region) for region in economy.regions]
    installed = economy.fleet.count() - economy.fleet.on_order.sum()
    building = economy.fleet.deals["gpus"][economy.deals.live(BUILDING)].sum()
    assert sum(sum(ages.values()) for ages in found) == pytest.approx(installed - building, rel=1e-9)
    assert all(ages[name] > 0.0 for ages in found for name in AGES)


def test_users_payments_by_lab_are_their_regions(economy):
    for region in economy.regions:
        paid = sum(lab.revenue for lab in economy.all("lab", region))
        assert paid == pytest.approx(economy.facts[region]["inference_revenue"], rel=1e-12)


def test_every_live_deal_has_a_tenant_of_its_region(economy):
    for region in economy.regions:
        names = {f"{kind} {a.name}" for kind in ("lab", "cloud") for a in economy.all(kind, region)}
        assert set(tenants(economy, economy.rows(region, BUILDING, OPERATING))) <= names
