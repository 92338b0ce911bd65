"""Arrows: live at gain 1, the reference at gain 0, and a run cut to its own path is the same run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx, fixture, mark, raises

from sim import references
from sim.arrows import ADDITIVE, ARROW_OF, ARROWS, Arrows
from sim.build import build
from sim.compose import resolve
from sim.mistakes import Mistakes

SMALL = ("size=class", "horizon_years=2", "sim.build.burn_in=6", "seed=5")
POSITIVE = st.floats(1e-3, 1e3)


def cut(*arrows: str, gain: float = 0.0) -> list[str]:
    """Overrides that set the gain of some arrows."""
    return [f"sim.arrows.{arrow.replace('>', '_')}.gain={gain}" for arrow in arrows]


def arrows(gain: float, reference: np.ndarray) -> Arrows:
    params = resolve(cut(*ARROWS, gain=gain)).sim.arrows
    return Arrows(params, {(signal, "us"): reference for signal in ARROW_OF})


def lived(economy):
    """The economy at the end of its horizon."""
    for _ in range(economy.months_total):
        economy.step()
    return economy


def record(economy) -> list:
    return [economy.recorder.table(name) for name in ("monthly", "tranches", "agents", "flows", "events", "deals")]


@fixture(scope="module")
def uncut():
    """A run that keeps its signals."""
    return lived(build(resolve(SMALL), recording=True))


# -- one signal --------------------------------------------------------------------------------------------------------


@mark.parametrize("signal", ARROW_OF)
def test_at_gain_one_the_live_signal_itself_arrives(signal):
    live = np.array([0.2, 0.7])
    assert arrows(1.0, np.array([9.0])).transmit(signal, "us", 3, live) is live


@mark.parametrize("signal", ARROW_OF)
def test_at_gain_zero_the_reference_arrives(signal):
    """A constant at every month; a path month by month."""
    assert arrows(0.0, np.array([0.4])).transmit(signal, "us", 3, 0.2) == 0.4
    assert arrows(0.0, np.array([0.1, 0.2, 0.3, 0.4])).transmit(signal, "us", 2, 9.0) == 0.3


@given(st.sampled_from(sorted(ARROW_OF)), POSITIVE, POSITIVE, st.floats(0.0, 1.0))
def test_gains_in_between_are_in_between(signal, live, reference, gain):
    """A half: (0.2 + 0.4) / 2 where signals add, sqrt(0.2 x 0.4) where they multiply."""
    arrived = arrows(gain, np.array([reference])).transmit(signal, "us", 0, live)
    assert min(live, reference) * (1 - 1e-9) <= arrived <= max(live, reference) * (1 + 1e-9)
    half = arrows(0.5, np.array([reference])).transmit(signal, "us", 0, live)
    assert half == approx((live + reference) / 2 if signal in ADDITIVE else (live * reference) ** 0.5, rel=1e-6)


def test_each_signal_belongs_to_one_arrow():
    assert len(ARROW_OF) == sum(len(signals) for signals in ARROWS.values()) and ADDITIVE.issubset(ARROW_OF)


# -- whole runs --------------------------------------------------------------------------------------------------------


def test_recording_changes_nothing(uncut):
    assert record(lived(build(resolve(SMALL)))) == record(uncut)


def test_every_signal_is_kept_every_month(uncut):
    """Signals of the world once a month, of regions once a month and region."""
    kept = references.signals(uncut)
    assert {signal for signal, _ in kept} == set(ARROW_OF)
    assert {len(path) for path in kept.values()} == {uncut.months_total}


@mark.parametrize(
    "names", [*((arrow,) for arrow in ARROWS), tuple(ARROWS)], ids=lambda names: names[0] if len(names) == 1 else "all"
)
def test_a_cut_arrow_fed_its_own_path_reproduces_the_run(uncut, names):
    """Bit for bit, in every table: nothing but the arrow's signals passes through it."""
    params = resolve([*SMALL, "sim.arrows.ref=path", *cut(*names)])
    assert record(lived(build(params, references.signals(uncut)))) == record(uncut)


@mark.parametrize("arrow", ARROWS)
def test_a_constant_in_place_of_an_arrow_changes_the_run(uncut, arrow):
    params = resolve([*SMALL, *cut(arrow)])
    fixed = references.constants([references.signals(uncut)], params.sim.build.burn_in)
    assert record(lived(build(params, fixed)))[0] != record(uncut)[0]


# -- stored references -------------------------------------------------------------------------------------------------


def test_a_stored_path_replays_the_run(uncut, tmp_path):
    root = f"outputs.root={tmp_path}"
    references.save_path(resolve([*SMALL, root]), references.signals(uncut))
    params = resolve([*SMALL, root, "sim.arrows.ref=path", "sim.arrows.path_seed=5", *cut(*ARROWS)])
    assert record(lived(build(params, references.load(params)))) == record(uncut)


