"""Example requests and answers: the OpenAPI document shows them, and the tests send them in this order.

All people in them are invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from chalicelib.strict_json import load_data_file

_EXAMPLES_FILE = Path(__file__).with_name("examples.json")


@dataclass(frozen=True)
class Example:
    """A request and its answer. `caller` is a role, or a client that an earlier example has enrolled.

    An excerpt shows some entries only of the answer's lists and objects.
    """

    title: str
    operation: str
    caller: str | None
    status: int
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    answer: Any = None
    is_excerpt: bool = False

    @property
    def is_success(self) -> bool:
        """Return True if the request was not refused."""
        return self.status < HTTPStatus.BAD_REQUEST


@cache
def load_examples() -> tuple[Example, ...]:
    """Return the examples in the order of sending."""
    return tuple(Example(**each) for each in load_data_file(_EXAMPLES_FILE.read_text(encoding="utf-8")))
