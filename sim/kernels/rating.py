"""Deals paid down the scenario's paths, cell by cell: what each class loses, how often, and how long it is out."""

from typing import NamedTuple

import numpy as np
from numba import njit

from sim.kernels.draws import LANES, normal_cdf
from sim.kernels.freezing import freeze
from sim.kernels.layouts import blank_lanes, layout
from sim.kernels.scenarios import Beliefs, Obligors, Sampling, Scene, blank_scene, draw_cell
from sim.kernels.waterfall import demanding, spread, step

# Sums over the paths of a stratum: weight w, loss L, default D, life A = sum of years * principal, B = principal, over the balance.
W, WW, WL, WLL, WWL, WWLL, WD, WWD, WA, WB, WWAA, WWAB, WWBB = range(13)
SUMS = 13
UNTOUCHED = 1e-9  # loss, share of the claim, up to which a class was paid in full


class Book(NamedTuple):
    """Collateral of ``n`` deals over up to ``t`` periods, at constant technology, and the inputs that no path changes."""

    periods: np.ndarray  # (n,) int64, periods to pay
    months: np.ndarray  # (n,) length of a period
    delay: np.ndarray  # (n,) months until the first period begins, such as those to delivery
    contract: np.ndarray  # (n, t) USD/period, gross rent under today's contracts; NaN: the pool earns its yield
    market: np.ndarray  # (n, t) USD/period, gross rent let at market
    cost: np.ndarray  # (n, t) USD/period
    value: np.ndarray  # (n, t) USD, of a sale in a calm market
    appraisal: np.ndarray  # (n, t) USD; NaN none
    disposal: np.ndarray  # (n, t) USD, proceeds of a planned sale; NaN none
    threshold: np.ndarray  # (n, t) Phi^-1 of the share of a granular pool that defaults by then; -inf none
    recovery: np.ndarray  # (n, t) share of defaulted balance
    pool_yield: np.ndarray  # (n, t) 1/year
    amortisation_rate: np.ndarray  # (n, t) 1/period
    rate_index: np.ndarray  # (n, t) 1/year
    target: np.ndarray  # (n, t, k) USD, scheduled balance; NaN none
    tenant: np.ndarray  # (n, i) int64, place among the obligors; -1 none
    share: np.ndarray  # (n, i) of the gross rent
    contract_end: np.ndarray  # (n, i) int64, last period under contract
    guarantor: np.ndarray  # (n,) int64, place among the obligors; -1 none
    let: np.ndarray  # (n,) bool, whether market rents or values matter to the deal
    vacancy: np.ndarray  # (n,) int64, periods without rent after a contract
    kind: np.ndarray  # (n,) int64, place of the deal's ageing in ``ageing``
    ageing: np.ndarray  # (kinds,) share of market obsolescence suffered


@njit(cache=True, error_model="numpy")
def own_weights(weight, d, book, scene, nominal):
    """Weights of the paths for one deal: of the factors, and of what else it depends on, its months, tenants and guarantor."""
    weight[:] = scene.low
    if book.let[d]:
        weight *= scene.fast[last_month(d, book.periods[d] - 1, book, scene)]
    for i in range(book.tenant.shape[1]):
        if book.tenant[d, i] >= 0:
            weight *= scene.tilt[book.tenant[d, i]]
    if book.guarantor[d] >= 0:
        weight *= scene.tilt[book.guarantor[d]]
    plain = nominal / LANES
    for j in range(LANES):
        weight[j] = 1.0 / (plain + (1.0 - plain) * weight[j])


@njit(forceinline=True, cache=True)
def last_month(d, t, book, scene):
    """Place of the month in which period ``t`` ends."""
    return min(scene.rent.shape[1], max(1, int(np.ceil(book.delay[d] + (t + 1) * book.months[d] - 1e-9)))) - 1


@njit(cache=True, error_model="numpy")
def find_exits(exits, d, book, scene):
    """Last period in which each tenant pays its contract, (i, 64): the contract's end or the one before default."""
    for i in range(book.tenant.shape[1]):
        if book.tenant[d, i] >= 0:
            months, end = scene.default_month[book.tenant[d, i]], float(book.contract_end[d, i])
            delay, length = book.delay[d], book.months[d]
            for j in range(LANES):
                exits[i, j] = min(end, np.ceil((months[j] - delay) / length) - 1.0)


