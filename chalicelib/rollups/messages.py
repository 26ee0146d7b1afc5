"""What is asked of summaries, over HTTP by managers."""

from pydantic import BaseModel, ConfigDict, Field


class ShowSummary(BaseModel):
    """Ask for the summary of a campaign day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int | None = Field(default=None, ge=1, le=999_999, description="The newest when left out.")
