"""Applications of a region, one place each: what they are like, and whose turn it is when one ends."""

import numpy as np


class Applications:
    """Places for applications, which keep their keys; who ends makes room for another.

    Parameters
    ----------
    keys : (n,) of the places in the streams of randomness
    """

    FIELDS = ("size", "contractible", "social", "unit_value")

    def __init__(self, keys: np.ndarray) -> None:
        self.keys = keys
        self.size, self.contractible, self.social, self.unit_value = (np.zeros(len(keys)) for _ in self.FIELDS)

    def begin(self, places: np.ndarray, traits: tuple[np.ndarray, ...]) -> None:
        """New applications at ``places`` (m,), with their ``traits`` (m,) in the order of FIELDS."""
        for name, values in zip(self.FIELDS, traits, strict=True):
            getattr(self, name)[places] = values

    def those(self, able: np.ndarray) -> tuple[np.ndarray, ...]:
        """Traits (m,) of some, in the order of FIELDS."""
        return tuple(getattr(self, name)[able] for name in self.FIELDS)
