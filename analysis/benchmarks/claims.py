"""What a deal kept as Python objects owes: claims of its notes, settled rank by rank."""

from collections.abc import Sequence


class Claim:
    """USD owed to a note, and paid in the period."""

    __slots__ = ("goal", "owed", "paid")

    def __init__(self, owed: float) -> None:
        self.owed, self.paid, self.goal = owed, 0.0, 0.0

    def due(self, to_goal: bool) -> float:
        """All that is owed, or what brings it down to its goal."""
        return self.owed if not to_goal else self.owed - self.goal if self.owed > self.goal else 0.0

    def pay(self, amount: float) -> None:
        """Receive an amount."""
        self.paid += amount
        self.owed -= amount


Ranks = Sequence[Sequence[Claim]]


def sum_up(amounts: Sequence[float]) -> float:
    """Sum from the first on; the built-in compensates since Python 3.12."""
    total = 0.0
    for amount in amounts:
        total += amount
    return total


def settle(cash: float, ranks: Ranks, dust: float, to_goal: bool = False) -> float:
    """Pay rank by rank, pro rata inside a rank, its last class taking the dust. Returns cash left."""
    for claims in ranks:
        if len(claims) == 1:
            due = claims[0].due(to_goal)
            claims[0].pay(due if cash - due >= -dust else cash)
        else:
            due = share_out(cash, claims, dust, to_goal)
        cash = max(0.0, cash - due)
    return cash


def share_out(cash: float, claims: Sequence[Claim], dust: float, to_goal: bool) -> float:
    """Pay one rank of several classes. Returns what was due."""
    dues = [claim.due(to_goal) for claim in claims]
    due, left = sum_up(dues), cash
    full = cash - due >= -dust
    for claim, own in zip(claims, dues, strict=True):
        part = min(max(0.0, left), own) if claim is claims[-1] or due <= 0.0 else cash * own / due
        claim.pay(own if full else part)
        left -= own if full else part
    return due
