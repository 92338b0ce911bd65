"""Measures that no column holds: models of all regions on one scale, and losses that a common tenant passes on."""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.decisions.measures import WORLD, last_year, recorded, within
from analysis.metrics.runs import NoValue, Run, number
from sim.markets import tokens
from sim.units import MONTHS


def frontier_share(run: Run, region: str) -> float:
    """Share of users that a region's labs would win in the last year if all the world chose among all labs by quality alone."""
    months = recorded(run, WORLD)
    if region == WORLD or months["region"].nunique() < 2:
        raise NoValue("a share of the frontier needs two regions")
    p = tokens.Params(**run.params["sim"]["markets"]["tokens"])
    labs = training_labs(run, months)
    ahead = leads(p, labs, months).stack().rename("ahead").reset_index()
    labs = last_year(labs.merge(ahead, on=["month", "region"]))
    pull = np.exp(p.choice * (labs["quality"] + labs["ahead"]))
    shares = pull.groupby([labs["month"], labs["region"]]).sum().unstack(fill_value=0.0)
    if region not in shares:
        raise NoValue(f"no lab of {region} trains")
    return float((shares[region] / shares.sum(axis=1)).mean())


def training_labs(run: Run, months: pd.DataFrame) -> pd.DataFrame:
    """Labs that train, month by month, with the log of the compute that their budgets buy."""
    agents = run.tables["agents"]
    labs = agents.loc[(agents["kind"] == "lab") & (agents["training"] > 0.0), ["month", "region", "quality", "training"]]
    labs = labs.merge(months[["month", "region", "rent", "token_quality"]], on=["month", "region"])
    return labs.assign(effort=np.log(labs["training"] * labs["token_quality"] / labs["rent"]))


def leads(p: tokens.Params, labs: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """By month and region, how far its usual model is ahead of the world's, on the scale of quality.

    Labs' quality is recorded over the usual lab of their region. The model's own law of training (``tokens.improve``) says how
    far that lab moves when it trains more than the world's usual one; the first month stands where the law is at rest.
    """
    usual = labs.groupby(["month", "region"])["effort"].mean().unstack()
    beyond = p.training_effect * usual.sub(labs.groupby("month")["effort"].mean(), axis=0).fillna(0.0)
    decay = math.log(2.0) / months.groupby("month")["model_half_life"].mean().reindex(beyond.index).to_numpy()
    ahead = beyond.to_numpy() / decay[:, None]
    for month in range(1, len(ahead)):
        before = ahead[month - 1]
        ahead[month] = before + (beyond.to_numpy()[month - 1] - decay[month - 1] * before) / MONTHS
    return pd.DataFrame(ahead, beyond.index, beyond.columns)


def passed_on(run: Run, region: str) -> float:
    """USD of principal lost over the run by deals that defaulted after their tenant failed, where deals of several sponsors did.

    The tenant is the deal's last, which it nearly always had from the start.
    """
    recorded(run, region)
    deals = within(run.deals[(run.deals["loss"] > 0.0) & (run.deals["purpose"] != "borrow")], region)
    hit = deals[after_failure(run, deals)]
    several = hit.groupby(["region", "tenant"])["sponsor"].transform("nunique") > 1
    return number(float(hit.loc[several, "loss"].sum()), "losses are not known")


def after_failure(run: Run, deals: pd.DataFrame) -> np.ndarray:
    """Whether each deal (n,) closed before a failure of its tenant, and defaulted in that month or later."""
    events = run.tables["events"]
    defaults = events[events["kind"] == "default"].groupby("deal")["month"].min()
    failures = events[(events["kind"] == "failure") & (events["month"] >= 0)]
    by_tenant = failures.groupby(["region", "party"])["month"].unique().to_dict()
    last = [
        max((m for m in by_tenant.get(tenant, ()) if m <= default), default=-math.inf)
        for tenant, default in zip(
            zip(deals["region"], deals["tenant"], strict=True), deals["deal"].map(defaults).fillna(-math.inf), strict=True
        )
    ]
    return np.array(last, dtype=float) >= deals["issued"].to_numpy(dtype=float)


INDIRECT: Final[dict[str, Callable[..., Any]]] = {measure.__name__: measure for measure in (frontier_share, passed_on)}
