"""What importance sampling gains the rating engine; all but the speed does not depend on the machine."""

from analysis.benchmarks import rated_book

KEYS = {
    "is64_speedup": "times as fast are 64 importance-sampled paths as 4,096 plain ones, median of pairs",
    "is64_agreement": "classes more in the bucket of the stored truth than with the plain paths, mean over scenario sets",
    "vrf_senior": "times smaller is the variance of senior classes that expect to lose about 3e-4",
    "threads_equal": "two threads give the bits of one",
}


def measure() -> dict[str, float | bool]:
    """Figures by key."""
    return rated_book.measure()
