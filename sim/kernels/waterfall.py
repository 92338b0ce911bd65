"""One payment date of one deal in twelve clauses, and the two drivers that call it.

The rules stand once, in ``step``. The book advances its deals one by one, on one lane each; ratings run one deal down
64 paths at a time. Records are those of ``sim.kernels.layouts``, clauses those of ``sim.kernels.clauses``.
"""

import numpy as np
from numba import njit

from sim.kernels.clauses import (
    DUST,
    FIXED,
    INTEREST_ONLY,
    MONTHS,
    MONTHS_OF_INTEREST,
    PRO_RATA,
    SCHEDULED,
    SHARE_OF_NOTES,
    accrue,
    blank,
    capitalise,
    close_accounts,
    collect,
    collect_special,
    cover_fees,
    cover_interest,
    fill_reserve,
    finish,
    opens,
    pay_fees,
    pay_interest_special,
    pay_principal_special,
    pay_the_rest,
    pull_ltv_trigger,
    pull_triggers,
    record_ratio,
    recorded_ratios,
    report,
    serve_facility,
    settle,
    total,
    use_excess,
    watch,
    write_down,
    write_off,
)
from sim.kernels.freezing import freeze
from sim.kernels.layouts import one_lane

PARTS = ("state", "period", "payment")
USUAL_WINDOW = 3  # periods of DSCR, the market's custom; other windows take a slower loop


@njit(forceinline=True, cache=True)
def open_period(terms, wide, state):
    """What is the same on every lane: age, coupons, the balances principal is to reach, the reserve's target.

    Returns dust in USD.
    """
    state.age += 1
    notional = 0.0
    wide.reserve_fixed = terms.reserve_target if terms.reserve_target_kind == FIXED else 0.0
    for k in range(len(terms.rank)):
        notional += terms.notional[k]
        wide.rate[k] = max(terms.floor[k], wide.index) + terms.margin[k] if terms.floating[k] else terms.coupon[k]
        wide.goal[k] = wide.target[k] if terms.mode == SCHEDULED else 0.0
        months = wide.rate[k] / MONTHS if terms.reserve_target_kind == MONTHS_OF_INTEREST else 0.0
        wide.reserve_weight[k] = terms.reserve_target * (1.0 if terms.reserve_target_kind == SHARE_OF_NOTES else months)
    return DUST * notional


@njit(inline="always", cache=True)
def roll_queue(terms, state, period, payment):
    """Defaults wait ``recovery_lag`` periods for their sale; sets what is sold now, at par."""
    slots = terms.recovery_lag + 1
    into, out = state.age % slots, (state.age + 1) % slots
    for j in range(payment.recovery.size):
        state.queue[into, j] = period.default_rate[j] * state.pool[j]
    for j in range(payment.recovery.size):
        payment.recovery[j] = state.queue[out, j] if state.age > terms.recovery_lag else 0.0


@njit(forceinline=True, cache=True)
def demanding(terms):
    """Whether terms seldom met, of which ``general`` clauses are made, ask for more than the common ones in every period."""
    needs = terms.facility_limit > 0.0 or terms.writes_down or terms.revolving_end > 0 or terms.mode == PRO_RATA
    needs = needs or terms.ltv_trigger == terms.ltv_trigger
    for k in range(len(terms.rank)):
        tested, margin = terms.oc_trigger[k] == terms.oc_trigger[k], terms.ard >= 0 and terms.ard_margin[k] > 0.0
        needs = needs or (k < terms.classes and (tested or margin or terms.pik[k] != 0 or not opens(terms, k)))
    return needs


@njit(inline="always", cache=True)
def in_default(terms, state):
    """Whether on some lane the deal is or was in default."""
    event = 0
    if terms.default_periods > 0 or terms.legal_final > 0:
        for lane in range(state.pool.size):
            j = np.uint64(lane)
            event |= state.in_default[j] | state.sold[j]
    return event != 0


