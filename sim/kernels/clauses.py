"""The clauses of one payment date, each on one lane ``j`` of a deal's records (``sim.kernels.layouts``).

``terms`` are the deal's, the same on all lanes. Clauses choose rather than branch, so that a loop over lanes becomes
vector instructions; what a flag of ``step`` switches off is not compiled. An amount of at most ``dust`` is zero; a
ratio fails its test only by more than ``SLACK``, relative.
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
def total(terms, amounts, j):
    """Sum over classes, most senior first."""
    amount = 0.0
    for k in range(len(terms.rank)):
        amount += amounts[k, j]
    return amount


@njit(forceinline=True, cache=True)
def opens(terms, k):
    """Whether class ``k`` is the first of its rank."""
    return k == 0 or terms.rank[k] != terms.rank[k - 1]


@njit(forceinline=True, cache=True)
def closes(terms, k):
    """Whether class ``k`` is the last of its rank."""
    return k + 1 >= terms.classes or terms.rank[k + 1] != terms.rank[k]


@njit(forceinline=True, cache=True)
def due_to(wide, owed, k, j, to_goal):
    """USD to pay class ``k``: all it is owed, or what brings it down to its goal."""
    return above(owed[k, j], wide.goal[k]) if to_goal else owed[k, j]


@njit(forceinline=True, cache=True)
def due_to_rank(terms, wide, owed, k, j, shared, together, to_goal):
    """USD to pay the rank that begins with class ``k``; all classes if they are paid ``together``."""
    due = due_to(wide, owed, k, j, to_goal)
    if shared:
        for m in range(k + 1, len(terms.rank)):
            member = together or (m < terms.classes and terms.rank[m] == terms.rank[k])
            due += due_to(wide, owed, m, j, to_goal) if member else 0.0
    return due


@njit(forceinline=True, cache=True, error_model="numpy")
def settle_rank(cash, terms, wide, owed, paid, k, j, dust, shared, together, to_goal, fresh):
    """Pay the rank that begins with class ``k`` pro rata to what is due; its last class takes the dust. Returns cash left.

    Does nothing where ``k`` begins no rank. ``fresh``, a constant: the first payment of the period to unshared ranks.
    """
    due = due_to_rank(terms, wide, owed, k, j, shared, together, to_goal)
    if not shared:
        left = cash - due
        amount = due if left >= -dust else cash
        paid[k, j] = amount if fresh else paid[k, j] + amount
        owed[k, j] -= amount
        return max(0.0, left)
    begins = k == 0 or not (together or terms.rank[k] == terms.rank[k - 1])
    full = cash >= due - dust
    left = cash
    for m in range(k, len(terms.rank)):
        member = begins and m < terms.classes and (together or terms.rank[m] == terms.rank[k])
        last = m + 1 >= terms.classes or not (together or terms.rank[m + 1] == terms.rank[k])
        own = due_to(wide, owed, m, j, to_goal)
        part = min(max(0.0, left), own) if last else cash * own / (due if due > 0.0 else 1.0)
        amount = (own if full else part) if member else 0.0
        left -= amount
        paid[m, j] += amount
        owed[m, j] -= amount
    return max(0.0, cash - due) if begins else cash


@njit(forceinline=True, cache=True)
def settle(cash, terms, wide, owed, paid, j, dust, shared, fresh):
    """Pay all that is owed rank by rank. Returns cash left."""
    for k in range(len(terms.rank)):
        cash = settle_rank(cash, terms, wide, owed, paid, k, j, dust, shared, False, False, fresh)
    return cash


@njit(forceinline=True, cache=True)
def cover(terms, state, payment, short, rank, j, events, general):
    """Draw a shortfall from the reserve, the trap account, the facility. Returns USD drawn."""
    from_reserve = min(short, state.reserve[j]) if rank <= terms.reserve_covers_rank else 0.0
    state.reserve[j] -= from_reserve
    from_trap = min(short - from_reserve, state.trap[j])
    state.trap[j] -= from_trap
    drawn = from_reserve + from_trap
    if events:
        payment.reserve_drawn[j] += from_reserve
        payment.trap_drawn[j] += from_trap
    if general:
        left = max(0.0, min(short - drawn, terms.facility_limit - state.facility[j]))
        from_facility = left if rank <= terms.facility_covers_rank else 0.0
        state.facility[j] += from_facility
        payment.facility_drawn[j] += from_facility
        drawn += from_facility
    return drawn


@njit(forceinline=True, cache=True)
def blank(terms, state, payment, j, recorded, general):
    """Note opening balances and blank what clauses add to; all columns if they are ``recorded``."""
    for k in range(len(terms.rank)):
        payment.principal[k, j] = 0.0
        payment.opening[k, j] = state.balance[k, j]
    payment.reserve_drawn[j] = payment.trap_drawn[j] = 0.0
    if recorded or general:
        for k in range(len(terms.rank)):
            payment.pik[k, j] = payment.deferred_paid[k, j] = 0.0
        payment.facility_drawn[j] = payment.facility_interest_paid[j] = payment.facility_repaid[j] = 0.0
        payment.oc_diverted[j] = payment.bought[j] = payment.paid_for_collateral[j] = 0.0
    if recorded:
        payment.in_default[j] = state.in_default[j]


@njit(forceinline=True, cache=True)
def sell(terms, state, period, payment, j):
    """Sell the whole pool, as trustee or at a planned disposal, and call the residual-value guarantee, once. Returns USD."""
    in_default = state.in_default[j] != 0
    state.periods_to_sale[j] -= 1 if in_default else 0
    forced = in_default and state.periods_to_sale[j] <= 0
    planned = not in_default and period.disposal[j] == period.disposal[j]
    sold = forced or planned
    worth = 0.0 if state.guarantee_called[j] != 0 else period.market_value[j]  # what was sold before is gone
    proceeds = worth if forced else (period.disposal[j] if planned else 0.0)
    payment.pool_sold[j] = state.pool[j] if sold else 0.0
    payment.sale_proceeds[j] = proceeds
    state.pool[j] = 0.0 if sold else state.pool[j]
    called = sold and not (state.guarantee_called[j] != 0 or period.guarantor_failed[j] != 0)
    guarantee = min(terms.guarantee_cap, max(0.0, terms.guarantee_strike - proceeds))
    payment.guarantee_proceeds[j] = guarantee if called else 0.0
    state.guarantee_called[j] |= 1 if sold else 0
    state.sold[j] |= 1 if forced else 0
    return proceeds + payment.guarantee_proceeds[j]


@njit(forceinline=True, cache=True)
def collect(terms, wide, state, period, payment, j, events):
    """Roll the collateral. Returns the period's cash."""
    pool = state.pool[j]
    defaulted = period.default_rate[j] * pool
    scheduled = wide.amortisation_rate * (pool - defaulted)
    earned = wide.pool_yield * terms.period_years * (pool - defaulted)
    revenue = earned if period.revenue[j] != period.revenue[j] else period.revenue[j]
    state.pool[j] = max(0.0, pool - defaulted - scheduled)
    recovery = period.recovery_rate[j] * (payment.recovery[j] if terms.recovery_lag > 0 else defaulted)
    reserve_income = terms.reserve_rate * terms.period_years * state.reserve[j]
    deficient = terms.mode == SEQUENTIAL or terms.mode == PRO_RATA
    payment.principal_due[j] = scheduled + (state.pdl[j] + defaulted if deficient else 0.0)
    payment.opening_pool[j], payment.revenue[j] = pool, revenue
    if events:
        state.defaulted_to_date[j] += defaulted
        payment.defaulted[j], payment.scheduled[j] = defaulted, scheduled
        payment.recovery[j], payment.reserve_income[j] = recovery, reserve_income
    return revenue + scheduled + recovery + reserve_income + period.other_cash[j]


