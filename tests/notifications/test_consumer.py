"""Handlers of queue messages, their logs and metrics."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.messaging.errors import PermanentFailure, TransientFailure
from chalicelib.messaging.receipts import Receipt
from chalicelib.notifications import consumer
from chalicelib.notifications.errors import SmsUnknown
from chalicelib.notifications.messages import SmsDue
from chalicelib.registrations.domain_events import KnownWorkerMet, RegistrationChanged, RegistrationReceived
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import EventType
from tests.support.logs import collect_logs
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import REFERENCE, make_registration

BODY = RegistrationReceived(reference=REFERENCE, correlation_id="c-1").model_dump_json()


def handle(body: str, *answers: str | Exception) -> NotificationHarness:
    harness = NotificationHarness(*answers)
    consumer.handle(harness.service, body)
    return harness


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("gateway-1", "accepted"),
        (PermanentFailure("no"), "failed"),
        (TransientFailure("ThrottlingException"), "pending"),
    ],
)
def test_each_sms_is_counted_and_logged_by_its_state(answer: str | Exception, state: str) -> None:
    with collect_logs() as logs:
        handle(BODY, answer)

    (metric,) = logs.metrics()
    assert (metric["Sms"], metric["state"]) == ([1.0], state)
    # The alarm on held SMS watches the metric by this dimension alone.
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["state"]]
    (log_line,) = logs.with_message("sms processed")
    assert (log_line["state"], log_line["correlation_id"], log_line["purpose"]) == (state, "c-1", "received")


def test_logs_and_metrics_do_not_name_the_worker() -> None:
    with collect_logs() as logs:
        handle(BODY)
    assert logs
    for personal in ("Melati", "82455507001", "7K4-M2Q-X9P"):
        assert personal not in str(logs)


@pytest.mark.parametrize(
    "message",
    [
        RegistrationReceived(reference=REFERENCE, correlation_id="c-1"),
        KnownWorkerMet(reference=REFERENCE, correlation_id="c-1"),
        RegistrationChanged(
            reference=REFERENCE, correlation_id="c-1", event_type=EventType.LAPSING_SOON, event_version=3
        ),
    ],
)
def test_a_worker_without_a_phone_gets_no_sms_and_no_row(message: Any) -> None:
    harness = NotificationHarness(registrations=[make_registration(phone=None)])
    with collect_logs() as logs:
        consumer.handle(harness.service, message.model_dump_json())

    assert (harness.ledger.sms_by_id, harness.gateway.sent_sms) == ({}, [])
    assert (len(logs.with_message("worker without phone")), logs.metrics()) == (1, [])
    assert harness.advance(timedelta(days=10)).run_due_sms() == []


@pytest.mark.parametrize("body", ["{}", "", '{"type": "RegistrationExpired", "version": 1}'])
def test_malformed_message_raises(body: str) -> None:
    with pytest.raises(ValidationError):
        handle(body)


@pytest.mark.parametrize(
    ("message", "purpose"),
    [
        (KnownWorkerMet(reference=REFERENCE, correlation_id="c-1"), "already_registered"),
        (
            RegistrationChanged(
                reference=REFERENCE,
                correlation_id="c-1",
                event_type=EventType.LAPSING_SOON,
                event_version=3,
            ),
            "lapsing_soon",
        ),
    ],
)
def test_event_type_gives_the_purpose_of_the_sms(message: Any, purpose: str) -> None:
    row = handle(message.model_dump_json()).get_only_sms()
    assert row.purpose == purpose
    assert row.event_version == getattr(message, "event_version", 1)


def test_due_sms_is_sent() -> None:
    harness = handle(BODY, TransientFailure("ThrottlingException"))
    with collect_logs() as logs:
        consumer.handle(harness.service, SmsDue(sms_id=harness.get_only_sms().sms_id).model_dump_json())
    assert harness.get_only_sms().state == "accepted"
    assert logs.with_message("sms processed")[0]["correlation_id"] == "c-1"


def test_due_sms_that_was_erased_has_no_recipient() -> None:
    with collect_logs() as logs:
        handle(SmsDue(sms_id="0123456789abcdef0123456789abcdef").model_dump_json())
    (log_line,) = logs.with_message("no recipient")
    assert log_line["sms_id"] == "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (SmsDue(sms_id="no-id-of-ours"), SmsUnknown),
        (KnownWorkerMet(reference="no-reference", correlation_id="c-1"), RegistrationUnknown),
    ],
)
def test_malformed_id_or_reference_raises(message: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        handle(message.model_dump_json())


class RecordingSink:
    def __init__(self) -> None:
        self.receipts: list[Receipt] = []

    def record_receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)


def test_event_of_aws_is_recorded_and_counted() -> None:
    sink, event = RecordingSink(), {"eventType": "TEXT_DELIVERED", "messageId": "g-1"}
    with collect_logs() as logs:
        consumer.handle_receipt(
            sink, json.dumps({**event, "eventTimestamp": 1728450000000, "context": {"sms_id": "m-1"}})
        )
    (receipt,) = sink.receipts
    assert (receipt.sms_id, receipt.gateway_id, receipt.state) == ("m-1", "g-1", "delivered")
    assert logs.metrics()[0]["Receipts"] == [1.0]
    assert "receipt recorded" in str(logs)


def test_event_of_an_unknown_sms_is_ignored() -> None:
    sink = RecordingSink()
    consumer.handle_receipt(sink, '{"eventType": "TEXT_DELIVERED", "messageId": "g-1"}')
    assert sink.receipts == []


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"eventType": "TEXT_SENT", "context": {"sms_id": "m"}}'])
def test_malformed_event_raises(body: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        consumer.handle_receipt(RecordingSink(), body)
