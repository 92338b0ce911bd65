"""What must hold whatever the runs say: algebra and the linear mode, measured on the project's own formulas. No run is read."""

from typing import Final

import numpy as np
from scipy import signal

from analysis.metrics.runs import NoValue, Run
from analysis.statistics.toys import balancing_at_hopf
from sim.kernels.rents import rent_value
from sim.units import MONTHS

PERIODS: Final = 64  # of the linear mode that are simulated
TINY: Final = 1e-12


def linear_period(run: Run | None, delay: int, decay: float = 0.0) -> float:
    """Period over delay of a balancing ring at the point where it neither dies nor grows, read off its spectrum after a push.

    Activity is stepped by the month, so that half a month of the delay is the step's (``analysis/statistics/toys.py``).
    """
    ring, period = balancing_at_hopf(delay, decay)
    drive = np.zeros((1, round(PERIODS * period)))
    drive[0, 0] = 1.0
    activity, _ = ring.run(drive)
    pace, power = signal.periodogram(activity[0], detrend=False)
    return float(1.0 / pace[1:][np.argmax(power[1:])] / (delay - 0.5))


def book_above_market(run: Run | None, decline: float, life: float, rate: float = 0.0) -> float:
    """First month in which a unit's straight-line book value exceeds what its rents are worth, month.

    The unit costs what its rents are worth when new; they fall by ``decline`` (1/year), run for ever and cost nothing to earn.
    """
    ages = np.arange(1, round(life * MONTHS) + 1)
    worth = rent_value(np.exp(-decline * ages / MONTHS), 0.0, decline, rate, 1e3) / rent_value(1.0, 0.0, decline, rate, 1e3)
    above = 1.0 - ages / (life * MONTHS) > worth + TINY
    if not above.any():
        raise NoValue("book value never exceeds market value")
    return float(ages[np.argmax(above)])
