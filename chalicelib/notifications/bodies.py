"""The purposes of SMS, and the body of each, from its template and the current registration.

There is no body if the registration has changed, or time has passed, so that the SMS would be wrong now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from chalicelib.notifications.templates import format_day, get_template
from chalicelib.registrations.model import (
    ENDED_STATUSES,
    EventType,
    Flag,
    LifecycleEvent,
    LifecycleState,
    Registration,
    Status,
)
from chalicelib.rupiah import format_rupiah
from chalicelib.sms_purposes import Purpose

PURPOSE_BY_EVENT_TYPE: Mapping[EventType, Purpose] = {
    EventType.PAYMENT_CODE_ISSUED: Purpose.PAYMENT_CODE,
    EventType.PAID: Purpose.ACTIVE,
    EventType.MISMATCHED: Purpose.MISMATCH,
    EventType.LAPSING_SOON: Purpose.LAPSING_SOON,
    EventType.CANCELLED: Purpose.CANCELLED,
}


@dataclass(frozen=True)
class Body:
    """The text of an SMS, and until when the date that it states is not over, if it states one."""

    text: str
    valid_until: datetime | None = None


def render_body(
    purpose: Purpose, event_version: int, registration: Registration, *, local_now: datetime
) -> Body | None:
    """Return the body of the SMS for an event, or None if it would be wrong now, by the worker's clock."""
    content = _BUILDER_BY_PURPOSE[purpose](registration, event_version)
    if content is not None and content.is_over(local_now):
        content = content.when_over
    if content is None:
        return None
    worker = registration.worker
    text = get_template(content.purpose).render(worker.language, **{"name": worker.name, **content.fields})
    return Body(text, content.compute_end(local_now))


def may_request(purpose: Purpose, registration: Registration, *, local_now: datetime) -> bool:
    """Return True if an SMS may be sent once more: its event has happened, and its body is true now."""
    # Its body says that there is no payment code yet.
    if purpose is Purpose.RECEIVED and registration.lifecycle.status is not Status.RECEIVED:
        return False
    version = find_event_version(purpose, registration)
    return version > 0 and render_body(purpose, version, registration, local_now=local_now) is not None


def find_event_version(purpose: Purpose, registration: Registration) -> int:
    """Return the version of the last event that a purpose belongs to, or 0 if it has not happened.

    The purposes without an event of their own belong to the registration's first one.
    """
    event_types = {each for each, of_event in PURPOSE_BY_EVENT_TYPE.items() if of_event is purpose}
    versions = [
        version
        for version, event in _number_events(registration.lifecycle)
        if event.event_type in event_types or (version == 1 and not event_types)
    ]
    return max(versions, default=0)


@dataclass(frozen=True)
class _Content:
    """The template and fields of a body. `when_over` takes its place after `last_true_day`."""

    purpose: Purpose
    fields: Mapping[str, str] = field(default_factory=dict)
    last_true_day: date | None = None
    when_over: "_Content | None" = None

    def is_over(self, local_now: datetime) -> bool:
        return self.last_true_day is not None and self.last_true_day < local_now.date()

    def compute_end(self, local_now: datetime) -> datetime | None:
        """Return the end of the last true day in the zone of `local_now`."""
        if self.last_true_day is None:
            return None
        return datetime.combine(self.last_true_day + timedelta(days=1), time(), tzinfo=local_now.tzinfo)


def _build_received(registration: Registration, _: int) -> _Content | None:
    return _build_while_open(Purpose.RECEIVED, registration)


def _build_already_registered(registration: Registration, _: int) -> _Content | None:
    return _build_while_open(Purpose.ALREADY_REGISTERED, registration)


def _build_while_open(purpose: Purpose, registration: Registration) -> _Content | None:
    if registration.lifecycle.status in ENDED_STATUSES:
        return None
    return _Content(purpose, {"reference": registration.reference})


