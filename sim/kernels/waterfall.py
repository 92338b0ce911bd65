"""One payment date of one deal, in twelve clauses, and the two drivers that call it.

Records are those of ``sim.kernels.layouts``. Whatever ``step`` calls lives in this file: the compiler's cache
notices edits here and nowhere else. An amount of at most ``DUST`` of the original notes is zero; a ratio fails
its test only by more than ``SLACK``, relative.
"""

from numba import njit

SEQUENTIAL, PRO_RATA, INTEREST_ONLY, SCHEDULED = 0, 1, 2, 3
FIXED, SHARE_OF_NOTES, MONTHS_OF_INTEREST = 0, 1, 2
DUST, SLACK = 1e-11, 1e-12
MONTHS = 12


@njit(forceinline=True, cache=True)
def fails(ratio, least):
    """Whether a ratio is below its threshold; never when there is none (NaN)."""
    return ratio < least - SLACK * abs(least)


@njit(forceinline=True, cache=True)
def exceeds(ratio, most):
    """Whether a ratio is above its threshold; never when there is none (NaN)."""
    return ratio > most + SLACK * abs(most)


@njit(forceinline=True, cache=True)
def above(balance, target):
    """Balance above its target; none without a target (NaN)."""
    return balance - target if balance > target else 0.0


@njit(forceinline=True, cache=True)
def total(amounts, end):
    """Sum of the first ``end`` classes, most senior first."""
    amount = 0.0
    for k in range(end):
        amount += amounts[k]
    return amount


@njit(forceinline=True, cache=True)
def rank_end(terms, k):
    """One past the last class that ranks with class ``k``."""
    end = k + 1
    while end < terms.classes and terms.rank[end] == terms.rank[k]:
        end += 1
    return end


@njit(forceinline=True, cache=True)
def settle(cash, owed, paid, start, end, dust):
    """Pay classes ``start`` to ``end`` pro rata to what they are owed; the last takes the dust. Returns cash left."""
    due = 0.0
    for k in range(start, end):
        due += owed[k]
    if cash >= due - dust:
        for k in range(start, end):
            paid[k] += owed[k]
            owed[k] = 0.0
        return max(0.0, cash - due)
    left = cash
    for k in range(start, end):
        amount = cash * owed[k] / due if k < end - 1 else min(max(0.0, left), owed[k])
        left -= amount
        paid[k] += amount
        owed[k] -= amount
    return 0.0


@njit(forceinline=True, cache=True)
def settle_by_rank(cash, terms, owed, paid, dust):
    """Pay what is owed rank by rank. Returns cash left."""
    k = 0
    while k < terms.classes and cash > 0.0:
        end = rank_end(terms, k)
        cash = settle(cash, owed, paid, k, end, dust)
        k = end
    return cash


@njit(forceinline=True, cache=True)
def settle_to_target(cash, terms, state, period, payment, dust):
    """Pay each rank down to its scheduled balance. Returns cash left."""
    k = 0
    while k < terms.classes and cash > 0.0:
        end = rank_end(terms, k)
        due = 0.0
        for j in range(k, end):
            due += above(state.balance[j], period.target[j])
        full = cash >= due - dust
        left = cash
        for j in range(k, end):
            amount = above(state.balance[j], period.target[j])
            if amount > 0.0:
                if full:
                    state.balance[j] = period.target[j]
                else:
                    amount = min(left, cash * amount / due)
                    state.balance[j] -= amount
                left -= amount
                payment.principal[j] += amount
        cash = max(0.0, cash - due) if full else 0.0
        k = end
    return cash


@njit(forceinline=True, cache=True)
def cover(terms, state, payment, short, rank):
    """Draw a shortfall from the reserve, the trap account, the facility. Returns USD drawn."""
    drawn = 0.0
    if rank <= terms.reserve_covers_rank:
        amount = min(short, state.reserve)
        state.reserve -= amount
        payment.reserve_drawn += amount
        drawn += amount
    amount = min(short - drawn, state.trap)
    state.trap -= amount
    payment.trap_drawn += amount
    drawn += amount
    if rank <= terms.facility_covers_rank:
        amount = max(0.0, min(short - drawn, terms.facility_limit - state.facility))
        state.facility += amount
        payment.facility_drawn += amount
        drawn += amount
    return drawn


