"""The clauses of one payment date, on a deal's records (``sim.kernels.layouts``) of numbers or of packs (``sim.kernels.packs``).

``terms`` are the deal's, the same on all paths. Where paths may differ clauses choose rather than branch; what a flag of
``step`` switches off is not compiled. An amount of at most ``dust`` is zero; a ratio fails its test only by more than
``SLACK``, relative.
"""

from numba import njit

from sim.kernels import INLINED
from sim.kernels.packs import choose, no, some

SEQUENTIAL, PRO_RATA, INTEREST_ONLY, SCHEDULED = 0, 1, 2, 3
FIXED, SHARE_OF_NOTES, MONTHS_OF_INTEREST = 0, 1, 2
DUST, SLACK = 1e-11, 1e-12
MONTHS = 12


@njit(**INLINED)
def fails(ratio, least):
    """Whether a ratio is below its threshold; never when there is none (NaN)."""
    return ratio < least - SLACK * abs(least)


@njit(**INLINED)
def exceeds(ratio, most):
    """Whether a ratio is above its threshold; never when there is none (NaN)."""
    return ratio > most + SLACK * abs(most)


@njit(**INLINED)
def above(balance, target):
    """Balance above its target; none without a target (NaN)."""
    return choose(balance > target, balance - target, 0.0)


@njit(**INLINED)
def total(terms, amounts):
    """Sum over classes, most senior first."""
    amount = amounts[0]
    for k in range(1, len(terms.rank)):
        amount += amounts[k]
    return amount


@njit(**INLINED)
def opens(terms, k):
    """Whether class ``k`` is the first of its rank."""
    return k == 0 or terms.rank[k] != terms.rank[k - 1]


@njit(**INLINED)
def closes(terms, k):
    """Whether class ``k`` is the last of its rank."""
    return k + 1 >= terms.classes or terms.rank[k + 1] != terms.rank[k]


@njit(**INLINED)
def due_to(wide, owed, k, to_goal):
    """USD to pay class ``k``: all it is owed, or what brings it down to its goal."""
    return above(owed[k], wide.goal[k]) if to_goal else owed[k]


@njit(**INLINED)
def due_to_rank(terms, wide, owed, k, shared, together, to_goal):
    """USD to pay the rank that begins with class ``k``; all classes if they are paid ``together``."""
    due = due_to(wide, owed, k, to_goal)
    if shared:
        for m in range(k + 1, len(terms.rank)):
            member = together | (m < terms.classes and terms.rank[m] == terms.rank[k])
            due += choose(member, due_to(wide, owed, m, to_goal), 0.0)
    return due


@njit(**INLINED)
def settle_rank(cash, terms, wide, owed, paid, k, dust, shared, together, to_goal):
    """Pay the rank that begins with class ``k`` pro rata to what is due; its last class takes the dust. Returns cash left.

    Does nothing where ``k`` begins no rank.
    """
    due = due_to_rank(terms, wide, owed, k, shared, together, to_goal)
    left = cash - due
    if not shared:
        amount = choose(left >= -dust, due, cash)
        paid[k] += amount
        owed[k] -= amount
        return max(0.0, left)
    begins = no(together | (not opens(terms, k))) | (k == 0)
    full, left = left >= -dust, cash
    for m in range(k, len(terms.rank)):
        member = begins & (together | (terms.rank[m] == terms.rank[k])) & (m < terms.classes)
        last = no(together | (not closes(terms, m))) | (m + 1 >= terms.classes)
        own = due_to(wide, owed, m, to_goal)
        part = choose(last, min(max(0.0, left), own), cash * own / choose(due > 0.0, due, 1.0))
        amount = choose(member, choose(full, own, part), 0.0)
        left -= amount
        paid[m] += amount
        owed[m] -= amount
    return choose(begins, max(0.0, cash - due), cash)


@njit(**INLINED)
def settle(cash, terms, wide, owed, paid, dust, shared):
    """Pay all that is owed rank by rank. Returns cash left."""
    for k in range(len(terms.rank)):
        cash = settle_rank(cash, terms, wide, owed, paid, k, dust, shared, False, False)
    return cash


