"""From what is stored to statements: the protocol of docs/evidence.md, point by point."""

import numpy as np
import pandas as pd

from analysis.experiments.jobs import LEAD, Branch
from analysis.experiments.spec import ArrowTest, Wire
from analysis.loop.plan import Plan, branches, closed, direct, opened, total
from analysis.loop.reading import Rows, response, scale, together, untouched
from analysis.loop.statements import Statement, told, untold
from analysis.statistics import gains
from analysis.statistics.intervals import Claim, Interval, Word, bootstrap, by_seed, mean
from analysis.statistics.presence import chance

Tables = dict[str, pd.DataFrame]
LATE = (24, 60)  # months over which closed loop and prediction are compared
TIE = 1e-6


def gain_statements(plan: Plan, tables: Tables) -> tuple[list[Statement], dict[str, np.ndarray]]:
    """Open-loop gain at each wire: whether anything comes back, the two legs, and what the closed loop does.

    Returns
    -------
    statements, and G of every wire by seed and month
    """
    found: list[Statement] = []
    known: dict[str, np.ndarray] = {}
    rows = []
    for wire in plan.spec.wires:
        name, part = f"gain {wire.signal}", "Loop gain at open wires"
        says = f"Of a lasting push of {wire.words} something comes back."
        steps = response(plan, opened(wire, wire.size), opened(wire, -wire.size), f"signal {wire.signal}", 2.0 * wire.size)
        if not steps.enough:
            found += [untold(name, part, says), *(untold(f"{leg} {wire.signal}", part, text) for leg, text in legs(wire))]
            continue
        gain = gains.gain(steps.values, steps.seeds)
        known[wire.signal] = by_seed(steps.values, steps.seeds)
        rows.append(gain.table().assign(signal=wire.signal, chance=gain.chance, lag=float(gain.lag.estimate)))
        found += [presence(name, part, says, gain, steps, wire), *leg_statements(wire, gain)]
        found += closing(plan, wire, steps)
    if rows:
        tables["gains"] = pd.concat(rows, ignore_index=True)
    return found, known


def legs(wire: Wire) -> tuple[tuple[str, str], tuple[str, str]]:
    """The two claims about a wire."""
    return (
        ("leg", f"Within a year what comes back to {wire.words} reinforces the push."),
        ("reversal", f"From two to five years on what comes back to {wire.words} opposes it."),
    )


def presence(name: str, part: str, says: str, gain: gains.Gain, steps: Rows, wire: Wire) -> Statement:
    """Whether anything comes back, in months not chosen before looking; the number is G at the last horizon."""
    word: Word = "holds" if gain.exists else "does not hold" if not steps.values.any() else "cannot tell"
    note = f"chance of as much without a loop {gain.chance:.2g}; G after {gain.horizons[-1]} months"
    note += f"; largest after {float(gain.lag.estimate):.0f}" if gain.exists else ""
    return told(name, part, says, gain.steps.at(len(gain.horizons) - 1), None, scale(wire.signal), note, word)


def leg_statements(wire: Wire, gain: gains.Gain) -> list[Statement]:
    """Reinforcing leg and reversal; where nothing is known to come back, neither can be told to hold."""
    (leg, first), (reversal, second) = legs(wire)
    part, unit = "Loop gain at open wires", scale(wire.signal)
    words = [word if gain.exists or word != "holds" else "cannot tell" for word in (gain.reinforces(), gain.reverses())]
    return [
        told(f"{leg} {wire.signal}", part, first, gain.leg, None, unit, "mean of G, months 1 to 12", words[0]),
        told(f"{reversal} {wire.signal}", part, second, gain.reversal, None, unit, "mean of G, months 24 to 60", words[1]),
    ]


