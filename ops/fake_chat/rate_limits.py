"""The limits of a provider's API: so many messages a second in all, and to one chat."""

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """Messages a second, and how many may come at once."""

    per_second: float
    burst: int


class RateLimits:
    """Counts messages. A message over a limit waits for nothing: it is refused, with the seconds to wait."""

    def __init__(self, *, overall: Limit, per_chat: Limit) -> None:
        self._overall = overall
        self._per_chat = per_chat
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def count(self, chat: str) -> float | None:
        """Count a message to a chat. Return the seconds after which it may come again, None if it may now."""
        now = time.monotonic()
        with self._lock:
            waits = [self._measure(key, limit, now) for key, limit in self._keys(chat)]
            if max(waits) > 0:
                return max(waits)
            for key, limit in self._keys(chat):
                self._free_at[key] = max(self._free_at.get(key, 0), now) + 1 / limit.per_second
        return None

    def _keys(self, chat: str) -> tuple[tuple[str, Limit], ...]:
        return ("", self._overall), (f"chat {chat}", self._per_chat)

    def _measure(self, key: str, limit: Limit, now: float) -> float:
        return self._free_at.get(key, 0) - now - (limit.burst - 1) / limit.per_second