@njit(**INLINED)
def cover(terms, state, payment, short, rank, general):
    """Draw a shortfall from the reserve, the trap account, the facility. Returns USD drawn."""
    from_reserve = choose(rank <= terms.reserve_covers_rank, min(short, state.reserve), 0.0)
    state.reserve -= from_reserve
    from_trap = min(short - from_reserve, state.trap)
    state.trap -= from_trap
    payment.reserve_drawn += from_reserve
    payment.trap_drawn += from_trap
    drawn = from_reserve + from_trap
    if general:
        left = max(0.0, min(short - drawn, terms.facility_limit - state.facility))
        from_facility = choose(rank <= terms.facility_covers_rank, left, 0.0)
        state.facility += from_facility
        payment.facility_drawn += from_facility
        drawn += from_facility
    return drawn


@njit(**INLINED)
def blank(terms, state, payment):
    """Note how the period opens, and blank what clauses add to or may leave alone."""
    for k in range(len(terms.rank)):
        payment.interest[k] = payment.principal[k] = payment.pik[k] = payment.deferred_paid[k] = payment.write_off[k] = 0.0
        payment.opening[k] = state.balance[k]
    payment.opening_pool, payment.in_default = state.pool, state.in_default
    payment.principal_cash = payment.sale_proceeds = payment.guarantee_proceeds = payment.pool_sold = 0.0
    payment.reserve_drawn = payment.trap_drawn = payment.dscr_average = 0.0
    payment.facility_drawn = payment.facility_interest_paid = payment.facility_repaid = payment.facility_write_off = 0.0
    payment.oc_diverted = payment.bought = payment.paid_for_collateral = 0.0


@njit(**INLINED)
def sell(terms, state, period, payment):
    """Sell the whole pool, as trustee or at a planned disposal, and call the residual-value guarantee, once. Returns USD."""
    state.periods_to_sale -= choose(state.in_default, 1, 0)
    forced = state.in_default & (state.periods_to_sale <= 0)
    planned = no(state.in_default) & (period.disposal == period.disposal)
    sold = forced | planned
    worth = choose(state.guarantee_called, 0.0, period.market_value)  # what was sold before is gone
    payment.sale_proceeds = choose(forced, worth, choose(planned, period.disposal, 0.0))
    payment.pool_sold = choose(sold, state.pool, 0.0)
    state.pool = choose(sold, 0.0, state.pool)
    called = sold & no(state.guarantee_called | period.guarantor_failed)
    guarantee = min(terms.guarantee_cap, max(0.0, terms.guarantee_strike - payment.sale_proceeds))
    payment.guarantee_proceeds = choose(called, guarantee, 0.0)
    state.guarantee_called |= sold
    state.sold |= forced
    return payment.sale_proceeds + payment.guarantee_proceeds


@njit(**INLINED)
def collect(terms, wide, state, period, payment):
    """Roll the collateral. Returns the period's cash."""
    pool = state.pool
    payment.defaulted = period.default_rate * pool
    payment.scheduled = wide.amortisation_rate * (pool - payment.defaulted)
    earned = wide.pool_yield * terms.period_years * (pool - payment.defaulted)
    payment.revenue = choose(period.revenue != period.revenue, earned, period.revenue)
    state.pool = max(0.0, pool - payment.defaulted - payment.scheduled)
    state.defaulted_to_date += payment.defaulted
    resold = payment.defaulted
    if terms.recovery_lag > 0:
        resold = roll_queue(terms, state, payment)
    payment.recovery = period.recovery_rate * resold
    payment.reserve_income = terms.reserve_rate * terms.period_years * state.reserve
    deficient = terms.mode == SEQUENTIAL or terms.mode == PRO_RATA
    payment.principal_due = payment.scheduled + choose(deficient, state.pdl + payment.defaulted, 0.0)
    return payment.revenue + payment.scheduled + payment.recovery + payment.reserve_income


@njit(**INLINED)
def roll_queue(terms, state, payment):
    """Defaults wait ``recovery_lag`` periods for their sale. Returns what is sold now, at par."""
    slots = terms.recovery_lag + 1
    state.queue[state.age % slots] = payment.defaulted
    return choose(state.age > terms.recovery_lag, state.queue[(state.age + 1) % slots], 0.0)


@njit(**INLINED)
def collect_special(cash, terms, state, period, payment):
    """Cures, principal cash, sales and guarantees; in default, reserve and trap account join the cash. Returns the cash."""
    cash += period.other_cash
    lost = choose(state.sold, payment.recovery, 0.0)
    payment.recovery -= lost
    payment.principal_cash = period.principal_cash + sell(terms, state, period, payment)
    payment.reserve_drawn = choose(state.in_default, state.reserve, 0.0)
    payment.trap_drawn = choose(state.in_default, state.trap, 0.0)
    state.reserve -= payment.reserve_drawn
    state.trap -= payment.trap_drawn
    return cash - lost + payment.principal_cash + payment.reserve_drawn + payment.trap_drawn