@njit(forceinline=True, cache=True)
def collect_special(cash, terms, state, period, payment, j):
    """Principal cash, sales and guarantees; in default, reserve and trap account join the cash. Returns the cash."""
    lost = payment.recovery[j] if state.sold[j] != 0 else 0.0
    payment.recovery[j] -= lost
    payment.principal_cash[j] = period.principal_cash[j] + sell(terms, state, period, payment, j)
    payment.reserve_drawn[j] = state.reserve[j] if state.in_default[j] != 0 else 0.0
    payment.trap_drawn[j] = state.trap[j] if state.in_default[j] != 0 else 0.0
    state.reserve[j] -= payment.reserve_drawn[j]
    state.trap[j] -= payment.trap_drawn[j]
    return cash - lost + payment.principal_cash[j] + payment.reserve_drawn[j] + payment.trap_drawn[j]


@njit(forceinline=True, cache=True)
def pay_fees(cash, terms, state, payment, j, events):
    """Pay senior fees up to their cap. Returns cash left."""
    sold, in_default = events and state.sold[j] != 0, events and state.in_default[j] != 0
    charged = terms.fee_fixed + terms.fee_rate * terms.period_years * payment.opening_pool[j]
    due = state.fee_arrears[j] + (0.0 if sold else charged)
    paid = min(cash, due if in_default else min(due, terms.fee_cap))
    payment.fees[j] = paid
    state.fee_arrears[j] = due - paid
    return cash - paid


