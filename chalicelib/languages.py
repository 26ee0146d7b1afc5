"""The languages in which the API answers and summaries are rendered."""

from typing import Literal, get_args

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first one is the default."""
