"""Parts of a unit, chips, network, storage, cooling and shell: what each costs, how long it lives, and what deals they back."""

from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from sim.units import MONTHS, Frozen, quantity

PARTS = ("gpu", "network", "storage", "cooling", "shell")
EQUIPMENT = np.array([True, True, True, False, False])  # the vendor's parts; the others are the site
BACKINGS = ("whole", "equipment", "site", "receivables", "weights")  # the last two are labs'
WHOLE, CHIPS, SITE, RECEIVABLES, WEIGHTS = range(5)

Backing = Literal["whole", "equipment", "site"]


class Part(Frozen):
    """One part of a unit."""

    share: float = quantity("share", 0.0, 1.0, "of unit cost")
    life: int = quantity("month", 12, 720, "after which it is written off and must be replaced")


class Pledge(Frozen):
    """What backs a region's deals, by channel: whole units, their equipment alone, or their site alone."""

    abs: Backing
    private: Backing
    loans: Backing  # of the other channels that finance what is built
    take_outs: Backing


class Params(Frozen):
    """How units divide."""

    units: Literal["whole", "parts"]  # whole: one life for all, nothing is replaced
    gpu: Part
    network: Part
    storage: Part
    cooling: Part
    shell: Part
    rundown: float = quantity("1/year", 0.0, 5.0, "of units that fail for want of a part that is past its life")
    salvage: float = quantity("share", 0.0, 1.0, "of its book value that builders pay for the site of retired units")
    site_ageing: float = quantity("1", 0.0, 2.0, "share of the market's obsolescence that a site suffers, as agencies see it")
    vacancy: int = quantity("month", 0, 60, "to let a site again, as agencies see it")
    us: Pledge
    china: Pledge

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.shares.sum() - 1.0) > 1e-9:
            raise ValueError(f"shares of {', '.join(PARTS)} add up to {self.shares.sum():g}: give shares that add up to 1")
        return self

    def conflicts(self, params: Any) -> Iterable[str]:
        """The vendor's parts are what the vendor is paid; parts of units that are whole back nothing."""
        hardware = params.sim.markets.hardware.hardware_share
        if self.units == "parts" and abs(self.shares[EQUIPMENT].sum() - hardware) > 1e-9:
            yield (
                f"gpu, network and storage add up to {self.shares[EQUIPMENT].sum():g} and "
                f"sim.markets.hardware.hardware_share is {hardware:g}: give the same"
            )
        for region in params.regions:
            for channel, backing in getattr(self, region):
                if self.units == "whole" and backing != "whole":
                    yield f"{region}.{channel} is backed by {backing}, but units are whole: set units to parts"

    @property
    def shares(self) -> np.ndarray:
        """Shares (5,) of unit cost."""
        return np.array([getattr(self, part).share for part in PARTS])

    @property
    def lives(self) -> np.ndarray:
        """Lives (5,), months."""
        return np.array([getattr(self, part).life for part in PARTS], dtype=float)

    def backing(self, region: str, channel: Any) -> int:
        """Place in BACKINGS of what backs a channel's deals."""
        if channel.use == "borrow":
            return BACKINGS.index(channel.name)
        other = "loans" if channel.use == "build" else "take_outs"
        return BACKINGS.index(getattr(getattr(self, region), channel.name if channel.name in Pledge.model_fields else other))


def divided(p: Params, hardware: np.ndarray) -> np.ndarray:
    """Shares (n, 5) by part of budgets of which ``hardware`` (n,) is the vendor's; the rest is what they own of the site."""
    shares, vendor = p.shares, float(p.shares[EQUIPMENT].sum())
    site = np.asarray(1.0 - hardware) / max(1.0 - vendor, 1e-12)
    return np.where(EQUIPMENT, np.multiply.outer(np.asarray(hardware) / vendor, shares), np.multiply.outer(site, shares))


def pledged(backing: np.ndarray, hardware: float, own: float) -> np.ndarray:
    """Share (n,) of what operators pay that backs their deals: ``hardware`` and ``own`` are shares of unit cost."""
    return np.choose(backing, [1.0, hardware / own, (own - hardware) / own, 1.0, 1.0])


def opening(p: Params, months: np.ndarray) -> np.ndarray:
    """Book value over cost (n, 5) of parts ``months`` (n,) after delivery, never replaced so far."""
    return np.clip(1.0 - np.multiply.outer(months, 1.0 / p.lives), 0.0, 1.0)


def replaced(price: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """USD (n, 5) spent on missing parts of ``price`` (n, 5) USD, one after another, as far as ``cash`` (n,) goes."""
    before = np.cumsum(price, axis=1) - price
    return np.clip(np.maximum(cash, 0.0)[:, None] - before, 0.0, price)


def failing(p: Params, missing: np.ndarray) -> np.ndarray:
    """Share (n,) of units that fail in a month because a part is ``missing`` (n, 5, share)."""
    return p.rundown * missing.max(axis=1) / MONTHS
