"""What one manager is sent of one report: at most once, with an honest state.

A delivery holds neither the words nor the address. Every change makes a new value, one revision higher.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from chalicelib.campaigns.model import CampaignDay

DeliveryId = NewType("DeliveryId", str)

# Longer than the delivering function may run: a claim this old has nobody working on it any more.
CLAIM_TIMEOUT = timedelta(minutes=4)

# At a round every five minutes, a manager whose mail is not taken is tried for two hours.
MAX_ATTEMPTS = 24


class Medium(StrEnum):
    """How a manager is reached."""

    MAIL = "mail"
    SMS = "text"


class DeliveryState(StrEnum):
    """Where a delivery stands. `unknown`: whoever carries it may or may not have taken it."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    FAILED = "failed"


SETTLED_STATES = frozenset({DeliveryState.ACCEPTED, DeliveryState.UNKNOWN, DeliveryState.FAILED})


@dataclass(frozen=True)
class Delivery:
    """One report on its way to one manager; `version` is the one that was told, or tried to be.

    `revised_versions` holds the version of each earlier day that the report tells again.
    `is_repeated` says that an attempt whose outcome nobody knows is being made once more: a second mail does
    no harm, a second text costs money and looks like an error.
    """

    delivery_id: DeliveryId
    medium: Medium
    state: DeliveryState = DeliveryState.WAITING
    revision: int = 0
    attempts: int = 0
    version: int = 0
    touched_at: datetime | None = None
    is_repeated: bool = False
    reason: str | None = None
    revised_versions: Mapping[date, int] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether nobody will do anything about it any more."""
        return self.state in SETTLED_STATES

    @property
    def may_have_arrived(self) -> bool:
        """Whether its manager has that version, as far as anybody knows."""
        return self.state in {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}

    def is_claim_expired(self, now: datetime) -> bool:
        """Whether whoever claimed it must have been stopped."""
        claimed = self.state is DeliveryState.CLAIMED
        return claimed and (self.touched_at is None or now >= self.touched_at + CLAIM_TIMEOUT)

    def claim(self, now: datetime, *, version: int, revised_versions: Mapping[date, int]) -> "Delivery":
        """In one sender's hands: from here on it may be out, whatever happens to the sender."""
        return self._with_changes(
            state=DeliveryState.CLAIMED,
            touched_at=now,
            attempts=self.attempts + 1,
            version=version,
            revised_versions=revised_versions,
        )

    def record_acceptance(self) -> "Delivery":
        """Taken by whoever carries it."""
        return self._with_changes(state=DeliveryState.ACCEPTED, reason=None)

    def record_rejection(self, reason: str) -> "Delivery":
        """It was surely not sent, and may be later; given up after so many attempts."""
        given_up = self.attempts >= MAX_ATTEMPTS
        return self._with_changes(
            state=DeliveryState.FAILED if given_up else DeliveryState.WAITING, reason=reason
        )

    def record_failure(self, reason: str) -> "Delivery":
        """It was surely not sent, and never will be."""
        return self._with_changes(state=DeliveryState.FAILED, reason=reason)

    def record_unknown_outcome(self, reason: str) -> "Delivery":
        """Nobody knows whether it was sent: a mail is sent once more, a text is not."""
        if self.medium is Medium.MAIL and not self.is_repeated:
            return self._with_changes(state=DeliveryState.WAITING, is_repeated=True, reason=reason)
        return self._with_changes(state=DeliveryState.UNKNOWN, reason=reason)

    def _with_changes(self, **changes: object) -> "Delivery":
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]


def derive_delivery_id(
    campaign_day: CampaignDay, report_key: str, medium: Medium, recipient_hash: str
) -> DeliveryId:
    """The id of the one delivery that a report to a manager can be, whoever works it out and however often.

    `recipient` is a keyed hash of the address.
    """
    name = "\x1f".join(
        (campaign_day.campaign_id, campaign_day.day.isoformat(), report_key, medium, recipient_hash)
    )
    return DeliveryId(hashlib.sha256(name.encode()).hexdigest()[:32])
