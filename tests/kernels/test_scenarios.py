"""Scenarios: weights average to one, tenants default as often as they should, and draws depend on nothing else."""

import numpy as np
import pytest
from pytest import approx

from sim.collateral import obligors
from sim.kernels.draws import LANES
from sim.kernels.scenarios import Beliefs, blank_scene, draw_cell
from sim.rating_files import configured
from sim.ratings import sample

P = configured()
BELIEFS = Beliefs(0.3, 0.1, 0.2, 0.8, 0.6, 0.15, 1.0, 0.15)
TENANTS = obligors([7, 8], [0.02, 0.1], P.horizon)
MONTHS = 36


def draw(cells, plain=False, tenants=TENANTS, first=0):
    """Scenes of some cells, columns side by side, and the weight of every path for a deal with all the tenants."""
    found, sampling = [], sample(P, BELIEFS, plain=plain)
    for cell in range(first, first + cells):
        scene = blank_scene(len(tenants.key), 1, MONTHS)
        draw_cell(scene, cell, tenants, np.ones(1), BELIEFS, sampling)
        found.append(scene)
    columns = {name: np.concatenate([getattr(scene, name) for scene in found], axis=-1) for name in found[0]._fields}
    share = sampling.nominal / LANES
    weight = 1.0 / (share + (1.0 - share) * columns["low"] * columns["fast"][-1] * columns["tilt"].prod(axis=0))
    return columns, weight


@pytest.mark.parametrize("plain", [False, True])
def test_weighted_paths_have_the_moments_believed(plain):
    """Mean weight 1; tenants default within three years with 1 - 0.98^3 and 1 - 0.9^3; log rent falls by 0.3 a year."""
    paths, weight = draw(1024, plain)
    count = weight.size
    log_rent = np.log(paths["rent"][0, -1])
    wanted = [(np.ones(count), 1.0), (paths["credit"], 0.0), (paths["obsolescence"], 0.0), (log_rent, -0.9)]
    wanted += [(paths["default_month"][i] <= MONTHS, 1.0 - (1.0 - p) ** 3) for i, p in enumerate((0.02, 0.1))]
    for values, truth in wanted:
        error = (weight * values).std() / count**0.5
        assert abs((weight * values).mean() - truth) <= 4.0 * error + 1e-12
    variance = 9 * 0.1**2 + 3 * 0.15**2 + 3 * 0.15**2
    assert (weight * (log_rent + 0.9) ** 2).mean() == approx(variance, rel=0.05)


def test_no_path_weighs_more_than_one_over_the_share_drawn_as_believed():
    _, weight = draw(64)
    assert weight.min() > 0.0 and weight.max() <= LANES / P.nominal_paths


def test_a_tenants_fate_depends_neither_on_other_tenants_nor_on_where_the_run_began():
    """The same cell alone, and among others, with the tenant listed second: equal to the bit."""
    paths, _ = draw(3)
    alone, _ = draw(1, tenants=obligors([8], [0.1], P.horizon), first=2)
    assert np.array_equal(paths["default_month"][1, 2 * LANES :], alone["default_month"][0])
    assert np.array_equal(paths["rent"][0, :, 2 * LANES :], alone["rent"][0])


def test_tenants_default_together_as_their_correlation_says():
    """Bivariate normal with correlation 0.2 at 5.88 % and 27.1 %: both within three years with 2.62 %."""
    from scipy.stats import multivariate_normal

    paths, weight = draw(1024)
    both = weight * (paths["default_month"] <= MONTHS).all(axis=0)
    truth = multivariate_normal.cdf([-1.5649, -0.6098], cov=[[1.0, 0.2], [0.2, 1.0]])
    assert abs(both.mean() - truth) <= 4.0 * both.std() / both.size**0.5 + 1e-4
