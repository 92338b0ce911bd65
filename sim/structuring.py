"""Structuring: the largest classes that an agency's beliefs let reach their letters, most senior first."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.collateral import select
from sim.kernels.rating import Book
from sim.kernels.scenarios import Beliefs, Obligors
from sim.ratings import Asked, Params, rate_books

GRID = 8  # sizes tried at once
ROUNDS = 2  # each narrows the range to one step of the grid


def resize(terms: np.ndarray, state: np.ndarray, book: Book, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, Book]:
    """New deals of other sizes, each many times: what is fixed in USD for the notes grows with them.

    Parameters
    ----------
    terms, state : (n,) records
    book : their collateral
    sizes : (n, c, k) USD by class

    Returns
    -------
    terms, state (n c,) and book, the sizes of a deal together
    """
    n, count, k = sizes.shape
    rows = np.repeat(np.arange(n), count)
    terms, state, book = terms[rows], state[rows], select(book, rows)
    before, new = terms["notional"].copy(), np.zeros_like(terms["notional"])
    new[:, :k] = sizes.reshape(-1, k)
    grown = new.sum(axis=1) / before.sum(axis=1)
    terms["notional"] = state["balance"] = new
    fixed = terms["reserve_target_kind"] == 0
    terms["reserve_target"] = np.where(fixed, terms["reserve_target"] * grown, terms["reserve_target"])
    state["reserve"] *= grown
    terms["facility_limit"] *= grown
    scale = np.divide(new, before, out=np.zeros_like(new), where=before > 0.0)
    return terms, state, book._replace(target=np.ascontiguousarray(book.target * scale[:, None, :]))


class Sought(NamedTuple):
    """New deals (n,) of k classes, every class of some size, and what one agency asks of them."""

    terms: np.ndarray  # (n,) records
    state: np.ndarray  # (n,) likewise
    book: Book
    obligors: Obligors
    beliefs: Beliefs
    letters: np.ndarray  # (n, k) places in LETTERS to be reached by expected loss; of classes that a deal has
    limit: np.ndarray  # (n,) USD, most of all classes together


def structure(p: Params, sought: Sequence[Sought], *, paths: int | None = None, seed: int = 0, date: int = 0) -> np.ndarray:
    """Largest sizes, USD (n, k) of all that is sought, at which every class of every deal has its letter or a better one.

    The senior class is sized alone, then each next one beside those before it, which keep their letters. All sizes see the same
    scenarios; a size counts only if all smaller ones tried pass, so that a looser letter never gives a smaller class.
    """
    letters, limit, classes = (
        np.concatenate(found) for found in zip(*((one.letters, one.limit, one.terms["classes"]) for one in sought), strict=True)
    )
    edges, sizes = np.cumsum([len(one.terms) for one in sought])[:-1], np.zeros(letters.shape)
    for k in range(letters.shape[1]):
        own = classes > k
        if not own.any():
            break
        books = [_part(one, part) for one, part in zip(sought, np.split(own, edges), strict=True) if part.any()]
        places = np.cumsum([len(book[0]) for book in books])[:-1]
        low, step = np.zeros(own.sum()), (limit[own] - sizes[own].sum(axis=1)) / GRID
        for _ in range(ROUNDS):
            tried = np.repeat(sizes[own, None], GRID, axis=1)
            tried[:, :, k] = low[:, None] + step[:, None] * np.arange(1, GRID + 1)
            resized = [(*resize(*book[:3], new), *book[3:]) for book, new in zip(books, np.split(tried, places), strict=True)]
            seen = rate_books(p, resized, paths=paths, seed=seed, date=date).by_loss[:, : k + 1].reshape(-1, GRID, k + 1)
            passes = (seen <= letters[own, None, : k + 1]).all(axis=2)
            low += step * np.where(passes.all(axis=1), GRID, passes.argmin(axis=1))
            step = np.where(passes.all(axis=1), 0.0, step / GRID)  # at the limit there is nothing to narrow
        sizes[own, k] = low
    return sizes


def _part(sought: Sought, own: np.ndarray) -> Asked:
    """Some of the deals."""
    return sought.terms[own], sought.state[own], select(sought.book, own), sought.obligors, sought.beliefs
