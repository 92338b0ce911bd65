"""Deals paid down the scenario's paths, cell by cell: what each class loses, how often, and how long it is out."""

from typing import NamedTuple

import numpy as np
from numba import njit

from sim.kernels import INLINED, INTERNAL, LEAN
from sim.kernels.clauses import total
from sim.kernels.draws import LANES, normal_cdf
from sim.kernels.freezing import freeze
from sim.kernels.layouts import layout
from sim.kernels.packs import WIDTH, choose, in_lanes, pack_at, put_at, some
from sim.kernels.scenarios import Beliefs, Obligors, Sampling, Scene, blank_scene, copy, draw_cell
from sim.kernels.waterfall import demanding, dust_of, open_deal, prepare, step, watched

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


@njit(**INLINED)
def multiply(row, other):
    """Multiply the lanes by those of another row."""
    for j in range(LANES):
        row[j] *= other[j]


@njit(**INTERNAL)
def own_weights(weight, d, book, scene, nominal):
    """Weights of the paths for one deal: of the factors, and of what else it depends on, its months, tenants and guarantor."""
    copy(weight, scene.low)
    if book.let[d]:
        multiply(weight, scene.fast[last_month(d, book.periods[d] - 1, book, scene)])
    for i in range(book.tenant.shape[1]):
        if book.tenant[d, i] >= 0:
            multiply(weight, scene.tilt[book.tenant[d, i]])
    if book.guarantor[d] >= 0:
        multiply(weight, scene.tilt[book.guarantor[d]])
    plain = nominal / LANES
    for j in range(LANES):
        weight[j] = 1.0 / (plain + (1.0 - plain) * weight[j])


@njit(**INLINED)
def last_month(d, t, book, scene):
    """Place of the month in which period ``t`` ends."""
    return min(scene.rent.shape[1], max(1, int(np.ceil(book.delay[d] + (t + 1) * book.months[d] - 1e-9)))) - 1


@njit(**INTERNAL)
def find_exits(exits, d, book, scene):
    """Last period in which each tenant pays its contract, (i, 64): the contract's end or the one before default."""
    for i in range(book.tenant.shape[1]):
        if book.tenant[d, i] >= 0:
            months, end = scene.default_month[book.tenant[d, i]], float(book.contract_end[d, i])
            delay, length = book.delay[d], book.months[d]
            for j in range(LANES):
                exits[i, j] = min(end, np.ceil((months[j] - delay) / length) - 1.0)


@njit(**INTERNAL)
def default_pools(rates, before, d, book, scene, correlation):
    """Share of what is left of a granular pool that defaults in each period with a threshold, (t, 64) (Vasicek 2002)."""
    common, own = np.sqrt(correlation), np.sqrt(1.0 - correlation)
    before[:] = 0.0
    for t in range(book.periods[d]):
        threshold, rate = book.threshold[d, t], rates[t]
        if threshold > -np.inf:
            for j in range(LANES):
                gone = normal_cdf((threshold - common * scene.credit[j]) / own)
                rate[j] = min(1.0, max(0.0, (gone - before[j]) / (1.0 - before[j]))) if before[j] < 1.0 else 0.0
                before[j] = gone


@njit(**INTERNAL)
def fill_wides(desk, terms, d, book):
    """What no path changes in every period: its inputs, its last month, what a class's USD in it is worth today."""
    for t in range(book.periods[d]):
        wide = desk.wides[t]
        wide.pool_yield, wide.amortisation_rate = book.pool_yield[d, t], book.amortisation_rate[d, t]
        wide.index, wide.last = book.rate_index[d, t], t == book.periods[d] - 1
        wide.special = book.disposal[d, t] == book.disposal[d, t]
        for k in range(book.target.shape[2]):
            wide.target[k] = book.target[d, t, k]
        prepare(terms, wide)
        for k in range(desk.discount.shape[1]):
            before = desk.discount[t - 1, k] if t > 0 else 1.0
            desk.discount[t, k] = before / (1.0 + wide.rate[k] * terms.period_years)
        desk.month[t] = last_month(d, t, book, desk.scene)


@njit(**INLINED)
def rent_of(d, t, book, exits, lane, index):
    """Net rent of period ``t``: contracts, then a vacancy, then the market's rent; units that lose money stand idle."""
    contract, market, now = book.contract[d, t], book.market[d, t], float(t + 1)
    free = 1.0
    for i in range(book.tenant.shape[1]):
        free -= book.share[d, i]
    revenue = max(0.0, free) * market * index - book.cost[d, t]
    for i in range(book.tenant.shape[1]):
        share = book.share[d, i]
        if share > 0.0:
            last = pack_at(exits[i], lane)
            relet = choose(now > last + book.vacancy[d], share * market * index, 0.0)
            revenue += choose(now <= last, share * contract, relet)
    return choose((revenue > 0.0) | (contract != contract), revenue, 0.0)


