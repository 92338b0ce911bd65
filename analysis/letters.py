"""Whether over-granted letters fall: ``python -m analysis letters RUN [RUN ...] [--plot FILE.png]``.

For every class whose first letter was kept: notches by which it was better than that of perfect knowledge, and notches lost in the
two years after. For every deal: the part of its top-grade notes that perfect knowledge puts below (Griffin and Tang 2012). Then how
downgrades cluster, and how long before them spreads had moved.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
import yaml
from matplotlib.figure import Figure

from sim.ratings import LETTERS

AHEAD = 24  # months after which a letter is looked at again
BUSY = 0.1  # share of months that counts as the busiest
LEADS = range(-12, 25)  # months by which spreads are ahead of downgrades
PLACE = {letter: place for place, letter in enumerate(LETTERS)}
CLASSES = ("senior", "mezzanine")


class NoLetters(ValueError):
    """Runs that kept nothing beside their letters, or too little of it."""


def classes(folder: Path, ahead: int = AHEAD) -> pd.DataFrame:
    """A run's classes: first letter, what else it could have been, and notches lost ``ahead`` months later; notes in USD.

    A class repaid before keeps its last letter; one of a deal that was sold, and that lost anything, has lost them all.
    """
    deals, tranches = (pd.read_parquet(folder / f"{name}.parquet") for name in ("deals", "tranches"))
    if "letter_senior" not in deals:
        raise NoLetters(f"{folder}: made before letters were kept. Run it again.")
    last = tranches["month"].max() - ahead
    deals = deals[deals["letter_senior"].notna() & deals["issued"].between(0, last)].set_index("deal")
    found = [_class(deals, tranches[tranches["tranche"] == name], name, ahead) for name in CLASSES]
    return pd.concat(found, ignore_index=True).assign(run=folder.name)


def _class(deals: pd.DataFrame, held: pd.DataFrame, name: str, ahead: int) -> pd.DataFrame:
    deals = deals[deals[f"letter_{name}"].notna()]
    held = held[held["deal"].isin(deals.index) & (held["rating"] != "")]
    held = held[held["month"] <= held["deal"].map(deals["issued"]) + ahead].sort_values("month", kind="stable")
    later = held.groupby("deal").agg(then=("rating", "last"), seen=("month", "last")).reindex(deals.index)
    first, true, model = (deals[f"{kind}_{name}"].map(PLACE).astype(float) for kind in ("letter", "letter_true", "letter_model"))
    gone = deals["liquidated"] & (deals["loss"] > 0.0) & (later["seen"] < deals["issued"] + ahead)
    then = later["then"].map(PLACE).astype(float).where(~gone, len(LETTERS) - 1)
    columns = {"deal": deals.index, "issued": deals["issued"], "notes": deals[f"notional_{name}"], "letter": first, "true": true}
    return pd.DataFrame({**columns, "over": true - first, "beyond_model": model - first, "lost": then - first}).dropna()


def by_deal(found: pd.DataFrame, top: int) -> pd.DataFrame:
    """Deals with notes of top grade: the part of these that perfect knowledge puts below, and notches that they lost, mean."""
    best = found[found["letter"] <= top].assign(
        below=lambda x: x["notes"] * (x["true"] > top), fell=lambda x: x["notes"] * x["lost"]
    )
    sums = best.groupby(["run", "deal", "issued"], as_index=False)[["notes", "below", "fell"]].sum()
    return sums.assign(over=sums["below"] / sums["notes"], lost=sums["fell"] / sums["notes"])


def fit(found: pd.DataFrame, name: str) -> str:
    """Least squares of notches lost on ``over``, errors clustered by run and quarter of issue."""
    if len(found) < 30 or not found["over"].std() > 0.0:
        return f"{name}: {len(found)}, too few to tell, or all alike"
    groups = pd.factorize(found["run"] + (found["issued"] // 3).astype(str))[0]
    fitted = sm.OLS(found["lost"], sm.add_constant(found[["over"]])).fit(cov_type="cluster", cov_kwds={"groups": groups})
    low, high = fitted.conf_int().loc["over"]
    slope, error = fitted.params["over"], fitted.bse["over"]
    return f"{name}: {len(found)}, slope {slope:.2f} ({low:.2f} to {high:.2f}), t {slope / error:.1f}, R2 {fitted.rsquared:.2f}"


def clustering(months: pd.DataFrame) -> tuple[float, int, float]:
    """Share of downgrades in the busiest months; months by which yearly rises of spreads lead them most, and how closely."""
    fell, rise = months["downgrades"].rolling(3).mean(), months["spread"].diff(12)
    busiest = months["downgrades"].nlargest(max(round(BUSY * len(months)), 1)).sum() / max(months["downgrades"].sum(), 1)
    close = {lead: rise.shift(lead).corr(fell) for lead in LEADS}
    lead = max(close, key=lambda at: close[at])
    return float(busiest), lead, float(close[lead])


def draw(found: pd.DataFrame, file: Path) -> None:
    """Mean notches lost by notches over-granted, with twice the standard error."""
    groups = found.groupby("over")["lost"]
    kept = groups.mean()[groups.count() >= 10]
    error = 2.0 * groups.std()[kept.index] / np.sqrt(groups.count()[kept.index])
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.errorbar(kept.index, kept, error, fmt="o", capsize=3)
    axes.axhline(0.0, linewidth=0.5)
    axes.set(xlabel="first letter better than with perfect knowledge, notches", ylabel=f"notches lost in {AHEAD} months")
    figure.savefig(file, dpi=150, metadata={"Software": None})


def page(folders: Sequence[Path]) -> tuple[list[str], pd.DataFrame]:
    """The lines a reader sees, and the classes behind them.

    Raises
    ------
    NoLetters
    """
    found = pd.concat([classes(folder) for folder in folders], ignore_index=True)
    if not len(found):
        raise NoLetters("no letters were kept that are two years old: give runs in which agencies compete, as rating_shopping")
    settings = yaml.safe_load((folders[0] / "config.yaml").read_text())
    top = settings["sim"]["markets"]["mandates"]["top"]
    lines = [
        fit(by_deal(found, top), "deals, by the over-granted part of their top grade"),
        fit(found, "classes, by notches over perfect knowledge"),
        fit(found.assign(over=found["beyond_model"]), "classes, by notches over the agency's model"),
    ]
    months = [pd.read_parquet(folder / "monthly.parquet") for folder in folders]
    told = [clustering(own) for run in months for _, own in run.groupby("region")]
    busy, lead, close = (float(np.median(values)) for values in zip(*told, strict=True))
    lines.append(
        f"downgrades: {busy:.0%} in the busiest tenth of months; spreads ahead by {lead:.0f} months (correlation {close:.2f})"
    )
    return lines, found


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 done, 2 wrong options or nothing to measure."""
    parser = argparse.ArgumentParser(prog="python -m analysis letters", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", nargs="+", type=Path, help="folders of runs")
    parser.add_argument("--plot", type=Path, help="notches lost by notches over-granted, as a picture")
    chosen = parser.parse_args(arguments)
    try:
        lines, found = page(chosen.run)
        if chosen.plot:
            draw(found, chosen.plot)
    except (NoLetters, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0
