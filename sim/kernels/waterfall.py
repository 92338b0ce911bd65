"""One payment date of one deal in twelve clauses, and the two drivers that call it.

The rules stand once, in ``pay``. The book advances its deals one by one, each on its own record; ratings run one deal down
``WIDTH`` paths at a time, whose numbers stay in vector registers. Records are those of ``sim.kernels.layouts``, clauses those
of ``sim.kernels.clauses``.
"""

from numba import njit

from sim.kernels import INLINED, LEAN, UNCOUNTED
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
    fill_reserve,
    opens,
    pay_fees,
    pay_interest,
    pay_principal,
    pay_principal_special,
    pay_the_rest,
    pull_ltv_trigger,
    pull_triggers,
    record_ratio,
    recorded_ratios,
    report,
    serve_facility,
    total,
    use_excess,
    watch,
    write_down,
    write_off,
)
from sim.kernels.freezing import freeze
from sim.kernels.packs import WIDTH, choose, in_lanes, pack_at, put_at, some

USUAL_WINDOW = 3  # periods of DSCR, the market's custom; other windows take a slower loop


@njit(**INLINED)
def prepare(terms, wide):
    """Set what is the same on every path of a period: coupons, the balances principal is to reach, the reserve's target."""
    wide.reserve_fixed = terms.reserve_target if terms.reserve_target_kind == FIXED else 0.0
    for k in range(len(terms.rank)):
        wide.rate[k] = max(terms.floor[k], wide.index) + terms.margin[k] if terms.floating[k] else terms.coupon[k]
        wide.goal[k] = wide.target[k] if terms.mode == SCHEDULED else 0.0
        months = wide.rate[k] / MONTHS if terms.reserve_target_kind == MONTHS_OF_INTEREST else 0.0
        wide.reserve_weight[k] = terms.reserve_target * (1.0 if terms.reserve_target_kind == SHARE_OF_NOTES else months)


@njit(**INLINED)
def dust_of(terms):
    """USD that count as nothing."""
    notional = 0.0
    for k in range(len(terms.rank)):
        notional += terms.notional[k]
    return DUST * notional


@njit(**INLINED)
def demanding(terms):
    """Whether terms seldom met, of which ``general`` clauses are made, ask for more than the common ones in every period."""
    needs = terms.facility_limit > 0.0 or terms.writes_down or terms.revolving_end > 0 or terms.mode == PRO_RATA
    needs = needs or terms.ltv_trigger == terms.ltv_trigger or terms.dscr_window != USUAL_WINDOW
    for k in range(len(terms.rank)):
        margin = terms.ard >= 0 and terms.ard_margin[k] > 0.0
        needs = needs or (k < terms.classes and (margin or terms.pik[k] != 0 or not opens(terms, k)))
    return needs


@njit(**INLINED)
def watched(terms):
    """Whether the debt service coverage pulls a trigger."""
    return terms.dscr_trap == terms.dscr_trap or terms.dscr_rapid == terms.dscr_rapid


