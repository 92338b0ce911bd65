"""Scenarios of a rating: one set of paths a date, shared by every deal, seen through one agency's beliefs.

A cell is 64 neighbouring paths. Primitives (two factors, a uniform a tenant, a launch and a rent shock a month) are counter-based
draws keyed by date, path and tenant, so that two deals with one tenant see it fail on the same paths.

The first lanes of a cell are drawn as believed, the others with worse odds: the credit factor lowered, technology faster (its
factor, the rents' shocks and the launches together), tenants likelier to default and sooner. Both kinds are weighted together by
the balance heuristic (Veach and Guibas 1995; Owen and Zhou 2000), under which no path weighs more than one over the first kind's
share. Factors and tenants are spread over a cell by lattices, shifted at random from cell to cell (Cranley and Patterson 1976).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sim.kernels import INLINED, LEAN
from sim.kernels.draws import LANES, exponential, logarithm, normal_cdf, normal_quantile, stream_word, uniform, uniform_pair

STRATA = 2  # as believed, with worse odds
# Of the lattices: the factors', and those a tenant's is picked from; without a common divisor with usual numbers of lanes.
CREDIT_STEP, OBSOLESCENCE_STEP = 1, 11
STEPS = np.array((5, 7, 13, 17, 19, 23, 25, 29, 31, 35, 37, 41, 43, 47), dtype=np.float64)
FACTORS, TENANTS, PICKS, MONTHLY = (stream_word(f"rating_{name}") for name in ("factors", "tenants", "picks", "months"))
MONTHS = 12


class Beliefs(NamedTuple):
    """What an agency thinks of the market; numbers of ``sim.ratings.Agency``."""

    depreciation: float  # 1/year, mean decline of the log rent of a vintage
    dispersion: float  # 1/year, standard deviation of that decline between paths
    correlation: float  # share, of tenants' asset values
    recovery: float  # share of market value that a forced sale fetches when nobody else sells
    fire_sale_slope: float  # fall of the recovery per unit of the market's defaulted share
    rent_volatility: float  # 1/sqrt(year), of monthly shocks to the log rent
    launch_rate: float  # 1/year, chip generations launched
    launch_step: float  # fall of the log rent at a launch; the smooth decline is less by rate * step


class Sampling(NamedTuple):
    """How paths are drawn."""

    seed: np.uint64
    date: np.uint64
    nominal: int  # lanes of a cell drawn as believed; 64 draws all so, independently
    credit: float  # shift of the credit factor
    obsolescence: float  # shift of the obsolescence factor
    shock: float  # shift of each month's rent shock, standard deviations
    launches: float  # factor on the chance of a launch
    months: int  # in which shocks and launches are shifted
    power: float  # of a tenant's conditional default probability, in (0, 1]
    haste: float  # power of a default's place in time before the horizon, at least 1
    market: float  # Phi^-1 of the market's default share by the horizon


class Obligors(NamedTuple):
    """Tenants and guarantors."""

    key: np.ndarray  # (o,) uint64, 32-bit counter words
    hazard: np.ndarray  # (o,) 1/month
    threshold: np.ndarray  # (o,) Phi^-1 of the default probability by the horizon


class Scene(NamedTuple):
    """One cell of paths, lanes last."""

    credit: np.ndarray  # (64,) standard normal, low is bad
    obsolescence: np.ndarray  # (64,) standard normal, high is fast
    low: np.ndarray  # (64,) density of the lowered credit factor over the plain one
    fast: np.ndarray  # (months, 64) the same of faster technology up to a month
    default_month: np.ndarray  # (o, 64) month, from the date on
    tilt: np.ndarray  # (o, 64) probability of the tenant's fate in shifted lanes over that in plain ones
    recovery: np.ndarray  # (64,) share of market value that a forced sale fetches
    rent: np.ndarray  # (kinds, months, 64) rent over rent at constant technology; a kind is a rate of ageing
    faster: np.ndarray  # (64,) density of the raised obsolescence factor over the plain one
    frontier: np.ndarray  # (64,) scratch, as the next three
    noise: np.ndarray
    passed: np.ndarray
    shocked: np.ndarray


def blank_scene(obligors: int, kinds: int, months: int) -> Scene:
    """Room for one cell."""
    row, tenant = np.empty(LANES), np.empty((obligors, LANES))
    return Scene(
        credit=row.copy(),
        obsolescence=row.copy(),
        low=row.copy(),
        fast=np.empty((months, LANES)),
        default_month=tenant.copy(),
        tilt=tenant,
        recovery=row.copy(),
        rent=np.empty((kinds, months, LANES)),
        faster=row.copy(),
        frontier=row.copy(),
        noise=row.copy(),
        passed=row.copy(),
        shocked=row,
    )


@njit(**INLINED)
def copy(row, other):
    """Copy the lanes of another row."""
    for j in range(LANES):
        row[j] = other[j]


@njit(cache=True, **LEAN)
def spread(row, step, stream, index, entity, path, sampling):
    """Uniforms of a cell: a shifted lattice over each kind of lanes, or independent where all lanes are of one kind."""
    nominal, seed = sampling.nominal, sampling.seed
    for j in range(LANES):
        if nominal == LANES or j == 0 or j == nominal:
            row[j] = uniform(stream, index, entity, path + np.uint64(j), seed)
        else:
            first, lanes = (0, nominal) if j < nominal else (nominal, LANES - nominal)
            at = row[first] + (j - first) * step / lanes
            row[j] = max(at - np.floor(at), 1e-15)


@njit(cache=True, **LEAN)
def draw_factors(scene, sampling, path):
    """Credit and obsolescence factors, and the densities of the shifted ones at them."""
    a, b = sampling.credit, sampling.obsolescence
    z, w = scene.credit, scene.obsolescence
    spread(z, CREDIT_STEP, FACTORS, np.uint64(0), sampling.date, path, sampling)
    spread(w, OBSOLESCENCE_STEP, FACTORS, np.uint64(1), sampling.date, path, sampling)
    for j in range(LANES):
        worse = j >= sampling.nominal
        z[j] = normal_quantile(z[j]) + (a if worse else 0.0)
        w[j] = normal_quantile(w[j]) + (b if worse else 0.0)
        scene.low[j] = exponential(a * z[j] - 0.5 * a * a)
        scene.faster[j] = exponential(b * w[j] - 0.5 * b * b)


@njit(cache=True, **LEAN)
def draw_tenants(scene, obligors, beliefs, sampling, path):
    """Default months by a one-factor Gaussian copula (Li 2000), early where the credit factor is low."""
    common, own = np.sqrt(beliefs.correlation), np.sqrt(1.0 - beliefs.correlation)
    credit = scene.credit
    for i in range(obligors.key.size):
        key, hazard, threshold = obligors.key[i], obligors.hazard[i], obligors.threshold[i]
        months, tilt = scene.default_month[i], scene.tilt[i]
        step = STEPS[int(STEPS.size * uniform(PICKS, sampling.date, key, path, sampling.seed))]
        spread(months, step, TENANTS, sampling.date, key, path, sampling)
        for j in range(LANES):
            v = months[j]
            p = min(max(normal_cdf((threshold - common * credit[j]) / own), 1e-300), 1.0 - 2.0**-53)
            q = exponential(sampling.power * logarithm(p))
            soon = p * exponential(sampling.haste * logarithm(min(v / q, 1.0)))
            twisted = soon if v < q else p + (v - q) * (1.0 - p) / (1.0 - q)
            u = twisted if j >= sampling.nominal else v
            u = min(max(u, 1e-300), 1.0 - 2.0**-53)
            sooner = exponential((1.0 / sampling.haste - 1.0) * logarithm(min(u / p, 1.0))) / sampling.haste
            tilt[j] = q / p * sooner if u < p else (1.0 - q) / (1.0 - p)
            x = common * credit[j] + own * normal_quantile(u)
            months[j] = -logarithm(normal_cdf(-x)) / hazard


@njit(cache=True, **LEAN)
def draw_recovery(scene, beliefs, sampling):
    """What a forced sale fetches where many must sell."""
    common, own = np.sqrt(beliefs.correlation), np.sqrt(1.0 - beliefs.correlation)
    for j in range(LANES):
        sold = normal_cdf((sampling.market - common * scene.credit[j]) / own)
        scene.recovery[j] = max(0.0, beliefs.recovery - beliefs.fire_sale_slope * sold)


@njit(cache=True, **LEAN)
def draw_month(frontier, noise, chance, drift, month, path, beliefs, sampling):
    """Launches and rent shocks of a month, added to what came before on these lanes."""
    shock, step = beliefs.rent_volatility / np.sqrt(float(MONTHS)), beliefs.launch_step
    date, seed, index = sampling.date, sampling.seed, np.uint64(month)
    for lane in range(frontier.size):
        j = np.uint64(lane)
        first, second = uniform_pair(MONTHLY, index, date, path + j, seed)
        frontier[j] += step if first < chance else 0.0
        noise[j] += shock * (normal_quantile(second) + drift)


@njit(cache=True, **LEAN)
def weigh_month(fast, before, frontier, noise, passed, shocked, chance, drift, launches, beliefs):
    """Density of faster technology up to a month, from how far frontier and rents moved in it."""
    shock, step = beliefs.rent_volatility / np.sqrt(float(MONTHS)), beliefs.launch_step
    each, half = drift / shock if shock > 0.0 else 0.0, 0.5 * drift * drift
    none = (1.0 - chance * launches) / (1.0 - chance)
    for lane in range(LANES):
        j = np.uint64(lane)
        launch = frontier[j] - passed[j] > 0.5 * step
        likelihood = exponential(each * (noise[j] - shocked[j]) - half)
        fast[j] = before[j] * likelihood * (launches if launch else none)


@njit(cache=True, **LEAN)
def age_rents(index, frontier, noise, exposure):
    """Rent over what it is at constant technology; what suffers less obsolescence feels less of the rents' shocks too."""
    for lane in range(LANES):
        j = np.uint64(lane)
        index[j] = exponential(exposure * (noise[j] - frontier[j]))


