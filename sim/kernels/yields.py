"""What a stream of cash is worth: present value, average life, yield, margin, annuity.

Payments fall at the end of periods of ``period_years``; rates are 1/year, compounded once a period.
"""

import math

from numba import njit

LOWEST, HIGHEST = -0.99, 100.0  # per period, where a rate is looked for


@njit(forceinline=True, cache=True)
def discounted(cash, index, rate, period_years):
    """Present value when each period discounts at its index plus ``rate``."""
    value, factor = 0.0, 1.0
    for t in range(cash.size):
        factor /= 1.0 + (index[t] + rate) * period_years
        value += factor * cash[t]
    return value


@njit(forceinline=True, cache=True)
def solve(price, cash, index, period_years):
    """Rate over the index at which non-negative cash is worth ``price``; NaN without price or cash.

    Bisection: the value falls as the rate rises.
    """
    lowest = index[0] if index.size else 0.0
    received = 0.0
    for t in range(cash.size):
        received += cash[t]
        lowest = min(lowest, index[t])
    if price <= 0.0 or received <= 0.0:
        return math.nan
    low, high = LOWEST / period_years - lowest, HIGHEST / period_years
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        if discounted(cash, index, middle, period_years) > price:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@njit(cache=True)
def present_value(cash, rate, period_years):
    """USD today of cash (t,) USD at ``rate`` 1/year."""
    return discounted(cash, 0.0 * cash, rate, period_years)


@njit(cache=True)
def yield_at(price, cash, period_years):
    """Yield, 1/year, of cash (t,) USD bought at ``price`` USD; NaN without price or cash."""
    return solve(price, cash, 0.0 * cash, period_years)


@njit(cache=True)
def discount_margin(price, cash, index, period_years):
    """Margin over the index (t,) 1/year at which cash (t,) USD is worth ``price`` USD; NaN without price or cash."""
    return solve(price, cash, index, period_years)


@njit(cache=True)
def average_life(principal, period_years):
    """Weighted average life in years of principal (t,) USD; NaN without principal."""
    repaid, weighted = 0.0, 0.0
    for t in range(principal.size):
        repaid += principal[t]
        weighted += (t + 1) * period_years * principal[t]
    return weighted / repaid if repaid > 0.0 else math.nan


@njit(cache=True)
def annuity(rate, periods, period_years):
    """USD today of 1 USD at the end of each period; the number of periods when the rate is zero."""
    growth = periods * math.log1p(rate * period_years)
    return -math.expm1(-growth) / (rate * period_years) if abs(rate * period_years) > 1e-12 else float(periods)
