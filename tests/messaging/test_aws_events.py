"""AWS's events as receipts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.messaging import aws_events

# As the user guide shows one, with numbers that nobody has.
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


def receipt(**changes: Any) -> Any:
    return aws_events.parse_receipt(json.dumps({**EVENT, **changes}))


def test_an_event_says_what_a_receipt_says() -> None:
    noted = receipt()
    assert (noted.sms_id, noted.gateway, noted.gateway_id) == ("m-1", "aws", EVENT["messageId"])
    assert noted.occurred_at == datetime(2024, 10, 9, 5, 2, 3, 456000, tzinfo=UTC)
    assert (noted.parts, noted.price_microusd) == (1, 20_000), "message price and carrier fee"
    assert "82455507001" not in repr(noted)


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
def test_each_kind_of_event_says_what_became_of_the_text(event_type: str, state: str) -> None:
    noted = receipt(eventType=event_type)
    assert noted.state == state
    assert noted.reason == (event_type if state == "failed" else None)


@pytest.mark.parametrize(
    "changes",
    [{"eventType": "TEXT_QUEUED"}, {"eventType": "VOICE_ANSWERED"}, {"context": {}}, {"context": None}],
)
def test_what_says_nothing_new_of_a_text_of_ours_is_no_receipt(changes: dict[str, Any]) -> None:
    assert receipt(**changes) is None


def test_an_event_may_come_without_a_price() -> None:
    event = {name: value for name, value in EVENT.items() if not name.startswith("total")}
    noted = aws_events.parse_receipt(json.dumps(event))
    assert noted is not None
    assert (noted.parts, noted.price_microusd) == (None, None)
