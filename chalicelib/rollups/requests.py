"""Requests for summaries over HTTP.

They are not in `schemas`, because the routes import them at every cold start, and the models there take 15 ms
to build and are for managers only.
"""

from pydantic import Field

from chalicelib.languages import Language
from chalicelib.models import StrictModel
from chalicelib.rollups.renderings.formats import Format


class ShowBoard(StrictModel):
    """Ask for the board of a campaign."""

    language: Language | None = Field(default=None, description="As `Accept-Language` says when left out.")


class ShowSummary(ShowBoard):
    """Ask for the summary of a campaign day."""

    version: int | None = Field(default=None, ge=1, le=999_999, description="The newest when left out.")
    format: Format | None = Field(default=None, description="As `Accept` says when left out.")