@njit(forceinline=True, cache=True)
def start(terms, state, period, payment):
    """Blank the payment, note opening balances and set coupons. Returns dust in USD."""
    notional = 0.0
    for k in range(payment.balance.size):
        payment.interest[k] = payment.principal[k] = payment.pik[k] = 0.0
        payment.deferred_paid[k] = payment.write_off[k] = payment.accrued[k] = 0.0
        payment.opening[k] = state.balance[k]
        notional += terms.notional[k]
        payment.coupon[k] = terms.coupon[k]
        if terms.floating[k]:
            payment.coupon[k] = max(terms.floor[k], period.index) + terms.margin[k]
    payment.reserve_drawn = payment.trap_drawn = payment.facility_drawn = 0.0
    payment.reserve_released = payment.trap_released = payment.trap_paid_in = 0.0
    payment.sale_proceeds = payment.guarantee_proceeds = payment.pool_sold = 0.0
    payment.bought = payment.paid_for_collateral = payment.oc_diverted = payment.swept = 0.0
    payment.facility_write_off = payment.fees_over_cap = 0.0
    state.age += 1
    payment.age = state.age
    payment.opening_pool = state.pool
    payment.in_default = state.in_default
    return DUST * notional


@njit(forceinline=True, cache=True)
def sell(terms, state, period, payment, proceeds):
    """Sell the whole pool and call the residual-value guarantee, once. Returns USD received."""
    payment.pool_sold = state.pool
    payment.sale_proceeds = proceeds
    state.pool = 0.0
    if not (state.guarantee_called or period.guarantor_failed):
        payment.guarantee_proceeds = min(terms.guarantee_cap, max(0.0, terms.guarantee_strike - proceeds))
    state.guarantee_called = True
    return proceeds + payment.guarantee_proceeds


@njit(forceinline=True, cache=True)
def collect(terms, state, period, payment):
    """Roll the collateral. Returns the period's cash."""
    payment.defaulted = period.default_rate * state.pool
    payment.scheduled = period.amortisation_rate * (state.pool - payment.defaulted)
    payment.revenue = period.revenue
    if period.revenue != period.revenue:
        payment.revenue = period.pool_yield * terms.period_years * (state.pool - payment.defaulted)
    state.pool = max(0.0, state.pool - payment.defaulted - payment.scheduled)
    state.defaulted_to_date += payment.defaulted
    slots = state.queue.size
    state.queue[state.age % slots] = payment.defaulted
    payment.recovery = 0.0
    if state.age > terms.recovery_lag:
        payment.recovery = period.recovery_rate * state.queue[(state.age - terms.recovery_lag) % slots]
    payment.reserve_income = terms.reserve_rate * terms.period_years * state.reserve
    payment.principal_cash = period.principal_cash
    if state.in_default:
        state.periods_to_sale -= 1
        if state.periods_to_sale <= 0:
            payment.principal_cash += sell(terms, state, period, payment, period.market_value)
            state.queue[:] = 0.0
            state.sold = True
    elif period.disposal == period.disposal:
        payment.principal_cash += sell(terms, state, period, payment, period.disposal)
    cash = payment.revenue + payment.scheduled + payment.recovery + payment.reserve_income
    return cash + period.other_cash + payment.principal_cash


@njit(forceinline=True, cache=True)
def pay_fees(cash, terms, state, payment):
    """Pay senior fees up to their cap. Returns cash left."""
    due = state.fee_arrears
    if not state.sold:
        due += terms.fee_fixed + terms.fee_rate * terms.period_years * payment.opening_pool
    payable = due if state.in_default else min(due, terms.fee_cap)
    if cash < payable and not state.in_default:
        cash += cover(terms, state, payment, payable - cash, 0)
    payment.fees = min(cash, payable)
    state.fee_arrears = due - payment.fees
    return cash - payment.fees


