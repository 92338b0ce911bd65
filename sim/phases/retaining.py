"""Retain: sponsors keep a slice of the notes of their own new deals, where a rule asks it, and pay for it out of their equity.

What they keep is theirs until it is repaid: they neither sell nor mark it. Off while no rule asks for a slice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.markets.regulation import kept

if TYPE_CHECKING:
    from sim.economy import Economy


def may_retain(economy: Economy, region: str) -> bool:
    """Whether sponsors of a region may ever have to keep notes."""
    p, process = economy.params.sim.markets.regulation, getattr(economy.params.agents.regulators.process, region)
    return bool(getattr(p.retention, region) > 0.0 or (process.staged and process.tools.retention > 0.0))


def asked(economy: Economy, region: str) -> np.ndarray:
    """Share (c,) of the notes of new deals that their sponsors must keep now, by channel."""
    concerned = economy.params.sim.markets.regulation.retention.channels
    share = economy.tape[region].rules.kept
    return np.array([share if channel.name in concerned else 0.0 for channel in economy.menus[region]])


def keep(
    economy: Economy, region: str, shares: np.ndarray, sponsors: np.ndarray, channel: np.ndarray, notes: np.ndarray
) -> np.ndarray:
    """Holders (n, k, i) of new deals of ``notes`` (n, k) USD once their ``sponsors`` (n,) have what they must keep."""
    share = asked(economy, region)[channel]
    if not share.any():
        return shares
    own = kept(economy.params.sim.markets.regulation.retention.form, share, notes)
    shares = shares * (1.0 - own)[:, :, None]
    shares[np.arange(len(sponsors)), :, _columns(economy, sponsors)] += own
    return shares


def _columns(economy: Economy, sponsors: np.ndarray) -> np.ndarray:
    """Columns (n,) of sponsors in the deal book.

    Raises
    ------
    ValueError
        where the run began without any rule that could ask for slices, as a branch of it may under other parameters
    """
    place = {party: i for i, party in enumerate(economy.deals.investors.tolist())}
    if missing := set(sponsors.tolist()) - place.keys():
        raise ValueError(
            f"retention: {economy.ledger.name(min(missing))} has no place among holders of notes, which are fixed at the start. "
            "Start the run with retention above 0, or with a staged process that has it among its tools."
        )
    return np.array([place[party] for party in sponsors.tolist()], dtype=np.int64)


def pay_for_slices(economy: Economy, region: str, rows: np.ndarray, amounts: np.ndarray) -> None:
    """Sponsors' parts of what is drawn, ``amounts`` (n, k) USD: out of what they set aside, else new shares pay."""
    if not may_retain(economy, region):
        return
    deals = economy.deals
    held = np.isin(deals["sponsor"][rows], economy.parties("operator", region))
    rows, amounts = rows[held], amounts[held]
    sponsors = deals["sponsor"][rows]
    parts = (amounts * deals["shares"][rows, :, _columns(economy, sponsors)]).sum(axis=1)
    back = np.minimum(parts, deals["set_aside"][rows])
    economy.ledger.pay("escrow_returned", deals["party"][rows], sponsors, back)
    for name in ("set_aside", "escrow"):
        deals[name][rows] -= back
    for party in np.unique(sponsors).tolist():
        lacks = float(parts[sponsors == party].sum()) - float(economy.ledger.cash(party))
        economy.save(party, region, lacks)


def held_by_sponsors(economy: Economy, region: str) -> float:
    """Notes that sponsors of a region hold, USD."""
    return float(economy.ledger.balance(economy.parties("operator", region), "notes").sum())
