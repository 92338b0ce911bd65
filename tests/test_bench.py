"""The benchmark page: contenders pay the same before they are timed, vector code is vector code, ratios mean what they say."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from analysis import bench
from analysis.__main__ import main as command
from analysis.benchmarks import assembly, book, by_kernel, by_objects, contenders, native, racing, rating, running
from analysis.benchmarks.contenders import KERNEL, PYTHON, C
from analysis.benchmarks.task import CELL, NOTES, Task, part, periods, task
from sim.kernels.waterfall import pay_paths

KEYS = {"kernel_vs_c", "kernel_vs_numpy", "kernel_vs_scalar", "kernel_vs_python", "book_vs_objects", *rating.KEYS}
needs_c = pytest.mark.skipif(bool(native.missing()), reason="no C compiler")


@pytest.fixture(scope="module")
def work() -> Task:
    return task(4 * CELL)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, work: Task) -> Iterator[None]:
    """The page on few paths, few deals and few rounds."""
    monkeypatch.setattr(bench, "task", lambda: work)
    monkeypatch.setattr(bench, "ROUNDS", 3)
    monkeypatch.setattr(bench, "BOOK_ROUNDS", 2)
    monkeypatch.setattr(book, "DEALS", 2 * CELL)
    yield


def test_every_contender_pays_what_the_kernel_pays(work):
    """To the bit: all keep the order of operations."""
    assert set(contenders.gaps(contenders.enter(work)).values()) == {0.0}


@needs_c
def test_c_pays_what_the_kernel_pays_in_every_period(work):
    assert contenders.period_gap(work) == 0.0


@needs_c
@pytest.mark.parametrize("width", [width for width in (1, 2, 4, 8) if width <= native.vector_width()])
def test_c_pays_alike_at_every_width(work, width):
    wide, narrow = native.prepare(work, native.vector_width()), native.prepare(work, width)
    wide.call(), narrow.call()
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(wide.read(), narrow.read(), strict=True))


def test_the_deal_exercises_its_rules(work):
    """Paths are trapped, made rapid, short of cash and repaid: else the race would be run on a straight road."""
    seen = {"trapped": 0, "rapid": 0, "short": 0, "repaid": 0}
    for s in range(CELL):
        deal, target = by_objects.found(work), work.opening["reserve"][0]
        for t, now in enumerate(map(by_objects.inputs, periods(work))):
            now.revenue, now.default_rate = work.revenue[t, s], work.default_rate[t, s]
            deal.pay(now)
            seen["trapped"] += deal.trapped
            seen["short"] += deal.owed() > deal.dust and deal.reserve < target
        seen["rapid"] += deal.rapid
        seen["repaid"] += deal.owed() <= deal.dust
    assert all(seen.values()) and seen["repaid"] >= 0.9 * CELL


def test_a_fuller_revenue_repays_every_class(work):
    """Twice the rent repays 92 on every path, and not a dollar more."""
    rich = work._replace(revenue=2.0 * work.revenue)
    prepared = by_kernel.paths(rich)
    prepared.call()
    assert prepared.read()[1][0].sum(axis=0) == pytest.approx(np.full(4 * CELL, sum(NOTES)), abs=1e-9)


@needs_c
def test_the_vector_build_of_c_is_vector_code_and_the_scalar_build_is_not():
    assert native.build(native.vector_width()).packed > 20
    assert native.build(1).packed == 0


def test_the_kernel_is_vector_code(work):
    """Packed minima or maxima on the widest registers: a lost vectorisation costs five times the speed, and shows here."""
    by_kernel.paths(part(work, CELL)).call()
    signature = pay_paths.signatures[0]
    found = assembly.vector_instructions(pay_paths, signature)
    assert found["zmm"] + found["ymm"] > max(20, found["single"])


def test_packed_extremes_are_counted_by_register():
    """Scalar minima and narrower registers do not count."""
    code = "\tvminpd\t%zmm1, %zmm2, %zmm3\n\tvminsd\t%xmm1, %xmm2, %xmm3\n\tvmaxpd\t8(%rax), %ymm2, %ymm3\n\tmaxpd\t%xmm1, %xmm2\n"
    assert [native.packed_extremes(code, width) for width in (8, 4, 2, 1)] == [1, 1, 1, 0]


def test_table_and_objects_owe_the_same_after_six_months(monkeypatch):
    monkeypatch.setattr(book, "DEALS", 2 * CELL)
    both = book.assemble()
    for _ in range(6):
        both.pay_table()
        both.pay_objects()
    assert both.gap() == 0.0


def test_contenders_take_turns():
    """Three contenders, three rounds: each is first, second and third once."""
    order: list[int] = []
    taken = racing.race([lambda i=i: order.append(i) for i in range(3)], 3)
    assert order == [0, 1, 2, 1, 2, 0, 2, 0, 1] and taken.shape == (3, 3)


def test_a_ratio_is_noisy_when_median_and_best_disagree():
    """Pairs 2, 2, 2 with best over best 2 are quiet; pairs 2, 2, 2 with best over best 4 / 1 are not."""
    quiet = racing.compare(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    noisy = racing.compare(np.array([4.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    assert quiet == (2.0, 2.0) and not quiet.noisy
    assert noisy == (2.0, 4.0) and noisy.noisy


@pytest.mark.parametrize(("packed", "gain", "word"), [(0, 8.0, "packed"), (50, 2.9, "2.9 times"), (50, 3.0, "")])
def test_the_ratio_to_c_is_void_unless_c_is_vector_code(packed, gain, word):
    reason = contenders.void(packed, gain)
    assert word in reason and bool(reason) == bool(word)


def test_the_page_prints_every_key_as_json(short, capsys):
    assert command(["bench", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == KEYS
    assert all(figures[key] > 0.0 for key in ("kernel_vs_numpy", "kernel_vs_python", "book_vs_objects"))


def test_without_a_compiler_c_is_left_out_and_the_page_says_so(short, monkeypatch, capsys):
    monkeypatch.setattr(native, "compiler", lambda: None)
    assert command(["bench"]) == 0
    assert "no compiler found" in capsys.readouterr().out
    assert bench.speeds({})["kernel_vs_c"] is None


def test_contenders_that_disagree_are_not_timed(short, monkeypatch, capsys):
    """Python pays a cent of class A's interest too much."""
    honest = contenders.enter

    def enter(work: Task) -> dict:
        entered = honest(work)
        interest, principal = entered[PYTHON].paid()
        wrong = entered[PYTHON]._replace(paid=lambda: (interest + 0.01, principal))
        return {KERNEL: entered[KERNEL], PYTHON: wrong}

    monkeypatch.setattr(contenders, "enter", enter)
    assert command(["bench"]) == 1
    shown = capsys.readouterr()
    assert "Python objects by 1.1e-04 of the notes" in shown.err and shown.out == ""


