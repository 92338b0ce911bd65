"""What agencies think of every class: expected loss, default probability and life with their standard errors, and letters.

Every deal is paid down one set of scenarios, through the very waterfall that pays it in the economy, as an agency believes that
tenants, rents and resale markets will fare. Two tables turn the results into letters: idealised expected losses by horizon, where
the horizon is the class's average life, and idealised ten-year default probabilities.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic import Field, field_validator, model_validator
from scipy.special import ndtri

from sim.kernels.draws import LANES
from sim.kernels.rating import Book
from sim.kernels.reckoning import grade
from sim.kernels.scenarios import Beliefs, Obligors, Sampling
from sim.pools import joint_tranche_losses, pool_tranche_loss
from sim.rating_engine import Estimates, Job, estimate
from sim.units import MONTHS, Frozen, quantities, quantity

__all__ = ["joint_tranche_losses", "pool_tranche_loss"]

NOTCHES = [f"{letter}{notch}" for letter in ("Aa", "A", "Baa", "Ba", "B", "Caa") for notch in (1, 2, 3)]
LETTERS = ("Aaa", *NOTCHES, "Ca")  # the last: worse than any table allows
YEARS = np.arange(1.0, 11.0)  # horizons of the loss table
TEN = 10.0  # years, horizon of the default table


class Agency(Frozen):
    """An agency's beliefs beside its depreciation, and its bias about that."""

    name: str
    depreciation_bias: float = quantity("1/year", -0.5, 0.5, "believed depreciation less the market's view")
    dispersion: float = quantity("1/year", 0.0, 0.5, "standard deviation of depreciation between paths")
    correlation: float = quantity("share", 0.0, 0.95, "of tenants' asset values")
    recovery: float = quantity("share", 0.0, 1.0, "of market value that a lone forced sale fetches; at the start, in the economy")
    fire_sale_slope: float = quantity("1", 0.0, 5.0, "fall of recovery per unit of the market's defaulted share")
    learning_speed: float = quantity("1", 0.0, 10.0, "of beliefs in the economy, relative")


class Params(Frozen):
    """How deals are rated."""

    paths: int = quantity("path", LANES, 2**24, "scenarios of a rating in the economy, whole cells of 64")
    file_paths: int = quantity("path", LANES, 2**24, "scenarios of the rating of a deal file")
    nominal_paths: int = quantity("1/64", 4, LANES, "paths of each 64 drawn as believed; the rest are drawn worse")
    credit_shift: float = quantity("1", -4.0, 0.0, "of the credit factor in those, standard deviations")
    technology_shift: float = quantity("1", 0.0, 4.0, "of what rents lose by the horizon, standard deviations")
    default_power: float = quantity("1", 0.05, 1.0, "of a tenant's conditional default probability by the horizon")
    default_haste: float = quantity("1", 1.0, 5.0, "power of a default's place in time before the horizon")
    horizon: float = quantity("year", 0.5, 30.0, "by which worse paths differ")
    market_default: float = quantity("share", 0.0001, 0.9, "of the market's borrowers that must sell, at a middling credit factor")
    depreciation: float = quantity("1/year", 0.0, 2.0, "the market's view, for deal files; the economy has its own")
    rent_volatility: float = quantity("1/sqrt(year)", 0.0, 1.0, "of monthly shocks to the log rent")
    launch_rate: float = quantity("1/year", 0.0, 4.0, "chip generations launched")
    launch_step: float = quantity("1", 0.0, 1.0, "fall of the log rent at a launch, part of depreciation")
    notches: int = quantity("1", 1, 10, "distance from its letter at which a class is reviewed")
    reviews: int = quantity("1", 1, 8, "in a row that must agree before a letter moves")
    default_probability: tuple[float, ...] = quantities("share", "idealised over ten years, of each letter but the last")
    idealised_loss: tuple[tuple[float, ...], ...] = quantities("share", "idealised over 1 to 10 years, a row a letter but the last")
    tenant_default: float = quantity("1/year", 0.0, 0.5, "default probability of a lab, as agencies see it")
    senior_letter: str = Field(description="letter that the senior class must reach by expected loss")
    junior_letter: str = Field(description="letter that the last class must reach, a loan of one class too")
    agencies: tuple[Agency, ...] = quantities("1", "one an agency")

    @field_validator("senior_letter", "junior_letter")
    @classmethod
    def _known(cls, letter: str) -> str:
        if letter not in LETTERS:
            raise ValueError(f"no such letter. Give one of {', '.join(LETTERS)}")
        return letter

    @model_validator(mode="after")
    def _tables(self) -> Self:
        for name in ("default_probability", "idealised_loss"):
            rows = np.array(getattr(self, name))
            if len(rows) != len(LETTERS) - 1 or (rows < 0.0).any() or (rows > 1.0).any() or (np.diff(rows, axis=0) <= 0.0).any():
                raise ValueError(f"{name} must have {len(LETTERS) - 1} rows between 0 and 1, rising from letter to letter")
        if np.shape(self.idealised_loss)[1] != len(YEARS):
            raise ValueError(f"idealised_loss must have {len(YEARS)} entries a row, one a year of horizon")
        if len({agency.name for agency in self.agencies}) < len(self.agencies):
            raise ValueError("agencies must have different names")
        return self


Asked = tuple[np.ndarray, np.ndarray, Book, Obligors, Beliefs]  # terms, state and collateral of deals, tenants, what is believed


class Ratings(NamedTuple):
    """By deal and class, (n, k)."""

    params: Params
    estimates: Estimates  # expected loss, default probability, life, and their standard errors
    by_loss: np.ndarray  # place in LETTERS

    @property
    def by_default(self) -> np.ndarray:
        """Place in LETTERS."""
        return letters_by_default(self.params, self.estimates.default, self.estimates.life)


