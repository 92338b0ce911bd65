"""Cash and flows of every party, double entry. The only writer of money.

Every party has one signed balance an account: assets positive, liabilities negative, ``profit`` the negative of what was
earned and not paid out. A posting adds an amount to one account of a party and takes it from another, so each party's row sums
to zero; an account that is somebody's claim on somebody else sums to zero over parties.
"""

from dataclasses import dataclass

import numpy as np

from sim.kernels.transfers import DONE, shift, transfer

ACCOUNTS = ("cash", "notes", "loans", "stakes", "equity", "bonds", "funding", "fleet", "marks", "profit", "prepaid", "claims")
# somebody's asset is somebody's liability: each group sums to zero over all parties
CLAIMS = (("cash",), ("notes",), ("loans",), ("stakes", "equity"), ("bonds",), ("funding",), ("prepaid",), ("claims",))
KINDS = (
    *("world", "users", "savers", "banks", "suppliers", "utilities", "landlords", "exchange"),
    *("lab", "operator", "cloud", "vendor", "investor", "agency", "regulator", "deal", "sovereign"),
    *("seller", "lessor", "watchdog", "borrowers"),
)

# flow: (account of the payer that rises, account of the payee that falls); cash moves beside them
FLOWS = {
    "income": ("profit", "profit"),  # world -> users, savers
    "consumption": ("profit", "profit"),  # savers, suppliers -> world
    "wholesale_funding": ("funding", "funding"),  # world -> banks, and back when it falls
    "funding_repaid": ("funding", "funding"),
    "inference": ("profit", "profit"),  # users -> labs
    "contract_rent": ("profit", "profit"),  # tenant -> deal
    "spot_rent": ("profit", "profit"),  # labs -> exchange -> deals, clouds
    "sublease": ("profit", "profit"),  # exchange -> tenants whose capacity others use
    "running_cost": ("profit", "profit"),  # deals, clouds -> suppliers
    "salaries": ("profit", "profit"),  # labs -> suppliers: staff, data, offices
    "fee": ("profit", "profit"),  # deals -> servicers; investors -> managers
    "interest": ("profit", "profit"),  # deals -> note holders
    "principal": ("notes", "notes"),  # deals -> note holders
    "drawdown": ("notes", "notes"),  # investors -> deals
    "note_sale": ("notes", "notes"),  # buyer -> seller, at the price
    "escrow": ("stakes", "equity"),  # sponsor -> deal
    "escrow_returned": ("equity", "stakes"),  # deal -> sponsor, for the notes of the deal that it keeps
    "cure": ("stakes", "equity"),  # sponsor -> deal, a shortfall made good
    "takeout": ("equity", "equity"),  # refinancing deal -> the deal it repays
    "residual": ("profit", "profit"),  # deal -> sponsor
    "unpledged": ("profit", "profit"),  # deal -> sponsor: what the parts of its units earn that back no notes
    "hardware": ("fleet", "profit"),  # deals, clouds -> vendor
    "shell": ("fleet", "profit"),  # deals, clouds, landlords -> builders
    "grid": ("fleet", "profit"),  # deals, clouds -> utilities, for power
    "used_site": ("profit", "fleet"),  # builders -> deals whose units retire
    "goods": ("profit", "profit"),  # vendor -> suppliers
    "used_gpus": ("fleet", "fleet"),  # cloud -> deal in liquidation, at the sale price
    "guarantee": ("profit", "profit"),  # cloud -> deal in liquidation, what the sale fell short of
    "equity": ("stakes", "equity"),  # savers, clouds, vendor -> labs, operators, investors
    "redemption": ("equity", "stakes"),  # investors -> savers
    "payout": ("profit", "profit"),  # dividends to savers
    "crediting": ("profit", "profit"),  # investors -> savers: the base rate on their capital
    "core_earnings": ("profit", "profit"),  # world -> clouds: their other business
    "bond_issue": ("bonds", "bonds"),  # savers -> clouds
    "bond_repaid": ("bonds", "bonds"),  # clouds -> savers
    "coupon": ("profit", "profit"),  # clouds -> savers
    "loan": ("loans", "loans"),  # banks -> investors
    "loan_repaid": ("loans", "loans"),  # investors -> banks
    "loan_interest": ("profit", "profit"),  # investors -> banks
    "deposit_interest": ("profit", "profit"),  # banks -> investors
    "bank_margin": ("profit", "profit"),  # banks -> world
    "prepayment": ("prepaid", "prepaid"),  # tenant -> deal, at signing
    "site_rent": ("profit", "profit"),  # deals, operators -> landlords
    "lease_claim": ("claims", "claims"),  # operators -> landlords: rents overdue, and damages when a lease is rejected
    "pledge_bought": ("claims", "claims"),  # deal -> lab: for part of what its users will pay, or of its margin
    "collection": ("profit", "profit"),  # lab -> deal: that part
    "pledge_redeemed": ("claims", "claims"),  # lab -> deal in liquidation: its owners buy it back
    "prepayment_refund": ("prepaid", "prepaid"),  # deal in liquidation -> tenant
    "buy_back": ("profit", "profit"),  # vendor -> deals, for unsold hours
    "premium": ("profit", "profit"),  # investors -> sellers of protection, and back for what they sold
    "protection": ("profit", "profit"),  # sellers of protection -> investors, for losses
    "equipment_rent": ("profit", "profit"),  # operators -> lessors
    "swap_fee": ("profit", "profit"),  # operators -> lessors
    "protection_closed": ("claims", "claims"),  # between a seller of protection that has failed and investors
    "unrelated_loan": ("claims", "claims"),  # investors -> outside borrowers
    "unrelated_repaid": ("claims", "claims"),  # outside borrowers -> investors
    "unrelated_interest": ("profit", "profit"),  # outside borrowers -> investors
    "unrelated_sale": ("claims", "claims"),  # world -> investors, at the price
    "rating_fee": ("profit", "profit"),  # sponsors -> agencies, for letters
}
FLOW = {name: i for i, name in enumerate(FLOWS)}
ACCOUNT = {name: i for i, name in enumerate(ACCOUNTS)}
KIND = {name: i for i, name in enumerate(KINDS)}
SIDES = {flow: (ACCOUNT[rises], ACCOUNT[falls]) for flow, (rises, falls) in FLOWS.items()}
WORLD, WHOLE = 0, (int, np.integer)
DUST = 0.01  # USD; a cent, the rounding left by the division of large payments among many receivers


