"""The share of a scheduled job that one run does, where several runs do the job side by side.

The event of a schedule names it. Two runs with the same work do no harm: so the number of
shares may change at any time, and an event without a share is for all of the work.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Share:
    """Share `number`, from 0 on, of `count`."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count:
            raise ValueError(f"no share {self.number} of {self.count}")

    @property
    def is_first(self) -> bool:
        """Return whether the run does what is done once for all of them."""
        return self.number == 0

    def has(self, record_id: str) -> bool:
        """Return whether the work on a record belongs to the share."""
        return zlib.crc32(record_id.encode()) % self.count == self.number

    def choose(self, shards: Sequence[str]) -> Sequence[str]:
        """Return the partitions of an index that belong to the share."""
        return shards[self.number :: self.count]


WHOLE = Share(0, 1)


def get_share(event: Any) -> Share:
    """Return the share of the run that Chalice's `event` of a schedule starts."""
    detail: dict[str, int] = event.detail
    return Share(detail["share"], detail["count"]) if "share" in detail else WHOLE
