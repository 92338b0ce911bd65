"""What the page of a run shows: its panels, and the numbers in them."""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import yaml

from sim.ratings import LETTERS
from sim.units import MONTHS, REGIONS

BN = 1e9  # USD
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the compiled one, where there is one
INVESTMENT_GRADE = LETTERS[: LETTERS.index("Baa3") + 1]


class Strip(NamedTuple):
    """One pair of axes: label of y, how its numbers are shown, and the name of each column's line."""

    label: str
    kind: str
    lines: dict[str, str]


PANELS: Final[dict[str, tuple[Strip, ...]]] = {
    "Capital spending": (
        Strip("USD bn a year, 12-month mean", "flow", {"capex_clouds": "clouds", "capex_operators": "operators"}),
    ),
    "Issuance": (Strip("USD bn a year, 12-month mean", "flow", {"issuance_abs": "securities", "issuance_private": "private"}),),
    "Debt, and debt to EBITDA": (
        Strip("USD bn", "stock", {"debt": ""}),
        Strip("ratio", "ratio", {"debt_to_ebitda": ""}),
    ),
    "Rates": (Strip("% a year", "percent", {"spread": "spread", "cost_of_capital": "cost of capital"}),),
    "Advance rates": (Strip("% of value", "percent", {"advance_rate_senior": "senior", "advance_rate_mezzanine": "mezzanine"}),),
    "Access": (Strip("%", "percent", {"funded_share": "orders funded", "ration": "capital allows"}),),
    "Rent, and a year's rent to cost": (
        Strip("USD/GPU-hour", "plain", {"rent": ""}),
        Strip("1/year", "plain", {"rent_to_cost": ""}),
    ),
    "Frontier growth, model half-life": (
        Strip("% a year (log)", "percent", {"frontier_growth": ""}),
        Strip("years", "plain", {"model_half_life": ""}),
    ),
    "Depreciation": (Strip("% a year", "percent", {"depreciation_belief": "believed", "depreciation_seen": "seen"}),),
    "Losses": (Strip("% of debt, lost in 12 months", "percent", {"rate_senior": "senior", "rate_mezzanine": "mezzanine"}),),
    "Investment grade, and downgrades": (
        Strip("% of debt", "percent", {"investment_grade": ""}),
        Strip("classes a quarter", "plain", {"downgrades_quarter": ""}),
    ),
    "Investors' capital, and leverage": (
        Strip("USD bn", "stock", {"investor_capital": ""}),
        Strip("assets / capital", "ratio", {"investor_leverage": ""}),
    ),
}


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The recorded months of each region, by date, with the columns that only the page needs."""
    monthly = pd.read_parquet(folder / "monthly.parquet")
    monthly = monthly[monthly["month"] >= 0].assign(date=lambda m: pd.to_datetime(m["date"]))
    graded = investment_grade(folder)
    regions = {}
    for region in [r for r in REGIONS if r in set(monthly["region"])]:
        months = monthly[monthly["region"] == region].set_index("date").sort_index()
        debt = mean(months["debt"])
        for tranche in ("senior", "mezzanine"):
            lost = months[f"loss_{tranche}"].rolling(MONTHS, min_periods=1).sum()
            months[f"rate_{tranche}"] = lost / debt.where(debt > 0.0)
        months["downgrades_quarter"] = months["downgrades"].astype(float).rolling(3, min_periods=1).sum()
        months["investment_grade"] = graded[region].reindex(months.index) if region in graded else np.nan
        regions[region] = months
    return regions


def mean(monthly: pd.Series) -> pd.Series:
    """Mean of the twelve months up to each, or of as many as there are."""
    return monthly.rolling(MONTHS, min_periods=1).mean()


def investment_grade(folder: Path) -> pd.DataFrame:
    """Share of the balance outstanding that is rated Baa or better, by date and region."""
    owed = pd.read_parquet(folder / "tranches.parquet", columns=["date", "deal", "balance", "rating"])
    deals = pd.read_parquet(folder / "deals.parquet", columns=["deal", "region"])
    owed = owed.merge(deals, on="deal").assign(date=lambda o: pd.to_datetime(o["date"]))
    owed["good"] = owed["balance"].where(owed["rating"].isin(INVESTMENT_GRADE), 0.0)
    sums = owed.groupby(["date", "region"], observed=True)[["good", "balance"]].sum()
    return (sums["good"] / sums["balance"].where(sums["balance"] > 0.0)).unstack("region")


def marks(folder: Path) -> pd.DataFrame:
    """Date and region of every default of the recorded months."""
    events = pd.read_parquet(folder / "events.parquet", columns=["month", "date", "kind", "region"])
    events = events[(events["kind"] == "default") & (events["month"] >= 0)]
    return events.assign(date=pd.to_datetime(events["date"])).drop_duplicates(["date", "region"])


def title(folder: Path) -> str:
    """Scenario and seed, from the configuration or the manifest; else the folder's name."""
    for name in ("config.yaml", "manifest.json"):  # JSON is YAML
        if (folder / name).is_file():
            tree = yaml.load((folder / name).read_text(encoding="utf-8"), LOADER)
            return f"{tree['scenario']}, seed {tree['seed']}"
    return folder.name


def shown(series: pd.Series, kind: str) -> pd.Series:
    """A column in the units of its strip."""
    if kind == "flow":
        return mean(series) * MONTHS / BN
    return series * {"stock": 1.0 / BN, "percent": 100.0}.get(kind, 1.0)
