"""Random deals over every mode, and how far a paid deal is from the exact one."""

import random
from fractions import Fraction

import numpy as np

from sim.deal import pay, records, table
from sim.deal_reader import check
from tests.oracle import Unwieldy, run

MODES = ("sequential", "pro_rata", "interest_only", "scheduled")
FLAGS = ("trapped", "turbo", "ltv_sweep", "in_default")
RATES = ("fee_rate", "subordinated_fee_rate", "reserve_rate", "facility_rate")
AGAIN = ("opening_pool", "debt_service", "principal_due")  # columns the oracle does not report, and prefixes of such columns
AGAIN_BY_CLASS = ("opening_", "coupon_", "accrued_")


def share(rng, most, parts=200):
    """A round fraction between 0 and ``most``."""
    return Fraction(rng.randint(0, int(most * parts)), parts)


def random_notes(rng, mode, periods, most):
    """Some classes; ranks rise, repeat, and are sometimes listed out of order."""
    ranks = [1]
    while len(ranks) < rng.choice([1, 2, 2, 3, 3, 4, most]):
        ranks.append(ranks[-1] + (rng.random() < 0.75))
    if rng.random() < 0.1:
        rng.shuffle(ranks)
    notes = []
    for k, rank in enumerate(ranks):
        balance = rng.choice([0, *range(40, 800, 20)]) if k else rng.randrange(40, 800)
        note = {"name": f"N{k}", "balance": balance, "coupon": share(rng, 0.12, 400), "rank": rank}
        note |= {"interest_on_interest": rng.choice([1, 1, 0, Fraction(3, 2)]), "pik": rng.random() < 0.2}
        note |= {"ard_margin": rng.choice([0, Fraction(1, 20)])}
        if mode == "scheduled" and rng.random() < 0.85:
            first = rng.randrange(periods)
            steps = max(1, rng.randint(first + 1, periods) - first)
            left = [max(0, 1 - Fraction(max(0, t - first), steps)) for t in range(periods + 1)]
            note["target_balance"] = [balance * part for part in left]
        notes.append(note)
    return notes


def random_deal(seed, mode, extended=False, most=4):
    """A deal file of plain values; ``extended`` adds terms that only the project's own oracle knows."""
    rng = random.Random(f"{seed} {mode} {extended}")
    periods = rng.randint(2, 20)
    notes = random_notes(rng, mode, periods, most)
    size = sum(note["balance"] for note in notes)
    stress = rng.choice([0, 0, 1, 2])
    deal = {"period_years": rng.choice([Fraction(1, 12), Fraction(1, 4)]), "notes": notes, "mode": mode}
    deal |= {"pool_at_closing": size * (Fraction(4, 5) + share(rng, 0.8, 100))}

    def sometimes(chance, name, value):
        if rng.random() < chance:
            deal[name] = value() if callable(value) else value

    def every(value):
        return [value() for _ in range(periods)]

    if rng.random() < (0.7 if mode in MODES[2:] else 0.25):
        base = size * rng.choice([Fraction(1, 100), Fraction(3, 100), Fraction(1, 10)])
        least = 0 if stress else 60
        deal["revenue"] = every(lambda: base * rng.randint(least, 140) / 100 * (stress < 2 or rng.random() < 0.7))
    else:
        deal["pool_yield"] = every(lambda: share(rng, 0.2) / (1 + stress))
    sometimes(0.9, "default_rate", lambda: every(lambda: share(rng, 0.02 + 0.1 * stress * (rng.random() < 0.3), 500)))
    sometimes(0.4, "amortisation_rate", lambda: [Fraction(1, periods - t) for t in range(periods)])
    sometimes(0.4, "amortisation_rate", lambda: every(lambda: share(rng, 0.15)))
    sometimes(0.8, "recovery_rate", lambda: share(rng, 1, 20))
    sometimes(0.8, "recovery_lag", lambda: rng.randint(0, 6))
    for name, rate in (("fee_fixed", 0.01), ("fee_cap", 0.01), ("reserve_at_closing", 0.06), ("facility_limit", 0.05)):
        sometimes(0.4, name, lambda rate=rate: size * share(rng, rate, 1000))
    for name, most_rate in zip(RATES, (0.02, 0.02, 0.04, 0.1), strict=True):
        sometimes(0.5, name, lambda most_rate=most_rate: share(rng, most_rate, 1000))
    kinds = {"fixed": size * share(rng, 0.05), "share_of_notes": share(rng, 0.05)}
    kinds["months_of_interest"] = rng.randint(0, 9)
    sometimes(0.6, "reserve_target", lambda: list(rng.choice(list(kinds.items()))))
    for name in ("reserve_covers_rank", "facility_covers_rank"):
        sometimes(0.5, name, lambda: rng.choice([-1, 0, 1, 2, 3]))
    sometimes(0.3, "sweep_share", lambda: rng.choice([Fraction(1, 2), 1, Fraction(3, 10)]))
    sometimes(0.3, "ard", lambda: rng.randint(0, periods))
    sometimes(0.5, "dscr_trap", lambda: rng.choice([1, Fraction(5, 4), Fraction(3, 2), 2]))
    sometimes(0.3, "dscr_rapid", lambda: rng.choice([Fraction(9, 10), 1, Fraction(1, 2)]))
    deal |= {"dscr_window": rng.randint(1, 4), "cure_periods": rng.randint(1, 3)}
    deal |= {"trap_share": rng.choice([1, Fraction(1, 2)])}
    ranks = [str(rank) for rank in sorted({note["rank"] for note in notes}) if rng.random() < 0.7]
    sometimes(0.35, "oc_triggers", lambda: {rank: rng.choice([1, Fraction(11, 10), Fraction(3, 2)]) for rank in ranks})
    sometimes(0.5, "switch_default_share", lambda: share(rng, 0.1, 100))
    sometimes(0.3, "writes_down", True)
    sometimes(0.3, "revolving_end", lambda: rng.randint(1, periods))
    sometimes(0.3, "purchase_price", lambda: rng.choice([Fraction(97, 100), Fraction(103, 100)]))
    sometimes(0.2, "early_amortisation_default", lambda: share(rng, 0.05))
    if extended:
        extend(rng, deal, periods, size, sometimes, every)
    return {"periods": periods, "deal": deal}