def test_a_source_that_does_not_compile_is_said_to_be_missing(monkeypatch, tmp_path):
    if native.compiler() is None:
        pytest.skip("no C compiler")
    broken = tmp_path / "waterfall.c"
    broken.write_text("not C\n")
    monkeypatch.setattr(native, "SOURCE", broken)
    native.build.cache_clear()
    assert "refused waterfall.c" in native.missing()
    assert C not in contenders.enter(task(CELL))
    native.build.cache_clear()


def test_a_run_is_timed_warm_and_by_turns_with_the_yardstick(monkeypatch):
    """The first run fills the cache; the median is of those after it, and the ratio is of pairs."""
    order = []
    monkeypatch.setattr(running, "yardstick", lambda: order.append("yardstick"))
    timed = running.measure(lambda: order.append("run"), rounds=3)
    assert order == ["run", "run", "yardstick", "yardstick", "run", "run", "yardstick"]
    assert timed.ratio == racing.compare(timed.seconds, timed.yardstick)


def test_the_yardstick_is_the_same_work_each_time(monkeypatch):
    monkeypatch.setattr(running, "SIZE", 10_000)
    assert running.yardstick() == running.yardstick()


def test_the_page_tells_a_slow_run_from_a_fast_one():
    pairs = [(running.GOAL * pace, np.full(5, running.GOAL * pace)) for pace in (0.9, 1.1)]
    for seconds, taken in pairs:
        timed = running.Timed(taken, np.ones(5), racing.compare(taken, np.ones(5)))
        assert running.figures(timed) == {
            "run_seconds": seconds,
            "run_fastest": seconds,
            "yardstick_seconds": 1.0,
            "run_vs_yardstick": seconds,
        }
        assert ("NOT under" in running.page(timed)[0]) == (seconds > running.GOAL)


def test_a_run_that_fails_is_not_timed(capsys, monkeypatch):
    monkeypatch.setattr(running, "measure", lambda: running.run("horizon_years=0"))
    assert command(["bench", "run"]) == 1
    assert "ended with 2; nothing was timed" in capsys.readouterr().err
