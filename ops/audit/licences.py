"""Find the licence of an installed library, and judge whether it may go into the zip."""

import re
from importlib import metadata

# They ask for no more than their text, which is in the zip. Another one is a person's decision: see
# docs/decisions/packaging.md before adding it.
ALLOWED_LICENCES = {
    *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"),
    *("PSF-2.0", "Unlicense"),
}

# Libraries whose metadata does not say it in SPDX: somebody read the licence file of exactly this version.
READ_BY_A_PERSON = {
    ("Jinja2", "3.1.6"): "BSD-3-Clause",
    ("chalice", "1.34.0"): "Apache-2.0",
    ("duckdb", "2.0.1"): "MIT",
    ("multipart", "2.0.1"): "MIT",
}

_IDENTIFIER = re.compile(r"[A-Za-z0-9.+-]+")
_OPERATORS = {"AND", "OR"}
_EXPRESSION = re.compile(r"[A-Za-z0-9.+\-() ]+")


def find_licence(distribution: metadata.Distribution) -> str | None:
    """Return what a person or else the metadata says: an SPDX expression, a name of its own, or None."""
    facts = distribution.metadata
    stated = [facts[field] for field in ("License-Expression", "License") if field in facts]
    return READ_BY_A_PERSON.get((facts["Name"], distribution.version), stated[0] if stated else None)


def is_allowed(licence: str | None) -> bool:
    """Return whether this is an SPDX expression of which every licence is an allowed one."""
    if not licence or not _EXPRESSION.fullmatch(licence):
        return False
    return set(_IDENTIFIER.findall(licence)) - _OPERATORS <= ALLOWED_LICENCES
