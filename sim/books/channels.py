"""Channels: on what terms a region's lenders finance compute, one entry of a catalogue a channel.

Two are usual everywhere, ``abs`` and ``private``: their mix and months stand in ``sim.markets.primary``, their templates in
``sim.books.deals``. The catalogue holds the others; ``open`` names those in business, and no other is in any book or table.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

import configs
from sim.mistakes import suggestion
from sim.ratings import LETTERS
from sim.units import Frozen, quantity

LIBRARY = Path(configs.__file__).parent / "deals"
USUAL: Final = ("abs", "private")
Further = Literal["bank", "spv", "data_centre_abs", "cmbs", "lease", "policy_bank", "quasi_reit", "creit", "receivables", "weights"]
Name = Literal["abs", "private", Further]
OF_LABS: Final = ("receivables", "weights")  # channels through which labs borrow
BOUNDLESS = 1e18  # USD/year


def in_the_library(name: str) -> str:
    """The name of a template, if there is such a file."""
    known = sorted(path.stem for path in LIBRARY.glob("*.yaml"))
    if name not in known:
        raise ValueError(f"no such template. {suggestion(name, known)} Give one of {', '.join(known)}".replace("  ", " "))
    return name


class Capacity(Frozen):
    """What a channel's lenders take in a year: a logistic curve from January 2023 on, a steady rise before."""

    start: float = quantity("USD/year", 0.0, BOUNDLESS, "most new notes in January 2023; 0: none, ever")
    ripe: float = quantity("USD/year", 0.0, BOUNDLESS, "most new notes once the channel is ripe")
    growth: float = quantity("1/year", 0.0, 5.0, "at which it starts to grow")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.start > self.ripe:
            raise ValueError(f"start {self.start:g} must not exceed ripe {self.ripe:g}")
        return self

    def at(self, years: float, past: float = 0.0) -> float:
        """USD/year, ``years`` after January 2023; ``past`` growth, 1/year, before."""
        if self.start <= 0.0 or years <= 0.0:
            return self.start * math.exp(past * years)
        return self.ripe / (1.0 + (self.ripe / self.start - 1.0) * math.exp(-self.growth * years))


class Channel(Frozen):
    """One way to finance compute."""

    name: Name
    sold_as: Literal["securities", "private"]
    use: Literal["build", "take_out", "borrow"]  # what is ordered now; loans on units that have run for a while; labs' own debts
    lender: Literal["investors", "banks"]  # banks lend what policy lets them, at a price that follows no market
    template: str = Field(description="template of the deal library")
    senior_letter: str = Field(description="letter that seniors must reach; empty: that of sim.ratings")
    junior_letter: str = Field(description="letter that the last class must reach; empty: that of sim.ratings")
    most_senior: float = quantity("share", 0.0, 1.0, "of cost or value: most seniors")
    most: float = quantity("share", 0.0, 1.0, "of cost or value: most of all classes; the sponsor keeps the rest")
    tenor: int = quantity("month", 0, 120, "of straight-line repayment from the start; 0: as the template has it")
    follows: float = quantity("share", 0.0, 2.0, "of the market's spread that its coupons follow")
    premium: float = quantity("1/year", -0.1, 0.5, "of its coupons over that")
    closing: int = quantity("month", 1, 11, "from plan or mandate to money")
    debut: int = quantity("month", 1, 11, "the same for a sponsor who has no such deal; take-outs alone")
    seasoning: int = quantity("month", 0, 60, "of operation before a mandate; take-outs alone")
    least_dscr: float = quantity("1", 0.0, 5.0, "rent over debt service in the first year that it is sized to; take-outs alone")
    anchored: float = quantity("share", 0.0, 1.0, "of its deals whose tenant is a cloud; the others' are labs")
    guarantee: float = quantity("share", 0.0, 1.0, "of cost that a cloud, its tenant, guarantees at a sale; 0: none")
    capacity: Capacity

    @field_validator("template")
    @classmethod
    def _in_the_library(cls, name: str) -> str:
        return in_the_library(name)

    @field_validator("senior_letter", "junior_letter")
    @classmethod
    def _letter(cls, letter: str) -> str:
        if letter and letter not in LETTERS:
            raise ValueError(f"no such letter. Give one of {', '.join(LETTERS)}, or nothing")
        return letter

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.most_senior > self.most:
            raise ValueError(f"most_senior {self.most_senior} must not exceed most {self.most}")
        if self.guarantee > 0.0 and self.anchored < 1.0:
            raise ValueError("a guarantee is the tenant's: give anchored 1, or guarantee 0")
        if (self.use == "borrow") != (self.name in OF_LABS):
            raise ValueError(f"use is {self.use}: labs borrow through {' and '.join(OF_LABS)}, and nobody else does")
        if self.use == "borrow" and self.tenor == 0:
            raise ValueError("labs repay in equal parts over the tenor: give it in months, above 0")
        return self


