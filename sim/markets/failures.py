"""Failures that a script brings about: which tenant fails, and when."""

from collections.abc import Iterable
from typing import Any, Literal

from sim.units import Frozen, quantity


class Params(Frozen):
    """One tenant that fails, whatever its cash; what its creditors recover holds for all clouds that fail."""

    region: Literal["", "us", "china"]  # where; empty: nobody fails by script
    month: int = quantity("month", 0, 2400, "in which it fails, after recording begins")
    tenant: Literal["largest", "largest_lab", "largest_cloud"]  # by the contract rents that it owes
    bond_recovery: float = quantity("share", 0.0, 1.0, "of bonds that holders keep when a cloud fails; the rest is lost")

    def conflicts(self, params: Any) -> Iterable[str]:
        """A tenant can fail only where there are some."""
        if self.region and self.region not in params.regions:
            yield f"region is {self.region}, which is not among regions. Add it, or leave region empty."
