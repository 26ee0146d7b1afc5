"""The ledger of SMS to workers: at most one SMS per event, its state, and its cost.

A row holds neither the body nor the phone number nor the worker's name. Every change makes a new value with
the next revision number.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from chalicelib.conversations.capabilities import CHAT_CHANNELS, REPORTING_CHATS
from chalicelib.messaging.attempts import IllegalTransition, OutboundAttempt, Outcome, OutcomeType
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.templates import SmsKind
from chalicelib.sms_purposes import Purpose

# Longer than the sending function may run.
ATTEMPT_TIMEOUT = timedelta(seconds=60)

# An SMS that is queued, or claimed by a worker process, is due again after this long.
REQUEUE_AFTER = timedelta(hours=1)

# More copies than an SMS is ever sent in. Receipts about further ones, under other ids, change nothing.
MAX_SENDS = 20

# How long to wait for a receipt after an attempt with an unknown outcome.
RECEIPT_TIMEOUT = timedelta(minutes=15)


class SmsState(StrEnum):
    """The states of an SMS.

    `unknown`: the gateway may or may not have accepted it. `held`: a person has to decide, because the
    campaign's budget for the day is spent, or because nothing shows if the first copy was sent.
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


# Receipts may arrive before the worker process has recorded the acceptance, so they apply in every state.
_REPORTED_STATES = frozenset({SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED})
_FAILURE_STATES = frozenset({SmsState.FAILED, SmsState.UNKNOWN})
TRANSITIONS: Mapping[StrEnum, Set[StrEnum]] = {
    SmsState.PENDING: _REPORTED_STATES | _FAILURE_STATES | {SmsState.CLAIMED, SmsState.HELD},
    SmsState.CLAIMED: _REPORTED_STATES | {SmsState.PENDING, SmsState.ATTEMPT_STARTED},
    SmsState.ATTEMPT_STARTED: _REPORTED_STATES | _FAILURE_STATES | {SmsState.PENDING},
    SmsState.ACCEPTED: _FAILURE_STATES | {SmsState.SENT, SmsState.DELIVERED},
    SmsState.SENT: _FAILURE_STATES | {SmsState.ACCEPTED, SmsState.DELIVERED},
    SmsState.UNKNOWN: _REPORTED_STATES | {SmsState.PENDING, SmsState.FAILED, SmsState.HELD},
    SmsState.HELD: _REPORTED_STATES | _FAILURE_STATES | {SmsState.PENDING},
    SmsState.FAILED: _REPORTED_STATES,
    SmsState.DELIVERED: frozenset(),
}

# Only a receipt changes these.
SETTLED_STATES = frozenset({SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED})

# Of two receipts for one send the higher rank wins, whatever their order: handsets report deliveries after
# the network reported a failure.
_STATE_RANK = {SmsState.ACCEPTED: 0, SmsState.SENT: 1, SmsState.FAILED: 2, SmsState.DELIVERED: 3}


@dataclass(frozen=True)
class SmsSend:
    """One copy of an SMS that a gateway surely accepted. `price` is in rupiah."""

    gateway: str
    state: SmsState
    parts: int
    price: int


@dataclass(frozen=True)
class SendUpdate:
    """The change that a receipt makes to one copy. `price` is in rupiah."""

    gateway: str
    gateway_id: str
    state: SmsState
    parts: int | None = None
    price: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class SendLimits:
    """The limits of a claim: SMS per phone and day, and the campaign's budget for the day in rupiah.

    A budget of None means that a person released the SMS.
    """

    sms_per_day: int
    budget: int | None


