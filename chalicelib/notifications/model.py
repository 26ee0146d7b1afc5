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

from chalicelib.notifications.templates import Purpose, SmsKind

SmsId = NewType("SmsId", str)

# Longer than the sending function may run: a claim or an attempt this old has nobody working on it any more.
SENDER_TIMEOUT = timedelta(seconds=60)

# A text that is on its way to a sender, or in a sender's hands, is looked at again after this long.
REQUEUE_AFTER = timedelta(hours=1)

# How long a receipt is waited for where the gateway's answer was lost.
RECEIPT_TIMEOUT = timedelta(minutes=15)


class SmsState(StrEnum):
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


# The one table. Senders move a text down to `record_acceptance`; receipts move it on from wherever it stands, because
# they may overtake the sender's own note of what it did.
_REPORTED_STATES = frozenset({SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED})
_FAILURE_STATES = frozenset({SmsState.FAILED, SmsState.UNKNOWN})
TRANSITIONS: Mapping[SmsState, frozenset[SmsState]] = {
    SmsState.PENDING: _REPORTED_STATES | _FAILURE_STATES | {SmsState.CLAIMED, SmsState.HELD},
    SmsState.CLAIMED: _REPORTED_STATES | {SmsState.PENDING, SmsState.ATTEMPT_STARTED},
    SmsState.ATTEMPT_STARTED: _REPORTED_STATES | _FAILURE_STATES | {SmsState.PENDING},
    SmsState.ACCEPTED: _FAILURE_STATES | {SmsState.SENT, SmsState.DELIVERED},
    SmsState.SENT: _FAILURE_STATES | {SmsState.ACCEPTED, SmsState.DELIVERED},
    SmsState.UNKNOWN: _REPORTED_STATES | {SmsState.PENDING, SmsState.FAILED},
    SmsState.HELD: _REPORTED_STATES | {SmsState.PENDING},
    SmsState.FAILED: _REPORTED_STATES,
    SmsState.DELIVERED: frozenset(),
}

# Nobody will do anything about these, unless a receipt comes.
SETTLED_STATES = frozenset({SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED})

# Of two reports on one send the higher is believed, whatever their order. Handsets report deliveries that
# the network had given up.
_STATE_RANK = {SmsState.ACCEPTED: 0, SmsState.SENT: 1, SmsState.FAILED: 2, SmsState.DELIVERED: 3}


class IllegalTransition(Exception):
    """A text cannot go from where it stands to where it was sent."""


@dataclass(frozen=True)
class SmsSend:
    """One copy of a text that a gateway surely took: what became of it, its parts, its price in rupiah."""

    gateway: str
    state: SmsState
    parts: int
    price: int


@dataclass(frozen=True)
class SendUpdate:
    """What a receipt says of one copy, with its price in rupiah."""

    gateway: str
    gateway_id: str
    state: SmsState
    parts: int | None = None
    price: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class OptOut:
    """That a phone wants no texts: since when, and who said so.

    Once it is lifted it stays known, with when and by whom: a gateway may repeat what it said before.
    """

    opted_out_at: datetime
    source: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    @property
    def is_in_force(self) -> bool:
        """Whether the phone still wants none."""
        return self.lifted_at is None


