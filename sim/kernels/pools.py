"""Losses of a pool of obligors on many paths: one factor, importance-sampled, path by path.

The deal's own view of a path is its losses and the path's likelihood ratio; nothing is summed here, so no result depends on the
number of threads or on how the paths are cut.
"""

import numpy as np
from numba import njit, prange

from sim.kernels.draws import LANES, exponential, fill_normal, fill_uniform_pair, logarithm, normal_cdf, stream_word

FACTOR, OBLIGOR = stream_word("pool_factor"), stream_word("pool_obligor")
ZERO = np.uint64(0)
LARGEST_EXPONENT = 500.0  # of a twist: e^500 still leaves room for a product
HALVINGS = 50


@njit(forceinline=True, error_model="numpy", cache=True)
def twisted(p, growth):
    """Default probability whose odds are ``growth`` times those of ``p``."""
    return p * growth / (1.0 + p * (growth - 1.0))


@njit(error_model="numpy", cache=True)
def expect(theta, z, threshold, slope, lump, count):
    """Expected loss under the twist, and the log of its normalising constant, given the factor."""
    mean, cumulant = 0.0, 0.0
    for g in range(lump.size):
        p, growth = normal_cdf(threshold[g] - slope[g] * z), exponential(theta * lump[g])
        mean += count[g] * lump[g] * twisted(p, growth)
        cumulant += count[g] * logarithm(1.0 + p * (growth - 1.0))
    return mean, cumulant


@njit(cache=True)
def solve_twists(factor, threshold, slope, lump, count, level):
    """Twist that lifts the expected loss given the factor to ``level``; 0 where it is there already.

    Glasserman and Li 2005, "Importance sampling for portfolio credit risk", Management Science 51:1643, equation 3.4.

    Returns
    -------
    theta, cumulant, mean : (m,) twist, log of its normalising constant, expected loss without it
    """
    theta, cumulant, mean = np.zeros(factor.size), np.zeros(factor.size), np.zeros(factor.size)
    for i in range(factor.size):
        mean[i] = expect(0.0, factor[i], threshold, slope, lump, count)[0]
        low, high = 0.0, LARGEST_EXPONENT / lump.max()
        if mean[i] < level:
            for _ in range(HALVINGS):
                middle = 0.5 * (low + high)
                if expect(middle, factor[i], threshold, slope, lump, count)[0] < level:
                    low = middle
                else:
                    high = middle
        theta[i] = low
        cumulant[i] = expect(low, factor[i], threshold, slope, lump, count)[1]
    return theta, cumulant, mean


@njit(error_model="numpy", cache=True)
def draw_factor(first, key, shift, ends, knots, theta, z, tilt, nominal):
    """Factor, twist and origin of the paths of one cell: component ``c`` of the mixture owns the paths before ``ends[c]``."""
    fill_normal(z, FACTOR, key[1], ZERO, np.uint64(first), key[0])
    step = knots[1] - knots[0]
    for j in range(LANES):
        component = 0
        while component < ends.size - 1 and first + j >= ends[component]:
            component += 1
        z[j] += shift[component]
        nominal[j] = 1.0 if component == 0 else 0.0
        place = min(max((z[j] - knots[0]) / step, 0.0), knots.size - 1.0001)
        left = int(place)
        tilt[j] = theta[left] + (place - left) * (theta[left + 1] - theta[left])


@njit(error_model="numpy", cache=True)
def draw_defaults(first, key, obligor, count, q, defaults):
    """Number of defaults in a group of equal obligors; neighbours in the pool share a counter."""
    u, v = np.empty(LANES), np.empty(LANES)
    defaults[:] = 0.0
    for i in range(obligor // 2, (obligor + count + 1) // 2):
        fill_uniform_pair(u, v, OBLIGOR, key[1], np.uint64(i), np.uint64(first), key[0])
        even = 1.0 if 2 * i >= obligor else 0.0
        odd = 1.0 if 2 * i + 1 < obligor + count else 0.0
        for j in range(LANES):
            defaults[j] += (even if u[j] < q[j] else 0.0) + (odd if v[j] < q[j] else 0.0)


@njit(error_model="numpy", cache=True)
def fill_cell(first, key, mixture, pool, loss, weight):
    """Losses and likelihood ratios of the paths of one cell.

    The mixture's density over the nominal one, at factor z and mean loss L of the deals, is
    share[0] + sum over the others of share exp(shift z - shift^2 / 2) times exp(theta(z) L - cumulant(z));
    the weight is its inverse (balance heuristic, Veach and Guibas 1995), at most 1 / share[0].
    """
    shift, share, ends, knots, theta = mixture
    threshold, slope, lumps, lump, count = pool
    z, tilt, nominal = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    q, p, defaults, log_ratio = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.zeros(LANES)
    draw_factor(first, key, shift, ends, knots, theta, z, tilt, nominal)
    loss[:] = 0.0
    obligor = 0
    for g in range(lump.size):
        edge, pull, size, number = threshold[g], slope[g], lump[g], np.float64(count[g])
        for j in range(LANES):
            p[j] = normal_cdf(edge - pull * z[j])
            growth = exponential(tilt[j] * size)
            log_ratio[j] -= number * logarithm(1.0 + p[j] * (growth - 1.0))
            q[j] = nominal[j] * p[j] + (1.0 - nominal[j]) * twisted(p[j], growth)
        if count[g] == 0:  # infinitely many: the share that defaults is the probability
            defaults[:] = p
        else:
            draw_defaults(first, key, obligor, count[g], q, defaults)
        for a in range(lumps.shape[0]):
            for j in range(LANES):
                loss[a, j] += lumps[a, g] * defaults[j]
        for j in range(LANES):
            log_ratio[j] += tilt[j] * size * defaults[j]
        obligor += count[g]
    for j in range(LANES):
        shifted = 0.0
        for c in range(1, share.size):
            shifted += share[c] * exponential(shift[c] * z[j] - 0.5 * shift[c] * shift[c])
        weight[j] = 1.0 / (share[0] + shifted * exponential(log_ratio[j]))


@njit(parallel=True, cache=True)
def simulate_losses(cells, key, mixture, pool):
    """Losses and likelihood ratios of ``cells`` times 64 paths.

    Parameters
    ----------
    cells : number of 64-path cells
    key : (2,) uint64, seed and the counter word of the question
    mixture : (shift (c,), share (c,), ends (c,) int64, knots (m,), theta (m,)); component 0 is nominal: no shift, no twist
    pool : (threshold (g,), slope (g,), lumps (a, g), lump (g,) their mean over the deals, count (g,) int64, 0 for infinitely many)

    Returns
    -------
    loss (a, n), weight (n,)
    """
    loss, weight = np.empty((pool[2].shape[0], cells * LANES)), np.empty(cells * LANES)
    for cell in prange(cells):
        here = slice(cell * LANES, (cell + 1) * LANES)
        fill_cell(cell * LANES, key, mixture, pool, loss[:, here], weight[here])
    return loss, weight
