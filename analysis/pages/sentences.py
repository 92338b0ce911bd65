"""The answer in five sentences, each from numbers of a table on the page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from analysis.decisions.differing import NONE, SMALL, UNSURE, ZERO
from analysis.decisions.quantities import Quantity
from analysis.pages.contrasts import Gap, mechanism_title, relative, sure
from analysis.pages.gather import HIGH, LOW, Gathered
from analysis.pages.words import counted, digits, listing, percent, place, times, usd

GROWTH: Final = (
    *("capital_raised", "spending", "compute", "months_to_money", "capital_securities"),
    *("share_of_users", "frontier_share"),
)
PRICE: Final = ("cost_of_capital", "coupon", "spread", "inference_price")
RISK: Final = (
    *("depth", "episodes", "loss_rate", "losses", "loss_senior", "contagion"),
    *("debt_to_ebitda", "investor_leverage", "peak_spread"),
)
LOSSES: Final = dict.fromkeys(("loss_rate", "losses", "loss_senior", "contagion"), "losses")  # told once
TOLD: Final = 3  # differences in a sentence
TENFOLD: Final = 10.0  # times the first regime: from there on a share of it says nothing
NAMED: Final = 4  # features that are named in one


class Sentence(NamedTuple):
    """A sentence and the table in which its numbers stand."""

    text: str
    table: str


def of_runs(side: Gathered) -> list[Sentence]:
    """One regime, over one run or many."""
    where = side.regions[0] if len(side.regions) == 1 else "world"
    return [
        Sentence(money(side, where), "t-quantities"),
        Sentence(swings(side, where), "t-quantities"),
        Sentence(terms(side), "t-quantities"),
        Sentence(lost(side, where), "t-quantities"),
        Sentence(compute(side, where), "t-quantities"),
    ]


def value(side: Gathered, key: str, where: str, shown: Callable[[float], str] = digits) -> str:
    """A quantity: its number in one run; median and range over many."""
    found = side.values.get((key, where), np.array([]))
    known = found[np.isfinite(found)]
    if not len(known):
        return "an unknown amount"
    if len(known) == 1:
        return shown(float(known[0]))
    low, high = np.percentile(known, (LOW, HIGH))
    return f"{shown(float(np.median(known)))} ({shown(low)} to {shown(high)})"


def middle(side: Gathered, key: str, where: str) -> float:
    """Median over runs; NaN where there is nothing."""
    found = side.values.get((key, where), np.array([]))
    known = found[np.isfinite(found)]
    return float(np.median(known)) if len(known) else np.nan


def money(side: Gathered, where: str) -> str:
    """How much is raised, and through whom."""
    parts = {
        "private credit": middle(side, "capital_private", where),
        "clouds' bonds": middle(side, "capital_bonds", where),
        "securities": middle(side, "capital_securities", where),
    }
    named = listing([f"{name} {usd(bn)}" for name, bn in parts.items() if bn > 0.0])
    text = f"Deals, bonds and outside equity raise {value(side, 'capital_raised', where, usd)} a year in {place(where)}"
    return f"{text}: {named} among them." if named else f"{text}."


def swings(side: Gathered, where: str) -> str:
    """Booms and busts."""
    number = middle(side, "episodes", where)
    often = times(number) if np.isfinite(number) else "never"
    falls = "never falls" if often == "never" else f"falls {often}"
    deepest = value(side, "depth", where)
    return f"Capital spending {falls} by 22 % or more, and at worst by {deepest} % of its peak, in {place(where)}."


def terms(side: Gathered) -> str:
    """What money costs, and how long it takes."""
    parts = [
        f"{value(side, 'cost_of_capital', at)} % a year with spreads of {value(side, 'spread', at)} bp, "
        f"{value(side, 'months_to_money', at)} months from plan to money, in {place(at)}"
        for at in side.regions
    ]
    return f"Capital costs {listing(parts)}."


def lost(side: Gathered, where: str) -> str:
    """What is lost, and by which classes."""
    total = middle(side, "losses", where)
    if not total > 0.0:
        found = side.values.get(("losses", where), np.array([]))
        some = int((found > 0.0).sum())
        losing = f"In {some} of {len(found)} runs principal is lost, at most {usd(float(np.nanmax(found)))}, in" if some else ""
        return f"{losing or 'No principal is lost in'} {place(where)}."
    senior, junior = middle(side, "loss_senior", where), middle(side, "loss_junior", where)
    part = percent(senior / (senior + junior)) if senior + junior > 0.0 else "an unknown part"
    rate = middle(side, "loss_rate", where)
    tiny = "less than 0.01 % of debt a year" if rate < 0.01 else f"{value(side, 'loss_rate', where)} % of debt a year"
    return (
        f"Holders lose {value(side, 'losses', where, usd)} of principal over the run, {tiny}; {part} of it falls on senior "
        "classes, among which loans of one class count."
    )


def compute(side: Gathered, where: str) -> str:
    """What is installed, how old it is, and what it costs to use."""
    parts = [f"{value(side, 'inference_price', at)} USD in {place(at)}" for at in side.regions]
    return (
        f"At the end {value(side, 'compute', where)} million H100-equivalents run, {value(side, 'old_compute', where)} % of "
        f"installed units are three years old or more, and inference costs {listing(parts)} a GPU-hour."
    )


def of_comparison(page: Mapping[str, Any], known: Mapping[str, Quantity]) -> list[Sentence]:
    """The first regime against the second, and a word on others."""
    first, against = page["scenarios"][0]["label"], page["against"][0]
    gaps = [gap for gap in against["differences"] if gap["word"] != NONE]
    table = f"t-differences-{against['label']}"
    if all(gap["word"] == ZERO for gap in gaps) and len(page["against"]) == 1:
        return the_same(page, first, against, table, len(gaps))
    found = [Sentence(verdict(page, first, against, gaps), table)]
    for name, keys in (("growth", GROWTH), ("the price of money and compute", PRICE), ("risk", RISK)):
        found.append(Sentence(topic(name, keys, gaps, against["label"], known), table))
    return [*found, by(page, against, known)]


def the_same(page: Mapping[str, Any], first: str, against: Mapping[str, Any], table: str, number: int) -> list[Sentence]:
    """What to say of regimes that live alike: they are one, or what they differ in never acts."""
    second, seeds = against["label"], len(page["seeds"])
    features = [each["name"] for each in against["switched"]["features"]]
    alike = "The two have the same values for all parameters, so they are the same world lived twice."
    why = f"The two differ in {listing(features)}, which never acts in these runs." if features else alike
    moral = (
        "A longer run, another size or more seeds may bring it into play."
        if features
        else ("A difference on such a page would be a fault of the model, not a finding.")
    )
    return [
        Sentence(f"Every difference between {first} and {second} is zero, to the last bit.", table),
        Sentence(f"That holds for all {number} comparisons of a quantity in a region, in each of {counted(seeds, 'seed')}.", table),
        Sentence(why, f"mechanism-{second}"),
        Sentence(moral, f"mechanism-{second}"),
        Sentence("The figures below show that world once.", "t-issuance"),
    ]


def verdict(page: Mapping[str, Any], first: str, against: Mapping[str, Any], gaps: Sequence[Gap]) -> str:
    """How much can be said at all."""
    small, unsure = (sum(gap["word"] == word for gap in gaps) for word in (SMALL, UNSURE))
    zero = sum(gap["word"] == ZERO for gap in gaps)
    parts = [f"{len(sure(gaps))} of {len(gaps)} comparisons show a sure difference"]
    parts += [f"{small} one too small to matter"] * bool(small) + [f"{zero} none at all"] * bool(zero)
    parts += [f"{unsure} cannot tell"] * bool(unsure)
    return f"Over {counted(len(page['seeds']), 'paired seed')}, {against['label']} against {first}: {listing(parts)}."


def topic(name: str, keys: Sequence[str], gaps: Sequence[Gap], second: str, known: Mapping[str, Quantity]) -> str:
    """The largest sure differences of a topic, in all regions; else what cannot be told."""
    mine = [gap for gap in gaps if gap["quantity"] in keys]
    found = [gap for gap in sure(mine) if np.isfinite(relative(gap))]
    if any(gap["region"] != "world" for gap in found):
        found = [gap for gap in found if gap["region"] != "world"]
    found.sort(key=lambda gap: -abs(relative(gap)))
    largest: dict[str, Gap] = {}
    for gap in found:
        key = str(gap["quantity"])
        largest.setdefault(LOSSES.get(key, key), gap)
    picked = list(largest.values())[:TOLD]
    if not picked:
        unsure = [gap for gap in mine if gap["word"] == UNSURE]
        needed = [gap["needed"] for gap in unsure if gap["needed"]]
        more = f"; {min(needed)} seeds would settle the first of them" if needed else ""
        return f"On {name}, no difference is sure: {len(unsure)} of {len(mine)} comparisons cannot tell{more}."
    return f"{name[0].upper()}{name[1:]} under {second}: {'; '.join(change(gap, known) for gap in picked)}."


def change(gap: Gap, known: Mapping[str, Quantity]) -> str:
    """One difference in words: the share where it is of a level, and the size."""
    quantity = known[gap["quantity"]]
    way = "up" if gap["difference"] > 0.0 else "down"
    share = abs(relative(gap))
    part = f" ({percent(share) if share < TENFOLD else 'from next to nothing'})"
    part = "" if quantity.unit.startswith("%") else part
    return f"{quantity.says.partition(' (')[0]} {way} by {amount(quantity, abs(gap['difference']))}{part} in {place(gap['region'])}"


def amount(quantity: Quantity, size: float) -> str:
    """A size with its unit, as a sentence has it."""
    unit = quantity.unit.partition(" (")[0]
    if unit.startswith("USD bn"):
        return usd(size) + unit.removeprefix("USD bn")
    if unit.startswith("%"):
        return f"{digits(size)} points{unit[1:]}"
    unit = "months" if unit == "month" else unit
    return digits(size) + ("" if unit == "1" else f" {unit}")


def by(page: Mapping[str, Any], against: Mapping[str, Any], known: Mapping[str, Quantity]) -> Sentence:
    """The mechanism, as far as it was looked for."""
    switched = against["switched"]
    features = [each["name"] for each in switched["features"]]
    anchor = f"t-mechanism-{against['label']}" if against["parts"] else f"mechanism-{against['label']}"
    said = mechanism_title(against["parts"], known) if against["parts"] else ""
    if said:
        return Sentence(f"{said}.", anchor)
    if len(features) == 1:
        return Sentence(f"The two differ in one feature only, {features[0]}, so all of this comes by it.", anchor)
    if against["parts"]:
        return Sentence("No single feature makes up half of a sure difference: they work together.", anchor)
    named = f": {listing(features)}" if 0 < len(features) <= NAMED else ""
    why = switched["why"].rstrip(".") or "None was switched alone"
    return Sentence(f"They differ in {counted(len(features), 'feature')}{named}. {why}.", anchor)
