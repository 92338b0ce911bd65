"""Histories of one economy: the one that happened, and what would have been; all that share a past share its luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from analysis.app import changes, feed
from analysis.app.changes import Change
from analysis.app.life import FIRST, Life
from sim.params import Params
from sim.run import assemble

MARKED: Final = 24  # months: a fork takes as long as living three or four, and twenty years should be lived in seconds
KEPT: Final = 4  # what-ifs that are remembered, so that going back to one costs nothing


class History:
    """Months from ``first`` on.

    Parameters
    ----------
    life : an economy at the start of month ``first``
    apart : months between the forks from which a past month is reached again; 0: none is kept
    """

    def __init__(self, life: Life, apart: int = MARKED) -> None:
        self.apart = apart
        self.first = max(life.month, 0)
        self.rows: list[dict[str, Any]] = []
        self._life = life
        self._marks: dict[int, Life] = {}

    @property
    def end(self) -> int:
        """The month that is lived next."""
        return self.first + len(self.rows)

    @property
    def over(self) -> bool:
        """The horizon is reached."""
        return self._life.economy.clock >= self._life.economy.months_total

    def step(self) -> None:
        """Live one more month; burn-in comes before the first."""
        row = None
        while row is None:
            month = self._life.month
            if self.apart and month >= 0 and (month % self.apart == 0 or month == self.first):
                self._marks[month] = self._life.fork()
            row = self._life.step()
        self.rows.append(row)

    def at(self, month: int) -> Life:
        """The economy at the start of a month, lived if need be; to be forked, not to be lived on."""
        while self.end < month:
            self.step()
        if self._life.month == month:
            return self._life
        mark = max((m for m in self._marks if m <= month), default=None)
        if mark is None:
            raise ValueError(f"month {month} lies before this history, which starts in month {self.first}")
        if mark == month:
            return self._marks[mark]
        twin = self._marks[mark].fork()
        while twin.month < month:
            twin.step()
        return twin

    def branch(self, change: Change) -> History:
        """What would have been, had ``change`` been made."""
        return History(changes.apply(self.at(change.month), change), self.apart)


class Futures:
    """The history of one economy and its what-ifs, by the changes made.

    Parameters
    ----------
    params : of an economy with all arrows live
    apart : as of a History
    """

    def __init__(self, params: Params, apart: int = MARKED) -> None:
        self.params = params
        self.history = History(Life(assemble(params, recording=True)), apart)
        self._known: dict[tuple[Change, ...], History] = {}

    @property
    def fields(self) -> list[str]:
        """Names of a row's values."""
        return feed.fields(self.params.regions, self.params.months, FIRST)

    def what_if(self, made: Sequence[Change]) -> History:
        """The history in which all these changes were made, each at its month.

        Raises
        ------
        changes.Refused
        """
        if not made:
            return self.history
        if not all(0 <= change.month < self.params.months for change in made):
            raise changes.Refused(f"Months go from 0 to {self.params.months - 1}. Move the cursor there, then try again.")
        *before, last = made
        key = tuple(made)
        if key not in self._known:
            self._known[key] = self.what_if(before).branch(last)
            for old in list(self._known)[:-KEPT]:
                del self._known[old]
        return self._known[key]
