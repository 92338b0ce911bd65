"""Loss of a tranche of a pool over one period: a one-factor Gaussian copula by importance-sampled Monte Carlo.

Paths come from a defensive mixture: a nominal share, and normals shifted to where the factor brings the loss to the tranche, under
which defaults are also twisted given the factor (Glasserman and Li 2005, Management Science 51:1643). The mixture is fitted anew to
every call, by cross-entropy on a grid of the factor; it only changes the standard error, never the expectation.
"""

from typing import NamedTuple, Self
from zlib import crc32

import numpy as np
from scipy.special import ndtr, ndtri

from sim.kernels.draws import LANES
from sim.kernels.pools import simulate_losses, solve_twists

SLACK = 1e-12  # a loss this close to an attachment is at it
KNOTS = np.linspace(-10.0, 10.0, 161)  # of the factor, standard deviations
SHIFTS = np.arange(-8.0, 9.0)
DENSITY = np.exp(-0.5 * KNOTS**2)
NOMINAL_SHARE = 0.3
LEAST_SHARE = 0.02  # of the mixture; rarer components only cost time
FITS = 60  # rounds of expectation maximisation
MOST_PATHS = 100_000_000


class Moments(NamedTuple):
    """What a tranche's loss unpacks into."""

    el: float
    se: float
    sd: float
    p_hit: float


class TrancheLoss(Moments):
    """Loss of a tranche as a share of its thickness: mean ``el``, its standard error ``se``, deviation ``sd`` of the loss itself.

    ``p_hit`` is the probability of any loss; its standard error ``p_hit_se`` stands beside the four.
    """

    p_hit_se: float

    def __new__(cls, el: float, se: float, sd: float, p_hit: float, p_hit_se: float = 0.0) -> Self:
        loss = super().__new__(cls, el, se, sd, p_hit)
        loss.p_hit_se = p_hit_se
        return loss


class JointLoss(NamedTuple):
    """Losses of the same tranche of two deals, with standard errors."""

    el: tuple[float, float]
    se: tuple[float, float]
    covariance: float
    covariance_se: float
    correlation: float
    p_hit: tuple[float, float]
    p_both: float
    p_both_se: float


class Pool(NamedTuple):
    """Groups of equal obligors: default threshold, pull of the factor, loss in each deal and on average, number (0: infinite)."""

    threshold: np.ndarray
    slope: np.ndarray
    lumps: np.ndarray
    lump: np.ndarray
    number: np.ndarray


class Paths(NamedTuple):
    """What was simulated: losses (a, n), likelihood ratios (n,), and the last path but one of every component."""

    loss: np.ndarray
    weight: np.ndarray
    ends: np.ndarray


def pool_tranche_loss(pd, rho, lgd, attach, detach, weights=None, paths=1_000_000, seed=0) -> TrancheLoss:
    """Expected loss of the tranche of a pool from ``attach`` to ``detach``.

    Parameters
    ----------
    pd, rho, lgd : probability of default, asset correlation (below 1), loss given default; shares, one number or one an obligor
    attach, detach : shares of the pool, 0 <= attach < detach <= 1
    weights : one an obligor, scaled to sum to 1; without them arrays mean equal obligors, and three numbers an infinitely fine pool
    paths, seed : number of paths; 64-bit key of the draws

    Returns
    -------
    el, se, sd, p_hit : shares of the thickness, and the probability of any loss; beside them ``p_hit_se``, its standard error

    Raises
    ------
    ValueError : a value out of range, or lists of different lengths
    """
    check_tranche(attach, detach, paths, seed)
    pool = group(pd, rho, lgd, None if weights is None else np.atleast_2d(np.asarray(weights, dtype=float)))
    whole = total(pool)
    if is_certain(pool):
        certain = float(np.sum(np.maximum(pool.number, 1) * pool.lump * ndtr(pool.threshold)))
        return TrancheLoss(float(tranche(certain, attach, detach)), 0.0, 0.0, float(certain > attach + SLACK))
    if whole <= attach + SLACK:
        return TrancheLoss(0.0, 0.0, 0.0, 0.0)
    slack = -1.0 if attach == 0.0 and pool.number[0] == 0 else SLACK  # some of infinitely many always default
    if expected(pool, attach, detach) > 0.5:  # what survives is rarer than what is lost
        found = simulate(mirrored(pool), whole - detach, whole - attach, paths, seed)
        survival = tranche(found.loss[0], whole - detach, whole - attach, detach - attach)
        el, se, sd = moments(survival, found)
        return TrancheLoss(1.0 - el, se, sd, *probability(found.loss[0] < whole - attach - slack, found))
    found = simulate(pool, attach, detach, paths, seed)
    el, se, sd = moments(tranche(found.loss[0], attach, detach), found)
    return TrancheLoss(el, se, sd, *probability(found.loss[0] > attach + slack, found))


