"""Rating agencies: they learn depreciation and recoveries late, and count their errors."""

from typing import Self

from pydantic import model_validator

from agents.party import Party
from sim.tape import Market
from sim.units import MONTHS, Frozen, quantity


class Params(Frozen):
    """Agencies' methods."""

    learning: float = quantity("1/month", 0.0, 1.0, "of depreciation, by the middle agency")
    recovery_learning: float = quantity("1/month", 0.0, 1.0, "of what forced sales fetch")
    error_learning: float = quantity("1/month", 0.0, 1.0, "of the variance of its forecast errors")
    noise: float = quantity("1/year", 0.0, 0.2, "monthly standard deviation of a depreciation opinion")
    step: float = quantity("1/year", 0.001, 1.0, "largest monthly change of opinion")
    floor: float = quantity("1/year", 0.0, 1.0, "least depreciation believed")
    ceiling: float = quantity("1/year", 0.1, 5.0, "most depreciation believed")
    start_error: float = quantity("1", 0.0, 1.0, "variance of forecast errors at the start")
    technology_weight: float = quantity("share", 0.0, 1.0, "of technology, against rents, in the depreciation that is seen")
    terms_speed: float = quantity("1/month", 0.01, 1.0, "share of the way advance rates move in a month")
    least_advance: float = quantity("share", 0.0, 0.9, "advance rate below which agencies do not go")
    most_advance: float = quantity("share", 0.1, 0.95, "advance rate above which they do not go")
    leniency: float = quantity("share", 0.0, 1.0, "weight of the laxest opinion: shopping")
    shopping: float = quantity("1", 0.0, 5.0, "added leniency per unit of ABS share above neutral")
    loosening: float = quantity("notch/month", 0.0, 10.0, "per unit of its fair share of mandates that an agency misses")
    tightening: float = quantity("1", 0.0, 20.0, "notches per notch that its letters lose, on average")
    loosest: float = quantity("notch", 0.0, 10.0, "most by which its letters are better than what its model finds")
    forgetting: float = quantity("1/month", 0.0, 1.0, "of what its letters have lost")

    @model_validator(mode="after")
    def _order(self) -> Self:
        for low, high in (("floor", "ceiling"), ("least_advance", "most_advance")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} {getattr(self, low)} must not exceed {high} {getattr(self, high)}")
        return self


class Agency(Party):
    """One agency's beliefs and record of error; how it differs from others is in ``sim.ratings.Agency``."""

    kind = "agency"

    def __init__(self, *args, depreciation: float = 0.0, recovery: float = 1.0, speed: float = 1.0, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.depreciation = depreciation  # 1/year
        self.recovery = recovery  # share of market value that a forced sale fetches
        self.error = self.params.start_error  # variance of its forecasts
        self.speed = speed
        self.looseness = 0.0  # notches by which its letters are better than what its model finds
        self.lost = 0.0  # notches a year that its letters have lost, of late
        self.fallen = 0.0  # notches that they lost in the last reviews, together
        self.won: list[float] = []  # USD of notes of its mandates in the last months, oldest first
        self.mandates = 0.0  # its share of all of them

    def learn(self, market: Market, noise: float) -> None:
        """Move towards the depreciation and the sales seen, slowly; remember the squared surprise."""
        p = self.params
        surprise = market.depreciation_seen - self.depreciation
        move = p.learning * self.speed * surprise + p.noise * noise
        believed = self.depreciation + min(max(move, -p.step), p.step)
        self.depreciation = min(max(believed, p.floor), p.ceiling)
        fetched = p.recovery_learning * self.speed * (1.0 - market.fire_sale - self.recovery)
        self.recovery = min(max(self.recovery + fetched, 0.0), 1.0)
        self.error += p.error_learning * self.speed * (surprise**2 - self.error)

    def know(self, depreciation: float, recovery: float, error: float) -> None:
        """Believe what is so: depreciation, recovery, and how far forecasts with them are off."""
        self.depreciation, self.recovery, self.error = depreciation, recovery, error**2

    def win(self, notes: float, memory: int) -> None:
        """A month's mandates, USD of notes; older ones are forgotten."""
        self.won = [*self.won, notes][-memory:]

    def cater(self, share: float, fair: float, fell: float) -> None:
        """Loosen while others have the mandates, tighten when letters fall.

        Parameters
        ----------
        share, fair : of mandates, its own and an equal one
        fell : notches that its letters have lost in a month, net of those won, on average
        """
        p, self.mandates = self.params, share
        moved = p.loosening * max(fair - share, 0.0) - p.tightening * max(fell, 0.0)
        self.looseness = min(max(self.looseness + moved, 0.0), p.loosest)
        self.lost += p.forgetting * (MONTHS * fell - self.lost)
