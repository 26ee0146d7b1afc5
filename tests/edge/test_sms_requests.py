"""`POST /v1/registrations/{reference}/sms`, through the stream to the gateway."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from chalice.test import HTTPResponse

from chalicelib.notifications.requests import MAX_REQUESTS_PER_DAY
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.aws_events import make_sqs_event, make_stream_event
from tests.support.payloads import make_capture_payload
from tests.support.stage_state import scan_registrations

PURPOSES = ["received", "payment_code", "active", "mismatch", "lapsing_soon", "already_registered"]


@pytest.fixture
def reference(edge: Edge) -> str:
    reference: str = edge.register(make_capture_payload()).json_body["reference"]
    return reference


def request_sms(edge: Edge, reference: str, purpose: Any = "received", caller: str = "kiosk") -> HTTPResponse:
    return edge.send("POST", f"/v1/registrations/{reference}/sms", {"purpose": purpose}, caller=caller)


def publish_and_send(edge: Edge) -> None:
    """Publish the stored registration as a new one, with all its events, and send what the queue has."""
    (item,) = scan_registrations("APPLICATION")
    old_item = {**item, "history": {"L": item["history"]["L"][:1]}}
    edge.invoke("on_registration_changes", make_stream_event(item, event_name="MODIFY", old_item=old_item))
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="notifications")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    assert edge.invoke("on_notifications", make_sqs_event(*(each["Body"] for each in messages))) == {
        "batchItemFailures": []
    }


def test_a_requested_sms_is_sent_once_and_a_repeat_sends_no_other(
    edge: Edge, gateway: FakeSmsServer, reference: str, log_output: LogOutput
) -> None:
    first = request_sms(edge, reference)
    before = dump_stored_state(without="AuditTable")
    repeat = request_sms(edge, reference)

    assert (first.status_code, repeat.status_code, repeat.body) == (202, 202, first.body)
    assert "Idempotent-Replayed" not in first.headers
    assert repeat.headers["Idempotent-Replayed"] == "true"
    assert dump_stored_state(without="AuditTable") == before
    event = first.json_body["history"][-1]
    assert (event["event"], event["client_id"], event["detail"]) == (
        "sms_requested",
        "van-1",
        {"purpose": "received"},
    )

    for _ in range(2):
        publish_and_send(edge)

    (sms,) = gateway.inbox.list_sms()
    assert (sms.to, reference in sms.text) == ("+6282455507001", True)
    assert "82455507001" not in log_output.text


def test_what_is_not_true_now_is_refused(edge: Edge, reference: str) -> None:
    before = dump_stored_state()

    for purpose in ("payment_code", "active", "mismatch", "lapsing_soon"):
        assert_problem(request_sms(edge, reference, purpose), 409, "sms_not_applicable")

    assert dump_stored_state() == before


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_worker_without_a_phone_gets_no_sms_whatever_it_is_for(edge: Edge, purpose: str) -> None:
    capture = make_capture_payload(worker={"phone": None})
    reference = edge.register(capture).json_body["reference"]

    assert_problem(request_sms(edge, reference, purpose), 409, "worker_without_phone")


def test_a_fourth_request_of_a_day_is_refused_with_the_time_to_wait(edge: Edge, reference: str) -> None:
    registrations = edge.container.reading
    for _ in range(MAX_REQUESTS_PER_DAY):
        registration = registrations.get(reference)
        edge.container.lifecycle.store_change(
            registration,
            lambda current: replace(
                current,
                lifecycle=current.lifecycle.with_sms_request(
                    "already_registered", occurred_at=edge.container.clock(), client_id="van-2"
                ),
            ),
        )

    response = request_sms(edge, reference)

    assert_problem(response, 429, "sms_request_cap_reached")
    assert 0 < int(response.headers["Retry-After"]) <= 24 * 3600


@pytest.mark.parametrize("purpose", ["receipt", "", None, 7, "Received"])
def test_an_unknown_purpose_is_refused(edge: Edge, reference: str, purpose: Any) -> None:
    problem = assert_problem(request_sms(edge, reference, purpose), 422, "body_invalid")

    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("purpose", "value_not_allowed")]


@pytest.mark.parametrize("caller", ["kiosk elsewhere", "kiosk"])
def test_a_registration_of_another_campaign_is_unknown(edge: Edge, reference: str, caller: str) -> None:
    asked = reference if caller == "kiosk elsewhere" else "7K4-M2Q-X9P"

    assert_problem(request_sms(edge, asked, caller=caller), 404, "registration_unknown")
