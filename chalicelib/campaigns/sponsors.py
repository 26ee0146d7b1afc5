"""The sponsors of a campaign, who pay the contributions of some of its workers. Pure."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from chalicelib.filtered_text import find_name_problem
from chalicelib.models import StrictModel
from chalicelib.refusals import BrokenRule
from chalicelib.typed import clean_text

SponsorId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$")]


class Sponsor(StrictModel):
    """A company, person or public body that pays for workers of a campaign."""

    sponsor_id: SponsorId
    name: str = Field(min_length=1, max_length=120, description="Devices and summaries show it.")
    quota: int | None = Field(
        default=None,
        ge=0,
        le=10_000_000,
        description="How many registrations it pays for: no limit when left out, 0 for no more.",
    )


def _sort_unique(sponsors: tuple[Sponsor, ...]) -> tuple[Sponsor, ...]:
    if len({sponsor.sponsor_id for sponsor in sponsors}) < len(sponsors):
        raise PydanticCustomError("value_repeated", "two sponsors have one id")
    return tuple(sorted(sponsors, key=lambda sponsor: sponsor.sponsor_id))


# A set by id: whatever order it is sent in, it is stored and shown in the order of the ids.
Sponsors = Annotated[tuple[Sponsor, ...], Field(max_length=50), AfterValidator(_sort_unique)]


def clean_sponsors(sponsors: Iterable[Sponsor]) -> tuple[Sponsor, ...]:
    """Return sponsors with their names cleaned. They may still break rules."""
    return tuple(each.model_copy(update={"name": clean_text(each.name)}) for each in sponsors)


def check_sponsors(sponsors: Iterable[Sponsor]) -> Iterator[BrokenRule]:
    """Yield the rules that the names of cleaned sponsors break."""
    for position, sponsor in enumerate(sponsors):
        code = find_name_problem(sponsor.name)
        if code is not None:
            yield BrokenRule(f"sponsors.{position}.name", code)
