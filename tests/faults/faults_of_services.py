"""Faults of the services that functions call, and of the events that they get. `make faults` runs them."""

import io
import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

from chalicelib.clock import utc_now
from ops.dead_letters.queues import DEAD_LETTER_QUEUES, DeadLetter
from ops.dead_letters.redrive import redrive
from ops.deploy.stages import Stage
from ops.key_rotation import KeyRotation
from tests.faults.drill import WORKERS, Drill, Outcome, is_application, scan
from tests.faults.proxies import count_hits, run_proxy
from tests.support.damaged_items import damage_item, flip_byte
from tests.support.dead_letters import make_stream_failure
from tests.support.moto_tables import read_table_definitions

Conclude = Callable[[Outcome], None]
NUMBERS = range(1, WORKERS + 1)
FIRST_HALF, SECOND_HALF = NUMBERS[: WORKERS // 2], NUMBERS[WORKERS // 2 :]
AWS_CLIENT: Any = boto3.client
CONFLICT = [{"Code": "TransactionConflict"}] * 4


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("DynamoDB throttled", "ThrottlingException"), ("DynamoDB closes connections", "drop")],
)
def test_dynamodb_that_fails(drill: Drill, conclude: Conclude, fault: str, kind: str) -> None:
    operations = ("TransactWriteItems", "UpdateItem", "GetItem", "PutItem", "Query")
    with run_proxy(drill, "DYNAMODB") as proxy:
        for operation in operations:
            proxy.add_fault(operation, kind, times=5)
        drill.register(*NUMBERS)
        recovered_after = drill.settle()
        injected = count_hits(proxy, 5 * len(operations))

    conclude(drill.conclude(fault, injected=injected, recovered_after=recovered_after))


def test_dynamodb_that_does_not_answer(drill: Drill, conclude: Conclude) -> None:
    with run_proxy(drill, "DYNAMODB") as proxy:
        proxy.add_fault("TransactWriteItems", "hang", times=1)
        drill.register(*NUMBERS)
        recovered_after = drill.settle()
        injected = count_hits(proxy, 1)

    conclude(drill.conclude("DynamoDB times out", injected=injected, recovered_after=recovered_after))


def test_a_storm_of_transaction_conflicts(drill: Drill, conclude: Conclude) -> None:
    with run_proxy(drill, "DYNAMODB") as proxy:
        kind = "TransactionCanceledException"
        proxy.add_fault("TransactWriteItems", kind, times=40, cancellation_reasons=CONFLICT)
        drill.register(*NUMBERS)
        injected = count_hits(proxy, 40)

    recovered_after = drill.settle()
    conclude(
        drill.conclude("storm of transaction conflicts", injected=injected, recovered_after=recovered_after)
    )


def test_sqs_that_answers_5xx(drill: Drill, conclude: Conclude) -> None:
    drill.register(*NUMBERS)
    with run_proxy(drill, "SQS") as proxy:
        proxy.add_fault("SendMessageBatch", "InternalServerError", times=6)
        drill.publish()
        injected = count_hits(proxy, 6)

    recovered_after = drill.settle()
    conclude(drill.conclude("SQS answers 5xx", injected=injected, recovered_after=recovered_after))


def test_a_key_service_that_is_down(drill: Drill, conclude: Conclude) -> None:
    drill.register(*FIRST_HALF)
    with run_proxy(drill, "KMS") as proxy:
        proxy.add_fault("Decrypt", "drop", times=12)
        drill.register(*SECOND_HALF)
        injected = count_hits(proxy, 12)
        recovered_after = drill.settle()

    remark = "new containers; running ones need no key service"
    conclude(
        drill.conclude("key service down", injected=injected, recovered_after=recovered_after, remark=remark)
    )


def test_a_stream_that_is_replayed(drill: Drill, conclude: Conclude) -> None:
    drill.register(*NUMBERS)
    drill.settle()
    for _ in range(2):
        drill.publish(drill.stream)
        drill.consume()

    recovered_after, injected = drill.settle(), 2 * len(drill.stream)
    conclude(drill.conclude("stream replayed", injected=injected, recovered_after=recovered_after))


class _InProcessLambda:
    """A Lambda client that invokes the functions of a drill."""

    def __init__(self, drill: Drill) -> None:
        self._drill = drill

    def invoke(self, **request: Any) -> dict[str, Any]:
        """Invoke the stream publisher."""
        result = self._drill.invoke("on_registration_changes", json.loads(request["Payload"]))
        return {"Payload": io.BytesIO(json.dumps(result).encode())}


