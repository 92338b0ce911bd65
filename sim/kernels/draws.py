"""Random numbers and normal probabilities that compile into lanes: no table, no branch, no library call.

A draw depends on its counter (stream, index, entity, path) and on the seed, on nothing else (Philox4x32-10, Salmon et al. 2011,
"Parallel random numbers: as easy as 1, 2, 3", SC11): neither the number of paths, nor the order of calls, nor a neighbour's draws
can shift it. Counter words are the low 32 bits of (stream, index, entity, path), key words the low and high half of the seed; the
same words give the same bits as ``sim.streams.philox``.

All integers handed over are uint64, all numbers float64. For use inside a lane loop (inlined, and vectorised with it):

    random_words(stream, index, entity, path, low, high) -> four 32-bit words; low, high are the halves of the seed
    uniform(stream, index, entity, path, seed)           -> one uniform in (0, 1), 52 bits
    uniform_pair(stream, index, entity, path, seed)      -> two independent ones for the price of one; the first is ``uniform``
    exponential(x), logarithm(x)                         -> e^x, ln x (x positive and normal)
    normal_cdf(x), normal_quantile(p)                    -> Phi(x), also far in the lower tail; its inverse on (0, 1)

For a row of neighbouring paths, path, path + 1, ... (any length, 64 by habit), written in place:

    fill_uniform(row, stream, index, entity, path, seed)
    fill_uniform_pair(row, other, stream, index, entity, path, seed)
    fill_normal(row, stream, index, entity, path, seed)  -> normal_quantile of what ``fill_uniform`` gives

``stream_word(name)`` gives a named stream's word, in Python.
"""

from zlib import crc32

import numpy as np
from numba import njit

LANES = 64
WORD, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
FIRST, SECOND = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)  # multipliers and Weyl steps of Philox4x32
GOLDEN, ROOT = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
DROPPED = np.uint64(12)  # 52 bits and a half never round to 0 or 1
STEP = 2.0**-52

INTEGER = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer, held in the low bits
INTEGER_BITS = np.uint64(0x4338000000000000)
MANTISSA, EXPONENT = np.uint64(52), np.uint64(0x000FFFFFFFFFFFFF)
ROOT_HALF = np.uint64(0x3FE6A09E00000000)  # sqrt(1/2), cut
BIAS = np.uint64(1024)
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # the first with 21 zero bits
SPLIT = 134217729.0  # 2^27 + 1 (Dekker 1971)


def stream_word(name: str) -> np.uint64:
    """Stable counter word of a named stream."""
    return np.uint64(crc32(name.encode()))


@njit(forceinline=True, error_model="numpy", cache=True)
def random_words(stream, index, entity, path, low, high):
    """Ten rounds of Philox4x32: four 32-bit words."""
    a, b, c, d = stream & WORD, index & WORD, entity & WORD, path & WORD
    k, m = low & WORD, high & WORD
    for _ in range(10):
        first, second = FIRST * a, SECOND * c
        a, b, c, d = (second >> HALF) ^ b ^ k, second & WORD, (first >> HALF) ^ d ^ m, first & WORD
        k, m = (k + GOLDEN) & WORD, (m + ROOT) & WORD
    return a, b, c, d


@njit(forceinline=True, error_model="numpy", cache=True)
def fraction(high, low):
    """Uniform in (0, 1) of two words."""
    return (np.float64(((high << HALF) | low) >> DROPPED) + 0.5) * STEP


@njit(forceinline=True, error_model="numpy", cache=True)
def uniform(stream, index, entity, path, seed):
    """One uniform in (0, 1)."""
    a, b, _, _ = random_words(stream, index, entity, path, seed, seed >> HALF)
    return fraction(a, b)


@njit(forceinline=True, error_model="numpy", cache=True)
def uniform_pair(stream, index, entity, path, seed):
    """Two independent uniforms in (0, 1)."""
    a, b, c, d = random_words(stream, index, entity, path, seed, seed >> HALF)
    return fraction(a, b), fraction(c, d)


@njit(forceinline=True, error_model="numpy", cache=True)
def exponential(x):
    """e^x to two units in the last place; 0 below -708, infinite above 709.

    x = n ln 2 + r; the Taylor series of e^r to r^13 leaves 4e-18 at |r| = ln 2 / 2.
    """
    t = min(max(x, -708.0), 709.0) * 1.4426950408889634 + INTEGER
    n = t - INTEGER
    r = (min(max(x, -708.0), 709.0) - n * LN2_HIGH) - n * LN2_LOW
    p = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    p = 1.0 / 3628800.0 + r * (1.0 / 39916800.0 + r * p)
    p = 1.0 / 40320.0 + r * (1.0 / 362880.0 + r * p)
    p = 1.0 / 720.0 + r * (1.0 / 5040.0 + r * p)
    p = 1.0 / 24.0 + r * (1.0 / 120.0 + r * p)
    p = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * p)))
    scaled = np.uint64(np.float64(p).view(np.uint64) + (np.float64(t).view(np.uint64) << MANTISSA)).view(np.float64)
    return 0.0 if x < -708.0 else (np.inf if x > 709.0 else scaled)


@njit(forceinline=True, error_model="numpy", cache=True)
def logarithm(x):
    """ln x of a positive normal number, to one unit in the last place (fdlibm, e_log.c, Sun Microsystems 1993)."""
    shifted = np.float64(x).view(np.uint64) - ROOT_HALF + (BIAS << MANTISSA)  # biased, so that no sign is in the way
    n = np.uint64((shifted >> MANTISSA) + INTEGER_BITS - BIAS).view(np.float64) - INTEGER
    f = np.uint64((shifted & EXPONENT) + ROOT_HALF).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 1.818357216161805012e-01 + z * (1.531383769920937332e-01 + z * 1.479819860511658591e-01)
    p = 3.999999999940941908e-01 + z * (2.857142874366239149e-01 + z * (2.222219843214978396e-01 + z * p))
    p = z * (6.666666666666735130e-01 + z * p)
    half = 0.5 * f * f
    return n * LN2_HIGH - ((half - (s * (half + p) + n * LN2_LOW)) - f)