@njit(**INLINED)
def pay_fees(cash, terms, state, payment, events, general):
    """Pay senior fees up to their cap, from the accounts where cash is short. Returns cash left."""
    sold, in_default = events & state.sold, events & state.in_default
    charged = terms.fee_fixed + terms.fee_rate * terms.period_years * payment.opening_pool
    due = state.fee_arrears + choose(sold, 0.0, charged)
    payment.fees = min(cash, choose(in_default, due, min(due, terms.fee_cap)))
    cash -= payment.fees
    state.fee_arrears = due - payment.fees
    if some(state.fee_arrears > 0.0):
        unpaid = min(state.fee_arrears, terms.fee_cap - payment.fees)
        drawn = cover(terms, state, payment, choose(in_default, 0.0, unpaid), 0, general)
        payment.fees += drawn
        state.fee_arrears -= drawn
    return cash


@njit(**INLINED)
def repay_facility(cash, state, payment, owed):
    """Pay the facility's interest, then ``owed`` of its principal. Returns cash left."""
    interest = min(cash, state.facility_interest)
    state.facility_interest -= interest
    payment.facility_interest_paid += interest
    principal = min(cash - interest, owed)
    state.facility -= principal
    payment.facility_repaid += principal
    return cash - interest - principal


@njit(**INLINED)
def serve_facility(cash, terms, state, payment):
    """Charge and pay the facility; what this period drew is repaid from the next. Returns cash left."""
    old = state.facility - payment.facility_drawn
    state.facility_interest += terms.facility_rate * terms.period_years * old
    return repay_facility(cash, state, payment, old)


@njit(**INLINED)
def divert(cash, terms, wide, state, payment, k, dust, shared):
    """Test the collateral over classes 0 to ``k``; a failure pays senior principal. Returns cash left."""
    notes = 0.0
    for m in range(len(terms.rank)):
        notes += choose(m <= k, state.balance[m], 0.0)
    collateral = state.pool + payment.scheduled + payment.recovery + payment.principal_cash
    trigger = terms.oc_trigger[k]
    failed = (notes > dust) & fails(collateral / choose(notes > dust, notes, 1.0), trigger)
    amount = choose(failed, min(cash, notes - collateral / trigger), 0.0)
    payment.oc_diverted += amount
    return cash - amount + settle(amount, terms, wide, state.balance, payment.principal, dust, shared)


@njit(**INLINED)
def accrue(terms, wide, state, payment, post_ard, general):
    """Add the period's interest to what classes are owed; after the ARD the margin is deferred. Notes the debt service."""
    dt = terms.period_years
    for k in range(len(terms.rank)):
        base = max(0.0, state.balance[k] - state.write_down[k]) if general else state.balance[k]
        payment.accrued[k] = wide.rate[k] * dt * base
        state.arrears[k] += terms.interest_on_interest[k] * wide.rate[k] * dt * state.arrears[k] + payment.accrued[k]
        if general:
            grown = (wide.rate[k] + terms.ard_margin[k]) * dt * state.deferred[k] + terms.ard_margin[k] * dt * base
            state.deferred[k] += choose(post_ard, grown, 0.0)
    payment.debt_service = total(terms, payment.accrued)
    if terms.mode == SCHEDULED:
        for k in range(len(terms.rank)):
            payment.debt_service += above(state.balance[k], wide.target[k])


@njit(**INLINED)
def cover_interest(terms, wide, state, payment, k, dust, events, general):
    """Draw on the accounts for interest of the rank that begins with class ``k`` that cash did not pay."""
    begins = opens(terms, k) if general else True
    unpaid = due_to_rank(terms, wide, state.arrears, k, general, False, False)
    short = choose(begins & no(events & state.in_default), unpaid, 0.0)
    if some(short > 0.0):
        drawn = cover(terms, state, payment, short, terms.rank[k], general)
        settle_rank(drawn, terms, wide, state.arrears, payment.interest, k, dust, general, False, False)


