"""Transactional outbox: the days whose newest version is still to be sent to managers or exported.

Entries are stored in the transaction that stores a version, so that no version can be missed.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.campaigns.model import CampaignDay


class Consumer(StrEnum):
    """A reader of the outbox."""

    MANAGERS = "managers"
    ANALYSTS = "analysts"


@dataclass(frozen=True)
class OutboxEntry:
    """A day to process. `enqueued_at` identifies the request; `attempted_at` is when an export last began."""

    campaign_day: CampaignDay
    version: int
    enqueued_at: datetime
    attempted_at: datetime | None = None