@njit(forceinline=True, cache=True)
def repay_facility(cash, state, payment):
    """Pay the facility's interest, then its principal. Returns cash left."""
    interest = min(cash, state.facility_interest)
    state.facility_interest -= interest
    payment.facility_interest_paid += interest
    cash -= interest
    principal = min(cash, state.facility)
    state.facility -= principal
    payment.facility_repaid += principal
    return cash - principal


@njit(forceinline=True, cache=True)
def divert(cash, terms, state, payment, end, dust):
    """Test the collateral over the classes before ``end``; a failure pays senior principal. Returns cash left."""
    notes = total(state.balance, end)
    collateral = state.pool + payment.scheduled + payment.recovery + payment.principal_cash
    trigger = terms.oc_trigger[end - 1]
    if notes > dust and fails(collateral / notes, trigger):
        amount = min(cash, notes - collateral / trigger)
        payment.oc_diverted += amount
        cash -= amount
        cash += settle_by_rank(amount, terms, state.balance, payment.principal, dust)
    return cash


@njit(forceinline=True, cache=True)
def accrue(terms, state, payment):
    """Add the period's interest to what is owed; after the ARD the margin is deferred."""
    dt = terms.period_years
    for k in range(terms.classes):
        base = max(0.0, state.balance[k] - state.write_down[k])
        payment.accrued[k] = payment.coupon[k] * dt * base
        on_arrears = terms.interest_on_interest[k] * payment.coupon[k] * dt * state.arrears[k]
        state.arrears[k] += on_arrears + payment.accrued[k]
        if 0 <= terms.ard < state.age:
            state.deferred[k] += (payment.coupon[k] + terms.ard_margin[k]) * dt * state.deferred[k]
            state.deferred[k] += terms.ard_margin[k] * dt * base


@njit(forceinline=True, cache=True)
def pay_interest(cash, terms, state, payment, dust):
    """Pay interest by rank, each followed by its OC test or, in default, by its principal. Returns cash left."""
    accrue(terms, state, payment)
    k = 0
    while k < terms.classes:
        end = rank_end(terms, k)
        if not state.in_default:
            short = -cash
            for j in range(k, end):
                short += state.arrears[j]
            if short > 0.0:
                cash += cover(terms, state, payment, short, terms.rank[k])
        cash = settle(cash, state.arrears, payment.interest, k, end, dust)
        if state.in_default:
            cash = settle(cash, state.balance, payment.principal, k, end, dust)
        else:
            cash = divert(cash, terms, state, payment, end, dust)
        k = end
    return cash


@njit(forceinline=True, cache=True)
def fill_reserve(cash, terms, state, payment, dust):
    """Release the reserve's own excess, pay unpaid interest with it, top the reserve up. Returns cash left."""
    target = terms.reserve_target
    notes = total(payment.opening, terms.classes)
    if terms.reserve_target_kind == SHARE_OF_NOTES:
        target *= notes
    elif terms.reserve_target_kind == MONTHS_OF_INTEREST:
        interest = 0.0
        for k in range(terms.classes):
            interest += payment.coupon[k] * payment.opening[k]
        target *= interest / MONTHS
    if notes <= dust:
        target = 0.0
    excess = max(0.0, state.reserve - target)
    state.reserve -= excess
    payment.reserve_released = excess
    cash = settle_by_rank(cash + excess, terms, state.arrears, payment.interest, dust)
    deposit = min(cash, max(0.0, target - state.reserve))
    state.reserve += deposit
    return cash - deposit


@njit(forceinline=True, cache=True)
def amortise(cash, terms, state, payment, dust):
    """Pay principal pro rata while the deal is pro rata, else by rank. Returns cash left."""
    switched = exceeds(state.defaulted_to_date, terms.switch_default_share * terms.pool_at_closing)
    if terms.mode == PRO_RATA and not switched and not state.rapid:
        return settle(cash, state.balance, payment.principal, 0, terms.classes, dust)
    return settle_by_rank(cash, terms, state.balance, payment.principal, dust)