@njit(forceinline=True, cache=True)
def cover_fees(terms, state, payment, j, events, general):
    """Draw on the accounts for senior fees that cash did not pay."""
    unpaid = min(state.fee_arrears[j], terms.fee_cap - payment.fees[j])
    short = 0.0 if events and state.in_default[j] != 0 else unpaid
    drawn = cover(terms, state, payment, short, 0, j, events, general)
    payment.fees[j] += drawn
    state.fee_arrears[j] -= drawn


@njit(forceinline=True, cache=True)
def repay_facility(cash, state, payment, owed, j):
    """Pay the facility's interest, then ``owed`` of its principal. Returns cash left."""
    interest = min(cash, state.facility_interest[j])
    state.facility_interest[j] -= interest
    payment.facility_interest_paid[j] += interest
    principal = min(cash - interest, owed)
    state.facility[j] -= principal
    payment.facility_repaid[j] += principal
    return cash - interest - principal


@njit(forceinline=True, cache=True)
def serve_facility(cash, terms, state, payment, j):
    """Charge and pay the facility; what this period drew is repaid from the next. Returns cash left."""
    old = state.facility[j] - payment.facility_drawn[j]
    state.facility_interest[j] += terms.facility_rate * terms.period_years * old
    return repay_facility(cash, state, payment, old, j)


@njit(forceinline=True, cache=True, error_model="numpy")
def divert(cash, terms, wide, state, payment, k, j, dust):
    """Test the collateral over classes 0 to ``k``; a failure pays senior principal. Returns cash left."""
    notes = 0.0
    for m in range(k + 1):
        notes += state.balance[m, j]
    collateral = state.pool[j] + payment.scheduled[j] + payment.recovery[j] + payment.principal_cash[j]
    trigger = terms.oc_trigger[k]
    failed = notes > dust and fails(collateral / (notes if notes > dust else 1.0), trigger)
    amount = min(cash, notes - collateral / trigger) if failed else 0.0
    payment.oc_diverted[j] += amount
    return cash - amount + settle(amount, terms, wide, state.balance, payment.principal, j, dust, True, False)


@njit(forceinline=True, cache=True)
def accrue(terms, wide, state, payment, j, post_ard, events, general):
    """Add the period's interest to what classes are owed; after the ARD the margin is deferred. Notes the debt service."""
    dt, service = terms.period_years, 0.0
    for k in range(len(terms.rank)):
        base = max(0.0, state.balance[k, j] - state.write_down[k, j]) if general else state.balance[k, j]
        accrued = wide.rate[k] * dt * base
        service += accrued
        state.arrears[k, j] += terms.interest_on_interest[k] * wide.rate[k] * dt * state.arrears[k, j] + accrued
        if events:
            payment.interest[k, j] = 0.0
            payment.accrued[k, j] = accrued
        if general:
            grown = (wide.rate[k] + terms.ard_margin[k]) * dt * state.deferred[k, j] + terms.ard_margin[k] * dt * base
            state.deferred[k, j] += grown if post_ard else 0.0
    for k in range(len(terms.rank)):
        service += above(state.balance[k, j], wide.target[k]) if terms.mode == SCHEDULED else 0.0
    payment.debt_service[j] = service