def extend(rng, deal, periods, size, sometimes, every):
    """Floating coupons, LTV, guarantee, event of default, cash that is not revenue."""
    deal["index"] = every(lambda: share(rng, 0.06, 400))
    for note in deal["notes"]:
        note |= {"floating": rng.random() < 0.4, "margin": share(rng, 0.05, 400), "floor": share(rng, 0.03, 400)}
    deal["appraisal"] = every(lambda: size * (Fraction(1, 2) + share(rng, 1, 100)))
    deal["market_value"] = every(lambda: size * share(rng, 1.2, 100))
    sometimes(0.5, "ltv_trigger", lambda: rng.choice([Fraction(7, 10), 1]))
    sometimes(0.5, "default_periods", lambda: rng.randint(1, 3))
    sometimes(0.4, "legal_final", lambda: rng.randint(deal.get("ard", 1) or 1, periods))
    deal["liquidation_lag"] = rng.randint(1, 4)
    sometimes(0.5, "guarantee_strike", lambda: size * share(rng, 1, 20))
    sometimes(0.3, "guarantee_cap", lambda: size * share(rng, 0.5, 20))
    sometimes(0.2, "guarantor_fails", lambda: rng.randint(1, periods))
    sometimes(0.3, "other_cash", lambda: every(lambda: size * share(rng, 0.02, 1000)))
    sometimes(0.3, "principal_cash", lambda: every(lambda: size * share(rng, 0.1, 100) * (rng.random() < 0.3)))
    sometimes(0.2, "disposal", lambda: every(lambda: None if rng.random() < 0.9 else size * share(rng, 1, 20)))
    sometimes(0.3, "recovery_price", lambda: every(lambda: share(rng, 1, 20)))


def written(value):
    """Plain values as a file would hold them: fractions become text."""
    if isinstance(value, dict):
        return {key: written(below) for key, below in value.items()}
    if isinstance(value, list):
        return [written(below) for below in value]
    return str(value) if isinstance(value, Fraction) else value


def paid(file):
    """The period table of plain values, by column, as arrays."""
    deal = check(written(file))
    return {column: np.array(values) for column, values in table(deal, pay(deal)).items()}


def distance(file, rows, found):
    """Largest difference in cash over the original notes, largest relative one in average DSCR, wrong flags."""
    size = float(sum(Fraction(note["balance"]) for note in file["deal"]["notes"]))
    cash, ratio, flags = 0.0, 0.0, 0
    for column, values in found.items():
        if column in AGAIN or column.startswith(AGAIN_BY_CLASS):
            continue
        for row, value in zip(rows, values, strict=True):
            gap = abs(float(row[column]) - value)
            if column in FLAGS:
                flags += gap > 0
            elif column == "dscr_average":
                ratio = max(ratio, gap / (abs(float(row[column])) or 1.0))
            else:
                cash = max(cash, gap / size)
    return cash, ratio, flags


def compare(file):
    """``distance`` of the compiled deal from the oracle; None after a close call or with unwieldy numbers."""
    try:
        rows, close = run(file)
    except Unwieldy:
        return None
    return None if close else distance(file, rows, paid(file))


def paid_by(rules, file):
    """The period table of plain values, paid by a module of payment rules that Python runs."""
    deal = check(written(file))
    found = records(deal)
    row = np.zeros(1, dtype=np.int64)
    terms, state, period, payment = (part.view(np.recarray) for part in found[1:])
    for t in range(deal.periods):
        rules.pay_book(row, terms, state, period[t : t + 1], payment[t : t + 1])
    return {column: np.array(values) for column, values in table(deal, found).items()}
