"""What a GPU that earns a falling rent is worth, and the level rent that pays for one."""

import math

from numba import vectorize


@vectorize(["float64(float64, float64, float64, float64, float64)"], cache=True)
def rent_value(rent, running_cost, decline, rate, years):
    """Present value of a rent that falls exponentially, less running cost, until the two meet or the years are over.

    Parameters
    ----------
    rent, running_cost : USD/GPU/year today; the cost stays
    decline : 1/year, at least 2 % is assumed
    rate : 1/year, continuously compounded
    years : horizon

    Returns
    -------
    USD/GPU, at least zero
    """
    if rent <= 0.0:
        return 0.0
    fall = max(decline, 0.02)
    end = years
    if running_cost > 0.0:
        end = min(years, math.log(max(rent / running_cost, 1.0001)) / fall)
    earned = rent * -math.expm1(-(fall + rate) * end) / (fall + rate)
    discount = end if abs(rate) < 1e-12 else -math.expm1(-rate * end) / rate
    return max(earned - running_cost * discount, 0.0)


def rental(rate: float, decline: float, years: float, extra: float = 0.0, kept: float = 1.0, hazard: float = 0.0) -> float:
    """Yearly rent per USD of cost that earns ``rate`` (1/year, continuous) on a unit held for ``years``.

    Its value falls by ``decline`` (1/year); at the end it is sold for a share ``kept`` of that, and ``extra`` is paid, of cost.
    With ``hazard`` (1/year) it comes back before, and is sold as then.
    """
    rate += hazard
    last = (kept * math.exp(-decline * years) + extra) * math.exp(-rate * years)
    before = hazard * kept * _lasting(rate + decline, years) if hazard > 0.0 else 0.0
    return (1.0 - last - before) / _lasting(rate, years)


def _lasting(rate: float, years: float) -> float:
    """Present value of a dollar a year for so many years."""
    return years if abs(rate) < 1e-9 else -math.expm1(-rate * years) / rate