def joint_tranche_losses(pd, rho, lgd, weights, attach, detach, paths=1_000_000, seed=0) -> JointLoss:
    """Losses of the same tranche of two deals that share obligors.

    Parameters
    ----------
    weights : (2, n) of each obligor in each deal, 0 where it owes that deal nothing; each row scaled to sum to 1
    others : as for ``pool_tranche_loss``
    """
    check_tranche(attach, detach, paths, seed)
    shares = np.asarray(weights, dtype=float)
    if shares.ndim != 2 or len(shares) != 2:
        raise ValueError(f"weights: shape {shares.shape}. Give two rows, one a deal, with one weight an obligor.")
    pool = group(pd, rho, lgd, shares)
    if total(pool) == 0.0:
        return JointLoss((0.0, 0.0), (0.0, 0.0), 0.0, 0.0, 0.0, (0.0, 0.0), 0.0, 0.0)
    found = simulate(pool, attach, detach, paths, seed)
    losses, hit = tranche(found.loss, attach, detach), found.loss > attach + SLACK
    first, second = moments(losses[0], found), moments(losses[1], found)
    product = (losses[0] - first[0]) * (losses[1] - second[0])
    covariance, covariance_se = mean(product, found)
    spread = first[2] * second[2]
    both, both_se = probability(hit[0] & hit[1], found)
    return JointLoss(
        el=(first[0], second[0]),
        se=(first[1], second[1]),
        covariance=covariance,
        covariance_se=covariance_se,
        correlation=covariance / spread if spread > 0.0 else 0.0,
        p_hit=(probability(hit[0], found)[0], probability(hit[1], found)[0]),
        p_both=both,
        p_both_se=both_se,
    )


def check_tranche(attach, detach, paths, seed) -> None:
    """Refuse a tranche without thickness, and numbers of paths that cannot be simulated."""
    if not 0.0 <= attach < detach <= 1.0:
        raise ValueError(f"attach = {attach}, detach = {detach}: a tranche needs 0 <= attach < detach <= 1 (shares of the pool).")
    if not 2 <= paths <= MOST_PATHS or paths != int(paths):
        raise ValueError(f"paths = {paths}: give a whole number from 2 to {MOST_PATHS:,}.")
    if not 0 <= seed < 2**64 or seed != int(seed):
        raise ValueError(f"seed = {seed}: give a whole number from 0 to 2^64 - 1.")


def check_shares(name: str, values: np.ndarray, below: bool = False) -> None:
    """Refuse what is not a share."""
    bad = ~((values >= 0.0) & ((values < 1.0) if below else (values <= 1.0)))
    if bad.any():
        where = f"[{bad.argmax()}]" if values.size > 1 else ""
        limit = "at least 0 and below 1" if below else "from 0 to 1"
        raise ValueError(f"{name}{where} = {values[bad][0]}: out of range. Give a share {limit}.")


def check_weights(weights: np.ndarray) -> None:
    """Refuse weights that are not all finite and positive in sum."""
    if not (np.isfinite(weights).all() and (weights >= 0.0).all() and (weights.sum(axis=1) > 0.0).all()):
        raise ValueError("weights: give finite numbers of at least 0, some of them above 0, one an obligor.")


def group(pd, rho, lgd, weights: np.ndarray | None) -> Pool:
    """Equal obligors together, in an order that does not depend on the order given."""
    given = {"pd": pd, "rho": rho, "lgd": lgd}
    columns = {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in given.items()}
    for name, column in columns.items():
        check_shares(name, column, below=name == "rho")
    single = weights is None and all(np.ndim(value) == 0 for value in given.values())
    lengths = {name: column.size for name, column in columns.items() if np.ndim(given[name])}
    if weights is not None:
        check_weights(weights)
        lengths["weights"] = weights.shape[1]
    if len(set(lengths.values())) > 1 or any(column.ndim != 1 for column in columns.values()):
        raise ValueError(f"lengths differ: {lengths}. Give one number, or one value an obligor in each list.")
    n = max(lengths.values(), default=1)
    if n == 0:
        raise ValueError("no obligors: give at least one.")
    shares = np.full((1, n), 1.0) if weights is None else weights
    shares = shares / shares.sum(axis=1, keepdims=True)
    rows = np.vstack([np.broadcast_to(column, n) for column in columns.values()])
    keys = np.vstack([rows[:2], shares * rows[2]])
    keys = keys[:, keys[2:].any(axis=0)] if keys[2:].any() else keys[:, :1]
    groups, count = np.unique(keys, axis=1, return_counts=True)
    if single:
        count = np.zeros(1, dtype=np.int64)
    rest = np.sqrt(1.0 - groups[1])
    lumps = np.ascontiguousarray(groups[2:])
    return Pool(ndtri(groups[0]) / rest, np.sqrt(groups[1]) / rest, lumps, lumps.mean(axis=0), count.astype(np.int64))


def total(pool: Pool) -> float:
    """Loss when all default."""
    return float(np.sum(np.maximum(pool.number, 1) * pool.lump))


def is_certain(pool: Pool) -> bool:
    """Nothing of the pool's loss is left to chance."""
    known = np.isinf(pool.threshold) | (pool.lump == 0.0)
    return bool(np.all(known | ((pool.number == 0) & (pool.slope == 0.0))))


