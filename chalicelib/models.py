"""The bases of immutable pydantic models."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Cannot be changed. A request whose body `may_be_left_out` has a default for every field."""

    model_config = ConfigDict(frozen=True)

    may_be_left_out: ClassVar[bool] = False


class StrictModel(FrozenModel):
    """Refuses unknown fields."""

    model_config = ConfigDict(extra="forbid")
