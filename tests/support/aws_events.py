"""Events of AWS for the functions. Chalice's own builders give every record the same id."""

import base64
import json
from datetime import datetime
from typing import Any

from infra.shares import make_input
from tests.support.builders import NOW


def make_sqs_event(*bodies: Any) -> dict[str, Any]:
    """Return a batch of an SQS queue with ids m-0, m-1 …; a body that is not a string is sent as JSON."""
    return {
        "Records": [
            {
                "messageId": f"m-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1728450000000",
                    "MessageGroupId": f"g-{number}",
                },
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
    """Return a batch of the registrations table's stream for items in DynamoDB's form, with ids 1, 2 …

    `old_item` is the previous version of every item.
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
    """Return an item as an event holds it, with bytes encoded as base64."""
    if isinstance(item, bytes):
        return base64.b64encode(item).decode()
    if isinstance(item, dict):
        return {name: encode_stream_image(value) for name, value in item.items()}
    return item


def make_remove_event(*items: dict[str, Any]) -> dict[str, Any]:
    """Return a batch of the stream for deleted items, which have no new image."""
    event = make_stream_event(*items, event_name="REMOVE")
    for record in event["Records"]:
        record["dynamodb"]["OldImage"] = record["dynamodb"].pop("NewImage")
    return event


def make_schedule_event(fired_at: datetime = NOW) -> dict[str, Any]:
    """Return a scheduled event of EventBridge."""
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


def make_share_event(number: int, count: int) -> dict[str, Any]:
    """Return the event that starts one of several runs side by side."""
    event: dict[str, Any] = json.loads(make_input(number, count))
    return event


def make_token_event(authorization: str) -> dict[str, Any]:
    """Return the event with which API Gateway calls the authorizer."""
    method = "arn:aws:execute-api:ap-southeast-3:000000000000:alone/api/POST/v1/registrations"
    return {"type": "TOKEN", "authorizationToken": authorization, "methodArn": method}


def make_domain_event(**changes: Any) -> dict[str, Any]:
    """Return a domain event as the stream publisher puts it on the notifications queue."""
    return {
        "type": "RegistrationReceived",
        "version": 1,
        "reference": "7K4-M2Q-X9P",
        "correlation_id": "c0ffee00-0000-4000-8000-000000000001",
        **changes,
    }
