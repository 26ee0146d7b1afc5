"""Refusals of the searches package.

Refusal
├── SearchUnclear      what was typed has no known form
└── SearchNotAllowed   only core and admin search by NIK or phone number
"""

from chalicelib.refusals import Refusal


class SearchUnclear(Refusal):
    """It is no reference, capture id, receipt code, NIK or phone number."""

    code = "search_unclear"


class SearchNotAllowed(Refusal):
    """A manager sees masked values: whoever could try numbers would learn who is registered."""

    code = "search_not_allowed"
