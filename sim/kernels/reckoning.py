"""Estimates from sums over paths: expected loss, default probability and life of a class, and how far they may be off."""

import numpy as np
from numba import njit

from sim.kernels import INTERNAL, LEAN
from sim.kernels.rating import WA, WB, WD, WL, WLL, WW, WWAA, WWAB, WWBB, WWD, WWL, WWLL, W

CELLS = 16  # from so many on, errors are those between cells
MEANS = np.array((W, WL, WD, WA, WB))
# What errors are made of: two places in MEANS, and the sum of their products over paths.
PAIRS = np.array(((0, 0, WW), (0, 1, WWL), (1, 1, WWLL), (0, 2, WWD), (2, 2, WWD), (3, 3, WWAA), (3, 4, WWAB), (4, 4, WWBB)))
FOUND = 7  # loss, its error, default, its error, life, its error, deviation of the loss
# A slope on the weight is used where its variance is that of rounding no more.
ROUNDING = 1e-12


@njit(cache=True, **LEAN)
def add_products(squares, cell):
    """Add the products of a cell's sums (n, k, strata, sums) to ``squares`` (PAIRS, n, k)."""
    for i in range(cell.shape[0]):
        for k in range(cell.shape[1]):
            sums = cell[i, k]
            for pair in range(len(PAIRS)):
                a, b = MEANS[PAIRS[pair, 0]], MEANS[PAIRS[pair, 1]]
                squares[pair, i, k] += (sums[0, a] + sums[1, a]) * (sums[0, b] + sums[1, b])


@njit(**INTERNAL)
def within(sums, pair, count, paths):
    """Covariance of two means from products between the paths of each kind, as if these were independent."""
    a, b, products = MEANS[PAIRS[pair, 0]], MEANS[PAIRS[pair, 1]], PAIRS[pair, 2]
    found = 0.0
    for kind in range(len(count)):
        many = count[kind]
        extra = (many / (many - 1) if many > 1 else 0.0) / (paths * paths)
        found += (sums[kind, products] - sums[kind, a] * sums[kind, b] / max(many, 1)) * extra
    return found


@njit(**INTERNAL)
def between(sums, squares, pair, cells, paths):
    """The same from products between cells."""
    a, b = MEANS[PAIRS[pair, 0]], MEANS[PAIRS[pair, 1]]
    product = (sums[0, a] + sums[1, a]) * (sums[0, b] + sums[1, b])
    return (squares - product / cells) * (cells / (cells - 1)) / (paths * paths)


@njit(**INTERNAL)
def controlled(mean, own, common, weight, spread, paths):
    """A mean corrected by the weights', which is one, and its error (Owen and Zhou 2000)."""
    slope = common / spread if spread > ROUNDING / paths else 0.0
    return min(max(mean - slope * (weight - 1.0), 0.0), 1.0), np.sqrt(max(own - slope * common, 0.0))


@njit(cache=True, **LEAN)
def reckon(found, covariance, total, squares, count, cells):
    """Estimates of every class.

    Parameters
    ----------
    found : (FOUND, n, k), written; see there
    covariance : (PAIRS,), room
    total : (n, k, strata, sums) over ``count`` (strata,) paths
    squares : (PAIRS, n, k) from ``add_products``; read where there are CELLS ``cells`` or more
    """
    paths = float(count[0] + count[1])
    for i in range(total.shape[0]):
        for k in range(total.shape[1]):
            sums = total[i, k]
            for pair in range(len(PAIRS)):
                if cells >= CELLS:
                    covariance[pair] = between(sums, squares[pair, i, k], pair, cells, paths)
                else:
                    covariance[pair] = within(sums, pair, count, paths)
            spread, with_loss, of_loss, with_default, of_default, of_years, of_both, of_principal = covariance
            weight = (sums[0, W] + sums[1, W]) / paths
            loss, default = (sums[0, WL] + sums[1, WL]) / paths, (sums[0, WD] + sums[1, WD]) / paths
            loss, loss_error = controlled(loss, of_loss, with_loss, weight, spread, paths)
            default, default_error = controlled(default, of_default, with_default, weight, spread, paths)
            principal = sums[0, WB] + sums[1, WB]
            life = (sums[0, WA] + sums[1, WA]) / principal
            square = of_years - 2.0 * life * of_both + life * life * of_principal
            life_error = np.sqrt(max(square, 0.0)) * paths / principal
            second = (sums[0, WLL] + sums[1, WLL]) / paths
            deviation = np.sqrt(max(second - loss * loss, 0.0))
            found[:, i, k] = loss, loss_error, default, default_error, life, life_error, deviation


@njit(cache=True, **LEAN)
def grade(place, loss, life, table, longest):
    """Best letters, places in ``table`` or after its last, whose idealised expected loss over the life is at least ``loss``.

    Parameters
    ----------
    place : (m,) int64, written
    loss, life : (m,) share; year, of which 1 to ``table.shape[1]`` count, ``longest`` where there is none
    table : (letters, years) shares, linear between years
    """
    last = table.shape[1]
    for i in range(place.size):
        years = min(max(life[i] if np.isfinite(life[i]) else longest, 1.0), float(last))
        year = min(int(years), last - 1)
        count = 0
        for letter in range(table.shape[0]):
            row = table[letter]
            inside = (row[year] - row[year - 1]) * (years - year) + row[year - 1]
            count += loss[i] > (inside if years < last else row[last - 1])
        place[i] = count