def closing(plan: Plan, wire: Wire, steps: Rows) -> list[Statement]:
    """What the wire carries after a lasting push with the loop closed, beside what a linear loop of this gain predicts."""
    found = response(plan, closed(wire), Branch(), f"signal {wire.signal}", wire.size)
    if not found.enough:
        return []
    carried = by_seed(1.0 + found.values, found.seeds)[:, LATE[0] : LATE[1] + 1].mean(axis=1)
    predicted = float(gains.closed_path(by_seed(steps.values, steps.seeds).mean(axis=0))[LATE[0] : LATE[1] + 1].mean())
    measured = bootstrap(mean, carried[:, None]).at(0)
    agrees = bool(measured.low - TIE <= predicted <= measured.high + TIE)
    note = f"a linear loop of this gain predicts {predicted:.3g}: {'inside' if agrees else 'outside'} the interval"
    says = f"Carried by the closed loop per unit pushed into {wire.words}, months {LATE[0]} to {LATE[1]}."
    return [told(f"closed {wire.signal}", "Loop gain at open wires", says, measured, None, scale(wire.signal), note)]


def arrow_statements(plan: Plan, tables: Tables) -> list[Statement]:
    """Every arrow by a pulse of its source: direct with all others replayed, and total."""
    found, rows = [], []
    for how, make in (("direct", direct), ("total", total)):
        for test in plan.spec.arrows:
            push = plan.spec.push
            up, down = make(plan.spec, test, push), make(plan.spec, test, -push)
            seen = response(plan, up, down, f"signal {test.target}", 2.0 * push)
            statement, path = pulse_statement(test, how, seen)
            found.append(statement)
            if path is not None:
                rows.append(path.assign(source=test.source, target=test.target, effect=how))
    if rows:
        tables["arrows"] = pd.concat(rows, ignore_index=True)
    return found + dose_statements(plan)


def pulse_statement(test: ArrowTest, how: str, seen: Rows) -> tuple[Statement, pd.DataFrame | None]:
    """Sign, presence and lag of one effect, and its path."""
    name, part = f"{how} {test.name}", f"Arrows by pulses, {how} effect"
    if not seen.enough:
        return untold(name, part, test.says), None
    first, last = test.window
    by = by_seed(seen.values, seen.seeds)
    path = bootstrap(mean, by)
    size = bootstrap(mean, by[:, first : last + 1].mean(axis=1)[:, None]).at(0)
    alone, late = chance(by), gains.lag(by.mean(axis=0), 1)
    word = Claim("above" if test.sign > 0 else "below").word(size)
    if word == "holds" and alone > 1.0 - path.level:
        word = "cannot tell"
    note = f"mean of months {first} to {last}; chance of as much without an arrow {alone:.2g}"
    note += f"; largest after {float(late[0]):.0f} months" if alone <= 1.0 - path.level else ""
    return told(name, part, test.says, size, None, scale(test.source), note, word), path.frame(month=np.arange(by.shape[1]))


def dose_statements(plan: Plan) -> list[Statement]:
    """A larger push has a larger effect; the ratio says how far from proportional."""
    found, part = [], "Dose and response"
    for test in plan.spec.arrows:
        name, more = f"dose {test.name}", f"{plan.spec.dose:g} times as large"
        says = f"A push of {test.source} that is {more} moves {test.target} more."
        first, last = test.window
        dates, large, small = plan.dates[: plan.spec.dose_dates], plan.spec.dose * plan.spec.push, plan.spec.push
        both = [
            response(plan, total(plan.spec, test, size), total(plan.spec, test, -size), f"signal {test.target}", 2.0, dates)
            for size in (large, small)
        ]
        if not all(one.enough for one in both) or not np.array_equal(both[0].seeds, both[1].seeds):
            found.append(untold(name, part, says))
            continue
        moved = [by_seed(one.values, one.seeds)[:, first : last + 1].mean(axis=1) for one in both]
        further = bootstrap(mean, (test.sign * (moved[0] - moved[1]))[:, None]).at(0)
        times = f"{moved[0].mean() / moved[1].mean():.2g}" if moved[1].any() else "none"
        note = f"proportional would be {plan.spec.dose:g} times; it is {times}"
        found.append(told(name, part, says, further, Claim("above"), "in the target's unit", note))
    return found


