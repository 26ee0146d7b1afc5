"""The corrections of a registration as text to be sealed, and back, and the marker of an open request."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.aws.table import Table, Write
from chalicelib.clock import to_optional_timestamp, to_timestamp
from chalicelib.registrations.corrections import Correction, CorrectionState
from chalicelib.registrations.model import Registration
from chalicelib.registrations.store_amounts import pad_amounts
from chalicelib.registrations.store_keys import (
    find_shard,
    make_open_request_key,
    make_order,
    make_request_shard,
)


def serialize_corrections(corrections: Iterable[Correction]) -> str | None:
    """Return corrections as text; None if there are none."""
    documents = [
        {
            **vars(each),
            "occurred_at": to_timestamp(each.occurred_at),
            "decided_at": to_optional_timestamp(each.decided_at),
            "before": dict(each.before),
            "wanted": dict(each.wanted),
        }
        for each in corrections
    ]
    return pad_amounts(json.dumps(documents, ensure_ascii=False)) if documents else None


def parse_corrections(serialized: str | None) -> tuple[Correction, ...]:
    """Return corrections from their text."""
    return tuple(map(_parse_correction, json.loads(serialized or "[]")))


def _parse_correction(document: dict[str, Any]) -> Correction:
    decided_at = document["decided_at"]
    return Correction(
        **{
            **document,
            "state": CorrectionState(document["state"]),
            "fields": tuple(document["fields"]),
            "occurred_at": datetime.fromisoformat(document["occurred_at"]),
            "decided_at": None if decided_at is None else datetime.fromisoformat(decided_at),
        }
    )


def build_request_marker(table: Table, registration: Registration, previous: Registration) -> list[Write]:
    """Return the write that lists a registration with a new open request, or takes it off the list."""
    request, earlier = registration.open_correction, previous.open_correction
    if (request is None) is (earlier is None):
        return []
    if request is None:
        return [delete_request_marker(table, registration)]
    key = make_open_request_key(registration.reference)
    shard = make_request_shard(find_shard(registration.reference))
    order = make_order(request.occurred_at, registration.reference)
    return [table.put({**key, "status_shard": shard, "status_order": order})]


def delete_request_marker(table: Table, registration: Registration) -> Write:
    """Return the write that takes a registration off the list of open requests, if it is on it."""
    return table.delete(make_open_request_key(registration.reference))
