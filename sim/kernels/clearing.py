"""What investors hold at any spread, and the spread at which they hold all there is."""

import numpy as np
from numba import njit

from sim.kernels import INLINED, LEAN
from sim.kernels.sums import exact

HALVINGS = 40  # of the gap between the least spread and the cap: a 1e-12 of it is left


@njit(**INLINED)
def wanted(spread, capital, loss_belief, hurdle, price_of_risk, leverage):
    """Debt that one investor wants at a spread, USD: mean-variance, up to the leverage that haircuts allow."""
    excess = spread - loss_belief - hurdle
    riskless = np.inf if excess > 0.0 else 0.0  # who has protected all its notes
    ratio = excess / price_of_risk if price_of_risk > 0.0 else riskless
    return capital * min(max(ratio, 0.0), leverage)


@njit(cache=True, **LEAN)
def hold(out, spread, *bids):
    """``wanted`` of all investors (i,) at a spread.

    Parameters
    ----------
    out : (i,) USD, written
    bids : capital, loss_belief, hurdle, price_of_risk and leverage (i,)
    """
    for i in range(out.size):
        out[i] = wanted(spread, bids[0][i], bids[1][i], bids[2][i], bids[3][i], bids[4][i])


@njit(cache=True, **LEAN)
def carry(out, spread, need, limit, *bids):
    """The same within mandates: no more than each one's ``limit`` (i,) of the ``need`` of all, USD."""
    hold(out, spread, *bids)
    for i in range(out.size):
        out[i] = min(out[i], limit[i] * need)


@njit(cache=True, **LEAN)
def meet(out, parts, low, high, need, limit, *bids):
    """Spread between ``low`` and ``high`` at which holdings meet ``need`` USD; the end where they do not.

    Parameters
    ----------
    out, parts : room, (i,) and (ROOM,)
    """
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        carry(out, middle, need, limit, *bids)
        if exact(parts, out) < need:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
