"""What is said on each occasion: from a registration as it stands now to the words of one text.

A text is true when it goes out, or it does not go out: where the registration has moved on since the event,
there are no words.
"""

from collections.abc import Callable, Mapping

from chalicelib.notifications.templates import Purpose, Template, format_day, format_rupiah
from chalicelib.registrations.model import (
    ENDED_STATUSES,
    EventType,
    LifecycleEvent,
    LifecycleState,
    Registration,
    Status,
)

# Which news of a registration's life is told as what.
PURPOSE_BY_EVENT_TYPE: Mapping[EventType, Purpose] = {
    EventType.PAYMENT_CODE_ISSUED: Purpose.PAYMENT_CODE,
    EventType.PAID: Purpose.ACTIVE,
    EventType.MISMATCHED: Purpose.MISMATCH,
    EventType.LAPSING_SOON: Purpose.LAPSING_SOON,
}


def render_body(template: Template, event_version: int, registration: Registration) -> str | None:
    """The text that an event leads to; None if it is no longer true."""
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
    life = registration.lifecycle
    code = life.payment_code
    issued = [
        version
        for version, event in _number_events(life)
        if event.event_type is EventType.PAYMENT_CODE_ISSUED
    ]
    payable = life.status in {Status.AWAITING_PAYMENT, Status.ACTIVE, Status.LAPSED}
    paid_since = any(
        event.event_type is EventType.PAID and version > event_version
        for version, event in _number_events(life)
    )
    if code is None or issued[-1:] != [event_version] or not payable or paid_since:
        return None
    language = registration.worker.language
    return {
        "code": code.code,
        "amount": format_rupiah(code.amount),
        "until": format_day(code.expires_on, language),
    }


def _build_active_fields(registration: Registration, event_version: int) -> Fields:
    life = registration.lifecycle
    paid = dict(_number_events(life)).get(event_version)
    payment = next(
        (each for each in life.payments if paid and each.payment_id == paid.detail.get("payment_id")), None
    )
    if payment is None or life.status is not Status.ACTIVE or life.active_until is None:
        return None
    return {
        "amount": format_rupiah(payment.amount),
        "until": format_day(life.active_until, registration.worker.language),
    }


def _build_mismatch_fields(registration: Registration, _: int) -> Fields:
    return {} if registration.lifecycle.status is Status.MISMATCH else None


def _build_lapsing_soon_fields(registration: Registration, event_version: int) -> Fields:
    life = registration.lifecycle
    announced = dict(_number_events(life)).get(event_version)
    still_true = announced is not None and announced.detail.get("paid_through") == life.paid_through
    if life.status is not Status.ACTIVE or not still_true or not (life.active_until and life.lapses_on):
        return None
    language = registration.worker.language
    return {
        "paid_until": format_day(life.active_until, language),
        "lapses_on": format_day(life.lapses_on, language),
    }


def _number_events(lifecycle: LifecycleState) -> list[tuple[int, LifecycleEvent]]:
    """Each event with the version of the life that it made."""
    return list(enumerate(lifecycle.history, start=1))


_BUILDER_BY_PURPOSE: Mapping[Purpose, Callable[[Registration, int], Fields]] = {
    Purpose.RECEIVED: _build_received_fields,
    Purpose.PAYMENT_CODE: _build_payment_code_fields,
    Purpose.ACTIVE: _build_active_fields,
    Purpose.MISMATCH: _build_mismatch_fields,
    Purpose.LAPSING_SOON: _build_lapsing_soon_fields,
    Purpose.ALREADY_REGISTERED: _build_already_registered_fields,
}