@njit(**INLINED)
def pay(terms, wide, state, period, payment, dust, ratios_count, events, general):
    """The clauses of a period. Constants: ``events``, some path has a sale or a default; ``general``, rarer terms apply."""
    post_ard, past_ard = 0 <= terms.ard < state.age, 0 <= terms.ard <= state.age
    blank(terms, state, payment)
    # 1. Collateral roll. 2. Senior fees. 3. Liquidity facility; what is drawn below is repaid from the next period.
    cash = collect(terms, wide, state, period, payment)
    if events:
        cash = collect_special(cash, terms, state, period, payment)
    cash = pay_fees(cash, terms, state, payment, events, general)
    if general and terms.facility_limit > 0.0:
        cash = serve_facility(cash, terms, state, payment)
    # 4. Interest by rank, OC tests. 5. Reserve. 6. Principal.
    accrue(terms, wide, state, payment, post_ard, general)
    cash = pay_interest(cash, terms, wide, state, payment, dust, events, general)
    cash = fill_reserve(cash, terms, wide, state, payment, dust, events, general)
    if events:
        revolving = state.age <= terms.revolving_end and terms.mode != INTEREST_ONLY
        cash = pay_principal_special(cash, terms, wide, state, period, payment, dust, revolving, general)
    elif terms.mode == SCHEDULED:
        cash = pay_principal(cash, terms, wide, state, payment, dust, True)
    else:
        cash = pay_principal(cash, terms, wide, state, payment, dust, False)
    # 7. Triggers.
    if ratios_count:
        if general:
            ratios = record_ratio(state, payment, terms.dscr_window, dust)
        else:
            ratios = record_ratio(state, payment, USUAL_WINDOW, dust)
        pull_triggers(ratios, terms, state)
        payment.dscr_average = ratios / recorded_ratios(terms, state)
    if general:
        pull_ltv_trigger(terms, state, period, dust)
    # 8. Turbo, sweep, trap, release; then the accounts repay what they can if the notes are gone or the run ends.
    cash = use_excess(cash, terms, wide, state, payment, dust, past_ard, events, general)
    redeemed = total(terms, state.balance) <= dust
    if wide.last or some(redeemed):
        cash = close_accounts(cash, terms, wide, state, payment, dust, redeemed | wide.last, general)
        state.pdl = choose(redeemed, 0.0, state.pdl)
    # 9. to 11. Deferred interest after all principal, junior fees, residual.
    payment.residual = pay_the_rest(cash, terms, wide, state, payment, dust, general)
    # 12. Write-down; after a sale, write-off; the next period's status.
    if general:
        capitalise(terms, state, payment)
        if terms.writes_down:
            write_down(terms, state)
    if events:
        write_off(terms, state, payment, general)
    if terms.default_periods > 0 or terms.legal_final > 0:
        watch(terms, state, dust, 0 < terms.legal_final <= state.age)
    report(terms, wide, state, payment)


@njit(**INLINED)
def step(terms, dust, general, wide, state, period, payment, ratios_count):
    """Pay one period of one deal, on a record or on ``WIDTH`` paths at a time.

    ``state`` is advanced, ``payment`` overwritten; classes in order of rank. USD, 1/year, periods of ``terms.period_years``.

    Parameters
    ----------
    terms : record of the deal; frozen outside the loop over periods when there are many paths
    general : ``demanding(terms)``; as a constant where there are many paths, so that the common ones stay in registers
    wide : deal-wide columns of the period, once they are prepared
    state, period, payment : records, or lanes of them
    ratios_count : whether to record the DSCR, which is slow; if nothing is ``watched`` it changes no payment
    """
    state.age += 1
    now = freeze(wide)
    if general:
        pay(terms, now, state, period, payment, dust, ratios_count, True, True)
    elif wide.special or some(state.in_default | state.sold):
        pay(terms, now, state, period, payment, dust, ratios_count, True, False)
    else:
        pay(terms, now, state, period, payment, dust, ratios_count, False, False)


@njit(**INLINED)
def open_deal(state, opening, terms, general):
    """Set every path to the deal as it stands."""
    state.age = opening.age
    for k in range(len(terms.rank)):
        state.balance[k], state.arrears[k], state.deferred[k] = opening.balance[k], opening.arrears[k], opening.deferred[k]
        state.write_down[k], state.pik_to_date[k] = opening.write_down[k], opening.pik_to_date[k]
    state.pool, state.pdl, state.reserve, state.trap = opening.pool, opening.pdl, opening.reserve, opening.trap
    state.facility, state.facility_interest = opening.facility, opening.facility_interest
    state.fee_arrears, state.defaulted_to_date = opening.fee_arrears, opening.defaulted_to_date
    state.trapped, state.good_periods, state.rapid = opening.trapped, opening.good_periods, opening.rapid
    state.early, state.ltv_sweep, state.guarantee_called = opening.early, opening.ltv_sweep, opening.guarantee_called
    state.missed_periods, state.in_default = opening.missed_periods, opening.in_default
    state.periods_to_sale, state.sold, state.dscr_count = opening.periods_to_sale, opening.sold, opening.dscr_count
    if general:
        for i in range(terms.dscr_window):
            state.dscr[i] = opening.dscr[i]
    else:
        for i in range(USUAL_WINDOW):
            state.dscr[i] = opening.dscr[i]
    for i in range(terms.recovery_lag + 1):
        state.queue[i] = opening.queue[i]


