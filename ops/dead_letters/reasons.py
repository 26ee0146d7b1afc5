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

from chalicelib.observability import FunctionFailed
from ops.dead_letters.queues import Letter
from ops.stages import Stage

# What may be shown of a letter, and what it must look like to be: anything else might be about a person.
_SHOWN = {
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
_INSIDE = ("context", "requestContext", "DDBStreamBatchInfo", "requestPayload")
_NESTED = "Message"
# A message keeps the time it was first sent at; what a stream gave up was tried for twelve hours before.
_FAILED_WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class Reason:
    """What went wrong: the kind of error, and where in our code it arose if that is known."""

    error: str
    where: tuple[str, ...] = ()


def facts(letter: Letter) -> dict[str, str]:
    """What a letter is about."""
    return dict(_facts(letter.content))


def _facts(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if name in _SHOWN and isinstance(value, str | int):
            is_plain = re.fullmatch(_SHOWN[name], str(value)) is not None
            yield name, str(value) if is_plain else "(not shown)"
        elif name in _INSIDE and isinstance(value, dict):
            yield from _facts(value)
        elif name == _NESTED and isinstance(value, str):
            yield from _facts(_object(value))


def reason(letter: Letter, stage: Stage) -> Reason:
    """Why a letter was given up, as far as anybody said."""
    logged = _logged(letter, stage)
    if logged:
        return logged
    content = letter.content
    told = [
        content.get("requestContext", {}).get("condition"),
        _raised(_object(content.get("responsePayload"))),
        letter.attributes.get("ERROR_CODE", {}).get("StringValue"),
    ]
    error = ", ".join(each for each in told if each)
    return Reason(error or f"nothing is said of it in {stage.log_group(letter.resort.function)}")


def _raised(answer: dict[str, Any]) -> str | None:
    """The type of what a function raised; one that nobody foresaw stands in the words of its stand-in."""
    unforeseen = answer.get("errorType") == FunctionFailed.__name__
    told = str(answer.get("errorMessage" if unforeseen else "errorType", ""))
    return told if re.fullmatch(_SHOWN["type"], told) else None


def _logged(letter: Letter, stage: Stage) -> Reason | None:
    """What the function logged last when it failed on this letter."""
    if letter.resort.is_of_stream:
        known_by = letter.content.get("DDBStreamBatchInfo", {}).get("startSequenceNumber")
    else:
        known_by = letter.message_id if letter.resort.source else None
    if not known_by:
        return None
    logs = stage.clients("logs")
    found = None
    for page in logs.get_paginator("filter_log_events").paginate(
        logGroupName=stage.log_group(letter.resort.function),
        startTime=int((letter.sent_at - _FAILED_WITHIN).timestamp() * 1000),
        filterPattern=f'"{known_by}"',
    ):
        for event in page["events"]:
            line = _object(event["message"])
            if "error" in line:
                found = Reason(line["error"], tuple(line.get("where", ())))
    return found


def _object(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    try:
        content = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