def test_constants_and_ensembles_are_means_over_runs_agents_and_months(tmp_path):
    """Two runs of three months, the first burn-in: constants (2 + 3 + 4 + 5) / 4, the ensemble (1 + 3) / 2 first."""
    paths = [{("spread", "us"): np.array(path)} for path in ([1.0, 2.0, 3.0], [3.0, 4.0, 5.0])]
    assert references.constants(paths, 1)["spread", "us"].tolist() == [3.5]
    assert references.ensemble(paths)["spread", "us"].tolist() == [2.0, 3.0, 4.0]


@mark.parametrize(("ref", "file"), [("constant", "reference.json"), ("ensemble", "reference.json"), ("path", "path-seed7.npz")])
def test_a_missing_reference_is_an_error_that_names_the_way_out(tmp_path, ref, file):
    params = resolve([*cut("cobweb"), f"sim.arrows.ref={ref}", "sim.arrows.path_seed=7", f"outputs.root={tmp_path}"])
    with raises(references.NoReference, match=rf"(?s){file}.*python -m analysis reference baseline"):
        references.load(params)


@mark.parametrize("ref", ["constant", "ensemble", "path"])
def test_a_stale_reference_is_an_error_that_names_the_way_out(uncut, tmp_path, ref):
    """Made at one rent speed, asked for at another; at the same one and another gain it serves."""
    made = [*SMALL, f"outputs.root={tmp_path}"]
    references.save_means(resolve(made), [references.signals(uncut)], [5])
    references.save_path(resolve(made), references.signals(uncut))
    asked = [*made, f"sim.arrows.ref={ref}", "sim.arrows.path_seed=5", *cut("cobweb")]
    assert {signal for signal, _ in references.load(resolve(asked))} == set(ARROW_OF)
    with pytest.raises(references.NoReference, match=r"is stale\. Run `python -m analysis reference baseline`"):
        references.load(resolve([*asked, "sim.markets.compute.rent_speed=0.123"]))


def test_a_cut_to_a_reference_of_zero_arrives():
    """A world without growth has a frontier that stands still."""
    found = arrows(0.0, np.array([0.0]))
    assert found.transmit("frontier_growth", "us", 3, 0.0) == 0.0
    assert np.array_equal(found.transmit("depreciation_belief", "us", 3, np.array([0.1, 0.2])), np.zeros(2))


# -- a scripted pulse --------------------------------------------------------------------------------------------------

PULSE = ["sim.arrows.pulse.size=0.1", "sim.arrows.pulse.month=3", "sim.arrows.pulse.months=2"]


@mark.parametrize("signal, arrives", [("spread", 0.2 * np.exp(0.1)), ("loss_belief", 0.3), ("recovery_belief", 0.2 * np.exp(0.1))])
def test_a_pulse_moves_one_signal_in_its_months_only(signal, arrives):
    """Months 3 and 4 after two of burn-in: 5 and 6 by the clock; additive signals by the size, positive ones by its exponential."""
    found = Arrows(resolve([*PULSE, f"sim.arrows.pulse.signal={signal}"]).sim.arrows, {}, burn_in=2)
    assert [found.transmit(signal, "us", month, 0.2) for month in (4, 7)] == [0.2, 0.2]
    assert [found.transmit(signal, "us", month, 0.2) for month in (5, 6)] == [approx(arrives)] * 2
    assert found.transmit("half_life", "", 5, 0.2) == 0.2


def test_a_pulse_is_added_to_what_a_cut_arrow_transmits():
    params = resolve([*PULSE, *cut(*ARROWS), "sim.arrows.pulse.signal=spread"]).sim.arrows
    found = Arrows(params, {("spread", "us"): np.array([0.4])})
    assert found.transmit("spread", "us", 3, 9.0) == approx(0.4 * np.exp(0.1)) and found.transmit("spread", "us", 5, 9.0) == 0.4


def test_a_pulsed_share_stays_a_share():
    found = Arrows(resolve([*PULSE, "sim.arrows.pulse.signal=ration"]).sim.arrows, {})
    assert found.transmit("ration", "us", 3, 0.97) == 1.0


def test_a_branch_with_a_pulse_is_its_twin_until_the_pulse(uncut):
    """Forked after 10 months, pushed in recorded month 6: the price of that month is the first to differ."""
    economy = build(resolve(SMALL))
    for _ in range(10):
        economy.step()
    pulse = ["signal=spread", "size=0.2", "month=6", "months=1"]
    branch = economy.fork(resolve([*SMALL, *(f"sim.arrows.pulse.{line}" for line in pulse)]))
    for _ in range(4):
        branch.step()
    here, there = (e.recorder.table("monthly").to_pandas().query("region == 'us'").set_index("month") for e in (branch, uncut))
    assert here.loc[4:5].equals(there.loc[4:5]) and here.loc[6, "spread"] == approx(there.loc[6, "spread"] * np.exp(0.2))
    assert here.loc[6, "issuance"] == there.loc[6, "issuance"] and here.loc[6, "cost_of_capital"] > there.loc[6, "cost_of_capital"]


@mark.parametrize("line, words", [("signal=sprad", "is none of"), ("size=0.1", "needs a signal")])
def test_a_pulse_of_nothing_is_refused(line, words):
    with raises(Mistakes, match=words):
        resolve([f"sim.arrows.pulse.{line}"])
