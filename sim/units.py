"""Units and calendar: USD, 1/year, month, GPU (one H100-equivalent), GPU-hour."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MONTHS = 12  # months a year
HOURS = 730  # hours a month
YEAR_HOURS = MONTHS * HOURS  # hours a year
REGIONS = ("us", "china")


class Frozen(BaseModel):
    """Base of every parameter model: immutable, strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def quantity(unit: str, low: float, high: float, meaning: str) -> Any:
    """A required number of a parameter model, with its unit and the closed range it may take."""
    return Field(ge=low, le=high, description=meaning, json_schema_extra={"unit": unit})


def quantities(unit: str, meaning: str) -> Any:
    """A required, non-empty list of numbers of one unit; a validator of its model bounds them."""
    return Field(min_length=1, description=meaning, json_schema_extra={"unit": unit})


def calendar(month: int, start: date) -> date:
    """First day of simulated month ``month``; month 0 is ``start``, burn-in months are negative."""
    years, months = divmod(start.month - 1 + month, MONTHS)
    return date(start.year + years, months + 1, 1)
