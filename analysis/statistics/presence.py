"""Whether there is any response at all, in months that were not chosen before looking."""

import numpy as np

FLIPS = 9999
TIE = 1e-12  # relative


def chance(differences: np.ndarray, flips: int = FLIPS, seed: int = 0) -> float:
    """Chance of a mean as far from zero, in some month, if seeds were as likely to respond one way as the other.

    The largest Student's t over months, against the same with signs of whole seeds flipped at random (Westfall and Young
    1993): exact whatever the dependence between months. Of 8 seeds, 2 in 256 flips are as extreme as can be: the least
    chance is 0.008; of 5 seeds it is 0.06, and nothing can be told at 0.95. Without any difference the chance is 1.

    Parameters
    ----------
    differences : (seeds, months), paired

    Raises
    ------
    ValueError
        for a value that is not finite
    """
    differences = np.asarray(differences, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise ValueError("differences are not finite. Leave those seeds out and say so, or mend them.")
    size = np.sqrt((differences**2).mean(axis=0))  # signs do not change it, so that t rises with mean / size
    scaled = differences[:, size > 0.0] / size[size > 0.0]
    if not scaled.size:
        return 1.0
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(flips, len(scaled)))
    largest = np.abs(signs @ scaled).max(axis=1)
    found = np.abs(scaled.sum(axis=0)).max()
    return float((1 + np.sum(largest >= found * (1.0 - TIE))) / (flips + 1))