def zero_statements(plan: Plan) -> list[Statement]:
    """Before a push, and before the shortest path can have reached a column, every bit is the same."""
    part = "Structural zeros"
    seen = untouched(plan, branches(plan.spec))
    says = "Until a push nothing differs from the twin to which nothing is done."
    if not seen:
        return [untold("zero before", part, says)]
    early = sum(month < 0 for _, columns in seen for month in columns.values())
    found = [Statement("zero before", part, says, "holds" if not early else "does not hold", float(early), unit="columns differ")]
    for zero in plan.spec.zeros if plan.world.toy is None else ():
        months = [columns[zero.column] for one, columns in seen if one.signal == zero.signal and zero.column in columns]
        if not months:
            continue
        broken, text = sum(month < zero.months for month in months), f"{zero.months} month{'s' * (zero.months > 1)}"
        says = f"A push of {zero.signal} leaves {zero.column} as it is for {text}: {zero.because}."
        name, word = f"zero {zero.signal} {zero.column}", "holds" if not broken else "does not hold"
        note = f"of {len(months)} branches; first change after {min(months)} months"
        found.append(Statement(name, part, says, word, float(broken), unit="branches differ", note=note))
    return found


def state_statements(plan: Plan, tables: Tables) -> list[Statement]:
    """How much more a push moves spending with all arrows live than with all others replayed, by the state it finds."""
    test, push, part = plan.spec.arrows[0], plan.spec.push, "Where the loop amplifies"
    parts = {"leverage": "debt over a year's earnings", "boom": "age of the boom"}
    what = [make(plan.spec, test, sign * push) for make in (total, direct) for sign in (1, -1)]
    found, seeds, _ = together(plan, (*what, Branch()))
    statements = []
    for name, words in parts.items():
        says = f"The loop amplifies a push of {test.source} more in the upper than in the lower third by {words}."
        if len(np.unique(seeds)) < 6 or len(found) < 4 * len(np.unique(seeds)):
            statements.append(untold(f"state {name}", part, says, "needs several dates a seed"))
            continue
        state = np.array([float(row[-1][name]) for row in found])
        third = np.searchsorted(np.quantile(state, (1 / 3, 2 / 3)), state, "right")
        moved = [np.log(spending(row[0], row[1]) / spending(row[2], row[3])) for row in found]
        by = thirds(np.array(moved), third, seeds)
        if by is None:
            statements.append(untold(f"state {name}", part, says, "all histories are in one state"))
            continue
        times, note = by.through(np.exp), "upper over lower third"
        tables[f"state_{name}"] = times.frame(third=["lower", "middle", "upper", note])
        statements.append(told(f"state {name}", part, says, times.at(3), Claim("above", 1.0), "times", note))
    return statements


def spending(up: dict[str, np.ndarray], down: dict[str, np.ndarray]) -> float:
    """Root mean square over months of what a push does to the log of capital spending."""
    moved = np.log(up["outcome capex"][LEAD:]) - np.log(down["outcome capex"][LEAD:])
    return float(max(np.sqrt((moved**2).mean()), 1e-12))


def thirds(values: np.ndarray, third: np.ndarray, seeds: np.ndarray) -> Interval | None:
    """Means of logs by third, and upper less lower, whole seeds drawn together; None where a third is empty."""
    if len(np.unique(third)) < 3:
        return None
    names, group = np.unique(seeds, return_inverse=True)
    sums, counts = np.zeros((len(names), 3)), np.zeros((len(names), 3))
    np.add.at(sums, (group, third), values)
    np.add.at(counts, (group, third), 1.0)

    def statistic(sample: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            means = sample[..., :3].sum(axis=-2) / sample[..., 3:].sum(axis=-2)
        return np.concatenate([means, means[..., 2:] - means[..., :1]], axis=-1)

    return bootstrap(statistic, np.concatenate([sums, counts], axis=1), method="percentile")
