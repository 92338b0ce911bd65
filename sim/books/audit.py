"""The books close: named identities, checked every month of every run."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.books.deals import BUILDING, CLOSED
from sim.books.ledger import ACCOUNT, CLAIMS, WORLD
from sim.sums import by_row

if TYPE_CHECKING:
    from sim.books.bonds import Bonds
    from sim.books.deals import DealBook
    from sim.books.fleet import Fleet
    from sim.books.ledger import Ledger

TOLERANCE = 1e-9  # of total assets


class BooksDoNotBalance(RuntimeError):
    """An accounting identity is broken."""


class Gap(NamedTuple):
    """The largest breach of one identity."""

    identity: str
    where: str
    amount: float  # USD, or GPU for the fleet's count
    scale: float  # what it is measured against


def _worst(identity: str, breaches: Any, scale: float, name: Callable[[int], str]) -> Gap:
    gaps = np.abs(np.atleast_1d(breaches))
    if not gaps.size:
        return Gap(identity, "", 0.0, scale)
    worst = int(np.argmax(gaps))  # the first that is not a number, if there is one
    return Gap(identity, name(worst), float(gaps[worst]), scale)


def largest(amounts: np.ndarray) -> np.ndarray:
    """Largest (n,) of the rows of (n, few), whatever their signs."""
    return np.abs(np.ascontiguousarray(amounts.T)).max(axis=0)


def total_assets(ledger: "Ledger") -> float:
    """Claims and hardware of all parties, USD."""
    return float(np.maximum(ledger.balances, 0.0).sum())


def gaps(
    ledger: "Ledger",
    deals: "DealBook",
    fleet: "Fleet",
    cloud_parties: np.ndarray,
    bonds: "Bonds | None" = None,
    landlords: Any = (),
    sites: Any = (),
) -> list[Gap]:
    """The largest breach of every identity; of ``bonds`` where they are kept by issue.

    ``sites`` (l,) are what the books of ``landlords`` (l,) hold, USD.
    """
    books = ledger.balances[: len(ledger.members)]
    scale = max(total_assets(ledger), 1.0)
    out = [
        _worst("every posting has two sides", books.sum(axis=1), scale, ledger.name),
        _worst("no deposit below zero", np.minimum(np.delete(books[:, 0], WORLD), 0.0), scale, lambda i: ledger.name(i + 1)),
        *_deals(books, deals, fleet, scale, ledger.name),
        *_hardware(books, fleet, (cloud_parties, list(landlords), sites), scale, ledger.name),
    ]
    if bonds is not None:
        out += _bonds(books[:, ACCOUNT["bonds"]], bonds, scale, ledger.name)
    for group in CLAIMS:
        sums = sum(books[:, ACCOUNT[a]].sum() for a in group)
        out.append(_worst(f"{' and '.join(group)} sum to zero", sums, scale, lambda _: "all parties"))
    return out


def _deals(books: np.ndarray, deals: "DealBook", fleet: "Fleet", scale: float, name: Callable[[int], str]) -> Iterator[Gap]:
    """Notes, accounts and hardware of deals against the books."""
    party, state, notes = deals["party"], deals["state"], ACCOUNT["notes"]
    live, closed = deals.live(), deals.live(CLOSED)
    owed = by_row(state["balance"])
    rows = np.flatnonzero(owed)
    held = deals.by_holder(rows, state["balance"][rows])
    accounts = state["reserve"] + state["trap"] + deals["escrow"]
    accounts = np.where(deals["stage"] == BUILDING, deals["escrow"], accounts)
    whole = largest(deals["shares"][live].sum(axis=2) - 1.0)
    parts = np.ascontiguousarray(fleet.deals["part_book"].T)
    apart = np.where(parts.any(axis=0), parts.sum(axis=0) - fleet.deals["book"], 0.0)

    def row(i: int) -> str:
        return name(int(party[i]))

    def holder(i: int) -> str:
        return name(int(deals.investors[i]))

    yield _worst("notes owed are notes outstanding", books[party, notes] + owed, scale, row)
    yield _worst("notes held are the holders' shares", books[deals.investors, notes] - held, scale, holder)
    yield _worst("a note has one holder for each part", whole, 1.0, lambda i: row(live[i]))
    yield _worst("a deal's cash is its accounts", books[party, 0] - accounts - deals["collected"], scale, row)
    yield _worst("a deal's hardware is in its books", books[party, ACCOUNT["fleet"]] - fleet.deals["book"], scale, row)
    yield _worst("a deal's parts are its hardware", apart, scale, row)
    pledged = deals["pledge"] > 0.0
    claims = np.where(pledged, books[party, ACCOUNT["claims"]] - owed, 0.0)
    yield _worst("what a lab owes a company is what the company owes", claims, scale, row)
    yield _worst("a closed deal owns and owes nothing", largest(books[party[closed]]), scale, lambda i: row(closed[i]))


def _hardware(
    books: np.ndarray, fleet: "Fleet", owners: tuple[np.ndarray, list[int], Any], scale: float, name: Callable[[int], str]
) -> Iterator[Gap]:
    """Hardware of clouds and landlords against the books, and the count of GPUs; ``owners``: clouds, landlords, their sites."""
    clouds, landlords, sites = owners
    held = books[:, ACCOUNT["fleet"]]
    units = fleet.bought - fleet.failed - fleet.retired - fleet.count()
    own = held[clouds] - fleet.book.sum(axis=1) - fleet.paid.sum(axis=1)
    yield _worst("a cloud's hardware is in its books", own, scale, lambda i: name(int(clouds[i])))
    let = held[np.asarray(landlords, dtype=np.int64)] - np.asarray(sites)
    yield _worst("what landlords and lessors own is in their books", let, scale, lambda i: name(int(landlords[i])))
    yield _worst("GPUs bought are installed, on order, failed or retired", units, max(fleet.bought, 1.0), lambda _: "fleet")


def _bonds(books: np.ndarray, bonds: "Bonds", scale: float, name: Callable[[int], str]) -> list[Gap]:
    """Issues against the accounts of those who owe and hold them."""
    owed = np.bincount(bonds["issuer"], bonds["balance"], len(books))
    held = np.bincount(bonds.holders, bonds.held(), len(books))
    return [_worst("bonds owed and held are bonds outstanding", books - held + owed, scale, name)]


def contracts_gap(ledger: "Ledger", breaches: np.ndarray) -> Gap:
    """The largest of ``breaches``, USD, between accounts and what contracts between their holders are worth."""
    return _worst("claims on contracts are what they are worth", breaches, max(total_assets(ledger), 1.0), lambda _: "protection")


def check(found: Iterable[Gap]) -> float:
    """Largest breach relative to its scale.

    Raises
    ------
    BooksDoNotBalance
        A breach exceeds ``TOLERANCE``; names identity, party and amount.
    """
    worst = 0.0
    for gap in found:
        relative = gap.amount / gap.scale
        if not relative <= TOLERANCE:
            raise BooksDoNotBalance(
                f"{gap.identity}: {gap.where} is out by {gap.amount:,.2f}, {relative:.1e} of {gap.scale:,.0f} "
                f"(allowed {TOLERANCE:.0e}). Find the posting without its other side; the run has stopped."
            )
        worst = max(worst, relative)
    return worst
