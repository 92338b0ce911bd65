"""Sponsors stand behind deals. What they owe beside their balance sheets is seen late, or when a guarantee is called."""

from agents.party import Party


class Sponsor(Party):
    """An operator or a cloud; its debts are counted in the books and handed in."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.earnings = 0.0  # USD/year
        self.reported = 0.0  # USD of debts on its balance sheet
        self.beside = 0.0  # USD of debts that it stands behind beside it
        self.guaranteed = 0.0  # USD of values that it guarantees
        self.unseen: list[float] = []  # USD of such debts in the last months, oldest first
        self.shown = 0.0  # USD of them that others know of
        self.called = False  # a guarantee of its has been called

    def file(self, earnings: float, reported: float, beside: float, guaranteed: float, lag: int) -> None:
        """A month's accounts: debts beside the balance sheet are known ``lag`` months later, or at once after a call."""
        self.earnings, self.reported, self.beside, self.guaranteed = earnings, reported, beside, guaranteed
        self.unseen.append(beside)
        old = self.unseen[0] if len(self.unseen) > lag else 0.0
        self.unseen = self.unseen[-lag:] if lag > 0 else []
        self.shown = beside if self.called else old

    def call(self) -> None:
        """A guarantee is called: all that it stands behind is on its balance sheet from now on."""
        self.called, self.shown = True, self.beside