@njit(cache=True, error_model="numpy")
def collect_rent(revenue, d, t, book, exits, index):
    """Net rent of period ``t``: contracts, then a vacancy, then the market's rent; units that lose money stand idle."""
    contract, market, cost, vacancy = book.contract[d, t], book.market[d, t], book.cost[d, t], book.vacancy[d]
    free, now = 1.0, float(t + 1)
    for i in range(book.tenant.shape[1]):
        free -= book.share[d, i]
    for j in range(LANES):
        revenue[j] = max(0.0, free) * market * index[j] - cost
    for i in range(book.tenant.shape[1]):
        share = book.share[d, i]
        if share > 0.0:
            let, row = share * contract, exits[i]
            spot = share * market
            for j in range(LANES):
                relet = spot * index[j] if now > row[j] + vacancy else 0.0
                revenue[j] += let if now <= row[j] else relet
    for j in range(LANES):
        revenue[j] = revenue[j] if revenue[j] > 0.0 or contract != contract else 0.0


@njit(cache=True, error_model="numpy")
def default_pool(rate, before, threshold, credit, correlation):
    """Share of what is left of a granular pool that defaults in a period; ``before`` becomes the share gone (Vasicek 2002)."""
    common, own = np.sqrt(correlation), np.sqrt(1.0 - correlation)
    for j in range(LANES):
        gone = normal_cdf((threshold - common * credit[j]) / own)
        rate[j] = min(1.0, max(0.0, (gone - before[j]) / (1.0 - before[j]))) if before[j] < 1.0 else 0.0
        before[j] = gone


@njit(cache=True, error_model="numpy")
def open_deal(state, period, opening, terms):
    """Set every lane to the deal as it stands, and blank the inputs that not every deal has."""
    spread(state, opening, terms)
    period.default_rate[:] = period.recovery_rate[:] = 0.0
    period.appraisal[:] = period.disposal[:] = np.nan
    period.guarantor_failed[:] = 0


@njit(cache=True, error_model="numpy")
def fill_period(wide, period, d, t, book, scene, exits, before, correlation):
    """Inputs of period ``t``: those of the deal and those of the paths."""
    wide.pool_yield, wide.amortisation_rate = book.pool_yield[d, t], book.amortisation_rate[d, t]
    wide.index, wide.last = book.rate_index[d, t], t == book.periods[d] - 1
    wide.special = book.disposal[d, t] == book.disposal[d, t]
    for k in range(book.target.shape[2]):
        wide.target[k] = book.target[d, t, k]
    index = scene.rent[book.kind[d], last_month(d, t, book, scene)]
    value, appraisal, disposal, recovery = book.value[d, t], book.appraisal[d, t], book.disposal[d, t], book.recovery[d, t]
    collect_rent(period.revenue, d, t, book, exits, index)
    for j in range(LANES):
        period.market_value[j] = value * index[j] * scene.recovery[j]
    if book.threshold[d, t] > -np.inf:
        default_pool(period.default_rate, before, book.threshold[d, t], scene.credit, correlation)
    if recovery > 0.0:
        for j in range(LANES):
            period.recovery_rate[j] = min(1.0, recovery * scene.recovery[j])
    if appraisal == appraisal:
        for j in range(LANES):
            period.appraisal[j] = appraisal * index[j]
    for j in range(LANES):
        period.disposal[j] = disposal * index[j]
    if book.guarantor[d] >= 0:
        now = book.delay[d] + (t + 1) * book.months[d]
        for j in range(LANES):
            period.guarantor_failed[j] = 1 if scene.default_month[book.guarantor[d], j] <= now else 0


@njit(cache=True, error_model="numpy")
def gather(tally, discount, years, dt, rate, payment):
    """Add a period's cash to present values, principal and lives, (3, k, 64); each class is discounted at its own coupon."""
    for k in range(discount.size):
        discount[k] /= 1.0 + rate[k] * dt
        factor = discount[k]
        for j in range(LANES):
            principal = payment.principal[k, j]
            tally[0, k, j] += factor * (payment.interest[k, j] + principal)
            tally[1, k, j] += principal
            tally[2, k, j] += years * principal


@njit(cache=True, error_model="numpy")
def outstanding(balance):
    """Largest balance on any lane and class."""
    most = 0.0
    for k in range(balance.shape[0]):
        for j in range(LANES):
            most = max(most, balance[k, j])
    return most


