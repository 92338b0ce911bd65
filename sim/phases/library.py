"""Where the economy's deals get their terms: one file of the deal library for each channel of each region.

The economy's deals earn rents of units, not yields of receivables. Whatever a template's mode, its principal becomes a
schedule: the balances it aims at, or what the run-off of its pool would leave of its notes once it has ceased to revolve.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sim.books.channels import LIBRARY, Channel, menu
from sim.books.deals import RECORDS
from sim.books.templates import Library, Template, amortise_straight, by_rank, roll_over
from sim.deal_reader import BadDeal, read
from sim.deal_records import Records, records
from sim.kernels.clauses import FIXED, INTEREST_ONLY, MONTHS_OF_INTEREST, PRO_RATA, SCHEDULED
from sim.kernels.layouts import WINDOW
from sim.markets.parts import SITE
from sim.units import MONTHS

# Terms that are free of scale, and those that count periods. No party of the economy lends a liquidity facility or pays interest
# on a deal's accounts, and what is guaranteed is the channel's matter: these terms stay at none.
SAME = (
    *("fee_rate", "subordinated_fee_rate", "reserve_target_kind", "sweep_share", "writes_down"),
    *("dscr_trap", "dscr_rapid", "trap_share", "ltv_trigger"),
)
COUNTED = ("dscr_window", "cure_periods", "default_periods", "liquidation_lag")
OF_CLASS = ("interest_on_interest", "pik", "ard_margin", "oc_trigger")


class Form(NamedTuple):
    """A deal file as the economy sees it: its classes in two groups, months instead of periods."""

    name: str
    deal: Records
    step: int  # months a period
    senior: np.ndarray  # classes of all ranks but the last, or all when there is one rank
    junior: np.ndarray  # classes of the last rank

    @property
    def groups(self) -> list[np.ndarray]:
        """Classes of each of the economy's two classes; where there is no junior one the senior stands in."""
        return [self.senior, self.junior if len(self.junior) else self.senior]

    def term(self, name: str) -> Any:
        """A term of the whole deal."""
        return self.deal.terms[name][0]

    def owed(self, classes: np.ndarray) -> float:
        """Notes of some classes at closing, USD."""
        return float(self.deal.terms["notional"][0, classes].sum())


def read_library(params: Any, regions: Sequence[str]) -> Library:
    """The templates of every region and channel, and of the deals that refinance them.

    Raises
    ------
    BadDeal
        A file has mistakes, or the economy cannot pay it month by month.
    """
    p, build = params.sim.books.deals, params.agents.operators.build
    life = params.sim.markets.compute.service_life - build
    menus = [menu(params, region) for region in regions]
    length = max(life, p.refinancing_tenor) + 1
    found = [channel_template(channel, life, length) for of in menus for channel in of]
    backed = [
        params.sim.markets.parts.backing(region, channel) for region, of in zip(regions, menus, strict=True) for channel in of
    ]
    again = [
        roll_over(t, p.refinancing_tenor) if by == SITE else amortise_straight(t, p.refinancing_tenor, p.refinancing_senior)
        for t, by in zip(found, backed, strict=True)
    ]
    return Library([*found, *again], first=np.cumsum([0, *map(len, menus)])[:-1].tolist())


def channel_template(channel: Channel, life: int, length: int) -> Template:
    """The template of a channel: a take-out's units have run for a while; a tenor of its own replaces the file's schedule."""
    left = life - channel.seasoning - channel.closing if channel.use == "take_out" else life
    template = read_template(channel.template, left, length)
    if channel.tenor > 0:
        template = amortise_straight(template, min(channel.tenor, left), channel.most_senior / channel.most)
    template.terms["guarantee_strike"] = channel.guarantee
    return template._replace(follows=channel.follows, premium=channel.premium)


def read_template(name: str, life: int, length: int) -> Template:
    """A template by its name in the library.

    Parameters
    ----------
    life : months from delivery to the end of the units, which no note outlives
    length : months of the schedules
    """
    deal = records(read(LIBRARY / f"{name}.yaml"))
    months = float(deal.terms["period_years"][0]) * MONTHS
    if round(months) < 1 or abs(months - round(months)) > 1e-6:
        raise BadDeal(f"{name}: period_years = {months / MONTHS:g}: the economy pays by the month. Give 1/12, 1/4, 1/2 or 1.")
    rank = deal.terms["rank"][0, : deal.terms["classes"][0]]
    last = (rank == rank.max()) & (rank.min() < rank.max())
    form = Form(name, deal, round(months), np.flatnonzero(~last), np.flatnonzero(last))
    if form.owed(form.senior) <= 0.0:
        raise BadDeal(f"{name}: no class above the last has a balance. Give one above 0 USD.")
    return template(form, life, length)