@njit(forceinline=True, cache=True)
def cover_interest(terms, wide, state, payment, k, j, dust, events, general):
    """Draw on the accounts for interest of the rank that begins with class ``k`` that cash did not pay."""
    begins = opens(terms, k) if general else True
    unpaid = due_to_rank(terms, wide, state.arrears, k, j, general, False, False)
    short = unpaid if begins and not (events and state.in_default[j] != 0) else 0.0
    drawn = cover(terms, state, payment, short, terms.rank[k], j, events, general)
    settle_rank(drawn, terms, wide, state.arrears, payment.interest, k, j, dust, general, False, False, False)


@njit(forceinline=True, cache=True)
def pay_interest_special(cash, terms, wide, state, payment, j, dust, general):
    """Pay interest by rank, each followed by its OC test or, in default, by its principal. Returns cash left."""
    for k in range(len(terms.rank)):
        in_default = state.in_default[j] != 0
        cash = settle_rank(cash, terms, wide, state.arrears, payment.interest, k, j, dust, general, False, False, False)
        cover_interest(terms, wide, state, payment, k, j, dust, True, general)
        for_notes = cash if in_default else 0.0
        cash -= for_notes
        cash += settle_rank(for_notes, terms, wide, state.balance, payment.principal, k, j, dust, general, False, False, False)
        if general and closes(terms, k):
            tested = 0.0 if in_default else cash
            cash += divert(tested, terms, wide, state, payment, k, j, dust) - tested
    return cash


@njit(forceinline=True, cache=True)
def fill_reserve(cash, terms, wide, state, payment, j, dust, thin, events, general):
    """Release the reserve's own excess, pay unpaid interest with it, top the reserve up. Returns cash left."""
    in_default = events and state.in_default[j] != 0
    held = payment.opening if events else state.balance
    notes, target = 0.0, wide.reserve_fixed
    for k in range(len(terms.rank)):
        notes += held[k, j]
        target += wide.reserve_weight[k] * held[k, j]
    target = target if notes > dust else 0.0
    excess = 0.0 if in_default else max(0.0, state.reserve[j] - target)
    state.reserve[j] -= excess
    if events:
        payment.reserve_released[j] = excess
    left = 0.0 if in_default else cash + excess
    if thin:
        left = settle(left, terms, wide, state.arrears, payment.interest, j, dust, general, False)
    deposit = min(left, max(0.0, target - state.reserve[j]))
    state.reserve[j] += deposit
    return cash if in_default else left - deposit


@njit(forceinline=True, cache=True)
def amortise(cash, terms, wide, state, payment, j, dust, to_goal, fresh, general):
    """Pay principal, by rank or, while the deal is pro rata, to all classes. Returns cash left."""
    together = False
    if general:
        switched = exceeds(state.defaulted_to_date[j], terms.switch_default_share * terms.pool_at_closing)
        together = terms.mode == PRO_RATA and not switched and state.rapid[j] == 0
    for k in range(len(terms.rank)):
        cash = settle_rank(cash, terms, wide, state.balance, payment.principal, k, j, dust, general, together, to_goal, fresh)
    return cash


@njit(forceinline=True, cache=True)
def buy(cash, terms, state, period, payment, j, dust, revolving):
    """While revolving, principal buys collateral. Returns USD at par that it bought."""
    tripped = payment.opening_pool[j] > dust and exceeds(period.default_rate[j], terms.early_amortisation_default)
    state.early[j] |= 1 if tripped else 0
    payment.paid_for_collateral[j] = cash if revolving and state.early[j] == 0 else 0.0
    payment.bought[j] = payment.paid_for_collateral[j] / terms.purchase_price
    state.pool[j] += payment.bought[j]
    return payment.bought[j]