@njit(inline="always", cache=True)
def pay_special(terms, wide, state, period, payment, dust, recorded, general):
    """Clauses 1 to 8 in full, each on all lanes: sales, principal cash, defaults and, if ``general``, the rarer terms."""
    lanes = payment.fees.size
    post_ard, past_ard = 0 <= terms.ard < state.age, 0 <= terms.ard <= state.age
    # 1. Collateral roll. 2. Senior fees.
    for lane in range(lanes):
        j = np.uint64(lane)
        blank(terms, state, payment, j, recorded, general)
        cash = collect(terms, wide, state, period, payment, j, True)
        cash = collect_special(cash, terms, state, period, payment, j)
        payment.residual[j] = pay_fees(cash, terms, state, payment, j, True)
        cover_fees(terms, state, payment, j, True, general)
    # 3. Liquidity facility; what is drawn below is repaid from the next period.
    if general and terms.facility_limit > 0.0:
        for lane in range(lanes):
            j = np.uint64(lane)
            payment.residual[j] = serve_facility(payment.residual[j], terms, state, payment, j)
    # 4. Interest by rank, OC tests.
    for lane in range(lanes):
        j = np.uint64(lane)
        accrue(terms, wide, state, payment, j, post_ard, True, general)
        payment.residual[j] = pay_interest_special(payment.residual[j], terms, wide, state, payment, j, dust, general)
    # 5. Reserve. 6. Principal.
    revolving = state.age <= terms.revolving_end and terms.mode != INTEREST_ONLY
    for lane in range(lanes):
        j = np.uint64(lane)
        cash = fill_reserve(payment.residual[j], terms, wide, state, payment, j, dust, True, True, general)
        cash = pay_principal_special(cash, terms, wide, state, period, payment, j, dust, revolving, general)
        payment.residual[j] = cash
    # 7. Triggers.
    if terms.dscr_window == USUAL_WINDOW:
        for lane in range(lanes):
            j = np.uint64(lane)
            payment.dscr_average[j] = record_ratio(state, payment, j, USUAL_WINDOW, dust)
    else:
        for lane in range(lanes):
            j = np.uint64(lane)
            payment.dscr_average[j] = record_ratio(state, payment, j, terms.dscr_window, dust)
    # 8. Turbo, sweep, trap, release.
    for lane in range(lanes):
        j = np.uint64(lane)
        ratios = payment.dscr_average[j]
        pull_triggers(ratios, terms, state, j)
        payment.dscr_average[j] = ratios / recorded_ratios(terms, state, j)
        if general:
            pull_ltv_trigger(terms, state, period, j, dust)
        payment.residual[j] = use_excess(payment.residual[j], terms, wide, state, payment, j, dust, past_ard, True, general)


@njit(inline="always", cache=True)
def pay_common(terms, wide, state, period, payment, dust):
    """Clauses 1 to 8 where no lane is in default: from cash first, then from the accounts. Returns whether fees are unpaid."""
    lanes = payment.fees.size
    post_ard, past_ard = 0 <= terms.ard < state.age, 0 <= terms.ard <= state.age
    late, thin = 0, 0
    for lane in range(lanes):
        j = np.uint64(lane)
        cash = collect(terms, wide, state, period, payment, j, False)
        cash = pay_fees(cash, terms, state, payment, j, False)
        late |= 1 if state.fee_arrears[j] > 0.0 else 0
        accrue(terms, wide, state, payment, j, post_ard, False, False)
        cash = settle(cash, terms, wide, state.arrears, payment.interest, j, dust, False, True)
        payment.residual[j] = cash
        thin |= 1 if cash <= 0.0 else 0
    if late != 0:
        for lane in range(lanes):
            cover_fees(terms, state, payment, np.uint64(lane), False, False)
    if thin != 0:
        for lane in range(lanes):
            j = np.uint64(lane)
            for k in range(len(terms.rank)):
                cover_interest(terms, wide, state, payment, k, j, dust, False, False)
            payment.residual[j] = fill_reserve(payment.residual[j], terms, wide, state, payment, j, dust, True, False, False)
    watched = terms.dscr_trap == terms.dscr_trap or terms.dscr_rapid == terms.dscr_rapid
    if watched and terms.dscr_window == USUAL_WINDOW and terms.mode != SCHEDULED:
        for lane in range(lanes):
            j = np.uint64(lane)
            cash = payment.residual[j]
            payment.residual[j] = finish(cash, terms, wide, state, payment, j, dust, past_ard, USUAL_WINDOW, False)
    elif watched and terms.dscr_window == USUAL_WINDOW:
        for lane in range(lanes):
            j = np.uint64(lane)
            cash = payment.residual[j]
            payment.residual[j] = finish(cash, terms, wide, state, payment, j, dust, past_ard, USUAL_WINDOW, True)
    else:
        if watched:
            for lane in range(lanes):
                j = np.uint64(lane)
                payment.dscr_average[j] = record_ratio(state, payment, j, terms.dscr_window, dust)
        for lane in range(lanes):
            j = np.uint64(lane)
            cash, scheduled = payment.residual[j], terms.mode == SCHEDULED
            payment.residual[j] = finish(cash, terms, wide, state, payment, j, dust, past_ard, 0, scheduled)
    return late != 0


