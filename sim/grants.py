"""What the record says of agencies and the letters they gave: beside each, what else it could have been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim import ratings
from sim.books.deals import CLASSES, KEPT
from sim.sums import mean

if TYPE_CHECKING:
    from sim.economy import Economy

WORDS = {"letter": "letter", "model": "letter_model", "best": "letter_best", "true": "letter_true"}  # of KEPT


def region_figures(economy: Economy, region: str) -> dict[str, float]:
    """A region's month: how far first letters are from others, and who has the mandates."""
    facts, agencies = economy.facts[region], economy.active("agency", region)

    def share(part: str, whole: str) -> float:
        return facts[part] / facts[whole] if facts.get(whole) else np.nan

    return {
        "inflation": share("inflated", "granted"),
        "catering": share("catered", "granted"),
        "missed_notches": share("missed", "granted"),
        "top_grade": share("granted_top", "granted"),
        "overgranted": share("overgranted", "granted_top"),
        "looseness": mean(agency.looseness for agency in agencies),
        "largest_agency": max(agency.mandates for agency in agencies),
    }


def deal_letters(economy: Economy) -> dict[str, Any]:
    """By deal: who gave its first letters, and what these were and could have been; null where that was not kept."""
    deals = economy.deals
    names = np.array(["", *(agency.name for agency in economy.params.sim.ratings.agencies)])
    letters, granted = np.array(["", *ratings.LETTERS], dtype=object), deals["granted"].astype(np.int64)
    letters[0], second = None, deals["second"].astype(np.int64)
    found = {
        f"{WORDS[kind]}_{CLASSES[k]}": letters[granted[:, k, place]] for place, kind in enumerate(KEPT) for k in range(len(CLASSES))
    }
    kept = granted[:, 0, 0] > 0
    agency = names[np.where(kept, deals["agency"].astype(np.int64) + 1, 0)]
    return {"agency": agency, "agency_second": names[second], **found}