def template(form: Form, life: int, length: int) -> Template:
    """Scale-free terms and schedules of a deal file."""
    terms, target = scale_free(form), schedule(form, length)
    repaid = np.flatnonzero(target.sum(axis=1) <= 0.0)
    ends = int(repaid[0]) if len(repaid) else life
    final, ard = min(form.term("legal_final") * form.step or ends, life), form.term("ard") * form.step
    terms["ard"], terms["legal_final"] = min(ard, life) if ard >= 0 else -1, final
    target[final:] = 0.0
    sold = np.flatnonzero(~np.isnan(form.deal.period["disposal"])) + 1
    planned = [ard if ard > 0 else ends, *(sold[:1] * form.step)]  # repaid by a refinancing, as at the ARD
    due = int(min(*planned, final))
    left = target.copy()
    left[due:] = 0.0
    return Template(form.name, 2 if len(form.junior) else 1, terms, funded(form), due, target, left)


def scale_free(form: Form) -> np.ndarray:
    """Terms (1,): amounts of the pool or the notes as shares of them, periods in months."""
    terms, notes = RECORDS.blank("terms", 1), form.owed(np.arange(form.term("classes")))
    for name in SAME:
        terms[name] = form.term(name)
    for name in COUNTED:
        terms[name] = form.term(name) * form.step
    terms["mode"], terms["rank"] = SCHEDULED, [1, 2]
    terms["dscr_window"] = min(terms["dscr_window"][0], WINDOW)
    for name in ("fee_fixed", "fee_cap"):
        terms[name] = form.term(name) / form.step / (form.term("pool_at_closing") or notes)
    terms["reserve_target"] = form.term("reserve_target") / (notes if form.term("reserve_target_kind") == FIXED else 1.0)
    covers, last = form.term("reserve_covers_rank"), form.deal.terms["rank"][0].max()
    terms["reserve_covers_rank"] = covers if covers <= 0 else 1 + (covers >= last)
    for k, classes in enumerate(form.groups):
        largest = classes[np.argmax(form.deal.terms["notional"][0, classes])]
        for name in OF_CLASS:
            terms[name][0, k] = form.deal.terms[name][0, largest]
    return terms


def funded(form: Form) -> float:
    """Share of the reserve's target that is there at closing, at most all."""
    terms, notes = form.deal.terms[0], form.deal.terms["notional"][0]
    target, kind = float(terms["reserve_target"]), terms["reserve_target_kind"]
    if kind == MONTHS_OF_INTEREST:
        index = form.deal.period["index"][0] + terms["margin"]
        target *= float((np.where(terms["floating"] > 0, index, terms["coupon"]) * notes).sum()) / MONTHS
    elif kind != FIXED:
        target *= float(notes.sum())
    return min(float(form.deal.state["reserve"][0]) / target, 1.0) if target > 0.0 else 0.0


def schedule(form: Form, length: int) -> np.ndarray:
    """Share of each class (t, 2) that is left when tenants pay and nobody sweeps."""
    mode = form.term("mode")
    if mode == SCHEDULED:
        return aimed_at(form, length)
    left = np.ones(length) if mode == INTEREST_ONLY else covered(form, length)
    if mode == PRO_RATA:
        return np.repeat(left[:, None], 2, axis=1)
    return by_rank(left, form.owed(form.senior) / form.owed(np.arange(form.term("classes"))))


def aimed_at(form: Form, length: int) -> np.ndarray:
    """The schedule of the file; a class without one is due at the legal final."""
    notes, targets = form.deal.terms["notional"][0], form.deal.period["target"]
    path = np.vstack([notes, np.where(np.isnan(targets), notes, targets)])
    ends, months = np.arange(len(path)) * form.step, np.arange(length)
    share = [path[:, classes].sum(axis=1) / max(form.owed(classes), 1.0) for classes in form.groups]
    return np.stack([np.interp(months, ends, values) for values in share], axis=1)


def covered(form: Form, length: int) -> np.ndarray:
    """Notes (t,) less what the pool repays after its revolving period, as a share of the notes."""
    rates = 1.0 - (1.0 - form.deal.period["amortisation_rate"]) ** (1.0 / form.step)
    rates = np.concatenate([np.repeat(rates, form.step), np.full(length, rates[-1])])[: length - 1]
    rates[: form.term("revolving_end") * form.step] = 0.0
    pool = np.concatenate([[1.0], np.cumprod(1.0 - rates)])
    notes = form.owed(np.arange(form.term("classes")))
    return np.maximum(1.0 - (1.0 - pool) * form.term("pool_at_closing") / notes, 0.0)
