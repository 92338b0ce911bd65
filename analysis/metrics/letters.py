"""Letters over time: what generous ones lose, and whether downgrades come together and late."""

from typing import Final

import numpy as np
import pandas as pd

from analysis.metrics.named import Months, Region, first_letters, series
from analysis.metrics.pooled import Pooled
from analysis.metrics.relations import fitted
from analysis.metrics.runs import NoValue, Run, dated
from sim.ratings import LETTERS
from sim.units import MONTHS

LATEST: Final = 12  # months by which downgrades may come before or after spreads


def top_grades(run: Run, months: Months, region: str) -> pd.DataFrame:
    """Senior classes first rated A or better: their share of the deal's cost, and notches lost ``months`` later."""
    classes = first_letters(run, region)
    senior = classes[(classes["tranche"] == "senior") & classes["rating"].str.startswith("A")]
    costs = senior["deal"].map(run.deals.set_index("deal")["budget"])
    later = dated(run.tables["tranches"])
    later = later[(later["tranche"] == "senior") & (later["rating"] != "")].set_index(["deal", "at"])["rating"]
    then = later.reindex([senior["deal"], pd.PeriodIndex(senior["at"], freq="M") + months]).to_numpy()
    lost = pd.Series(then, senior.index).map({letter: n for n, letter in enumerate(LETTERS)}) - senior["notch"]
    return senior.assign(granted=senior["notional"] / costs.where(costs > 0.0), lost=lost)


def granting_slope(run: Run, months: Months = 24, region: Region = "us") -> float:
    """Notches lost within ``months`` per unit of a deal's cost that was granted a top letter.

    What a strict model would have granted is not recorded; the whole share stands for what was granted beyond it.
    """
    found = top_grades(run, months, region)
    return float(fitted(found["lost"], found["granted"]).params["x0"])


def downgrade_clustering(run: Run, region: Region = "us") -> float:
    """Variance over mean of the number of downgrades a month; 1 where they come one by one, by chance."""
    counts = series(run, "downgrades", region)
    if not counts.sum() > 0.0:
        raise NoValue("nothing was downgraded")
    return float(counts.var() / counts.mean())


def downgrade_delay(run: Run, region: Region = "us") -> Pooled:
    """Months after a rise of spreads at which downgrades are most frequent, of the mean correlation over seeds; below 0: before."""
    lags = np.arange(-LATEST, LATEST + 1)
    rise, counts = series(run, "log spread", region).diff(), series(run, "downgrades", region)
    if len(rise.dropna()) < 5 * MONTHS or rise.std() < 1e-12 or counts.std() < 1e-12:
        raise NoValue("spreads or downgrades do not move")
    path = np.array([rise.corr(counts.shift(-lag)) for lag in lags])
    return Pooled(path, lambda mean, seeds: float(lags[np.argmax(mean)]))
