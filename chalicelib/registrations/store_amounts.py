"""Amounts inside sealed documents, in one width: no length may tell the digits of an income."""

import re

_AMOUNT = re.compile(r'("(?:amount|total|work\.monthly_income)":\s*)([0-9]+)')
_WIDTH = 15


def pad_amounts(document: str) -> str:
    """Return a JSON document with blanks after each amount. It has the same values."""
    return _AMOUNT.sub(lambda found: found[1] + found[2].ljust(_WIDTH), document)