@njit(forceinline=True, cache=True)
def owe_to_goal(terms, wide, state, j):
    """What brings the notes down to their targets, USD."""
    due = 0.0
    for k in range(len(terms.rank)):
        due += above(state.balance[k, j], wide.goal[k])
    return due


@njit(forceinline=True, cache=True)
def pay_principal(cash, terms, wide, state, payment, j, dust, to_goal):
    """Pay the principal due and keep the PDL. Returns cash left."""
    due = owe_to_goal(terms, wide, state, j) if to_goal else payment.principal_due[j]
    paid = min(cash, due)
    over = amortise(paid, terms, wide, state, payment, j, dust, to_goal, True, False)
    state.pdl[j] = max(0.0, due - (paid - over)) if terms.mode == SEQUENTIAL else 0.0
    return cash - paid + over


@njit(forceinline=True, cache=True)
def pay_principal_special(cash, terms, wide, state, period, payment, j, dust, revolving, general):
    """The same with principal cash, which pays notes in every mode, with purchases while revolving, and in default."""
    in_default = state.in_default[j] != 0
    owing = payment.principal_due[j]
    paid_by_rank = total(terms, payment.principal, j)
    earmarked = 0.0 if in_default else min(cash, payment.principal_cash[j])
    short = payment.principal_cash[j] - earmarked
    left = cash + amortise(earmarked, terms, wide, state, payment, j, dust, False, False, general) - earmarked
    wanted = owe_to_goal(terms, wide, state, j) if terms.mode == SCHEDULED else owing
    due = max(0.0, wanted - payment.oc_diverted[j]) if general else wanted
    paid = 0.0 if in_default else min(left, due)
    left -= paid
    bought, for_notes = 0.0, paid
    if general:
        bought = buy(paid, terms, state, period, payment, j, dust, revolving)
        for_notes = paid - payment.paid_for_collateral[j]
    over = amortise(for_notes, terms, wide, state, payment, j, dust, True, False, general)
    missing = max(0.0, owing - paid_by_rank) if in_default else max(0.0, due - (bought + for_notes - over)) + short
    state.pdl[j] = missing if terms.mode == SEQUENTIAL or terms.mode == PRO_RATA else 0.0
    return left + over


@njit(forceinline=True, cache=True, error_model="numpy")
def record_ratio(state, payment, j, window, dust):
    """Move the window of ratios, the oldest first, unless nothing was due. Returns their sum."""
    service = payment.debt_service[j]
    moves = 1.0 if service > dust else 0.0  # weights: a choice would become slow masked stores
    newer = (payment.revenue[j] - payment.fees[j]) / (service + (1.0 - moves))
    state.dscr_count[j] += 1 if service > dust else 0
    ratios = 0.0
    for i in range(window):
        older = state.dscr[window - 1 - i, j]
        kept = moves * newer + (1.0 - moves) * older
        state.dscr[window - 1 - i, j] = kept
        ratios += kept
        newer = older
    return ratios


@njit(forceinline=True, cache=True)
def recorded_ratios(terms, state, j):
    """Ratios in the window, at least 1."""
    return max(1.0, min(float(state.dscr_count[j]), float(terms.dscr_window)))


@njit(forceinline=True, cache=True)
def pull_triggers(ratios, terms, state, j):
    """Set trap and rapid amortisation, by the mean of the window, for the excess of this period."""
    known = 1 if state.dscr_count[j] >= terms.dscr_window else 0
    length = recorded_ratios(terms, state, j)
    trapped = state.trapped[j]
    state.rapid[j] |= known & (1 if fails(ratios, terms.dscr_rapid * length) else 0)
    failed = known & (1 if fails(ratios, terms.dscr_trap * length) else 0)
    good = state.good_periods[j] + (known & trapped)
    cured = known & (1 if good >= terms.cure_periods else 0)
    state.trapped[j] = failed | (trapped & (1 - cured))
    state.good_periods[j] = good & (failed - 1)  # none after a failure


