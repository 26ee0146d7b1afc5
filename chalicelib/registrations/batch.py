"""Many captures in one request: processed concurrently, answered in order, each by itself."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from pydantic import AliasChoices, Field

from chalicelib.models import StrictModel
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.typed import extract_digits

MAX_ITEMS = 200
MAX_BODY_BYTES = 1024 * 1024

# The number of connections that the AWS clients keep open; more workers would only wait for one.
_MAX_WORKERS = 10

# The last digits of a phone number are the same in each way of writing it: 0812…, 62812…, +62 812….
_PHONE_SUFFIX_DIGITS = 9

ItemResult = TypeVar("ItemResult")


class SubmitBatch(StrictModel):
    """A device's captures, oldest first.

    Each is read on its own, so that a bad one spoils nothing.
    """

    items: list[Any] = Field(
        min_length=1, max_length=MAX_ITEMS, validation_alias=AliasChoices("items", "registrations")
    )


def process_items(items: Sequence[Any], process_item: Callable[[Any], ItemResult]) -> list[ItemResult]:
    """Return a result for each item, in order.

    Items that share a capture id, a NIK, a phone number or a sponsor with an earlier one are processed after
    all others, one after the other: of two captures of one worker the earlier one always wins, and the counts
    of a phone number and of a sponsor's places do not conflict.
    """
    first, later = _split_by_conflict(items)
    results: dict[int, ItemResult] = {}
    with ThreadPoolExecutor(max_workers=_MAX_WORKERS) as pool:
        results.update(
            zip(first, pool.map(process_item, [items[position] for position in first]), strict=True)
        )
    for position in later:
        results[position] = process_item(items[position])
    return [results[position] for position in range(len(items))]


def _split_by_conflict(items: Sequence[Any]) -> tuple[list[int], list[int]]:
    seen: set[str] = set()
    first: list[int] = []
    later: list[int] = []
    for position, item in enumerate(items):
        conflict_keys = _list_conflict_keys(item)
        (later if conflict_keys & seen else first).append(position)
        seen |= conflict_keys
    return first, later


def _list_conflict_keys(item: Any) -> set[str]:
    if not isinstance(item, SubmitRegistration):
        return set()
    nik = extract_digits(item.worker.nik)
    phone = extract_digits(item.worker.phone or "")[-_PHONE_SUFFIX_DIGITS:]
    sponsor = item.coverage.sponsor_id
    conflict_keys = {f"capture {item.capture_id}", f"nik {nik}", f"phone {phone}", f"sponsor {sponsor}"}
    return conflict_keys - {"nik ", "phone ", "sponsor None"}


def read_capture_id(item: bytes) -> str | None:
    """Return the valid capture id of an item, or None. Anything else could be personal data."""
    try:
        # It is read whatever else the item was refused for, such as a number that is no `int`.
        content = json.loads(item.decode(errors="replace"), parse_int=float)
        given = content.get("capture_id") if isinstance(content, dict) else None
        return str(UUID(given)) if isinstance(given, str) else None
    except (ValueError, RecursionError):
        return None
