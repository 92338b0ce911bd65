"""Demand comes late, never, or needs less compute: what is left of the promised path, month by month."""

from math import exp, log

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, mark, raises

from sim.compose import resolve
from sim.markets import disappointment, tokens
from sim.mistakes import Mistakes

MARKETS = resolve([]).sim.markets
PATH = MARKETS.tokens.model_copy(update={"growth_month": -5, "growth_start": 0.6, "growth_end": 0.1})
OFF = MARKETS.disappointment
HALF_LIFE = 4.0


def late(delay: int, start: int = 24, **others) -> disappointment.Params:
    return OFF.model_copy(update={"delay": delay, "delay_month": start, **others})


def promised(month: int) -> float:
    """Growth of the path from a month to the next, 1/year."""
    return tokens.growth(PATH, (month - PATH.growth_month) / 12, HALF_LIFE)


@given(st.integers(0, 400))
def test_nothing_disappoints_where_it_is_off(month):
    """To the bit: the economy multiplies by it."""
    assert disappointment.delivered(OFF, MARKETS.tokens, month, HALF_LIFE) == 1.0
    assert disappointment.begins(OFF, MARKETS.tokens) is None
    assert disappointment.extrapolated(OFF, MARKETS.tokens, month, HALF_LIFE, 0.7, 0.3) == 0.3


@given(st.integers(1, 80), st.integers(0, 60), st.integers(0, 200))
def test_a_late_boom_is_the_promised_one_on_a_clock_that_stood_still(delay, start, month):
    """Step by step: growth of the long run while the clock stands, then the growth that was due when it stopped."""
    level = 0.0
    for now in range(start, month):
        grows = PATH.growth_end if now < start + delay else promised(now - delay)
        level += (grows - promised(now)) / 12
    assert disappointment.delayed(late(delay, start), PATH, month, HALF_LIFE) == approx(level, rel=1e-9, abs=1e-12)


def test_a_boom_that_never_comes_leaves_the_growth_of_the_long_run():
    """Promised path times what is delivered: 0.1 a year from month 24 on, e^0.1 more each year."""
    level = sum(promised(month) for month in range(24, 24 + 120)) / 12
    assert disappointment.delivered(late(2400), PATH, 144, HALF_LIFE) * exp(level) == approx(exp(1.0))


def test_a_late_boom_catches_up_in_the_end():
    """All growth beyond the long run's comes some day; five years on, the longer the wait the less of it has."""
    shares = [disappointment.delivered(late(delay), PATH, 2000, HALF_LIFE) for delay in (12, 36, 72)]
    assert shares == approx([1.0, 1.0, 1.0])
    halfway = [disappointment.delivered(late(delay), PATH, 84, HALF_LIFE) for delay in (0, 12, 36, 72, 2400)]
    assert halfway == sorted(halfway, reverse=True) and halfway[0] == 1.0 and halfway[-2] == halfway[-1]


@given(st.floats(0.0, 0.9), st.integers(1, 36), st.floats(0.0, 3.0), st.floats(0.05, 10.0), st.integers(0, 300))
def test_users_find_uses_for_each_months_saving_by_and_by(saving, length, elasticity, response, month):
    """One by one: a part saved ``age`` months ago has been answered by 1 - 2^(-age / response) of what it will be."""
    p = OFF.model_copy(
        update={
            "saving": saving,
            "saving_month": 24,
            "saving_length": length,
            "saving_elasticity": elasticity,
            "saving_response": response,
        }
    )
    part, total = -log(1.0 - saving) / length, 0.0
    for spread in range(25, min(24 + length, month) + 1):
        total += part * (elasticity * (1.0 - 2.0 ** (-(month - spread) / (12.0 * response))) - 1.0)
    assert disappointment.spared(p, month) == approx(total, rel=1e-9, abs=1e-9)


@mark.parametrize(("elasticity", "left"), [(0.0, 0.5), (0.5, 0.5**0.5), (1.0, 1.0), (2.0, 2.0)])
def test_the_elasticity_of_service_decides_what_compute_is_needed_in_the_end(elasticity, left):
    """Half the compute a unit: 2^e as many units, 2^(e - 1) times the compute. Jevons: more than before where e is above 1."""
    p = OFF.model_copy(update={"saving": 0.5, "saving_elasticity": elasticity, "saving_length": 6, "saving_response": 0.5})
    assert disappointment.delivered(p, PATH, 1200, HALF_LIFE) == approx(left)


