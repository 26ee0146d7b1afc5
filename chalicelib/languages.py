"""The languages of the API, of SMS and of summaries."""

from typing import Literal, get_args

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first one is the default."""
