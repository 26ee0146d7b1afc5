"""Query parameters of the summary routes."""

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.languages import Language
from chalicelib.rollups.renderings.formats import Format


class ShowBoard(BaseModel):
    """Ask for the board of a campaign."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language | None = Field(default=None, description="As `Accept-Language` says when left out.")


class ShowSummary(ShowBoard):
    """Ask for the summary of a campaign day."""

    version: int | None = Field(default=None, ge=1, le=999_999, description="The newest when left out.")
    format: Format | None = Field(default=None, description="As `Accept` says when left out.")
