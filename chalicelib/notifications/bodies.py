"""The purposes of SMS, and the body of each, from its template and the current registration.

There is no body if the registration has changed since the event and the SMS would be wrong now.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from chalicelib.notifications.templates import Template, format_day
from chalicelib.registrations.model import (
    ENDED_STATUSES,
    EventType,
    LifecycleEvent,
    LifecycleState,
    Registration,
    Status,
)
from chalicelib.rupiah import format_rupiah


class Purpose(StrEnum):
    """The purposes of SMS, each with a template in `templates.json`."""

    RECEIVED = "received"
    PAYMENT_CODE = "payment_code"
    ACTIVE = "active"
    MISMATCH = "mismatch"
    LAPSING_SOON = "lapsing_soon"
    ALREADY_REGISTERED = "already_registered"


PURPOSE_BY_EVENT_TYPE: Mapping[EventType, Purpose] = {
    EventType.PAYMENT_CODE_ISSUED: Purpose.PAYMENT_CODE,
    EventType.PAID: Purpose.ACTIVE,
    EventType.MISMATCHED: Purpose.MISMATCH,
    EventType.LAPSING_SOON: Purpose.LAPSING_SOON,
}


def render_body(template: Template, event_version: int, registration: Registration) -> str | None:
    """Return the body of the SMS for an event, or None if it would be wrong now."""
    fields = _BUILDER_BY_PURPOSE[Purpose(template.purpose)](registration, event_version)
    if fields is None:
        return None
    return template.render(registration.worker.language, **{"name": registration.worker.name, **fields})


Fields = dict[str, str] | None


def _build_received_fields(registration: Registration, _: int) -> Fields:
    return {"reference": registration.reference}


def _build_already_registered_fields(registration: Registration, _: int) -> Fields:
    return None if registration.lifecycle.status in ENDED_STATUSES else {"reference": registration.reference}


def _build_payment_code_fields(registration: Registration, event_version: int) -> Fields:
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
    language = registration.worker.language
    return {
        "code": code.code,
        "amount": format_rupiah(code.amount),
        "until": format_day(code.expires_on, language),
    }


def _build_active_fields(registration: Registration, event_version: int) -> Fields:
    lifecycle = registration.lifecycle
    event = dict(_number_events(lifecycle)).get(event_version)
    payment_id = None if event is None else event.detail.get("payment_id")
    payment = next((each for each in lifecycle.payments if each.payment_id == payment_id), None)
    if payment is None or lifecycle.status is not Status.ACTIVE or lifecycle.active_until is None:
        return None
    return {
        "amount": format_rupiah(payment.amount),
        "until": format_day(lifecycle.active_until, registration.worker.language),
    }


def _build_mismatch_fields(registration: Registration, _: int) -> Fields:
    return {} if registration.lifecycle.status is Status.MISMATCH else None


def _build_lapsing_soon_fields(registration: Registration, event_version: int) -> Fields:
    lifecycle = registration.lifecycle
    event = dict(_number_events(lifecycle)).get(event_version)
    is_current = event is not None and event.detail.get("paid_through") == lifecycle.paid_through
    if (
        lifecycle.status is not Status.ACTIVE
        or not is_current
        or not (lifecycle.active_until and lifecycle.lapses_on)
    ):
        return None
    language = registration.worker.language
    return {
        "paid_until": format_day(lifecycle.active_until, language),
        "lapses_on": format_day(lifecycle.lapses_on, language),
    }


def _number_events(lifecycle: LifecycleState) -> list[tuple[int, LifecycleEvent]]:
    """Return each event with the version of the lifecycle that it made."""
    return list(enumerate(lifecycle.history, start=1))


_BUILDER_BY_PURPOSE: Mapping[Purpose, Callable[[Registration, int], Fields]] = {
    Purpose.RECEIVED: _build_received_fields,
    Purpose.PAYMENT_CODE: _build_payment_code_fields,
    Purpose.ACTIVE: _build_active_fields,
    Purpose.MISMATCH: _build_mismatch_fields,
    Purpose.LAPSING_SOON: _build_lapsing_soon_fields,
    Purpose.ALREADY_REGISTERED: _build_already_registered_fields,
}