@njit(cache=True, **UNCOUNTED)
def pay_book(rows, terms, state, period, payment):
    """Advance the listed deals of a book by one period.

    Parameters
    ----------
    rows : (n,) int64, deals to pay
    terms, state, period, payment : (d,) records; other rows are left as they are
    """
    for d in rows:
        now = period[d]
        now.special = now.other_cash != 0.0 or now.principal_cash != 0.0 or now.disposal == now.disposal
        prepare(terms[d], now)
        step(terms[d], dust_of(terms[d]), demanding(terms[d]), now, state[d], now, payment[d], True)


@njit(**INLINED)
def share(inputs, wide):
    """Give every path the inputs that do not differ between paths."""
    inputs.recovery_rate, inputs.other_cash, inputs.principal_cash = wide.recovery_rate, wide.other_cash, wide.principal_cash
    inputs.disposal, inputs.market_value, inputs.appraisal = wide.disposal, wide.market_value, wide.appraisal
    inputs.guarantor_failed = wide.guarantor_failed


@njit(**INLINED)
def pay_lives(general, fixed, opening, wides, payment, revenue, default_rate, interest, principal, every_period):
    """``pay_paths`` for deals that are ``demanding`` or not, a constant."""
    ratios_count, dust = watched(fixed), dust_of(fixed)
    for t in range(revenue.shape[1]):
        prepare(fixed, wides[t])
    for cell in range(revenue.shape[0]):
        for lane in range(0, revenue.shape[2], WIDTH):
            state, inputs, paid, life = in_lanes(opening[0]), in_lanes(wides[0]), in_lanes(payment[0]), in_lanes(payment[0])
            open_deal(state, opening[0], fixed, general)
            for t in range(revenue.shape[1]):
                inputs.revenue, inputs.default_rate = pack_at(revenue[cell, t], lane), pack_at(default_rate[cell, t], lane)
                share(inputs, wides[t])
                step(fixed, dust, general, wides[t], state, inputs, paid, ratios_count)
                for k in range(len(fixed.rank)):
                    life.interest[k] += paid.interest[k]
                    life.principal[k] += paid.principal[k]
                    if every_period:
                        put_at(interest[cell, t, k], lane, paid.interest[k])
                        put_at(principal[cell, t, k], lane, paid.principal[k])
            if not every_period:
                for k in range(len(fixed.rank)):
                    put_at(interest[cell, 0, k], lane, life.interest[k])
                    put_at(principal[cell, 0, k], lane, life.principal[k])


@njit(cache=True, **LEAN)
def pay_paths(terms, opening, wides, payment, revenue, default_rate, interest, principal, every_period):
    """Run one deal down many paths that differ in revenue and defaults.

    Parameters
    ----------
    terms, opening : (1,) records of the deal
    wides : (t,) period records, what all paths share
    payment : (1,) record, of which only the columns are used
    revenue, default_rate : (cells, t, lanes) USD and 1/period; ``lanes`` a multiple of ``WIDTH``
    interest, principal : (cells, t, k, lanes) USD, written; (cells, 1, k, lanes) over the life unless ``every_period``
    """
    fixed = freeze(terms[0])
    if demanding(fixed):
        pay_lives(True, fixed, opening, wides, payment, revenue, default_rate, interest, principal, every_period)
    else:
        pay_lives(False, fixed, opening, wides, payment, revenue, default_rate, interest, principal, every_period)
