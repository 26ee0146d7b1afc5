"""A registration and its lifecycle: what each event changes. Pure.

Statuses, events and the one table of transitions are in `transitions`, flags and countable facts in `facts`;
others take them from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.campaigns.model import Zone
from chalicelib.contributions.model import Quote
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.corrections import PHONE_FIELD, Correction
from chalicelib.registrations.errors import HistoryFull, PaymentReused, TransitionNotAllowed
from chalicelib.registrations.facts import Flag, RegistrationFacts
from chalicelib.registrations.paid_months import find_first_day_after, iter_paid_months
from chalicelib.registrations.references import Reference
from chalicelib.registrations.transitions import (
    ENDED_STATUSES,
    ENDED_UNPAID_STATUSES,
    FINAL_STATUSES,
    MAX_REPORTED_EVENTS,
    OPEN_UNPAID_STATUSES,
    REPORTED_EVENTS,
    TRANSITIONS,
    EventType,
    Status,
    Verification,
)
from chalicelib.registrations.worker import Consent, Coverage, Recipient, RetainedWork, Work, Worker
from chalicelib.values import Value

if TYPE_CHECKING:
    # A new registration has none of them; the cold start of the API does without it.
    from chalicelib.registrations.reported_events import (
        Cancellation,
        Payment,
        PaymentCode,
        VerificationResult,
    )

__all__ = [
    "ENDED_STATUSES",
    "ENDED_UNPAID_STATUSES",
    "FINAL_STATUSES",
    "MAX_REPORTED_EVENTS",
    "OPEN_UNPAID_STATUSES",
    "TRANSITIONS",
    "EventType",
    "Flag",
    "LifecycleEvent",
    "LifecycleState",
    "Registration",
    "RegistrationFacts",
    "Status",
    "Verification",
]


class CorrectionImpact(Value):
    """The parts of a registration that a correction changes: the checked identity, and the price."""

    changes_identity: bool
    changes_price: bool

    @property
    def changes_code(self) -> bool:
        """Return True if a payment code that was issued before is for another person or amount."""
        return self.changes_identity or self.changes_price


# After three unpaid months membership is inactive; arrears are not charged (official FAQ).
_GRACE_MONTHS = 3

# A worker is reminded this long before the membership lapses: time to earn the contribution.
_LAPSE_REMINDER_LEAD = timedelta(days=14)


class LifecycleEvent(Value):
    """One event of a registration. `client_id` is `system` for events of a schedule."""

    event_type: EventType
    status: Status
    occurred_at: datetime
    client_id: str
    detail: Mapping[str, str | int] = field(default_factory=dict)


class LifecycleState(Value):
    """The status of one registration with its history, in the zone of its campaign.

    Every change makes a new value, one version higher. Registrations of earlier releases are in WIB.
    """

    status: Status
    status_since: datetime
    version: int
    history: tuple[LifecycleEvent, ...]
    verification: Verification = Verification.NOT_CHECKED
    payment_code: "PaymentCode | None" = None
    payments: "tuple[Payment, ...]" = ()
    kpj: str | None = None
    paid_through: str | None = None
    zone: Zone = "Asia/Jakarta"

    @classmethod
    def begin(cls, *, occurred_at: datetime, client_id: str, zone: Zone = "Asia/Jakarta") -> "LifecycleState":
        """Return the state of a registration that was received at `occurred_at`."""
        event = LifecycleEvent(EventType.REGISTERED, Status.RECEIVED, occurred_at, client_id)
        return cls(status=Status.RECEIVED, status_since=occurred_at, version=1, history=(event,), zone=zone)

    @property
    def has_ended(self) -> bool:
        """Return True if the worker may register again."""
        return self.status in ENDED_STATUSES

    @property
    def is_full(self) -> bool:
        """Return True if the history takes no more reported events."""
        return sum(event.event_type in REPORTED_EVENTS for event in self.history) >= MAX_REPORTED_EVENTS

    @property
    def phone_corrected_at(self) -> int:
        """Return the version at which the phone was last corrected, 0 if it never was."""
        return max(
            (
                version
                for version, event in enumerate(self.history, start=1)
                if event.event_type is EventType.CORRECTED
                and PHONE_FIELD in str(event.detail["fields"]).split(",")
            ),
            default=0,
        )

    @property
    def active_until(self) -> date | None:
        """Return the last paid day: the end of the last paid contribution month."""
        if self.paid_through is None:
            return None
        return find_first_day_after(self.paid_through, month_count=1) - timedelta(days=1)

    @property
    def lapses_on(self) -> date | None:
        """Return the first day after three unpaid months."""
        if self.paid_through is None:
            return None
        return find_first_day_after(self.paid_through, month_count=_GRACE_MONTHS + 1)

    @property
    def next_ageing_on(self) -> date | None:
        """Return the day on which a paid membership is reminded of or lapses, if nothing else happens."""
        if self.status is not Status.ACTIVE or self.lapses_on is None:
            return None
        return self.lapses_on if self._has_lapse_reminder else self.lapses_on - _LAPSE_REMINDER_LEAD

    @property
    def _has_lapse_reminder(self) -> bool:
        """Return True if a reminder was recorded since the last payment: each payment has its own."""
        return any(
            event.event_type is EventType.LAPSING_SOON
            and event.detail.get("paid_through") == self.paid_through
            for event in self.history
        )

    def has_payment_code(self, payment_code: "PaymentCode") -> bool:
        """Return True if a payment code is issued already."""
        # After a mismatch that was cleared up the status is `received` again, and the code is issued again.
        return self.payment_code == payment_code and self.status is not Status.RECEIVED

    def with_payment_code(
        self, payment_code: "PaymentCode", *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """Return the state with a payment code. The same code again changes nothing, another replaces it.

        Raise TransitionNotAllowed.
        """
        if self.has_payment_code(payment_code):
            return self
        changed = self._transition(
            EventType.PAYMENT_CODE_ISSUED,
            occurred_at,
            client_id,
            {"expires_on": payment_code.expires_on.isoformat()},
        )
        return replace(changed, payment_code=payment_code)

    def with_payment(self, payment: "Payment", *, occurred_at: datetime, client_id: str) -> "LifecycleState":
        """Return the state with a payment, which counts once, by its id.

        It pays for months from the one it was made in, or from the first that is not paid yet. Raise
        PaymentReused or TransitionNotAllowed.
        """
        for earlier in self.payments:
            if earlier.payment_id == payment.payment_id:
                if earlier != payment:
                    raise PaymentReused(payment.payment_id)
                return self
        detail: dict[str, str | int] = {"payment_id": payment.payment_id, "months": payment.months}
        changed = self._transition(EventType.PAID, occurred_at, client_id, detail)
        return replace(
            changed,
            payments=(*self.payments, payment),
            paid_through=max(
                months[-1] for _, months in iter_paid_months((*self.payments, payment), self.zone)
            ),
            kpj=payment.kpj or self.kpj,
        )

    def with_verification(
        self, result: "VerificationResult", *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """Return the state with a verification. The same result again changes nothing.

        Raise TransitionNotAllowed.
        """
        verification = Verification(result.result)
        if self.verification is verification:
            return self
        matched = verification is Verification.MATCHED
        event_type = EventType.MATCHED if matched else EventType.MISMATCHED
        return replace(self._transition(event_type, occurred_at, client_id, {}), verification=verification)

    def with_cancellation(
        self, cancellation: "Cancellation", *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """Return the cancelled state. Cancelling again changes nothing. Raise TransitionNotAllowed."""
        if self.status is Status.CANCELLED:
            return self
        return self._transition(EventType.CANCELLED, occurred_at, client_id, {"reason": cancellation.reason})

    def with_death(self, *, occurred_at: datetime, client_id: str) -> "LifecycleState":
        """Return the state after the worker's death was reported; again it changes nothing.

        Raise TransitionNotAllowed.
        """
        if self.status is Status.DECEASED:
            return self
        return self._transition(EventType.DECEASED, occurred_at, client_id, {})

    def with_correction(
        self, detail: Mapping[str, str], impact: CorrectionImpact, *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """Return the state after a correction: the core system checks and charges again what was corrected.

        `detail` names the corrected fields. Raise TransitionNotAllowed.
        """
        changed = self._transition(EventType.CORRECTED, occurred_at, client_id, detail)
        is_unpaid = self.status in OPEN_UNPAID_STATUSES
        verification = Verification.NOT_CHECKED if impact.changes_identity else self.verification
        payment_code = None if is_unpaid and impact.changes_code else self.payment_code
        is_code_withdrawn = self.status is Status.AWAITING_PAYMENT and payment_code is None
        if is_code_withdrawn or verification is not self.verification:
            changed = changed._transition(EventType.RECHECK_REQUESTED, occurred_at, client_id, {})
        return replace(changed, verification=verification, payment_code=payment_code)

    def with_correction_event(
        self, event_type: EventType, fields: Sequence[str], *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """Return the state after a correction was requested or declined. Raise TransitionNotAllowed."""
        return self._transition(event_type, occurred_at, client_id, {"fields": ",".join(fields)})

    def with_takeover(self, *, occurred_at: datetime, client_id: str) -> "LifecycleState":
        """Return the state that gives way to a new registration. Raise TransitionNotAllowed."""
        return self._transition(EventType.TAKEN_OVER, occurred_at, client_id, {})

    def with_sms_request(self, purpose: str, *, occurred_at: datetime, client_id: str) -> "LifecycleState":
        """Return the state with a request for an SMS. Raise TransitionNotAllowed."""
        return self._transition(EventType.SMS_REQUESTED, occurred_at, client_id, {"purpose": purpose})

    def with_differing_repeat(
        self, differs: Sequence[str], *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """Return the state after a repeat with other identity fields. Raise TransitionNotAllowed."""
        return self._transition(
            EventType.REPEAT_DIFFERS, occurred_at, client_id, {"fields": ",".join(differs)}
        )

    def age(self, *, today: date, occurred_at: datetime, expires_on: date) -> "LifecycleState":
        """Return the state after the time-outs that are due on the local day `today`.

        Unpaid applications expire; unpaid memberships get a reminder, and then lapse.
        """
        if self.status in OPEN_UNPAID_STATUSES and today >= expires_on:
            return self._transition(EventType.EXPIRED, occurred_at, "system", {})
        if self.status is Status.ACTIVE and self.lapses_on is not None and today >= self.lapses_on:
            return self._transition(EventType.LAPSED, occurred_at, "system", {})
        if self.paid_through is not None and self.next_ageing_on is not None and today >= self.next_ageing_on:
            return self._transition(
                EventType.LAPSING_SOON, occurred_at, "system", {"paid_through": self.paid_through}
            )
        return self

    def with_identity_deleted(self, *, occurred_at: datetime) -> "LifecycleState":
        """Return the state after the identity fields were deleted. Raise TransitionNotAllowed."""
        return self._transition(EventType.IDENTITY_DELETED, occurred_at, "system", {})

    def _transition(
        self, event_type: EventType, occurred_at: datetime, client_id: str, detail: Mapping[str, str | int]
    ) -> "LifecycleState":
        status = TRANSITIONS[event_type].get(self.status)
        if status is None:
            raise TransitionNotAllowed(f"{event_type} while {self.status}")
        if event_type in REPORTED_EVENTS and self.is_full:
            raise HistoryFull(f"{MAX_REPORTED_EVENTS} events were reported")
        event = LifecycleEvent(event_type, status, occurred_at, client_id, detail)
        return replace(
            self,
            status=status,
            status_since=self.status_since if status is self.status else occurred_at,
            version=self.version + 1,
            history=(*self.history, event),
        )


class Registration(Value):
    """One worker's application for membership, open until it ends.

    `worker_key` is the keyed hash of the worker's NIK; `follows` is the ended application before this one.
    `identity` has the keyed hashes of the worker's identity fields; those of earlier releases have none.
    `identity_until` is the local day on which NIK, birth date, addresses and income are deleted, if the
    membership is active then: it was paid, and the core system has them. Then `worker` is a Recipient.
    """

    reference: Reference
    worker_key: str
    lifecycle: LifecycleState
    capture_metadata: CaptureMetadata
    worker: Recipient
    work: Work | RetainedWork
    coverage: Coverage
    consent: Consent
    quote: Quote
    expires_on: date
    follows: Reference | None = None
    flags: tuple[Flag, ...] = ()
    identity: Mapping[str, str] | None = None
    identity_until: date | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def facts(self) -> RegistrationFacts:
        paid = sum(payment.amount for payment in self.lifecycle.payments)
        corrections = sum(each.is_applied for each in self.corrections)
        return RegistrationFacts(
            self.lifecycle.status,
            self.quote.total,
            paid,
            self.shown_flags,
            corrections,
            client_id=self.capture_metadata.client_id,
            officer=self.capture_metadata.officer,
        )

    @property
    def shown_flags(self) -> tuple[Flag, ...]:
        """Return the flags, with those that follow from the history and the corrections."""
        full = (Flag.HISTORY_FULL,) if self.lifecycle.is_full else ()
        waiting = (Flag.CORRECTION_OPEN,) if self.open_correction else ()
        return (*self.flags, *full, *waiting)

    @property
    def open_correction(self) -> Correction | None:
        """Return the correction that waits for the core system's decision; there is one at most."""
        return next((each for each in self.corrections if each.is_open), None)

    @property
    def due_on(self) -> date | None:
        """Return the local day of the next time-out, if nothing else happens."""
        if self.lifecycle.status in OPEN_UNPAID_STATUSES:
            return self.expires_on
        ageing_on = self.lifecycle.next_ageing_on
        if ageing_on is None or self.identity_until is None or not self.has_identity:
            return ageing_on
        return min(ageing_on, self.identity_until)

    @property
    def has_identity(self) -> bool:
        """Return True until NIK, birth date, addresses and income were deleted."""
        return isinstance(self.worker, Worker)
