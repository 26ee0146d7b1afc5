"""The languages of answers and summaries, those of SMS to workers, and the tags that devices give them."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, WithJsonSchema

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first one is the default."""

WorkerLanguage = Literal["id", "en"]
WORKER_LANGUAGES: tuple[WorkerLanguage, ...] = get_args(WorkerLanguage)

# Android and Java keep the code that Indonesian had until 1989.
_OLD_CODES = {"in": "id"}
_SEPARATOR = re.compile(r"[-_]")
# A region, a script or an encoding: Android writes `in-ID`, Java `in_ID_#Latn`, POSIX `id_ID.UTF-8`.
_SUFFIX = r"([-_][A-Za-z0-9_@#.-]{0,35})?"
_TAG = re.compile(rf"[A-Za-z]{{2,3}}{_SUFFIX}")


def find_primary_language(tag: str) -> str:
    """Return the code of the language of a tag in small letters: `id` for `in-ID`, `in_ID` and `id_ID`."""
    code = _SEPARATOR.split(tag, maxsplit=1)[0].lower()
    return _OLD_CODES.get(code, code)


def _read_tag(value: Any) -> Any:
    # Anything else is for the type of the languages to refuse.
    return find_primary_language(value) if isinstance(value, str) and _TAG.fullmatch(value) else value


def _describe_tags(languages: tuple[str, ...]) -> WithJsonSchema:
    codes = [*languages, *(old for old, code in _OLD_CODES.items() if code in languages)]
    in_any_case = ("".join(f"[{letter.upper()}{letter}]" for letter in code) for code in codes)
    pattern = f"^({'|'.join(in_any_case)}){_SUFFIX}$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": ["id", "en", "in-ID", "en_US"]})


_READ_TAG = BeforeValidator(_read_tag)

TaggedLanguage = Annotated[Language, _READ_TAG, _describe_tags(LANGUAGES)]
"""A language as devices name it, with a region or the old code `in`; stored as one of `LANGUAGES`."""

TaggedWorkerLanguage = Annotated[WorkerLanguage, _READ_TAG, _describe_tags(WORKER_LANGUAGES)]
"""A language of SMS as devices name it; stored as one of `WORKER_LANGUAGES`."""
