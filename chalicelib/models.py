"""The bases of immutable pydantic models.

Pydantic builds what validates and writes a model at its first use: most models are only part of another one,
which has all of theirs, and most functions use few.
"""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Cannot be changed. A request whose body `may_be_left_out` has a default for every field."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    may_be_left_out: ClassVar[bool] = False


class StrictModel(FrozenModel):
    """Refuses unknown fields."""

    model_config = ConfigDict(extra="forbid")


def build_models() -> None:
    """Build every model that was imported."""
    for each in _iter_subclasses(FrozenModel):
        each.model_rebuild()


def _iter_subclasses(model: type[FrozenModel]) -> Iterator[type[FrozenModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _iter_subclasses(each)