def test_a_stream_that_was_trimmed(drill: Drill, conclude: Conclude) -> None:
    drill.register(*NUMBERS)
    lost = drill.collect_changes()
    drill.clock.advance(timedelta(hours=25))
    times = {
        name: (drill.clock() - timedelta(hours=hours)).isoformat()
        for name, hours in (("approximateArrivalOfFirstRecord", 26), ("approximateArrivalOfLastRecord", 24))
    }
    queue = next(each for each in DEAD_LETTER_QUEUES.values() if each.is_for_stream)
    failure = make_stream_failure("1", str(len(lost)), **times)
    letter = DeadLetter(queue, "m-1", drill.clock(), json.dumps(failure), {}, "r-1")
    outputs = {"RegistrationsTableName": "RegistrationsTable", "OnRegistrationChangesName": "relay"}

    def make_client(service: str) -> Any:
        return _InProcessLambda(drill) if service == "lambda" else AWS_CLIENT(service)

    redrive(letter, Stage("drill", outputs, make_client), from_table=True)
    recovered_after = drill.settle()

    remark = "by hand: daftar dead-letters redrive --from-table"
    conclude(
        drill.conclude("stream trimmed", injected=len(lost), recovered_after=recovered_after, remark=remark)
    )


def test_a_record_that_nobody_can_read(drill: Drill, conclude: Conclude) -> None:
    drill.register(*NUMBERS)
    item = next(each for each in scan("RegistrationsTable") if is_application(each))
    dynamodb = boto3.client("dynamodb")
    damage_item(dynamodb, "RegistrationsTable", item["pk"]["S"], "sealed.phone", flip_byte)
    drill.publish()
    drill.consume()
    told = len(drill.gateway.inbox.list_sms())
    assert (told, len(drill.dead_letters)) == (WORKERS - 1, 1), "one poison record must not stop the others"

    dynamodb.put_item(TableName="RegistrationsTable", Item=item)
    drill.redrive()

    remark = "by hand: the record restored, the dead letter redriven"
    conclude(drill.conclude("poison record", injected=1, recovered_after=drill.settle(), remark=remark))


def test_a_field_key_that_is_rotated(drill: Drill, conclude: Conclude) -> None:
    drill.register(*FIRST_HALF)
    outputs = {f"{name}Name": name for name in read_table_definitions()}
    outputs["FieldKeyArn"] = os.environ["DAFTAR_FIELD_KEY_ARN"]
    rotation = KeyRotation(outputs=outputs, aws_client=AWS_CLIENT, clock=utc_now, on_progress=lambda _: None)
    injected = rotation.rotate().resealed_count
    # This container has not heard of the new key, and seals with the old one.
    drill.register(*SECOND_HALF)
    drill.restart()

    recovered_after = drill.settle()
    conclude(drill.conclude("secret rotated", injected=injected, recovered_after=recovered_after))


def test_a_table_that_is_restored_to_an_hour_ago(drill: Drill, conclude: Conclude) -> None:
    drill.register(*FIRST_HALF)
    drill.settle()
    backup = scan("RegistrationsTable")
    drill.clock.advance(timedelta(hours=1))
    drill.register(*SECOND_HALF)
    drill.settle()

    dynamodb = boto3.client("dynamodb")
    for item in scan("RegistrationsTable"):
        key = {name: item[name] for name in ("pk", "sk")}
        dynamodb.delete_item(TableName="RegistrationsTable", Key=key)
    for item in backup:
        dynamodb.put_item(TableName="RegistrationsTable", Item=item)
    drill.forget_changes()
    drill.restart()
    drill.register(*SECOND_HALF)

    remark = "devices send the last hour again; its workers get a second SMS, with a new reference"
    conclude(
        drill.conclude(
            "table restored to an hour ago",
            injected=len(SECOND_HALF),
            recovered_after=drill.settle(),
            expected_doubles=len(SECOND_HALF),
            remark=f"{remark}; on AWS by point-in-time recovery",
        )
    )


def test_a_deployment_in_the_middle(drill: Drill, conclude: Conclude) -> None:
    restarts = 0
    for number in NUMBERS:
        drill.register(number, sends=2)
        drill.restart()
        drill.publish()
        drill.restart()
        restarts += 2
    drill.consume()
    drill.restart()

    remark = "containers replaced between any two steps; the same code"
    conclude(
        drill.conclude(
            "deployment in the middle",
            injected=restarts + 1,
            recovered_after=drill.settle(),
            remark=remark,
        )
    )


def test_clocks_that_are_ten_minutes_off(drill: Drill, conclude: Conclude) -> None:
    ahead, behind = "2024-10-09T12:09:30+07:00", "2024-10-09T11:50:00+07:00"
    drill.register(*FIRST_HALF, captured_at=ahead)
    drill.register(*SECOND_HALF, captured_at=behind)
    drill.arm_gateway("timeout_after_accept", times=2, seconds=0)
    drill.publish()
    drill.skew = timedelta(minutes=10)
    drill.consume()
    drill.skew = timedelta(minutes=-10)
    recovered_after = drill.settle()

    remark = "devices and senders, ahead and behind"
    conclude(
        drill.conclude(
            "clocks 10 minutes off", injected=WORKERS + 2, recovered_after=recovered_after, remark=remark
        )
    )
