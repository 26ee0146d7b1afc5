"""A fake of the store of day counts."""

from collections import defaultdict
from datetime import date

from chalicelib.clients.caps import AttemptCounts


class InMemoryDayCounts:
    """Satisfies `clients.caps.DayCounts`. `request_count` counts the calls of `add`."""

    def __init__(self) -> None:
        self.counts: defaultdict[tuple[str, date], AttemptCounts] = defaultdict(AttemptCounts)
        self.request_count = 0

    def add(self, client_id: str, day: date, counts: AttemptCounts) -> AttemptCounts:
        """Add `counts` to those of a client's day. Return the sums."""
        self.request_count += 1
        self.counts[client_id, day] += counts
        return self.counts[client_id, day]
