"""Deliveries: one report on its way to one manager, sent at most once.

A delivery holds neither the body nor the address. Every change makes a new value with the next revision
number.
"""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, NewType

from chalicelib.campaigns.model import CampaignDay
from chalicelib.messaging.attempts import OutboundAttempt, Outcome, OutcomeType

DeliveryId = NewType("DeliveryId", str)

# Longer than the delivering function may run.
CLAIM_TIMEOUT = timedelta(minutes=4)

# At a run every five minutes, these take two hours.
MAX_ATTEMPTS = 24


class Medium(StrEnum):
    """The media that reach managers."""

    MAIL = "mail"
    SMS = "text"


class DeliveryState(StrEnum):
    """The states of a delivery. `unknown`: it may or may not have been accepted."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    FAILED = "failed"


SETTLED_STATES = frozenset({DeliveryState.ACCEPTED, DeliveryState.UNKNOWN, DeliveryState.FAILED})


@dataclass(frozen=True, kw_only=True)
class Delivery(OutboundAttempt):
    """One report on its way to one manager. Claiming it starts the attempt.

    `version` is that of the last attempt, and `revised_versions` has those of the earlier days in the same
    report. `is_repeated`: an attempt with an unknown outcome is made once more. A second mail does no harm; a
    second SMS costs money and looks like an error. Revision 0 is not stored.
    """

    TRANSITIONS: ClassVar[Mapping[StrEnum, Set[StrEnum]]] = {
        DeliveryState.WAITING: {DeliveryState.CLAIMED},
        DeliveryState.CLAIMED: {DeliveryState.WAITING, *SETTLED_STATES},
        **dict.fromkeys(SETTLED_STATES, frozenset()),
        # A mail bounces after SES has taken it.
        DeliveryState.ACCEPTED: {DeliveryState.FAILED},
        DeliveryState.UNKNOWN: {DeliveryState.FAILED},
    }
    TIMEOUT: ClassVar[timedelta] = CLAIM_TIMEOUT

    state: DeliveryState = DeliveryState.WAITING
    revision: int = 0
    delivery_id: DeliveryId
    medium: Medium
    version: int = 0
    is_repeated: bool = False
    revised_versions: Mapping[date, int] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Return True if no other attempt will be made."""
        return self.state in SETTLED_STATES

    @property
    def may_have_arrived(self) -> bool:
        """Return True if the manager may have received `version`."""
        return self.state in {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}

    def claim(self, now: datetime, *, version: int, revised_versions: Mapping[date, int]) -> "Delivery":
        """Return the delivery claimed by a worker process: from now on it may have been sent."""
        return self._move_to(
            DeliveryState.CLAIMED,
            touched_at=now,
            attempts=self.attempts + 1,
            version=version,
            revised_versions=revised_versions,
        )

    def apply_outcome(self, outcome: Outcome) -> "Delivery":
        match outcome.outcome_type:
            case OutcomeType.ACCEPTED:
                return self._move_to(DeliveryState.ACCEPTED, reason=None)
            case OutcomeType.UNKNOWN:
                return self.record_unknown_outcome(outcome.reason)
            case OutcomeType.FAILED:
                return self._move_to(DeliveryState.FAILED, reason=outcome.reason)
        is_last = self.attempts >= MAX_ATTEMPTS
        return self._move_to(
            DeliveryState.FAILED if is_last else DeliveryState.WAITING, reason=outcome.reason
        )

    def record_unknown_outcome(self, reason: str) -> "Delivery":
        """Return the delivery waiting for a repeated attempt if it is a mail, or else unknown."""
        if self.medium is Medium.MAIL and not self.is_repeated:
            return self._move_to(DeliveryState.WAITING, is_repeated=True, reason=reason)
        return self._move_to(DeliveryState.UNKNOWN, reason=reason)

    def record_mail_event(self, reason: str) -> "Delivery":
        """Return the delivery failed, because its mail bounced or was not wanted.

        One that waits is sent again, and one that failed stays so.
        """
        if self.state in {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}:
            return self._move_to(DeliveryState.FAILED, reason=reason)
        return self


def derive_delivery_id(
    campaign_day: CampaignDay, report_key: str, medium: Medium, recipient_hash: str
) -> DeliveryId:
    """Return the id of the one delivery of a report to a manager. The same report always gives the same id.

    `recipient_hash` is a keyed hash of the address.
    """
    name = "\x1f".join(
        (campaign_day.campaign_id, campaign_day.day.isoformat(), report_key, medium, recipient_hash)
    )
    return DeliveryId(hashlib.sha256(name.encode()).hexdigest()[:32])
