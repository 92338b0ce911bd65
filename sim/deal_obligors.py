"""Who pays a deal's collateral: its tenants, its guarantor, and how it ages. The ``risk`` block of a deal file."""

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from sim.deal_fields import LIVES, NAMED, Cash, Number, Whole, known_as, lengthen, long_enough, series, term
from sim.units import Frozen

OBLIGOR = "of the obligor: 1 to 48 letters, digits, spaces and _ . + & -, a letter or digit first"


class Tenant(Frozen):
    """Who rents the collateral: one obligor, the same in every deal that names it."""

    name: str = Field(pattern=NAMED, description=OBLIGOR, json_schema_extra=known_as("text"))
    share: Number = term("1", 0, 1, "of the gross contracted rent")
    default_probability: Number = term("1/year", 0, 0.99, "of default within a year")
    contract_end: Whole = term("period", 0, LIVES, "last period under contract")


class Guarantor(Frozen):
    """Who guarantees the collateral's residual value."""

    name: str = Field(pattern=NAMED, description=OBLIGOR, json_schema_extra=known_as("text"))
    default_probability: Number = term("1/year", 0, 0.99, "of default within a year")


class Risk(Frozen):
    """The collateral, as a rating sees it."""

    ageing: Number = term("1", 0, 2, "share of the market's obsolescence and rent shocks that the collateral suffers")
    base_depreciation: Number = term("1/year", 0, 2, "decline of market rents and values inside the deal's lists", default=0.0)
    vacancy: Whole = term("period", 0, 120, "without rent between a contract and the next at market", default=0)
    tenants: tuple[Tenant, ...] = Field(
        (),
        max_length=64,
        description="who rents; what their shares leave of 1 is let at market",
        json_schema_extra=known_as("list"),
    )
    operating_cost: tuple[Cash, ...] | None = series("USD", "running cost; gross rent is revenue and this cost")
    contract_revenue: tuple[Cash, ...] | None = series(
        "USD", "gross rent if all is under today's contracts; if not given, the deal's gross rent"
    )
    market_revenue: tuple[Cash, ...] | None = series(
        "USD", "gross rent if all is let at market; if not given, the deal's gross rent"
    )
    guarantor: Guarantor | None = Field(
        None, description="of deal.guarantee_strike; null never fails", json_schema_extra=known_as("block")
    )

    @field_validator("operating_cost", "contract_revenue", "market_revenue", mode="before")
    @classmethod
    def _lengthened(cls, values: Any, info: ValidationInfo) -> Any:
        return lengthen(values, info)

    @field_validator("operating_cost", "contract_revenue", "market_revenue")
    @classmethod
    def _to_the_end(cls, values: Any, info: ValidationInfo) -> Any:
        return long_enough(values, info)

    @field_validator("tenants")
    @classmethod
    def _whole(cls, tenants: tuple[Tenant, ...]) -> tuple[Tenant, ...]:
        names, total = [tenant.name for tenant in tenants], sum(tenant.share for tenant in tenants)
        if len(set(names)) < len(names):
            raise ValueError("two tenants share a name. Name each once and add their shares")
        if total > 1.0 + 1e-9:
            raise ValueError(f"shares add up to {total:g}, above 1. Lower them; what they leave of 1 is let at market")
        return tenants

    @field_validator("guarantor")
    @classmethod
    def _one_obligor(cls, guarantor: Guarantor | None, info: ValidationInfo) -> Guarantor | None:
        for tenant in info.data.get("tenants", ()):
            if guarantor and tenant.name == guarantor.name and tenant.default_probability != guarantor.default_probability:
                odds = f"{tenant.default_probability:g} as a tenant, {guarantor.default_probability:g} as guarantor"
                raise ValueError(f"{guarantor.name} defaults with {odds}. One obligor has one default probability")
        return guarantor
