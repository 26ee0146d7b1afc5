"""What nobody could handle, on the packaged stack: it holds up nobody else, and is sent after the mend."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner

from infra.functions import ALIAS
from ops.commands.dead_letters import drop_dead_letters, list_dead_letters, redrive_dead_letters
from tests.support.functions import pause_event_sources
from tests.support.isolated_campaign import Market, await_pipeline_idle, open_market
from tests.support.polling import wait_until
from tests.support.queue_control import count_messages, limit_receives, pause_notifications
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

_DEAD = "NotificationsDeadLetters"


def operate(stack: RunningStack, command: click.Command, *arguments: str) -> str:
    """What `daftar dead-letters` prints."""
    done = CliRunner().invoke(
        command, arguments, obj=stack.local_stack.as_stage(), catch_exceptions=False, standalone_mode=False
    )
    return done.output


@contextmanager
def broken(stack: RunningStack, reference: str) -> Iterator[None]:
    """Meanwhile a registration cannot be read: a sealed value is not what it was."""
    table, dynamodb = stack.description.outputs["RegistrationsTableName"], stack.aws_client("dynamodb")
    key = {"pk": {"S": f"REGISTRATION#{reference}"}, "sk": {"S": "APPLICATION"}}
    whole = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    dynamodb.put_item(TableName=table, Item={**whole, "sealed": {"M": {}}})
    try:
        yield
    finally:
        dynamodb.put_item(TableName=table, Item=whole)


@pytest.fixture
def market(stack: RunningStack) -> Market:
    return open_market(stack)


def test_a_bad_record_in_ten_and_a_poison_message_block_no_other_and_the_fixed_one_is_sent_once(
    stack: RunningStack, market: Market
) -> None:
    sqs, queue = stack.aws_client("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    await_pipeline_idle(stack)
    with limit_receives(stack, max_receives=2, visibility_seconds=1), ExitStack() as breaking:
        with pause_notifications(stack):
            references = [
                market.register(market.make_capture_payload()).json()["reference"] for _ in range(10)
            ]
            wait_until("ten messages", lambda: count_messages(stack, "NotificationsQueue") == 10)
            sqs.send_message(QueueUrl=queue, MessageBody='{"type": "NobodyKnows", "to": "+6282455507001"}')
            bad = references.pop(4)
            breaking.enter_context(broken(stack, bad))
        for reference in references:
            market.await_sms(reference)
        wait_until("two to be given up", lambda: count_messages(stack, _DEAD) >= 2)
        listed = operate(stack, list_dead_letters, _DEAD).splitlines()
        assert count_messages(stack, _DEAD) == 2, listed
        poison = next(line.split("  ")[1] for line in listed if "NobodyKnows" in line)

        assert market.find_sms(bad) == []
        assert [line.split("  ")[-1] for line in listed if bad in line] == ["RecordUnreadable"]
        assert [line.split("  ")[-1] for line in listed if poison in line] == ["ValidationError"]
        assert "6282455507001" not in "".join(listed)

        breaking.close()
        assert "1 dropped" in operate(stack, drop_dead_letters, _DEAD, poison, "--yes")
        assert operate(stack, redrive_dead_letters, _DEAD, "--all") == "1 redriven\n"
        market.await_sms(bad)
        assert operate(stack, redrive_dead_letters, _DEAD, "--all") == "the queue is empty\n"
    await_pipeline_idle(stack)
    assert [len(market.find_sms(reference)) for reference in [*references, bad]] == [1] * 10


def lost(stack: RunningStack, market: Market) -> str:
    """The reference of a registration that the relay has announced into nothing."""
    with pause_notifications(stack):
        reference = str(market.register(market.make_capture_payload()).json()["reference"])
        wait_until("the announcement", lambda: count_messages(stack, "NotificationsQueue") == 1)
        stack.aws_client("sqs").purge_queue(QueueUrl=stack.description.outputs["NotificationsQueueUrl"])
    return reference


def a_failure(stack: RunningStack, reference: str) -> dict[str, Any]:
    """What Lambda would leave if the relay had given up on the record of a registration."""
    streams, dynamodb = stack.aws_client("dynamodbstreams"), stack.aws_client("dynamodb")
    described = dynamodb.describe_table(TableName=stack.description.outputs["RegistrationsTableName"])
    stream = described["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while True:
        page = streams.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            change = record["dynamodb"]
            if change["Keys"]["pk"]["S"] == f"REGISTRATION#{reference}":
                arrived_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                return {
                    "requestContext": {"condition": "RetryAttemptsExhausted"},
                    "DDBStreamBatchInfo": {
                        "shardId": shard["ShardId"],
                        "startSequenceNumber": change["SequenceNumber"],
                        "endSequenceNumber": change["SequenceNumber"],
                        "approximateArrivalOfFirstRecord": arrived_at,
                        "approximateArrivalOfLastRecord": arrived_at,
                        "batchSize": 1,
                        "streamArn": stream,
                    },
                }
        assert page["Records"], f"the record of {reference} is not in the stream"
        iterator = page["NextShardIterator"]


@pytest.mark.parametrize("source", [[], ["--from-table"]], ids=["from the stream", "from the table"])
def test_a_record_that_the_stream_publisher_failed_is_published_by_a_redrive_and_sent_once(
    source: list[str], stack: RunningStack, market: Market
) -> None:
    await_pipeline_idle(stack)
    reference = lost(stack, market)
    failures = stack.description.outputs["StreamFailuresUrl"]
    letter = json.dumps(a_failure(stack, reference))
    for _ in range(2):
        stack.aws_client("sqs").send_message(QueueUrl=failures, MessageBody=letter)

    assert "1 records  RetryAttemptsExhausted" in operate(stack, list_dead_letters, "StreamFailures")
    assert operate(stack, redrive_dead_letters, "StreamFailures", "--all", *source) == "2 redriven\n"

    market.await_sms(reference)
    await_pipeline_idle(stack)
    assert len(market.find_sms(reference)) == 1


@contextmanager
def handed_out_twice(stack: RunningStack) -> Iterator[None]:
    """Meanwhile a change that the relay cannot announce is tried once more, and no more."""
    functions, relay = stack.aws_client("lambda"), stack.description.outputs["OnRegistrationChangesName"]
    (mapping,) = functions.list_event_source_mappings(FunctionName=f"{relay}:{ALIAS}")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], MaximumRetryAttempts=1)
    try:
        yield
    finally:
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], MaximumRetryAttempts=mapping["MaximumRetryAttempts"]
        )


def test_an_unreadable_change_goes_to_the_failures_and_those_before_and_after_it_are_sent_once(
    stack: RunningStack, market: Market
) -> None:
    dynamodb, outputs = stack.aws_client("dynamodb"), stack.description.outputs
    unreadable = {"pk": {"S": "CAPTURE#unreadable"}, "sk": {"S": "CAPTURE"}}

    def register(workers: int) -> list[str]:
        return [market.register(market.make_capture_payload()).json()["reference"] for _ in range(workers)]

    await_pipeline_idle(stack)
    with handed_out_twice(stack):
        with pause_event_sources(stack.aws_client("lambda"), outputs["OnRegistrationChangesName"]):
            references = register(3)
            dynamodb.put_item(
                TableName=outputs["RegistrationsTableName"],
                Item={**unreadable, "day_shard": {"S": "nobody's"}},
            )
            references += register(3)
        for reference in references:
            market.await_sms(reference)
    dynamodb.delete_item(TableName=outputs["RegistrationsTableName"], Key=unreadable)
    await_pipeline_idle(stack)
    assert [len(market.find_sms(reference)) for reference in references] == [1] * 6

    listed = operate(stack, list_dead_letters, "StreamFailures").splitlines()
    stack.aws_client("sqs").purge_queue(QueueUrl=outputs["StreamFailuresUrl"])
    assert [line.split("  ")[-2:] for line in listed[:-1]] == [["1 records", "KeyError"]]
