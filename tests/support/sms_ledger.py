"""The SMS ledger of a campaign on a local stack, whose rows a test can age.

To age a row, an hour is subtracted from its times.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.items import from_item, to_item
from chalicelib.clock import to_timestamp
from infra.functions import ALIAS
from ops.local.stack import LocalStack
from tests.support.aws_events import make_schedule_event

_SETTLED_STATES = frozenset({"accepted", "sent", "delivered"})


def count_unsettled(stack: LocalStack) -> Counter[str]:
    """Return the number of SMS of a stack that are not settled, by campaign."""
    return Counter(row["campaign_id"] for row in _iter_rows(stack) if not is_settled(row))


class CampaignSmsLedger:
    """The SMS of one campaign."""

    def __init__(self, stack: LocalStack, campaign_id: str) -> None:
        self._stack = stack
        self._outputs = stack.describe().outputs
        self._aws_client = stack.emulator.make_client
        self._campaign_id = campaign_id

    def read_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the campaign; an erased row names no campaign and is left out."""
        return [row for row in _iter_rows(self._stack) if row["campaign_id"] == self._campaign_id]

    def advance_one_hour(self) -> None:
        """Make every unsettled SMS one hour older, and run the function that queues due SMS."""
        for row in self.read_rows():
            if not is_settled(row):
                self._age_row(row)
        response = self._aws_client("lambda").invoke(
            FunctionName=self._outputs["QueueDueSmsName"],
            Qualifier=ALIAS,
            Payload=json.dumps(make_schedule_event()),
        )
        response["Payload"].read()

    def _age_row(self, row: dict[str, Any]) -> None:
        earlier = {
            name: to_timestamp(datetime.fromisoformat(row[name]) - timedelta(hours=1))
            for name in ("due_at", "touched_at")
            if name in row
        }
        dynamodb = self._aws_client("dynamodb")
        # A receipt may change the row in between.
        with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
            dynamodb.update_item(
                TableName=self._outputs["SmsLedgerTableName"],
                Key=to_item({"sms_id": row["sms_id"]}),
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in earlier),
                ConditionExpression="revision = :revision",
                ExpressionAttributeValues=to_item(
                    {":revision": row["revision"], **{f":{name}": at for name, at in earlier.items()}}
                ),
            )


def _iter_rows(stack: LocalStack) -> Iterator[dict[str, Any]]:
    pages = stack.emulator.make_client("dynamodb").get_paginator("scan")
    table = stack.describe().outputs["SmsLedgerTableName"]
    for page in pages.paginate(TableName=table, ConsistentRead=True):
        for row in map(from_item, page["Items"]):
            if "campaign_id" in row:
                yield row


def is_settled(row: dict[str, Any]) -> bool:
    """Return True if an SMS is in a final state, or unknown without a time to retry."""
    return row["state"] in _SETTLED_STATES or (row["state"] == "unknown" and "due_at" not in row)
