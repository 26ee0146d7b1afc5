"""The request for a search over HTTP, and its answer."""

from typing import Literal

from pydantic import BaseModel, Field

from chalicelib.models import StrictModel
from chalicelib.registrations.schemas import RegistrationView


class Search(StrictModel):
    """Ask for the registrations that a text finds."""

    text: str = Field(
        min_length=1,
        max_length=60,
        description="As typed: a reference, a capture's id, the code of a receipt; for the core system and"
        " admins also a NIK or a phone number.",
    )


class SearchView(BaseModel):
    """The registrations that were found, at most 20; the core system sees all fields of its campaigns."""

    found_by: Literal["reference", "capture_id", "receipt_code", "nik", "phone"]
    registrations: list[RegistrationView]
    has_more: bool
