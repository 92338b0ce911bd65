"""Event-keyed randomness: a draw depends on (seed, stream, month, entity, index) and on nothing else.

Counter-based Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11): neither the order of
calls nor the presence of other agents can shift a draw, so two scenarios share every draw except the rule under study.
"""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numba import njit
from scipy.special import ndtri


@njit(cache=True)
def philox(counter, key):
    """Ten rounds of Philox4x32.

    Parameters
    ----------
    counter : (n, 4) uint64 holding 32-bit words
    key : (2,) uint64 holding 32-bit words

    Returns
    -------
    (n, 4) uint64 holding 32-bit words
    """
    word = np.uint64(0xFFFFFFFF)
    out = np.empty_like(counter)
    for i in range(counter.shape[0]):
        a, b, c, d = counter[i, 0], counter[i, 1], counter[i, 2], counter[i, 3]
        k, m = key[0], key[1]
        for _ in range(10):
            first, second = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
            a, b, c, d = (
                (second >> np.uint64(32)) ^ b ^ k,
                second & word,
                (first >> np.uint64(32)) ^ d ^ m,
                first & word,
            )
            k, m = (k + np.uint64(0x9E3779B9)) & word, (m + np.uint64(0xBB67AE85)) & word
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = a, b, c, d
    return out


def entity(name: str) -> int:
    """Stable 32-bit key of a named entity, whatever was created before it."""
    return crc32(name.encode())


@njit(cache=True)
def fractions(words):
    """Uniforms in (0, 1) of the first two of four words each, (n, 4): 53 random bits."""
    out = np.empty(words.shape[0])
    for i in range(out.size):
        out[i] = (np.float64(((words[i, 0] << np.uint64(32)) | words[i, 1]) >> np.uint64(11)) + 0.5) * 2.0**-53
    return out


@dataclass(frozen=True)
class Streams:
    """All the randomness of one run."""

    seed: int

    def uniform(self, stream: str, month: Any, entities: np.ndarray, index: Any = 0) -> np.ndarray:
        """Uniforms in (0, 1), one an entity, with 53 random bits; month and index are one for all, or (n,)."""
        counter = np.empty((len(entities), 4), dtype=np.uint64)
        counter[:, 0] = entity(stream)
        counter[:, 1] = month & 0xFFFFFFFF
        counter[:, 2] = entities
        counter[:, 3] = index
        words = philox(counter, np.array([self.seed & 0xFFFFFFFF, self.seed >> 32], dtype=np.uint64))
        return np.asarray(fractions(words))

    def draw(self, stream: str, month: int, entities: np.ndarray, index: int = 0) -> np.ndarray:
        """Standard normals, one an entity."""
        return ndtri(self.uniform(stream, month, entities, index))
