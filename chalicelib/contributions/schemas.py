"""Requests for quotes over HTTP."""

from typing import Annotated

from pydantic import Field

from chalicelib.contributions.model import ContributionMonth, Months, Payer, Programme
from chalicelib.fields import UNIQUE_ITEMS_SCHEMA
from chalicelib.models import StrictModel


class AskForQuote(StrictModel):
    """Ask what membership would cost. The income is rupiah a month."""

    monthly_income: int = Field(ge=0, le=1_000_000_000)
    occupations: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], UNIQUE_ITEMS_SCHEMA] = Field(
        min_length=1, max_length=2
    )
    employs_others: bool
    programmes: Annotated[tuple[Programme, ...], UNIQUE_ITEMS_SCHEMA] = Field(min_length=1, max_length=3)
    months: Months
    payer: Payer
    start_month: ContributionMonth | None = Field(
        default=None, description="The first contribution month; the present one (WIB) when left out."
    )
