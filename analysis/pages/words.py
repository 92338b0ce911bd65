"""Words for what tables abbreviate, and numbers as a reader sees them."""

from typing import Final

import numpy as np

REGIONS: Final = {"us": "United States", "china": "China", "world": "World"}
CHANNELS: Final = {  # channel of the deals -> group on the page, the largest first
    "private": "private credit",
    "bank": "banks",
    "policy_bank": "banks",
    "spv": "campus companies",
    "lease": "leases of chips",
    "abs": "securities",
    "data_centre_abs": "securities",
    "cmbs": "securities",
    "quasi_reit": "securities",
    "creit": "securities",
}
HOLDERS: Final = {
    "insurers_banks": "insurers and banks",
    "insurers": "insurers",
    "real_money": "real-money funds",
    "wealth_products": "wealth products",
    "private_credit": "private credit funds",
    "securities_firms": "securities firms",
    "distressed_funds": "distressed funds",
    "banks": "banks as lenders",
}
AGES: Final = {
    "gpus_1y": "under 1 year",
    "gpus_2y": "1 to 2 years",
    "gpus_3y": "2 to 3 years",
    "gpus_4y": "3 to 4 years",
    "gpus_5y": "4 to 5 years",
    "gpus_older": "5 years and more",
}
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
TEN: Final = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def region(name: str) -> str:
    """A region as in a heading."""
    return REGIONS.get(name, name)


def place(name: str) -> str:
    """A region within a sentence."""
    return {"us": "the United States", "china": "China", "world": "all regions together"}.get(name, name)


def digits(value: float, signed: bool = False) -> str:
    """Three significant digits, thousands apart; a dash for what is unknown."""
    if value is None or not np.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0.0:
        return "0"
    if size < 0.0005:
        text = f"{value:.1e}"
    else:
        places = int(max(2 - np.floor(np.log10(size)), 0))
        text = f"{round(value, places):,.{min(places, 5)}f}"
    text = text.replace("-", "−")
    return f"+{text}" if signed and value > 0.0 else text


def percent(share: float, signed: bool = False) -> str:
    """A share as per cent, whole from 10 on."""
    if share is None or not np.isfinite(share):
        return "–"
    value = 100.0 * share
    text = f"{value:{'+' if signed else ''},.{0 if abs(value) >= 10 or value == 0 else 1}f} %"
    return text.replace("-", "−")


def counted(number: int, noun: str, plural: str = "") -> str:
    """``two falls``, ``12 falls``, ``no fall``."""
    word = "no" if number == 0 else TEN[number] if number < len(TEN) else f"{number:,}"
    return f"{word} {noun if number in (0, 1) else plural or noun + 's'}"


def times(number: float) -> str:
    """``never``, ``once``, ``twice``, ``three times``."""
    if number != round(number):
        return f"{number:.1f} times"
    whole = round(number)
    return ("never", "once", "twice")[whole] if whole < 3 else f"{TEN[whole] if whole < len(TEN) else whole} times"


def listing(parts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def usd(bn: float) -> str:
    """USD bn as an amount of a handy size."""
    size = abs(bn)
    scale, unit = (
        (1e-3, "tn") if size >= 1e3 else (1.0, "bn") if size >= 1.0 else (1e3, "mn") if size >= 1e-3 else (1e6, "thousand")
    )
    return f"USD {digits(bn * scale)} {unit}" if size else "nothing"


def months(decimal: float) -> str:
    """A decimal year as year and month: ``2027-04``."""
    year, month = divmod(round(decimal * 12), 12)
    return f"{year}-{month + 1:02d}"


def month(decimal: float) -> str:
    """A decimal year as in a sentence: ``April 2027``."""
    year, number = divmod(round(decimal * 12), 12)
    return f"{MONTHS[number]} {year}"


def tied(text: str) -> str:
    """Text in which no number is parted from its sign of per cent or its currency."""
    return text.replace(" %", "\u00a0%").replace("USD ", "USD\u00a0").replace(" bn", "\u00a0bn").replace(" bp", "\u00a0bp")
