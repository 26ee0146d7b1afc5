"""The ledger of texts: at most one text per event, and an honest state for each."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

MessageId = NewType("MessageId", str)


class TextState(StrEnum):
    """Where a text stands. `unknown` is a state of its own: the gateway may or may not have taken it."""

    ATTEMPTING = "attempting"
    PENDING = "pending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"


# An attempt ends in one of four ways; only a text known not to be on its way is attempted again.
TRANSITIONS: Mapping[TextState, frozenset[TextState]] = {
    TextState.ATTEMPTING: frozenset(
        {TextState.PENDING, TextState.ACCEPTED, TextState.FAILED, TextState.UNKNOWN}
    ),
    TextState.PENDING: frozenset({TextState.ATTEMPTING}),
    TextState.ACCEPTED: frozenset(),
    TextState.FAILED: frozenset(),
    TextState.UNKNOWN: frozenset(),
}


class IllegalTransition(Exception):
    """A text cannot go from where it stands to where it was sent."""


@dataclass(frozen=True)
class Text:
    """One row of the ledger. Neither the words nor the number are in it."""

    message_id: MessageId
    registration: str
    campaign_id: str
    purpose: str
    template_version: int
    state: TextState
    attempts: int
    attempted_at: datetime
    correlation_id: str
    parts: int = 1
    gateway_id: str | None = None
    reason: str | None = None

    def moved(self, state: TextState, *, gateway_id: str | None = None, reason: str | None = None) -> "Text":
        """This text in its next state. Raises IllegalTransition."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"{self.state} to {state}")
        return replace(self, state=state, gateway_id=gateway_id or self.gateway_id, reason=reason)

    def attempted_again(self, at: datetime) -> "Text":
        """This text with one more attempt begun. Raises IllegalTransition."""
        return replace(self.moved(TextState.ATTEMPTING), attempts=self.attempts + 1, attempted_at=at)


def message_id(registration: str, purpose: str, template_version: int) -> MessageId:
    """The id of the one text that an event can lead to, whoever works it out and however often."""
    name = f"{registration}\x1f{purpose}\x1f{template_version}"
    return MessageId(hashlib.sha256(name.encode()).hexdigest()[:32])
