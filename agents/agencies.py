"""Rating agencies: they learn depreciation late, count their errors, and appraise collateral through the cycle."""

import math
from typing import Self

from pydantic import model_validator

from agents.party import Party
from sim.kernels.rents import rent_value
from sim.orders import Opinion
from sim.tape import Market
from sim.units import Frozen, quantities, quantity


class Params(Frozen):
    """Agencies' methods."""

    learning: float = quantity("1/month", 0.0, 1.0, "of depreciation, by the middle agency")
    error_learning: float = quantity("1/month", 0.0, 1.0, "of the variance of its forecast errors")
    speeds: tuple[float, ...] = quantities("1", "relative learning speed, one an agency")
    noise: float = quantity("1/year", 0.0, 0.2, "monthly standard deviation of a depreciation opinion")
    step: float = quantity("1/year", 0.001, 1.0, "largest monthly change of opinion")
    floor: float = quantity("1/year", 0.0, 1.0, "least depreciation believed")
    ceiling: float = quantity("1/year", 0.1, 5.0, "most depreciation believed")
    start_error: float = quantity("1", 0.0, 1.0, "variance of forecast errors at the start")
    technology_weight: float = quantity("share", 0.0, 1.0, "of technology, against rents, in the depreciation that is seen")
    smooth: float = quantity("share", 0.0, 1.0, "weight of the normal rent in an appraisal: through the cycle")
    normal_rent: float = quantity("share", 0.05, 2.0, "normal yearly rent of a unit over its cost")
    stress_senior: float = quantity("1", 0.0, 6.0, "standard deviations of depreciation the senior class must bear")
    stress_mezzanine: float = quantity("1", 0.0, 6.0, "the same for the junior class")
    advance: float = quantity("share", 0.0, 1.5, "debt allowed per stressed value")
    senior_part: float = quantity("share", 0.0, 1.0, "of that for the senior class")
    appraisal_spread: float = quantity("1/year", 0.0, 0.3, "over the base rate, discount rate of appraisals")
    terms_speed: float = quantity("1/month", 0.01, 1.0, "share of the way advance rates move in a month")
    least_advance: float = quantity("share", 0.0, 0.9, "advance rate below which agencies do not go")
    most_advance: float = quantity("share", 0.1, 0.95, "advance rate above which they do not go")
    leniency: float = quantity("share", 0.0, 1.0, "weight of the laxest opinion: shopping")
    shopping: float = quantity("1", 0.0, 5.0, "added leniency per unit of ABS share above neutral")

    @model_validator(mode="after")
    def _order(self) -> Self:
        for low, high in (("floor", "ceiling"), ("least_advance", "most_advance")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} {getattr(self, low)} must not exceed {high} {getattr(self, high)}")
        return self


class Agency(Party):
    """One agency's belief and record of error."""

    kind = "agency"

    def __init__(self, *args, depreciation: float = 0.0, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.depreciation = depreciation  # 1/year
        self.error = self.params.start_error  # variance of its forecasts
        self.speed = self.params.speeds[self.number]

    def learn(self, market: Market, noise: float) -> None:
        """Move towards the depreciation seen, slowly; remember the squared surprise."""
        p = self.params
        surprise = market.depreciation_seen - self.depreciation
        move = p.learning * self.speed * surprise + p.noise * noise
        believed = self.depreciation + min(max(move, -p.step), p.step)
        self.depreciation = min(max(believed, p.floor), p.ceiling)
        self.error += p.error_learning * self.speed * (surprise**2 - self.error)

    def appraise(self, market: Market, rent: float, dispersion: float, life: float) -> Opinion:
        """Stressed value of a new unit over its cost, for both classes.

        Parameters
        ----------
        rent : USD/GPU/year expected at delivery
        dispersion : standard deviation of depreciation, 1/year
        life : years of rent counted
        """
        p = self.params
        smoothed = math.exp((1.0 - p.smooth) * math.log(rent) + p.smooth * math.log(p.normal_rent * market.unit_cost))
        rate = market.base_rate + p.appraisal_spread

        def stressed(deviations: float) -> float:
            decline = self.depreciation + deviations * dispersion
            return float(rent_value(smoothed, market.running_cost, decline, rate, life)) / market.unit_cost

        return Opinion(self.depreciation, self.error, stressed(p.stress_senior), stressed(p.stress_mezzanine))
