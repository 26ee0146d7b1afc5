"""The ledger of texts: at most one text per event, an honest state for each, and what each has cost.

A row holds neither the words nor the number nor the name. Every change makes a new value, one revision
higher.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from chalicelib.notifications.templates import Kind, Purpose

MessageId = NewType("MessageId", str)

# Longer than the sending function may run: a claim or an attempt this old has nobody working on it any more.
ABANDONED_AFTER = timedelta(seconds=60)

# A text that is on its way to a sender, or in a sender's hands, is looked at again after this long.
STUCK_AFTER = timedelta(hours=1)

# How long a receipt is waited for where the gateway's answer was lost.
RECEIPT_WITHIN = timedelta(minutes=15)


class TextState(StrEnum):
    """Where a text stands.

    `unknown`: the gateway may or may not have taken it. `held`: the campaign's money for the day is spent,
    and somebody has to decide.
    """

    PENDING = "pending"
    CLAIMED = "claimed"
    ATTEMPT_STARTED = "attempt_started"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"


# The one table. Senders move a text down to `accepted`; receipts move it on from wherever it stands, because
# they may overtake the sender's own note of what it did.
_REPORTED = frozenset({TextState.ACCEPTED, TextState.SENT, TextState.DELIVERED})
_ENDED = frozenset({TextState.FAILED, TextState.UNKNOWN})
TRANSITIONS: Mapping[TextState, frozenset[TextState]] = {
    TextState.PENDING: _REPORTED | _ENDED | {TextState.CLAIMED, TextState.HELD},
    TextState.CLAIMED: _REPORTED | {TextState.PENDING, TextState.ATTEMPT_STARTED},
    TextState.ATTEMPT_STARTED: _REPORTED | _ENDED | {TextState.PENDING},
    TextState.ACCEPTED: _ENDED | {TextState.SENT, TextState.DELIVERED},
    TextState.SENT: _ENDED | {TextState.ACCEPTED, TextState.DELIVERED},
    TextState.UNKNOWN: _REPORTED | {TextState.PENDING, TextState.FAILED},
    TextState.HELD: _REPORTED | {TextState.PENDING},
    TextState.FAILED: _REPORTED,
    TextState.DELIVERED: frozenset(),
}

# Nobody will do anything about these, unless a receipt comes.
SETTLED = frozenset({TextState.ACCEPTED, TextState.SENT, TextState.DELIVERED, TextState.FAILED})

# Of two reports on one send the higher is believed, whatever their order. Handsets report deliveries that
# the network had given up.
_RANK = {TextState.ACCEPTED: 0, TextState.SENT: 1, TextState.FAILED: 2, TextState.DELIVERED: 3}


class IllegalTransition(Exception):
    """A text cannot go from where it stands to where it was sent."""


@dataclass(frozen=True)
class Send:
    """One copy of a text that a gateway surely took: what became of it, its parts, its price in rupiah."""

    gateway: str
    state: TextState
    parts: int
    price: int


@dataclass(frozen=True)
class Report:
    """What a receipt says of one copy, with its price in rupiah."""

    gateway: str
    gateway_id: str
    state: TextState
    parts: int | None = None
    price: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class OptOut:
    """That a phone wants no texts: since when, and who said so.

    Once it is lifted it stays known, with when and by whom: a gateway may repeat what it said before.
    """

    at: datetime
    source: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    @property
    def is_in_force(self) -> bool:
        """Whether the phone still wants none."""
        return self.lifted_at is None


@dataclass(frozen=True)
class Text:
    """One row of the ledger.

    `open_attempts` may have gone out, and no gateway's id is known of them. `is_reserved` says that money is
    put aside for the next attempt. `budget_day` is the day whose money pays, `counted_on` the day of the
    phone's that the next copy counts for. `due_at` is when somebody must look at it again, if nothing happens
    before.
    """

    message_id: MessageId
    registration: str
    campaign_id: str
    day: date
    purpose: Purpose
    template_version: int
    occasion: int
    kind: Kind
    phone_hash: str
    correlation_id: str
    begun_at: datetime
    deadline: datetime
    parts: int
    price: int
    state: TextState = TextState.PENDING
    revision: int = 1
    due_at: datetime | None = None
    attempts: int = 0
    touched_at: datetime | None = None
    open_attempts: int = 0
    is_reserved: bool = False
    is_resent: bool = False
    is_released: bool = False
    budget_day: date | None = None
    counted_on: date | None = None
    gateway: str | None = None
    reason: str | None = None
    sends: Mapping[str, Send] = field(default_factory=dict)

    @property
    def committed(self) -> int:
        """Rupiah spent on it and put aside for it, as far as is known."""
        return sum(send.price for send in self.sends.values()) + self.price * (
            self.open_attempts + self.is_reserved
        )

    @property
    def parts_sent(self) -> int:
        """Parts that gateways surely took."""
        return sum(send.parts for send in self.sends.values())

    def is_abandoned(self, now: datetime) -> bool:
        """Whether whoever claimed it, or began an attempt, must have been stopped."""
        return self.touched_at is None or now >= self.touched_at + ABANDONED_AFTER

    def queued(self, now: datetime) -> "Text":
        """On its way to a sender once more; found again if it gets lost."""
        return self._changed(due_at=now + STUCK_AFTER)

    def claimed(self, now: datetime, *, budget_day: date, phone_day: date) -> "Text":
        """In one sender's hands, with money put aside, and a text of the day on which it goes out."""
        return self._moved(
            TextState.CLAIMED,
            touched_at=now,
            is_reserved=True,
            budget_day=self.budget_day or budget_day,
            counted_on=phone_day,
        )

    def reclaimed(self, now: datetime) -> "Text":
        """In the hands of another sender, after the first was stopped before it began."""
        return self._changed(touched_at=now)

    def put_off(self, until: datetime, reason: str) -> "Text":
        """To be taken up later. Money put aside stays so."""
        if self.state is TextState.PENDING:
            return self._changed(due_at=until, reason=reason)
        return self._moved(TextState.PENDING, due_at=until, reason=reason)

    def held(self, reason: str) -> "Text":
        """Waiting for somebody to release it."""
        return self._moved(TextState.HELD, due_at=None, reason=reason)

    def released(self, now: datetime, *, deadline: datetime) -> "Text":
        """To be sent by then whatever the budget says: somebody decided so."""
        return self._moved(TextState.PENDING, due_at=now, deadline=deadline, is_released=True)

    def given_up(self, reason: str) -> "Text":
        """Not to be sent any more; money put aside is free again."""
        return self._moved(self._ended(), due_at=None, reason=reason, is_reserved=False)

    def to_be_resent(self, now: datetime) -> "Text":
        """To be sent once more, though it may have gone out: no receipt came, and two do no harm."""
        return self._moved(TextState.PENDING, due_at=now + STUCK_AFTER, is_resent=True, counted_on=None)

    def forgotten(self) -> "Text":
        """Nobody's any more: money put aside for another attempt is free, that of begun ones is not."""
        return self._changed(is_reserved=False)

    def attempt_started(self, now: datetime) -> "Text":
        """From here on the text may be out, whatever happens to whoever sends it."""
        return self._moved(
            TextState.ATTEMPT_STARTED,
            touched_at=now,
            due_at=now + RECEIPT_WITHIN,
            attempts=self.attempts + 1,
            open_attempts=self.open_attempts + 1,
            is_reserved=False,
            reason=None,
        )

    def not_taken(self, until: datetime, reason: str, gateway: str | None, *, counts: bool = True) -> "Text":
        """The attempt surely sent nothing, and another one may. It `counts` if a gateway was asked."""
        closed = replace(
            self,
            open_attempts=max(0, self.open_attempts - 1),
            attempts=self.attempts if counts else self.attempts - 1,
            gateway=gateway or self.gateway,
        )
        if self.state is not TextState.ATTEMPT_STARTED:
            return closed._changed()
        return closed._moved(TextState.PENDING, due_at=until, reason=reason, is_reserved=True)

    def refused(self, reason: str, gateway: str | None) -> "Text":
        """The attempt surely sent nothing, and no other one will."""
        closed = replace(self, open_attempts=max(0, self.open_attempts - 1), gateway=gateway or self.gateway)
        if self.state is not TextState.ATTEMPT_STARTED:
            return closed._changed()
        return closed._moved(closed._ended(), due_at=None, reason=reason)

    def lost_sight_of(self, reason: str, gateway: str | None, *, may_resend: bool) -> "Text":
        """Nobody knows whether the attempt sent it; receipts may tell."""
        if self.state is not TextState.ATTEMPT_STARTED:
            return self
        waits = may_resend and not self.is_resent
        return self._moved(
            TextState.UNKNOWN,
            reason=reason,
            gateway=gateway or self.gateway,
            due_at=self.due_at if waits else None,
        )

    def accepted(self, gateway: str, gateway_id: str) -> "Text":
        """A gateway took it."""
        return self._reported(gateway_id, Send(gateway, TextState.ACCEPTED, self.parts, self.price), None)

    def noted(self, report: Report) -> "Text":
        """What a receipt adds; the text itself if it adds nothing, or was never handed to anybody."""
        known = self.sends.get(report.gateway_id, Send(report.gateway, report.state, self.parts, self.price))
        send = Send(
            gateway=report.gateway,
            state=max(known.state, report.state, key=_RANK.__getitem__),
            parts=known.parts if report.parts is None else report.parts,
            price=known.price if report.price is None else report.price,
        )
        return self._reported(report.gateway_id, send, report.reason)

    def _reported(self, gateway_id: str, send: Send, reason: str | None) -> "Text":
        known = self.sends.get(gateway_id)
        if not self.attempts or known == send or (known and _RANK[send.state] < _RANK[known.state]):
            return self
        text = replace(
            self,
            sends={**self.sends, gateway_id: send},
            open_attempts=self.open_attempts if known else max(0, self.open_attempts - 1),
            gateway=send.gateway,
        )
        state = text._state_by_reports()
        if state is self.state:
            return text._changed()
        failed = state is TextState.FAILED
        return text._moved(
            state, due_at=None, is_reserved=False, reason=(reason or self.reason) if failed else None
        )

    def _state_by_reports(self) -> TextState:
        """Where the text stands by what was reported of its copies."""
        alive = {send.state for send in self.sends.values()} - {TextState.FAILED}
        if alive:
            return max(alive, key=_RANK.__getitem__)
        if self.state not in SETTLED | {TextState.UNKNOWN}:
            return self.state  # A sender has it in hand: a copy that failed changes nothing for the next.
        return self._ended()

    def _ended(self) -> TextState:
        # An earlier attempt may have sent it after all.
        return TextState.UNKNOWN if self.open_attempts else TextState.FAILED

    def _moved(self, state: TextState, **changes: object) -> "Text":
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"{self.state} to {state}")
        return self._changed(state=state, **changes)

    def _changed(self, **changes: object) -> "Text":
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]


def message_id(registration: str, purpose: Purpose, template_version: int, occasion: int = 1) -> MessageId:
    """The id of the one text that an event can lead to, whoever works it out and however often.

    `occasion` tells repeated events of one purpose apart: it is the version of the registration's life that
    the event made, which no repeat of the event changes.
    """
    name = f"{registration}\x1f{purpose}\x1f{template_version}"
    if occasion > 1:
        name = f"{name}\x1f{occasion}"
    return MessageId(hashlib.sha256(name.encode()).hexdigest()[:32])