@njit(forceinline=True, cache=True)
def finish(cash, terms, wide, state, payment, j, dust, past_ard, window, to_goal):
    """Clauses 5 to 8 of a common period, in one go: reserve, principal, triggers, excess. Returns cash left.

    ``window`` of ratios to record here; 0 where none is watched, or their sum stands in ``payment`` already.
    """
    cash = fill_reserve(cash, terms, wide, state, payment, j, dust, False, False, False)
    cash = pay_principal(cash, terms, wide, state, payment, j, dust, to_goal)
    ratios = record_ratio(state, payment, j, window, dust) if window > 0 else payment.dscr_average[j]
    pull_triggers(ratios, terms, state, j)
    return use_excess(cash, terms, wide, state, payment, j, dust, past_ard, False, False)


@njit(forceinline=True, cache=True)
def pull_ltv_trigger(terms, state, period, j, dust):
    """Set the LTV sweep: from a breach until the notes are below their share of the appraisal again."""
    notes, most = total(terms, state.balance, j), terms.ltv_trigger * period.appraisal[j]
    cured = notes <= dust or fails(notes, most)
    on = state.ltv_sweep[j] != 0
    state.ltv_sweep[j] = 1 if not cured and (exceeds(notes, most) or on) else 0


@njit(forceinline=True, cache=True)
def use_excess(cash, terms, wide, state, payment, j, dust, past_ard, events, general):
    """Turbo, or sweep a share, then trap or release; in default there is no excess. Returns cash left."""
    in_default = events and state.in_default[j] != 0
    ltv = general and state.ltv_sweep[j] != 0
    turbo, trapped, trap = past_ard or state.rapid[j] != 0, state.trapped[j] != 0, state.trap[j]
    opened = trap if turbo or (ltv and not trapped) else 0.0
    able = 0.0 if in_default else cash + opened
    to_notes = able if turbo or ltv else terms.sweep_share * able
    swept = to_notes - settle(to_notes, terms, wide, state.balance, payment.principal, j, dust, general, False)
    able = max(0.0, able - swept)
    holds = trapped and not turbo
    paid_in = terms.trap_share * able if holds else 0.0
    released = 0.0 if holds else trap - opened
    state.trap[j] = trap - opened + paid_in - released
    if events:
        payment.swept[j], payment.trap_paid_in[j] = swept, paid_in
        payment.trap_released[j] = released + (0.0 if turbo else opened)
        payment.trapped[j], payment.turbo[j] = 1 if trapped else 0, 1 if turbo else 0
    return cash if in_default else able + released - paid_in


@njit(forceinline=True, cache=True)
def close_accounts(cash, terms, wide, state, payment, j, dust, closing, general):
    """At the end, apply reserve and trap account to whatever is still owed. Returns cash left."""
    able = cash + state.reserve[j] + state.trap[j] if closing else 0.0
    state.reserve[j] = 0.0 if closing else state.reserve[j]
    state.trap[j] = 0.0 if closing else state.trap[j]
    if general:
        able = repay_facility(able, state, payment, state.facility[j], j)
    able = settle(able, terms, wide, state.arrears, payment.interest, j, dust, general, False)
    able = settle(able, terms, wide, state.balance, payment.principal, j, dust, general, False)
    return able if closing else cash


@njit(forceinline=True, cache=True)
def pay_the_rest(cash, terms, wide, state, payment, j, dust, events, general):
    """Deferred interest after all principal, fees over the cap, subordinated fees. Returns the sponsor's rest."""
    if general:
        for_deferred = cash if total(terms, state.balance, j) <= dust else 0.0
        cash += settle(for_deferred, terms, wide, state.deferred, payment.deferred_paid, j, dust, True, False) - for_deferred
    over_cap = min(cash, state.fee_arrears[j])
    state.fee_arrears[j] -= over_cap
    junior = min(cash - over_cap, terms.subordinated_fee_rate * terms.period_years * payment.opening_pool[j])
    if events:
        payment.fees_over_cap[j], payment.subordinated_fees[j] = over_cap, junior
    return cash - over_cap - junior


