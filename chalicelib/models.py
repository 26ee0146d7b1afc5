"""The bases of immutable pydantic models."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True)


class StrictModel(FrozenModel):
    """Refuses unknown fields."""

    model_config = ConfigDict(extra="forbid")