@njit(**INLINED)
def pay_interest(cash, terms, wide, state, payment, dust, events, general):
    """Pay interest by rank, each followed by its OC test or, in default, by its principal. Returns cash left."""
    for k in range(len(terms.rank)):
        cash = settle_rank(cash, terms, wide, state.arrears, payment.interest, k, dust, general, False, False)
        cover_interest(terms, wide, state, payment, k, dust, events, general)
        if events:
            for_notes = choose(state.in_default, cash, 0.0)
            left = settle_rank(for_notes, terms, wide, state.balance, payment.principal, k, dust, general, False, False)
            cash = cash - for_notes + left
        if terms.oc_trigger[k] == terms.oc_trigger[k] and closes(terms, k):
            tested = choose(events & state.in_default, 0.0, cash)
            cash += divert(tested, terms, wide, state, payment, k, dust, general) - tested
    return cash


@njit(**INLINED)
def fill_reserve(cash, terms, wide, state, payment, dust, events, general):
    """Release the reserve's own excess, pay unpaid interest with it, top the reserve up. Returns cash left."""
    in_default = events & state.in_default
    target = wide.reserve_fixed
    if terms.reserve_target_kind != FIXED:
        for k in range(len(terms.rank)):
            target += wide.reserve_weight[k] * payment.opening[k]
    target = choose(total(terms, payment.opening) > dust, target, 0.0)
    payment.reserve_released = choose(in_default, 0.0, max(0.0, state.reserve - target))
    state.reserve -= payment.reserve_released
    left = choose(in_default, 0.0, cash + payment.reserve_released)
    if some(total(terms, state.arrears) > 0.0):
        left = settle(left, terms, wide, state.arrears, payment.interest, dust, general)
    deposit = min(left, max(0.0, target - state.reserve))
    state.reserve += deposit
    return choose(in_default, cash, left - deposit)


@njit(**INLINED)
def amortise(cash, terms, wide, state, payment, dust, to_goal, general):
    """Pay principal, by rank or, while the deal is pro rata, to all classes. Returns cash left."""
    switched = general & exceeds(state.defaulted_to_date, terms.switch_default_share * terms.pool_at_closing)
    together = (general and terms.mode == PRO_RATA) & no(switched | state.rapid)
    for k in range(len(terms.rank)):
        cash = settle_rank(cash, terms, wide, state.balance, payment.principal, k, dust, general, together, to_goal)
    return cash


@njit(**INLINED)
def buy(cash, terms, state, period, payment, dust, revolving):
    """While revolving, principal buys collateral. Returns USD at par that it bought."""
    state.early |= (payment.opening_pool > dust) & exceeds(period.default_rate, terms.early_amortisation_default)
    payment.paid_for_collateral = choose(revolving & no(state.early), cash, 0.0)
    payment.bought = payment.paid_for_collateral / terms.purchase_price
    state.pool += payment.bought
    return payment.bought


@njit(**INLINED)
def owe_to_goal(terms, wide, state):
    """What brings the notes down to their targets, USD."""
    due = 0.0
    for k in range(len(terms.rank)):
        due += above(state.balance[k], wide.goal[k])
    return due


@njit(**INLINED)
def pay_principal(cash, terms, wide, state, payment, dust, to_goal):
    """Pay the principal due and keep the PDL. Returns cash left."""
    due = max(0.0, (owe_to_goal(terms, wide, state) if to_goal else payment.principal_due) - payment.oc_diverted)
    paid = min(cash, due)
    over = amortise(paid, terms, wide, state, payment, dust, to_goal, False)
    state.pdl = choose(terms.mode == SEQUENTIAL, max(0.0, due - (paid - over)), 0.0)
    return cash - paid + over


@njit(**INLINED)
def pay_principal_special(cash, terms, wide, state, period, payment, dust, revolving, general):
    """The same with principal cash, which pays notes in every mode, with purchases while revolving, and in default."""
    in_default = state.in_default
    owing = payment.principal_due
    paid_by_rank = total(terms, payment.principal)
    earmarked = choose(in_default, 0.0, min(cash, payment.principal_cash))
    short = payment.principal_cash - earmarked
    left = cash + amortise(earmarked, terms, wide, state, payment, dust, False, general) - earmarked
    wanted = owing
    if terms.mode == SCHEDULED:
        wanted = owe_to_goal(terms, wide, state)
    due = max(0.0, wanted - payment.oc_diverted)
    paid = choose(in_default, 0.0, min(left, due))
    left -= paid
    bought, for_notes = 0.0, paid
    if general:
        bought = buy(paid, terms, state, period, payment, dust, revolving)
        for_notes = paid - payment.paid_for_collateral
    over = amortise(for_notes, terms, wide, state, payment, dust, True, general)
    missing = choose(in_default, max(0.0, owing - paid_by_rank), max(0.0, due - (bought + for_notes - over)) + short)
    state.pdl = choose(terms.mode == SEQUENTIAL or terms.mode == PRO_RATA, missing, 0.0)
    return left + over


