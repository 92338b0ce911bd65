"""The rating of one deal file under every configured agency, as lines of a table."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from sim.collateral import describe
from sim.deal_files import DealFile
from sim.deal_reader import BadDeal
from sim.deal_records import Records, records
from sim.deal_risk import collateral
from sim.kernels.draws import LANES
from sim.plain import read_plain
from sim.ratings import LETTERS, Params, Ratings, believe, rate_book

CONFIG = Path(str(files("configs"))) / "sim" / "ratings" / "default.yaml"
HEADER = f"{'class':<16}{'by EL':>8}{'by PD':>8}{'EL share':>12}{'error':>11}"
HEADER += f"{'PD share':>12}{'error':>11}{'WAL year':>10}{'error':>9}"


@cache
def configured() -> Params:
    """The shipped parameters of ratings."""
    return Params.model_validate_json(json.dumps(read_plain(CONFIG)), strict=True)


def counted(paths: int | None) -> int:
    """Paths of a deal file's rating; the configured number when none is given.

    Raises
    ------
    BadDeal
        for fewer than one path or too many
    """
    count = configured().file_paths if paths is None else paths
    if not 1 <= count <= 2**24:
        raise BadDeal(f"--paths {count}: out of range. Give 1 to {2**24}.")
    return count


def rate_deal(file: DealFile, paths: int | None = None, plain: bool = False, threads: int | None = None) -> dict[str, Ratings]:
    """Ratings (1, k) of a deal by agency; the deal must have a risk block.

    Raises
    ------
    BadDeal
        for fewer than one path or too many
    """
    p, count = configured(), counted(paths)
    deal = records(file)
    book, obligors = describe([collateral(file)], [deal.period], p.horizon)
    found = {}
    for agency in p.agencies:
        rating = rate_book(p, deal.terms, deal.state, book, obligors, believe(p, agency), paths=count, plain=plain, threads=threads)
        found[agency.name] = rating
    return found


def rate_file(file: DealFile, paths: int | None = None) -> Iterator[str]:
    """Letters, expected loss, default probability and life of every class, with standard errors, under each agency.

    Raises
    ------
    BadDeal
    """
    p, deal = configured(), records(file)
    found = rate_deal(file, paths)
    count = next(iter(found.values())).estimates.paths
    rounded = f" ({paths} rounded up to whole cells of {LANES})" if paths not in (None, count) else ""
    yield f"{count:,} importance-sampled paths{rounded}; error is the standard error of the number before it."
    yield "EL: expected loss, share of the present value at the class's own coupon of what it is promised."
    yield "PD: probability that by the end it has been paid less than that present value; late but with interest is in full."
    yield "Letters are by idealised tables that are UNVERIFIED (configs/sim/ratings)."
    for agency in p.agencies:
        yield ""
        beliefs = f"depreciation {p.depreciation + agency.depreciation_bias:.2f} +- {agency.dispersion:.2f} a year"
        yield f"{agency.name}: {beliefs}, correlation {agency.correlation:.2f}, recovery {agency.recovery:.2f}"
        yield HEADER
        yield from lines(file, deal, found[agency.name])


def lines(file: DealFile, deal: Records, rating: Ratings) -> Iterator[str]:
    """One line a class, in the order of the file."""
    for note, k in zip(file.deal.notes, deal.place, strict=True):
        e = rating.estimates
        by_loss, by_default = LETTERS[rating.by_loss[0, k]], LETTERS[rating.by_default[0, k]]
        life = f"{e.life[0, k]:>10.3f}{e.life_error[0, k]:>9.3f}" if np.isfinite(e.life[0, k]) else f"{'none':>10}{'':>9}"
        yield (
            f"{note.name:<16}{by_loss:>8}{by_default:>8}{e.loss[0, k]:>12.6f}{e.loss_error[0, k]:>11.6f}"
            f"{e.default[0, k]:>12.6f}{e.default_error[0, k]:>11.6f}{life}"
        )