@njit(cache=True, error_model="numpy")
def add_up(sums, k, weight, claim, value, repaid, life, nominal):
    """Add one class's paths to its sums."""
    for j in range(LANES):
        w, at = weight[j], sums[k, 0 if j < nominal else 1]
        loss = 1.0 - value[j] / claim if claim > 0.0 else 0.0
        loss = loss if loss > UNTOUCHED else 0.0
        hit = w if loss > 0.0 else 0.0
        a, b = (life[j] / claim, repaid[j] / claim) if claim > 0.0 else (0.0, 0.0)
        at[W] += w
        at[WW] += w * w
        at[WL] += w * loss
        at[WLL] += w * loss * loss
        at[WWL] += w * w * loss
        at[WWLL] += w * w * loss * loss
        at[WD] += hit
        at[WWD] += w * hit
        at[WA] += w * a
        at[WB] += w * b
        at[WWAA] += w * w * a * a
        at[WWAB] += w * w * a * b
        at[WWBB] += w * w * b * b


class Desk(NamedTuple):
    """What one thread works with."""

    lanes: np.ndarray  # (1,) record of state, period and payment in lanes
    wide: np.ndarray  # (1,) record of a period's deal-wide inputs
    scene: Scene
    weight: np.ndarray  # (64,)
    before: np.ndarray  # (64,) share of a pool that is gone
    exits: np.ndarray  # (i, 64) periods
    tally: np.ndarray  # (3, k, 64) present value, principal, years * principal
    discount: np.ndarray  # (k,)


def desk(classes: int, book: Book, obligors: Obligors) -> Desk:
    """Room for the deals of a book."""
    records = layout(classes)
    wide = records.blank("period", 1)
    months = max(1, int(np.ceil((book.delay + book.periods * book.months).max() - 1e-9)))
    scene = blank_scene(len(obligors.key), len(book.ageing), months)
    room = np.empty(LANES), np.empty(LANES), np.zeros((book.tenant.shape[1], LANES)), np.empty((3, classes, LANES))
    return Desk(blank_lanes(records, wide[0], LANES), wide, scene, *room, np.empty(classes))


@njit(cache=True, error_model="numpy", nogil=True)
def pay_cells(first, sums, row, terms, opening, book, obligors, beliefs, sampling, desk):
    """Pay deals ``row`` and on down cells ``first`` and on, and add up; see ``rate_cells``."""
    work, wide, scene, tally = desk.lanes[0], desk.wide[0], desk.scene, desk.tally
    for c in range(sums.shape[0]):
        draw_cell(scene, first + c, obligors, book.ageing, beliefs, sampling)
        for i in range(sums.shape[1]):
            d = row + i
            own_weights(desk.weight, d, book, scene, sampling.nominal)
            find_exits(desk.exits, d, book, scene)
            open_deal(work.state, work.period, opening[d], terms[d])
            tally[:] = 0.0
            desk.discount[:] = 1.0
            desk.before[:] = 0.0
            dt, fixed = terms[d].period_years, freeze(terms[d])
            demands = demanding(fixed)
            for t in range(book.periods[d]):
                fill_period(wide, work.period, d, t, book, scene, desk.exits, desk.before, beliefs.correlation)
                step(fixed, demands, wide, work.state, work.period, work.payment, False)
                gather(tally, desk.discount, (t + 1) * dt, dt, wide.rate, work.payment)
                if outstanding(work.state.balance) <= 0.0:
                    break
            for k in range(sums.shape[2]):
                claim = opening[d].balance[k] + opening[d].arrears[k]
                add_up(sums[c, i], k, desk.weight, claim, tally[0, k], tally[1, k], tally[2, k], sampling.nominal)


def rate_cells(
    first: int,
    sums: np.ndarray,
    row: int,
    terms: np.ndarray,
    opening: np.ndarray,
    book: Book,
    obligors: Obligors,
    beliefs: Beliefs,
    sampling: Sampling,
) -> None:
    """Pay some deals down some cells of scenarios; runs beside other threads.

    Parameters
    ----------
    first, row : first cell and first deal
    sums : (cells, deals, k, strata, sums), zeros; written
    terms, opening : (n,) records of the book
    """
    pay_cells(first, sums, row, terms, opening, book, obligors, beliefs, sampling, desk(sums.shape[2], book, obligors))
