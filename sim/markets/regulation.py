"""What rules do to deals: slices that sponsors keep, channels that are closed, scripted bans; and what lobbies and warners see."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from sim.units import Frozen, quantity

Place = Literal["", "us", "china"]
Channel = Literal["abs", "private", "bank", "spv", "data_centre_abs", "cmbs", "lease", "policy_bank", "quasi_reit", "creit"]


class Retention(Frozen):
    """Risk retention: the part of each new deal that its sponsor keeps."""

    us: float = quantity("share", 0.0, 0.5, "of notes, from the start; a regulator may ask more in time")
    china: float = quantity("share", 0.0, 0.5, "the same in China")
    form: Literal["vertical", "first_loss"]  # a slice of every class, or of the junior class first
    channels: tuple[Channel, ...]  # whose deals it concerns


class Closure(Frozen):
    """A moratorium that a regulator decides on."""

    channels: tuple[Channel, ...]  # in which no new deals close
    diverted: float = quantity("share", 0.0, 1.0, "of new plans in a closed channel that go to one that is open; the rest waits")
    refinancing: Literal["allowed", "barred"]  # of maturing deals of the channel


class Ban(Frozen):
    """A moratorium by script; none while ``region`` is empty."""

    region: Place
    channels: tuple[Channel, ...]
    announced: int = quantity("month", 0, 2400, "in which sponsors learn of it, after recording begins")
    effective: int = quantity("month", 0, 2400, "from which nothing closes")
    months: int = quantity("month", 0, 2400, "that it lasts")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.announced > self.effective:
            raise ValueError(f"announced {self.announced} must not exceed effective {self.effective}")
        return self

    def closes(self, region: str, month: int) -> bool:
        """Whether it is in force."""
        return region == self.region and self.effective <= month < self.effective + self.months

    def ahead(self, region: str, month: int) -> int:
        """Months until it is, once announced; 0: nothing is known to come."""
        known = region == self.region and self.months > 0 and self.announced <= month < self.effective
        return self.effective - month if known else 0


class Params(Frozen):
    """How rules bear on deals, by script or once a regulator has decided on them."""

    retention: Retention
    closure: Closure
    ban: Ban

    def conflicts(self, params: Any) -> Iterable[str]:
        """A ban needs a region that is simulated, and channels."""
        if self.ban.region and self.ban.region not in params.regions:
            yield f"ban.region is {self.ban.region}, which is not among regions. Add it, or leave ban.region empty."
        if self.ban.region and not self.ban.channels:
            yield "ban.channels is empty, so that the ban closes nothing. Name a channel, or leave ban.region empty."


def kept(form: str, share: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Parts (n, 2) of the senior and the junior class that sponsors keep of deals of ``notes`` (n, 2) USD.

    A vertical slice is ``share`` (n,) of each class. The first loss is the same USD, of the junior class as far as it goes.
    """
    if form == "vertical":
        return np.repeat(share[:, None], 2, axis=1)
    asked = share * notes.sum(axis=1)
    junior = np.minimum(asked, notes[:, 1])
    usd = np.stack([asked - junior, junior], axis=1)
    return np.divide(usd, notes, out=np.zeros_like(usd), where=notes > 0.0)


def lobbying(issued: float, debt: float, most: float) -> float:
    """How hard a region's sponsors and lenders lobby, 1/year: a year's issuance (USD) over notes outstanding, up to a bound."""
    return min(issued / debt, most) if debt > 0.0 else 0.0


def divert(parts: dict[str, float], closed: Sequence[str], open_: Sequence[str], share: float) -> dict[str, float]:
    """USD of a plan by channel: ``share`` of what was meant for closed ones goes to open ones, as they are used, or to the first.

    The sum is the same; nothing moves when no channel is open.
    """
    moved = {name: share * usd for name, usd in parts.items() if name in closed}
    if not open_ or not any(moved.values()):
        return parts
    used = sum(parts[name] for name in open_)
    weight = {name: parts[name] / used if used > 0.0 else float(name == open_[0]) for name in open_}
    whole = sum(moved.values())
    return {name: usd - moved.get(name, 0.0) + weight.get(name, 0.0) * whole for name, usd in parts.items()}
