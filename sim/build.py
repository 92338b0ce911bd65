"""Composition root: agents, books and tape of a new economy, on its balanced path. The only module of sim that knows agents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from agents.agencies import Agency
from agents.clouds import Cloud
from agents.investors import Investor
from agents.labs import Lab
from agents.operators import HORIZON, Operator
from agents.regulators import Regulator
from agents.vendors import Vendor
from sim.arrows import Arrows
from sim.books.contracts import Contracts
from sim.books.deals import DealBook
from sim.books.fleet import BEFORE, Fleet
from sim.books.ledger import Ledger
from sim.books.owners import Owners
from sim.economy import Economy
from sim.markets import primary, tokens
from sim.record import Recorder
from sim.start import Start, endow_clouds, endow_investors, endow_operators, endow_labs, place_deals
from sim.streams import entity
from sim.tape import Market, Tape

OUTSIDERS = ("users", "savers", "banks", "suppliers", "exchange")


def build(params: Any, reference: dict | None = None, recording: bool = False) -> Economy:
    """A new economy at the start of burn-in.

    Parameters
    ----------
    params : sim.params.Params
    reference : what cut arrows transmit, (signal, region) -> array; needed when a gain is not 1
    recording : keep every signal, for references
    """
    economy = Economy(params, Recorder(params.start), lambda: build(params, reference, recording))
    economy.ledger = Ledger()
    economy.owners = Owners(economy.ledger)
    economy.contracts = Contracts()
    economy.arrows = Arrows(params.sim.arrows, reference or {}, recording)
    starts = {region: Start.of(economy, region) for region in economy.regions}
    economy.tape = _tape(economy, starts)
    _open_outside(economy)
    _people(economy, starts)
    investors = [a.party for r in economy.regions for a in economy.all("investor", r)]
    economy.deals = DealBook(economy.ledger, investors)
    economy.basis, economy.earned = np.zeros(len(investors)), np.zeros(len(investors))
    clouds = [c for r in economy.regions for c in economy.all("cloud", r)]
    economy.fleet = Fleet(len(clouds), len(economy.regions), economy.months_total)
    for slot, cloud in enumerate(clouds):
        cloud.slot = slot
        economy.fleet.cloud_region[slot] = economy.regions.index(cloud.region)
    for region, start in starts.items():
        start.record_vintages(economy, region)
        place_deals(economy, region, start)
        endow_clouds(economy, region, start)
        endow_operators(economy, region, start)
        endow_labs(economy, region, start)
        endow_investors(economy, region, start)
    economy.styles = _styles(economy)
    return economy
