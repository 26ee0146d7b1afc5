"""The history of a registration, and what is to be paid and was paid, as values of its item, and back."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.aws.items import Values
from chalicelib.campaigns.model import Zone
from chalicelib.clock import to_timestamp
from chalicelib.registrations.model import (
    EventType,
    LifecycleEvent,
    LifecycleState,
    Registration,
    Status,
    Verification,
)
from chalicelib.registrations.store_amounts import pad_amounts

if TYPE_CHECKING:
    from chalicelib.registrations.reported_events import Payment

_PAYMENT_ID = "payment_id"

# Earlier releases counted months by the fund's clock, and stored no zone.
_EARLIER_ZONE: Zone = "Asia/Jakarta"


def serialize_money(registration: Registration) -> str:
    """Return the quote, the payment code, the payments and the card number, to be sealed."""
    lifecycle = registration.lifecycle
    code = lifecycle.payment_code
    document = {
        "quote": pad_amounts(registration.quote.model_dump_json()),
        "payment_code": None if code is None else code.model_dump(mode="json"),
        "payments": [payment.model_dump(mode="json") for payment in lifecycle.payments],
        "kpj": lifecycle.kpj,
    }
    return pad_amounts(json.dumps(document))


def build_history(history: Iterable[LifecycleEvent]) -> list[Values]:
    """Return events as values, without the payments' ids."""
    return [_build_event(event) for event in history]


def parse_lifecycle(values: Mapping[str, Any], money: Mapping[str, Any]) -> LifecycleState:
    # Imported for a stored registration: the cold start of a capture would pay for it.
    from chalicelib.registrations.reported_events import Payment, PaymentCode

    code = money["payment_code"]
    payments = tuple(Payment.model_validate(payment) for payment in money["payments"])
    return LifecycleState(
        status=Status(values["status"]),
        status_since=datetime.fromisoformat(values["since"]),
        version=int(values["version"]),
        history=tuple(_parse_events(values["history"], payments)),
        verification=Verification(values["verification"]),
        payment_code=None if code is None else PaymentCode.model_validate(code),
        payments=payments,
        kpj=money["kpj"],
        paid_through=values.get("paid_through"),
        zone=values.get("zone", _EARLIER_ZONE),
    )


def _build_event(event: LifecycleEvent) -> Values:
    # A payment's id is made by the core system and may contain a card number: it is sealed with the payment.
    detail = {name: value for name, value in event.detail.items() if name != _PAYMENT_ID}
    return {
        "event_type": event.event_type,
        "status": event.status,
        "at": to_timestamp(event.occurred_at),
        "client_id": event.client_id,
        "detail": detail,
    }


def _parse_events(
    history: Iterable[Mapping[str, Any]], payments: "Iterable[Payment]"
) -> Iterator[LifecycleEvent]:
    # Each payment made one event, in the same order.
    payment_ids = iter(payment.payment_id for payment in payments)
    for values in history:
        event_type = EventType(values["event_type"])
        detail: dict[str, str | int] = (
            {_PAYMENT_ID: next(payment_ids)} if event_type is EventType.PAID else {}
        )
        for name, value in values["detail"].items():
            detail[name] = value if isinstance(value, str) else int(value)
        yield LifecycleEvent(
            event_type=event_type,
            status=Status(values["status"]),
            occurred_at=datetime.fromisoformat(values["at"]),
            client_id=values["client_id"],
            detail=detail,
        )