def _build_payment_code(registration: Registration, event_version: int) -> _Content | None:
    lifecycle = registration.lifecycle
    code = lifecycle.payment_code
    issue_versions = [
        version
        for version, event in _number_events(lifecycle)
        if event.event_type is EventType.PAYMENT_CODE_ISSUED
    ]
    is_payable = lifecycle.status in {Status.AWAITING_PAYMENT, Status.ACTIVE, Status.LAPSED}
    is_paid_since = any(
        event.event_type is EventType.PAID and version > event_version
        for version, event in _number_events(lifecycle)
    )
    if code is None or issue_versions[-1:] != [event_version] or not is_payable or is_paid_since:
        return None
    fields = {
        "code": code.code,
        "amount": format_rupiah(code.amount),
        "until": format_day(code.expires_on, registration.worker.language),
    }
    return _Content(Purpose.PAYMENT_CODE, fields, code.expires_on)


def _build_active(registration: Registration, event_version: int) -> _Content | None:
    lifecycle = registration.lifecycle
    event = dict(_number_events(lifecycle)).get(event_version)
    payment_id = None if event is None else event.detail.get("payment_id")
    payment = next((each for each in lifecycle.payments if each.payment_id == payment_id), None)
    # A payment reported late may have lapsed before its SMS is sent.
    is_paid = lifecycle.status in {Status.ACTIVE, Status.LAPSED}
    if payment is None or not is_paid or lifecycle.active_until is None:
        return None
    amount = {"amount": format_rupiah(payment.amount)}
    until = {"until": format_day(lifecycle.active_until, registration.worker.language)}
    return _Content(
        Purpose.ACTIVE, amount | until, lifecycle.active_until, _Content(Purpose.PAYMENT_LATE, amount)
    )


def _build_mismatch(registration: Registration, _: int) -> _Content | None:
    return _Content(Purpose.MISMATCH) if registration.lifecycle.status is Status.MISMATCH else None


def _build_lapsing_soon(registration: Registration, event_version: int) -> _Content | None:
    lifecycle = registration.lifecycle
    event = dict(_number_events(lifecycle)).get(event_version)
    is_current = event is not None and event.detail.get("paid_through") == lifecycle.paid_through
    if lifecycle.status is not Status.ACTIVE or not is_current or lifecycle.lapses_on is None:
        return None
    fields = {"lapses_on": format_day(lifecycle.lapses_on, registration.worker.language)}
    # "Pay before" this day.
    return _Content(Purpose.LAPSING_SOON, fields, lifecycle.lapses_on - timedelta(days=1))


def _build_cancelled(registration: Registration, _: int) -> _Content | None:
    # The phone of an application that was taken over is told nothing more: it may be a stranger's.
    if registration.lifecycle.status is not Status.CANCELLED or Flag.TAKEN_OVER in registration.flags:
        return None
    # A phone over its cap was not told of the registration, unless by a payment code.
    if Flag.PHONE_OVER_CAP in registration.flags and registration.lifecycle.payment_code is None:
        return None
    return _Content(Purpose.CANCELLED, {"reference": registration.reference})


def _number_events(lifecycle: LifecycleState) -> list[tuple[int, LifecycleEvent]]:
    """Return each event with the version of the lifecycle that it made."""
    return list(enumerate(lifecycle.history, start=1))


# By the purpose that an SMS is stored with: `PAYMENT_LATE` is a text for `ACTIVE`.
_BUILDER_BY_PURPOSE: Mapping[Purpose, Callable[[Registration, int], _Content | None]] = {
    Purpose.RECEIVED: _build_received,
    Purpose.PAYMENT_CODE: _build_payment_code,
    Purpose.ACTIVE: _build_active,
    Purpose.MISMATCH: _build_mismatch,
    Purpose.LAPSING_SOON: _build_lapsing_soon,
    Purpose.ALREADY_REGISTERED: _build_already_registered,
    Purpose.CANCELLED: _build_cancelled,
}