@njit(forceinline=True, error_model="numpy", cache=True)
def normal_cdf(x):
    """Phi(x); the lower tail is right to a few units in the last place down to -37.

    exp(x^2/2) Phi(-x) as a quotient of polynomials, fitted on [0, 40] to 6e-17 of itself; all terms are positive.
    """
    a = min(abs(x), 40.0)
    p = 140.90752583685971326 + a * (10.713795340920610793 + a * 0.39894228040035999477)
    p = 28008.108168622647873 + a * (6776.6613488788197153 + a * (1173.9892816505594501 + a * p))
    p = 170079.97289947970566 + a * (82890.757590281568093 + a * p)
    p = 142957.05795068788314 + a * (221709.24441191125299 + a * p)
    q = 354.20278842428358865 + a * (26.855502329597227049 + a)
    q = 17337.773849188189198 + a * (2969.6102268041117759 + a * q)
    q = 224066.54967465149548 + a * (73094.956353268022088 + a * q)
    q = 733018.23343724008717 + a * (490915.12554850307635 + a * q)
    q = 285914.11590137578069 + a * (671544.94761712837128 + a * q)
    square = a * a
    high = a * SPLIT - (a * SPLIT - a)
    low = a - high
    lost = ((high * high - square) + 2.0 * high * low) + low * low  # what rounding took from the square
    tail = exponential(-0.5 * square) * (1.0 - 0.5 * lost) * (p / q)
    return tail if x < 0.0 else 1.0 - tail


@njit(forceinline=True, error_model="numpy", cache=True)
def quantile_centre(q):
    """Phi^-1(1/2 + q) for \\|q\\| <= 0.425."""
    r = 0.180625 - q * q
    n = 67265.770927008700853 + r * (33430.575583588128105 + r * 2509.0809287301226727)
    n = 1971.5909503065514427 + r * (13731.693765509461125 + r * (45921.953931549871457 + r * n))
    n = 3.387132872796366608 + r * (133.14166789178437745 + r * n)
    d = 39307.89580009271061 + r * (28729.085735721942674 + r * 5226.495278852854561)
    d = 687.1870074920579083 + r * (5394.1960214247511077 + r * (21213.794301586595867 + r * d))
    return q * n / (1.0 + r * (42.313330701600911252 + r * d))


@njit(forceinline=True, error_model="numpy", cache=True)
def quantile_tail(t):
    """-Phi^-1(p) where t = sqrt(-ln p) - 1.6 is at most 3.4."""
    n = 2.41780725177450611770e-1 + t * (2.27238449892691845833e-2 + t * 7.74545014278341407640e-4)
    n = 3.64784832476320460504e0 + t * (1.27045825245236838258e0 + t * n)
    n = 1.42343711074968357734e0 + t * (4.63033784615654529590e0 + t * (5.76949722146069140550e0 + t * n))
    d = 1.51986665636164571966e-2 + t * (5.47593808499534494600e-4 + t * 1.05075007164441684324e-9)
    d = 6.89767334985100004550e-1 + t * (1.48103976427480074590e-1 + t * d)
    return n / (1.0 + t * (2.05319162663775882187e0 + t * (1.67638483018380384940e0 + t * d)))


@njit(forceinline=True, error_model="numpy", cache=True)
def quantile_far(t):
    """-Phi^-1(p) where t = sqrt(-ln p) - 5 is at least 0."""
    n = 1.24266094738807843860e-3 + t * (2.71155556874348757815e-5 + t * 2.01033439929228813265e-7)
    n = 2.96560571828504891230e-1 + t * (2.65321895265761230930e-2 + t * n)
    n = 6.65790464350110377720e0 + t * (5.46378491116411436990e0 + t * (1.78482653991729133580e0 + t * n))
    d = 1.84631831751005468180e-5 + t * (1.42151175831644588870e-7 + t * 2.04426310338993978564e-15)
    d = 1.48753612908506148525e-2 + t * (7.86869131145613259100e-4 + t * d)
    return n / (1.0 + t * (5.99832206555887937690e-1 + t * (1.36929880922735805310e-1 + t * d)))


@njit(forceinline=True, error_model="numpy", cache=True)
def normal_quantile(p):
    """Phi^-1(p) of 0 < p < 1, to about 1e-15 (Wichura 1988, Applied Statistics 37:477, algorithm AS 241)."""
    q = p - 0.5
    root = np.sqrt(-logarithm(p if q < 0.0 else 1.0 - p))
    size = quantile_tail(root - 1.6) if root <= 5.0 else quantile_far(root - 5.0)
    tail = -size if q < 0.0 else size
    return quantile_centre(q) if abs(q) <= 0.425 else tail


@njit(cache=True)
def fill_uniform(row, stream, index, entity, path, seed):
    """One uniform a path, of the paths from ``path`` on."""
    for j in range(row.size):
        row[j] = uniform(stream, index, entity, path + np.uint64(j), seed)


@njit(cache=True)
def fill_uniform_pair(row, other, stream, index, entity, path, seed):
    """Two independent uniforms a path."""
    for j in range(row.size):
        row[j], other[j] = uniform_pair(stream, index, entity, path + np.uint64(j), seed)


@njit(cache=True)
def fill_normal(row, stream, index, entity, path, seed):
    """One standard normal a path."""
    for j in range(row.size):
        row[j] = normal_quantile(uniform(stream, index, entity, path + np.uint64(j), seed))
