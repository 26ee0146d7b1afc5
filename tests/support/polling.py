"""Waiting for what the stack does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_POLL_SECONDS = 0.1

# A message delivered twice at the same instant comes back once its visibility timeout of 45 seconds is over.
_TIMEOUT_SECONDS = 240


def wait_until(
    description: str, probe: Callable[[], Result], *, timeout_seconds: float = _TIMEOUT_SECONDS
) -> Result:
    """The first look that sees anything. Fails, saying what it waited for, when none does in time."""
    deadline = time.monotonic() + timeout_seconds
    while not (seen := probe()):
        assert time.monotonic() < deadline, (
            f"waited {timeout_seconds} seconds for {description}; last saw {seen!r}"
        )
        time.sleep(_POLL_SECONDS)
    return seen
