"""The state of a message to a person in a chat, on its way out. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from chalicelib.campaigns.model import CampaignDay
from chalicelib.messaging.attempts import OutboundAttempt, Outcome, OutcomeType


class SendState(StrEnum):
    """The states of a message. `unknown`: perhaps the provider accepted it; it is not sent again."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


_ENDS = frozenset({SendState.SENT, SendState.FAILED, SendState.UNKNOWN})

# A person has asked again by then, or gone.
TIME_TO_LIVE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ChatSend(OutboundAttempt):
    """One message of the outbox. `provider_id` is the provider's own id, once it accepted the message.

    It is counted on its `campaign_day`. A message that a client of the API gave an id has the `fingerprint`
    of its text.
    """

    TRANSITIONS: ClassVar[Mapping[StrEnum, Set[StrEnum]]] = {
        SendState.PENDING: _ENDS | {SendState.SENDING},
        SendState.SENDING: _ENDS | {SendState.PENDING},
        SendState.UNKNOWN: frozenset({SendState.SENT, SendState.FAILED}),
        SendState.SENT: frozenset({SendState.FAILED}),
        SendState.FAILED: frozenset(),
    }
    TIMEOUT: ClassVar[timedelta] = timedelta(seconds=60)

    chat_key: str
    outbox_id: str
    channel: str
    created_at: datetime
    provider_id: str | None = None
    fingerprint: str | None = None
    campaign_day: CampaignDay | None = None

    @property
    def tracker(self) -> str:
        """Return the value by which a provider's report names this message."""
        return f"{self.chat_key}/{self.outbox_id}"

    def is_expired(self, now: datetime) -> bool:
        return now >= self.created_at + TIME_TO_LIVE

    def start_attempt(self, now: datetime) -> "ChatSend":
        """Return the message with a started attempt: from now on, it may have been sent."""
        return self._move_to(SendState.SENDING, touched_at=now, attempts=self.attempts + 1, reason=None)

    def abandon(self, reason: str) -> "ChatSend":
        """Return the message failed: it was not sent, and will not be."""
        return self._move_to(SendState.FAILED, reason=reason)

    def give_up_attempt(self) -> "ChatSend":
        """Return the message unknown, after the worker process of its attempt died."""
        return self._move_to(SendState.UNKNOWN, reason="attempt_timed_out")

    def apply_outcome(self, outcome: Outcome) -> "ChatSend":
        """Return the message with the outcome of its attempt: sent, pending again, failed or unknown."""
        match outcome.outcome_type:
            case OutcomeType.ACCEPTED:
                return self._move_to(SendState.SENT, provider_id=outcome.gateway_id)
            case OutcomeType.REJECTED:
                return self._move_to(SendState.PENDING, reason=outcome.reason)
            case OutcomeType.FAILED:
                return self._move_to(SendState.FAILED, reason=outcome.reason)
            case OutcomeType.UNKNOWN:
                return self._move_to(SendState.UNKNOWN, reason=outcome.reason)

    def apply_report(self, *, has_failed: bool, reason: str | None) -> "ChatSend":
        """Return the message with the provider's report applied, or `self` if that adds nothing."""
        state = SendState.FAILED if has_failed else SendState.SENT
        if self.state not in {SendState.UNKNOWN, SendState.SENT} or state is self.state:
            return self
        return self._move_to(state, reason=reason)


def parse_tracker(tracker: str) -> tuple[str, str] | None:
    """Return the chat key and the outbox id of a message, or None if it is not a message of the outbox."""
    chat_key, is_split, outbox_id = tracker.partition("/")
    return (chat_key, outbox_id) if is_split else None