class Equity(Frozen):
    """Private equity that fills what sponsors lack for deals that are ready."""

    required: float = quantity("1/year", 0.0, 1.0, "return that it asks of a new unit's equity")
    capacity: Capacity


class Menu(Frozen):
    """A region's channels."""

    open: tuple[Name, ...]
    choice: Literal["mix", "cheapest"]  # the usual two in the region's mix after what is cheaper, or whatever costs a sponsor least
    anchored: float = quantity("share", 0.0, 1.0, "of the usual channels' deals whose tenant is a cloud")
    terms: Literal["regional", "own"]  # advance rates of the region, or each channel's own
    private_equity: Equity
    catalogue: tuple[Channel, ...]

    @model_validator(mode="after")
    def _known(self) -> Self:
        names = [channel.name for channel in self.catalogue]
        for name in USUAL:
            if name in names:
                raise ValueError(f"{name} is usual and belongs to no catalogue. Its terms are in sim.markets.primary")
        if len(set(names)) < len(names) or len(set(self.open)) < len(self.open):
            raise ValueError("a channel is named twice: give every name once")
        missing = sorted(set(self.open) - set(names) - set(USUAL))
        if missing:
            raise ValueError(f"open names {', '.join(missing)}, which the catalogue does not have. Add it there, or close it")
        return self


class Params(Frozen):
    """Channels by region, and when sponsors take a loan out."""

    anchor_default: float = quantity("1/year", 0.0, 0.5, "default probability that agencies see in clouds that rent deals")
    past_growth: float = quantity("1/year", 0.0, 2.0, "of all capacities before January 2023")
    saving: float = quantity("1/year", 0.0, 0.5, "by which a take-out must be cheaper than the loan it repays")
    us: Menu
    china: Menu

    def conflicts(self, params: Any) -> Iterable[str]:
        """Somebody must finance what is built; a mix is of the usual two; a playbook copies mixes."""
        copier = params.sim.markets.primary.playbook.copier
        for region in params.regions:
            menu: Menu = getattr(self, region)
            builds = [c.name for c in open_channels(params, region) if c.use == "build" and c.capacity.start > 0.0]
            if not builds:
                yield f"{region}.open has no channel that finances what is built. Open private, or another that builds."
            if menu.choice == "mix" and not set(USUAL) <= set(builds):
                yield f"{region}.choice is mix, that of abs and private: open both, or choose cheapest."
            if menu.choice == "cheapest" and copier:
                yield f"{region}.choice is cheapest, so that playbook.copier {copier} has no mix to copy. Leave the copier empty."


def usual(params: Any, region: str) -> tuple[Channel, ...]:
    """The two channels that every region has."""
    regime, templates = getattr(params.sim.markets.primary, region), getattr(params.sim.books.deals, region)
    boundless = Capacity(start=BOUNDLESS, ripe=BOUNDLESS, growth=0.0)
    common: dict[str, Any] = {
        "use": "build",
        "lender": "investors",
        "senior_letter": "",
        "junior_letter": "",
        "capacity": boundless,
    }
    common |= {"most_senior": 1.0, "most": 1.0, "tenor": 0, "follows": 1.0, "premium": 0.0}
    of: Menu = getattr(params.sim.books.channels, region)
    common |= {"seasoning": 0, "least_dscr": 0.0, "anchored": of.anchored, "guarantee": 0.0}
    months: dict[Any, int] = {"abs": regime.closing_abs, "private": regime.closing_private}
    sold: dict[Any, Any] = {"abs": "securities", "private": "private"}
    return tuple(
        Channel(name=name, sold_as=sold[name], template=getattr(templates, name), closing=wait, debut=wait, **common)
        for name, wait in months.items()
    )


def menu(params: Any, region: str) -> tuple[Channel, ...]:
    """All channels that deals of a region may have: the usual two first, then those of the catalogue that are open."""
    of: Menu = getattr(params.sim.books.channels, region)
    return (*usual(params, region), *(c for c in of.catalogue if c.name in of.open and c.capacity.start > 0.0))


def open_channels(params: Any, region: str) -> list[Channel]:
    """Those in business."""
    of: Menu = getattr(params.sim.books.channels, region)
    return [c for c in menu(params, region) if c.name in of.open]