@njit(**INLINED)
def record_ratio(state, payment, window, dust):
    """Move the window of ratios, the oldest first, unless nothing was due. Returns their sum."""
    moves = payment.debt_service > dust
    newer = (payment.revenue - payment.fees) / choose(moves, payment.debt_service, 1.0)
    state.dscr_count += choose(moves, 1, 0)
    ratios = 0.0
    for i in range(window):
        older = state.dscr[window - 1 - i]
        kept = choose(moves, newer, older)
        state.dscr[window - 1 - i] = kept
        ratios += kept
        newer = older
    return ratios


@njit(**INLINED)
def recorded_ratios(terms, state):
    """Ratios in the window, at least 1."""
    return max(1.0, min(1.0 * state.dscr_count, 1.0 * terms.dscr_window))


@njit(**INLINED)
def pull_triggers(ratios, terms, state):
    """Set trap and rapid amortisation, by the mean of the window, for the excess of this period."""
    known = state.dscr_count >= terms.dscr_window
    state.rapid |= known & fails(ratios, terms.dscr_rapid * terms.dscr_window)
    failed = known & fails(ratios, terms.dscr_trap * terms.dscr_window)
    good = state.good_periods + choose(known & state.trapped, 1, 0)
    cured = known & (good >= terms.cure_periods)
    state.trapped = failed | (state.trapped & no(cured))
    state.good_periods = choose(failed, 0, good)


@njit(**INLINED)
def pull_ltv_trigger(terms, state, period, dust):
    """Set the LTV sweep: from a breach until the notes are below their share of the appraisal again."""
    notes, most = total(terms, state.balance), terms.ltv_trigger * period.appraisal
    cured = (notes <= dust) | fails(notes, most)
    state.ltv_sweep = no(cured) & (exceeds(notes, most) | state.ltv_sweep)


@njit(**INLINED)
def use_excess(cash, terms, wide, state, payment, dust, past_ard, events, general):
    """Turbo, or sweep a share, then trap or release; in default there is no excess. Returns cash left."""
    in_default, ltv = events & state.in_default, general & state.ltv_sweep
    turbo, trapped, trap = past_ard | state.rapid, state.trapped, state.trap
    opened = choose(turbo | (ltv & no(trapped)), trap, 0.0)
    able = choose(in_default, 0.0, cash + opened)
    to_notes = choose(turbo | ltv, able, terms.sweep_share * able)
    payment.swept = to_notes - settle(to_notes, terms, wide, state.balance, payment.principal, dust, general)
    able = max(0.0, able - payment.swept)
    holds = trapped & no(turbo)
    payment.trap_paid_in = choose(holds, terms.trap_share * able, 0.0)
    released = choose(holds, 0.0, trap - opened)
    state.trap = trap - opened + payment.trap_paid_in - released
    payment.trap_released = released + choose(turbo, 0.0, opened)
    payment.trapped, payment.turbo = trapped, turbo
    return choose(in_default, cash, able + released - payment.trap_paid_in)


@njit(**INLINED)
def close_accounts(cash, terms, wide, state, payment, dust, closing, general):
    """At the end, apply reserve and trap account to whatever is still owed. Returns cash left."""
    able = choose(closing, cash + state.reserve + state.trap, 0.0)
    state.reserve = choose(closing, 0.0, state.reserve)
    state.trap = choose(closing, 0.0, state.trap)
    if general:
        able = repay_facility(able, state, payment, state.facility)
    able = settle(able, terms, wide, state.arrears, payment.interest, dust, general)
    able = settle(able, terms, wide, state.balance, payment.principal, dust, general)
    return choose(closing, able, cash)


