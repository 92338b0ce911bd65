"""Failures: what is left of those who fail, and who fails by script."""

from collections.abc import Iterable
from typing import Any, Literal

from sim.units import Frozen, quantity


class Params(Frozen):
    """What is left of labs and clouds that fail, by script or not; and one tenant that fails by script, whatever its cash."""

    region: Literal["", "us", "china"]  # where; empty: nobody fails by script
    month: int = quantity("month", 0, 2400, "in which it fails, after recording begins")
    tenant: Literal["largest", "largest_lab", "largest_cloud"]  # by the contract rents that it owes
    training_kept: float = quantity("share", 0.0, 1.0, "of a failed lab's training that its new owners go on with at first")
    bond_recovery: float = quantity(
        "share", 0.0, 1.0, "of bonds, least that holders keep when a cloud fails; more where its cash and units cover more"
    )

    def conflicts(self, params: Any) -> Iterable[str]:
        """A tenant can fail only where there are some."""
        if self.region and self.region not in params.regions:
            yield f"region is {self.region}, which is not among regions. Add it, or leave region empty."
