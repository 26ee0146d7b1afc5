"""A story of requests and their answers: what the description shows as examples, and what the tests send.

Whoever appears in it is invented.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

_EXAMPLES_FILE = Path(__file__).with_name("examples.json")


@dataclass(frozen=True)
class Example:
    """One request and its answer. `caller` is a role of the stack, or a client that the story has enrolled."""

    title: str
    operation: str
    caller: str | None
    status: int
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    answer: Any = None

    @property
    def is_success(self) -> bool:
        """Whether the request was not refused."""
        return self.status < HTTPStatus.BAD_REQUEST


@cache
def load_examples() -> tuple[Example, ...]:
    """The story, in the order in which it happens."""
    return tuple(Example(**each) for each in json.loads(_EXAMPLES_FILE.read_text(encoding="utf-8")))