@njit(**INLINED)
def pay_the_rest(cash, terms, wide, state, payment, dust, general):
    """Deferred interest after all principal, fees over the cap, subordinated fees. Returns the sponsor's rest."""
    if general:
        for_deferred = choose(total(terms, state.balance) <= dust, cash, 0.0)
        cash += settle(for_deferred, terms, wide, state.deferred, payment.deferred_paid, dust, True) - for_deferred
    payment.fees_over_cap = min(cash, state.fee_arrears)
    state.fee_arrears -= payment.fees_over_cap
    charged = terms.subordinated_fee_rate * terms.period_years * payment.opening_pool
    payment.subordinated_fees = min(cash - payment.fees_over_cap, charged)
    return cash - payment.fees_over_cap - payment.subordinated_fees


@njit(**INLINED)
def capitalise(terms, state, payment):
    """Turn unpaid interest of PIK classes into balance."""
    for k in range(len(terms.rank)):
        added = choose(terms.pik[k] != 0, state.arrears[k], 0.0)
        payment.pik[k] = added
        state.pik_to_date[k] += added
        state.balance[k] += added
        state.arrears[k] -= added


@njit(**INLINED)
def write_down(terms, state):
    """Write notes down to collateral and accounts, from the bottom rank up; cover that returns reinstates them."""
    classes = len(terms.rank)
    uncovered = total(terms, state.balance) - (state.pool + state.reserve + state.trap)
    for i in range(classes):
        k = classes - 1 - i
        notes = 0.0
        for m in range(classes):
            notes += choose(m < terms.classes and terms.rank[m] == terms.rank[k], state.balance[m], 0.0)
        loss = min(max(0.0, uncovered), notes)
        state.write_down[k] = loss * state.balance[k] / choose(notes > 0.0, notes, 1.0)
        uncovered -= choose(opens(terms, k) and k < terms.classes, loss, 0.0)


@njit(**INLINED)
def write_off(terms, state, payment, general):
    """Strike what is still owed once the collateral is sold."""
    gone = state.in_default & state.sold
    for k in range(len(terms.rank)):
        payment.write_off[k] = choose(gone, state.balance[k], 0.0)
        state.balance[k] = choose(gone, 0.0, state.balance[k])
        state.arrears[k] = choose(gone, 0.0, state.arrears[k])
    state.fee_arrears = choose(gone, 0.0, state.fee_arrears)
    state.pdl = choose(gone, 0.0, state.pdl)
    if general:
        for k in range(len(terms.rank)):
            state.deferred[k] = choose(gone, 0.0, state.deferred[k])
            state.write_down[k] = choose(gone, 0.0, state.write_down[k])
        payment.facility_write_off = choose(gone, state.facility, 0.0)
        state.facility = choose(gone, 0.0, state.facility)
        state.facility_interest = choose(gone, 0.0, state.facility_interest)
    state.in_default &= no(gone)


@njit(**INLINED)
def watch(terms, state, dust, matured):
    """Declare an event of default for the next period, or end one when nothing is owed."""
    controlling, unpaid, notes = 0.0, 0.0, 0.0
    for k in range(len(terms.rank)):
        live = state.balance[k] + state.arrears[k] > dust
        controlling = choose(live & (controlling == 0.0), 1.0 * terms.rank[k], controlling)
        unpaid += choose((controlling == terms.rank[k]) & (k < terms.classes), state.arrears[k], 0.0)
        notes += state.balance[k]
    owes = controlling > 0.0
    missed = choose(owes & (unpaid > dust), state.missed_periods + 1, 0)
    broken = ((terms.default_periods > 0) & (terms.default_periods <= missed)) | (matured & (notes > dust))
    declared = owes & broken & no(state.in_default | state.sold)
    state.missed_periods = missed
    state.in_default = owes & (state.in_default | declared)
    state.periods_to_sale = choose(declared, max(1, terms.liquidation_lag), state.periods_to_sale)


@njit(**INLINED)
def report(terms, wide, state, payment):
    """Copy closing balances into the payment."""
    payment.age, payment.pool, payment.pdl = state.age, state.pool, state.pdl
    payment.reserve, payment.trap, payment.ltv_sweep = state.reserve, state.trap, state.ltv_sweep
    payment.facility, payment.fee_arrears = state.facility, state.fee_arrears
    for k in range(len(terms.rank)):
        payment.balance[k], payment.arrears[k], payment.coupon[k] = state.balance[k], state.arrears[k], wide.rate[k]
        payment.deferred[k], payment.write_down[k] = state.deferred[k], state.write_down[k]