@njit(forceinline=True, cache=True)
def pay_principal(cash, terms, state, period, payment, dust):
    """Pay the principal due, or buy collateral while revolving, and keep the PDL. Returns cash left."""
    deficient = terms.mode == SEQUENTIAL or terms.mode == PRO_RATA
    due = payment.scheduled
    if deficient:
        due += state.pdl + payment.defaulted
    if state.in_default:
        state.pdl = max(0.0, due - total(payment.principal, terms.classes)) if deficient else 0.0
        return cash
    earmarked = min(cash, payment.principal_cash)
    short = payment.principal_cash - earmarked
    cash += amortise(earmarked, terms, state, payment, dust) - earmarked
    if terms.mode == SCHEDULED:
        due = 0.0
        for k in range(terms.classes):
            due += above(state.balance[k], period.target[k])
    if payment.opening_pool > dust and exceeds(period.default_rate, terms.early_amortisation_default):
        state.early = True
    due = max(0.0, due - payment.oc_diverted)
    paid = min(cash, due)
    cash -= paid
    if state.age <= terms.revolving_end and not state.early and terms.mode != INTEREST_ONLY:
        payment.paid_for_collateral = paid
        paid /= terms.purchase_price
        payment.bought = paid
        state.pool += paid
    else:
        if terms.mode == SCHEDULED:
            left = settle_to_target(paid, terms, state, period, payment, dust)
        else:
            left = amortise(paid, terms, state, payment, dust)
        paid -= left
        cash += left
    state.pdl = max(0.0, due - paid) + short if deficient else 0.0
    return cash


@njit(forceinline=True, cache=True)
def average_dscr(terms, state, period, payment, dust):
    """Record the period's ratio. Returns the mean of the window, 0 before the first ratio."""
    service = total(payment.accrued, terms.classes)
    if terms.mode == SCHEDULED:
        for k in range(terms.classes):
            service += above(payment.opening[k], period.target[k])
    payment.debt_service = service
    slots = state.dscr.size
    if service > dust:
        state.dscr[state.dscr_count % slots] = (payment.revenue - payment.fees) / service
        state.dscr_count += 1
    length = min(state.dscr_count, terms.dscr_window)
    if length == 0:
        return 0.0
    ratios = 0.0
    for i in range(state.dscr_count - length, state.dscr_count):
        ratios += state.dscr[i % slots]
    return ratios / length


@njit(forceinline=True, cache=True)
def pull_triggers(terms, state, period, payment, dust):
    """Set trap, rapid amortisation, turbo and LTV sweep for the excess of this period."""
    average = average_dscr(terms, state, period, payment, dust)
    payment.dscr_average = average
    if state.dscr_count >= terms.dscr_window:
        if fails(average, terms.dscr_rapid):
            state.rapid = True
        if fails(average, terms.dscr_trap):
            state.trapped, state.good_periods = True, 0
        elif state.trapped:
            state.good_periods += 1
            state.trapped = state.good_periods < terms.cure_periods
    notes = total(state.balance, terms.classes)
    if notes <= dust or fails(notes, terms.ltv_trigger * period.appraisal):
        state.ltv_sweep = False
    elif exceeds(notes, terms.ltv_trigger * period.appraisal):
        state.ltv_sweep = True
    payment.trapped = state.trapped
    payment.ltv_sweep = state.ltv_sweep
    payment.turbo = state.rapid or 0 <= terms.ard <= state.age


