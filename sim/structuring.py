"""Structuring: the largest classes that an agency's beliefs let reach their letters, most senior first."""

from collections.abc import Sequence

import numpy as np

from sim.collateral import select
from sim.kernels.rating import Book
from sim.kernels.scenarios import Beliefs, Obligors
from sim.ratings import Params, rate_book

GRID = 8  # sizes tried at once
ROUNDS = 2  # each narrows the range to one step of the grid


def resize(terms: np.ndarray, state: np.ndarray, book: Book, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, Book]:
    """A new deal of other sizes, many times: what is fixed in USD for the notes grows with them.

    Parameters
    ----------
    terms, state : (1,) records
    book : its collateral, one deal
    sizes : (c, k) USD by class

    Returns
    -------
    terms, state (c,) and book of c deals
    """
    rows = np.zeros(len(sizes), dtype=np.int64)
    terms, state, book = terms[rows], state[rows], select(book, rows)
    used, before = terms["classes"][0], terms["notional"][0].copy()
    new = np.zeros_like(terms["notional"])
    new[:, :used] = sizes
    grown = new.sum(axis=1) / before.sum()
    terms["notional"] = state["balance"] = new
    fixed = terms["reserve_target_kind"] == 0
    terms["reserve_target"] = np.where(fixed, terms["reserve_target"] * grown, terms["reserve_target"])
    state["reserve"] *= grown
    terms["facility_limit"] *= grown
    scale = np.divide(new, before, out=np.zeros_like(new), where=before > 0.0)
    return terms, state, book._replace(target=np.ascontiguousarray(book.target * scale[:, None, :]))


def structure(
    p: Params,
    terms: np.ndarray,
    state: np.ndarray,
    book: Book,
    obligors: Obligors,
    beliefs: Beliefs,
    letters: Sequence[int],
    limit: float,
    *,
    paths: int | None = None,
    seed: int = 0,
    date: int = 0,
) -> np.ndarray:
    """Largest sizes, USD (k,), at which every class has its letter or a better one.

    The senior class is sized alone, then each next one beside those before it, which keep their letters. All sizes see the same
    scenarios; a size counts only if all smaller ones tried pass, so that a looser letter never gives a smaller class.

    Parameters
    ----------
    terms, state : (1,) records of a deal with every class of some size
    letters : (k,) places in LETTERS to be reached by expected loss
    limit : USD, most of all classes together
    """
    sizes = np.zeros(len(letters))
    for k in range(len(letters)):
        low, step = 0.0, (limit - sizes.sum()) / GRID
        for _ in range(ROUNDS):
            tried = np.tile(sizes, (GRID, 1))
            tried[:, k] = low + step * np.arange(1, GRID + 1)
            rated = rate_book(p, *resize(terms, state, book, tried), obligors, beliefs, paths=paths, seed=seed, date=date)
            passes = (rated.by_loss[:, : k + 1] <= np.array(letters[: k + 1])).all(axis=1)
            low += step * (GRID if passes.all() else int(passes.argmin()))
            if passes.all():
                break
            step /= GRID
        sizes[k] = low
    return sizes
