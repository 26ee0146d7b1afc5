"""What calls the functions, as AWS would. Chalice's own builders would give every record the same id."""

import base64
import json
from datetime import datetime
from typing import Any

from tests.support.builders import NOW


def make_sqs_event(*bodies: Any) -> dict[str, Any]:
    """A batch from the notifications queue; a body that is no text is sent as JSON. Ids are m-0, m-1 …"""
    return {
        "Records": [
            {
                "messageId": f"m-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1728450000000"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:ap-southeast-3:000000000000:notifications",
                "awsRegion": "ap-southeast-3",
            }
            for number, body in enumerate(bodies)
        ]
    }


def make_stream_event(
    *items: dict[str, Any], event_name: str = "INSERT", old_item: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A batch from the registrations table's stream; an item is as DynamoDB keeps it. Ids are 1, 2 …

    `before` is what every item was.
    """
    old = {} if old_item is None else {"OldImage": encode_stream_image(old_item)}
    return {
        "Records": [
            {
                "eventID": f"event-{number}",
                "eventName": event_name,
                "eventSource": "aws:dynamodb",
                "eventVersion": "1.1",
                "awsRegion": "ap-southeast-3",
                "eventSourceARN": "arn:aws:dynamodb:ap-southeast-3:000000000000:table/r/stream/now",
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                    "Keys": {key: item[key] for key in ("pk", "sk") if key in item},
                    "NewImage": encode_stream_image(item),
                    **old,
                },
            }
            for number, item in enumerate(items, start=1)
        ]
    }


def encode_stream_image(item: Any) -> Any:
    """An item as it comes in an event: bytes are base64 text there."""
    if isinstance(item, bytes):
        return base64.b64encode(item).decode()
    if isinstance(item, dict):
        return {name: encode_stream_image(value) for name, value in item.items()}
    return item


def make_remove_event(*items: dict[str, Any]) -> dict[str, Any]:
    """The same batch after the items are gone: there is no new image."""
    event = make_stream_event(*items, event_name="REMOVE")
    for record in event["Records"]:
        record["dynamodb"]["OldImage"] = record["dynamodb"].pop("NewImage")
    return event


def make_schedule_event(fired_at: datetime = NOW) -> dict[str, Any]:
    """The hourly event of EventBridge."""
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": fired_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "ap-southeast-3",
        "resources": ["arn:aws:events:ap-southeast-3:000000000000:rule/hourly"],
        "detail": {},
    }


def make_domain_event(**changes: Any) -> dict[str, Any]:
    """What the relay puts on the notifications queue."""
    return {
        "type": "RegistrationReceived",
        "version": 1,
        "reference": "7K4-M2Q-X9P",
        "correlation_id": "c0ffee00-0000-4000-8000-000000000001",
        **changes,
    }