@dataclass(frozen=True, kw_only=True)
class Sms(OutboundAttempt):
    """One row of the ledger.

    `open_attempts` counts attempts that may have sent a copy whose gateway id is unknown. `is_reserved`:
    budget is reserved for the next attempt. `budget_day` is the day whose budget pays. `counted_on` is the
    day of the phone whose limit the next copy counts for. `request_version` is the version of the
    registration that the request for this SMS made, if it is sent once more. `due_at` is when the SMS is next
    looked at, if nothing happens before. `is_chat_over`: the worker's chat did not deliver it, so that it
    goes to the phone.
    """

    TRANSITIONS: ClassVar[Mapping[StrEnum, Set[StrEnum]]] = TRANSITIONS
    TIMEOUT: ClassVar[timedelta] = ATTEMPT_TIMEOUT

    state: SmsState = SmsState.PENDING
    revision: int = 1
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
    due_at: datetime | None = None
    open_attempts: int = 0
    is_reserved: bool = False
    is_resent: bool = False
    is_released: bool = False
    is_chat_over: bool = False
    budget_day: date | None = None
    counted_on: date | None = None
    request_version: int | None = None
    gateway: str | None = None
    sends: Mapping[str, SmsSend] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """Return the version of the registration that this SMS is about: that of its request or event."""
        return self.request_version or self.event_version

    @property
    def committed(self) -> int:
        """Return the rupiah spent and reserved, as far as prices are known."""
        return sum(send.price for send in self.sends.values()) + self.price * (
            self.open_attempts + self.is_reserved
        )

    @property
    def parts_sent(self) -> int:
        """Return the parts that gateways surely accepted."""
        return sum(send.parts for send in self.sends.values())

    @property
    def chat_prices(self) -> Mapping[str, list[int]]:
        """Return the prices of the messages that chats accepted, by channel."""
        prices: dict[str, list[int]] = {}
        for send in self.sends.values():
            if send.gateway in CHAT_CHANNELS:
                prices.setdefault(send.gateway, []).append(send.price)
        return prices

    @property
    def is_with_chats_alone(self) -> bool:
        """Return True if chats and no gateway have accepted it, so that it may still go to the phone."""
        gateways = {send.gateway for send in self.sends.values()}
        return not self.is_chat_over and bool(gateways) and gateways <= CHAT_CHANNELS

    def mark_queued(self, now: datetime) -> "Sms":
        """Return the SMS queued. It is due again in an hour, in case the message gets lost."""
        return self._with_changes(due_at=now + REQUEUE_AFTER)

    def claim(self, now: datetime, *, budget_day: date, phone_day: date) -> "Sms":
        """Return the SMS claimed by a worker process, with reserved budget, and counted for the day."""
        return self._move_to(
            SmsState.CLAIMED,
            touched_at=now,
            is_reserved=True,
            budget_day=self.budget_day or budget_day,
            counted_on=phone_day,
        )

    def reclaim(self, now: datetime) -> "Sms":
        """Return the SMS claimed again, after a worker process died before it started an attempt."""
        return self._with_changes(touched_at=now)

    def defer(self, retry_at: datetime, reason: str) -> "Sms":
        """Return the SMS pending until `retry_at`. Reserved budget stays reserved."""
        if self.state is SmsState.PENDING:
            return self._with_changes(due_at=retry_at, reason=reason)
        return self._move_to(SmsState.PENDING, due_at=retry_at, reason=reason)

    def defer_for_phone_limit(self, retry_at: datetime, *, deadline: datetime) -> "Sms":
        """Return the SMS pending until `retry_at`, because its phone got enough SMS today.

        The deadline of a confirmation moves along: a family with one phone waits for days, and all are told.
        """
        changed = self.defer(retry_at, "daily_limit_reached")
        return changed if self.kind is SmsKind.REMINDER else replace(changed, deadline=deadline)

    def hold(self, reason: str) -> "Sms":
        """Return the SMS held until a person releases it."""
        return self._move_to(SmsState.HELD, due_at=None, reason=reason)

    def release(self, now: datetime, *, deadline: datetime) -> "Sms":
        """Return the SMS pending with a new deadline, to be sent regardless of the budget.

        If a copy may have been sent already, this one counts for the phone's day too, and is the last.
        """
        changes: dict[str, Any] = {"is_resent": True, "counted_on": None} if self.open_attempts else {}
        return self._move_to(SmsState.PENDING, due_at=now, deadline=deadline, is_released=True, **changes)

    def abandon(self, reason: str) -> "Sms":
        """Return the SMS failed, or unknown if a copy may have been sent, without a reservation."""
        return self._move_to(self._choose_failure_state(), due_at=None, reason=reason, is_reserved=False)

    def schedule_resend(self, now: datetime) -> "Sms":
        """Return the SMS pending for a second copy, after no receipt came for the first."""
        return self._move_to(SmsState.PENDING, due_at=now + REQUEUE_AFTER, is_resent=True, counted_on=None)

    def free_reservation(self) -> "Sms":
        """Return the SMS without a reservation for the next attempt."""
        return self._with_changes(is_reserved=False)

    def start_attempt(self, now: datetime, *, report_timeout: timedelta = RECEIPT_TIMEOUT) -> "Sms":
        """Return the SMS with a started attempt: from now on, a copy may have been sent."""
        return self._move_to(
            SmsState.ATTEMPT_STARTED,
            touched_at=now,
            due_at=now + report_timeout,
            attempts=self.attempts + 1,
            open_attempts=self.open_attempts + 1,
            is_reserved=False,
            reason=None,
        )

    def apply_outcome(self, outcome: Outcome, *, retry_at: datetime, may_resend: bool) -> "Sms":
        """Return the SMS with the outcome of its attempt.

        A rejected SMS is tried again at `retry_at`, unless that is after its deadline. After an unknown
        outcome it may be sent once more if `may_resend`.
        """
        match outcome.outcome_type:
            case OutcomeType.ACCEPTED:
                return self.record_acceptance(
                    outcome.gateway or "", outcome.gateway_id, parts=outcome.parts, price=outcome.price
                )
            case OutcomeType.UNKNOWN:
                return self.record_unknown_outcome(outcome.reason, outcome.gateway, may_resend=may_resend)
            case OutcomeType.FAILED:
                return self.record_failure(outcome.reason, outcome.gateway)
        if retry_at >= self.deadline:
            return self.record_failure(f"expired:{outcome.reason}", outcome.gateway)
        return self.record_rejection(retry_at, outcome.reason, outcome.gateway, is_counted=outcome.is_counted)

    def record_rejection(
        self, retry_at: datetime, reason: str, gateway: str | None, *, is_counted: bool = True
    ) -> "Sms":
        """Return the SMS pending: the attempt surely sent nothing. It counts if `is_counted`."""
        changed = replace(
            self,
            open_attempts=max(0, self.open_attempts - 1),
            attempts=self.attempts if is_counted else self.attempts - 1,
            gateway=gateway or self.gateway,
        )
        if self.state is not SmsState.ATTEMPT_STARTED:
            return changed._with_changes()
        return changed._move_to(SmsState.PENDING, due_at=retry_at, reason=reason, is_reserved=True)

    def record_failure(self, reason: str, gateway: str | None) -> "Sms":
        """Return the SMS failed: the attempt surely sent nothing, and no other one will succeed."""
        changed = replace(self, open_attempts=max(0, self.open_attempts - 1), gateway=gateway or self.gateway)
        if self.state is not SmsState.ATTEMPT_STARTED:
            return changed._with_changes()
        return changed._move_to(changed._choose_failure_state(), due_at=None, reason=reason)

    def record_unknown_outcome(self, reason: str, gateway: str | None, *, may_resend: bool) -> "Sms":
        """Return the SMS unknown until a receipt comes; it stays due if it may be sent once more."""
        if self.state is not SmsState.ATTEMPT_STARTED:
            return self
        return self._move_to(
            SmsState.UNKNOWN,
            reason=reason,
            gateway=gateway or self.gateway,
            due_at=self.due_at if may_resend and not self.is_resent else None,
        )

    def record_acceptance(
        self, gateway: str, gateway_id: str, *, parts: int | None = None, price: int | None = None
    ) -> "Sms":
        """Return the SMS accepted by a gateway, unless a receipt said more already."""
        send = SmsSend(
            gateway,
            SmsState.ACCEPTED,
            self.parts if parts is None else parts,
            self.price if price is None else price,
        )
        return self._replace_send(gateway_id, send, None)

    def is_undelivered_chat(self, now: datetime, timeout: timedelta) -> bool:
        """Return True if the worker's chat accepted it so long ago, and did not report its delivery."""
        return (
            self.state in {SmsState.ACCEPTED, SmsState.SENT}
            and self.gateway in REPORTING_CHATS
            and self.is_with_chats_alone
            and self.touched_at is not None
            and now >= self.touched_at + timeout
        )

    def fall_back_to_phone(self, now: datetime) -> "Sms":
        """Return the SMS pending for the worker's phone, because the chat did not deliver it.

        Raise IllegalTransition unless chats alone have accepted it. No other settled SMS becomes pending.
        """
        if not self.is_with_chats_alone:
            raise IllegalTransition("not accepted by a chat")
        return self._with_changes(
            state=SmsState.PENDING,
            due_at=now,
            is_chat_over=True,
            counted_on=None,
            reason="chat_not_delivered",
        )

    def apply_update(self, update: SendUpdate) -> "Sms":
        """Return the SMS with a receipt applied, or `self` if that adds nothing or no attempt was started."""
        current = self.sends.get(
            update.gateway_id, SmsSend(update.gateway, update.state, self.parts, self.price)
        )
        send = SmsSend(
            gateway=update.gateway,
            state=max(current.state, update.state, key=_STATE_RANK.__getitem__),
            parts=current.parts if update.parts is None else update.parts,
            price=current.price if update.price is None else update.price,
        )
        return self._replace_send(update.gateway_id, send, update.reason)

    def _replace_send(self, gateway_id: str, send: SmsSend, reason: str | None) -> "Sms":
        current = self.sends.get(gateway_id)
        if (
            not self.attempts
            or current == send
            or (current is None and len(self.sends) >= MAX_SENDS)
            or (current and _STATE_RANK[send.state] < _STATE_RANK[current.state])
        ):
            return self
        updated = replace(
            self,
            sends={**self.sends, gateway_id: send},
            open_attempts=self.open_attempts if current else max(0, self.open_attempts - 1),
            gateway=send.gateway,
        )
        state = updated._derive_state()
        if state is self.state:
            return updated._with_changes()
        reason = (reason or self.reason) if state is SmsState.FAILED else None
        moved = updated._move_to(state, due_at=None, is_reserved=False, reason=reason)
        if send.gateway not in CHAT_CHANNELS or not updated.is_with_chats_alone or not self.touched_at:
            return moved
        if state is SmsState.FAILED:
            return replace(moved.fall_back_to_phone(self.touched_at), revision=moved.revision)
        # It is looked at again: a chat that does not deliver reports nothing.
        is_awaited = state is not SmsState.DELIVERED and send.gateway in REPORTING_CHATS
        return replace(moved, due_at=self.due_at or self.touched_at) if is_awaited else moved

    def _derive_state(self) -> SmsState:
        """Return the state that follows from the states of its copies."""
        states = {send.state for send in self.sends.values()} - {SmsState.FAILED}
        if states:
            return max(states, key=_STATE_RANK.__getitem__)
        if self.state not in SETTLED_STATES | {SmsState.UNKNOWN}:
            return self.state  # Another attempt is under way, or will be.
        return self._choose_failure_state()

    def _choose_failure_state(self) -> SmsState:
        # An open attempt may have sent a copy after all.
        return SmsState.UNKNOWN if self.open_attempts else SmsState.FAILED
