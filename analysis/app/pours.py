"""Deals whose pay dates the page shows: one large new deal of two classes every two years, and deals in trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.app.feed import EVERY, short
from sim import ratings
from sim.books.deals import BUILDING, CLOSED, OPERATING

if TYPE_CHECKING:
    from sim.economy import Economy

APART: Final = 12  # months between deals that are followed because they are in trouble
LEAST: Final = 0.1  # of the mean deal: smaller ones are not worth a look
PAID: Final = (  # of a pay date, USD; two numbers where there is one a class
    *("cash", "support", "raised", "sale", "fees", "interest_a", "interest_b", "principal_a", "principal_b"),
    *("kept", "residual", "lost_a", "lost_b", "balance_a", "balance_b"),
)


class Followed:
    """Rows of the deal book that are followed, and why."""

    def __init__(self) -> None:
        self.deals: dict[int, dict[str, Any]] = {}
        self.troubled: dict[int, int] = {}  # region -> month of the last deal followed for being in trouble
        self.over: frozenset[int] = frozenset()  # deals whose last pay date has been shown

    def copy(self) -> Followed:
        """Of a fork."""
        twin = Followed()
        twin.deals, twin.troubled, twin.over = dict(self.deals), dict(self.troubled), self.over
        return twin

    def look(self, economy: Economy) -> None:
        """Find deals to follow among those closed, and those that defaulted, in the month just lived."""
        for number, region in enumerate(economy.regions):
            self._largest(economy, number, region)
            self._failing(economy, number, region)

    def _largest(self, economy: Economy, number: int, region: str) -> None:
        month = economy.month - 1
        mine = [about["issued"] for about in self.deals.values() if (about["region"], about["why"]) == (region, "new")]
        if month < 0 or (mine and month - max(mine) < EVERY):
            return
        deals = economy.deals
        new = np.flatnonzero((deals["issued"] == economy.clock - 1) & (deals["region"] == number) & (deals["predecessor"] < 0))
        self._follow(economy, new[deals["commitment"][new, 1] > 0.0], region, "new")

    def _failing(self, economy: Economy, number: int, region: str) -> None:
        month = economy.month - 1
        if month < 0 or month - self.troubled.get(number, -APART) < APART:
            return
        deals = economy.deals
        bad = np.flatnonzero(deals.among(OPERATING) & (deals["region"] == number) & deals["state"]["in_default"])
        size = deals["commitment"].sum(axis=1)
        usual = size[deals.among(OPERATING) & (deals["region"] == number) & (deals["predecessor"] < 0)]
        bad = bad[~np.isin(bad, list(self.deals))]
        bad = bad[size[bad] > LEAST * usual.mean()] if usual.size else bad
        two = bad[deals["commitment"][bad, 1] > 0.0]
        bad = two if two.size else bad
        if self._follow(economy, bad, region, "in trouble"):
            self.troubled[number] = month

    def _follow(self, economy: Economy, rows: np.ndarray, region: str, why: str) -> bool:
        if not len(rows):
            return False
        deals = economy.deals
        row = int(rows[np.argmax(deals["commitment"][rows].sum(axis=1))])
        self.deals[row] = {
            "region": region,
            "why": why,
            "issued": int(deals["issued"][row]) - economy.burn_in,
            "channel": economy.menus[region][int(deals["channel"][row])].name,
            "sold": [short(amount) for amount in deals["commitment"][row]],
        }
        return True

    def pay_dates(self, economy: Economy) -> dict[str, list[Any]]:
        """The month's pay date of every followed deal, to its last: amounts as in PAID, letters of both classes, stage."""
        shown = {row: about for row, about in self.deals.items() if row not in self.over}
        self.over |= {row for row in shown if economy.deals["stage"][row] == CLOSED}
        return {str(row): [about, *_pay_date(economy, row)] for row, about in shown.items()}


def _pay_date(economy: Economy, row: int) -> list[Any]:
    deals = economy.deals
    letters = [*ratings.LETTERS, ""]
    rated = [letters[place] for place in deals["rating"][row]]
    if deals["stage"][row] == BUILDING or deals["state"]["age"][row] == 0:
        balance = deals["state"]["balance"][row]
        return [[0.0] * (len(PAID) - 2) + [short(b) for b in balance[:2]], rated, "building"]
    paid, state = deals["payment"][row], deals["state"][row]
    interest = paid["interest"] + paid["deferred_paid"]
    fees = paid["fees"] + paid["fees_over_cap"] + paid["subordinated_fees"]
    came = (
        paid["revenue"],
        deals["period"]["other_cash"][row],
        paid["principal_cash"] - paid["sale_proceeds"],
        paid["sale_proceeds"],
    )
    went = (fees, *interest[:2], *paid["principal"][:2])
    kept = sum(came) - sum(went) - paid["residual"]  # in the deal's own accounts; below zero: taken from them
    amounts = [*came, *went, kept, paid["residual"], *paid["write_off"][:2], *state["balance"][:2]]
    stage = "over" if deals["stage"][row] == CLOSED else "in default" if state["in_default"] else "running"
    return [[short(amount) for amount in amounts], rated, stage]