@njit(inline="always", cache=True)
def close_period(terms, wide, state, payment, dust, late, recorded, events, general):
    """Clauses 9 to 12 on all lanes, after the accounts have repaid what they can once the notes are gone or the run ends."""
    lanes = payment.fees.size
    closing = 1 if wide.last or recorded else 0
    for lane in range(lanes):
        j = np.uint64(lane)
        redeemed = total(terms, state.balance, j) <= dust
        closing |= 1 if redeemed & (events | (state.reserve[j] + state.trap[j] > 0.0)) else 0
    if closing != 0:
        for lane in range(lanes):
            j = np.uint64(lane)
            redeemed = total(terms, state.balance, j) <= dust
            ends, cash = redeemed or wide.last, payment.residual[j]
            payment.residual[j] = close_accounts(cash, terms, wide, state, payment, j, dust, ends, general)
            state.pdl[j] = 0.0 if redeemed else state.pdl[j]
    # 9. to 11. Deferred interest after all principal, junior fees, residual.
    if late or recorded or general or terms.subordinated_fee_rate > 0.0:
        for lane in range(lanes):
            j = np.uint64(lane)
            payment.residual[j] = pay_the_rest(payment.residual[j], terms, wide, state, payment, j, dust, events, general)
    # 12. Write-down; after a sale, write-off; the next period's status.
    if general:
        for lane in range(lanes):
            capitalise(terms, state, payment, np.uint64(lane))
        if terms.writes_down:
            for lane in range(lanes):
                write_down(terms, state, np.uint64(lane))
    if events:
        for lane in range(lanes):
            write_off(terms, state, payment, np.uint64(lane), general)
    if terms.default_periods > 0 or terms.legal_final > 0:
        matured = 0 < terms.legal_final <= state.age
        for lane in range(lanes):
            watch(terms, state, np.uint64(lane), dust, matured)
    if recorded:
        for lane in range(lanes):
            report(terms, state, payment, np.uint64(lane))


@njit(inline="always", cache=True)
def step(terms, demands, wide, state, period, payment, recorded):
    """Pay one period of one deal on every lane: twelve clauses.

    A lane loop stays short: its instructions overlap from lane to lane, those of one long chain of cash would not. ``state``
    is advanced, ``payment`` overwritten; classes in order of rank. USD, 1/year, periods of ``terms.period_years``.

    Parameters
    ----------
    terms : record of the deal; frozen outside the loop over periods when there are many lanes
    demands : ``demanding(terms)``
    wide : deal-wide columns of the period
    state, period, payment : records of lanes
    recorded : constant; fill every column of ``payment``, otherwise only what is paid is sure to be filled in
    """
    dust = open_period(terms, wide, state)
    now = freeze(wide)
    if terms.recovery_lag > 0:
        roll_queue(terms, state, period, payment)
    if demands:
        pay_special(terms, now, state, period, payment, dust, recorded, True)
        close_period(terms, now, state, payment, dust, True, recorded, True, True)
    elif recorded or wide.special or in_default(terms, state):
        pay_special(terms, now, state, period, payment, dust, recorded, False)
        close_period(terms, now, state, payment, dust, True, recorded, True, False)
    else:
        late = pay_common(terms, now, state, period, payment, dust)
        close_period(terms, now, state, payment, dust, late, False, False, False)


