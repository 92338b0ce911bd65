"""How fast the waterfall and the ratings are, against what: ``python -m analysis bench [--json]``, under a minute.

``python -m analysis bench run`` times the default run instead, beside a fixed piece of numpy; ``bench sweep`` times sweeps.

Every contender pays the same deal and is checked for equality before anything is timed. A ratio is the median of pairs
timed in rotating order; it is called noisy where best over best differs from it by more than 15 %.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from analysis import sweep_bench
from analysis.benchmarks import book, contenders, native, rating, running
from analysis.benchmarks.contenders import NUMPY, PYTHON, SINGLE, C, Contender, Result
from analysis.benchmarks.racing import Ratio, compare, race
from analysis.benchmarks.task import PATHS, PERIODS, Task, task

ROUNDS, BOOK_ROUNDS = 100, 40
KEYS = {C: "kernel_vs_c", NUMPY: "kernel_vs_numpy", SINGLE: "kernel_vs_scalar", PYTHON: "kernel_vs_python"}

Figure = float | bool | None


class Disagreement(Exception):
    """Contenders that do not pay the same: their speed means nothing."""


def check(work: Task, entered: dict[str, Contender]) -> dict[str, float]:
    """Largest difference of every contender from the kernel.

    Raises
    ------
    Disagreement
        if one exceeds 1e-9 of the notes.
    """
    gaps = contenders.gaps(entered)
    if C in entered:
        gaps[C] = max(gaps[C], contenders.period_gap(work))
    wrong = {name: gap for name, gap in gaps.items() if not gap <= contenders.CLOSE}
    if wrong:
        listed = ", ".join(f"{name} by {gap:.1e} of the notes" for name, gap in wrong.items())
        raise Disagreement(f"Contenders pay other amounts than the kernel: {listed}. Nothing was timed.")
    return gaps


def race_book() -> Ratio:
    """A month of the whole book as one table, against the same deals as objects.

    Raises
    ------
    Disagreement
        if table and objects do not pay and owe the same.
    """
    both = book.assemble()
    both.pay_table()
    both.pay_objects()
    gap = both.gap()
    if not gap <= contenders.CLOSE:
        raise Disagreement(f"Deal objects pay other amounts than the book: by {gap:.1e} of the notes. Nothing was timed.")
    taken = race([both.pay_table, both.pay_objects], BOOK_ROUNDS) / [book.DEALS, book.OBJECTS]
    return compare(taken[:, 1], taken[:, 0])


def speeds(results: dict[str, Result]) -> dict[str, Ratio | None]:
    """Ratios by key; None for C without a compiler or where C is no vector code."""
    ratios: dict[str, Ratio | None] = {key: results[name].ratio if name in results else None for name, key in KEYS.items()}
    if C in results and void(results):
        ratios["kernel_vs_c"] = None
    return ratios


def void(results: dict[str, Result]) -> str:
    """Why the ratio to C does not count; empty when it does."""
    return contenders.void(native.build(native.vector_width()).packed, contenders.c_over_scalar(results))


def page(gaps: dict[str, float], results: dict[str, Result], ratios: dict[str, Ratio | None]) -> list[str]:
    """The lines a reader sees."""
    width = native.vector_width()
    lines = [f"One deal, three classes, {PERIODS} periods, {PATHS:,} paths, one thread; {width} numbers in a vector."]
    lines.append("Largest difference from the kernel, share of the notes: " + ", ".join(f"{n} {g:.0e}" for n, g in gaps.items()))
    lines.append(
        f"{'':<20}{'ns':>10}{'kernel ns':>11}{'median x':>10}{'best x':>9}   a path and period; x: times the kernel's time"
    )
    for name, one in results.items():
        median, best = one.ratio
        noisy = "   noisy" if one.ratio.noisy else ""
        lines.append(f"{name:<20}{one.nanoseconds:>10.2f}{one.kernel_nanoseconds:>11.2f}{median:>10.2f}{best:>9.2f}{noisy}")
    if C in results:
        reason = void(results)
        gain, packed = contenders.c_over_scalar(results), native.build(width).packed
        lines.append(
            f"C: {gain:.1f} times its scalar build, {packed} packed minima and maxima" + (f"; void: {reason}" if reason else "")
        )
    else:
        lines.append(f"C: {native.missing()}, so that contender is left out")
    whole = ratios["book_vs_objects"]
    if whole is not None:
        noisy = "   noisy" if whole.noisy else ""
        lines.append(
            f"A month of {book.DEALS:,} deals: {whole.median:.0f} times as fast as objects (timed on {book.OBJECTS}){noisy}"
        )
    return lines


def measure_run() -> tuple[dict[str, Figure], list[str]]:
    """The same of the default run."""
    timed = running.measure()
    return {**running.figures(timed)}, running.page(timed)


def measure() -> tuple[dict[str, Figure], list[str]]:
    """All figures by key, and the page."""
    work = task()
    entered = contenders.enter(work)
    gaps = check(work, entered)
    results = contenders.measure(entered, ROUNDS)
    ratios = speeds(results) | {"book_vs_objects": race_book()}
    figures: dict[str, Figure] = {key: None if ratio is None else round(ratio.median, 3) for key, ratio in ratios.items()}
    ratings = rating.measure()
    figures |= {key: round(figure, 3) if isinstance(figure, float) else figure for key, figure in ratings.items()}
    lines = page(gaps, results, ratios) + [
        f"{key}: {shown(ratings[key])} {meaning}" for key, meaning in rating.KEYS.items() if key in ratings
    ]
    return figures, lines


def shown(figure: float | bool) -> str:
    """A figure as the page shows it."""
    return str(figure).lower() if isinstance(figure, bool) else f"{figure:.4g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["sweep"]:
        return sweep_bench.main(arguments[1:])
    options = argparse.ArgumentParser(prog="python -m analysis bench", description=__doc__.splitlines()[0])
    options.add_argument("what", nargs="?", choices=("kernels", "run"), default="kernels", help="kernels, or the default run")
    options.add_argument("--json", action="store_true", help="figures by key, for machines")
    chosen = options.parse_args(arguments)
    print("Compiling what is not in the cache, then timing ...", file=sys.stderr)
    began = time.perf_counter()
    try:
        figures, lines = measure_run() if chosen.what == "run" else measure()
    except (Disagreement, running.Failed) as error:
        print(error, file=sys.stderr)
        return 1
    if chosen.json:
        print(json.dumps(figures, indent=2))
    else:
        print(*lines, f"{time.perf_counter() - began:.0f} seconds", sep="\n")
    return 0
