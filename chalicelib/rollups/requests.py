"""Requests for summaries over HTTP.

They are not in `schemas`, because the routes import them at every cold start, and the models there take 15 ms
to build and are for managers only.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.campaigns.model import Day
from chalicelib.fields import DIGITS_FORM
from chalicelib.languages import TaggedLanguage
from chalicelib.models import StrictModel
from chalicelib.rollups.renderings.formats import CsvDialect, Format


class ShowBoard(StrictModel):
    """Ask for the board of a campaign."""

    language: TaggedLanguage | None = Field(
        default=None, description="As `Accept-Language` says when left out."
    )


class ShowRates(StrictModel):
    """Ask for the rates of a campaign day."""

    day: Day


class ShowSummary(ShowBoard):
    """Ask for the summary of a campaign day."""

    version: Annotated[int, Field(ge=1, le=999_999), DIGITS_FORM] | None = Field(
        default=None, description="The newest when left out."
    )
    format: Format | None = Field(default=None, description="As `Accept` says when left out.")
    dialect: CsvDialect | None = Field(
        default=None,
        description="Of CSV, which it asks for where `format` is left out. `excel`: for Excel set to "
        "Indonesian, with a byte order mark, semicolons and labels in the language asked for.",
    )

    @model_validator(mode="after")
    def _check_dialect(self) -> Self:
        if self.dialect is not None and self.format not in {None, "csv"}:
            raise PydanticCustomError("dialect_without_csv", "only CSV has dialects")
        return self
