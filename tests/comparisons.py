"""A small comparison with numbers made up, for tests of pages: no run is made."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.decisions import comparing, quantities
from analysis.decisions.differing import difference
from analysis.decisions.mechanism import Part
from analysis.pages.gather import SHAPE
from analysis.pages.words import AGES, CHANNELS
from analysis.targets import load
from sim.summary import plain

YEARS = [2023.0, 2024.0, 2025.0, 2026.0]
REGIONS = ("us", "china")


def figures(rng: np.random.Generator) -> pd.DataFrame:
    """Rows of every figure."""
    rows: list[tuple] = []
    for region in REGIONS:
        for year in YEARS:
            rows += [("issuance", region, name, year, 10 * rng.random()) for name in dict.fromkeys(CHANNELS.values())]
            rows += [("vintage", region, name, year, rng.random()) for name in AGES.values()]
            rows += [("ratings", region, "Aaa to A", year, 60.0), ("ratings", region, "Ba and below", year, 40.0)]
            rows += [("timeline", region, "defaults", year, float(rng.integers(0, 5)))]
            for quarter in np.arange(year, year + 1.0, 0.25):
                rows += [("spread", region, "spread", quarter, 300 + 100 * rng.random())]
                rows += [("cost", region, "cost of capital", quarter, 9 + rng.random()), ("rent", region, "rent", quarter, 3.0)]
                rows += [("race", region, f"lab 0{n}", quarter, 20 + 5 * rng.random()) for n in range(2)]
                rows += [("timeline", region, "capital spending", quarter, 100 + 50 * rng.random())]
        rows += [
            ("stack", region, f"{group}|{part}", np.nan, share) for group in ("all deals", "securities") for part, share in STACK
        ]
        rows += [("holders", region, "insurers", np.nan, 5e3), ("holders", region, "private credit funds", np.nan, 2e3)]
        rows += [("network", region, f"0{n}|lab 0{m}", np.nan, 1.0 + n + m) for n in range(3) for m in range(2)]
        rows += [("episodes", region, "2024-01 to 2024-09|2024.67", 2024.0, 31.0)]
        rows += [("events", region, "rule|regulator|LTV cap tightened", 2025.25, 0.1)]
    rows += [("templates", "world", "equipment_abs", np.nan, 3.0)]
    table = pd.DataFrame(rows, columns=SHAPE[:5])
    return table.assign(low=0.9 * table["value"], high=1.1 * table["value"], runs=8)


STACK = (("senior", 70.0), ("mezzanine", 10.0), ("equity", 20.0))


def comparison(home: Path, labels: tuple[str, ...] = ("baseline", "other"), shift: float = 0.3, policies: bool = False) -> Path:
    """The files of a comparison in ``home``: others are higher than the first by ``shift``, give or take."""
    rng, seeds = np.random.default_rng(7), range(8)
    home.mkdir(parents=True, exist_ok=True)
    known = quantities.measured(quantities.load())
    places = [(q, r) for q in known for r in (*REGIONS, "world") if r in q.regions]
    base = {(q.id, r): rng.uniform(2.0, 3.0, 8) for q, r in places}
    sides = [base] + [{key: v * (1.0 + shift * rng.uniform(0.8, 1.2, 8)) for key, v in base.items()} for _ in labels[1:]]
    against = []
    for label, side in zip(labels[1:], sides[1:], strict=True):
        gaps = [difference(q, r, base[q.id, r], side[q.id, r], len(places)) for q, r in places]
        parts = [Part("china.abs_share", g.quantity, g.region, g.difference, g.low, g.high, 1.0, 1.0) for g in gaps if g.certain]
        switched = {"seeds": 8, "why": "", "features": [{"name": n, "says": f"{n}: 0 → 1"} for n in ("china.abs_share", "b")]}
        against.append(
            {"label": label, "differences": [vars(g) for g in gaps], "switched": switched, "parts": [vars(p) for p in parts]}
        )
    found = [0.3 for target in load() for _ in target.checks]
    scenarios = [
        {"label": label, "given": label, "says": "Made up.", "regions": REGIONS, "size": "class", "years": 4.0}
        | {"runs": [f"{label}-seed{401 + n}-0123456789ab" for n in seeds], "facts": [found] * 8}
        for label in labels
    ]
    page = {"kind": "comparison", "settings": ["size=class"], "seeds": list(seeds), "regions": [*REGIONS, "world"]}
    page |= {"scenarios": scenarios, "against": against, "sources": "0" * 64, "versions": {"caploop": "0", "numpy": "2"}}
    (home / comparing.PAGE).write_text(json.dumps(plain(page | {"policies": policies})))
    pd.concat([figures(rng).assign(scenario=label) for label in labels]).to_parquet(home / comparing.FIGURES, index=False)
    rows = [
        {"scenario": label, "seed": s, "quantity": q, "region": r, "value": v[s]}
        for label, side in zip(labels, sides, strict=True)
        for (q, r), v in side.items()
        for s in seeds
    ]
    pd.DataFrame(rows).to_csv(home / comparing.VALUES, index=False)
    return home