def mirrored(pool: Pool) -> Pool:
    """The pool whose defaults are this one's survivals."""
    return pool._replace(threshold=-pool.threshold, slope=-pool.slope)


def tranche(loss, attach: float, detach: float, thickness: float | None = None):
    """Loss of the tranche, as a share of its thickness."""
    return np.minimum(np.maximum(loss - attach, 0.0), detach - attach) / (detach - attach if thickness is None else thickness)


def expected(pool: Pool, attach: float, detach: float) -> float:
    """The tranche's loss if obligors were very many, enough to know which side is rare."""
    _, _, loss = solve_twists(KNOTS, pool.threshold, pool.slope, pool.lump, np.maximum(pool.number, 1), -1.0)
    return float(np.sum(DENSITY * tranche(loss, attach, detach)) / DENSITY.sum())


def simulate(pool: Pool, attach: float, detach: float, paths: int, seed: int) -> Paths:
    """Losses of the deals on all paths, from a mixture fitted to the tranche."""
    theta, importance = find_importance(pool, attach, detach)
    shift, share = fit_mixture(importance)
    owned = np.floor(share * paths).astype(np.int64)
    kept = owned >= 2
    kept[0] = True
    shift, owned = shift[kept], owned[kept]
    owned[0] += paths - owned.sum()
    ends = np.cumsum(owned)
    mixture = (shift, owned / paths, ends, KNOTS, theta)
    key = np.uint64(seed), question(pool, attach, detach)
    loss, weight = simulate_losses(-(-paths // LANES), key, mixture, tuple(pool))
    return Paths(loss[:, :paths], weight[:paths], ends)


def question(pool: Pool, attach: float, detach: float) -> np.uint64:
    """Counter word of the draws: different questions draw independently, so that errors in a table of answers average out."""
    return np.uint64(crc32(b"".join(np.ascontiguousarray(part).tobytes() for part in (*pool, [attach, detach]))))


def find_importance(pool: Pool, attach: float, detach: float) -> tuple[np.ndarray, np.ndarray]:
    """Twist by factor, and the density of the factor times a bound on the tranche's loss there (Glasserman and Li, section 5.1)."""
    finite = bool((pool.number > 0).any())
    one = one_default(pool) if finite else 0.0
    level = min(max(attach, one), total(pool) - 0.5 * float(pool.lump[pool.lump > 0.0].min())) if finite else -1.0
    theta, cumulant, loss = solve_twists(KNOTS, pool.threshold, pool.slope, pool.lump, np.maximum(pool.number, 1), level)
    depth = np.minimum(np.maximum(loss - attach, 0.5 * one), detach - attach)
    with np.errstate(under="ignore"):
        return theta, DENSITY * np.maximum(depth, 0.0) * np.exp(np.minimum(cumulant - theta * level, 0.0))


def one_default(pool: Pool) -> float:
    """Loss that one default brings."""
    odds = pool.number * pool.lump * ndtr(pool.threshold)
    return float(np.sum(odds * pool.lump) / odds.sum()) if odds.sum() > 0.0 else float(pool.lump.max())


def fit_mixture(importance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifts and shares of the mixture nearest in cross-entropy to the wanted density of the factor; nominal paths first."""
    nominal = np.zeros(1), np.ones(1)
    if not importance.sum() > 0.0:
        return nominal
    wanted = importance / importance.sum()
    density = np.exp(-0.5 * (KNOTS[:, None] - SHIFTS) ** 2)
    share = np.full(SHIFTS.size, 1.0 / SHIFTS.size)
    for _ in range(FITS):
        own = share * density
        share = wanted @ (own / own.sum(axis=1, keepdims=True))
    kept = share >= LEAST_SHARE
    others = (1.0 - NOMINAL_SHARE) * share[kept] / share[kept].sum()
    return np.concatenate([nominal[0], SHIFTS[kept]]), np.concatenate([NOMINAL_SHARE * nominal[1], others])


def mean(values: np.ndarray, found: Paths) -> tuple[float, float]:
    """Weighted mean and its standard error; the number of paths of a component is fixed, so only spread within it counts."""
    weighted = found.weight * values
    starts = np.concatenate([[0], found.ends[:-1]])
    spread = sum(weighted[start:end].var(ddof=1) * (end - start) for start, end in zip(starts, found.ends, strict=True))
    return float(weighted.mean()), float(np.sqrt(spread) / weighted.size)


def moments(values: np.ndarray, found: Paths) -> tuple[float, float, float]:
    """Mean, its standard error, and standard deviation of the values themselves."""
    centre, error = mean(values, found)
    return centre, error, float(np.sqrt(mean((values - centre) ** 2, found)[0]))


def probability(claim: np.ndarray, found: Paths) -> tuple[float, float]:
    """Probability of a claim and its standard error, counted on the side that is known better."""
    direct, other = mean(claim, found), mean(~claim, found)
    return direct if direct[1] <= other[1] else (1.0 - other[0], other[1])