@njit(forceinline=True, cache=True)
def use_excess(cash, terms, state, payment, dust):
    """Turbo, or sweep a share and then trap or release. Returns cash left."""
    if payment.turbo:
        cash += state.trap
        state.trap = 0.0
    elif not state.trapped and state.ltv_sweep:
        payment.trap_released = state.trap
        cash += state.trap
        state.trap = 0.0
    share = 1.0 if payment.turbo or state.ltv_sweep else terms.sweep_share
    swept = share * cash
    payment.swept = swept - settle_by_rank(swept, terms, state.balance, payment.principal, dust)
    cash = max(0.0, cash - payment.swept)
    if state.trapped and not payment.turbo:
        payment.trap_paid_in = terms.trap_share * cash
        state.trap += payment.trap_paid_in
        cash -= payment.trap_paid_in
    elif state.trap > 0.0:
        payment.trap_released = state.trap
        cash += state.trap
        state.trap = 0.0
    return cash


@njit(forceinline=True, cache=True)
def close_accounts(cash, terms, state, payment, dust):
    """Apply reserve and trap account to whatever is still owed. Returns cash left."""
    cash += state.reserve + state.trap
    state.reserve = state.trap = 0.0
    cash = repay_facility(cash, state, payment)
    cash = settle_by_rank(cash, terms, state.arrears, payment.interest, dust)
    return settle_by_rank(cash, terms, state.balance, payment.principal, dust)


@njit(forceinline=True, cache=True)
def capitalise(terms, state, payment):
    """Turn unpaid interest of PIK classes into balance."""
    for k in range(terms.classes):
        if terms.pik[k]:
            payment.pik[k] = state.arrears[k]
            state.pik_to_date[k] += state.arrears[k]
            state.balance[k] += state.arrears[k]
            state.arrears[k] = 0.0


@njit(forceinline=True, cache=True)
def write_down(terms, state):
    """Write notes down to collateral and accounts, from the bottom rank up; cover that returns reinstates them."""
    uncovered = total(state.balance, terms.classes) - (state.pool + state.reserve + state.trap)
    end = terms.classes
    while end > 0:
        k = end - 1
        while k > 0 and terms.rank[k - 1] == terms.rank[end - 1]:
            k -= 1
        notes = 0.0
        for j in range(k, end):
            notes += state.balance[j]
        loss = min(max(0.0, uncovered), notes)
        for j in range(k, end):
            state.write_down[j] = loss * state.balance[j] / notes if notes > 0.0 else 0.0
        uncovered -= loss
        end = k


@njit(forceinline=True, cache=True)
def write_off(terms, state, payment):
    """Strike what is still owed once the collateral is sold."""
    for k in range(terms.classes):
        payment.write_off[k] = state.balance[k]
        state.balance[k] = state.arrears[k] = state.deferred[k] = state.write_down[k] = 0.0
    payment.facility_write_off = state.facility
    state.facility = state.facility_interest = state.fee_arrears = state.pdl = 0.0
    state.in_default = False


@njit(forceinline=True, cache=True)
def watch(terms, state, dust):
    """Declare an event of default for the next period, or end one when nothing is owed."""
    k = 0
    while k < terms.classes and state.balance[k] + state.arrears[k] <= dust:
        k += 1
    if k == terms.classes:
        state.in_default, state.missed_periods = False, 0
        return
    unpaid = 0.0
    for j in range(k, rank_end(terms, k)):
        unpaid += state.arrears[j]
    state.missed_periods = state.missed_periods + 1 if unpaid > dust else 0
    missed = 0 < terms.default_periods <= state.missed_periods
    matured = 0 < terms.legal_final <= state.age and total(state.balance, terms.classes) > dust
    if (missed or matured) and not state.in_default and not state.sold:
        state.in_default, state.periods_to_sale = True, max(1, terms.liquidation_lag)


@njit(forceinline=True, cache=True)
def report(terms, state, payment):
    """Copy closing balances into the payment."""
    payment.pool, payment.pdl, payment.reserve, payment.trap = state.pool, state.pdl, state.reserve, state.trap
    payment.facility, payment.fee_arrears = state.facility, state.fee_arrears
    for k in range(payment.balance.size):
        payment.balance[k], payment.arrears[k] = state.balance[k], state.arrears[k]
        payment.deferred[k], payment.write_down[k] = state.deferred[k], state.write_down[k]