@njit(**INLINED)
def fill_inputs(inputs, d, t, book, scene, desk, lane):
    """Inputs of period ``t`` that paths change."""
    index = pack_at(scene.rent[book.kind[d], desk.month[t]], lane)
    recovery = pack_at(scene.recovery, lane)
    inputs.revenue = rent_of(d, t, book, desk.exits, lane, index)
    inputs.market_value = book.value[d, t] * index * recovery
    inputs.default_rate = 0.0
    if book.threshold[d, t] > -np.inf:
        inputs.default_rate = pack_at(desk.rates[t], lane)
    inputs.recovery_rate = min(1.0, book.recovery[d, t] * recovery)
    inputs.appraisal, inputs.disposal = book.appraisal[d, t] * index, book.disposal[d, t] * index
    if book.guarantor[d] >= 0:
        months = book.delay[d] + (t + 1) * book.months[d]
        inputs.guarantor_failed = pack_at(scene.default_month[book.guarantor[d]], lane) <= months


@njit(**INLINED)
def gather(tally, discount, years, payment):
    """Add a period's cash to present values, principal and lives; each class is discounted at its own coupon."""
    for k in range(discount.size):
        tally.value[k] += discount[k] * (payment.interest[k] + payment.principal[k])
        tally.repaid[k] += payment.principal[k]
        tally.life[k] += years * payment.principal[k]


@njit(**INLINED)
def pay_lives(general, fixed, opening, d, book, scene, desk):
    """Pay a deal down the cell's paths and fill in ``desk.sums``; ``general`` is a constant, as in ``step``."""
    dust, ratios_count, dt = dust_of(fixed), watched(fixed), fixed.period_years
    for lane in range(0, LANES, WIDTH):
        state, inputs = in_lanes(opening), in_lanes(desk.wides[0])
        payment, tally = in_lanes(desk.payment[0]), in_lanes(desk.tally[0])
        open_deal(state, opening, fixed, general)
        for t in range(book.periods[d]):
            fill_inputs(inputs, d, t, book, scene, desk, lane)
            step(fixed, dust, general, desk.wides[t], state, inputs, payment, ratios_count)
            gather(tally, desk.discount[t], (t + 1) * dt, payment)
            if not some(total(fixed, state.balance) + total(fixed, state.arrears) > 0.0):
                break
        for k in range(len(fixed.rank)):
            put_at(desk.sums[0, k], lane, tally.value[k])
            put_at(desk.sums[1, k], lane, tally.repaid[k])
            put_at(desk.sums[2, k], lane, tally.life[k])


@njit(**INTERNAL)
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

    wides: np.ndarray  # (t,) records of periods
    payment: np.ndarray  # (1,) record, of which only the columns are used
    tally: np.ndarray  # (1,) likewise
    scene: Scene
    weight: np.ndarray  # (64,)
    rates: np.ndarray  # (t, 64) share of a pool that defaults; periods with a threshold only
    gone: np.ndarray  # (64,) scratch
    exits: np.ndarray  # (i, 64) periods
    sums: np.ndarray  # (3, k, 64) present value, principal, years * principal
    discount: np.ndarray  # (t, k) present value of a USD
    month: np.ndarray  # (t,) int64, place of the period's last month


def desk(classes: int, book: Book, obligors: Obligors) -> Desk:
    """Room for the deals of a book."""
    records, periods = layout(classes), int(book.periods.max())
    months = max(1, int(np.ceil((book.delay + book.periods * book.months).max() - 1e-9)))
    columns = np.zeros(1, dtype=[(name, np.float64, (classes,)) for name in ("value", "repaid", "life")])
    return Desk(
        wides=records.blank("period", periods),
        payment=records.blank("payment", 1),
        tally=columns,
        scene=blank_scene(len(obligors.key), len(book.ageing), months),
        weight=np.empty(LANES),
        rates=np.empty((periods, LANES)),
        gone=np.empty(LANES),
        exits=np.zeros((book.tenant.shape[1], LANES)),
        sums=np.empty((3, classes, LANES)),
        discount=np.empty((periods, classes)),
        month=np.empty(periods, dtype=np.int64),
    )


@njit(cache=True, nogil=True, **LEAN)
def pay_cells(first, sums, row, terms, opening, book, obligors, beliefs, sampling, desk):
    """Pay deals ``row`` and on down cells ``first`` and on, and add up; see ``rate_cells``."""
    scene = desk.scene
    for c in range(sums.shape[0]):
        draw_cell(scene, first + c, obligors, book.ageing, beliefs, sampling)
        for i in range(sums.shape[1]):
            d = row + i
            own_weights(desk.weight, d, book, scene, sampling.nominal)
            find_exits(desk.exits, d, book, scene)
            default_pools(desk.rates, desk.gone, d, book, scene, beliefs.correlation)
            fill_wides(desk, terms[d], d, book)
            fixed = freeze(terms[d])
            if demanding(fixed):
                pay_lives(True, fixed, opening[d], d, book, scene, desk)
            else:
                pay_lives(False, fixed, opening[d], d, book, scene, desk)
            for k in range(sums.shape[2]):
                claim = opening[d].balance[k] + opening[d].arrears[k]
                value, repaid, life = desk.sums[0, k], desk.sums[1, k], desk.sums[2, k]
                add_up(sums[c, i], k, desk.weight, claim, value, repaid, life, sampling.nominal)


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