def test_at_first_a_saving_is_a_fall_whatever_users_will_want():
    """In the month in which it comes nobody has found new uses: 40 % less."""
    p = OFF.model_copy(update={"saving": 0.4, "saving_month": 11, "saving_length": 1, "saving_elasticity": 5.0})
    assert disappointment.delivered(p, PATH, 11, HALF_LIFE) == 1.0
    assert disappointment.delivered(p, PATH, 12, HALF_LIFE) == approx(0.6)


def test_what_is_met_has_the_setback_too():
    path = PATH.model_copy(update={"setback": 0.5, "setback_month": 0, "setback_length": 12})
    assert disappointment.met(late(2400), path, 36, HALF_LIFE) == 0.5 * disappointment.delivered(late(2400), path, 36, HALF_LIFE)
    assert disappointment.begins(late(2400), path) == 0 and disappointment.begins(late(2400), PATH) == 24


def test_planners_extrapolate_the_promise_until_it_has_failed_then_what_they_saw():
    """Growth of 0.1 is first seen at the end of month 25; the gap to it then closes by a twelfth a month."""
    p, believed, found = late(2400, memory=12.0), 0.0, []
    for month in range(28):
        believed = disappointment.extrapolated(p, PATH, month, HALF_LIFE, believed, promised(month + 1))
        found.append(believed)
    assert found[:25] == [promised(month + 1) for month in range(25)]
    assert [b - 0.1 for b in found[25:]] == approx([(found[24] - 0.1) * (11 / 12) ** n for n in (1, 2, 3)])


def test_planners_see_a_boom_resume_as_late_as_they_saw_it_stop():
    """Four years after the stop of one year, what they extrapolate has come back to the growth that comes."""
    p, believed = late(12, memory=6.0), 0.0
    for month in range(85):
        believed = disappointment.extrapolated(p, PATH, month, HALF_LIFE, believed, promised(month + 1))
    assert believed == approx(promised(84 - 12), abs=0.03) and believed > promised(85)


def test_a_late_boom_cannot_be_told_from_a_failed_one_until_it_resumes():
    """The shipped scenarios, month by month: what is met and what is extrapolated part after month 48 + 36."""
    fails, comes = (resolve([f"scenario=revolution_{name}"]).sim.markets for name in ("fails", "late"))
    believed, met = [0.0, 0.0], []
    for month in range(87):
        due = tokens.growth(fails.tokens, (month + 1 - fails.tokens.growth_month) / 12, HALF_LIFE)
        for i, p in enumerate((fails, comes)):
            believed[i] = disappointment.extrapolated(p.disappointment, p.tokens, month, HALF_LIFE, believed[i], due)
        met.append([disappointment.met(p.disappointment, p.tokens, month, HALF_LIFE) for p in (fails, comes)])
        assert (believed[0] == believed[1]) == (month <= 84)
        assert (met[-1][0] == met[-1][1]) == (month <= 84)
    assert met[48] == [1.0, 1.0] and met[49][0] < 1.0


def test_frugal_software_takes_compute_at_first_and_gives_back_more():
    """The shipped scenario: never below half, below the promise for some years, 2^0.26 of it in the end."""
    p = resolve(["scenario=cheaper_compute"]).sim.markets
    met = [disappointment.met(p.disappointment, p.tokens, month, HALF_LIFE) for month in range(600)]
    assert set(met[:49]) == {1.0} and 0.5 < min(met) == met[60] < 0.7
    assert met[60:] == sorted(met[60:]) and met[-1] == approx(2.0**0.26, rel=1e-6)


def test_a_boom_cannot_stop_before_it_begins():
    with raises(Mistakes, match="delay_month 3 must not be before"):
        resolve(
            ["sim.markets.disappointment.delay=1", "sim.markets.disappointment.delay_month=3", "sim.markets.tokens.growth_month=4"]
        )


def test_what_users_cannot_pay_is_seen_to_be_missing_like_what_did_not_come():
    """A brake of 0.12 lowers what was seen by 0.12, and what is believed by a sixth of it; before that nothing."""
    p = late(12, memory=6)
    free, held = (disappointment.extrapolated(p, PATH, 40, HALF_LIFE, 0.5, 0.3, brake) for brake in (0.0, 0.12))
    assert free - held == approx(0.02)
    assert disappointment.extrapolated(p, PATH, 20, HALF_LIFE, 0.5, 0.3, 0.12) == 0.3
