"""The list of occupations, with stable ids.

To add an occupation, add a row to `occupations.json`. An id that was published never changes its meaning.
The file is read as it is: tests hold each row against the types and limits of its fields.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from chalicelib.fields import UNIQUE_ITEMS
from chalicelib.values import Value

Sector = Literal["transport", "other"]

_FILE = Path(__file__).with_name("occupations.json")


class Occupation(Value):
    """One occupation: its names, its search words, its ISCO-08 unit group and its discount sector."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
    name: str
    name_en: str
    search: Annotated[tuple[str, ...], Field(min_length=1), UNIQUE_ITEMS]
    isco_08: Annotated[str, Field(pattern=r"^[1-9][0-9]{3}$")]
    sector: Sector


@cache
def load_occupations() -> Mapping[str, Occupation]:
    """Return every occupation, by id."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))["occupations"]
    return {row["id"]: Occupation(**row | {"search": tuple(row["search"])}) for row in rows}


def is_known_occupation(occupation_id: str) -> bool:
    return occupation_id in load_occupations()


def find_sector(occupation_ids: tuple[str, ...]) -> Sector:
    """Return the discount sector of a worker: the sector of the first occupation.

    No regulation covers two occupations; the first one is asked for as the main source of income.
    """
    return load_occupations()[occupation_ids[0]].sector
