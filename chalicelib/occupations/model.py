"""The list of occupations, with stable ids.

To add an occupation, add a row to `occupations.json`. An id that was published never changes its meaning.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter

from chalicelib.models import StrictModel

Sector = Literal["transport", "other"]

_FILE = Path(__file__).with_name("occupations.json")


class Occupation(StrictModel):
    """One occupation: its names, its search words, its ISCO-08 unit group and its discount sector."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    name: str
    name_en: str
    search: tuple[str, ...] = Field(min_length=1)
    isco_08: str = Field(pattern=r"^[1-9][0-9]{3}$")
    sector: Sector


@cache
def load_occupations() -> Mapping[str, Occupation]:
    """Return every occupation, by id."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))["occupations"]
    return {each.id: each for each in TypeAdapter(list[Occupation]).validate_python(rows)}


def is_known_occupation(occupation_id: str) -> bool:
    return occupation_id in load_occupations()


def find_sector(occupation_ids: tuple[str, ...]) -> Sector:
    """Return the discount sector of a worker: the sector of the first occupation.

    No regulation covers two occupations; the first one is asked for as the main source of income.
    """
    return load_occupations()[occupation_ids[0]].sector
