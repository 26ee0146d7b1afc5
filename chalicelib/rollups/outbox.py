"""Who still waits for a day: managers to be told of its newest version, analysts to have it exported.

What is waited for is stored with the version itself, in one transaction, so that no path can write a version
and tell nobody.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.campaigns.model import CampaignDay


class Consumer(StrEnum):
    """For whom a day waits."""

    MANAGERS = "managers"
    ANALYSTS = "analysts"


@dataclass(frozen=True)
class OutboxEntry:
    """A day that waits, and since when. `asked_at` tells one request from a later one; `tried_at` is when it
    was last begun, where that is kept.
    """

    campaign_day: CampaignDay
    version: int
    enqueued_at: datetime
    tried_at: datetime | None = None
