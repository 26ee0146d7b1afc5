"""The reason and the facts of a dead letter, without personal data.

The reason of a message from a queue is in the log of its function, under the message's id. A failure of a
stream or of an event carries its reason with it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.observability import UnhandledError
from ops.aws_errors import get_error_code
from ops.dead_letters.queues import DeadLetter
from ops.deploy.stages import Stage

# The fields that may be shown, and the pattern of each: any other value might be personal data.
_SHOWN_FIELDS = {
    "type": r"[A-Za-z]{1,40}",
    "version": r"[0-9]{1,3}",
    "purpose": r"[a-z_]{1,40}",
    "reference": r"[0-9A-HJ-NP-Z]{3}-[0-9A-HJ-NP-Z]{3}-[0-9A-HJ-NP-Z]{3}",
    "correlation_id": r"[0-9a-f-]{8,64}",
    "message_id": r"[0-9a-f]{32}",
    "messageId": r"[0-9A-Za-z-]{8,64}",
    "eventType": r"[A-Z_]{1,40}",
    "time": r"[0-9T:.Z+-]{1,40}",
    "detail-type": r"[A-Za-z ]{1,40}",
    "share": r"[0-9]{1,3}",
    "condition": r"[A-Za-z]{1,60}",
    "shardId": r"[A-Za-z0-9-]{1,80}",
    "startSequenceNumber": r"[0-9]{1,60}",
    "endSequenceNumber": r"[0-9]{1,60}",
    "batchSize": r"[0-9]{1,6}",
    "approximateArrivalOfFirstRecord": r"[0-9T:.Z+-]{1,40}",
    "approximateArrivalOfLastRecord": r"[0-9T:.Z+-]{1,40}",
}
# Nested objects that are searched as well, and the field that holds another object as JSON.
_SEARCHED_FIELDS = ("context", "requestContext", "DDBStreamBatchInfo", "requestPayload", "detail")
_NESTED_JSON_FIELD = "Message"
# A message has the time of its first sending; a stream's record is retried for twelve hours.
_LOG_SEARCH_WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class FailureReason:
    """The type of the error and, if known, the frames of our code."""

    error: str
    frames: tuple[str, ...] = ()


def extract_facts(dead_letter: DeadLetter) -> dict[str, str]:
    """Return the fields of a message that may be shown."""
    return dict(_iter_facts(dead_letter.content))


def _iter_facts(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if name in _SHOWN_FIELDS and isinstance(value, str | int):
            is_plain = re.fullmatch(_SHOWN_FIELDS[name], str(value)) is not None
            yield name, str(value) if is_plain else "(not shown)"
        elif name in _SEARCHED_FIELDS and isinstance(value, dict):
            yield from _iter_facts(value)
        elif name == _NESTED_JSON_FIELD and isinstance(value, str):
            yield from _iter_facts(_parse_object(value))


def find_reason(dead_letter: DeadLetter, stage: Stage) -> FailureReason:
    """Return the reason from the log, from the message itself, or the name of the log to read."""
    if logged := _find_logged_reason(dead_letter, stage):
        return logged
    content = dead_letter.content
    condition = str(_parse_object(content.get("requestContext")).get("condition", ""))
    causes = [
        condition if re.fullmatch(_SHOWN_FIELDS["condition"], condition) else None,
        _find_error_type(_parse_object(content.get("responsePayload"))),
        dead_letter.attributes.get("ERROR_CODE", {}).get("StringValue"),
    ]
    error = ", ".join(cause for cause in causes if cause)
    return FailureReason(error or f"no reason in {stage.get_log_group(dead_letter.queue.function_id)}")


def _find_error_type(response: dict[str, Any]) -> str | None:
    """Return the type of the error that a function raised. UnhandledError has it as its message."""
    is_unhandled = response.get("errorType") == UnhandledError.__name__
    error_type = str(response.get("errorMessage" if is_unhandled else "errorType", ""))
    return error_type if re.fullmatch(_SHOWN_FIELDS["type"], error_type) else None


def _find_logged_reason(dead_letter: DeadLetter, stage: Stage) -> FailureReason | None:
    """Return the last error that the function has logged for this message."""
    if dead_letter.queue.is_for_stream:
        batch_info = _parse_object(dead_letter.content.get("DDBStreamBatchInfo"))
        logged_id = str(batch_info.get("startSequenceNumber", ""))
        is_searchable = re.fullmatch(_SHOWN_FIELDS["startSequenceNumber"], logged_id) is not None
    else:
        logged_id, is_searchable = dead_letter.message_id, bool(dead_letter.queue.source_queue)
    if not is_searchable:
        return None
    found = None
    for message in _iter_log_messages(dead_letter, logged_id, stage):
        line = _parse_object(message)
        if "error" in line:
            found = FailureReason(line["error"], tuple(line.get("where", ())))
    return found


def _iter_log_messages(dead_letter: DeadLetter, logged_id: str, stage: Stage) -> Iterator[str]:
    """Yield the messages that the function has logged with an id; none if it has no log."""
    pages = (
        stage.aws_client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=stage.get_log_group(dead_letter.queue.function_id),
            startTime=int((dead_letter.sent_at - _LOG_SEARCH_WINDOW).timestamp() * 1000),
            filterPattern=f'"{logged_id}"',
        )
    )
    try:
        for page in pages:
            yield from (event["message"] for event in page["events"])
    except ClientError as error:
        if get_error_code(error) != "ResourceNotFoundException":
            raise


def _parse_object(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    try:
        content = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
