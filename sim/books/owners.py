"""Who owns the shares of labs, operators, investors and the rest: equity with a counterparty."""

from sim.books.ledger import Ledger


class Owners:
    """Shares at what was paid for them, by issuer and holder, USD."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.held: dict[int, dict[int, float]] = {}

    def endow(self, issuer: int, holder: int, amount: float) -> None:
        """Opening stock of shares: the holder's asset and the issuer's liability, no cash."""
        self.ledger.post(issuer, "profit", "equity", amount)
        self.ledger.post(holder, "stakes", "profit", amount)
        self._add(issuer, holder, amount)

    def invest(self, issuer: int, holder: int, amount: float) -> None:
        """The holder pays cash for new shares."""
        if amount > 0.0:
            self.ledger.pay("equity", holder, issuer, amount)
            self._add(issuer, holder, amount)

    def redeem(self, issuer: int, holder: int, amount: float) -> None:
        """The issuer takes shares back for cash; what is paid beyond their cost is the holder's gain."""
        if amount <= 0.0:
            return
        self.ledger.pay("redemption", issuer, holder, amount)
        cost = min(amount, self.held.get(issuer, {}).get(holder, 0.0))
        self.ledger.post(holder, "stakes", "profit", amount - cost)
        self.ledger.post(issuer, "profit", "equity", amount - cost)
        self._add(issuer, holder, -cost)

    def wipe_out(self, issuer: int) -> float:
        """The issuer has failed: its shares are worthless. Returns the USD its owners had put in."""
        held = self.held.pop(issuer, {})
        for holder, amount in held.items():
            self.ledger.post(holder, "profit", "stakes", amount)
            self.ledger.post(issuer, "equity", "profit", amount)
        return sum(held.values())

    def _add(self, issuer: int, holder: int, amount: float) -> None:
        holders = self.held.setdefault(issuer, {})
        holders[holder] = holders.get(holder, 0.0) + amount
