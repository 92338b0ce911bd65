"""What all agents share: a name, a region, a place in the books."""

from typing import Any

import mesa

from sim.streams import entity


class Party(mesa.Agent):
    """An agent with a stable key; its money is in the books, its judgement here."""

    kind = ""

    def __init__(self, model: mesa.Model, region: str, number: int, params: Any, weight: float = 1.0) -> None:
        super().__init__(model)
        self.region = region
        self.number = number
        self.params = params
        self.weight = weight  # share of its kind's business at the start
        self.name = f"{number:02d}"
        self.key = entity(f"{region}/{self.kind}/{self.name}")
        self.party = -1  # number in the ledger, set when its accounts are opened

    def mind(self) -> dict[str, Any]:
        """Beliefs and plans, without the model: what a fork copies."""
        shared = {"model", "params", "unique_id"}
        return {k: v for k, v in vars(self).items() if k not in shared and not k.startswith("_")}
