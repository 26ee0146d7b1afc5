"""The queue's messages: read, told, and told apart in log and metrics without naming anyone."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.messaging.errors import PermanentFailure, TransientFailure
from chalicelib.messaging.receipts import Receipt
from chalicelib.notifications import consumer
from chalicelib.notifications.errors import SmsUnknown
from chalicelib.notifications.messages import SmsDue
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.messages import KnownWorkerMet, RegistrationChanged, RegistrationReceived
from chalicelib.registrations.states import EventType
from tests.support.logs import collect_logs
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import REFERENCE

BODY = RegistrationReceived(reference=REFERENCE, correlation_id="c-1").model_dump_json()


def handle(body: str, *answers: str | Exception) -> NotificationHarness:
    stage = NotificationHarness(*answers)
    consumer.make_handler(stage.service)(body)
    return stage


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("gateway-1", "accepted"),
        (PermanentFailure("no"), "failed"),
        (TransientFailure("ThrottlingException"), "pending"),
    ],
)
def test_each_text_is_counted_and_logged_by_its_state(answer: str | Exception, state: str) -> None:
    with collect_logs() as lines:
        handle(BODY, answer)

    (metric,) = lines.metrics()
    assert (metric["Texts"], metric["state"]) == ([1.0], state)
    # The alarm on held texts watches the metric by this dimension alone.
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["state"]]
    (told,) = lines.with_message("sms processed")
    assert (told["state"], told["correlation_id"], told["purpose"]) == (state, "c-1", "received")


def test_neither_log_nor_metrics_name_the_worker() -> None:
    with collect_logs() as lines:
        handle(BODY)
    assert lines
    for personal in ("Melati", "82455507001", "7K4-M2Q-X9P"):
        assert personal not in str(lines)


@pytest.mark.parametrize("body", ["{}", "", '{"type": "RegistrationExpired", "version": 1}'])
def test_a_message_that_nobody_can_read_is_not_swallowed(body: str) -> None:
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
def test_each_kind_of_news_is_told_for_its_purpose(message: Any, purpose: str) -> None:
    row = handle(message.model_dump_json()).get_only_sms()
    assert row.purpose == purpose
    assert row.event_version == getattr(message, "event_version", 1)


def test_a_text_that_is_due_is_taken_up() -> None:
    stage = handle(BODY, TransientFailure("ThrottlingException"))
    with collect_logs() as lines:
        consumer.make_handler(stage.service)(SmsDue(sms_id=stage.get_only_sms().sms_id).model_dump_json())
    assert stage.get_only_sms().state == "accepted"
    assert lines.with_message("sms processed")[0]["correlation_id"] == "c-1"


def test_a_due_text_that_is_gone_has_no_recipient() -> None:
    with collect_logs() as lines:
        handle(SmsDue(sms_id="0123456789abcdef0123456789abcdef").model_dump_json())
    (line,) = lines.with_message("no recipient")
    assert line["sms_id"] == "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (SmsDue(sms_id="no-id-of-ours"), SmsUnknown),
        (KnownWorkerMet(reference="no-reference", correlation_id="c-1"), RegistrationUnknown),
    ],
)
def test_what_names_nothing_that_ever_was_is_not_swallowed(message: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        handle(message.model_dump_json())


class TakesReceipts:
    def __init__(self) -> None:
        self.taken: list[Receipt] = []

    def record_receipt(self, receipt: Receipt) -> None:
        self.taken.append(receipt)


def test_an_event_of_the_sms_service_is_noted_and_counted() -> None:
    takes, event = TakesReceipts(), {"eventType": "TEXT_DELIVERED", "messageId": "g-1"}
    with collect_logs() as lines:
        consumer.make_receipt_handler(takes)(
            json.dumps({**event, "eventTimestamp": 1728450000000, "context": {"sms_id": "m-1"}})
        )
    (receipt,) = takes.taken
    assert (receipt.sms_id, receipt.gateway_id, receipt.state) == ("m-1", "g-1", "delivered")
    assert lines.metrics()[0]["Receipts"] == [1.0]
    assert "receipt recorded" in str(lines)


def test_an_event_of_somebody_elses_text_is_left_alone() -> None:
    takes = TakesReceipts()
    consumer.make_receipt_handler(takes)('{"eventType": "TEXT_DELIVERED", "messageId": "g-1"}')
    assert takes.taken == []


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"eventType": "TEXT_SENT", "context": {"sms_id": "m"}}'])
def test_an_event_that_nobody_can_read_is_not_swallowed(body: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        consumer.make_receipt_handler(TakesReceipts())(body)