@dataclass(frozen=True)
class Sms:
    """One row of the ledger.

    `open_attempts` may have gone out, and no gateway's id is known of them. `is_reserved` says that money is
    put aside for the next attempt. `budget_day` is the day whose money pays, `counted_on` the day of the
    phone's that the next copy counts for. `due_at` is when somebody must look at it again, if nothing happens
    before.
    """

    sms_id: SmsId
    reference: str
    campaign_id: str
    day: date
    purpose: Purpose
    template_version: int
    event_version: int
    kind: SmsKind
    phone_hash: str
    correlation_id: str
    begun_at: datetime
    deadline: datetime
    parts: int
    price: int
    state: SmsState = SmsState.PENDING
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
    sends: Mapping[str, SmsSend] = field(default_factory=dict)

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

    def has_timed_out(self, now: datetime) -> bool:
        """Whether whoever claimed it, or began an attempt, must have been stopped."""
        return self.touched_at is None or now >= self.touched_at + SENDER_TIMEOUT

    def mark_queued(self, now: datetime) -> "Sms":
        """On its way to a sender once more; found again if it gets lost."""
        return self._with_changes(due_at=now + REQUEUE_AFTER)

    def claim(self, now: datetime, *, budget_day: date, phone_day: date) -> "Sms":
        """In one sender's hands, with money put aside, and a text of the day on which it goes out."""
        return self._move_to(
            SmsState.CLAIMED,
            touched_at=now,
            is_reserved=True,
            budget_day=self.budget_day or budget_day,
            counted_on=phone_day,
        )

    def reclaim(self, now: datetime) -> "Sms":
        """In the hands of another sender, after the first was stopped before it began."""
        return self._with_changes(touched_at=now)

    def defer(self, retry_at: datetime, reason: str) -> "Sms":
        """To be taken up later. Money put aside stays so."""
        if self.state is SmsState.PENDING:
            return self._with_changes(due_at=retry_at, reason=reason)
        return self._move_to(SmsState.PENDING, due_at=retry_at, reason=reason)

    def hold(self, reason: str) -> "Sms":
        """Waiting for somebody to release it."""
        return self._move_to(SmsState.HELD, due_at=None, reason=reason)

    def release(self, now: datetime, *, deadline: datetime) -> "Sms":
        """To be sent by then whatever the budget says: somebody decided so."""
        return self._move_to(SmsState.PENDING, due_at=now, deadline=deadline, is_released=True)

    def abandon(self, reason: str) -> "Sms":
        """Not to be sent any more; money put aside is free again."""
        return self._move_to(self._choose_failure_state(), due_at=None, reason=reason, is_reserved=False)

    def schedule_resend(self, now: datetime) -> "Sms":
        """To be sent once more, though it may have gone out: no receipt came, and two do no harm."""
        return self._move_to(SmsState.PENDING, due_at=now + REQUEUE_AFTER, is_resent=True, counted_on=None)

    def free_reservation(self) -> "Sms":
        """Nobody's any more: money put aside for another attempt is free, that of begun ones is not."""
        return self._with_changes(is_reserved=False)

    def start_attempt(self, now: datetime) -> "Sms":
        """From here on the text may be out, whatever happens to whoever sends it."""
        return self._move_to(
            SmsState.ATTEMPT_STARTED,
            touched_at=now,
            due_at=now + RECEIPT_TIMEOUT,
            attempts=self.attempts + 1,
            open_attempts=self.open_attempts + 1,
            is_reserved=False,
            reason=None,
        )

    def record_rejection(
        self, retry_at: datetime, reason: str, gateway: str | None, *, is_counted: bool = True
    ) -> "Sms":
        """The attempt surely sent nothing, and another one may. It `counts` if a gateway was asked."""
        closed = replace(
            self,
            open_attempts=max(0, self.open_attempts - 1),
            attempts=self.attempts if is_counted else self.attempts - 1,
            gateway=gateway or self.gateway,
        )
        if self.state is not SmsState.ATTEMPT_STARTED:
            return closed._with_changes()
        return closed._move_to(SmsState.PENDING, due_at=retry_at, reason=reason, is_reserved=True)

    def record_failure(self, reason: str, gateway: str | None) -> "Sms":
        """The attempt surely sent nothing, and no other one will."""
        closed = replace(self, open_attempts=max(0, self.open_attempts - 1), gateway=gateway or self.gateway)
        if self.state is not SmsState.ATTEMPT_STARTED:
            return closed._with_changes()
        return closed._move_to(closed._choose_failure_state(), due_at=None, reason=reason)

    def record_unknown_outcome(self, reason: str, gateway: str | None, *, may_resend: bool) -> "Sms":
        """Nobody knows whether the attempt sent it; receipts may tell."""
        if self.state is not SmsState.ATTEMPT_STARTED:
            return self
        waits = may_resend and not self.is_resent
        return self._move_to(
            SmsState.UNKNOWN,
            reason=reason,
            gateway=gateway or self.gateway,
            due_at=self.due_at if waits else None,
        )

    def record_acceptance(self, gateway: str, gateway_id: str) -> "Sms":
        """A gateway took it."""
        return self._replace_send(
            gateway_id, SmsSend(gateway, SmsState.ACCEPTED, self.parts, self.price), None
        )

    def apply_update(self, update: SendUpdate) -> "Sms":
        """What a receipt adds; the text itself if it adds nothing, or was never handed to anybody."""
        known = self.sends.get(
            update.gateway_id, SmsSend(update.gateway, update.state, self.parts, self.price)
        )
        send = SmsSend(
            gateway=update.gateway,
            state=max(known.state, update.state, key=_STATE_RANK.__getitem__),
            parts=known.parts if update.parts is None else update.parts,
            price=known.price if update.price is None else update.price,
        )
        return self._replace_send(update.gateway_id, send, update.reason)

    def _replace_send(self, gateway_id: str, send: SmsSend, reason: str | None) -> "Sms":
        known = self.sends.get(gateway_id)
        if (
            not self.attempts
            or known == send
            or (known and _STATE_RANK[send.state] < _STATE_RANK[known.state])
        ):
            return self
        text = replace(
            self,
            sends={**self.sends, gateway_id: send},
            open_attempts=self.open_attempts if known else max(0, self.open_attempts - 1),
            gateway=send.gateway,
        )
        state = text._derive_state()
        if state is self.state:
            return text._with_changes()
        failed = state is SmsState.FAILED
        return text._move_to(
            state, due_at=None, is_reserved=False, reason=(reason or self.reason) if failed else None
        )

    def _derive_state(self) -> SmsState:
        """Where the text stands by what was reported of its copies."""
        alive = {send.state for send in self.sends.values()} - {SmsState.FAILED}
        if alive:
            return max(alive, key=_STATE_RANK.__getitem__)
        if self.state not in SETTLED_STATES | {SmsState.UNKNOWN}:
            return self.state  # A sender has it in hand: a copy that failed changes nothing for the next.
        return self._choose_failure_state()

    def _choose_failure_state(self) -> SmsState:
        # An earlier attempt may have sent it after all.
        return SmsState.UNKNOWN if self.open_attempts else SmsState.FAILED

    def _move_to(self, state: SmsState, **changes: object) -> "Sms":
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"{self.state} to {state}")
        return self._with_changes(state=state, **changes)

    def _with_changes(self, **changes: object) -> "Sms":
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]


def derive_sms_id(reference: str, purpose: Purpose, template_version: int, event_version: int = 1) -> SmsId:
    """The id of the one text that an event can lead to, whoever works it out and however often.

    `event_version` tells repeated events of one purpose apart: it is the version of the registration's life that
    the event made, which no repeat of the event changes.
    """
    name = f"{reference}\x1f{purpose}\x1f{template_version}"
    if event_version > 1:
        name = f"{name}\x1f{event_version}"
    return SmsId(hashlib.sha256(name.encode()).hexdigest()[:32])