class Overdraft(RuntimeError):
    """A payment that its payer has no cash for; nothing was posted."""


@dataclass(frozen=True)
class Member:
    """Who a party is."""

    kind: str
    region: str
    name: str


class Ledger:
    """Signed balances (party, account) in USD and this month's flows (flow, payer kind, payee kind) in USD."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.balances = np.zeros((64, len(ACCOUNTS)))
        self.kinds = np.zeros(64, dtype=np.int64)
        self._out, self._came = np.zeros(64), np.zeros(64)  # scratch of ``transfer``
        self.flows = np.zeros((len(FLOWS), len(KINDS), len(KINDS)))
        self.enroll("world", "", "world")

    def enroll(self, kind: str, region: str, name: str) -> int:
        """Open the accounts of a new party; returns its number."""
        party = len(self.members)
        self.members.append(Member(kind, region, name))
        if party == len(self.kinds):
            self.balances = np.concatenate([self.balances, np.zeros_like(self.balances)])
            self.kinds = np.concatenate([self.kinds, np.zeros_like(self.kinds)])
            self._out, self._came = np.zeros(len(self.kinds)), np.zeros(len(self.kinds))
        self.kinds[party] = KIND[kind]
        return party

    def enroll_many(self, kind: str, region: str, names: list[str]) -> np.ndarray:
        """Open the accounts of several parties."""
        return np.array([self.enroll(kind, region, name) for name in names], dtype=np.int64)

    def balance(self, parties, account: str):
        """USD on an account of a party or of an array of them (n,); a copy."""
        return self.balances[parties, ACCOUNT[account]]

    def cash(self, parties):
        """USD of deposits of a party or of an array of them (n,); a copy."""
        return self.balances[parties, 0]

    def net_worth(self, parties):
        """USD of assets less liabilities: what was put in and earned, not yet paid out or lost."""
        return -(self.balances[parties, ACCOUNT["equity"]] + self.balances[parties, ACCOUNT["profit"]])

    def pay(self, flow: str, payers, payees, amounts) -> None:
        """Move cash. Checks the whole batch, then commits.

        Parameters
        ----------
        flow : a name in FLOWS
        payers, payees : party numbers, scalar or (n,)
        amounts : USD, scalar or (n,), none below zero

        Raises
        ------
        Overdraft
            A party other than ``world`` would end below zero.
        ValueError
            An amount is negative or not finite, or a party has no accounts.
        """
        if self._pay_one(flow, payers, payees, amounts):
            return
        payers, payees = np.ascontiguousarray(payers, np.int64), np.ascontiguousarray(payees, np.int64)
        amounts = np.ascontiguousarray(amounts, np.float64)
        count = shared_size(payers, payees, amounts)
        if count == 0:
            return
        wrong, short = transfer(
            *(self.balances, self.flows[FLOW[flow]], self.kinds, self._out, self._came),
            *(len(self.members), count, payers, payees, amounts, *SIDES[flow], DUST),
        )
        if wrong != DONE:
            payer, payee, amount = (column[wrong % column.size] for column in (payers, payees, amounts))
            raise ValueError(
                f"{flow}: party {payer} is asked for {amount:,.2f} USD for party {payee}. "
                "Amounts are finite and at least zero, parties have accounts; no payment was made."
            )
        if short != DONE:
            asked = np.broadcast_to(amounts, count)[np.broadcast_to(payers, count) == short].sum()
            raise Overdraft(
                f"{flow}: {self.name(short)} has {self.balances[short, 0]:,.2f} USD and is asked for "
                f"{asked:,.2f}.\nRation it in the market before settling; no payment was made."
            )

    def _pay_one(self, flow: str, payer, payee, amount) -> bool:
        """Move cash between two parties, without arrays; False, and nothing moved, for many or when ``pay`` must object."""
        if not (isinstance(amount, float) and isinstance(payer, WHOLE) and isinstance(payee, WHOLE)):
            return False
        balances, parties = self.balances, len(self.members)
        if not (0.0 <= amount < np.inf and 0 <= payer < parties and 0 <= payee < parties and payer != payee):
            return False
        if payer != WORLD and not balances[payer, 0] >= amount:
            return False
        rises, falls = SIDES[flow]
        balances[payer, 0] -= amount
        balances[payer, rises] += amount
        balances[payee, 0] += amount
        balances[payee, falls] -= amount
        self.flows[FLOW[flow], self.kinds[payer], self.kinds[payee]] += amount
        return True

    def endow_cash(self, parties, amounts) -> None:
        """Opening deposits, owed by the world."""
        amounts = np.broadcast_to(np.asarray(amounts, dtype=np.float64), np.shape(parties))
        np.add.at(self.balances, (parties, 0), amounts)
        np.add.at(self.balances, (parties, ACCOUNT["profit"]), -amounts)
        self.balances[WORLD, 0] -= amounts.sum()
        self.balances[WORLD, ACCOUNT["profit"]] += amounts.sum()

    def post(self, parties, rises: str, falls: str, amounts) -> None:
        """Move an amount (any sign) between two accounts of the same party; no cash."""
        amounts = np.asarray(amounts, dtype=np.float64)
        if "cash" in (rises, falls):
            raise ValueError("Cash moves only through pay(); nothing was posted.")
        if not np.isfinite(amounts).all():
            raise ValueError(f"{falls} to {rises}: an amount is not finite; nothing was posted.")
        parties, amounts = np.ascontiguousarray(parties, np.int64).reshape(-1), np.ascontiguousarray(amounts).reshape(-1)
        shift(self.balances, shared_size(parties, amounts), parties, amounts, ACCOUNT[rises], ACCOUNT[falls])

    def forgive(self, account: str, issuers, holders, amounts) -> None:
        """Write off a claim: a loss to its holder, a gain to its issuer."""
        self.post(holders, "profit", account, amounts)
        self.post(issuers, account, "profit", amounts)

    def accrue(self, account: str, issuers, holders, amounts, into: str = "profit") -> None:
        """Add unpaid interest to a claim: income to its holder, a cost (or a part of the fleet's cost) to its issuer."""
        self.post(holders, account, "profit", amounts)
        self.post(issuers, into, account, amounts)

    def provide(self, flow: str, party: int, need: float) -> None:
        """Let the world fill up a party's cash to ``need``."""
        short = need - self.balances[party, 0]
        if short > 0.0:
            self.pay(flow, WORLD, party, short)

    def name(self, party: int) -> str:
        """A party in words."""
        member = self.members[party]
        return " ".join(w for w in (member.region, member.kind, member.name) if w)

    def turn(self) -> None:
        """Open the next month: flows start at zero."""
        self.flows[:] = 0.0


def shared_size(*columns: np.ndarray) -> int:
    """Common length of columns of which those of length one hold for all rows."""
    sizes = {column.size for column in columns} - {1}
    if len(sizes) > 1:
        raise ValueError(f"Columns of different lengths {sorted(sizes)}; no payment was made.")
    return sizes.pop() if sizes else 1
