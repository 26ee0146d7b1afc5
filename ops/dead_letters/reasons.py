"""Why a letter was given up, and what it was about, in terms that name no person.

A queue does not say why its reader failed; the reader's log does, under the message's id. What came from a
stream or an event carries its reason with it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.observability import UnhandledError
from ops.dead_letters.queues import DeadLetter
from ops.deploy.stages import Stage

# What may be shown of a letter, and what it must look like to be: anything else might be about a person.
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
    "condition": r"[A-Za-z]{1,60}",
    "shardId": r"[A-Za-z0-9-]{1,80}",
    "startSequenceNumber": r"[0-9]{1,60}",
    "endSequenceNumber": r"[0-9]{1,60}",
    "batchSize": r"[0-9]{1,6}",
    "approximateArrivalOfFirstRecord": r"[0-9T:.Z+-]{1,40}",
    "approximateArrivalOfLastRecord": r"[0-9T:.Z+-]{1,40}",
}
# Objects inside a letter that are looked into, and texts inside it that hold another object.
_SEARCHED_FIELDS = ("context", "requestContext", "DDBStreamBatchInfo", "requestPayload")
_NESTED_JSON_FIELD = "Message"
# A message keeps the time it was first sent at; what a stream gave up was tried for twelve hours before.
_LOG_SEARCH_WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class FailureReason:
    """What went wrong: the kind of error, and where in our code it arose if that is known."""

    error: str
    frames: tuple[str, ...] = ()


def extract_facts(dead_letter: DeadLetter) -> dict[str, str]:
    """What a letter is about."""
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
    """Why a letter was given up, as far as anybody said."""
    logged = _find_logged_reason(dead_letter, stage)
    if logged:
        return logged
    content = dead_letter.content
    told = [
        content.get("requestContext", {}).get("condition"),
        _find_error_type(_parse_object(content.get("responsePayload"))),
        dead_letter.attributes.get("ERROR_CODE", {}).get("StringValue"),
    ]
    error = ", ".join(each for each in told if each)
    return FailureReason(
        error or f"nothing is said of it in {stage.get_log_group(dead_letter.queue.function_id)}"
    )


def _find_error_type(response: dict[str, Any]) -> str | None:
    """The type of what a function raised; one that nobody foresaw stands in the words of its stand-in."""
    unforeseen = response.get("errorType") == UnhandledError.__name__
    told = str(response.get("errorMessage" if unforeseen else "errorType", ""))
    return told if re.fullmatch(_SHOWN_FIELDS["type"], told) else None


def _find_logged_reason(dead_letter: DeadLetter, stage: Stage) -> FailureReason | None:
    """What the function logged last when it failed on this letter."""
    if dead_letter.queue.is_for_stream:
        known_by = dead_letter.content.get("DDBStreamBatchInfo", {}).get("startSequenceNumber")
    else:
        known_by = dead_letter.message_id if dead_letter.queue.source_queue else None
    if not known_by:
        return None
    logs = stage.aws_client("logs")
    found = None
    for page in logs.get_paginator("filter_log_events").paginate(
        logGroupName=stage.get_log_group(dead_letter.queue.function_id),
        startTime=int((dead_letter.sent_at - _LOG_SEARCH_WINDOW).timestamp() * 1000),
        filterPattern=f'"{known_by}"',
    ):
        for event in page["events"]:
            line = _parse_object(event["message"])
            if "error" in line:
                found = FailureReason(line["error"], tuple(line.get("where", ())))
    return found


def _parse_object(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    try:
        content = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
