"""The texts of consent that officers read out or show, by version.

A new text is a new row before the others. Old rows stay: stored consents name their version.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from chalicelib.models import FrozenModel, StrictModel
from chalicelib.strict_json import parse_data_file

_FILE = Path(__file__).with_name("consent_texts.json")


class ConsentText(StrictModel):
    """One version of the text, in every language of workers. Captures name it in `consent.text_version`."""

    version: str = Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])(\.[0-9]+)?$")
    text: Mapping[str, str] = Field(description="By language.")


class _ConsentTextsFile(FrozenModel):
    texts: tuple[ConsentText, ...] = Field(min_length=1)


@cache
def load_consent_texts() -> tuple[ConsentText, ...]:
    """Return every text, the newest first."""
    return parse_data_file(_ConsentTextsFile, _FILE.read_text(encoding="utf-8")).texts
