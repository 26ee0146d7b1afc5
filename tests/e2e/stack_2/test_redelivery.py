"""Deliveries that come twice, as AWS says they will: the queue's, the stream's and the schedule's."""

import base64
import json
from typing import Any

import pytest

from infra.functions import ALIAS
from tests.support.aws_events import make_stream_event
from tests.support.isolated_campaign import Market, await_pipeline_idle, find_confirmation, open_market
from tests.support.polling import wait_until
from tests.support.queue_control import await_message_body, pause_notifications
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

# What a text comes to once a gateway has it; receipts follow within moments.
TAKEN = {"accepted", "sent", "delivered"}


def registration(stack: RunningStack, reference: str) -> dict[str, Any]:
    """The item of a registration, as the table keeps it."""
    found: dict[str, Any] = stack.aws_client("dynamodb").get_item(
        TableName=stack.description.outputs["RegistrationsTableName"],
        Key={"pk": {"S": f"REGISTRATION#{reference}"}, "sk": {"S": "APPLICATION"}},
    )["Item"]
    return found


def ledger_row(stack: RunningStack, reference: str) -> dict[str, Any]:
    """The row of the text of a registration, once the gateway has accepted it."""

    def look() -> dict[str, Any]:
        row = find_confirmation(stack, reference)
        return row if row.get("state") in TAKEN else {}

    return wait_until(f"the text of {reference} to be accepted", look)


@pytest.fixture
def market(stack: RunningStack) -> Market:
    return open_market(stack)


def test_a_message_names_a_registration_and_nothing_of_its_worker(
    stack: RunningStack, market: Market
) -> None:
    capture = market.make_capture_payload()
    with pause_notifications(stack):
        answer = market.register(capture)
        message = json.loads(await_message_body(stack, answer.json()["reference"]))

    assert set(message) == {"type", "version", "reference", "correlation_id"}
    assert message["correlation_id"] == answer.headers["X-Correlation-Id"]
    market.await_sms(answer.json()["reference"])


def test_a_message_delivered_again_sends_one_sms(stack: RunningStack, market: Market) -> None:
    sqs, url = stack.aws_client("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    with pause_notifications(stack):
        reference = market.register(market.make_capture_payload()).json()["reference"]
        body = await_message_body(stack, reference)
    market.await_sms(reference)
    ledger_row(stack, reference)

    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    await_pipeline_idle(stack)

    assert len(market.find_sms(reference)) == 1


def test_a_message_delivered_many_times_at_once_sends_one_sms(stack: RunningStack, market: Market) -> None:
    sqs, url = stack.aws_client("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    with pause_notifications(stack):
        reference = market.register(market.make_capture_payload()).json()["reference"]
        body = await_message_body(stack, reference)
        for _ in range(9):
            sqs.send_message(QueueUrl=url, MessageBody=body)
    market.await_sms(reference)

    def waiting() -> int:
        names = ["ApproximateNumberOfMessages"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    wait_until("every delivery to have been tried", lambda: waiting() == 0)
    # Those that met another's attempt would come back when their visibility timeout is over.
    sqs.purge_queue(QueueUrl=url)
    await_pipeline_idle(stack)
    assert len(market.find_sms(reference)) == 1


def test_a_change_that_the_stream_delivers_again_sends_one_sms(stack: RunningStack, market: Market) -> None:
    reference = market.register(market.make_capture_payload()).json()["reference"]
    market.await_sms(reference)

    log = ""

    def deliver() -> bool:
        nonlocal log
        answer = stack.aws_client("lambda").invoke(
            FunctionName=stack.description.outputs["OnRegistrationChangesName"],
            Qualifier=ALIAS,
            LogType="Tail",
            Payload=json.dumps(make_stream_event(registration(stack, reference))),
        )
        log = base64.b64decode(answer["LogResult"]).decode()
        # The stream delivers once more what met its own first delivery.
        return bool(json.loads(answer["Payload"].read()) == {"batchItemFailures": []})

    for _ in range(2):
        wait_until("the change to be published", deliver)
    await_pipeline_idle(stack)

    assert len(market.find_sms(reference)) == 1


def test_an_hourly_run_that_fires_twice_writes_one_version(stack: RunningStack, market: Market) -> None:
    market.await_sms(market.register(market.make_capture_payload()).json()["reference"])

    stack.fire_schedules()
    once = market.get_summary()
    stack.fire_schedules()

    assert market.get_summary() == once
    assert once["version"] == 1


def test_a_late_capture_is_the_next_version_of_its_day(stack: RunningStack, market: Market) -> None:
    market.await_sms(market.register(market.make_capture_payload()).json()["reference"])
    stack.fire_schedules()

    market.await_sms(market.register(market.make_capture_payload(), caller="kiosk-1").json()["reference"])
    stack.fire_schedules()

    late = market.get_summary()
    assert (late["version"], late["counts"]["created"]) == (2, 2)
    assert {"figure": "by_client.kiosk-1", "was": 0, "now": 1} in late["changes"]


def test_an_unreadable_message_does_not_block_the_others(stack: RunningStack, market: Market) -> None:
    sqs, url = stack.aws_client("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody='{"type": "RegistrationExpired", "version": 1}')

    text = market.await_sms(market.register(market.make_capture_payload()).json()["reference"])

    assert text
    # It would come back when its visibility timeout is over, long after these tests.
    sqs.purge_queue(QueueUrl=url)


def test_the_ledger_holds_one_row_per_sms_and_no_personal_data(stack: RunningStack, market: Market) -> None:
    reference = market.register(market.make_capture_payload()).json()["reference"]
    text = market.await_sms(reference)

    row = ledger_row(stack, reference)

    assert (row["reference"], row["attempts"]) == (reference, 1)
    assert set(row["sends"]) == {text["message_id"]}
    assert text["to"] not in str(row)
