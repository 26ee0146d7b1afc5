"""Deliveries that come twice, as AWS says they will: the queue's, the stream's and the schedule's."""

import json
from typing import Any

import pytest

from chalicelib.dynamodb import from_item
from tests.e2e.conftest import RunningStack
from tests.e2e.market import Market, a_market, let_everything_arrive, text_id
from tests.e2e.queues import message_of, undelivered
from tests.e2e.waiting import until
from tests.events import stream_event

pytestmark = pytest.mark.e2e

# What a text comes to once a gateway has it; receipts follow within moments.
TAKEN = {"accepted", "sent", "delivered"}


def registration(stack: RunningStack, reference: str) -> dict[str, Any]:
    """The item of a registration, as the table keeps it."""
    found: dict[str, Any] = stack.aws("dynamodb").get_item(
        TableName=stack.description.outputs["RegistrationsTableName"],
        Key={"pk": {"S": f"REGISTRATION#{reference}"}, "sk": {"S": "APPLICATION"}},
    )["Item"]
    return found


def ledger_row(stack: RunningStack, reference: str) -> dict[str, Any]:
    """The row of the text of a registration, once the gateway has accepted it."""

    def look() -> dict[str, Any]:
        found = stack.aws("dynamodb").get_item(
            TableName=stack.description.outputs["TextsTableName"],
            Key={"message_id": {"S": text_id(reference)}},
        )
        row = from_item(found.get("Item", {}))
        return row if row.get("state") in TAKEN else {}

    return until(f"the text of {reference} to be accepted", look)


@pytest.fixture
def market(stack: RunningStack) -> Market:
    return a_market(stack)


def test_a_message_names_a_registration_and_nothing_of_its_worker(
    stack: RunningStack, market: Market
) -> None:
    capture = market.capture()
    with undelivered(stack):
        answer = market.register(capture)
        message = json.loads(message_of(stack, answer.json()["reference"]))

    assert set(message) == {"type", "version", "reference", "correlation_id"}
    assert message["correlation_id"] == answer.headers["X-Correlation-Id"]
    market.await_text_of(answer.json()["reference"])


def test_a_message_that_is_delivered_again_is_one_text(stack: RunningStack, market: Market) -> None:
    sqs, url = stack.aws("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    with undelivered(stack):
        reference = market.register(market.capture()).json()["reference"]
        body = message_of(stack, reference)
    market.await_text_of(reference)
    ledger_row(stack, reference)

    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    let_everything_arrive(stack)

    assert len(market.texts_of(reference)) == 1


def test_a_message_that_is_delivered_many_times_at_once_is_one_text(
    stack: RunningStack, market: Market
) -> None:
    sqs, url = stack.aws("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    with undelivered(stack):
        reference = market.register(market.capture()).json()["reference"]
        body = message_of(stack, reference)
        for _ in range(9):
            sqs.send_message(QueueUrl=url, MessageBody=body)
    market.await_text_of(reference)

    def waiting() -> int:
        names = ["ApproximateNumberOfMessages"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    until("every delivery to have been tried", lambda: waiting() == 0)
    # Those that met another's attempt would come back when their visibility timeout is over.
    sqs.purge_queue(QueueUrl=url)
    let_everything_arrive(stack)
    assert len(market.texts_of(reference)) == 1


def test_a_change_that_the_stream_tells_again_is_one_text(stack: RunningStack, market: Market) -> None:
    reference = market.register(market.capture()).json()["reference"]
    market.await_text_of(reference)

    for _ in range(2):
        answer = stack.aws("lambda").invoke(
            FunctionName=stack.description.outputs["OnRegistrationChangesName"],
            Payload=json.dumps(stream_event(registration(stack, reference))),
        )
        assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    let_everything_arrive(stack)

    assert len(market.texts_of(reference)) == 1


def test_the_hour_that_strikes_twice_writes_one_version(stack: RunningStack, market: Market) -> None:
    market.await_text_of(market.register(market.capture()).json()["reference"])

    stack.fire_schedule()
    once = market.counted()
    stack.fire_schedule()

    assert market.counted() == once
    assert once["version"] == 1


def test_a_late_capture_is_the_next_version_of_its_day(stack: RunningStack, market: Market) -> None:
    market.await_text_of(market.register(market.capture()).json()["reference"])
    stack.fire_schedule()

    market.await_text_of(market.register(market.capture(), by="kiosk-1").json()["reference"])
    stack.fire_schedule()

    late = market.counted()
    assert (late["version"], late["counts"]["created"]) == (2, 2)
    assert {"figure": "by_client.kiosk-1", "was": 0, "now": 1} in late["changes"]


def test_a_message_that_nobody_can_read_holds_up_no_other(stack: RunningStack, market: Market) -> None:
    sqs, url = stack.aws("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody='{"type": "RegistrationExpired", "version": 1}')

    text = market.await_text_of(market.register(market.capture()).json()["reference"])

    assert text
    # It would come back when its visibility timeout is over, long after these tests.
    sqs.purge_queue(QueueUrl=url)


def test_the_ledger_holds_one_row_a_text_and_no_person(stack: RunningStack, market: Market) -> None:
    reference = market.register(market.capture()).json()["reference"]
    text = market.await_text_of(reference)

    row = ledger_row(stack, reference)

    assert (row["registration"], row["attempts"]) == (reference, 1)
    assert set(row["sends"]) == {text["message_id"]}
    assert text["to"] not in str(row)
