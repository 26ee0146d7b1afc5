"""Waiting for what the stack does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

_PAUSE_SECONDS = 0.1

# A message delivered twice at the same instant comes back once its visibility timeout of 45 seconds is over.
_PATIENCE_SECONDS = 240


def until(what: str, look: Callable[[], Seen], *, seconds: float = _PATIENCE_SECONDS) -> Seen:
    """The first look that sees anything. Fails, saying what it waited for, when none does in time."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {seconds} seconds for {what}; last saw {seen!r}"
        time.sleep(_PAUSE_SECONDS)
    return seen
