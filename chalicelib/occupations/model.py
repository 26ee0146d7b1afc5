"""The list of occupations, with stable ids.

To add an occupation, add a row to `occupations.json`. An id that was published never changes its meaning.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.fields import UNIQUE_ITEMS
from chalicelib.models import FrozenModel, StrictModel
from chalicelib.strict_json import parse_data_file

Sector = Literal["transport", "other"]

_FILE = Path(__file__).with_name("occupations.json")


class Occupation(StrictModel):
    """One occupation: its names, its search words, its ISCO-08 unit group and its discount sector."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    name: str
    name_en: str
    search: Annotated[tuple[str, ...], UNIQUE_ITEMS] = Field(min_length=1)
    isco_08: str = Field(pattern=r"^[1-9][0-9]{3}$")
    sector: Sector


class _OccupationsFile(FrozenModel):
    """The data file; its other entries describe it."""

    occupations: list[Occupation]


@cache
def load_occupations() -> Mapping[str, Occupation]:
    """Return every occupation, by id."""
    return parse_occupations(_FILE.read_text(encoding="utf-8"))


def parse_occupations(text: str) -> Mapping[str, Occupation]:
    """Return the occupations of a data file, by id.

    Raise ValueError, which pydantic's ValidationError is too, if it is malformed or has an id twice.
    """
    rows = parse_data_file(_OccupationsFile, text).occupations
    by_id = {each.id: each for each in rows}
    if len(by_id) < len(rows):
        raise ValueError("two occupations have one id")
    return by_id


def is_known_occupation(occupation_id: str) -> bool:
    return occupation_id in load_occupations()


def find_sector(occupation_ids: tuple[str, ...]) -> Sector:
    """Return the discount sector of a worker: the sector of the first occupation.

    No regulation covers two occupations; the first one is asked for as the main source of income.
    """
    return load_occupations()[occupation_ids[0]].sector
