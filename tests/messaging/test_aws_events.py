"""Receipts from events of AWS End User Messaging."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.messaging import aws_events

# The example of the user guide, with unassigned numbers.
EVENT = {
    "eventType": "TEXT_SUCCESSFUL",
    "eventVersion": "1.0",
    "eventTimestamp": 1728450123456,
    "isFinal": True,
    "originationPhoneNumber": "BPJAMSOSTEK",
    "destinationPhoneNumber": "+6282455507001",
    "isoCountryCode": "ID",
    "messageId": "7ac3b1f0-0000-4000-8000-000000000000",
    "messageRequestTimestamp": 1728450120000,
    "messageEncoding": "GSM",
    "messageType": "TRANSACTIONAL",
    "messageStatus": "SUCCESSFUL",
    "messageStatusDescription": "Message has been accepted by phone carrier",
    "context": {"sms_id": "m-1", "correlation_id": "c-1"},
    "totalMessageParts": 1,
    "totalMessagePrice": 0.01939,
    "totalCarrierFee": 0.00061,
}


def parse(**changes: Any) -> Any:
    return aws_events.parse_receipt(json.dumps({**EVENT, **changes}))


def test_event_becomes_a_receipt() -> None:
    receipt = parse()
    assert (receipt.sms_id, receipt.gateway, receipt.gateway_id) == ("m-1", "aws", EVENT["messageId"])
    assert receipt.occurred_at == datetime(2024, 10, 9, 5, 2, 3, 456000, tzinfo=UTC)
    assert (receipt.parts, receipt.price_microusd) == (1, 20_000), "message price and carrier fee"
    assert "82455507001" not in repr(receipt)


@pytest.mark.parametrize(
    ("event_type", "state"),
    [
        ("TEXT_SENT", "sent"),
        ("TEXT_SUCCESSFUL", "sent"),
        ("TEXT_UNKNOWN", "sent"),
        ("TEXT_DELIVERED", "delivered"),
        ("TEXT_UNREACHABLE", "failed"),
        ("TEXT_CARRIER_BLOCKED", "failed"),
        ("TEXT_TTL_EXPIRED", "failed"),
        ("TEXT_PROTECT_BLOCKED", "failed"),
    ],
)
def test_event_type_gives_the_state_of_the_receipt(event_type: str, state: str) -> None:
    receipt = parse(eventType=event_type)
    assert receipt.state == state
    assert receipt.reason == (event_type if state == "failed" else None)


@pytest.mark.parametrize(
    "changes",
    [{"eventType": "TEXT_QUEUED"}, {"eventType": "VOICE_ANSWERED"}, {"context": {}}, {"context": None}],
)
def test_other_events_are_no_receipts(changes: dict[str, Any]) -> None:
    assert parse(**changes) is None


def test_event_without_a_price_is_a_receipt() -> None:
    event = {name: value for name, value in EVENT.items() if not name.startswith("total")}
    receipt = aws_events.parse_receipt(json.dumps(event))
    assert receipt is not None
    assert (receipt.parts, receipt.price_microusd) == (None, None)
