"""A fake of the store of day counts."""

from collections import Counter
from datetime import date


class InMemoryDayCounts:
    """Satisfies `clients.caps.DayCounts`. `request_count` counts the calls of `add`."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, date]] = Counter()
        self.request_count = 0

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add `number` to a client's count of a day. Return the count after that."""
        self.request_count += 1
        self.counts[client_id, day] += number
        return self.counts[client_id, day]
