"""Many captures in one request: processed concurrently, answered in order, each by itself."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from pydantic import AliasChoices, Field

from chalicelib.models import StrictModel
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
    if not isinstance(item, dict):
        return set()
    worker = item.get("worker")
    typed = worker if isinstance(worker, dict) else {}
    nik = _extract_digits(typed.get("nik"))
    phone = _extract_digits(typed.get("phone"))[-_PHONE_SUFFIX_DIGITS:]
    coverage = item.get("coverage")
    sponsor = coverage.get("sponsor_id") if isinstance(coverage, dict) else None
    conflict_keys = {f"capture {read_capture_id(item)}", f"nik {nik}", f"phone {phone}", f"sponsor {sponsor}"}
    return conflict_keys - {"capture None", "nik ", "phone ", "sponsor None"}


def read_capture_id(item: Any) -> str | None:
    """Return the valid capture id of an item, or None. Anything else could be personal data."""
    given = item.get("capture_id") if isinstance(item, dict) else None
    try:
        return str(UUID(given)) if isinstance(given, str) else None
    except ValueError:
        return None


def _extract_digits(typed_value: Any) -> str:
    return extract_digits(typed_value) if isinstance(typed_value, str) else ""
