"""Surveillance: first letters at once, reviews once a quarter."""

import numpy as np
from pytest import fixture

from sim.build import build
from sim.compose import resolve
from sim.phases import rating
from sim.phases.structuring import QUARTER


@fixture(scope="module")
def looks():
    """By month of a small economy's first year: (quarter, classes owed, their letters before), (n, k) of the deals seen."""
    found, ask = [], rating._ask

    def watch(economy, region, rows, beliefs, labs):
        deals = economy.deals
        owed = deals["state"]["balance"][rows] + deals["undrawn"][rows] > 0.0
        found.append((economy.clock % QUARTER == 0, owed, deals["rating"][rows].copy()))
        return ask(economy, region, rows, beliefs, labs)

    rating._ask = watch
    try:
        economy = build(resolve(["size=class", "horizon_years=1", "sim.build.burn_in=6", "sim.markets.mandates.surveillance=0"]))
        for _ in range(economy.months_total):
            economy.step()
    finally:
        rating._ask = ask
    return found


def test_between_quarters_only_classes_without_a_letter_are_looked_at(looks):
    """Also where a deal has one class of two: a class of nothing awaits no letter."""
    between = [look for look in looks if not look[0]]
    assert any((~owed[:, 1]).any() for _, owed, _ in between)
    assert all((owed & (letters < 0)).any(axis=1).all() for _, owed, letters in between)


def test_once_a_quarter_the_whole_book_is_looked_at(looks):
    """Deals that have all their letters too, of one class and of two."""
    lettered = np.concatenate([owed[~(owed & (letters < 0)).any(axis=1)] for quarter, owed, letters in looks if quarter])
    assert lettered[:, 1].any() and (lettered[:, 0] & ~lettered[:, 1]).any()


def test_a_deals_letters_do_not_depend_on_what_is_rated_beside_it(monkeypatch):
    """All deals of a region together, agency by agency, or each alone; agencies take turns by row."""
    compared, ask = [], rating._ask

    def watch(economy, region, rows, beliefs, labs):
        economy.deals["agency"][rows] = rows % len(beliefs)
        together = ask(economy, region, rows, beliefs, labs)
        each = [rating._see(economy, ask(economy, region, row[None], beliefs, labs).books) for row in together.rows]
        compared.append((rating._see(economy, together.books), np.concatenate(each)))
        return together

    monkeypatch.setattr(rating, "_ask", watch)
    economy = build(resolve(["horizon_years=1", "sim.build.burn_in=6"]))
    economy.step()
    assert all((together == alone).all() for together, alone in compared)
    assert any(len(rows) > 8 and len(np.unique(rows, axis=0)) > 2 for rows, _ in compared)