@njit(forceinline=True, cache=True)
def step(terms, state, period, payment):
    """Pay one period of one deal.

    ``terms`` and ``period`` are read, ``state`` is advanced, ``payment`` is overwritten; records of one
    ``layouts.layout``, classes in order of rank. USD, 1/year and periods of ``terms.period_years``.
    """
    dust = start(terms, state, period, payment)
    # 1. Collateral roll.
    cash = collect(terms, state, period, payment)
    if state.in_default:
        payment.reserve_drawn, payment.trap_drawn = state.reserve, state.trap
        cash += state.reserve + state.trap
        state.reserve = state.trap = 0.0
    # 2. Senior fees.
    cash = pay_fees(cash, terms, state, payment)
    # 3. Liquidity facility; what is drawn below is repaid from the next period.
    state.facility_interest += terms.facility_rate * terms.period_years * (state.facility - payment.facility_drawn)
    drawn = payment.facility_drawn
    state.facility -= drawn
    payment.facility_interest_paid = payment.facility_repaid = 0.0
    cash = repay_facility(cash, state, payment)
    state.facility += drawn
    # 4. Interest by rank, OC tests.
    cash = pay_interest(cash, terms, state, payment, dust)
    # 5. Reserve.
    if not state.in_default:
        cash = fill_reserve(cash, terms, state, payment, dust)
    # 6. Principal.
    cash = pay_principal(cash, terms, state, period, payment, dust)
    # 7. Triggers.
    pull_triggers(terms, state, period, payment, dust)
    # 8. Turbo, sweep, trap, release.
    if not state.in_default:
        cash = use_excess(cash, terms, state, payment, dust)
    redeemed = total(state.balance, terms.classes) <= dust
    if redeemed or period.last:
        cash = close_accounts(cash, terms, state, payment, dust)
    # 9. Deferred interest, after all principal.
    if total(state.balance, terms.classes) <= dust:
        cash = settle_by_rank(cash, terms, state.deferred, payment.deferred_paid, dust)
    # 10. Fees over the cap, then subordinated fees.
    payment.fees_over_cap = min(cash, state.fee_arrears)
    state.fee_arrears -= payment.fees_over_cap
    cash -= payment.fees_over_cap
    payment.subordinated_fees = min(cash, terms.subordinated_fee_rate * terms.period_years * payment.opening_pool)
    # 11. The rest is the sponsor's.
    payment.residual = cash - payment.subordinated_fees
    capitalise(terms, state, payment)
    if redeemed:
        state.pdl = 0.0
    # 12. Write-down; after a sale, write-off; the next period's status.
    if terms.writes_down:
        write_down(terms, state)
    if state.in_default and state.sold:
        write_off(terms, state, payment)
    watch(terms, state, dust)
    report(terms, state, payment)


@njit(cache=True)
def pay_book(rows, terms, state, period, payment):
    """Advance the listed deals of a book by one period.

    Parameters
    ----------
    rows : (n,) int64, deals to pay
    terms, state, period, payment : (d,) records; other rows are left as they are
    """
    for d in rows:
        step(terms[d], state[d], period[d], payment[d])


@njit(cache=True)
def pay_paths(terms, opening, state, periods, payment, interest, principal, loss):
    """Run one deal down many paths.

    Parameters
    ----------
    terms, opening : (1,) records of the deal
    state, payment : (1,) records, scratch
    periods : (s, t) records, inputs by path and period
    interest, principal : (s, t, k) USD, written
    loss : (s, k) USD, written: written off or still owed at the end
    """
    for s in range(periods.shape[0]):
        state[0] = opening[0]
        loss[s] = 0.0
        for t in range(periods.shape[1]):
            step(terms[0], state[0], periods[s, t], payment[0])
            for k in range(payment[0].balance.size):
                interest[s, t, k] = payment[0].interest[k] + payment[0].deferred_paid[k]
                principal[s, t, k] = payment[0].principal[k]
                loss[s, k] += payment[0].write_off[k]
        for k in range(payment[0].balance.size):
            loss[s, k] += state[0].balance[k]
