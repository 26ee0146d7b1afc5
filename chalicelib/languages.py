"""The languages of answers and summaries, and those of SMS to workers."""

from typing import Literal, get_args

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first one is the default."""

WorkerLanguage = Literal["id", "en"]
WORKER_LANGUAGES: tuple[WorkerLanguage, ...] = get_args(WorkerLanguage)