def believe(p: Params, agency: Agency, depreciation: float | None = None) -> Beliefs:
    """An agency's beliefs where the market's view, or its own learned one, of ``depreciation`` is given (1/year)."""
    view = p.depreciation if depreciation is None else depreciation
    own = {name: getattr(agency, name) for name in ("dispersion", "correlation", "recovery", "fire_sale_slope")}
    market = {name: getattr(p, name) for name in ("rent_volatility", "launch_rate", "launch_step")}
    return Beliefs(depreciation=view + agency.depreciation_bias, **own, **market)


def sample(p: Params, beliefs: Beliefs, seed: int = 0, date: int = 0, plain: bool = False) -> Sampling:
    """How paths are drawn for an agency; ``plain`` draws all as believed.

    Worse paths shift technology along the direction in which it moves most by the horizon: its factor, shocks and launches each
    by their part of its standard deviation.
    """
    years = p.horizon
    sizes = np.array(
        [
            beliefs.dispersion * years,
            beliefs.rent_volatility * years**0.5,
            beliefs.launch_step * (beliefs.launch_rate * years) ** 0.5,
        ]
    )
    factor, shocks, launches = p.technology_shift * sizes / max(float(np.sqrt((sizes**2).sum())), 1e-12)
    expected = max(beliefs.launch_rate * years, 1e-12)
    most = 0.9 * MONTHS / max(beliefs.launch_rate, 1e-12)  # a chance a month stays below 1
    months = round(years * MONTHS)
    return Sampling(
        seed=np.uint64(seed),
        date=np.uint64(date),
        nominal=LANES if plain else p.nominal_paths,
        credit=p.credit_shift,
        obsolescence=float(factor),
        shock=-float(shocks) / months**0.5,
        launches=min(1.0 + float(launches) / expected**0.5, most),
        months=months,
        power=p.default_power,
        haste=p.default_haste,
        market=float(ndtri(p.market_default)),
    )


def rate_book(
    p: Params, terms: np.ndarray, state: np.ndarray, book: Book, obligors: Obligors, beliefs: Beliefs, **options: Any
) -> Ratings:
    """Rate every class of ``n`` deals as they stand, under one agency's beliefs; options of ``rate_books``.

    Parameters
    ----------
    terms, state : (n,) records of the deals
    book, obligors : their collateral and tenants (``sim.collateral``)
    """
    return rate_books(p, [(terms, state, book, obligors, beliefs)], **options)


def rate_books(
    p: Params,
    books: Sequence[Asked],
    *,
    paths: int | None = None,
    seed: int = 0,
    date: int = 0,
    plain: bool = False,
    threads: int | None = None,
) -> Ratings:
    """Rate several books as ``rate_book`` does, each under its agency's beliefs; their deals one after another.

    Parameters
    ----------
    paths : scenarios, rounded up to whole cells of 64; None is the economy's number
    seed, date : name the set of scenarios, which all deals and agencies share
    """
    jobs = [Job(*book, sample(p, book[-1], seed, date, plain)) for book in books]
    found = estimate(jobs, paths or p.paths, threads)
    return Ratings(p, found, letters_by_loss(p, found.loss, found.life))


def letters_by_loss(p: Params, loss: np.ndarray, life: np.ndarray) -> np.ndarray:
    """Best letters whose idealised expected loss over the life, 1 to 10 years, is at least ``loss``."""
    place = np.empty(loss.shape, dtype=np.int64)
    grade(place.ravel(), loss.ravel(), life.ravel(), table_of(p.idealised_loss), TEN)
    return place


@lru_cache(maxsize=64)
def table_of(rows: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """Rows of a table, as compiled code reads it."""
    return np.array(rows)


def letters_by_default(p: Params, default: np.ndarray, life: np.ndarray) -> np.ndarray:
    """The same by ten-year default probability: the life's own, at a constant hazard, over ten years."""
    years = np.clip(np.where(np.isfinite(life), life, TEN), YEARS[0], TEN)
    equivalent = -np.expm1(np.log1p(-np.minimum(default, 1.0 - 1e-15)) * TEN / years)
    return (equivalent * (1.0 - 1e-12) > np.array(p.default_probability).reshape(-1, *[1] * np.ndim(default))).sum(axis=0)


def review(p: Params, letter: np.ndarray, seen: np.ndarray, streak: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Surveillance with hysteresis: a letter moves when reviews in a row agree that it is off, all on one side.

    Parameters
    ----------
    letter, seen : places in LETTERS, held and found now; a class held at -1 takes what is found
    streak : reviews in a row that found it too high a letter (positive) or too low (negative)

    Returns
    -------
    letters and streaks after the review
    """
    side = np.where(np.abs(seen - letter) >= p.notches, np.sign(seen - letter), 0)
    streak = np.where(side == np.sign(streak), streak + side, side)
    moved = (letter < 0) | (np.abs(streak) >= p.reviews)
    return np.where(moved, seen, letter), np.where(moved, 0, streak)


def shop(letters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The laxest agency for each class and its letter; letters (a, ...), the first agency where several agree."""
    return letters.argmin(axis=0), letters.min(axis=0)


def loosened(p: Params, notches: float) -> Params:
    """Methods of an agency that reads what its model finds against a table some ``notches`` easier, parts of a notch by logs."""
    if notches == 0.0:
        return p
    table = np.log(np.vstack([np.array(p.idealised_loss), np.ones(len(YEARS))]))  # a notch beyond the last nothing is too much
    place = np.arange(len(LETTERS))
    easier = np.exp([np.interp(place[:-1] + notches, place, losses) for losses in table.T]).T
    return p.model_copy(update={"idealised_loss": tuple(map(tuple, easier.tolist()))})
