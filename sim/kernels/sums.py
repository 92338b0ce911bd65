"""Exact sums: numbers that add up to precisely what many others do."""

import numpy as np
from numba import njit

from sim.kernels import LEAN

ROOM = 64  # more parts than sums of one kind of thing leave; numbers of every size can leave more


@njit(cache=True, **LEAN)
def leave(parts, values):
    """Leave in ``parts`` (ROOM,) the few numbers, none overlapping, that add up to ``values`` (n,). Returns how many.

    Shewchuk (1997), Grow-Expansion. None where a value, or a sum on the way, is not finite, or there is no room for a part.
    """
    count = 0
    for i in range(values.size):
        carried, kept = values[i], 0
        for j in range(count):
            large, small = carried, parts[j]
            if abs(large) < abs(small):
                large, small = small, large
            carried = large + small
            rest = small - (carried - large)
            if rest != 0.0:
                parts[kept] = rest
                kept += 1
        if kept == parts.size or not abs(carried) < np.inf:
            return 0
        parts[kept] = carried
        count = kept + 1
    return count


@njit(cache=True, **LEAN)
def exact(parts, values):
    """Exactly rounded sum of ``values`` (n,); room ``parts`` (ROOM,). Not a number where ``leave`` leaves none.

    As ``math.fsum`` ends: the largest part takes in others until one no longer fits whole; half of a last place goes where
    the next part points.
    """
    left = leave(parts, values)
    if left == 0:
        return 0.0 if values.size == 0 else np.nan
    left -= 1
    found, rest = parts[left], 0.0
    while left > 0 and rest == 0.0:
        left -= 1
        before = found
        found = before + parts[left]
        rest = parts[left] - (found - before)
    if left > 0 and ((rest < 0.0 and parts[left - 1] < 0.0) or (rest > 0.0 and parts[left - 1] > 0.0)):
        away = found + 2.0 * rest
        if away - found == 2.0 * rest:
            found = away
    return found