@njit(cache=True, **LEAN)
def draw_rents(scene, ageing, beliefs, sampling, path):
    """Rent by kind and month over what it is at constant technology, and the density of faster technology by month."""
    frontier, noise, passed, shocked = scene.frontier, scene.noise, scene.passed, scene.shocked
    smooth = (beliefs.depreciation - beliefs.launch_rate * beliefs.launch_step) / MONTHS
    uncertain = beliefs.dispersion / MONTHS
    frontier[:] = noise[:] = 0.0
    before, nominal, chance = scene.faster, sampling.nominal, beliefs.launch_rate / MONTHS
    random = beliefs.rent_volatility > 0.0 or (chance > 0.0 and beliefs.launch_step > 0.0)
    for m in range(scene.fast.shape[0]):
        fast = scene.fast[m]
        drift, launches = (sampling.shock, sampling.launches) if m < sampling.months else (0.0, 1.0)
        if random:
            copy(passed, frontier)
            copy(shocked, noise)
            draw_month(frontier[:nominal], noise[:nominal], chance, 0.0, m + 1, path, beliefs, sampling)
            worse = path + np.uint64(nominal)
            draw_month(frontier[nominal:], noise[nominal:], chance * launches, drift, m + 1, worse, beliefs, sampling)
        if random and m < sampling.months:
            weigh_month(fast, before, frontier, noise, passed, shocked, chance, drift, launches, beliefs)
        else:
            copy(fast, before)
        before = fast
        for j in range(LANES):
            frontier[j] += smooth + uncertain * scene.obsolescence[j]
        for kind in range(ageing.size):
            age_rents(scene.rent[kind, m], frontier, noise, ageing[kind])


@njit(cache=True, **LEAN)
def draw_cell(scene, cell, obligors, ageing, beliefs, sampling):
    """Fill ``scene`` with cell number ``cell``, paths ``64 * cell`` and on.

    Parameters
    ----------
    ageing : (kinds,) share of the market's obsolescence and rent shocks that collateral of a kind suffers
    """
    path = np.uint64(cell) * np.uint64(LANES)
    draw_factors(scene, sampling, path)
    draw_tenants(scene, obligors, beliefs, sampling, path)
    draw_recovery(scene, beliefs, sampling)
    draw_rents(scene, ageing, beliefs, sampling, path)
