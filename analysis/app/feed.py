"""What the page keeps of a month: a recorder that remembers the last month only, and the row that is drawn."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim import ratings
from sim.books.fleet import BEFORE
from sim.markets.compute import vintage_factor
from sim.markets.secondary import sale_value

if TYPE_CHECKING:
    from datetime import date

    from sim.economy import Economy

MONTHLY: Final = (  # columns of the record that are drawn or measured
    *("capex", "issuance", "debt", "spread", "base_rate", "advance_rate_senior", "advance_rate_mezzanine", "ltv_addon"),
    *("ration", "raise_multiple", "training", "rent", "unit_cost", "model_half_life", "depreciation_belief", "depreciation_seen"),
    *("loss", "loss_senior", "loss_mezzanine", "support", "residual", "defaults", "liquidations", "downgrades"),
    *("lab_failures", "operator_failures", "investor_failures", "investor_capital"),
)
COMPUTED: Final[dict[str, tuple[str, str]]] = {  # beside them: unit and meaning, as in sim/columns.py
    "flows": ("USD", "savers' money into funds in the month, less what they took out"),
    "traded": ("USD", "notes that changed hands in the month"),
    "fire_sale": ("share", "discount on collateral sold"),
    "distressed": ("share", "of debt that distressed funds hold"),
    "lost_alone": ("USD", "lost so far by holders of loans of one class"),
    "lost_a": ("USD", "lost so far by class A of deals of two classes"),
    "lost_b": ("USD", "lost so far by class B"),
    "rated_a": ("share", "of debt, rated A3 or better"),
    "rated_baa": ("share", "of debt, rated Baa1 to Baa3"),
    "rated_junk": ("share", "of debt, rated Ba1 to B3"),
    "rated_caa": ("share", "of debt, rated below B3"),
}
STEPS: Final = ("rated_a", "rated_baa", "rated_junk", "rated_caa")
BELOW: Final = ("Baa1", "Ba1", "Caa1")  # first letter of the second, third and fourth step
SHOWN: Final = frozenset({"failure", "rule"})  # events that are marked one by one
EVERY: Final = 24  # months between the vintages whose rent and resale value are drawn


class Feed:
    """Takes the place of the recorder; a month's rows replace the last month's."""

    def __init__(self, start: date) -> None:
        self.start = start
        self.summary: dict[str, Any] = {}
        self.monthly: dict[str, dict[str, Any]] = {}
        self.tranches: dict[str, Any] = {}
        self.events: list[dict[str, str]] = []

    def add(self, table: str, **columns: Any) -> None:
        """Rows of the economy's tables; only those that are drawn are kept."""
        if table == "monthly":
            self.monthly[columns["region"]] = columns
        elif table == "tranches":
            self.tranches = columns
        elif table == "events" and columns["kind"] in SHOWN:
            self.events.append({name: str(columns[name]) for name in ("kind", "region", "party", "text")})

    def turn(self) -> None:
        """Forget the month."""
        self.monthly, self.tranches, self.events = {}, {}, []


def vintages(horizon: int) -> range:
    """Months of order of the vintages that are drawn."""
    return range(0, horizon, EVERY)


def fields(regions: tuple[str, ...], horizon: int, arrows: dict[str, str]) -> list[str]:
    """Names of a row's values, in order; ``arrows`` by name, with their first signals."""
    columns = [*MONTHLY, *COMPUTED]
    columns += [f"{what}.{vintage}" for vintage in vintages(horizon) for what in ("rent", "resale")]
    columns += [f"{what}.{arrow}" for arrow in arrows for what in ("push", "signal")]
    return [f"{region}.{column}" for region in regions for column in columns]


def region_values(economy: Economy, feed: Feed, region: str, horizon: int) -> list[float | None]:
    """One region's part of a row, arrows apart."""
    row = feed.monthly[region]
    facts = economy.facts[region]
    values = [row[name] for name in MONTHLY]
    values += [facts.get("flows", 0.0), facts.get("traded", 0.0), economy.tape[region].fire_sale]
    values += [_distressed(economy, feed, region), *_lost(economy, region), *_ladder(economy, feed, region)]
    values += [value for vintage in vintages(horizon) for value in _vintage(economy, region, vintage)]
    return [short(value) for value in values]


def short(value: Any) -> float | None:
    """Four digits are drawn; what is not a number is null."""
    number = float(value)
    return float(f"{number:.4g}") if math.isfinite(number) else None


def _mine(economy: Economy, feed: Feed, region: str) -> tuple[np.ndarray, np.ndarray]:
    """Which of the month's classes (n,) are the region's, and their balances."""
    if not feed.tranches:
        return np.zeros(0, dtype=bool), np.zeros(0)
    here = economy.deals["region"][feed.tranches["deal"]] == economy.regions.index(region)
    return here, feed.tranches["balance"][here]


def _distressed(economy: Economy, feed: Feed, region: str) -> float:
    here, balance = _mine(economy, feed, region)
    if not balance.sum() > 0.0 or "held_by_distressed_funds" not in feed.tranches:
        return 0.0
    return float((feed.tranches["held_by_distressed_funds"][here] * balance).sum() / balance.sum())


def _lost(economy: Economy, region: str) -> list[float]:
    """Principal lost since the start: on loans of one class, and by class of deals of two."""
    deals = economy.deals
    here = deals["region"] == economy.regions.index(region)
    alone, lost = deals["commitment"][:, 1] <= 0.0, deals["lost"]
    return [float(lost[here & alone].sum()), *(float(lost[here & ~alone, k].sum()) for k in (0, 1))]


def _ladder(economy: Economy, feed: Feed, region: str) -> list[float]:
    """Shares of rated debt by step."""
    here, balance = _mine(economy, feed, region)
    letters = feed.tranches["rating"][here] if len(here) else np.zeros(0, dtype=str)
    place = np.array([_PLACE.get(letter, -1) for letter in letters.tolist()], dtype=np.int64)
    owed = np.where(place >= 0, balance, 0.0)
    edges = [0, *(_PLACE[letter] for letter in BELOW), len(_PLACE)]
    whole = max(float(owed.sum()), 1e-9)
    return [float(owed[(place >= low) & (place < high)].sum()) / whole for low, high in itertools.pairwise(edges)]


_PLACE: Final = {letter: place for place, letter in enumerate(ratings.LETTERS)}


def _vintage(economy: Economy, region: str, ordered: int) -> tuple[float, float]:
    """Rent and resale value of a unit ordered in a month, over what a new one cost then; no number before and after its life."""
    p, fleet, market = economy.params.sim.markets, economy.fleet, economy.tape[region]
    lived = economy.month - 1 - ordered
    if not 0 <= lived < p.compute.service_life:
        return math.nan, math.nan
    vintage = BEFORE + economy.burn_in + ordered
    lag = np.array([economy.tape.frontier - fleet.frontier[vintage]])
    factor = vintage_factor(market.vintage_discount, lag)
    cost = market.unit_cost * math.exp(float(lag[0]))  # what the frontier gained is what units have become cheaper by
    running = fleet.running_cost[economy.regions.index(region), vintage]
    rent = market.rent * factor
    sale = sale_value(p.secondary, rent, running, market.depreciation_seen, market.unit_cost, factor, market.fire_sale)
    return float(rent[0]) / cost, float(sale[0]) / cost
