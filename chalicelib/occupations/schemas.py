"""The list of occupations over HTTP."""

from pydantic import BaseModel

from chalicelib.occupations.model import Occupation


class OccupationsView(BaseModel):
    """Every occupation, with the words that people search for it by and its discount sector."""

    occupations: tuple[Occupation, ...]
