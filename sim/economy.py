"""The economy: books, people, tape and parameters, stepped month by month. The shell that Mesa's users expect."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

import mesa
import numpy as np

from sim.arrows import Arrows
from sim.books.applications import Applications
from sim.books.bonds import Bonds
from sim.books.channels import menu
from sim.books.contracts import Contracts
from sim.books.deals import DealBook
from sim.books.fleet import Fleet
from sim.books.funds import Funds
from sim.books.leases import Leases
from sim.books.ledger import Ledger
from sim.books.owners import Owners
from sim.books.protection import Protection
from sim.books.sites import Sites
from sim.month import PHASES
from sim.orders import Book
from sim.streams import Streams
from sim.tape import Tape

logging.getLogger("MESA").setLevel(logging.WARNING)


class Economy(mesa.Model):
    """One run. ``sim.build.build`` makes it; ``step`` lives a month."""

    def __init__(self, params: Any, recorder: Any, rebuild: Callable[[Any], Economy]) -> None:
        super().__init__(rng=params.seed)
        self.params = params
        self.recorder = recorder
        self._rebuild = rebuild
        self.streams = Streams(params.seed)
        self.regions: tuple[str, ...] = tuple(params.regions)
        self.burn_in: int = params.sim.build.burn_in
        self.months_total: int = self.burn_in + round(params.horizon_years * 12)
        self.menus = {region: menu(params, region) for region in self.regions}  # channels of their deals, by number
        self.clock = 0  # months lived, burn-in included
        self.people: dict[tuple[str, str], list[Any]] = {}  # (kind, region) -> agents in key order
        self.outside: dict[tuple[str, str], int] = {}  # (kind, region) -> party
        self.ledger: Ledger
        self.owners: Owners
        self.deals: DealBook
        self.bonds: Bonds
        self.contracts: Contracts
        self.fleet: Fleet
        self.sites: Sites
        self.leases: Leases
        self.protection: dict[str, Protection] = {}  # by region
        self.applications: dict[str, Applications] = {}  # by region
        self.funds: dict[str, Funds] = {}  # whose savers may ask back, by region
        self.arrows: Arrows
        self.tape: Tape
        self.quotes: dict[str, dict[str, float]] = {}  # credit terms before arrows, by region
        self.bids: dict[str, Book] = {}
        self.allotment: dict[str, np.ndarray] = {}  # (k, i) shares of new notes, by region
        self.sized: dict[str, np.ndarray] = {}  # share of cost that agencies allow (agency, channel, senior and all), by region
        self.rates: dict[str, np.ndarray] = {}  # own advance rates (channel, senior and all), by region
        self.basis: np.ndarray  # (i,) USD of discount at which investors bought their notes
        self.earned: np.ndarray  # (i,) USD of interest less losses since the last clearing
        self.entry_rent: dict[str, float] = {}  # USD/GPU/year that buyers expect at delivery, by region
        self.vendor_revenue = 0.0  # USD/year
        self.styles: dict[str, list[int]] = {}  # columns of the record -> investors' columns in the deal book
        self.facts: dict[str, dict[str, float]] = {}  # this month's figures by region, for the record
        self._fixed: dict[tuple[str, ...], np.ndarray] = {}  # who is who, as arrays
        self.failed: set[int] = set()  # tenants whose contracts fell to spot this month
        self.snapshots: dict[str, Any] = {}  # who owes whom at the start of the month, by region, where that is looked at
        self.residual = 0.0  # largest gap of the audit this month

    @property
    def month(self) -> int:
        """Months since recording began; below zero during burn-in."""
        return self.clock - self.burn_in

    def step(self) -> None:
        """Live one month."""
        self.facts = {region: {} for region in self.regions}
        self.failed = set()
        for phase in PHASES:
            phase(self)

    # -- who and what --------------------------------------------------------------------------------------------------

    def all(self, kind: str, region: str) -> list[Any]:
        """Agents of a kind in a region, in key order."""
        return self.people.get((kind, region), [])

    def active(self, kind: str, region: str) -> list[Any]:
        """Those of them who have any weight, in key order."""
        return [agent for agent in self.all(kind, region) if agent.weight > 0.0]

    def parties(self, kind: str, region: str) -> np.ndarray:
        """Their numbers in the ledger."""
        return self.once(("party", kind, region), lambda: [a.party for a in self.all(kind, region)], np.int64)

    def keys(self, kind: str, region: str) -> np.ndarray:
        """Their keys in the streams of randomness."""
        return self.once(("key", kind, region), lambda: [a.key for a in self.all(kind, region)], np.uint64)

    def places(self, kind: str, region: str, parties: np.ndarray) -> np.ndarray:
        """Where parties (n,) stand among the agents of a kind in a region."""
        return found(self._inverse(kind, region), parties)

    def sponsored(self, kind: str, region: str, rows: np.ndarray) -> np.ndarray:
        """Of some deals those whose sponsors are agents of a kind in a region: labs borrow too."""
        return rows[self.are(kind, region, self.deals["sponsor"][rows])]

    def are(self, kind: str, region: str, parties: np.ndarray) -> np.ndarray:
        """Which of some parties (n,) are agents of a kind in a region."""
        places = self._inverse(kind, region)
        return places[np.minimum(parties, len(places) - 1)] >= 0

    def _inverse(self, kind: str, region: str) -> np.ndarray:
        return self.once(("place", kind, region), lambda: inverse(self.parties(kind, region)), np.int64)

    def tenant_places(self, region: str, parties: np.ndarray) -> np.ndarray:
        """Where parties (n,) stand among those who may rent a region's deals: its labs, then its clouds."""
        people = [self.parties("lab", region), self.parties("cloud", region)]
        return found(self.once(("tenant_place", region), lambda: inverse(np.concatenate(people)), np.int64), parties)

    def rows(self, region: str, *stages: int) -> np.ndarray:
        """Rows of a region's deals in any of the stages."""
        return self.deals.of(self.regions.index(region), *stages)

    def slots(self, region: str) -> np.ndarray:
        """Columns of the region's investors in the deal book."""
        people = self.parties("investor", region)
        return self.once(("slot", region), lambda: np.flatnonzero(np.isin(self.deals.investors, people)), np.int64)

    def once(self, name: tuple[str, ...], find: Callable[[], Any], dtype: Any) -> np.ndarray:
        """An array that stays as it is once all agents have accounts; read-only."""
        if name not in self._fixed:
            self._fixed[name] = np.array(find(), dtype=dtype)
            self._fixed[name].setflags(write=False)
        return self._fixed[name]

    # -- shorthand -----------------------------------------------------------------------------------------------------

    def draw(self, stream: str, keys: np.ndarray, index: int = 0) -> np.ndarray:
        """Standard normals of this month."""
        return self.streams.draw(stream, self.clock, keys, index)

    def transmit(self, signal: str, region: str, live: Any) -> Any:
        """A signal through its arrow."""
        return self.arrows.transmit(signal, region, self.clock, live)

    def note(self, region: str, **figures: float) -> None:
        """Add to this month's figures."""
        for name, value in figures.items():
            self.facts[region][name] = self.facts[region].get(name, 0.0) + value

    def happens(self, kind: str, region: Any, **columns: Any) -> None:
        """Record events; ``deal`` is left out where none is concerned."""
        self.recorder.add("events", **{"month": self.month, "kind": kind, "region": region, "deal": -1, **columns})

    def publish(self, region: str | None = None, **facts: Any) -> None:
        """Replace the tape."""
        self.tape = self.tape.publish(region, **facts)

    def save(self, issuer: int, region: str, amount: float) -> None:
        """Savers buy new shares; the world pays them the income they need."""
        if amount > 0.0:
            savers = self.outside["savers", region]
            self.ledger.provide("income", savers, amount)
            self.owners.invest(issuer, savers, amount)

    # -- branching -----------------------------------------------------------------------------------------------------

    def fork(self, params: Any = None) -> Economy:
        """An independent copy that continues bit for bit; its record starts empty.

        Parameters
        ----------
        params : of the copy from now on, if they are to differ; who and how many there are may not
        """
        other = self._rebuild(self.params if params is None else params)
        books = (
            *("ledger", "deals", "bonds", "contracts", "fleet", "sites", "leases"),
            *("protection", "applications", "funds", "owners", "arrows"),
        )
        together = copy.deepcopy([getattr(self, name) for name in books])  # in one, so that all share one ledger
        for name, book in zip(books, together, strict=True):
            setattr(other, name, book)
        other.arrows.params = other.params.sim.arrows
        for name in ("clock", "tape", "residual", "vendor_revenue"):
            setattr(other, name, getattr(self, name))
        for name in ("quotes", "bids", "allotment", "sized", "rates", "basis", "earned", "entry_rent", "facts", "outside"):
            setattr(other, name, copy.deepcopy(getattr(self, name)))
        for group, agents in self.people.items():
            for mine, theirs in zip(agents, other.people[group], strict=True):
                vars(theirs).update(copy.deepcopy(mine.mind()))
        return other


def inverse(parties: np.ndarray) -> np.ndarray:
    """Where each party stands in a list of parties, by its number; -1 for others, as for the one after the last."""
    places = np.full(parties.max(initial=-1) + 2, -1)
    places[parties] = np.arange(len(parties))
    return places


def found(places: np.ndarray, parties: np.ndarray) -> np.ndarray:
    """Places (n,) of parties (n,), all of whom must have one."""
    at = places[np.minimum(parties, len(places) - 1)]
    if (at < 0).any():
        raise KeyError(f"Parties {parties[at < 0].tolist()} are not among those asked about.")
    return at