@njit(forceinline=True, cache=True)
def capitalise(terms, state, payment, j):
    """Turn unpaid interest of PIK classes into balance."""
    for k in range(len(terms.rank)):
        added = state.arrears[k, j] if terms.pik[k] else 0.0
        payment.pik[k, j] = added
        state.pik_to_date[k, j] += added
        state.balance[k, j] += added
        state.arrears[k, j] -= added


@njit(forceinline=True, cache=True, error_model="numpy")
def write_down(terms, state, j):
    """Write notes down to collateral and accounts, from the bottom rank up; cover that returns reinstates them."""
    classes = len(terms.rank)
    uncovered = total(terms, state.balance, j) - (state.pool[j] + state.reserve[j] + state.trap[j])
    for i in range(classes):
        k = classes - 1 - i
        notes = 0.0
        for m in range(classes):
            notes += state.balance[m, j] if m < terms.classes and terms.rank[m] == terms.rank[k] else 0.0
        loss = min(max(0.0, uncovered), notes)
        state.write_down[k, j] = loss * state.balance[k, j] / (notes if notes > 0.0 else 1.0)
        uncovered -= loss if opens(terms, k) and k < terms.classes else 0.0


@njit(forceinline=True, cache=True)
def write_off(terms, state, payment, j, general):
    """Strike what is still owed once the collateral is sold."""
    gone = state.in_default[j] != 0 and state.sold[j] != 0
    for k in range(len(terms.rank)):
        payment.write_off[k, j] = state.balance[k, j] if gone else 0.0
        state.balance[k, j] = 0.0 if gone else state.balance[k, j]
        state.arrears[k, j] = 0.0 if gone else state.arrears[k, j]
    state.fee_arrears[j] = 0.0 if gone else state.fee_arrears[j]
    state.pdl[j] = 0.0 if gone else state.pdl[j]
    if general:
        for k in range(len(terms.rank)):
            state.deferred[k, j] = 0.0 if gone else state.deferred[k, j]
            state.write_down[k, j] = 0.0 if gone else state.write_down[k, j]
        payment.facility_write_off[j] = state.facility[j] if gone else 0.0
        state.facility[j] = 0.0 if gone else state.facility[j]
        state.facility_interest[j] = 0.0 if gone else state.facility_interest[j]
    state.in_default[j] = 1 if state.in_default[j] != 0 and not gone else 0


@njit(forceinline=True, cache=True)
def watch(terms, state, j, dust, matured):
    """Declare an event of default for the next period, or end one when nothing is owed."""
    controlling, unpaid, notes = 0, 0.0, 0.0
    for k in range(len(terms.rank)):
        live = state.balance[k, j] + state.arrears[k, j] > dust
        controlling = terms.rank[k] if live and controlling == 0 else controlling
        unpaid += state.arrears[k, j] if controlling == terms.rank[k] and k < terms.classes else 0.0
        notes += state.balance[k, j]
    owes = controlling > 0
    missed = state.missed_periods[j] + 1 if owes and unpaid > dust else 0
    broken = (0 < terms.default_periods <= missed) or (matured and notes > dust)
    declared = owes and broken and state.in_default[j] == 0 and state.sold[j] == 0
    state.missed_periods[j] = missed
    state.in_default[j] = 1 if owes and (state.in_default[j] != 0 or declared) else 0
    state.periods_to_sale[j] = max(1, terms.liquidation_lag) if declared else state.periods_to_sale[j]


@njit(forceinline=True, cache=True)
def report(terms, state, payment, j):
    """Copy closing balances into the payment."""
    payment.pool[j], payment.pdl[j] = state.pool[j], state.pdl[j]
    payment.reserve[j], payment.trap[j] = state.reserve[j], state.trap[j]
    payment.facility[j], payment.fee_arrears[j] = state.facility[j], state.fee_arrears[j]
    payment.ltv_sweep[j] = state.ltv_sweep[j]
    for k in range(len(terms.rank)):
        payment.balance[k, j], payment.arrears[k, j] = state.balance[k, j], state.arrears[k, j]
        payment.deferred[k, j], payment.write_down[k, j] = state.deferred[k, j], state.write_down[k, j]
