"""Records of the registrations table's stream as typed changes."""

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.items import Values, from_item
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.model import EventType, Flag, Status
from chalicelib.registrations.references import Reference
from chalicelib.registrations.repeats import read_lookups
from chalicelib.registrations.store_items import parse_campaign_day
from chalicelib.registrations.store_keys import UNUSUAL_SORT_KEY
from chalicelib.registrations.store_source import parse_disclosure
from chalicelib.registrations.stream import (
    CaptureChange,
    Change,
    PublishedEvent,
    RegistrationChange,
    StreamRecord,
    UnusualClientChange,
)

# On a capture or registration that `daftar restore --into` has copied: its version then. Another stage has
# published what was known until then.
COPIED_VERSION = "copied_version"

# The attributes that are read, by sort key. Sealed values are never read: Lambda hands binary values over as
# base64 text, which is not what the table holds, and the facts of a registration contain such values.
ATTRIBUTES_READ = {
    "CAPTURE": ("sk", "taken", "day_shard", "facts", "reference", "forgotten", COPIED_VERSION),
    "APPLICATION": (
        *("sk", "taken", "reference", "history", "flags", COPIED_VERSION),
        *("worker_key", "identity_hashes", "destroyed_at"),
    ),
    UNUSUAL_SORT_KEY: ("sk", "taken"),
}

# An item that changed in none of these was only sealed again, under another key.
_COUNTED_ATTRIBUTES = {
    "CAPTURE": ("facts", "day_shard", "forgotten"),
    "APPLICATION": ("history", "destroyed_at"),
    UNUSUAL_SORT_KEY: ("facts",),
}


def parse_change(record: StreamRecord) -> Change | None:
    """Return the change that a stream record reports, or None if it concerns neither counts nor workers."""
    current, previous = _parse_image(record, "NewImage"), _parse_image(record, "OldImage")
    is_new = record["eventName"] == "INSERT"
    if current is None:
        # An erased registration changes what is counted of its day. All else that is deleted has expired,
        # long after its day was reported.
        if previous is None or previous["sk"] != "APPLICATION":
            return None
        return _parse_registration_change(None, previous, is_new=False)
    if not _has_counted_change(record, current["sk"]):
        return None
    if current["sk"] == UNUSUAL_SORT_KEY:
        return UnusualClientChange(parse_campaign_day(current))
    if current["sk"] == "CAPTURE":
        return _parse_capture_change(current, is_new=is_new)
    return _parse_registration_change(current, None if is_new else previous or current, is_new=is_new)


def _parse_capture_change(capture: Values, *, is_new: bool) -> CaptureChange | None:
    if "day_shard" not in capture and "forgotten" not in capture:
        return None  # Refused because of its day: it is counted under none.
    outcome = capture.get("facts", {}).get("outcome")
    return CaptureChange(
        campaign_day=parse_campaign_day(capture),
        is_new=is_new,
        outcome=None if outcome is None else Outcome(outcome),
        disclosure=parse_disclosure(capture["taken"]),
        reference=capture.get("reference"),
        correlation_id=capture["taken"].get("correlation_id", ""),
        capture_id=capture["taken"].get("capture_id"),
        is_copy=COPIED_VERSION in capture,
    )


def _parse_registration_change(
    current: Values | None, previous: Values | None, *, is_new: bool
) -> RegistrationChange:
    """Return the change of a registration; `current` is None if it was erased, `previous` if it is new."""
    registration: Values = current or previous or {}
    known_history = registration["history"] if previous is None else previous["history"]
    copied_version = int(registration.get(COPIED_VERSION, 0))
    start = max(len(known_history), copied_version)
    flags, known_flags = (_parse_flags(each) for each in (registration, previous or {}))
    return RegistrationChange(
        campaign_day=parse_campaign_day(registration),
        is_new=is_new,
        reference=Reference(registration["reference"]),
        correlation_id=registration["taken"]["correlation_id"],
        flags=flags,
        new_events=tuple(_parse_events(registration["history"], start=start)),
        client_id=registration["taken"].get("client_id", ""),
        new_flags=tuple(each for each in flags if each not in known_flags),
        worker_key=(current or {}).get("worker_key"),
        previous_worker_key=(previous or {}).get("worker_key"),
        lookups=read_lookups((current or {}).get("identity_hashes")),
        previous_lookups=read_lookups((previous or {}).get("identity_hashes")),
        is_gone=current is None or "destroyed_at" in current,
        is_copy=copied_version > 0,
    )


def _parse_flags(registration: Values) -> tuple[Flag, ...]:
    return tuple(Flag(each) for each in registration.get("flags", ()))


def _parse_events(history: list[Values], *, start: int) -> Iterator[PublishedEvent]:
    for version, event in enumerate(history[start:], start=start + 1):
        event_type, purpose = EventType(event["event_type"]), event.get("detail", {}).get("purpose")
        yield PublishedEvent(event_type, Status(event["status"]), version, purpose)


def _has_counted_change(record: StreamRecord, sort_key: str) -> bool:
    previous, current = (record["dynamodb"].get(image, {}) for image in ("OldImage", "NewImage"))
    return any(previous.get(name) != current.get(name) for name in _COUNTED_ATTRIBUTES[sort_key])


def _parse_image(record: StreamRecord, image_name: str) -> Values | None:
    image: dict[str, Any] | None = record["dynamodb"].get(image_name)
    sort_key = image["sk"]["S"] if image else None
    if image is None or sort_key not in ATTRIBUTES_READ:
        return None
    return from_item({name: image[name] for name in ATTRIBUTES_READ[sort_key] if name in image})
