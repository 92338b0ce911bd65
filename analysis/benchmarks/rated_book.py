"""A book of GPU deals on which importance sampling is measured: sizes, tenants and contracts vary, nothing else.

``python -m analysis.benchmarks.rated_book`` makes and stores the truth again.
"""

import json
import time
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np

from sim.collateral import Described, make_book, obligors
from sim.kernels.layouts import layout
from sim.rating_files import configured
from sim.ratings import LETTERS, Ratings, believe, letters_by_loss, rate_book

TRUTH = Path(__file__).with_name("rating_truth.json")
DEALS, PERIODS, TENANTS = 40, 60, 12
MANY, FEW, PLAIN = 65_536, 64, 4_096
DATES = 8  # scenario sets over which agreement is counted
BUCKETS = np.array([["Aaa", "Aa", "A", "Baa", "Ba", "B", "Caa", "Ca"].index(letter.rstrip("123")) for letter in LETTERS])
SENIOR = (2e-4, 4.5e-4)  # share, expected loss of the senior classes whose variance is compared


@cache
def make() -> tuple[np.ndarray, np.ndarray, Described]:
    """Terms, state and collateral: scheduled two-class loans of 15 to 75 USD on equipment of 100, with one to four tenants."""
    shape, d = layout(2), np.arange(DEALS)
    terms, state = shape.blank("terms", DEALS), shape.blank("state", DEALS)
    notes = np.stack([15.0 + 45.0 * (d % 10) / 9.0, 5.0 + 10.0 * (d % 3) / 2.0], axis=1)
    terms["classes"], terms["mode"], terms["rank"] = 2, 3, [1, 2]
    terms["notional"] = state["balance"] = notes
    terms["coupon"], terms["sweep_share"] = [0.06, 0.09], 0.5
    terms["default_periods"], terms["legal_final"], terms["liquidation_lag"] = 3, PERIODS - 6, 3
    terms["reserve_target"] = state["reserve"] = 1.0
    terms["pool_at_closing"] = state["pool"] = 100.0
    left = np.maximum(0.0, 1.0 - np.arange(1, PERIODS + 1) / (PERIODS - 6))
    count = 1 + d // 10  # tenants
    place = np.arange(4)
    tenant = np.where(place < count[:, None], (3 * d[:, None] + 5 * place) % TENANTS, -1)
    share = np.where(tenant >= 0, 0.96 / count[:, None], 0.0)
    lists = {"contract": 3.0, "market": 3.0, "cost": 0.4, "value": 90.0}
    book = make_book(
        np.full(DEALS, PERIODS),
        left[None, :, None] * notes[:, None, :],
        tenant,
        share,
        np.full((DEALS, 4), 48),
        vacancy=3,
        **{name: np.full((DEALS, PERIODS), value) for name, value in lists.items()},
    )
    chance = 0.004 * 1.35 ** np.arange(TENANTS)  # 0.4 to 11 % a year
    return terms, state, Described(book, obligors(100 + np.arange(TENANTS), chance, configured().horizon))


def rate(paths: int, date: int = 0, plain: bool = False, threads: int | None = None) -> Ratings:
    """Rate the book under the first agency's beliefs."""
    p = configured()
    terms, state, pool = make()
    beliefs = believe(p, p.agencies[0])
    return rate_book(p, terms, state, pool.book, pool.obligors, beliefs, paths=paths, date=date, plain=plain, threads=threads)


def reduction(rated: Ratings) -> float:
    """Median over senior classes of the variance of as many plain paths over that of those drawn."""
    e = rated.estimates
    senior = (e.loss[:, 0] > SENIOR[0]) & (e.loss[:, 0] < SENIOR[1])
    return float(median((e.deviation[senior, 0] ** 2 / e.paths / e.loss_error[senior, 0] ** 2).tolist()))


def agreement(truth: np.ndarray, paths: int, plain: bool) -> float:
    """Classes (of 80) in the bucket of the stored truth, mean over dates."""
    found = [BUCKETS[rate(paths, date, plain).by_loss] == truth for date in range(1, DATES + 1)]
    return float(np.mean(found)) * 2 * DEALS


def measure() -> dict[str, float | bool]:
    """The figures of the bench's page."""
    truth = np.array(json.loads(TRUTH.read_text())["bucket"])
    rate(FEW), rate(FEW, plain=True)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(9):
        for plain, paths in ((False, FEW), (True, PLAIN)):
            begin = time.perf_counter()
            rate(paths, plain=plain, threads=1)
            seconds[plain].append(time.perf_counter() - begin)
    one, two = rate(1024, threads=1).estimates, rate(1024, threads=2).estimates
    return {
        "is64_speedup": median(b / a for a, b in zip(seconds[False], seconds[True], strict=True)),
        "is64_agreement": agreement(truth, FEW, False) - agreement(truth, PLAIN, True),
        "vrf_senior": reduction(rate(16_384)),
        "threads_equal": all(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True) for a, b in zip(one, two, strict=True)),
    }


def store() -> None:
    """Make the truth and its standard errors."""
    p, rated = configured(), rate(MANY)
    e = rated.estimates
    found = {"paths": e.paths, "loss": e.loss.tolist(), "error": e.loss_error.tolist()}
    found["bucket"] = BUCKETS[letters_by_loss(p, e.loss, e.life)].tolist()
    TRUTH.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    store()