@njit(cache=True)
def spread(state, opening, terms):
    """Set every lane to the deal as it stands; rings as far as the terms use them."""
    state.age = opening.age
    for k in range(opening.balance.size):
        state.balance[k, :], state.arrears[k, :], state.deferred[k, :] = opening.balance[k], opening.arrears[k], opening.deferred[k]
        state.write_down[k, :], state.pik_to_date[k, :] = opening.write_down[k], opening.pik_to_date[k]
    state.pool[:], state.pdl[:], state.reserve[:], state.trap[:] = opening.pool, opening.pdl, opening.reserve, opening.trap
    state.facility[:], state.facility_interest[:] = opening.facility, opening.facility_interest
    state.fee_arrears[:], state.defaulted_to_date[:] = opening.fee_arrears, opening.defaulted_to_date
    state.trapped[:], state.good_periods[:], state.rapid[:] = opening.trapped, opening.good_periods, opening.rapid
    state.early[:], state.ltv_sweep[:], state.guarantee_called[:] = opening.early, opening.ltv_sweep, opening.guarantee_called
    state.missed_periods[:], state.in_default[:] = opening.missed_periods, opening.in_default
    state.periods_to_sale[:], state.sold[:], state.dscr_count[:] = opening.periods_to_sale, opening.sold, opening.dscr_count
    for i in range(terms.dscr_window):
        state.dscr[i, :] = opening.dscr[i]
    for i in range(terms.recovery_lag + 1):
        state.queue[i, :] = opening.queue[i]


@njit(cache=True)
def pay_rows(rows, terms, wide, state, period, payment):
    """Advance the listed deals of a book, given as records of one lane, by one period."""
    for d in rows:
        step(terms[d], demanding(terms[d]), wide[d], state[d], period[d], payment[d], True)
        payment[d].age = state[d].age
        for k in range(len(terms[d].rank)):
            payment[d].coupon[k] = wide[d].rate[k]


def pay_book(rows: np.ndarray, terms: np.ndarray, state: np.ndarray, period: np.ndarray, payment: np.ndarray) -> None:
    """Advance the listed deals of a book by one period.

    Parameters
    ----------
    rows : (n,) int64, deals to pay
    terms, state, period, payment : (d,) records; other rows are left as they are
    """
    classes = terms.dtype["coupon"].shape[0]
    lanes = (part.view(one_lane(kind, classes)) for kind, part in zip(PARTS, (state, period, payment), strict=True))
    pay_rows(rows, terms, period, *lanes)


@njit(cache=True, error_model="numpy")
def pay_paths(terms, opening, wides, lanes, revenue, default_rate, interest, principal, every_period):
    """Run one deal down many paths that differ in revenue and defaults.

    Parameters
    ----------
    terms, opening : (1,) records of the deal
    wides : (t,) period records, what all paths share
    lanes : (1,) record of lanes; what its ``period`` holds beside revenue and default rate stays as it is
    revenue, default_rate : (cells, t, lanes) USD and 1/period
    interest, principal : (cells, t, k, lanes) USD, written; (cells, 1, k, lanes) over the life unless ``every_period``
    """
    work = lanes[0]
    state, period, payment = work.state, work.period, work.payment
    fixed = freeze(terms[0])
    demands = demanding(fixed)
    for cell in range(revenue.shape[0]):
        spread(state, opening[0], fixed)
        interest[cell], principal[cell] = 0.0, 0.0
        for t in range(revenue.shape[1]):
            for lane in range(revenue.shape[2]):
                j = np.uint64(lane)
                period.revenue[j] = revenue[cell, t, j]
                period.default_rate[j] = default_rate[cell, t, j]
            step(fixed, demands, wides[t], state, period, payment, False)
            row = t if every_period else 0
            for lane in range(revenue.shape[2]):
                j = np.uint64(lane)
                for k in range(len(fixed.rank)):
                    interest[cell, row, k, j] += payment.interest[k, j]
                    principal[cell, row, k, j] += payment.principal[k, j]
